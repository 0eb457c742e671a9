"""Mailing places whose access breaks soon or broke: one mail a day at most, and once for each stage."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from uuid import uuid4

import sqlalchemy as sa
import structlog
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from graphql_api.domain.faults import TemporarilyUnavailable
from graphql_api.domain.health import BETWEEN_MAILS, BROKE, WARNED_BEFORE, warning_due
from graphql_api.domain.holders import Holder, Personal, holder_of
from graphql_api.domain.mails import MailKind
from graphql_api.services.calls import access, mails
from graphql_api.services.calls.call import Call, Services
from graphql_api.storage.tables import SocialAccount, User, Workspace

EVERY = timedelta(minutes=10)
PLACES = 100  # in one look
MOST_NAMED = 20  # accounts that one mail names
_HOLDERS = ((User, SocialAccount.holder_user_id), (Workspace, SocialAccount.holder_workspace_id))

log = structlog.get_logger(__name__)


@asynccontextmanager
async def running(services: Services) -> AsyncIterator[None]:
    """Mail now and then until the block ends; never where nobody is asked."""
    if services.meta is None:
        yield
        return
    task = asyncio.create_task(_run(services))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _run(services: Services) -> None:
    while True:
        await asyncio.sleep(EVERY.total_seconds() * random.uniform(0.5, 1))  # noqa: S311 - jitter
        try:
            await warn(services)
        except TemporarilyUnavailable:
            continue
        except Exception:
            # Nobody waits for this task: it goes on, and the log says what happened.
            log.exception("warnings.failed")


async def warn(services: Services) -> int:
    """Mail every place that is to be warned; how many were."""
    warned = 0
    if services.meta is None:
        return warned
    call = Call(services, None, request_id=f"warning-{uuid4()}")
    while True:
        places = await call.read(partial(_places, call=call))
        for place in places:
            warned += await call.transact(partial(_warn, call=call, place=place))
        if len(places) < PLACES:
            return warned


def _may_be_due(call: Call) -> sa.ColumnElement[bool]:
    """Whether an account may have a warning due: `domain.health.warning_due` decides."""
    account, now = SocialAccount, call.now
    assert call.services.meta is not None  # noqa: S101 - the callers have looked
    stages = [
        sa.and_(
            sa.or_(col(account.warned_days).is_(None), col(account.warned_days) > BROKE),
            sa.or_(col(account.health_problem).is_not(None), col(account.breaks_at) <= now),
        ),
        *(
            sa.and_(
                sa.or_(col(account.warned_days).is_(None), col(account.warned_days) > days),
                col(account.breaks_at) <= now + timedelta(days=days),
            )
            for days in WARNED_BEFORE
        ),
    ]
    return sa.and_(
        col(account.hold_id).is_not(None),
        col(account.proof_source) == call.services.meta.source,
        col(account.checked_at).is_not(None),
        sa.or_(*stages),
    )


async def _places(session: AsyncSession, call: Call) -> list[Holder]:
    """Places that may have to be warned, and were not mailed within a day."""
    long_ago = call.now - BETWEEN_MAILS
    found: list[Holder] = []
    for table, holder in _HOLDERS:
        mailed = col(table.health_mailed_at)
        statement = (
            sa.select(col(table.id))
            .join(SocialAccount, col(holder) == col(table.id))
            .where(_may_be_due(call), sa.or_(mailed.is_(None), mailed <= long_ago))
            .distinct()
            .limit(PLACES - len(found))
        )
        for one in (await session.scalars(statement)).all():
            place = holder_of(one, None) if table is User else holder_of(None, one)
            found += [] if place is None else [place]
    return found


async def _warn(session: AsyncSession, call: Call, place: Holder) -> bool:
    """Mail a place about all its accounts that have a warning due, if it still has any."""
    assert call.services.meta is not None  # noqa: S101 - the callers have looked
    await access.lock_places(session, call, [place])
    row: User | Workspace | None
    if isinstance(place, Personal):
        row, holder = await session.get(User, place.user_id), col(SocialAccount.holder_user_id)
    else:
        row = await session.get(Workspace, place.workspace_id)
        holder = col(SocialAccount.holder_workspace_id)
    if row is None or (row.health_mailed_at is not None and row.health_mailed_at > call.now - BETWEEN_MAILS):
        return False
    statement = (
        select(SocialAccount)
        .where(_may_be_due(call), holder == row.id)
        .order_by(col(SocialAccount.platform), col(SocialAccount.external_id))
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    names = []
    for account in (await session.scalars(statement)).all():
        stage = warning_due(account, account.warned_days, source=call.services.meta.source, now=call.now)
        if stage is not None:
            account.warned_days = stage
            names.append('"' + (account.display_name or account.external_id).replace('"', "'") + '"')
    row.health_mailed_at = call.now  # also where it had none due after all: it is looked at again tomorrow
    await session.flush()
    more = len(names) - MOST_NAMED
    told = ", ".join(names[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
    if names:
        await mails.tell_place(session, call, MailKind.ACCESS_BREAKS, place, {"accounts": told})
    return bool(names)
