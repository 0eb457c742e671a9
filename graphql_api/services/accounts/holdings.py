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
    belongs to; `pending` the viewer's requests for access that nobody has answered; `transfers` their open
    requests for a transfer.
    """

    holdings: Mapping[SocialKey, Holding] = field(default_factory=dict)
    accounts: Mapping[SocialKey, SocialAccountRow] = field(default_factory=dict)
    workspaces: Mapping[UUID, tuple[WorkspaceRow, Role]] = field(default_factory=dict)
    pending: Mapping[tuple[UUID, SocialKey], Any] = field(default_factory=dict)
    transfers: Mapping[SocialKey, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Standing:
    """A place that social accounts are claimed for: how many it holds, or why the viewer may not connect.

    `reconnects_only`: the viewer may not connect, but may reconnect what they see there and control.
    """

    place: Holder
    used: int = 0
    problem: InvalidInput | None = None
    reconnects_only: bool = False


async def find(
    rows: ReadRows, call: Call, workspace_id: UUID | None, keys: Collection[SocialKey]
) -> tuple[Standing, Facts]:
    """How the viewer stands in the place that they claim for, and who holds what they claim now.

    One statement reads both. Without a Workspace the place is their own. Free accounts are absent.

    Raises:
        Unauthenticated: the API token was revoked or has expired since the request came in.
    """
    viewer, asked = call.viewer, set(keys)
    found = await rows(
        _FOUND,
        viewer_id=viewer.user_id,
        api_token_id=viewer.api_token_id,
        now=call.now,
        workspace_id=workspace_id,
        platforms={key.platform for key in asked},
        external_ids=[key.external_id for key in asked],
    )
    if not found:
        raise Unauthenticated
    standing = _standing(viewer.user_id, workspace_id, *found[0][0])
    holdings: dict[SocialKey, Holding] = {}
    accounts: dict[SocialKey, SocialAccountRow] = {}
    workspaces: dict[UUID, tuple[WorkspaceRow, Role]] = {}
    for _, account, workspace, role, sees, contact_email in found:
        key = SocialKey(account.platform, account.external_id)
        holder = holder_of(account.holder_user_id, account.holder_workspace_id)
        if holder is None or key not in asked:
            continue
        holdings[key] = Holding(holder, role, viewer_sees=bool(sees), contact_email=contact_email)
        if sees:
            accounts[key] = account
        if role is not None:
            workspaces[workspace.id] = (workspace, role)
    return standing, Facts(holdings, accounts, workspaces)


def _standing(
    viewer_id: UUID, workspace_id: UUID | None, used: int, workspace_used: int, role: Role | None
) -> Standing:
    if workspace_id is None:
        return Standing(Personal(viewer_id), used)
    place, path = holders.Workspace(workspace_id), ("input", "workspaceId")
    if role is None:
        problem = InvalidInput(path, InvalidInputCode.NOT_FOUND, "There is no such Workspace")
        return Standing(place, problem=problem)
    if not may(role, Action.CONNECT):
        message = "Only an admin of the Workspace connects into it"
        problem = InvalidInput(path, InvalidInputCode.NOT_ALLOWED, message)
        return Standing(place, problem=problem, reconnects_only=may(role, Action.RECONNECT))
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


def _found(*row: Any) -> tuple[Any, SocialAccountRow, WorkspaceRow, Role | None, bool, str | None]:
    account, workspace = row[3 : 3 + _ACCOUNT], row[3 + _ACCOUNT : -3]
    return row[:3], SocialAccountRow(*account), WorkspaceRow(*workspace), *row[-3:]


_ACCOUNT = len(SocialAccountRow._fields)
_VIEWER, _PLACE, _IN_PLACE = sa.orm.aliased(User), sa.orm.aliased(Workspace), sa.orm.aliased(Membership)
_FOUND = Prepared(
    sa.select(
        col(_VIEWER.held_count),
        col(_PLACE.held_count),
        col(_IN_PLACE.role),
        *columns(SocialAccount, SocialAccountRow),
        *columns(Workspace, WorkspaceRow),
        col(Membership.role),
        access.sees_social_account(access.SOMEBODY),
        _contact_email(),
    )
    .select_from(_VIEWER)
    .join(ApiToken, col(ApiToken.user_id) == col(_VIEWER.id))
    .outerjoin(
        _IN_PLACE,
        sa.and_(
            col(_IN_PLACE.user_id) == col(_VIEWER.id),
            col(_IN_PLACE.workspace_id) == access.SOME_WORKSPACE.workspace_id,
        ),
    )
    .outerjoin(_PLACE, col(_PLACE.id) == col(_IN_PLACE.workspace_id))
    .outerjoin(
        SocialAccount,
        sa.and_(
            one_of(col(SocialAccount.platform), "platforms"),
            one_of(col(SocialAccount.external_id), "external_ids"),
            col(SocialAccount.hold_id).is_not(None),
        ),
    )
    .outerjoin(
        Membership,
        sa.and_(
            col(Membership.workspace_id) == col(SocialAccount.holder_workspace_id),
            col(Membership.user_id) == access.SOMEBODY.user_id,
        ),
    )
    .outerjoin(Workspace, col(Workspace.id) == col(Membership.workspace_id))
    .where(
        col(_VIEWER.id) == access.SOMEBODY.user_id,
        col(ApiToken.id) == sa.bindparam("api_token_id", type_=sa.Uuid()),
        col(ApiToken.revoked_at).is_(None),
        col(ApiToken.expires_at) > sa.bindparam("now", type_=UtcDateTime()),
    ),
    _found,
)
