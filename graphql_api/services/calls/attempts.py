"""Attempts to log in, to register and to have mails sent, counted in the database before the work is done.

An attempt is counted in a short transaction of its own, so that a refusal does not undo it, and before the
password is hashed, so that many at once are not free. Who succeeds gets the attempt back.
"""

import hashlib
import math
from collections.abc import Mapping
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from graphql_api.domain.attempts import Allowance, wait_after
from graphql_api.domain.faults import RateLimited
from graphql_api.domain.mails import MailKind
from graphql_api.services.calls.call import Call
from graphql_api.storage.statements import insert_missing
from graphql_api.storage.tables import Attempts

_LOG_IN_WINDOW = timedelta(minutes=15)
_REGISTRATION_WINDOW = timedelta(hours=1)
_MAIL_WINDOW = timedelta(hours=1)


async def count_log_in(call: Call, email_key: str) -> None:
    """Count an attempt at an account's password, whether or not there is such an account.

    Raises:
        RateLimited: the account or the address has to wait.
    """
    await _count(call, _log_in_keys(call, email_key))


async def forgive_log_in(call: Call, email_key: str) -> None:
    """The password was right: the account starts anew, and the address has one attempt back."""
    account, *address = _log_in_keys(call, email_key)

    async def work(session: AsyncSession) -> None:
        await session.execute(sa.delete(Attempts).where(col(Attempts.key) == account))
        await session.execute(
            sa.update(Attempts)
            .where(col(Attempts.key).in_(address), col(Attempts.count) > 0)
            .values(count=col(Attempts.count) - 1, blocked_until=None)
            .execution_options(synchronize_session=False)
        )

    await call.transact(work)


async def count_registration(call: Call) -> None:
    """Count an attempt to register, by its address alone.

    Raises:
        RateLimited: the address has to wait.
    """
    rules = call.services.rules
    allowance = Allowance(rules.free_registrations_per_address, _REGISTRATION_WINDOW)
    await _count(call, dict.fromkeys(_address_key(call, "registration"), allowance))


async def forgive_account(call: Call, email_key: str) -> None:
    """The account's password is a new one: its wrong attempts were at the old one."""

    async def work(session: AsyncSession) -> None:
        await session.execute(sa.delete(Attempts).where(col(Attempts.key) == _key("account", email_key)))

    await call.transact(work)


async def count_reset_request(call: Call, email_key: str) -> None:
    """Count a request for a reset code, whether or not somebody has the address.

    Raises:
        RateLimited: the mailbox has had enough of them, or the caller's address has to wait.
    """
    keys = _mail_keys(call, MailKind.RESET_PASSWORD, email_key)
    for key in _address_key(call, "reset"):
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


def _log_in_keys(call: Call, email_key: str) -> dict[bytes, Allowance]:
    """The account's key first."""
    rules = call.services.rules
    keys = {_key("account", email_key): Allowance(rules.free_log_ins_per_account, _LOG_IN_WINDOW)}
    for key in _address_key(call, "log-in"):
        keys[key] = Allowance(rules.free_log_ins_per_address, _LOG_IN_WINDOW)
    return keys


def _address_key(call: Call, what: str) -> list[bytes]:
    """An IPv6 address stands for its /64, which is what one customer has."""
    if call.client_address is None:
        return []
    try:
        address = ip_address(call.client_address)
    except ValueError:
        return [_key(what, call.client_address)]
    network = ip_network((address, 64 if address.version == 6 else 32), strict=False)  # noqa: PLR2004
    return [_key(what, str(network))]


def _key(kind: str, value: str) -> bytes:
    return hashlib.sha256(f"{kind}\x1f{value}".encode(errors="replace")).digest()


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
