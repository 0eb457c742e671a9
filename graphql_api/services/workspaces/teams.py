"""Teams of a Workspace: making, renaming and deleting them, and who is in them. Their admins decide."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from graphql_api.domain import inputs
from graphql_api.domain.events import EventKind, NewEvent
from graphql_api.domain.holders import Workspace as Place
from graphql_api.domain.inputs import InvalidInput, InvalidInputCode, Problems
from graphql_api.domain.permissions import may_manage_teams
from graphql_api.domain.platforms import Platform
from graphql_api.domain.refusals import Refused
from graphql_api.services.calls import access
from graphql_api.services.calls.call import Call
from graphql_api.services.calls.pages import Page, PageRequest, read_page
from graphql_api.services.history import recording
from graphql_api.services.workspaces.members import no_such_workspace, not_allowed
from graphql_api.storage.rows import SocialAccountRow, row_of
from graphql_api.storage.tables import Membership, Share, SocialAccount, Team, TeamMember, User

_AT_TEAM = ("input", "teamId")
_AT_NAME = ("input", "name")
_USER_IDS = ("input", "userIds")
_ADMINS_ONLY = "Only an admin of the Workspace manages its teams"


@dataclass(frozen=True, slots=True)
class TeamMembers:
    """A team, and the people whom a call was about, in its order."""

    team: Team
    users: Sequence[User]


async def create(call: Call, *, workspace_id: UUID, name: str) -> Team | Refused[InvalidInput]:
    """Make a team, still without members; its name is the only one like it in the Workspace."""
    problems = Problems()
    name = inputs.check_text(problems, _AT_NAME, name, longest=inputs.MAX_NAME)

    async def work(session: AsyncSession) -> Team | Refused[InvalidInput]:
        await access.lock_viewer(session, call)
        workspace, role = await access.lock_workspace(session, call, workspace_id)
        if workspace is None:
            return Refused([no_such_workspace(), *problems.found])
        if not may_manage_teams(role):
            return Refused([not_allowed(_ADMINS_ONLY), *problems.found])
        if problems:
            return Refused(problems.found)
        if await _is_taken(session, workspace_id, name):
            return Refused([_taken()])
        team = Team(workspace_id=workspace_id, name=name, created_at=call.now, updated_at=call.now)
        session.add(team)
        await session.flush()
        event = NewEvent(Place(workspace_id), EventKind.TEAM_CREATED, team.id, {"name": name})
        await recording.record(session, call, [event])
        return team

    return await call.transact(work)


async def rename(call: Call, *, team_id: UUID, name: str) -> Team | Refused[InvalidInput]:
    """Give a team another name; the one that it has already is no error."""
    problems = Problems()
    name = inputs.check_text(problems, _AT_NAME, name, longest=inputs.MAX_NAME)

    async def work(session: AsyncSession) -> Team | Refused[InvalidInput]:
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
            event = NewEvent(Place(team.workspace_id), EventKind.TEAM_RENAMED, team_id, details)
            await recording.record(session, call, [event])
        return team

    return await call.transact(work)


async def delete(call: Call, team_id: UUID) -> Team | Refused[InvalidInput]:
    """Delete a team; its members stay in the Workspace, and what it was shown stays there as well."""

    async def work(session: AsyncSession) -> Team | Refused[InvalidInput]:
        team = await _lock(session, call, team_id)
        if isinstance(team, Refused):
            return team
        session.expunge(team)
        await session.execute(sa.delete(Team).where(col(Team.id) == team_id))
        event = NewEvent(Place(team.workspace_id), EventKind.TEAM_DELETED, team_id, {"name": team.name})
        await recording.record(session, call, [event])
        return team

    return await call.transact(work)


async def add_members(
    call: Call, *, team_id: UUID, user_ids: Sequence[UUID]
) -> TeamMembers | Refused[InvalidInput]:
    """Put members of the Workspace into its team, all or none; who is in it already stays."""

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
        await _record(session, call, team, EventKind.TEAM_MEMBER_ADDED, added)
        return chosen

    return await call.transact(work)


async def remove_members(
    call: Call, *, team_id: UUID, user_ids: Sequence[UUID]
) -> TeamMembers | Refused[InvalidInput]:
    """Take members of the Workspace out of its team, all or none; who is not in it stays out."""

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
        await _record(session, call, chosen.team, EventKind.TEAM_MEMBER_REMOVED, inside)
        return chosen

    return await call.transact(work)


async def _choose(
    session: AsyncSession, call: Call, team_id: UUID, user_ids: Sequence[UUID]
) -> TeamMembers | Refused[InvalidInput]:
    """The team, and the people of its Workspace; every id that is repeated or nobody's there is told."""
    problems = Problems()
    inputs.check_item_count(problems, _USER_IDS, user_ids)
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
            problems.add(path, InvalidInputCode.NOT_FOUND, "The Workspace has no such member")
        elif user_id in chosen:
            problems.add(path, InvalidInputCode.DUPLICATE, "This member stands in the list already")
        else:
            chosen[user_id] = members[user_id]
    return Refused(problems.found) if problems else TeamMembers(team, list(chosen.values()))


