"""The members of a Workspace: who they are, their roles, and how they go. It always keeps an admin."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from graphql_api.domain import holders, inputs
from graphql_api.domain.events import EventKind, NewEvent
from graphql_api.domain.holders import Personal, Role
from graphql_api.domain.inputs import InvalidInput, InvalidInputCode, Problems
from graphql_api.domain.memberships import admins_after, keeps_an_admin
from graphql_api.domain.permissions import Action, may
from graphql_api.domain.refusals import Refused
from graphql_api.services.accounts import access_requests
from graphql_api.services.calls import access, searching
from graphql_api.services.calls.call import Call
from graphql_api.services.calls.pages import Page, PageRequest, PreparedList
from graphql_api.services.history import recording
from graphql_api.storage.prepared import Prepared, one_of
from graphql_api.storage.rows import MembershipRow, TeamRow, UserRow, WorkspaceRow, columns, row_of
from graphql_api.storage.tables import Membership, Team, TeamMember, User, Workspace

Member = tuple[UserRow, MembershipRow]

_AT_WORKSPACE = ("input", "workspaceId")
_AT_USER = ("input", "userId")
_MEMBERS = ("input", "members")


@dataclass(frozen=True, slots=True)
class Managed:
    """Members whom a call was about, in its order, with their Workspace and the viewer's role there."""

    workspace: WorkspaceRow
    viewer_role: Role | None
    members: Sequence[Member]


@dataclass(frozen=True, slots=True)
class _Locked:
    """A Workspace, the viewer's role there, and those of some users who are its members."""

    workspace: Workspace
    role: Role
    members: Mapping[UUID, tuple[User, Membership]]

    def rows(self, user_ids: Collection[UUID], viewer_role: Role | None) -> Managed:
        """These members as they are now."""
        members = [self.members[user_id] for user_id in user_ids]
        return Managed(
            row_of(self.workspace, WorkspaceRow),
            viewer_role,
            [(row_of(user, UserRow), row_of(membership, MembershipRow)) for user, membership in members],
        )


async def change_roles(
    call: Call, *, workspace_id: UUID, roles: Sequence[tuple[UUID, Role]]
) -> Managed | Refused[InvalidInput]:
    """Give members other roles, all or none; a role that somebody has already is no error."""

    async def work(session: AsyncSession) -> Managed | Refused[InvalidInput]:
        problems = Problems()
        inputs.check_item_count(problems, _MEMBERS, roles, least=1)
        found = await _lock(
            session, call, workspace_id, [] if problems else [user_id for user_id, _ in roles]
        )
        if isinstance(found, Refused) or problems:
            return Refused([*(found.problems if isinstance(found, Refused) else ()), *problems.found])
        chosen = _choose(problems, roles, found)
        changed = {
            user_id: role for user_id, role in chosen.items() if found.members[user_id][1].role is not role
        }
        if not problems and not admins_after(await _admins(session, workspace_id), changed):
            for index, (user_id, _) in enumerate(roles):
                if user_id in changed:
                    problems.found.append(_last_admin((*_MEMBERS, str(index), "userId")))
        if problems:
            return Refused(problems.found)
        place = holders.Workspace(workspace_id)
        events = []
        for user_id, role in changed.items():
            user, membership = found.members[user_id]
            membership.role = role
            event = NewEvent(
                place, EventKind.MEMBER_ROLE_CHANGED, user_id, {"role": role}, subject_name=user.name
            )
            events.append(event)
        await session.flush()
        promoted = [user_id for user_id, role in changed.items() if role is Role.ADMIN]
        if promoted:
            events += await access_requests.close_satisfied(
                session, call, workspace_id=workspace_id, user_ids=promoted
            )
        await recording.record(session, call, events)
        return found.rows(chosen, changed.get(call.viewer.user_id, found.role))

    return await call.transact(work)


def _choose(problems: Problems, roles: Sequence[tuple[UUID, Role]], found: _Locked) -> dict[UUID, Role]:
    """The role that each member is to have; an id that is repeated or no member's is a problem."""
    chosen: dict[UUID, Role] = {}
    for index, (user_id, role) in enumerate(roles):
        path = (*_MEMBERS, str(index), "userId")
        if user_id not in found.members:
            problems.found.append(no_such_member(path))
        elif user_id in chosen:
            problems.add(path, InvalidInputCode.DUPLICATE, "This member is in the list already")
        else:
            chosen[user_id] = role
    return chosen


