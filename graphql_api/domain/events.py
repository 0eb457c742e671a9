"""What happened: every change is an event of the place where it happened."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from graphql_api.domain.holders import Holder
from graphql_api.domain.platforms import Platform


class EventKind(StrEnum):
    """The kinds of event, named as facts."""

    USER_REGISTERED = "USER_REGISTERED"
    PROFILE_UPDATED = "PROFILE_UPDATED"
    PASSWORD_CHANGED = "PASSWORD_CHANGED"  # noqa: S105 - the name of an event
    API_TOKEN_CREATED = "API_TOKEN_CREATED"  # noqa: S105 - the name of an event
    API_TOKEN_REVOKED = "API_TOKEN_REVOKED"  # noqa: S105 - the name of an event
    EMAIL_VERIFIED = "EMAIL_VERIFIED"
    EMAIL_ADDRESS_CHANGED = "EMAIL_ADDRESS_CHANGED"
    PASSWORD_RESET = "PASSWORD_RESET"  # noqa: S105 - the name of an event
    WORKSPACE_CREATED = "WORKSPACE_CREATED"
    WORKSPACE_RENAMED = "WORKSPACE_RENAMED"
    WORKSPACE_DELETED = "WORKSPACE_DELETED"
    MEMBER_INVITED = "MEMBER_INVITED"
    INVITATION_REVOKED = "INVITATION_REVOKED"
    INVITATION_DECLINED = "INVITATION_DECLINED"
    MEMBER_JOINED = "MEMBER_JOINED"
    MEMBER_ROLE_CHANGED = "MEMBER_ROLE_CHANGED"
    MEMBER_REMOVED = "MEMBER_REMOVED"
    MEMBER_LEFT = "MEMBER_LEFT"
    TEAM_CREATED = "TEAM_CREATED"
    TEAM_RENAMED = "TEAM_RENAMED"
    TEAM_DELETED = "TEAM_DELETED"
    TEAM_MEMBER_ADDED = "TEAM_MEMBER_ADDED"
    TEAM_MEMBER_REMOVED = "TEAM_MEMBER_REMOVED"
    FACEBOOK_ACCOUNT_CONNECTED = "FACEBOOK_ACCOUNT_CONNECTED"
    FACEBOOK_ACCOUNT_RECONNECTED = "FACEBOOK_ACCOUNT_RECONNECTED"
    FACEBOOK_ACCOUNT_DISCONNECTED = "FACEBOOK_ACCOUNT_DISCONNECTED"
    SOCIAL_ACCOUNT_CONNECTED = "SOCIAL_ACCOUNT_CONNECTED"
    SOCIAL_ACCOUNT_RECONNECTED = "SOCIAL_ACCOUNT_RECONNECTED"
    SOCIAL_ACCOUNT_DISCONNECTED = "SOCIAL_ACCOUNT_DISCONNECTED"
    SOCIAL_ACCOUNT_MOVED = "SOCIAL_ACCOUNT_MOVED"
    SOCIAL_ACCOUNT_RENAMED = "SOCIAL_ACCOUNT_RENAMED"
    SOCIAL_ACCOUNT_SHARED = "SOCIAL_ACCOUNT_SHARED"
    SOCIAL_ACCOUNT_UNSHARED = "SOCIAL_ACCOUNT_UNSHARED"
    SOCIAL_ACCOUNT_BROKE = "SOCIAL_ACCOUNT_BROKE"
    SOCIAL_ACCOUNT_RECOVERED = "SOCIAL_ACCOUNT_RECOVERED"
    SOCIAL_ACCOUNT_TAKEN_OVER = "SOCIAL_ACCOUNT_TAKEN_OVER"
    TRANSFER_REQUESTED = "TRANSFER_REQUESTED"
    TRANSFER_NOTICE_GIVEN = "TRANSFER_NOTICE_GIVEN"
    TRANSFER_CONTROL_PROVEN = "TRANSFER_CONTROL_PROVEN"
    TRANSFER_GRANTED = "TRANSFER_GRANTED"
    TRANSFER_DECLINED = "TRANSFER_DECLINED"
    TRANSFER_WITHDRAWN = "TRANSFER_WITHDRAWN"
    TRANSFER_LAPSED = "TRANSFER_LAPSED"
    TRANSFER_COMPLETED = "TRANSFER_COMPLETED"
    TRANSFER_CLOSED = "TRANSFER_CLOSED"
    HOLD_SHOWN = "HOLD_SHOWN"
    HOLD_RELEASED = "HOLD_RELEASED"
    ACCESS_REQUESTED = "ACCESS_REQUESTED"
    ACCESS_REQUEST_WITHDRAWN = "ACCESS_REQUEST_WITHDRAWN"
    ACCESS_REQUEST_GRANTED = "ACCESS_REQUEST_GRANTED"
    ACCESS_REQUEST_DECLINED = "ACCESS_REQUEST_DECLINED"
    ACCESS_REQUEST_CLOSED = "ACCESS_REQUEST_CLOSED"
    ACCESS_TOKEN_READ = "ACCESS_TOKEN_READ"  # noqa: S105 - the name of an event
    OTHER = "OTHER"  # never written: for clients that are older than a kind


YOUNGER_KINDS: frozenset[EventKind] = frozenset()
"""Kinds that the first release did not have. Strict clients fail on an enum value that they do not know."""


def kind_shown(kind: EventKind, asked: Collection[EventKind] | None) -> EventKind:
    """What a client gets as the kind: `OTHER` for a younger one, unless it asked for kinds by their names."""
    return EventKind.OTHER if asked is None and kind in YOUNGER_KINDS else kind


class EventFilter(NamedTuple):
    """Which events of a place a client asks for; None where it does not matter.

    `platforms` leaves out what is about a social account of another platform, and keeps what is about none.
    `hold_id` is that of a social account. `since` is included, `until` is not.
    """

    kinds: Collection[EventKind] | None = None
    platforms: Collection[Platform] | None = None
    actor_id: UUID | None = None
    hold_id: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None


QUIET_AFTER_RECONNECT = timedelta(hours=1)
"""How long a user's next reconnects of the same account add no event: a loop would fill the history."""


@dataclass(frozen=True, slots=True)
class NewEvent:
    """An event about to be written, in the history of `holder`.

    `subject_id` is the id of what it is about: a hold's id for social accounts, kept as an id because
    the object may have become invisible. `details` are short texts, never a secret. `subject_name` is what
    the subject is called at the time: a social account by its display name, with its `platform` beside it.
    `ends_shares_with` are the teams that the social account was shared with until this event: their members
    may still read it. `hides_actor`: somebody of another place did it, and the holder does not learn who.
    """

    holder: Holder
    kind: EventKind
    subject_id: UUID | None = None
    details: Mapping[str, str] = field(default_factory=dict)
    subject_name: str | None = None
    platform: Platform | None = None
    ends_shares_with: Collection[UUID] = ()
    hides_actor: bool = False
