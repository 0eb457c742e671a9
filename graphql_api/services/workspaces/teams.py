"""Teams of a Workspace: creating, renaming and deleting them, and who is in them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from graphql_api.domain import holders, inputs
from graphql_api.domain.events import EventKind, NewEvent
from graphql_api.domain.inputs import InvalidInput, InvalidInputCode, Problems
from graphql_api.domain.permissions import Action, may
from graphql_api.domain.platforms import Platform
from graphql_api.domain.refusals import Refused
from graphql_api.services.accounts import access_requests
from graphql_api.services.calls import access
from graphql_api.services.calls.call import Call
from graphql_api.services.calls.pages import Page, PageRequest, PreparedList
from graphql_api.services.history import recording
from graphql_api.services.workspaces.members import no_such_member, no_such_workspace, not_allowed
from graphql_api.storage.prepared import one_of
from graphql_api.storage.rows import SocialAccountRow, TeamRow, UserRow, columns, row_of
from graphql_api.storage.tables import Membership, Share, SocialAccount, Team, TeamMember, User

_AT_TEAM = ("input", "teamId")
_AT_NAME = ("input", "name")
_USER_IDS = ("input", "userIds")
_ADMINS_ONLY = "Only an admin of the Workspace manages its teams"


@dataclass(frozen=True, slots=True)
class TeamMembers:
    """A team, and the people whom a call was about, in its order."""

    team: TeamRow
    users: Sequence[UserRow]


async def create(call: Call, *, workspace_id: UUID, name: str) -> TeamRow | Refused[InvalidInput]:
    """Create a team without members. Its name must be unique in the Workspace."""
    problems = Problems()
    name = inputs.check_text(problems, _AT_NAME, name, longest=inputs.MAX_NAME)

    async def work(session: AsyncSession) -> TeamRow | Refused[InvalidInput]:
        await access.lock_viewer(session, call)
        workspace, role = await access.lock_workspace(session, call, workspace_id)
        if workspace is None:
            return Refused([no_such_workspace(), *problems.found])
        if not may(role, Action.MANAGE_TEAMS):
            return Refused([not_allowed(_ADMINS_ONLY), *problems.found])
        if problems:
            return Refused(problems.found)
        if await _is_taken(session, workspace_id, name):
            return Refused([_taken()])
        team = Team(workspace_id=workspace_id, name=name, created_at=call.now, updated_at=call.now)
        session.add(team)
        await session.flush()
        created = row_of(team, TeamRow)
        await recording.record(session, call, [_event(EventKind.TEAM_CREATED, created, {"name": name})])
        return created

    return await call.transact(work)


async def rename(call: Call, *, team_id: UUID, name: str) -> TeamRow | Refused[InvalidInput]:
    """Give a team another name; the name that it has already is no error."""
    problems = Problems()
    name = inputs.check_text(problems, _AT_NAME, name, longest=inputs.MAX_NAME)

    async def work(session: AsyncSession) -> TeamRow | Refused[InvalidInput]:
        team = await _lock(session, call, team_id)
        if isinstance(team, Refused):
            return Refused([*team.problems, *problems.found])
        if problems:
            return Refused(problems.found)
        if await _is_taken(session, team.workspace_id, name, but_by=team_id):
            return Refused([_taken()])
        if team.name != name:
            details = {"from": team.name, "to": name}
            team.name = name
            team.updated_at = call.now
            await session.flush()
            event = _event(EventKind.TEAM_RENAMED, row_of(team, TeamRow), details)
            await recording.record(session, call, [event])
        return row_of(team, TeamRow)

    return await call.transact(work)


async def delete(call: Call, team_id: UUID) -> TeamRow | Refused[InvalidInput]:
    """Delete a team; its members and its social accounts stay in the Workspace."""

    async def work(session: AsyncSession) -> TeamRow | Refused[InvalidInput]:
        team = await _lock(session, call, team_id)
        if isinstance(team, Refused):
            return team
        deleted = row_of(team, TeamRow)
        await session.execute(sa.delete(Team).where(col(Team.id) == team_id))
        event = _event(EventKind.TEAM_DELETED, deleted, {"name": deleted.name})
        await recording.record(session, call, [event])
        return deleted

    return await call.transact(work)


async def add_members(
    call: Call, *, team_id: UUID, user_ids: Sequence[UUID]
) -> TeamMembers | Refused[InvalidInput]:
    """Put members of the Workspace into its team, all or none; one who is in it already is no error.

    Their pending requests for accounts that they see now are closed.
    """

    async def work(session: AsyncSession) -> TeamMembers | Refused[InvalidInput]:
        chosen = await _choose(session, call, team_id, user_ids)
        if isinstance(chosen, Refused):
            return chosen
        team = chosen.team
        inside = set(await _inside(session, team_id, user_ids))
        added = [user_id for user_id in user_ids if user_id not in inside]
        if added:
            rows = [
                {
                    "team_id": team_id,
                    "user_id": user_id,
                    "workspace_id": team.workspace_id,
                    "created_at": call.now,
                }
                for user_id in added
            ]
            await session.execute(sa.insert(TeamMember), rows)
            events = _events(EventKind.TEAM_MEMBER_ADDED, chosen, added)
            events += await access_requests.close_satisfied(
                session, call, workspace_id=team.workspace_id, user_ids=added
            )
            await recording.record(session, call, events)
        return chosen

    return await call.transact(work)


async def remove_members(
    call: Call, *, team_id: UUID, user_ids: Sequence[UUID]
) -> TeamMembers | Refused[InvalidInput]:
    """Take members of the Workspace out of its team, all or none; one who is not in it is no error."""

    async def work(session: AsyncSession) -> TeamMembers | Refused[InvalidInput]:
        chosen = await _choose(session, call, team_id, user_ids)
        if isinstance(chosen, Refused):
            return chosen
        inside = await _inside(session, team_id, user_ids)
        await session.execute(
            sa.delete(TeamMember).where(
                col(TeamMember.team_id) == team_id, col(TeamMember.user_id).in_(inside)
            )
        )
        await recording.record(session, call, _events(EventKind.TEAM_MEMBER_REMOVED, chosen, inside))
        return chosen

    return await call.transact(work)


async def _choose(
    session: AsyncSession, call: Call, team_id: UUID, user_ids: Sequence[UUID]
) -> TeamMembers | Refused[InvalidInput]:
    """The team, and the members of its Workspace; an id that is repeated or no member's is a problem."""
    problems = Problems()
    inputs.check_item_count(problems, _USER_IDS, user_ids, least=1)
    team = await _lock(session, call, team_id)
    if isinstance(team, Refused) or problems:
        return Refused([*(team.problems if isinstance(team, Refused) else ()), *problems.found])
    statement = (
        select(User)
        .join(Membership, col(Membership.user_id) == col(User.id))
        .where(Membership.workspace_id == team.workspace_id, col(User.id).in_(user_ids))
    )
    members = {user.id: user for user in (await session.scalars(statement)).all()}
    chosen: dict[UUID, User] = {}
    for index, user_id in enumerate(user_ids):
        path = (*_USER_IDS, str(index))
        if user_id not in members:
            problems.found.append(no_such_member(path))
        elif user_id in chosen:
            problems.add(path, InvalidInputCode.DUPLICATE, "This member is in the list already")
        else:
            chosen[user_id] = members[user_id]
    if problems:
        return Refused(problems.found)
    return TeamMembers(row_of(team, TeamRow), [row_of(user, UserRow) for user in chosen.values()])


