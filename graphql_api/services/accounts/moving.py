"""Moving social accounts from one place to another, so that nobody else can slip in between.

A move is one UPDATE of rows that stay held: they are never free. What was given in the old place alone
(the teams there) is left behind; id, nickname, times, who connected them and the history stay. So does
the Facebook account that vouched for them: it is its user's, wherever they are, and seen by nobody else.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from graphql_api.adapters.sealing import CannotOpen
from graphql_api.domain.events import EventKind, NewEvent
from graphql_api.domain.holders import Holder, Personal, Workspace, columns_of
from graphql_api.domain.inputs import InvalidInput, InvalidInputCode, Problems, check_item_count
from graphql_api.domain.moves import Move, NoRoom, already_there, without_room
from graphql_api.domain.permissions import may_move
from graphql_api.domain.refusals import Refused
from graphql_api.domain.secrets import Sealed
from graphql_api.services.accounts import access_tokens
from graphql_api.services.accounts.social_accounts import (
    IDS,
    Locked,
    choose,
    end_shares,
    lock_accounts,
    place_of,
    places_in_list,
)
from graphql_api.services.calls import access, retries
from graphql_api.services.calls.call import Call
from graphql_api.services.calls.retries import Retry
from graphql_api.services.history import recording
from graphql_api.storage import tables
from graphql_api.storage.columns import SealedText
from graphql_api.storage.database import ChangedMeanwhile, rows_within
from graphql_api.storage.rows import SocialAccountRow, row_of
from graphql_api.storage.tables import SocialAccount


@dataclass(frozen=True, slots=True)
class MoveCommand:
    """One call of `moveSocialAccounts`; without a workspace, to the viewer's Personal."""

    hold_ids: Sequence[UUID]
    workspace_id: UUID | None
    idempotency_key: str | None = None

    def retry(self) -> Retry | None:
        """What tells a retry of this call; None when it came without a key."""
        if self.idempotency_key is None:
            return None
        asked = [str(self.workspace_id or ""), [str(hold_id) for hold_id in self.hold_ids]]
        return Retry("moveSocialAccounts", self.idempotency_key, asked)


Asked = Sequence[tuple[tuple[str, ...], UUID]]  # paths and holds, in input order
Moved = Sequence[SocialAccountRow]
MoveRefused = Refused[InvalidInput | NoRoom]


async def move(call: Call, command: MoveCommand) -> Moved | MoveRefused:
    """Move social accounts, all or none, from where the viewer may take them to where they may put them."""
    return await call.transact(lambda session: _move(session, call, command))


async def _move(session: AsyncSession, call: Call, command: MoveCommand) -> Moved | MoveRefused:
    viewer = await access.lock_viewer(session, call)
    retry = command.retry()
    recalled = await retries.recall(partial(rows_within, session), call, retry)
    if recalled.expired and retry is not None:
        await retries.forget(session, call, retry)
    if recalled.outcome is not None:
        return await _replay(session, call, recalled.outcome)
    too_many = Problems()
    check_item_count(too_many, IDS, command.hold_ids)
    asked = [] if too_many else places_in_list(command.hold_ids)
    locked = await lock_accounts(
        session,
        call,
        [hold_id for _, hold_id in asked],
        and_workspaces=[] if command.workspace_id is None else [command.workspace_id],
    )
    target, used, refusal = _target(command, viewer, locked)
    accounts, problems = _leaving(locked, asked, target)
    problems = [*too_many.found, *problems, *refusal, *filter(None, [recalled.problem])]
    if problems:
        return Refused(problems)
    full = without_room(_moves(accounts, asked), limit=call.services.rules.max_accounts_per_holder, used=used)
    if full:
        return Refused(full)
    resealed = _reseal(call, accounts, asked, target)
    if isinstance(resealed, Refused):
        return resealed
    teams_of = await end_shares(session, [account.id for account in accounts])
    events, held = _told(accounts, target, teams_of)
    moved = await _write(session, call, accounts, resealed, target)
    await recording.record(session, call, events, held=held)
    if retry is not None:
        outcome = {"moved": [str(hold_id) for hold_id in command.hold_ids]}
        await retries.remember(session, call, retry, outcome)
    return moved


async def _replay(session: AsyncSession, call: Call, outcome: Mapping[str, Any]) -> Moved | MoveRefused:
    """What an earlier call with the same key moved, as it is now."""
    hold_ids = [UUID(hold_id) for hold_id in outcome["moved"]]
    seen = await access.social_accounts(session, call.viewer, hold_ids)
    if not seen.keys() >= set(hold_ids):
        return Refused([retries.gone()])
    return [row_of(seen[hold_id], SocialAccountRow) for hold_id in hold_ids]


