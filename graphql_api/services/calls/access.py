"""The one door to rows: what a viewer may see, and the locks under which that is decided again.

"Not yours" and "not there" look the same here: the same statements, the same empty answer. Who writes
locks first, always in this order: users by id, workspaces by id, memberships, social accounts by key.
"""

from collections.abc import Collection
from typing import Any, cast
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from graphql_api.domain import holders
from graphql_api.domain.faults import Unauthenticated
from graphql_api.domain.holders import Holder, Personal, Role
from graphql_api.domain.permissions import ROLES, Action
from graphql_api.domain.viewers import Viewer
from graphql_api.services.calls.call import Call
from graphql_api.services.calls.live import Standing
from graphql_api.storage.database import rows_within
from graphql_api.storage.prepared import Prepared, one_of
from graphql_api.storage.rows import (
    AccessRequestRow,
    FacebookAccountRow,
    SocialAccountRow,
    TeamRow,
    UserRow,
    WorkspaceRow,
    columns,
)
from graphql_api.storage.tables import (
    AccessRequest,
    ApiToken,
    Event,
    FacebookAccount,
    Invitation,
    Membership,
    PastShare,
    Share,
    SocialAccount,
    Team,
    TeamMember,
    TransferRequest,
    User,
    Workspace,
)

_VIEWER_ID = sa.bindparam("viewer_id", type_=sa.Uuid())
# Whoever it will be, in statements that are prepared before anybody asks: their ids are parameters.
SOMEBODY = Viewer(cast("UUID", _VIEWER_ID), cast("UUID", None), frozenset())
SOME_WORKSPACE = holders.Workspace(cast("UUID", sa.bindparam("workspace_id", type_=sa.Uuid())))
_MINE = sa.select(col(Membership.workspace_id)).where(col(Membership.user_id) == _VIEWER_ID)
_USERS = Prepared(
    sa.select(*columns(User, UserRow)).where(
        one_of(col(User.id), "ids"),
        sa.or_(
            col(User.id) == _VIEWER_ID,
            col(User.id).in_(
                sa.select(col(Membership.user_id)).where(col(Membership.workspace_id).in_(_MINE))
            ),
        ),
    ),
    UserRow,
)


def with_role(*place: Any) -> tuple[WorkspaceRow, Role]:
    """A Workspace's columns, and the viewer's role there."""
    return WorkspaceRow(*place[:-1]), place[-1]


_PLACES = Prepared(
    sa.select(*columns(Workspace, WorkspaceRow), col(Membership.role))
    .join(Membership, col(Membership.workspace_id) == col(Workspace.id))
    .where(one_of(col(Workspace.id), "ids"), col(Membership.user_id) == _VIEWER_ID),
    with_role,
)
_TEAMS = Prepared(
    sa.select(*columns(Team, TeamRow)).where(one_of(col(Team.id), "ids"), col(Team.workspace_id).in_(_MINE)),
    TeamRow,
)
_LOGINS = Prepared(
    sa.select(*columns(FacebookAccount, FacebookAccountRow)).where(
        one_of(col(FacebookAccount.id), "ids"), col(FacebookAccount.user_id) == _VIEWER_ID
    ),
    FacebookAccountRow,
)
_STANDING_AT_HOME = Prepared[Standing](
    sa.select(col(User.event_seq)).where(
        col(User.id) == sa.bindparam("user_id", type_=sa.Uuid()), col(User.id) == _VIEWER_ID
    ),
    lambda seq: (seq, None),
)
_STANDING = Prepared[Standing](
    sa.select(col(Workspace.event_seq), col(Membership.role))
    .join(Membership, col(Membership.workspace_id) == col(Workspace.id))
    .where(col(Workspace.id) == SOME_WORKSPACE.workspace_id, col(Membership.user_id) == _VIEWER_ID),
    lambda seq, role: (seq, role),
)