async def remove(call: Call, *, workspace_id: UUID, user_id: UUID) -> Managed | Refused[InvalidInput]:
    """End somebody's membership: they leave their teams, and their pending requests are withdrawn."""

    async def work(session: AsyncSession) -> Managed | Refused[InvalidInput]:
        found = await _lock(session, call, workspace_id, [user_id])
        if isinstance(found, Refused):
            return found
        if user_id not in found.members:
            return Refused([no_such_member(_AT_USER)])
        user, membership = found.members[user_id]
        if not await _can_spare(session, membership):
            return Refused([_last_admin(_AT_USER)])
        removed = found.rows([user_id], None if user_id == call.viewer.user_id else found.role)
        await _end(session, call, found.workspace, user, EventKind.MEMBER_REMOVED)
        return removed

    return await call.transact(work)


async def leave(call: Call, *, workspace_id: UUID) -> WorkspaceRow | Refused[InvalidInput]:
    """End the viewer's own membership."""

    async def work(session: AsyncSession) -> WorkspaceRow | Refused[InvalidInput]:
        viewer = await access.lock_viewer(session, call)
        workspace, role = await access.lock_workspace(session, call, workspace_id)
        if workspace is None or not may(role, Action.LEAVE):
            return Refused([no_such_workspace()])
        membership = await session.get_one(Membership, (workspace_id, viewer.id), populate_existing=True)
        if not await _can_spare(session, membership):
            return Refused([_last_admin(_AT_WORKSPACE)])
        await _end(session, call, workspace, viewer, EventKind.MEMBER_LEFT)
        return row_of(workspace, WorkspaceRow)

    return await call.transact(work)


async def page(
    call: Call,
    request: PageRequest,
    workspace_id: UUID,
    *,
    roles: Collection[Role] | None,
    search: str | None,
    team_id: UUID | None,
) -> Page[Member]:
    """The members of a Workspace that the viewer belongs to, the longest-serving first.

    `search` is a part of the name or of the e-mail address, compared without case.

    Raises:
        BadUserInput: the page's arguments, its cursors or the search cannot be used.
    """
    pattern = searching.pattern(search)
    return await _list(searched=pattern is not None, of_team=team_id is not None).page(
        call,
        request,
        viewer_id=call.viewer.user_id,
        workspace_id=workspace_id,
        roles=list(Role) if roles is None else roles,
        pattern=pattern,
        team_id=team_id,
    )


@lru_cache
def _list(*, searched: bool, of_team: bool) -> PreparedList[Member]:
    mine = sa.select(col(Membership.workspace_id)).where(col(Membership.user_id) == access.SOMEBODY.user_id)
    statement = (
        sa.select(*columns(User, UserRow), *columns(Membership, MembershipRow))
        .join(Membership, col(Membership.user_id) == col(User.id))
        .where(col(Membership.workspace_id).in_(mine), one_of(col(Membership.role), "roles"))
    )
    if searched:
        statement = statement.where(searching.matches(sa.func.lower(col(User.name)), col(User.email_key)))
    if of_team:
        statement = statement.where(
            sa.exists().where(
                col(TeamMember.team_id) == sa.bindparam("team_id", type_=sa.Uuid()),
                col(TeamMember.workspace_id) == col(Membership.workspace_id),
                col(TeamMember.user_id) == col(Membership.user_id),
            )
        )
    return PreparedList(
        statement,
        _member_of,
        within={"workspace_id": col(Membership.workspace_id)},
        order=[col(Membership.created_at), col(Membership.user_id)],
    )


def _member_of(*member: Any) -> Member:
    ends = len(UserRow._fields)
    return UserRow(*member[:ends]), MembershipRow(*member[ends:])


async def teams(call: Call, member_ids: Collection[UUID]) -> dict[UUID, list[TeamRow]]:
    """The teams that members are in, by name, of Workspaces that the viewer belongs to."""
    found: dict[UUID, list[TeamRow]] = {member_id: [] for member_id in member_ids}
    for member_id, team in await call.rows(_TEAMS, ids=member_ids, viewer_id=call.viewer.user_id):
        found[member_id].append(team)
    return found


