"""Removing what nobody needs any more, a bounded batch a transaction, beside the requests.

    idempotency_keys   expired
    attempts           their window is over
    check_leases       they ran out
    email_codes        used or expired, and the retention is over
    invitations        accepted, declined, revoked or expired, and the retention is over
    api_tokens         revoked or expired, and the retention is over
    mails              sent or given up, and the retention is over
    events             their own retention is over; without one they are kept for ever

Doing it again, or stopping in between, does no harm. On PostgreSQL one process does it at a time.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from graphql_api.domain.faults import TemporarilyUnavailable
from graphql_api.domain.mails import MAX_ATTEMPTS
from graphql_api.services.calls.call import Rules, Services
from graphql_api.storage.tables import (
    ApiToken,
    Attempts,
    CheckLease,
    EmailCode,
    Event,
    IdempotencyKey,
    Invitation,
    Mail,
)

BATCH = 1000
LOCK = 0x7469_6479  # "tidy"; the number of an advisory lock is our own to choose

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Sweep:
    """A table, and which of its rows may go."""

    table: Any
    gone: Callable[[datetime, Rules], sa.ColumnElement[bool]]


SWEEPS: Sequence[Sweep] = (
    Sweep(IdempotencyKey, lambda now, _: col(IdempotencyKey.expires_at) < now),
    Sweep(Attempts, lambda now, _: col(Attempts.window_ends_at) < now),
    Sweep(CheckLease, lambda now, _: col(CheckLease.until) < now),
    Sweep(
        EmailCode,
        lambda now, rules: _any_before(now - rules.retention, EmailCode.expires_at, EmailCode.used_at),
    ),
    Sweep(
        Invitation,
        lambda now, rules: _any_before(
            now - rules.retention,
            Invitation.expires_at,
            Invitation.accepted_at,
            Invitation.declined_at,
            Invitation.revoked_at,
        ),
    ),
    Sweep(
        ApiToken,
        lambda now, rules: _any_before(now - rules.retention, ApiToken.expires_at, ApiToken.revoked_at),
    ),
    Sweep(
        Mail,
        lambda now, rules: sa.or_(
            col(Mail.sent_at) < now - rules.retention,
            sa.and_(
                col(Mail.sent_at).is_(None),
                col(Mail.attempts) >= MAX_ATTEMPTS,
                col(Mail.due_at) < now - rules.retention,
            ),
        ),
    ),
)


@asynccontextmanager
async def running(services: Services, every: timedelta) -> AsyncIterator[None]:
    """Tidy now and then until the block ends; never, if `every` is nothing."""
    if not every:
        yield
        return
    task = asyncio.create_task(_run(services, every.total_seconds()))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _run(services: Services, seconds: float) -> None:
    # Servers that start together do not tidy together, and one that starts again and again does not delay.
    wait = random.uniform(0, seconds)  # noqa: S311 - jitter
    while True:
        await asyncio.sleep(wait)
        wait = seconds
        try:
            removed = await tidy(services)
        except TemporarilyUnavailable:
            continue
        except Exception:
            # Nobody waits for this task: it goes on, and the log says what happened.
            log.exception("tidying.failed")
            continue
        if removed is not None:
            log.info("tidying.done", **removed)


async def tidy(services: Services) -> Mapping[str, int] | None:
    """Remove what may go; how many rows of each table. None while another process does it."""
    removed: dict[str, int] = {}
    for sweep in SWEEPS:
        rows = await _repeat(services, _sweeping(services, sweep))
        if rows is None:
            return None
        removed[sweep.table.__tablename__] = rows
    rows = await _repeat(services, _sweeping_events(services))
    if rows is None:
        return None
    removed["events"] = rows
    return removed


async def _repeat(services: Services, batch: Callable[[AsyncSession], Awaitable[int]]) -> int | None:
    """Do batches until one removes nothing. Each has the lock anew: who dies holding it holds nobody up."""

    async def work(session: AsyncSession) -> int | None:
        return await batch(session) if await _is_ours(session, services) else None

    total = 0
    while removed := await services.database.transact(work):
        total += removed
    return None if removed is None else total


async def _is_ours(session: AsyncSession, services: Services) -> bool:
    """Is it this process's turn? On SQLite it is one process's alone."""
    if services.database.is_sqlite:
        return True
    return bool((await session.execute(sa.select(sa.func.pg_try_advisory_xact_lock(LOCK)))).scalar_one())


def _sweeping(services: Services, sweep: Sweep) -> Callable[[AsyncSession], Awaitable[int]]:
    key = sa.tuple_(*sa.inspect(sweep.table).primary_key)

    async def batch(session: AsyncSession) -> int:
        # What somebody has locked is in use, and is left for the next time.
        gone = (
            sa.select(*sa.inspect(sweep.table).primary_key)
            .where(sweep.gone(services.clock(), services.rules))
            .limit(BATCH)
            .with_for_update(skip_locked=True)
        )
        keys = (await session.execute(gone)).all()
        if keys:
            await session.execute(
                sa.delete(sweep.table)
                .where(key.in_([tuple(row) for row in keys]))
                .execution_options(synchronize_session=False)
            )
        return len(keys)

    return batch


def _sweeping_events(services: Services) -> Callable[[AsyncSession], Awaitable[int]]:
    """Events go from the front of one history at a time: what is left of a history has no gaps."""

    async def batch(session: AsyncSession) -> int:
        retention = services.rules.event_retention
        if retention is None:
            return 0
        cutoff = services.clock() - retention
        oldest = (
            await session.execute(
                sa.select(col(Event.user_id), col(Event.workspace_id), col(Event.seq))
                .where(col(Event.created_at) < cutoff)
                .order_by(col(Event.created_at))
                .limit(1)
            )
        ).first()
        if oldest is None:
            return 0
        user_id, workspace_id, seq = oldest
        history = (
            col(Event.user_id) == user_id if user_id is not None else col(Event.workspace_id) == workspace_id
        )
        front = (
            sa.select(col(Event.seq), col(Event.created_at))
            .where(history)
            .order_by(col(Event.seq))
            .limit(BATCH)
            .subquery()
        )
        last = (
            await session.execute(sa.select(sa.func.max(front.c.seq)).where(front.c.created_at < cutoff))
        ).scalar_one()
        removed: Any = await session.execute(
            sa.delete(Event)
            .where(history, col(Event.seq) <= (seq if last is None else last))
            .execution_options(synchronize_session=False)
        )
        return int(removed.rowcount)

    return batch


def _any_before(moment: datetime, *columns: Any) -> sa.ColumnElement[bool]:
    return sa.or_(*(col(column) < moment for column in columns))
