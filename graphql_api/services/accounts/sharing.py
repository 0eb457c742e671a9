"""Sharing a Workspace's social accounts with its teams, so that the creators in them see these."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from graphql_api.domain.events import EventKind, NewEvent
from graphql_api.domain.holders import Role
from graphql_api.domain.holders import Workspace as Place
from graphql_api.domain.inputs import InvalidInput, InvalidInputCode, Problems, check_item_count
from graphql_api.domain.permissions import may_share
from graphql_api.domain.refusals import Refused
from graphql_api.services.accounts import access_requests
from graphql_api.services.calls import access
from graphql_api.services.calls.call import Call
from graphql_api.services.history import recording
from graphql_api.storage.tables import Share, SocialAccount, Team

_ACCOUNT_IDS = ("input", "socialAccountIds")
_TEAM_IDS = ("input", "teamIds")

Thing = TypeVar("Thing", SocialAccount, Team)


@dataclass(frozen=True, slots=True)
class Shared:
    """The social accounts and the teams that a call was about, in its order."""

    accounts: Sequence[SocialAccount]
    teams: Sequence[Team]


async def share(
    call: Call, *, hold_ids: Sequence[UUID], team_ids: Sequence[UUID]
) -> Shared | Refused[InvalidInput]:
    """Share each of the accounts with each of the teams, all or none; what is shared already stays so."""

    async def work(session: AsyncSession) -> Shared | Refused[InvalidInput]:
        chosen = await _choose(session, call, hold_ids, team_ids)
        if isinstance(chosen, Refused):
            return chosen
        known = await _shared(session, chosen)
        new = [pair for pair in _pairs(chosen) if (pair[0].id, pair[1].id) not in known]
        if new:
            rows = [
                {"team_id": team.id, "social_account_id": account.id, "created_at": call.now}
                for team, account in new
            ]
            await session.execute(sa.insert(Share), rows)
        events = _events(EventKind.SOCIAL_ACCOUNT_SHARED, new)
        if new:
            workspace_id = chosen.teams[0].workspace_id
            events += await access_requests.close_satisfied(session, call, workspace_id=workspace_id)
        await recording.record(session, call, events)
        return chosen

    return await call.transact(work)


async def unshare(
    call: Call, *, hold_ids: Sequence[UUID], team_ids: Sequence[UUID]
) -> Shared | Refused[InvalidInput]:
    """Take each of the accounts back from each of the teams, all or none; what is not shared stays so."""

    async def work(session: AsyncSession) -> Shared | Refused[InvalidInput]:
        chosen = await _choose(session, call, hold_ids, team_ids)
        if isinstance(chosen, Refused):
            return chosen
        known = await _shared(session, chosen)
        await session.execute(sa.delete(Share).where(_between(chosen)))
        gone = [pair for pair in _pairs(chosen) if (pair[0].id, pair[1].id) in known]
        await recording.record(session, call, _events(EventKind.SOCIAL_ACCOUNT_UNSHARED, gone))
        return chosen

    return await call.transact(work)


async def _choose(
    session: AsyncSession, call: Call, hold_ids: Sequence[UUID], team_ids: Sequence[UUID]
) -> Shared | Refused[InvalidInput]:
    """The accounts and teams of one Workspace that the viewer may share; everything else is told.

    The Workspace's lock is enough: whoever takes an account of a Workspace away holds it as well.
    """
    await access.lock_viewer(session, call)
    problems = Problems()
    check_item_count(problems, _ACCOUNT_IDS, hold_ids)
    check_item_count(problems, _TEAM_IDS, team_ids)
    if problems:
        return Refused(problems.found)
    accounts = await access.social_accounts(session, call.viewer, hold_ids)
    teams = await access.teams(session, call.viewer, team_ids)
    places = {account.holder_workspace_id for account in accounts.values()}
    places |= {team.workspace_id for team in teams.values()}
    session.expunge_all()
    found = await access.lock_workspaces(session, call.viewer, [place for place in places if place])
    roles = {workspace_id: role for workspace_id, (_, role) in found.items()}
    # Read again under the locks: what moved meanwhile is somewhere else.
    accounts = await access.social_accounts(session, call.viewer, hold_ids)
    teams = await access.teams(session, call.viewer, team_ids)
    allowed = [
        place
        for place in (
            *(accounts[one].holder_workspace_id for one in hold_ids if one in accounts),
            *(teams[one].workspace_id for one in team_ids if one in teams),
        )
        if place is not None and may_share(roles.get(place))
    ]
    only = _Only(roles, allowed[0] if allowed else None, problems)
    chosen = Shared(
        only.of(_ACCOUNT_IDS, hold_ids, accounts, "social account"),
        only.of(_TEAM_IDS, team_ids, teams, "team"),
    )
    return Refused(problems.found) if problems else chosen


@dataclass(frozen=True, slots=True)
class _Only:
    """Chooses what is of one Workspace, and notes what is wrong with the rest."""

    roles: Mapping[UUID, Role]
    workspace_id: UUID | None
    problems: Problems

    def of(
        self, at: tuple[str, ...], ids: Sequence[UUID], found: Mapping[UUID, Thing], what: str
    ) -> Sequence[Thing]:
        """Those of the ids that may be shared, or shared with, in their order."""
        chosen: dict[UUID, Thing] = {}
        for index, key in enumerate(ids):
            problem = self._problem(found.get(key), what)
            if key in chosen:
                problem = InvalidInputCode.DUPLICATE, f"This {what} stands in the list already"
            if problem is None:
                chosen[key] = found[key]
            else:
                self.problems.add((*at, str(index)), *problem)
        return list(chosen.values())

    def _problem(self, thing: SocialAccount | Team | None, what: str) -> tuple[InvalidInputCode, str] | None:
        if thing is None:
            return InvalidInputCode.NOT_FOUND, f"There is no such {what}"
        place = thing.workspace_id if isinstance(thing, Team) else thing.holder_workspace_id
        if place is None:
            return InvalidInputCode.NOT_ALLOWED, "Only what a Workspace holds is shared with its teams"
        if place not in self.roles:
            return InvalidInputCode.NOT_FOUND, f"There is no such {what}"
        if not may_share(self.roles[place]):
            return InvalidInputCode.NOT_ALLOWED, "Only an admin of the Workspace shares its social accounts"
        if place != self.workspace_id:
            return (
                InvalidInputCode.NOT_ALLOWED,
                "All social accounts and teams of a call are of one Workspace",
            )
        return None


def _between(chosen: Shared) -> sa.ColumnElement[bool]:
    return sa.and_(
        col(Share.team_id).in_([team.id for team in chosen.teams]),
        col(Share.social_account_id).in_([account.id for account in chosen.accounts]),
    )


async def _shared(session: AsyncSession, chosen: Shared) -> set[tuple[UUID, UUID]]:
    statement = sa.select(col(Share.team_id), col(Share.social_account_id)).where(_between(chosen))
    return {(team_id, account_id) for team_id, account_id in await session.execute(statement)}


def _pairs(chosen: Shared) -> list[tuple[Team, SocialAccount]]:
    return [(team, account) for account in chosen.accounts for team in chosen.teams]


def _events(kind: EventKind, pairs: Sequence[tuple[Team, SocialAccount]]) -> list[NewEvent]:
    return [
        NewEvent(
            Place(team.workspace_id),
            kind,
            account.hold_id,
            {"display_name": account.display_name or "", "team": team.name},
            ends_shares_with=[team.id] if kind is EventKind.SOCIAL_ACCOUNT_UNSHARED else (),
        )
        for team, account in pairs
    ]
