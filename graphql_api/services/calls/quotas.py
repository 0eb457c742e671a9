"""How often in an hour a user may look accounts up, ask for them, change them, and have Meta asked.

A use is counted before, whatever the answer is, in a short transaction of its own, so that a refusal does not
undo it. What is beyond the quota is refused and not counted, and waits until the hour is over.
"""

import hashlib
import math
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlmodel import col

from graphql_api.domain.faults import RateLimited, TemporarilyUnavailable
from graphql_api.domain.inputs import MAX_ITEMS
from graphql_api.services.calls.call import Call
from graphql_api.storage.hot import OneStatement, numbered
from graphql_api.storage.prepared import Prepared
from graphql_api.storage.tables import Attempts

_HOUR = timedelta(hours=1)


async def count_look_ups(call: Call, accounts: int) -> None:
    """Count the accounts of one look-up, for the viewer.

    Raises:
        RateLimited: these would be more than an hour has.
    """
    await _spend(call, "look-up", accounts, quota=call.services.rules.look_ups_per_user)


async def count_verification(call: Call) -> None:
    """Count that Meta is asked for the viewer, so that one user does not use up what the app may ask.

    Raises:
        RateLimited: Meta was asked for them as often as an hour has.
    """
    await _spend(call, "verification", 1, quota=call.services.rules.verifications_per_user)


async def count_login_verification(call: Call, facebook_user_id: str) -> None:
    """Count that Meta is asked about a Facebook login; it has said before that the access token is its own.

    Raises:
        RateLimited: Meta was asked about it as often as an hour has.
    """
    quota = call.services.rules.verifications_per_user
    await _spend(call, "verification-of", 1, quota=quota, whose=facebook_user_id)


async def count_access_request(call: Call) -> None:
    """Count a request for access to a social account, for the viewer.

    Raises:
        RateLimited: the viewer has asked as often as an hour has.
    """
    await _spend(call, "access-request", 1, quota=call.services.rules.access_requests_per_user)


async def count_writes(call: Call, accounts: int) -> None:
    """Count accounts that the viewer is about to connect, move or change; it grows the database each time.

    A process tells the database only after some of them, so that most calls ask it nothing. So it may let
    that many through beyond the quota.

    Raises:
        RateLimited: these would be more than an hour has.
    """
    quota, untold = call.services.rules.writes_per_user, call.services.writes_untold
    user_id = call.viewer.user_id
    before = untold.pop(user_id, 0)
    count = before + min(accounts, MAX_ITEMS + 1)  # with its login; a call that names more is refused
    if count >= quota // _PARTS:
        try:
            await _spend(call, "write", min(count, quota), quota=quota)
        except Exception:
            if before:
                untold[user_id] = untold.get(user_id, 0) + before
            raise
        return
    untold[user_id] = count
    while len(untold) > _MOST_UNTOLD:
        untold.popitem(last=False)


async def _spend(call: Call, what: str, amount: int, *, quota: int, whose: str | None = None) -> None:
    key, now = hashlib.sha256(f"{what}\x1f{whose or call.viewer.user_id}".encode()).digest(), call.now
    values = {"key": key, "amount": amount, "quota": quota, "now": now, "window_ends_at": now + _HOUR}
    for _ in range(_TRIES):
        # Counted twice at worst, where a connection broke: better than a call that fails.
        spend = OneStatement(_SPEND, values, repeatable=True)
        if amount <= quota and await call.write_at_once(spend, places=()):
            return
        found = await call.rows(_SPENT, key=key)
        ends_at, spent = found[0] if found else (now + _HOUR, 0)
        if ends_at > now and spent + amount > quota:
            seconds = math.ceil((ends_at - now).total_seconds())
            raise RateLimited("Too many attempts; please wait", retry_after=seconds)
    raise TemporarilyUnavailable


_TRIES = 10
_PARTS = 400  # of the quota for writes: what a process counts of it before it tells the database
_MOST_UNTOLD = 10_000  # users for whom it does
_SPEND = numbered("""
INSERT INTO attempts AS spent (key, count, window_ends_at) VALUES (:key, :amount, :window_ends_at)
ON CONFLICT (key) DO UPDATE SET
  count = CASE WHEN spent.window_ends_at <= :now THEN 0 ELSE spent.count END + excluded.count,
  window_ends_at = CASE WHEN spent.window_ends_at <= :now
    THEN excluded.window_ends_at ELSE spent.window_ends_at END
WHERE spent.window_ends_at <= :now OR spent.count + excluded.count <= :quota
RETURNING count""")
_SPENT = Prepared[tuple[datetime, int]](
    sa.select(col(Attempts.window_ends_at), col(Attempts.count)).where(
        col(Attempts.key) == sa.bindparam("key", type_=sa.LargeBinary())
    )
)