def _team_of(member_id: UUID, *team: Any) -> tuple[UUID, TeamRow]:
    return member_id, TeamRow(*team)


_TEAMS = Prepared(
    sa.select(col(Membership.id), *columns(Team, TeamRow))
    .join(Team, col(Team.workspace_id) == col(Membership.workspace_id))
    .join(
        TeamMember,
        sa.and_(col(TeamMember.team_id) == col(Team.id), col(TeamMember.user_id) == col(Membership.user_id)),
    )
    .where(one_of(col(Membership.id), "ids"), access.sees_team(access.SOMEBODY))
    .order_by(col(Team.name), col(Team.id)),
    _team_of,
)


async def _lock(
    session: AsyncSession, call: Call, workspace_id: UUID, user_ids: Collection[UUID]
) -> _Locked | Refused[InvalidInput]:
    """Lock the viewer, the users and the Workspace; the viewer must be allowed to manage its members."""
    users = await access.lock_users(session, {call.viewer.user_id, *user_ids})
    await access.lock_viewer(session, call)
    workspace, role = await access.lock_workspace(session, call, workspace_id)
    memberships = (
        select(Membership)
        .where(Membership.workspace_id == workspace_id, col(Membership.user_id).in_(user_ids))
        .execution_options(populate_existing=True)
    )
    found = (await session.scalars(memberships)).all()
    if workspace is None or role is None:
        return Refused([no_such_workspace()])
    if not may(role, Action.MANAGE_MEMBERS):
        return Refused([not_allowed("Only an admin of the Workspace manages its members")])
    return _Locked(workspace, role, {one.user_id: (users[one.user_id], one) for one in found})


async def _admins(session: AsyncSession, workspace_id: UUID) -> set[UUID]:
    """The admins of a Workspace whose row is locked."""
    statement = select(Membership.user_id).where(
        Membership.workspace_id == workspace_id, Membership.role == Role.ADMIN
    )
    return set((await session.scalars(statement)).all())


async def _can_spare(session: AsyncSession, membership: Membership) -> bool:
    """Does the Workspace, whose row is locked, keep an admin without this one?"""
    admins = await _admins(session, membership.workspace_id)
    return membership.role is not Role.ADMIN or keeps_an_admin(admins, without=membership.user_id)


async def _end(session: AsyncSession, call: Call, workspace: Workspace, user: User, kind: EventKind) -> None:
    """End a membership. The user can no longer see the Workspace's history, so it is in their own as well."""
    place = holders.Workspace(workspace.id)
    withdrawn = await access_requests.withdraw_all(
        session, call, workspace_id=workspace.id, requester_id=user.id
    )
    await session.execute(
        sa.delete(Membership).where(
            col(Membership.workspace_id) == workspace.id, col(Membership.user_id) == user.id
        )
    )
    events = [
        NewEvent(place, kind, user.id, subject_name=user.name),
        NewEvent(Personal(user.id), kind, user.id, {"workspace": workspace.name}, subject_name=user.name),
    ]
    await recording.record(session, call, [*withdrawn, *events])


def no_such_workspace() -> InvalidInput:
    """The Workspace does not exist, or the viewer is not in it: one answer."""
    return InvalidInput(_AT_WORKSPACE, InvalidInputCode.NOT_FOUND, "There is no such Workspace")


def not_allowed(message: str) -> InvalidInput:
    """The viewer is in the Workspace, in a role that may not do this."""
    return InvalidInput(_AT_WORKSPACE, InvalidInputCode.NOT_ALLOWED, message)


def no_such_member(path: tuple[str, ...]) -> InvalidInput:
    """The user is not in the Workspace, or does not exist: one answer."""
    return InvalidInput(path, InvalidInputCode.NOT_FOUND, "The Workspace has no such member")


def _last_admin(path: tuple[str, ...]) -> InvalidInput:
    return InvalidInput(
        path,
        InvalidInputCode.NOT_ALLOWED,
        "A Workspace keeps at least one admin: make somebody else an admin first, or delete it",
    )
