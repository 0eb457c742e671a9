"""Attempts to log in, to register and to have mails sent, counted in the database before the work is done.

An attempt is counted in a short transaction of its own, so that a refusal does not undo it, and before the
password is hashed, so that many at once are not free. Who succeeds gets the attempt back.
"""

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from graphql_api.domain.attempts import Allowance, wait_after
from graphql_api.domain.faults import RateLimited
from graphql_api.domain.mails import MailKind
from graphql_api.domain.networks import network_of
from graphql_api.services.calls.call import Call
from graphql_api.storage.statements import insert_missing
from graphql_api.storage.tables import Attempts

_LOG_IN_WINDOW = timedelta(minutes=15)
_REGISTRATION_WINDOW = timedelta(hours=1)
_MAIL_WINDOW = timedelta(hours=1)
_KNOWN_FOR = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class LogIn:
    """A counted attempt: the key of the account in this network, the shared ones, and of a known network."""

    here: bytes
    shared: Sequence[bytes]
    known: bytes


async def count_log_in(call: Call, email_key: str, password_hash: str | None) -> LogIn:
    """Count an attempt at an account's password, whether or not there is such an account.

    The account is slowed in the caller's network only: a stranger elsewhere does not delay the owner. All
    networks that nobody logged in to the account from lately share a ceiling as well, so that a thousand of
    them do not have a thousand times the attempts. Attempts are at a password: a new one begins without any.

    Raises:
        RateLimited: the account has to wait in this network, or the network has to wait.
    """
    rules = call.services.rules
    network = _network(call) or ""
    here = _key("account", email_key, password_hash or "", network)
    known = _key("known", email_key, network)
    shared = {
        key: Allowance(rules.free_log_ins_per_address, _LOG_IN_WINDOW) for key in _network_key(call, "log-in")
    }
    if not await call.read(lambda session: _lasts(session, known, call.now)):
        ceiling = _key("ceiling", email_key, password_hash or "")
        shared[ceiling] = Allowance(rules.free_log_ins_from_new_networks, _LOG_IN_WINDOW)
    await _count(call, {here: Allowance(rules.free_log_ins_per_account, _LOG_IN_WINDOW), **shared})
    return LogIn(here, list(shared), known)


async def forgive_log_in(call: Call, attempt: LogIn) -> None:
    """The password was right: the account starts anew in this network, which is known for a while.

    What is shared with other attempts has this one back.
    """
    until = call.now + _KNOWN_FOR

    async def work(session: AsyncSession) -> None:
        await insert_missing(session, Attempts, [{"key": attempt.known, "count": 0, "window_ends_at": until}])
        await _update(session, [attempt.known], window_ends_at=until)
        await _update(session, [attempt.here], count=0, blocked_until=None)
        one_less = sa.case((col(Attempts.count) > 0, col(Attempts.count) - 1), else_=0)
        await _update(session, attempt.shared, count=one_less, blocked_until=None)

    await call.transact(work)


async def count_confirmation(call: Call, password_hash: str) -> None:
    """Count an attempt of the viewer to confirm their password, apart from what strangers try.

    Raises:
        RateLimited: the viewer has to wait.
    """
    allowance = Allowance(call.services.rules.free_log_ins_per_account, _LOG_IN_WINDOW)
    await _count(call, {_confirmation_key(call, password_hash): allowance})


async def forgive_confirmation(call: Call, password_hash: str) -> None:
    """The password was right: the viewer starts anew."""
    key = _confirmation_key(call, password_hash)
    await call.transact(lambda session: _update(session, [key], count=0, blocked_until=None))


async def count_registration(call: Call) -> None:
    """Count an attempt to register, by its address alone.

    Raises:
        RateLimited: the address has to wait.
    """
    rules = call.services.rules
    allowance = Allowance(rules.free_registrations_per_address, _REGISTRATION_WINDOW)
    await _count(call, dict.fromkeys(_network_key(call, "registration"), allowance))


async def count_reset_request(call: Call, email_key: str) -> None:
    """Count a request for a reset code, whether or not somebody has the address.

    Raises:
        RateLimited: the mailbox has had enough of them, or the caller's address has to wait.
    """
    keys = _mail_keys(call, MailKind.RESET_PASSWORD, email_key)
    for key in _network_key(call, "reset"):
        keys[key] = Allowance(call.services.rules.free_log_ins_per_address, _LOG_IN_WINDOW)
    await _count(call, keys)


