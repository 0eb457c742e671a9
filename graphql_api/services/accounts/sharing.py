"""Sharing a Workspace's social accounts with its teams, so that the creators in them see these."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from graphql_api.domain.events import EventKind, NewEvent
from graphql_api.domain.holders import Role
from graphql_api.domain.inputs import InvalidInput, InvalidInputCode, Problems, check_item_count
from graphql_api.domain.permissions import Action, may
from graphql_api.domain.refusals import Refused
from graphql_api.services.accounts.access_requests import close_satisfied
from graphql_api.services.accounts.social_accounts import event_of
from graphql_api.services.calls import access, quotas
from graphql_api.services.calls.call import Call
from graphql_api.services.history import recording
from graphql_api.storage.rows import SocialAccountRow, TeamRow, row_of
from graphql_api.storage.statements import insert_shares
from graphql_api.storage.tables import Share

_ACCOUNT_IDS = ("input", "socialAccountIds")
_TEAM_IDS = ("input", "teamIds")

Thing = TypeVar("Thing", SocialAccountRow, TeamRow)


@dataclass(frozen=True, slots=True)
class Shared:
    """The social accounts and the teams that a call was about, in its order."""

    accounts: Sequence[SocialAccountRow]
    teams: Sequence[TeamRow]


async def share(
    call: Call, *, hold_ids: Sequence[UUID], team_ids: Sequence[UUID]
) -> Shared | Refused[InvalidInput]:
    """Share each of the accounts with each of the teams, all or none; what is shared already stays so.

    Raises:
        RateLimited: the viewer wrote too much.
    """
    await quotas.count_writes(call, len(hold_ids))

    async def work(session: AsyncSession) -> Shared | Refused[InvalidInput]:
        chosen = await _choose(session, call, hold_ids, team_ids)
        if isinstance(chosen, Refused):
            return chosen
        events = await share_each(session, call, chosen.accounts, chosen.teams)
        if events:
            workspace_id = chosen.teams[0].workspace_id
            events += await close_satisfied(session, call, workspace_id=workspace_id)
        await recording.record(session, call, events)
        return chosen

    return await call.transact(work)


async def unshare(
    call: Call, *, hold_ids: Sequence[UUID], team_ids: Sequence[UUID]
) -> Shared | Refused[InvalidInput]:
    """Take each of the accounts back from each of the teams, all or none; what is not shared stays so.

    Raises:
        RateLimited: the viewer wrote too much.
    """
    await quotas.count_writes(call, len(hold_ids))

    async def work(session: AsyncSession) -> Shared | Refused[InvalidInput]:
        chosen = await _choose(session, call, hold_ids, team_ids)
        if isinstance(chosen, Refused):
            return chosen
        ended = await session.execute(
            sa.delete(Share)
            .where(
                col(Share.team_id).in_([team.id for team in chosen.teams]),
                col(Share.social_account_id).in_([account.id for account in chosen.accounts]),
            )
            .returning(col(Share.team_id), col(Share.social_account_id))
        )
        gone = {(team_id, account_id) for team_id, account_id in ended}
        events = _events(EventKind.SOCIAL_ACCOUNT_UNSHARED, chosen.accounts, chosen.teams, gone)
        await recording.record(session, call, events)
        return chosen

    return await call.transact(work)


async def share_each(
    session: AsyncSession, call: Call, accounts: Sequence[SocialAccountRow], teams: Sequence[TeamRow]
) -> list[NewEvent]:
    """Share each of the accounts with each of the teams of their Workspace, which is locked; what is new."""
    new = await insert_shares(
        session,
        account_ids=[account.id for account in accounts],
        team_ids=[team.id for team in teams],
        now=call.now,
    )
    return _events(EventKind.SOCIAL_ACCOUNT_SHARED, accounts, teams, new)


async def teams_within(
    session: AsyncSession,
    call: Call,
    problems: Problems,
    team_ids: Sequence[UUID],
    *,
    workspace_id: UUID,
    role: Role | None,
) -> Sequence[TeamRow]:
    """The teams that a viewer with this role in a Workspace, which is locked, names to share with."""
    check_item_count(problems, _TEAM_IDS, team_ids, least=1)
    if problems:
        return ()
    teams = await access.teams(session, call.viewer, team_ids)
    only = _Only({workspace_id: role}, workspace_id, problems)
    return only.of(_TEAM_IDS, team_ids, {key: row_of(team, TeamRow) for key, team in teams.items()}, "team")


async def _choose(
    session: AsyncSession, call: Call, hold_ids: Sequence[UUID], team_ids: Sequence[UUID]
) -> Shared | Refused[InvalidInput]:
    """The accounts and teams of one Workspace that the viewer may share; everything else is told.

    The Workspace's lock is enough: whoever takes an account of a Workspace away holds it as well.
    """
    await access.lock_viewer(session, call)
    problems = Problems()
    check_item_count(problems, _ACCOUNT_IDS, hold_ids, least=1)
    check_item_count(problems, _TEAM_IDS, team_ids, least=1)
    if problems:
        return Refused(problems.found)
    accounts, teams = await _seen(session, call, hold_ids, team_ids)
    places = {account.holder_workspace_id for account in accounts.values()}
    places |= {team.workspace_id for team in teams.values()}
    found = await access.lock_workspaces(session, call.viewer, [place for place in places if place])
    roles = {workspace_id: role for workspace_id, (_, role) in found.items()}
    # Read again under the locks: what moved meanwhile is somewhere else.
    accounts, teams = await _seen(session, call, hold_ids, team_ids)
    allowed = [
        place
        for place in (
            *(accounts[one].holder_workspace_id for one in hold_ids if one in accounts),
            *(teams[one].workspace_id for one in team_ids if one in teams),
        )
        if place is not None and may(roles.get(place), Action.SHARE)
    ]
    only = _Only(roles, allowed[0] if allowed else None, problems)
    chosen = Shared(
        only.of(_ACCOUNT_IDS, hold_ids, accounts, "social account"),
        only.of(_TEAM_IDS, team_ids, teams, "team"),
    )
    return Refused(problems.found) if problems else chosen


async def _seen(
    session: AsyncSession, call: Call, hold_ids: Sequence[UUID], team_ids: Sequence[UUID]
) -> tuple[Mapping[UUID, SocialAccountRow], Mapping[UUID, TeamRow]]:
    """Those of the accounts and teams that the viewer sees, as they now are."""
    accounts = await access.social_accounts(session, call.viewer, hold_ids)
    teams = await access.teams(session, call.viewer, team_ids)
    session.expunge_all()
    return (
        {hold_id: row_of(account, SocialAccountRow) for hold_id, account in accounts.items()},
        {team_id: row_of(team, TeamRow) for team_id, team in teams.items()},
    )


@dataclass(frozen=True, slots=True)
class _Only:
    """Chooses what is of one Workspace, and notes what is wrong with the rest."""

    roles: Mapping[UUID, Role | None]
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
                problem = InvalidInputCode.DUPLICATE, f"This {what} is in the list already"
            if problem is None:
                chosen[key] = found[key]
            else:
                self.problems.add((*at, str(index)), *problem)
        return list(chosen.values())

    def _problem(
        self, thing: SocialAccountRow | TeamRow | None, what: str
    ) -> tuple[InvalidInputCode, str] | None:
        if thing is None:
            return InvalidInputCode.NOT_FOUND, f"There is no such {what}"
        place = thing.workspace_id if isinstance(thing, TeamRow) else thing.holder_workspace_id
        if place is None:
            return InvalidInputCode.NOT_ALLOWED, "Only social accounts that a Workspace holds can be shared"
        if place not in self.roles:
            return InvalidInputCode.NOT_FOUND, f"There is no such {what}"
        if not may(self.roles[place], Action.SHARE):
            return (
                InvalidInputCode.NOT_ALLOWED,
                "Only an admin of the Workspace can share its accounts",
            )
        if place != self.workspace_id:
            return (
                InvalidInputCode.NOT_ALLOWED,
                "All social accounts and teams must be of the same Workspace",
            )
        return None


def _events(
    kind: EventKind,
    accounts: Sequence[SocialAccountRow],
    teams: Sequence[TeamRow],
    changed: Collection[tuple[UUID, UUID]],
) -> list[NewEvent]:
    """An event for each pair of a team and an account that was changed, in their order."""
    return [
        event_of(
            account,
            kind,
            {"team": team.name},
            ends_shares_with=[team.id] if kind is EventKind.SOCIAL_ACCOUNT_UNSHARED else (),
        )
        for account in accounts
        for team in teams
        if (team.id, account.id) in changed
    ]