async def _lock(session: AsyncSession, call: Call, team_id: UUID) -> Team | Refused[InvalidInput]:
    """A team that the viewer may manage, its Workspace locked."""
    await access.lock_viewer(session, call)
    found = await access.lock_teams(session, call.viewer, [team_id])
    team, role = found.get(team_id, (None, None))
    if team is None:
        return Refused([InvalidInput(_AT_TEAM, InvalidInputCode.NOT_FOUND, "There is no such team")])
    if not may(role, Action.MANAGE_TEAMS):
        return Refused([InvalidInput(_AT_TEAM, InvalidInputCode.NOT_ALLOWED, _ADMINS_ONLY)])
    return team


async def _is_taken(
    session: AsyncSession, workspace_id: UUID, name: str, *, but_by: UUID | None = None
) -> bool:
    """Has another team of the Workspace this name? Compared here: SQLite folds the case of ASCII only."""
    statement = select(Team.id, Team.name).where(Team.workspace_id == workspace_id)
    rows = (await session.execute(statement)).all()
    return any(other.casefold() == name.casefold() for team_id, other in rows if team_id != but_by)


async def _inside(session: AsyncSession, team_id: UUID, user_ids: Collection[UUID]) -> list[UUID]:
    statement = select(TeamMember.user_id).where(
        TeamMember.team_id == team_id, col(TeamMember.user_id).in_(user_ids)
    )
    return list((await session.scalars(statement)).all())


