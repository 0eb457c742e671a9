"""Asking Meta again whether our access works, login by login, spread over the day.

An account is due at its `next_check_at`: an hour after it was connected, then once a day. With it all
accounts of its login are asked about, in one look at the login's Pages, and once a week what its access
token is. A lease keeps other processes away from a login. It lasts an hour, so that nothing is asked twice
in it, whatever ends the process. What is asked about stays due until the answer is written.
"""

import asyncio
import random
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID, uuid4

import sqlalchemy as sa
import structlog
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from graphql_api.adapters.graph.alarms import Alarms
from graphql_api.adapters.graph.client import GraphClient
from graphql_api.domain.faults import TemporarilyUnavailable
from graphql_api.domain.holders import Holder, Personal, holder_of
from graphql_api.domain.proofs import AccessTokenProblem, Trouble
from graphql_api.services.accounts import proving, watching
from graphql_api.services.accounts.watching import Answer, Answers, Kept
from graphql_api.services.calls import access
from graphql_api.services.calls.call import Call, Services
from graphql_api.storage.columns import UtcDateTime
from graphql_api.storage.faults import ChangedMeanwhile
from graphql_api.storage.statements import take_leases
from graphql_api.storage.tables import CheckLease, FacebookAccount, SocialAccount

AT_ONCE = 8  # logins that one process asks about side by side
LOOK_EVERY = 5.0  # seconds between two looks for what is due
BUSY_WAIT = 60.0  # seconds to rest while Meta's limits are near
LEASE = timedelta(hours=1)
DAILY, AFTER_DOUBT, AFTER_SILENCE = timedelta(days=1), timedelta(minutes=65), timedelta(minutes=15)
MARKED_AT_ONCE = 1000
WEEK = 7  # days in which each login's access token is looked at once
WINDOW, FEWEST, SHARE = timedelta(minutes=10), 50, 0.05  # beyond these, failures are our own fault

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Failures:
    """The checks of the last ten minutes: if too many newly fail, the fault is ours, and nothing flips."""

    checks: deque[tuple[datetime, int, int]] = field(default_factory=deque)
    alarms: Alarms = field(default_factory=lambda: Alarms(time.monotonic))

    def are_ours(self, checked: int, failed: int, *, now: datetime) -> bool:
        """Count checks and those that newly failed: are there too many by now?"""
        self.checks.append((now, checked, failed))
        while self.checks[0][0] < now - WINDOW:
            self.checks.popleft()
        all_checked = sum(one[1] for one in self.checks)
        all_failed = sum(one[2] for one in self.checks)
        return all_failed >= FEWEST and all_failed > SHARE * all_checked


@dataclass(slots=True)
class Tally:
    """How much was done."""

    logins: int = 0
    accounts: int = 0


Progress = Callable[[Tally, int], None]
"""Told after each batch: what was done, and how many accounts are still due."""


@asynccontextmanager
async def running(services: Services) -> AsyncIterator[None]:
    """Re-check until the block ends; never where nobody is asked."""
    if services.meta is None:
        yield
        return
    task = asyncio.create_task(_run(services, services.meta))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _run(services: Services, meta: GraphClient) -> None:
    failures = Failures()
    while True:
        # Servers that start together do not look together.
        await asyncio.sleep(random.uniform(0.5, 1.5) * (BUSY_WAIT if meta.busy else LOOK_EVERY))  # noqa: S311
        try:
            while not meta.busy and await _batch(services, meta, failures, Tally()):
                pass
        except TemporarilyUnavailable:
            continue
        except Exception:
            # Nobody waits for this task: it goes on, and the log says what happened.
            log.exception("rechecks.failed")


async def recheck(services: Services, progress: Progress, *, everything: bool = False) -> Tally | None:
    """Re-check all that is due, or all that is held; None where nobody is asked."""
    meta = services.meta
    if meta is None:
        return None
    if everything:
        await services.database.transact(lambda session: _make_due(session, services.clock()))
    tally, failures = Tally(), Failures()
    while await _batch(services, meta, failures, tally):
        progress(tally, await services.database.read(lambda session: _count_due(session, services.clock())))
    return tally


async def _batch(services: Services, meta: GraphClient, failures: Failures, tally: Tally) -> bool:
    """Ask about some logins that are due; False if none is."""
    now = services.clock()
    leased = await services.database.transact(lambda session: _lease(session, now))
    done = await asyncio.gather(
        *(_check(services, meta, failures, key, is_login) for key, is_login in leased)
    )
    tally.logins += len(leased)
    tally.accounts += sum(done)
    return bool(leased)


async def _lease(session: AsyncSession, now: datetime) -> list[tuple[UUID, bool]]:
    """Take some logins that are due and that nobody else asks about; or accounts that have none any more."""
    login_id, hold_id = col(SocialAccount.facebook_account_id), col(SocialAccount.hold_id)
    key = sa.func.coalesce(login_id, hold_id, type_=sa.Uuid())
    is_leased = sa.exists().where(col(CheckLease.key) == key, col(CheckLease.until) > now)
    due = (
        sa.select(key, login_id.is_not(None))
        .where(hold_id.is_not(None), col(SocialAccount.next_check_at) <= now, ~is_leased)
        .order_by(col(SocialAccount.next_check_at))
        .limit(AT_ONCE * 5)  # several may be of one login
    )
    wanted = dict((await session.execute(due)).all())
    if not wanted:
        return []
    taken = await take_leases(session, list(wanted)[:AT_ONCE], now=now, until=now + LEASE)
    return [(key, wanted[key]) for key in taken]


