"""Held social accounts: listing, disconnecting, and reading their access tokens."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from graphql_api.domain.events import EventKind, NewEvent
from graphql_api.domain.faults import Forbidden
from graphql_api.domain.holders import Holder, Role, holder_of
from graphql_api.domain.inputs import InvalidInput, InvalidInputCode, Problems, check_item_count
from graphql_api.domain.permissions import Action, Scope, may
from graphql_api.domain.refusals import Refused
from graphql_api.domain.secrets import Secret
from graphql_api.services.accounts import access_tokens
from graphql_api.services.calls import access, quotas
from graphql_api.services.calls.call import Call
from graphql_api.services.history import recording
from graphql_api.storage.faults import ChangedMeanwhile
from graphql_api.storage.prepared import Prepared, one_of
from graphql_api.storage.rows import SocialAccountRow, TeamRow, columns, row_of
from graphql_api.storage.tables import Share, SocialAccount, Team, Workspace

IDS = ("input", "socialAccountIds")


async def disconnect(
    call: Call, hold_ids: Sequence[UUID]
) -> Sequence[SocialAccountRow] | Refused[InvalidInput]:
    """Give social accounts up, all or none: admins those of their Workspace, people their own.

    What is returned is what they were; the rows themselves are empty and free.

    Raises:
        RateLimited: the viewer wrote too much.
    """
    await quotas.count_writes(call, len(hold_ids))

    async def work(session: AsyncSession) -> Sequence[SocialAccountRow] | Refused[InvalidInput]:
        await access.lock_viewer(session, call)
        problems = Problems()
        check_item_count(problems, IDS, hold_ids, least=1)
        if problems:
            return Refused(problems.found)
        locked = await lock_accounts(session, call, hold_ids)
        chosen = choose(problems, locked, places_in_list(hold_ids), Action.CONNECT, verb="disconnects")
        if problems:
            return Refused(problems.found)
        accounts = [row_of(account, SocialAccountRow) for account in chosen.values()]
        await free(session, call, accounts, EventKind.SOCIAL_ACCOUNT_DISCONNECTED)
        return accounts

    return await call.transact(work)


@dataclass(frozen=True, slots=True)
class Locked:
    """Social accounts by hold, and the Workspaces that the viewer belongs to, all of them locked."""

    viewer_id: UUID
    accounts: Mapping[UUID, SocialAccount]
    workspaces: Mapping[UUID, tuple[Workspace, Role]]

    def role(self, account: SocialAccount) -> Role | None:
        """The viewer's role over an account: over their own Personal they are as an admin is."""
        if account.holder_user_id == self.viewer_id:
            return Role.ADMIN
        if account.holder_workspace_id is None or account.holder_workspace_id not in self.workspaces:
            return None
        return self.workspaces[account.holder_workspace_id][1]