async def lock_viewer(session: AsyncSession, call: Call) -> User:
    """Lock the viewer's own row, and make sure that their API token still holds.

    Raises:
        Unauthenticated: the API token was revoked or has expired since the request came in.
    """
    statement = (
        select(User)
        .join(ApiToken, col(ApiToken.user_id) == col(User.id))
        .where(
            User.id == call.viewer.user_id,
            ApiToken.id == call.viewer.api_token_id,
            col(ApiToken.revoked_at).is_(None),
            col(ApiToken.expires_at) > call.now,
        )
        # After the wait for a lock only what is locked is read anew, so the API token is locked as well.
        .with_for_update(key_share=True, of=[User, ApiToken])
        .execution_options(populate_existing=True)
    )
    user = (await session.scalars(statement)).one_or_none()
    if user is None:
        raise Unauthenticated
    return user


async def lock_users(session: AsyncSession, user_ids: Collection[UUID]) -> dict[UUID, User]:
    """Lock users in the one order that never deadlocks."""
    statement = (
        select(User)
        .where(col(User.id).in_(user_ids))
        .order_by(col(User.id))
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    return {user.id: user for user in (await session.scalars(statement)).all()}


async def lock_places(
    session: AsyncSession, call: Call, places: Collection[Holder | None]
) -> dict[UUID, Role]:
    """Lock the viewer and these places; the viewer's roles in the Workspaces among them.

    Raises:
        Unauthenticated: the API token was revoked or has expired since the request came in.
    """
    user_ids = {place.user_id for place in places if isinstance(place, Personal)}
    workspace_ids = {place.workspace_id for place in places if isinstance(place, holders.Workspace)}
    if call.caller is not None:
        await lock_users(session, {*user_ids, call.viewer.user_id})
        await lock_viewer(session, call)
    else:
        await lock_users(session, user_ids)
    locked = (
        select(Workspace)
        .where(col(Workspace.id).in_(workspace_ids))
        .order_by(col(Workspace.id))
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    found = [workspace.id for workspace in (await session.scalars(locked)).all()]
    if call.caller is None:
        return {}
    # A second statement, so that it sees what was committed while the first one waited for the locks.
    roles = select(Membership).where(
        Membership.user_id == call.viewer.user_id, col(Membership.workspace_id).in_(found)
    )
    return {one.workspace_id: one.role for one in (await session.scalars(roles)).all()}


async def lock_workspaces(
    session: AsyncSession, viewer: Viewer, workspace_ids: Collection[UUID]
) -> dict[UUID, tuple[Workspace, Role]]:
    """Lock those of the workspaces that the viewer belongs to, with their role there as it now is."""
    locked = (
        select(Workspace)
        .where(
            col(Workspace.id).in_(workspace_ids),
            col(Workspace.id).in_(
                select(Membership.workspace_id).where(Membership.user_id == viewer.user_id)
            ),
        )
        .order_by(col(Workspace.id))
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    found = {workspace.id: workspace for workspace in (await session.scalars(locked)).all()}
    # A second statement, so that it sees what was committed while the first one waited for the locks.
    roles = select(Membership).where(
        Membership.user_id == viewer.user_id, col(Membership.workspace_id).in_(found)
    )
    return {
        membership.workspace_id: (found[membership.workspace_id], membership.role)
        for membership in (await session.scalars(roles)).all()
    }


async def lock_workspace(
    session: AsyncSession, call: Call, workspace_id: UUID
) -> tuple[Workspace, Role] | tuple[None, None]:
    """Lock one Workspace that the viewer belongs to, with their role there as it now is."""
    found = await lock_workspaces(session, call.viewer, [workspace_id])
    return found.get(workspace_id, (None, None))


async def lock_teams(
    session: AsyncSession, viewer: Viewer, team_ids: Collection[UUID]
) -> dict[UUID, tuple[Team, Role]]:
    """Lock the workspaces of those of the teams that the viewer may see; the teams as they now are."""
    places = {team.workspace_id for team in (await teams(session, viewer, team_ids)).values()}
    found = await lock_workspaces(session, viewer, places)
    again = (
        select(Team)
        .where(col(Team.id).in_(team_ids), col(Team.workspace_id).in_(found))
        .execution_options(populate_existing=True)
    )
    return {team.id: (team, found[team.workspace_id][1]) for team in (await session.scalars(again)).all()}


async def places(call: Call, workspace_ids: Collection[UUID]) -> dict[UUID, tuple[WorkspaceRow, Role]]:
    """Those of the workspaces that the viewer belongs to, to be shown, with their role there."""
    found = await call.rows(_PLACES, ids=workspace_ids, viewer_id=call.viewer.user_id)
    return {workspace.id: (workspace, role) for workspace, role in found}


async def social_accounts(
    session: AsyncSession, viewer: Viewer, hold_ids: Collection[UUID]
) -> dict[UUID, SocialAccount]:
    """Those of the held social accounts that the viewer may see."""
    statement = select(SocialAccount).where(
        col(SocialAccount.hold_id).in_(hold_ids), sees_social_account(viewer)
    )
    return {
        account.hold_id: account for account in (await session.scalars(statement)).all() if account.hold_id
    }


async def held_accounts(call: Call, hold_ids: Collection[UUID]) -> dict[UUID, SocialAccountRow]:
    """Those of the held social accounts that the viewer may see, to be shown."""
    found = await call.rows(_HELD, ids=hold_ids, viewer_id=call.viewer.user_id)
    return {account.hold_id: account for account in found}


async def facebook_accounts(
    session: AsyncSession, viewer: Viewer, ids: Collection[UUID]
) -> dict[UUID, FacebookAccount]:
    """Those of the Facebook accounts that are the viewer's own."""
    statement = select(FacebookAccount).where(
        col(FacebookAccount.id).in_(ids), FacebookAccount.user_id == viewer.user_id
    )
    return {account.id: account for account in (await session.scalars(statement)).all()}


async def users(call: Call, user_ids: Collection[UUID]) -> dict[UUID, UserRow]:
    """Those of the users whom the viewer may see: themself, and who shares a workspace with them."""
    found = await call.rows(_USERS, ids=user_ids, viewer_id=call.viewer.user_id)
    return {user.id: user for user in found}


async def shown_teams(call: Call, team_ids: Collection[UUID]) -> dict[UUID, TeamRow]:
    """Those of the teams that are in a Workspace that the viewer belongs to, to be shown."""
    found = await call.rows(_TEAMS, ids=team_ids, viewer_id=call.viewer.user_id)
    return {team.id: team for team in found}


async def logins(call: Call, ids: Collection[UUID]) -> dict[UUID, FacebookAccountRow]:
    """Those of the Facebook accounts that are the viewer's own, to be shown."""
    found = await call.rows(_LOGINS, ids=ids, viewer_id=call.viewer.user_id)
    return {account.id: account for account in found}


def sees_invitations(viewer: Viewer) -> sa.ColumnElement[bool]:
    """May the viewer see this invitation? Members who may invite people see all of the Workspace's."""
    there = sa.select(col(Membership.workspace_id)).where(
        col(Membership.user_id) == viewer.user_id, _allows(Action.INVITE)
    )
    return col(Invitation.workspace_id).in_(there)


def sees_social_account(viewer: Viewer) -> sa.ColumnElement[bool]:
    """Does the viewer see this social account?

    Their own Personal's: yes. A Workspace's: its admins see all of them, its creators those that are
    shared with a team they are in.
    """
    as_admin = sa.select(col(Membership.workspace_id)).where(
        col(Membership.user_id) == viewer.user_id, _allows(Action.SEE_EVERY_ACCOUNT)
    )
    return sa.or_(
        col(SocialAccount.holder_user_id) == viewer.user_id,
        col(SocialAccount.holder_workspace_id).in_(as_admin),
        col(SocialAccount.id).in_(_shared_with(viewer)),
    )


def _allows(action: Action) -> sa.ColumnElement[bool]:
    """Does the role of a membership allow this? One by one: a prepared statement takes no `IN` of values."""
    return sa.or_(sa.false(), *(col(Membership.role) == role for role in sorted(ROLES[action])))


def _shared_with(viewer: Viewer) -> sa.Select[UUID]:
    return (
        sa.select(col(Share.social_account_id))
        .join(TeamMember, col(TeamMember.team_id) == col(Share.team_id))
        .where(col(TeamMember.user_id) == viewer.user_id)
    )


def may_there(viewer: Viewer, holder: holders.Workspace, action: Action) -> sa.ColumnElement[bool]:
    """May the viewer do this in the Workspace? Asked once a statement, not for each row."""
    return sa.exists().where(
        col(Membership.workspace_id) == holder.workspace_id,
        col(Membership.user_id) == viewer.user_id,
        _allows(action),
    )


def shared_in_teams(*, sees_all: bool, of_team: bool) -> sa.Select[UUID]:
    """The rows of the social accounts of `SOME_WORKSPACE` that `SOMEBODY` may list because of their teams.

    Those of one team, the parameter `team_id`, or of every team that they are in. If they see every account
    there, the team may be any of the Workspace's; else they are in it.
    """
    shared = sa.select(col(Share.social_account_id))
    if sees_all:
        shared = shared.join(Team, col(Team.id) == col(Share.team_id)).where(
            col(Team.workspace_id) == SOME_WORKSPACE.workspace_id,
            may_there(SOMEBODY, SOME_WORKSPACE, Action.SEE_EVERY_ACCOUNT),
        )
    else:
        shared = shared.join(TeamMember, col(TeamMember.team_id) == col(Share.team_id)).where(
            col(TeamMember.workspace_id) == SOME_WORKSPACE.workspace_id,
            col(TeamMember.user_id) == SOMEBODY.user_id,
        )
    return shared.where(col(Share.team_id) == sa.bindparam("team_id", type_=sa.Uuid())) if of_team else shared


def sees_event(viewer: Viewer, holder: Holder) -> sa.ColumnElement[bool]:
    """Does the viewer see this event in the history of the place?

    Their own Personal's: yes. A Workspace's: its admins see all of them; its creators what they did, what
    was done to them and to what they asked for, and the history of every social account that is shared
    with a team they are in, or was: then up to the event that ended it.
    """
    me = viewer.user_id
    if isinstance(holder, Personal):
        return col(Event.user_id) == viewer.user_id
    member = sa.exists().where(
        col(Membership.workspace_id) == holder.workspace_id, col(Membership.user_id) == me
    )
    my_teams = sa.select(col(TeamMember.team_id)).where(
        col(TeamMember.workspace_id) == holder.workspace_id, col(TeamMember.user_id) == me
    )
    subject = col(Event.subject_id)
    shared = sa.exists().where(
        col(SocialAccount.hold_id) == subject,
        col(Share.social_account_id) == col(SocialAccount.id),
        col(Share.team_id).in_(my_teams),
    )
    was_shared = sa.exists().where(
        col(PastShare.hold_id) == subject,
        col(PastShare.until_seq) >= col(Event.seq),
        col(PastShare.team_id).in_(my_teams),
    )
    asked = sa.exists().where(col(AccessRequest.id) == subject, col(AccessRequest.requester_id) == me)
    # The first of these is the same for all rows, and spares an admin the others.
    return sa.or_(
        may_there(viewer, holder, Action.SEE_EVERY_EVENT),
        sa.and_(member, sa.or_(col(Event.actor_id) == me, subject == me, shared, was_shared, asked)),
    )


async def standing(call: Call, holder: Holder) -> Standing | None:
    """The number of the latest event of a place, and the viewer's role there; None if it is not theirs.

    Over their own Personal they have no role.
    """
    viewer_id = call.viewer.user_id
    if isinstance(holder, Personal):
        found = await call.rows(_STANDING_AT_HOME, user_id=holder.user_id, viewer_id=viewer_id)
    else:
        found = await call.rows(_STANDING, workspace_id=holder.workspace_id, viewer_id=viewer_id)
    return found[0] if found else None


async def teams(session: AsyncSession, viewer: Viewer, team_ids: Collection[UUID]) -> dict[UUID, Team]:
    """Those of the teams that are in a Workspace that the viewer belongs to."""
    statement = select(Team).where(col(Team.id).in_(team_ids), sees_team(viewer))
    return {team.id: team for team in (await session.scalars(statement)).all()}


def sees_team(viewer: Viewer) -> sa.ColumnElement[bool]:
    """Does the viewer see this team: are they in its Workspace, whether or not in the team?"""
    mine = select(Membership.workspace_id).where(Membership.user_id == viewer.user_id)
    return col(Team.workspace_id).in_(mine)


async def access_requests(call: Call, ids: Collection[UUID]) -> dict[UUID, AccessRequestRow]:
    """Those of the requests for access that the viewer may see."""
    found = await call.rows(_ACCESS_REQUESTS, ids=ids, viewer_id=call.viewer.user_id)
    return {request.id: request for request in found}


async def lock_access_request(
    session: AsyncSession, call: Call, request_id: UUID
) -> tuple[AccessRequestRow, Role | None] | tuple[None, None]:
    """Lock the viewer, the requester and the Workspace; the request then, and the viewer's role there.

    Whatever ends a request holds the Workspace's lock, so a request ends once.
    """

    async def read() -> AccessRequestRow | None:
        found = await rows_within(session, _ACCESS_REQUESTS, ids=[request_id], viewer_id=call.viewer.user_id)
        return found[0] if found else None

    known = await read()
    await lock_users(session, {call.viewer.user_id, *([known.requester_id] if known else ())})
    await lock_viewer(session, call)
    found = await lock_workspaces(session, call.viewer, [known.workspace_id] if known else [])
    request = await read()
    if request is None:
        return None, None
    _, role = found.get(request.workspace_id, (None, None))
    return request, role


def sees_access_request(viewer: Viewer) -> sa.ColumnElement[bool]:
    """Does the viewer see this request for access? The requester does, and the admins of the Workspace."""
    as_admin = sa.select(col(Membership.workspace_id)).where(
        col(Membership.user_id) == viewer.user_id, _allows(Action.ANSWER_REQUESTS)
    )
    return sa.or_(
        col(AccessRequest.requester_id) == viewer.user_id,
        col(AccessRequest.workspace_id).in_(as_admin),
    )


def sees_transfer_request(viewer: Viewer) -> sa.ColumnElement[bool]:
    """Does the viewer see this request for a transfer? Who asked does, and who decides for its holder."""
    return sa.or_(col(TransferRequest.requester_id) == viewer.user_id, decides_transfer(viewer))


def decides_transfer(viewer: Viewer) -> sa.ColumnElement[bool]:
    """Does the viewer decide about this request, for the place that holds the account?"""
    as_admin = sa.select(col(Membership.workspace_id)).where(
        col(Membership.user_id) == viewer.user_id, _allows(Action.DECIDE_TRANSFERS)
    )
    account = sa.orm.aliased(SocialAccount)  # by another name, because lists join it as well
    return sa.exists().where(
        col(account.hold_id) == col(TransferRequest.hold_id),
        sa.or_(
            col(account.holder_user_id) == viewer.user_id,
            col(account.holder_workspace_id).in_(as_admin),
        ),
    )


def asker_may_move() -> sa.ColumnElement[bool]:
    """May the asker of this transfer move the account by now? It is joined as `SocialAccount`."""
    as_admin = sa.exists().where(
        col(Membership.workspace_id) == col(SocialAccount.holder_workspace_id),
        col(Membership.user_id) == col(TransferRequest.requester_id),
        _allows(Action.MOVE),
    )
    return sa.or_(
        as_admin,
        sa.func.coalesce(col(SocialAccount.holder_user_id) == col(TransferRequest.requester_id), sa.false()),
    )


def requester_sees_account() -> sa.ColumnElement[bool]:
    """Does the requester of this request for access see the social account by now?

    As an admin of the Workspace, or because they are in a team that it is shared with.
    """
    asked = AccessRequest
    as_admin = sa.exists().where(
        col(Membership.workspace_id) == col(asked.workspace_id),
        col(Membership.user_id) == col(asked.requester_id),
        _allows(Action.SEE_EVERY_ACCOUNT),
    )
    shared = sa.exists().where(
        col(SocialAccount.platform) == col(asked.platform),
        col(SocialAccount.external_id) == col(asked.external_id),
        col(SocialAccount.holder_workspace_id) == col(asked.workspace_id),
        col(Share.social_account_id) == col(SocialAccount.id),
        col(TeamMember.team_id) == col(Share.team_id),
        col(TeamMember.user_id) == col(asked.requester_id),
    )
    return sa.or_(as_admin, shared)


_HELD = Prepared(
    sa.select(*columns(SocialAccount, SocialAccountRow)).where(
        one_of(col(SocialAccount.hold_id), "ids"), sees_social_account(SOMEBODY)
    ),
    SocialAccountRow,
)
_ACCESS_REQUESTS = Prepared(
    sa.select(*columns(AccessRequest, AccessRequestRow)).where(
        one_of(col(AccessRequest.id), "ids"), sees_access_request(SOMEBODY)
    ),
    AccessRequestRow,
)
