"""Moving social accounts from one place to another, so that nobody else can slip in between.

A move is one UPDATE of rows that stay held: they are never free. What was given in the old place alone
(the teams there) is left behind; id, nickname, times, who connected them and the history stay. So does
the Facebook account that vouched for them: it is its user's, wherever they are, and seen by nobody else.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from graphql_api.adapters.sealing import CannotOpen
from graphql_api.domain import holders
from graphql_api.domain.events import EventKind, NewEvent
from graphql_api.domain.holders import Holder, Personal, columns_of
from graphql_api.domain.inputs import InvalidInput, InvalidInputCode, Problems, check_item_count
from graphql_api.domain.moves import Move, NoRoom, without_room
from graphql_api.domain.permissions import Action, may
from graphql_api.domain.refusals import Refused
from graphql_api.domain.secrets import Sealed
from graphql_api.services.accounts import access_tokens
from graphql_api.services.accounts.social_accounts import (
    IDS,
    Locked,
    choose,
    end_shares,
    event_of,
    lock_accounts,
    place_of,
    places_in_list,
)
from graphql_api.services.calls import access, mails, quotas, retries
from graphql_api.services.calls.call import Call
from graphql_api.services.calls.retries import Retry
from graphql_api.services.history import recording
from graphql_api.storage import tables
from graphql_api.storage.columns import SealedText
from graphql_api.storage.database import rows_within
from graphql_api.storage.faults import ChangedMeanwhile
from graphql_api.storage.rows import SocialAccountRow, columns, row_of
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


Moved = Sequence[SocialAccountRow]
MoveRefused = Refused[InvalidInput | NoRoom]


async def move(call: Call, command: MoveCommand) -> Moved | MoveRefused:
    """Move social accounts, all or none, from where the viewer may take them to where they may put them.

    Raises:
        RateLimited: the viewer wrote too much.
    """
    await quotas.count_writes(call, len(command.hold_ids))
    repeatable = command.idempotency_key is not None
    return await call.transact(lambda session: _move(session, call, command), repeatable=repeatable)


async def _move(session: AsyncSession, call: Call, command: MoveCommand) -> Moved | MoveRefused:
    viewer = await access.lock_viewer(session, call)
    retry = command.retry()
    recalled = await retries.recall(partial(rows_within, session), call, retry)
    if recalled.expired and retry is not None:
        await retries.forget(session, call, retry)
    if recalled.outcome is not None:
        return await _replay(session, call, recalled.outcome)
    problems = Problems()
    check_item_count(problems, IDS, command.hold_ids, least=1)
    asked = [] if problems else places_in_list(command.hold_ids)
    locked = await lock_accounts(
        session,
        call,
        [hold_id for _, hold_id in asked],
        and_workspaces=[] if command.workspace_id is None else [command.workspace_id],
    )
    target, used, found = _target(command, viewer, locked)
    chosen = choose(problems, locked, asked, Action.MOVE, verb="moves", target=target)
    all_problems = [*problems.found, *found, *filter(None, [recalled.problem])]
    if all_problems:
        return Refused(all_problems)
    full = without_room(
        [Move(path, account.platform, account.display_name or "") for path, account in chosen.items()],
        limit=call.services.rules.max_accounts_per_holder,
        used=used,
    )
    if full:
        return Refused(full)
    resealed = _reseal(call, chosen, target)
    if isinstance(resealed, Refused):
        return resealed
    moved = await write_moves(session, call, resealed, target)
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
    target = holders.Workspace(command.workspace_id)
    if command.workspace_id not in locked.workspaces:
        return target, 0, (_at_workspace(InvalidInputCode.NOT_FOUND, "There is no such Workspace"),)
    workspace, role = locked.workspaces[command.workspace_id]
    if not may(role, Action.MOVE):
        message = "Only an admin of the Workspace moves social accounts into it"
        return target, 0, (_at_workspace(InvalidInputCode.NOT_ALLOWED, message),)
    return target, workspace.held_count, ()


def _at_workspace(code: InvalidInputCode, message: str) -> InvalidInput:
    return InvalidInput(("input", "workspaceId"), code, message)


def _reseal(
    call: Call, chosen: Mapping[tuple[str, ...], SocialAccount], target: Holder
) -> Sequence[tuple[SocialAccountRow, Sealed | None]] | Refused[InvalidInput]:
    """The accounts with their access tokens, sealed for their next holder; one may have lost its own."""
    problems = Problems()
    resealed = []
    for path, account in chosen.items():
        try:
            has_one = account.access_token is not None
            envelope = access_tokens.reseal_for(call, account, target) if has_one else None
        except CannotOpen:
            message = "Its access token cannot be opened: reconnect it where it is, then move it"
            problems.add(path, InvalidInputCode.OTHER, message)
        else:
            resealed.append((row_of(account, SocialAccountRow), envelope))
    return Refused(problems.found) if problems else resealed


async def write_moves(
    session: AsyncSession,
    call: Call,
    moves: Sequence[tuple[SocialAccountRow, Sealed | None]],
    target: Holder,
) -> Moved:
    """Give social accounts their next holder, with the access tokens that are sealed for it; in their order.

    The caller has locked the holders of both sides. They get the events and counts, the accounts leave their
    teams, and the other admins of a Workspace that they leave get a mail.

    Raises:
        ChangedMeanwhile: one of them is not held any more by the place that it was read in.
    """
    ids = [account.id for account, _ in moves]
    await _lock_as_read(session, [account for account, _ in moves])
    teams_of = await end_shares(session, ids)
    user_id, workspace_id = columns_of(target)
    moved = await session.execute(
        sa.update(SocialAccount)
        .where(col(SocialAccount.id).in_(ids))
        .values(
            holder_user_id=user_id,
            holder_workspace_id=workspace_id,
            access_token=sa.case(
                *(
                    (col(SocialAccount.id) == account.id, sa.literal(envelope, SealedText()))
                    for account, envelope in moves
                )
            ),
            updated_at=call.now,
        )
        .returning(*columns(SocialAccount, SocialAccountRow))
        .execution_options(synchronize_session=False)
    )
    events: list[NewEvent] = []
    held = Counter[Holder]()
    leaving: dict[Holder, list[str]] = defaultdict(list)
    for account, _ in moves:
        source, teams = place_of(account), teams_of.get(account.id, ())
        leaving[source].append(account.display_name)
        kind, details = EventKind.SOCIAL_ACCOUNT_MOVED, {"from": str(source), "to": str(target)}
        events.append(event_of(account, kind, details, ends_shares_with=teams))
        events.append(event_of(account, kind, details, place=target))
        held[source] -= 1
        held[target] += 1
    await recording.record(session, call, events, held=held)
    for source, names in leaving.items():
        if isinstance(source, holders.Workspace):
            await mails.tell_admins_of_move(session, call, workspace_id=source.workspace_id, accounts=names)
    by_id = {row[0]: SocialAccountRow(*row) for row in moved}
    return [by_id[row_id] for row_id in ids]


async def _lock_as_read(session: AsyncSession, accounts: Sequence[SocialAccountRow]) -> None:
    """Lock social accounts by their keys, where they are what was read of them.

    Raises:
        ChangedMeanwhile: they are not.
    """
    held = (SocialAccount.hold_id, SocialAccount.holder_user_id, SocialAccount.holder_workspace_id)
    locked = (
        sa.select(*map(col, held))
        .where(col(SocialAccount.id).in_([account.id for account in accounts]))
        .order_by(col(SocialAccount.platform), col(SocialAccount.external_id))
        .with_for_update(key_share=True)
    )
    read = {(one.hold_id, one.holder_user_id, one.holder_workspace_id) for one in accounts}
    if {tuple(row) for row in await session.execute(locked)} != read:
        raise ChangedMeanwhile
