"""Rows that are only shown: the columns for it under their tables' names, and never a secret."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

import orjson
from sqlmodel import col

from graphql_api.domain.access_requests import AccessRequestStatus
from graphql_api.domain.events import EventKind
from graphql_api.domain.holders import Role
from graphql_api.domain.platforms import Platform
from graphql_api.domain.proofs import AccessTokenProblem
from graphql_api.domain.transfers import TransferRequestStatus

RowT = TypeVar("RowT", bound=NamedTuple)


class UserRow(NamedTuple):
    """A user, with what is the viewer's own business."""

    id: UUID
    name: str
    email: str
    email_verified_at: datetime | None
    held_count: int


class ApiTokenRow(NamedTuple):
    """An API token, without its secret."""

    id: UUID
    label: str
    scopes: str
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None


class WorkspaceRow(NamedTuple):
    """A Workspace."""

    id: UUID
    name: str
    held_count: int
    created_at: datetime


class MembershipRow(NamedTuple):
    """A user in a Workspace."""

    id: UUID
    workspace_id: UUID
    user_id: UUID
    role: Role
    created_at: datetime


class InvitationRow(NamedTuple):
    """An invitation, without its code."""

    id: UUID
    workspace_id: UUID
    email: str
    role: Role
    invited_by_id: UUID | None
    created_at: datetime
    expires_at: datetime
    accepted_at: datetime | None
    declined_at: datetime | None
    revoked_at: datetime | None


class TeamRow(NamedTuple):
    """A team."""

    id: UUID
    workspace_id: UUID
    name: str
    created_at: datetime


class SocialAccountRow(NamedTuple):
    """A held social account, with the columns and names of its table."""

    id: UUID
    platform: Platform
    external_id: str
    hold_id: UUID
    holder_user_id: UUID | None
    holder_workspace_id: UUID | None
    display_name: str
    nickname: str | None
    profile_picture_url: str | None
    facebook_page_id: str | None
    facebook_account_id: UUID | None
    connected_by_id: UUID | None
    proof_source: str | None
    checked_at: datetime | None
    health_since: datetime | None
    health_problem: AccessTokenProblem | None
    health_details: str | None
    breaks_at: datetime | None
    created_at: datetime
    updated_at: datetime


class FacebookAccountRow(NamedTuple):
    """A Facebook account, with the columns and names of its table, but without its access token."""

    id: UUID
    user_id: UUID
    facebook_user_id: str
    location: str | None
    proof_source: str | None
    checked_at: datetime | None
    health_since: datetime | None
    health_problem: AccessTokenProblem | None
    health_details: str | None
    breaks_at: datetime | None
    created_at: datetime
    updated_at: datetime


class AccessRequestRow(NamedTuple):
    """A request for access."""

    id: UUID
    workspace_id: UUID
    requester_id: UUID
    platform: Platform
    external_id: str
    display_name: str
    message: str | None
    status: AccessRequestStatus
    decided_by_id: UUID | None
    decided_at: datetime | None
    reason: str | None
    created_at: datetime


class TransferRequestRow(NamedTuple):
    """A request for a transfer, as it was written last."""

    id: UUID
    requester_id: UUID | None
    platform: Platform
    external_id: str
    hold_id: UUID
    display_name: str
    facebook_user_id: str
    proof_source: str
    status: TransferRequestStatus
    since: datetime
    decides_at: datetime | None
    consented: bool
    notice_at: datetime | None
    created_at: datetime


class EventRow(NamedTuple):
    """An event."""

    id: UUID
    seq: int
    kind: EventKind
    actor_id: UUID | None
    actor_name: str | None
    subject_id: UUID | None
    subject_name: str | None
    platform: Platform | None
    request_id: str
    details: Mapping[str, str] | str  # as text, where the driver leaves JSON so: `details_of` reads it
    created_at: datetime


def details_of(event: EventRow) -> Mapping[str, str]:
    """What is told of an event beside its subject."""
    details: Mapping[str, str] = (
        orjson.loads(event.details) if isinstance(event.details, str) else event.details
    )
    return details


def columns(table: type, row: type[NamedTuple]) -> list[Any]:
    """The columns of a table that make such a row, in their order."""
    return [col(getattr(table, name)) for name in row._fields]


def row_of(entity: Any, row: type[RowT]) -> RowT:
    """What is shown of an entity."""
    return row(*(getattr(entity, name) for name in row._fields))