async def _lock(session: AsyncSession, call: Call, team_id: UUID) -> Team | Refused[InvalidInput]:
    """A team that the viewer may manage, its Workspace locked."""
    await access.lock_viewer(session, call)
    found = await access.lock_teams(session, call.viewer, [team_id])
    team, role = found.get(team_id, (None, None))
    if team is None:
        return Refused([InvalidInput(_AT_TEAM, InvalidInputCode.NOT_FOUND, "There is no such team")])
    if not may_manage_teams(role):
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


async def _record(
    session: AsyncSession, call: Call, team: Team, kind: EventKind, user_ids: Collection[UUID]
) -> None:
    place = Place(team.workspace_id)
    events = [NewEvent(place, kind, user_id, {"team": team.name}) for user_id in user_ids]
    await recording.record(session, call, events)


async def page(call: Call, request: PageRequest, workspace_id: UUID) -> Page[Team]:
    """The teams of a Workspace that the viewer belongs to, the oldest first."""
    return await read_page(
        call,
        select(Team).where(access.sees_team(call.viewer)),
        request,
        within=[(col(Team.workspace_id), workspace_id)],
        order=[col(Team.created_at), col(Team.id)],
    )


async def members_page(call: Call, request: PageRequest, team_id: UUID) -> Page[User]:
    """Who is in a team, in the order of joining it; every member of the Workspace may know."""
    statement = (
        select(User)
        .join(TeamMember, col(TeamMember.user_id) == col(User.id))
        .join(Team, col(Team.id) == col(TeamMember.team_id))
        .where(access.sees_team(call.viewer))
    )
    return await read_page(
        call,
        statement,
        request,
        within=[(col(TeamMember.team_id), team_id)],
        order=[col(TeamMember.created_at), col(TeamMember.user_id)],
    )


async def social_accounts_page(
    call: Call, request: PageRequest, team_id: UUID, *, platforms: Collection[Platform]
) -> Page[SocialAccountRow]:
    """What is shared with a team, as far as the viewer sees it, in the order of sharing."""
    statement = (
        select(SocialAccount)
        .join(Share, col(Share.social_account_id) == col(SocialAccount.id))
        .where(access.sees_social_account(call.viewer), col(SocialAccount.platform).in_(platforms))
    )
    page = await read_page(
        call,
        statement,
        request,
        within=[(col(Share.team_id), team_id)],
        order=[col(Share.created_at), col(Share.social_account_id)],
    )
    return page.map(lambda account: row_of(account, SocialAccountRow))


def _taken() -> InvalidInput:
    return InvalidInput(_AT_NAME, InvalidInputCode.DUPLICATE, "A team of the Workspace has this name already")
