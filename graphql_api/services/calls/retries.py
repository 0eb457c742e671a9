"""Retries: a call that was sent with an idempotency key gives the same outcome when it is sent again.

Only successes are kept, as outcomes and ids; the input as a keyed hash. Whoever asks has locked the
viewer's row, so that of two calls at once the second one finds what the first one kept.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from graphql_api.domain.inputs import InvalidInput, InvalidInputCode, Problems, check_idempotency_key
from graphql_api.services.calls.call import Call
from graphql_api.storage.claiming import NewKey
from graphql_api.storage.prepared import Prepared
from graphql_api.storage.tables import IdempotencyKey

_PATH = ("input", "idempotencyKey")
ReadRows = Callable[..., Awaitable[list[Any]]]
"""How prepared reads are run: by `call.rows`, or within the transaction of a session."""


@dataclass(frozen=True, slots=True)
class Retry:
    """What tells a retry: the caller's key for this operation, and all that they asked for under it."""

    operation: str
    key: str
    input: object


@dataclass(frozen=True, slots=True)
class Recalled:
    """What is known of an earlier call with the key: its outcome, or why the key cannot be used."""

    outcome: Mapping[str, Any] | None = None
    problem: InvalidInput | None = None
    expired: bool = False


async def recall(rows: ReadRows, call: Call, retry: Retry | None) -> Recalled:
    """Was this call answered with a success before?"""
    if retry is None:
        return Recalled()
    problem = check_key(retry)
    if problem is not None:
        return Recalled(problem=problem)
    found = await rows(_KEPT, user_id=call.viewer.user_id, operation=retry.operation, key=retry.key)
    if not found:
        return Recalled()
    input_hash, outcome, expires_at = found[0]
    if expires_at <= call.now:
        return Recalled(expired=True)
    if not call.services.keyring.has_fingerprint(_material(call, retry), input_hash):
        return Recalled(problem=_used_otherwise())
    return Recalled(outcome=orjson.loads(outcome) if isinstance(outcome, str) else outcome)


def new_key(call: Call, retry: Retry, *, now: datetime, not_connected: object) -> NewKey:
    """The key of a call, for the statement that keeps it with what it connects."""
    return NewKey(
        operation=retry.operation,
        key=retry.key,
        input_hash=call.services.keyring.fingerprint(_material(call, retry)),
        expires_at=now + call.services.rules.idempotency_key_lifetime,
        not_connected=orjson.dumps(not_connected).decode(),
    )


async def forget(session: AsyncSession, call: Call, retry: Retry) -> None:
    """Forget a key whose time is over, so that it can be used again."""
    await session.execute(
        sa.delete(IdempotencyKey).where(
            col(IdempotencyKey.user_id) == call.viewer.user_id,
            col(IdempotencyKey.operation) == retry.operation,
            col(IdempotencyKey.key) == retry.key,
            col(IdempotencyKey.expires_at) <= call.now,
        )
    )


async def remember(session: AsyncSession, call: Call, retry: Retry, outcome: dict[str, Any]) -> None:
    """Keep the outcome of a call that succeeds, in its own transaction."""
    now = call.now
    session.add(
        IdempotencyKey(
            user_id=call.viewer.user_id,
            operation=retry.operation,
            key=retry.key,
            input_hash=call.services.keyring.fingerprint(_material(call, retry)),
            outcome=outcome,
            created_at=now,
            expires_at=now + call.services.rules.idempotency_key_lifetime,
        )
    )
    await session.flush()


def check_key(retry: Retry) -> InvalidInput | None:
    """What is wrong with the key of this call, if anything?"""
    problems = Problems()
    check_idempotency_key(problems, _PATH, retry.key)
    return problems.found[0] if problems else None


def gone() -> InvalidInput:
    """The earlier call succeeded, and something of its outcome is no longer there for the viewer."""
    return InvalidInput(
        _PATH,
        InvalidInputCode.NOT_FOUND,
        "The call with this key succeeded, and you cannot see all of its accounts any more. "
        "Look, and use a new key",
    )


def _used_otherwise() -> InvalidInput:
    return InvalidInput(
        _PATH,
        InvalidInputCode.DUPLICATE,
        "This key was used for another input. Use a new key for each new call",
    )


def _material(call: Call, retry: Retry) -> object:
    """What is hashed: bound to its row, so that equal inputs of two people do not look alike."""
    return [str(call.viewer.user_id), retry.operation, retry.key, retry.input]


_KEPT = Prepared[Any](
    sa.select(
        col(IdempotencyKey.input_hash), col(IdempotencyKey.outcome), col(IdempotencyKey.expires_at)
    ).where(
        *(
            col(getattr(IdempotencyKey, name)) == sa.bindparam(name, type_=kind)
            for name, kind in (("user_id", sa.Uuid()), ("operation", sa.String()), ("key", sa.String()))
        )
    )
)
