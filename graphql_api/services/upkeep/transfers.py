"""Writing down what became of requests for transfers: what time, or an answer of Meta, has made of them.

The state is right whenever it is read; this is for the events and the mails. Doing it twice, or stopping in
between, does no harm.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from uuid import UUID, uuid4

import structlog

from graphql_api.domain.faults import TemporarilyUnavailable
from graphql_api.services.accounts import transfer_requests
from graphql_api.services.calls.call import Call, Services

EVERY = timedelta(minutes=1)
BATCH = 200

log = structlog.get_logger(__name__)


@asynccontextmanager
async def running(services: Services) -> AsyncIterator[None]:
    """Settle now and then until the block ends; never where there are no transfers."""
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
        await asyncio.sleep(EVERY.total_seconds())
        try:
            await settle(services)
        except TemporarilyUnavailable:
            continue
        except Exception:
            # Nobody waits for this task: it goes on, and the log says what happened.
            log.exception("transfers.failed")


async def settle(services: Services) -> int:
    """Settle every open request that is due; how many were."""
    settled = 0
    after: UUID | None = None
    while not services.rules.transfers_paused:
        call = Call(services, None, request_id=f"transfers-{uuid4()}")
        found = await transfer_requests.unsettled(call, after, BATCH)
        for one in found:
            if one.state(call) != one.kept:
                work = partial(transfer_requests.settle, call=call, request_id=one.row.id)
                settled += await call.transact(work)
        if len(found) < BATCH:
            break
        after = found[-1].row.id
    return settled
