"""How often in an hour a user may look accounts up and ask for them: counted before, whatever the answer is.

A use is counted in a short transaction of its own, so that a refusal does not undo it. What is beyond the
quota is refused and not counted, and waits until the hour is over.
"""

import hashlib
import math
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import select

from graphql_api.domain.faults import RateLimited
from graphql_api.services.calls.call import Call
from graphql_api.storage.statements import insert_missing
from graphql_api.storage.tables import Attempts

_HOUR = timedelta(hours=1)


async def count_look_ups(call: Call, accounts: int) -> None:
    """Count the accounts of one look-up, for the viewer.

    Raises:
        RateLimited: these would be more than an hour has.
    """
    await _spend(call, "look-up", accounts, quota=call.services.rules.look_ups_per_user)


async def count_access_request(call: Call) -> None:
    """Count a request for access to a social account, for the viewer.

    Raises:
        RateLimited: the viewer has asked as often as an hour has.
    """
    await _spend(call, "access-request", 1, quota=call.services.rules.access_requests_per_user)


async def _spend(call: Call, what: str, amount: int, *, quota: int) -> None:
    key = hashlib.sha256(f"{what}\x1f{call.viewer.user_id}".encode()).digest()
    now = call.now

    async def work(session: AsyncSession) -> None:
        await insert_missing(session, Attempts, [{"key": key, "count": 0, "window_ends_at": now}])
        locked = select(Attempts).where(Attempts.key == key).with_for_update()
        row = (await session.scalars(locked)).one()
        if row.window_ends_at <= now:
            row.count, row.window_ends_at = 0, now + _HOUR
        if row.count + amount > quota:
            seconds = math.ceil((row.window_ends_at - now).total_seconds())
            raise RateLimited("Too many attempts; please wait", retry_after=seconds)
        row.count += amount
        await session.flush()

    await call.transact(work)