def _target(
    command: MoveCommand, viewer: tables.User, locked: Locked
) -> tuple[Holder, int, Sequence[InvalidInput]]:
    """Where the accounts go, how many it holds, and why they may not go there."""
    if command.workspace_id is None:
        return Personal(viewer.id), viewer.held_count, ()
    target = Workspace(command.workspace_id)
    if command.workspace_id not in locked.workspaces:
        return target, 0, (_at_workspace(InvalidInputCode.NOT_FOUND, "There is no such Workspace"),)
    workspace, role = locked.workspaces[command.workspace_id]
    if not may_move(role):
        message = "Only an admin of the Workspace moves social accounts into it"
        return target, 0, (_at_workspace(InvalidInputCode.NOT_ALLOWED, message),)
    return target, workspace.held_count, ()


def _at_workspace(code: InvalidInputCode, message: str) -> InvalidInput:
    return InvalidInput(("input", "workspaceId"), code, message)


def _leaving(
    locked: Locked, asked: Asked, target: Holder
) -> tuple[Sequence[SocialAccount], Sequence[InvalidInput]]:
    """The accounts that the viewer may take from where they are, and what is wrong, in input order."""
    problems = Problems()
    accounts = choose(problems, locked, asked, may=may_move, verb="moves")
    problems.found += already_there(_moves(accounts, asked), target)
    order = [path for path, _ in asked]
    return accounts, sorted(problems.found, key=lambda problem: order.index(problem.path))


def _moves(accounts: Sequence[SocialAccount], asked: Asked) -> list[Move]:
    return [
        Move(_path(account, asked), account.display_name or "", place_of(account)) for account in accounts
    ]


def _path(account: SocialAccount, asked: Asked) -> tuple[str, ...]:
    return next(path for path, hold_id in asked if hold_id == account.hold_id)


def _reseal(
    call: Call, accounts: Sequence[SocialAccount], asked: Asked, target: Holder
) -> Mapping[UUID, Sealed] | Refused[InvalidInput]:
    """The accounts' access tokens, sealed for their next holder."""
    problems = Problems()
    resealed: dict[UUID, Sealed] = {}
    for account in accounts:
        try:
            resealed[account.id] = access_tokens.reseal_for(call, account, target)
        except CannotOpen:
            message = "Its access token cannot be opened: reconnect it where it is, then move it"
            problems.add(_path(account, asked), InvalidInputCode.OTHER, message)
    return Refused(problems.found) if problems else resealed


def _told(
    accounts: Sequence[SocialAccount], target: Holder, teams_of: Mapping[UUID, Sequence[UUID]]
) -> tuple[list[NewEvent], Counter[Holder]]:
    """What the old places and the new one are told, and by how much their numbers change."""
    events: list[NewEvent] = []
    held = Counter[Holder]()
    for account in accounts:
        source = place_of(account)
        details = {"display_name": account.display_name or "", "from": str(source), "to": str(target)}
        events += (
            NewEvent(
                source,
                EventKind.SOCIAL_ACCOUNT_MOVED,
                account.hold_id,
                details,
                ends_shares_with=teams_of.get(account.id, ()),
            ),
            NewEvent(target, EventKind.SOCIAL_ACCOUNT_MOVED, account.hold_id, details),
        )
        held[source] -= 1
        held[target] += 1
    return events, held


async def _write(
    session: AsyncSession,
    call: Call,
    accounts: Sequence[SocialAccount],
    resealed: Mapping[UUID, Sealed],
    target: Holder,
) -> list[SocialAccountRow]:
    """Give the rows their next holder; in one statement, and only where all of them are what was read.

    An envelope is bound to its row and holder and never made twice, so comparing it compares those too.
    """
    if not accounts:
        return []
    user_id, workspace_id = columns_of(target)
    before = [account.access_token for account in accounts]
    hold_ids = [account.hold_id for account in accounts]
    statement = (
        sa.update(SocialAccount)
        .where(col(SocialAccount.id).in_(resealed), col(SocialAccount.access_token).in_(before))
        .values(
            holder_user_id=user_id,
            holder_workspace_id=workspace_id,
            access_token=sa.case(
                *(
                    (col(SocialAccount.id) == row_id, sa.literal(envelope, SealedText()))
                    for row_id, envelope in resealed.items()
                )
            ),
            updated_at=call.now,
        )
        .returning(SocialAccount)
    )
    written = await session.scalars(
        statement, execution_options={"populate_existing": True, "synchronize_session": False}
    )
    moved = {account.hold_id: row_of(account, SocialAccountRow) for account in written.all()}
    if len(moved) != len(accounts):
        raise ChangedMeanwhile
    return [moved[hold_id] for hold_id in hold_ids]


async def write_moves(
    session: AsyncSession, call: Call, moves: Sequence[tuple[SocialAccountRow, Sealed]], target: Holder
) -> None:
    """Give accounts their next holder, with new access tokens; the holders of both places are locked."""
    raise NotImplementedError
