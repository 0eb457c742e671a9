"""The facts that the conflict rules ask for: who holds these social accounts, as the viewer may know it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col

from graphql_api.domain import holders
from graphql_api.domain.conflicts import Holding
from graphql_api.domain.faults import Unauthenticated
from graphql_api.domain.holders import Holder, Personal, Role, holder_of
from graphql_api.domain.inputs import InvalidInput, InvalidInputCode
from graphql_api.domain.permissions import Action, may
from graphql_api.domain.platforms import SocialKey
from graphql_api.services.calls import access
from graphql_api.services.calls.call import Call
from graphql_api.services.calls.retries import ReadRows
from graphql_api.storage.columns import UtcDateTime
from graphql_api.storage.prepared import Prepared, one_of
from graphql_api.storage.rows import SocialAccountRow, WorkspaceRow, columns
from graphql_api.storage.tables import ApiToken, Membership, SocialAccount, User, Workspace


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of social accounts: who holds them, and what an answer may show beside that.

    `accounts` are those that the viewer sees; `workspaces` those that hold one of them and that the viewer
    belongs to; `pending` the viewer's requests for access that nobody has answered.
    """

    holdings: Mapping[SocialKey, Holding] = field(default_factory=dict)
    accounts: Mapping[SocialKey, SocialAccountRow] = field(default_factory=dict)
    workspaces: Mapping[UUID, tuple[WorkspaceRow, Role]] = field(default_factory=dict)
    pending: Mapping[tuple[UUID, SocialKey], Any] = field(default_factory=dict)


async def find(rows: ReadRows, call: Call, keys: Collection[SocialKey]) -> Facts:
    """The present holdings, in one statement whoever holds; free accounts are absent."""
    holdings: dict[SocialKey, Holding] = {}
    accounts: dict[SocialKey, SocialAccountRow] = {}
    workspaces: dict[UUID, tuple[WorkspaceRow, Role]] = {}
    asked = set(keys)
    found = await rows(
        _HELD,
        platforms={key.platform for key in asked},
        external_ids=[key.external_id for key in asked],
        viewer_id=call.viewer.user_id,
    )
    for account, workspace, role, sees, contact_email in found:
        key = SocialKey(account.platform, account.external_id)
        holder = holder_of(account.holder_user_id, account.holder_workspace_id)
        if holder is None or key not in asked:
            continue
        holdings[key] = Holding(holder, role, viewer_sees=bool(sees), contact_email=contact_email)
        if sees:
            accounts[key] = account
        if role is not None:
            workspaces[workspace.id] = (workspace, role)
    return Facts(holdings, accounts, workspaces)


@dataclass(frozen=True, slots=True)
class Standing:
    """A place that social accounts are claimed for: how many it holds, or why the viewer may not connect."""

    place: Holder
    used: int = 0
    problem: InvalidInput | None = None


async def find_standing(rows: ReadRows, call: Call, workspace_id: UUID | None) -> Standing:
    """How does the viewer stand in the place that they claim accounts for? Without a Workspace, their own.

    Raises:
        Unauthenticated: the API token was revoked or has expired since the request came in.
    """
    viewer = call.viewer
    found = await rows(
        _STANDING,
        viewer_id=viewer.user_id,
        api_token_id=viewer.api_token_id,
        now=call.now,
        workspace_id=workspace_id,
    )
    if not found:
        raise Unauthenticated
    used, workspace_used, role = found[0]
    if workspace_id is None:
        return Standing(Personal(viewer.user_id), used)
    place, path = holders.Workspace(workspace_id), ("input", "workspaceId")
    if role is None:
        problem = InvalidInput(path, InvalidInputCode.NOT_FOUND, "There is no such Workspace")
        return Standing(place, problem=problem)
    if not may(role, Action.CONNECT):
        message = "Only an admin of the Workspace connects into it"
        return Standing(place, problem=InvalidInput(path, InvalidInputCode.NOT_ALLOWED, message))
    return Standing(place, workspace_used)


def _contact_email() -> sa.ColumnElement[Any]:
    """Whom a creator may ask: the admin who connected it, if still one there; else the longest-serving."""
    admin = sa.orm.aliased(Membership)
    admins = (
        sa.select(col(User.email))
        .join(admin, col(admin.user_id) == col(User.id))
        .where(
            col(admin.workspace_id) == col(SocialAccount.holder_workspace_id),
            col(admin.role) == Role.ADMIN,
        )
        .correlate(SocialAccount)
    )
    connected_it = admins.where(col(admin.user_id) == col(SocialAccount.connected_by_id))
    longest = admins.order_by(col(admin.created_at), col(admin.user_id)).limit(1)
    email = sa.func.coalesce(connected_it.scalar_subquery(), longest.scalar_subquery())
    return sa.case((col(Membership.role) == Role.CREATOR, email))


def _held(*row: Any) -> tuple[SocialAccountRow, WorkspaceRow, Role | None, bool, str | None]:
    account, workspace = row[:_ACCOUNT], row[_ACCOUNT:-3]
    return SocialAccountRow(*account), WorkspaceRow(*workspace), *row[-3:]


_ACCOUNT = len(SocialAccountRow._fields)
_IS_VIEWERS = col(Membership.user_id) == access.SOMEBODY.user_id
_HELD = Prepared(
    sa.select(
        *columns(SocialAccount, SocialAccountRow),
        *columns(Workspace, WorkspaceRow),
        col(Membership.role),
        access.sees_social_account(access.SOMEBODY),
        _contact_email(),
    )
    .outerjoin(
        Membership,
        sa.and_(col(Membership.workspace_id) == col(SocialAccount.holder_workspace_id), _IS_VIEWERS),
    )
    .outerjoin(Workspace, col(Workspace.id) == col(Membership.workspace_id))
    .where(
        one_of(col(SocialAccount.platform), "platforms"),
        one_of(col(SocialAccount.external_id), "external_ids"),
        col(SocialAccount.hold_id).is_not(None),
    ),
    _held,
)
_STANDING = Prepared[Any](
    sa.select(col(User.held_count), col(Workspace.held_count), col(Membership.role))
    .join(ApiToken, col(ApiToken.user_id) == col(User.id))
    .outerjoin(
        Membership,
        sa.and_(
            col(Membership.user_id) == col(User.id),
            col(Membership.workspace_id) == access.SOME_WORKSPACE.workspace_id,
        ),
    )
    .outerjoin(Workspace, col(Workspace.id) == col(Membership.workspace_id))
    .where(
        col(User.id) == access.SOMEBODY.user_id,
        col(ApiToken.id) == sa.bindparam("api_token_id", type_=sa.Uuid()),
        col(ApiToken.revoked_at).is_(None),
        col(ApiToken.expires_at) > sa.bindparam("now", type_=UtcDateTime()),
    )
)