async def lock_accounts(
    session: AsyncSession,
    call: Call,
    hold_ids: Collection[UUID],
    *,
    and_workspaces: Collection[UUID] = (),
) -> Locked:
    """Lock the accounts that the viewer sees and the Workspaces that hold them; the viewer is locked.

    Raises:
        ChangedMeanwhile: an account moved to a Workspace that is not locked while this waited.
    """
    seen = await access.social_accounts(session, call.viewer, hold_ids)
    asked = {*and_workspaces, *(a.holder_workspace_id for a in seen.values() if a.holder_workspace_id)}
    workspaces = await access.lock_workspaces(session, call.viewer, asked)
    locked = (
        select(SocialAccount)
        .where(col(SocialAccount.hold_id).in_(seen))
        .order_by(col(SocialAccount.platform), col(SocialAccount.external_id))
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    accounts = (await session.scalars(locked)).all()
    if not asked.issuperset(a.holder_workspace_id for a in accounts if a.holder_workspace_id):
        raise ChangedMeanwhile
    return Locked(call.viewer.user_id, {a.hold_id: a for a in accounts if a.hold_id}, workspaces)


def choose(
    problems: Problems,
    locked: Locked,
    asked: Iterable[tuple[tuple[str, ...], UUID]],
    action: Action,
    *,
    verb: str,
    target: Holder | None = None,
) -> dict[tuple[str, ...], SocialAccount]:
    """The accounts that the viewer asked for and may change in this way, by the paths of their ids.

    Those that the `target` holds already are refused.
    """
    chosen: dict[UUID, tuple[tuple[str, ...], SocialAccount]] = {}
    for path, hold_id in asked:
        account = locked.accounts.get(hold_id)
        role = None if account is None else locked.role(account)
        if account is None or role is None:
            problems.add(path, InvalidInputCode.NOT_FOUND, "There is no such social account")
        elif hold_id in chosen:
            problems.add(path, InvalidInputCode.DUPLICATE, "This social account is in the list already")
        elif not may(role, action):
            problems.add(
                path,
                InvalidInputCode.NOT_ALLOWED,
                f"Only an admin of the Workspace {verb} its social accounts",
            )
        else:
            chosen[hold_id] = path, account
            if place_of(account) == target:
                message = "This social account is in the place that you move it to"
                problems.add(path, InvalidInputCode.DUPLICATE, message)
    return dict(chosen.values())


def places_in_list(hold_ids: Sequence[UUID]) -> list[tuple[tuple[str, ...], UUID]]:
    """The ids of a list, each with its path."""
    return [((*IDS, str(index)), hold_id) for index, hold_id in enumerate(hold_ids)]


async def free(
    session: AsyncSession,
    call: Call,
    accounts: Sequence[SocialAccountRow],
    kind: EventKind,
    *,
    details: Mapping[str, str] | None = None,
    hides_actor: bool = False,
) -> None:
    """Empty the rows, so that the next holder inherits nothing: not the token, the name, or who saw it.

    The events of the places that held them are of this kind. The caller has locked the places.
    """
    teams_of = await end_shares(session, [account.id for account in accounts])
    await empty(session, call, col(SocialAccount.id).in_([account.id for account in accounts]))
    held = Counter[Holder]()
    events = []
    for account in accounts:
        held[place_of(account)] -= 1
        events.append(
            event_of(
                account,
                kind,
                details,
                ends_shares_with=teams_of.get(account.id, ()),
                hides_actor=hides_actor,
            )
        )
    await recording.record(session, call, events, held=held)


async def end_shares(session: AsyncSession, ids: Collection[UUID]) -> Mapping[UUID, Sequence[UUID]]:
    """Take social accounts (by their row's id) back from every team; returns from which."""
    ended = (
        sa.delete(Share)
        .where(col(Share.social_account_id).in_(ids))
        .returning(col(Share.social_account_id), col(Share.team_id))
    )
    teams_of: dict[UUID, list[UUID]] = defaultdict(list)
    for account_id, team_id in (await session.execute(ended)).all():
        teams_of[account_id].append(team_id)
    return teams_of


async def empty(session: AsyncSession, call: Call, which: sa.ColumnElement[bool]) -> None:
    """Empty rows that are locked, in two statements however many; counts and events are the caller's."""
    shared = sa.select(col(SocialAccount.id)).where(which)
    await session.execute(sa.delete(Share).where(col(Share.social_account_id).in_(shared)))
    await session.execute(
        sa.update(SocialAccount)
        .where(which)
        .values(
            hold_id=None,
            holder_user_id=None,
            holder_workspace_id=None,
            display_name=None,
            display_name_key=None,
            nickname=None,
            profile_picture_url=None,
            facebook_page_id=None,
            facebook_account_id=None,
            connected_by_id=None,
            access_token=None,
            proof_source=None,
            proof_login=None,
            proven_at=None,
            checked_at=None,
            health_since=None,
            health_problem=None,
            health_details=None,
            breaks_at=None,
            doubted_at=None,
            next_check_at=None,
            warned_days=None,
            created_at=None,
            updated_at=call.now,
        )
        .execution_options(synchronize_session=False)
    )


async def teams(call: Call, account_ids: Collection[UUID]) -> dict[UUID, list[TeamRow]]:
    """The teams that social accounts (by their row's id) are shared with, by name."""
    shared: dict[UUID, list[TeamRow]] = {account_id: [] for account_id in account_ids}
    for account_id, team in await call.rows(_TEAMS, ids=account_ids):
        shared[account_id].append(team)
    return shared


def _shared_team(account_id: UUID, *team: Any) -> tuple[UUID, TeamRow]:
    return account_id, TeamRow(*team)


_TEAMS = Prepared(
    sa.select(col(Share.social_account_id), *columns(Team, TeamRow))
    .join(Team, col(Team.id) == col(Share.team_id))
    .where(one_of(col(Share.social_account_id), "ids"))
    .order_by(col(Team.name), col(Team.id)),
    _shared_team,
)


async def read_access_tokens(call: Call, hold_ids: Collection[UUID]) -> dict[UUID, Secret | None]:
    """Open the access tokens of those of the accounts where the viewer may; each reading is an event.

    None stands for one that was destroyed, because the user of its login removed our app.

    Raises:
        Forbidden: the API token does not have the scope.
    """
    if Scope.READ_ACCESS_TOKENS not in call.viewer.scopes:
        raise Forbidden("This API token does not have the scope READ_ACCESS_TOKENS")

    async def work(session: AsyncSession) -> dict[UUID, Secret | None]:
        await access.lock_viewer(session, call)
        locked = await lock_accounts(session, call, hold_ids)
        readable = {
            hold_id: account
            for hold_id, account in locked.accounts.items()
            if may(locked.role(account), Action.READ_ACCESS_TOKENS)
        }
        opened = {
            hold_id: access_tokens.open_social_account(call, account)
            for hold_id, account in readable.items()
            if account.access_token is not None
        }
        events = [event_of(readable[hold_id], EventKind.ACCESS_TOKEN_READ) for hold_id in opened]
        await recording.record(session, call, events)
        return {hold_id: opened.get(hold_id) for hold_id in readable}

    return await call.transact(work)


def place_of(account: SocialAccount | SocialAccountRow) -> Holder:
    """The place of a social account that is held."""
    holder = holder_of(account.holder_user_id, account.holder_workspace_id)
    if holder is None:
        raise ValueError("a social account that is free is in no place")
    return holder


def event_of(
    account: SocialAccount | SocialAccountRow,
    kind: EventKind,
    details: Mapping[str, str] | None = None,
    *,
    place: Holder | None = None,
    ends_shares_with: Collection[UUID] = (),
    hides_actor: bool = False,
) -> NewEvent:
    """An event about a social account, in the history of the place that holds it, or of another one."""
    return NewEvent(
        place or place_of(account),
        kind,
        account.hold_id,
        details or {},
        subject_name=account.display_name,
        platform=account.platform,
        ends_shares_with=ends_shares_with,
        hides_actor=hides_actor,
    )