async def count_mail(call: Call, kind: MailKind, email_key: str) -> None:
    """Count a mail of this kind to an address.

    Raises:
        RateLimited: the mailbox has had enough of them.
    """
    await _count(call, _mail_keys(call, kind, email_key))


async def count_invitation(call: Call, workspace_id: UUID, email_key: str) -> None:
    """Count an invitation by the viewer, by its Workspace, and by its Workspace and recipient together.

    The recipient is not counted alone: one Workspace could then use up the invitations of all others.

    Raises:
        RateLimited: one of the three has to wait; then none of them is counted.
    """
    rules, viewer_id = call.services.rules, call.viewer.user_id
    limits = {
        _key("invitation-by", str(viewer_id)): rules.invitations_per_user,
        _key("invitation-into", str(workspace_id)): rules.invitations_per_workspace,
        _key("invitation-to", f"{workspace_id}\x1f{email_key}"): rules.mails_per_recipient,
    }
    await _count(call, {key: Allowance(limit, _MAIL_WINDOW, strict=True) for key, limit in limits.items()})


async def may_mail(call: Call, kind: MailKind, email_key: str) -> bool:
    """Count a mail of this kind to an address; whether the mailbox has not had enough of them."""
    try:
        await count_mail(call, kind, email_key)
    except RateLimited:
        return False
    return True


def _mail_keys(call: Call, kind: MailKind, email_key: str) -> dict[bytes, Allowance]:
    allowance = Allowance(call.services.rules.mails_per_recipient, _MAIL_WINDOW, strict=True)
    return {_key(f"mail:{kind}", email_key): allowance}


def _confirmation_key(call: Call, password_hash: str) -> bytes:
    return _key("confirmation", str(call.viewer.user_id), password_hash)


def _network_key(call: Call, what: str) -> list[bytes]:
    network = _network(call)
    return [] if network is None else [_key(what, network)]


def _network(call: Call) -> str | None:
    return None if call.client_address is None else network_of(call.client_address)


def _key(*parts: str) -> bytes:
    return hashlib.sha256("\x1f".join(parts).encode(errors="replace")).digest()


async def _lasts(session: AsyncSession, key: bytes, now: datetime) -> bool:
    found = await session.scalars(
        select(Attempts.key).where(Attempts.key == key, col(Attempts.window_ends_at) > now)
    )
    return found.first() is not None


async def _update(session: AsyncSession, keys: Sequence[bytes], **values: object) -> None:
    await session.execute(
        sa.update(Attempts)
        .where(col(Attempts.key).in_(keys))
        .values(**values)
        .execution_options(synchronize_session=False)
    )


async def _count(call: Call, allowances: Mapping[bytes, Allowance]) -> None:
    if not allowances:
        return
    now = call.now

    async def work(session: AsyncSession) -> None:
        missing = [{"key": key, "count": 0, "window_ends_at": now} for key in sorted(allowances)]
        await insert_missing(session, Attempts, missing)
        locked = (
            select(Attempts)
            .where(col(Attempts.key).in_(allowances))
            .order_by(col(Attempts.key))
            .with_for_update()
        )
        rows = (await session.scalars(locked)).all()
        waits = [row.blocked_until - now for row in rows if row.blocked_until and row.blocked_until > now]
        if waits:
            seconds = math.ceil(max(waits).total_seconds())
            raise RateLimited("Too many attempts; please wait", retry_after=seconds)
        for row in rows:
            _add(row, allowances[row.key], now)
        await session.flush()

    await call.transact(work)


def _add(row: Attempts, allowance: Allowance, now: datetime) -> None:
    """One more; a window ends when it is over, and while somebody is made to wait it does not."""
    if row.window_ends_at <= now:
        row.count, row.window_ends_at = 0, now + allowance.window
    row.count += 1
    wait = wait_after(row.count, allowance)
    row.blocked_until = now + wait if wait else None
    if wait:
        row.window_ends_at = now + wait if allowance.strict else now + wait + allowance.window
