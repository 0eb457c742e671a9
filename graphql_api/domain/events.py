"""What happened: every change is an event of the place where it happened."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

from graphql_api.domain.holders import Holder


class EventKind(StrEnum):
    """The kinds of event, named as facts."""

    USER_REGISTERED = "USER_REGISTERED"
    PASSWORD_CHANGED = "PASSWORD_CHANGED"  # noqa: S105 - the name of an event
    API_TOKEN_CREATED = "API_TOKEN_CREATED"  # noqa: S105 - the name of an event
    API_TOKEN_REVOKED = "API_TOKEN_REVOKED"  # noqa: S105 - the name of an event
    WORKSPACE_CREATED = "WORKSPACE_CREATED"
    MEMBER_INVITED = "MEMBER_INVITED"
    MEMBER_JOINED = "MEMBER_JOINED"
    FACEBOOK_ACCOUNT_CONNECTED = "FACEBOOK_ACCOUNT_CONNECTED"
    FACEBOOK_ACCOUNT_RECONNECTED = "FACEBOOK_ACCOUNT_RECONNECTED"
    FACEBOOK_ACCOUNT_DISCONNECTED = "FACEBOOK_ACCOUNT_DISCONNECTED"
    SOCIAL_ACCOUNT_CONNECTED = "SOCIAL_ACCOUNT_CONNECTED"
    SOCIAL_ACCOUNT_RECONNECTED = "SOCIAL_ACCOUNT_RECONNECTED"
    SOCIAL_ACCOUNT_DISCONNECTED = "SOCIAL_ACCOUNT_DISCONNECTED"
    ACCESS_TOKEN_READ = "ACCESS_TOKEN_READ"  # noqa: S105 - the name of an event


@dataclass(frozen=True, slots=True)
class NewEvent:
    """An event about to be written, in the history of `holder`.

    `subject_id` is the id of what it is about: a hold's id for social accounts, kept as an id because
    the object may have become invisible. `details` are short texts, never a secret.
    """

    holder: Holder
    kind: EventKind
    subject_id: UUID | None = None
    details: Mapping[str, str] = field(default_factory=dict)
