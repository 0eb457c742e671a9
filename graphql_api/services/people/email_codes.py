"""Codes that are mailed: what proves that an address is somebody's, and what lets them choose a password.

A code is 256 random bits, kept as SHA-256, good for one thing, once, for a while; a new one ends the older
ones for the same thing. Whoever has it has read the user's mail, so it needs no bearer token besides.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from graphql_api.domain import bearer_tokens, inputs
from graphql_api.domain.events import EventKind, NewEvent
from graphql_api.domain.holders import Personal
from graphql_api.domain.inputs import InvalidInput, InvalidInputCode, Problems
from graphql_api.domain.mails import EmailCodePurpose, MailKind
from graphql_api.domain.refusals import Refused
from graphql_api.domain.secrets import Secret
from graphql_api.services.calls import access, attempts, mails
from graphql_api.services.calls.call import Call, Services
from graphql_api.services.calls.emails import check_email
from graphql_api.services.history import recording
from graphql_api.services.people.api_tokens import end_all
from graphql_api.storage.rows import UserRow, row_of
from graphql_api.storage.tables import EmailCode, Mail, User

_PREFIXES = {
    EmailCodePurpose.VERIFY_EMAIL: bearer_tokens.VERIFICATION_CODE,
    EmailCodePurpose.RESET_PASSWORD: bearer_tokens.RESET_CODE,
}


@dataclass(frozen=True, slots=True)
class NewCode:
    """A code, and what a mail tells of it."""

    code: Secret
    details: dict[str, str]


async def mail_verification(session: AsyncSession, call: Call, user: User) -> None:
    """Mail a user, whose row is locked or new, a code that verifies their address."""
    new = await _issue(session, call.services, user, EmailCodePurpose.VERIFY_EMAIL)
    await mails.enqueue(session, call, MailKind.VERIFY_EMAIL, user.email, new.details, secret=new.code)


async def send_verification(call: Call, *, email: str) -> UserRow | Refused[InvalidInput]:
    """Mail the viewer another code that verifies their address.

    Raises:
        RateLimited: they were sent several in the last hour.
    """
    user_id = call.viewer.user_id
    problems = Problems()
    _, key = check_email(problems, ("input", "email"), email)
    if problems:
        return Refused(problems.found)
    known = await call.read(lambda session: session.get_one(User, user_id))
    if key != known.email_key:
        return Refused([_not_yours()])
    if known.email_verified_at is not None:
        return Refused([_verified_already()])
    await attempts.count_mail(call, MailKind.VERIFY_EMAIL, key)

    async def work(session: AsyncSession) -> UserRow | Refused[InvalidInput]:
        user = await access.lock_viewer(session, call)
        if user.email_verified_at is not None:
            return Refused([_verified_already()])
        await mail_verification(session, call, user)
        return row_of(user, UserRow)

    return await call.transact(work)


async def verify(call: Call, *, code: Secret) -> UserRow | Refused[InvalidInput]:
    """Verify the address that a code was mailed to."""

    async def work(session: AsyncSession) -> UserRow | Refused[InvalidInput]:
        user = await _redeem(session, call, code, EmailCodePurpose.VERIFY_EMAIL)
        if user is None:
            return Refused([_no_such_code()])
        await recording.record(session, call, _note_verified(user, call.now), actor_id=user.id)
        return row_of(user, UserRow)

    return await call.transact(work)


async def request_reset(call: Call, *, email: str) -> str | Refused[InvalidInput]:
    """Have a reset code mailed to whoever has this address; returns the address as it is written to.

    Whether somebody has it shows in nothing: what is written here is one mail, and the mailer looks later
    for whom it is.

    Raises:
        RateLimited: it was asked for too often, for this address or from the caller's.
    """
    problems = Problems()
    address, key = check_email(problems, ("input", "email"), email)
    if problems:
        return Refused(problems.found)
    await attempts.count_reset_request(call, key)

    async def work(session: AsyncSession) -> str:
        await mails.enqueue(session, call, MailKind.RESET_PASSWORD, address, {})
        return address

    return await call.transact(work)


async def fill_reset(session: AsyncSession, services: Services, mail: Mail) -> bool:
    """Make the code that a reset mail carries, if that is not done; False where nobody has the address.

    The mail goes to the address that the user registered, not to the one that was asked with: two that
    are compared as equal may be different people's mailboxes.
    """
    if mail.secret is not None:
        return True
    _, key = check_email(Problems(), (), mail.recipient)
    user = (await session.scalars(select(User).where(User.email_key == key))).one_or_none()
    if user is None:
        return False
    new = await _issue(session, services, user, EmailCodePurpose.RESET_PASSWORD)
    mail.recipient = user.email
    mail.details = new.details
    mail.secret = mails.seal(services.keyring, new.code, mail.id)
    return True


async def reset_password(call: Call, *, code: Secret, new: Secret) -> UserRow | Refused[InvalidInput]:
    """Choose a new password by a code; all API tokens of the user end, and their address is verified."""
    problems = Problems()
    new = inputs.check_password(problems, ("input", "newPassword"), new)
    user = await call.read(lambda session: _holder(session, call, code, EmailCodePurpose.RESET_PASSWORD))
    if user is None:
        return Refused([_no_such_code(), *problems.found])
    if problems:
        return Refused(problems.found)
    # Hashed for who has a code only, or anybody could keep the server busy with it.
    password_hash = await call.services.passwords.hash(new)
    await attempts.forgive_account(call, user.email_key)

    async def work(session: AsyncSession) -> UserRow | Refused[InvalidInput]:
        user = await _redeem(session, call, code, EmailCodePurpose.RESET_PASSWORD)
        if user is None:
            return Refused([_no_such_code()])
        user.password_hash = password_hash
        ended = await end_all(session, call, user.id)
        events = [
            NewEvent(Personal(user.id), EventKind.PASSWORD_RESET, user.id),
            *(NewEvent(Personal(user.id), EventKind.API_TOKEN_REVOKED, token_id) for token_id in ended),
            *_note_verified(user, call.now),
        ]
        await session.flush()
        await recording.record(session, call, events, actor_id=user.id)
        return row_of(user, UserRow)

    return await call.transact(work)


async def forget_resets(session: AsyncSession, user: User) -> None:
    """End the reset codes of a user: their password was changed without one."""
    await _forget(session, user, EmailCodePurpose.RESET_PASSWORD)


async def _issue(session: AsyncSession, services: Services, user: User, purpose: EmailCodePurpose) -> NewCode:
    now = services.clock()
    code = bearer_tokens.mint(_PREFIXES[purpose], secrets.token_bytes(bearer_tokens.RANDOM_BYTES))
    expires_at = now + _lifetime(services, purpose)
    await _forget(session, user, purpose)
    session.add(
        EmailCode(
            user_id=user.id,
            purpose=purpose,
            email_key=user.email_key,
            code_hash=bearer_tokens.digest(code),
            created_at=now,
            expires_at=expires_at,
        )
    )
    await session.flush()
    return NewCode(code, {"name": user.name, "expires": mails.moment(expires_at)})


def _lifetime(services: Services, purpose: EmailCodePurpose) -> timedelta:
    rules = services.rules
    return (
        rules.verification_code_lifetime
        if purpose is EmailCodePurpose.VERIFY_EMAIL
        else rules.reset_code_lifetime
    )


async def _forget(session: AsyncSession, user: User, purpose: EmailCodePurpose) -> None:
    await session.execute(
        sa.delete(EmailCode)
        .where(
            col(EmailCode.user_id) == user.id,
            col(EmailCode.purpose) == purpose,
            col(EmailCode.used_at).is_(None),
        )
        .execution_options(synchronize_session=False)
    )


async def _redeem(session: AsyncSession, call: Call, code: Secret, purpose: EmailCodePurpose) -> User | None:
    """Use a code up; the user whose it is, locked. None for one that is unknown, used, ended or expired."""
    holder = await _holder(session, call, code, purpose)
    if holder is None:
        return None
    user = (await access.lock_users(session, [holder.id])).get(holder.id)
    used = await session.execute(
        sa.update(EmailCode)
        .where(col(EmailCode.code_hash) == bearer_tokens.digest(code), col(EmailCode.used_at).is_(None))
        .values(used_at=call.now)
        .returning(col(EmailCode.id))
        .execution_options(synchronize_session=False)
    )
    return user if used.scalar_one_or_none() is not None else None


async def _holder(session: AsyncSession, call: Call, code: Secret, purpose: EmailCodePurpose) -> User | None:
    """The user whose code this is, if it is good for this purpose now."""
    if not bearer_tokens.is_well_formed(_PREFIXES[purpose], code):
        return None
    statement = (
        select(User)
        .join(
            EmailCode,
            sa.and_(col(EmailCode.user_id) == col(User.id), col(EmailCode.email_key) == col(User.email_key)),
        )
        .where(
            EmailCode.code_hash == bearer_tokens.digest(code),
            EmailCode.purpose == purpose,
            col(EmailCode.used_at).is_(None),
            col(EmailCode.expires_at) > call.now,
        )
    )
    user: User | None = (await session.scalars(statement)).one_or_none()
    return user


def _note_verified(user: User, now: datetime) -> Sequence[NewEvent]:
    """Whoever has a code has read the mail to the address; the event, if that is new."""
    if user.email_verified_at is not None:
        return []
    user.email_verified_at = now
    return [NewEvent(Personal(user.id), EventKind.EMAIL_VERIFIED, user.id)]


def _no_such_code() -> InvalidInput:
    return InvalidInput(
        ("input", "code"), InvalidInputCode.NOT_FOUND, "There is no such code, or it was used or has expired"
    )


def _not_yours() -> InvalidInput:
    return InvalidInput(("input", "email"), InvalidInputCode.NOT_FOUND, "This is not your e-mail address")


def _verified_already() -> InvalidInput:
    return InvalidInput(
        ("input", "email"), InvalidInputCode.DUPLICATE, "This e-mail address is verified already"
    )