def _event(kind: EventKind, team: TeamRow, details: Mapping[str, str]) -> NewEvent:
    return NewEvent(holders.Workspace(team.workspace_id), kind, team.id, details, subject_name=team.name)


def _events(kind: EventKind, chosen: TeamMembers, user_ids: Collection[UUID]) -> list[NewEvent]:
    """An event for each of these users, in the order of the call."""
    place, details = holders.Workspace(chosen.team.workspace_id), {"team": chosen.team.name}
    return [
        NewEvent(place, kind, user.id, details, subject_name=user.name)
        for user in chosen.users
        if user.id in user_ids
    ]


async def page(call: Call, request: PageRequest, workspace_id: UUID) -> Page[TeamRow]:
    """The teams of a Workspace that the viewer belongs to, oldest first."""
    return await _TEAMS.page(call, request, viewer_id=call.viewer.user_id, workspace_id=workspace_id)


_TEAMS = PreparedList(
    sa.select(*columns(Team, TeamRow)).where(access.sees_team(access.SOMEBODY)),
    TeamRow,
    within={"workspace_id": col(Team.workspace_id)},
    order=[col(Team.created_at), col(Team.id)],
)


async def members_page(call: Call, request: PageRequest, team_id: UUID) -> Page[UserRow]:
    """The people in a team, in the order of joining it; every member of the Workspace may know."""
    return await _MEMBERS.page(call, request, viewer_id=call.viewer.user_id, team_id=team_id)


_MEMBERS = PreparedList(
    sa.select(*columns(User, UserRow))
    .join(TeamMember, col(TeamMember.user_id) == col(User.id))
    .join(Team, col(Team.id) == col(TeamMember.team_id))
    .where(access.sees_team(access.SOMEBODY)),
    UserRow,
    within={"team_id": col(TeamMember.team_id)},
    order=[col(TeamMember.created_at), col(TeamMember.user_id)],
)


async def social_accounts_page(
    call: Call, request: PageRequest, team_id: UUID, *, platforms: Collection[Platform]
) -> Page[SocialAccountRow]:
    """Those of the accounts shared with a team that the viewer sees, in the order of sharing."""
    viewer_id = call.viewer.user_id
    return await _SHARED.page(call, request, viewer_id=viewer_id, team_id=team_id, platforms=platforms)


_SHARED = PreparedList(
    sa.select(*columns(SocialAccount, SocialAccountRow))
    .join(Share, col(Share.social_account_id) == col(SocialAccount.id))
    .where(one_of(col(SocialAccount.platform), "platforms"), access.sees_social_account(access.SOMEBODY)),
    SocialAccountRow,
    within={"team_id": col(Share.team_id)},
    order=[col(Share.created_at), col(Share.social_account_id)],
)


def _taken() -> InvalidInput:
    return InvalidInput(_AT_NAME, InvalidInputCode.DUPLICATE, "A team of the Workspace has this name already")
