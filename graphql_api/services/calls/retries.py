"""Retries: a call that was sent with an idempotency key gives the same outcome when it is sent again.

Only successes are kept, as outcomes and ids; the input as a keyed hash. Whoever asks has locked the
viewer's row, so that of two calls at once the second one finds what the first one kept.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from graphql_api.domain.inputs import InvalidInput, InvalidInputCode, Problems, check_idempotency_key
from graphql_api.services.calls.call import Call
from graphql_api.storage.tables import IdempotencyKey

_PATH = ("input", "idempotencyKey")


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


async def recall(session: AsyncSession, call: Call, retry: Retry | None) -> Recalled:
    """Was this call answered with a success before?"""
    if retry is None:
        return Recalled()
    problems = Problems()
    check_idempotency_key(problems, _PATH, retry.key)
    if problems:
        return Recalled(problem=problems.found[0])
    kept = await session.get(IdempotencyKey, (call.viewer.user_id, retry.operation, retry.key))
    if kept is None:
        return Recalled()
    if kept.expires_at <= call.now:
        session.expunge(kept)
        await _forget(session, kept)
        return Recalled()
    if not call.services.keyring.has_fingerprint(_material(call, retry), kept.input_hash):
        return Recalled(problem=_used_otherwise())
    return Recalled(outcome=kept.outcome)


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


async def _forget(session: AsyncSession, kept: IdempotencyKey) -> None:
    await session.execute(
        sa.delete(IdempotencyKey).where(
            col(IdempotencyKey.user_id) == kept.user_id,
            col(IdempotencyKey.operation) == kept.operation,
            col(IdempotencyKey.key) == kept.key,
        )
    )


def _material(call: Call, retry: Retry) -> object:
    """What is hashed: bound to its row, so that equal inputs of two people do not look alike."""
    return [str(call.viewer.user_id), retry.operation, retry.key, retry.input]