async def _check(services: Services, meta: GraphClient, failures: Failures, key: UUID, is_login: bool) -> int:
    """Ask about one login, and write what Meta said; how many accounts it was about."""
    call = Call(services, None, request_id=f"recheck-{uuid4()}")
    which = col(SocialAccount.facebook_account_id if is_login else SocialAccount.hold_id) == key
    if not await call.read(lambda session: _is_due(session, which, call.now)):
        # Another process wrote its answer while this one took the lease.
        await call.transact(partial(_give_back, key=key))
        return 0
    kept = await call.read(lambda session: watching.read(session, call, which))
    thorough = key.int % WEEK == call.now.toordinal() % WEEK
    give_up_at = time.monotonic() + proving.DEADLINE
    answers = await watching.ask(meta, kept, give_up_at=give_up_at, thorough=thorough)
    answers = _without_our_fault(failures, kept, answers, now=call.now)

    async def work(session: AsyncSession) -> None:
        places = await _places(session, kept)
        owner = await session.get(FacebookAccount, key) if is_login else None
        owners = [] if owner is None else [Personal(owner.user_id)]  # who may write to the login
        await access.lock_places(session, call, [*owners, *places.values()])
        if await _places(session, kept) != places:
            raise ChangedMeanwhile
        await _lock(session, which)
        await watching.write(session, call, kept, answers)
        await _plan_next(session, which, kept, answers, now=call.now)
        await _give_back(session, key)

    await call.transact(work)
    return len(kept)


def _without_our_fault(
    failures: Failures, kept: Sequence[Kept], answers: Answers, *, now: datetime
) -> Answers:
    """The answers; as if Meta had not answered, where too many newly fail."""
    was_broken = {one.hold_id for one in kept if one.was_broken}
    failed = [
        hold_id
        for hold_id, answer in answers.accounts.items()
        if answer.trouble is not None and not answer.trouble.retryable and hold_id not in was_broken
    ]
    if not failures.are_ours(len(kept), len(failed), now=now) or not failed:
        return answers
    failures.alarms.ring("rechecks.too_many_fail", accounts=len(failed))
    silent = dict.fromkeys(failed, Answer(Trouble(AccessTokenProblem.UNVERIFIABLE)))
    return Answers({**answers.accounts, **silent}, {})


async def _places(session: AsyncSession, kept: Sequence[Kept]) -> Mapping[UUID, Holder]:
    """Who holds these accounts, by hold; what was let go is absent."""
    statement = sa.select(
        col(SocialAccount.hold_id), col(SocialAccount.holder_user_id), col(SocialAccount.holder_workspace_id)
    ).where(col(SocialAccount.hold_id).in_([one.hold_id for one in kept]))
    rows = (await session.execute(statement)).all()
    found = {hold_id: holder_of(user_id, workspace_id) for hold_id, user_id, workspace_id in rows}
    return {hold_id: holder for hold_id, holder in found.items() if hold_id and holder}


async def _plan_next(
    session: AsyncSession,
    which: sa.ColumnElement[bool],
    kept: Sequence[Kept],
    answers: Answers,
    *,
    now: datetime,
) -> None:
    """Say when each account is due again: tomorrow, or sooner where Meta did not answer or left a doubt."""
    sooner: dict[timedelta, list[UUID]] = {AFTER_SILENCE: [], AFTER_DOUBT: []}
    for one in kept:
        trouble = answers.accounts.get(one.hold_id, Answer()).trouble
        if trouble is not None and trouble.retryable:
            sooner[AFTER_SILENCE].append(one.hold_id)
        elif trouble is not None and not trouble.final and not one.was_broken:
            sooner[AFTER_DOUBT].append(one.hold_id)
    hold_id = col(SocialAccount.hold_id)
    tomorrow = now + DAILY * random.uniform(0.95, 1.0)  # noqa: S311 - jitter
    due: sa.ColumnElement[datetime] = sa.literal(tomorrow, UtcDateTime)
    for after, ids in sooner.items():
        due = sa.case((hold_id.in_(ids), sa.literal(now + after, UtcDateTime)), else_=due) if ids else due
    await session.execute(
        sa.update(SocialAccount)
        .where(which, hold_id.is_not(None))
        .values(next_check_at=due)
        .execution_options(synchronize_session=False)
    )


async def _is_due(session: AsyncSession, which: sa.ColumnElement[bool], now: datetime) -> bool:
    due = sa.select(sa.exists().where(which, col(SocialAccount.next_check_at) <= now))
    return bool((await session.execute(due)).scalar_one())


async def _give_back(session: AsyncSession, key: UUID) -> None:
    await session.execute(sa.delete(CheckLease).where(col(CheckLease.key) == key))


async def _lock(session: AsyncSession, which: sa.ColumnElement[bool]) -> None:
    """Lock accounts by their keys, as everywhere."""
    in_order = (
        sa.select(col(SocialAccount.id))
        .where(which)
        .order_by(col(SocialAccount.platform), col(SocialAccount.external_id))
        .with_for_update(key_share=True)
    )
    await session.execute(in_order)


async def _make_due(session: AsyncSession, now: datetime) -> None:
    """Make everything due, but for what somebody writes to just now: that is not waited for."""
    free = sa.select(col(SocialAccount.id)).where(col(SocialAccount.hold_id).is_not(None))
    ids = (await session.scalars(free.with_for_update(key_share=True, skip_locked=True))).all()
    for first in range(0, len(ids), MARKED_AT_ONCE):
        await session.execute(
            sa.update(SocialAccount)
            .where(col(SocialAccount.id).in_(ids[first : first + MARKED_AT_ONCE]))
            .values(next_check_at=now)
            .execution_options(synchronize_session=False)
        )


async def _count_due(session: AsyncSession, now: datetime) -> int:
    due = sa.select(sa.func.count()).where(
        col(SocialAccount.hold_id).is_not(None), col(SocialAccount.next_check_at) <= now
    )
    return int((await session.execute(due)).scalar_one())
