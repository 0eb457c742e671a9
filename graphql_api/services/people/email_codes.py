"""Codes that are mailed: what proves that an address is somebody's, and what lets them choose a password.

A code is 256 random bits, kept as SHA-256, good for one thing, once, for a while; a new one ends the older
ones for the same thing. Whoever has it has read the user's mail, so it needs no bearer token besides.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from graphql_api.domain import bearer_tokens
from graphql_api.domain.events import EventKind, NewEvent
from graphql_api.domain.inputs import InvalidInput, InvalidInputCode, Problems
from graphql_api.domain.mails import EmailCodePurpose, MailKind
from graphql_api.domain.refusals import Refused
from graphql_api.domain.secrets import Secret
from graphql_api.services.calls import access, attempts, mails
from graphql_api.services.calls.call import Call, Services
from graphql_api.services.calls.emails import check_email
from graphql_api.services.history import recording
from graphql_api.services.people import events, passwords
from graphql_api.services.people.api_tokens import end_all
from graphql_api.storage.rows import UserRow, row_of
from graphql_api.storage.tables import EmailCode, Mail, User

_PREFIXES = {
    EmailCodePurpose.VERIFY_EMAIL: bearer_tokens.VERIFICATION_CODE,
    EmailCodePurpose.RESET_PASSWORD: bearer_tokens.RESET_CODE,
    EmailCodePurpose.CHANGE_EMAIL: bearer_tokens.CHANGE_CODE,
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
    known = await passwords.read_viewer(call)
    problems = Problems()
    _, key = check_email(problems, ("input", "email"), email)
    if problems:
        return Refused(problems.found)
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


async def mail_change(session: AsyncSession, call: Call, user: User, email: str, email_key: str) -> None:
    """Mail a code that makes this address that of a user whose row is locked."""
    new = await _issue(session, call.services, user, EmailCodePurpose.CHANGE_EMAIL, to=(email, email_key))
    await mails.enqueue(session, call, MailKind.CHANGE_EMAIL, email, new.details, secret=new.code)


async def divert_change(session: AsyncSession, mail: Mail) -> None:
    """If somebody has the new address already, send the mail to them, without the code.

    The mailer asks this before the first attempt, so that the request itself does the same work either way.
    """
    if mail.attempts:
        return
    _, key = check_email(Problems(), (), mail.recipient)
    owner = (await session.scalars(select(User).where(User.email_key == key))).one_or_none()
    if owner is not None:
        mail.kind = MailKind.ADDRESS_TAKEN
        mail.recipient = owner.email
        mail.details = {"name": owner.name}
        mail.secret = None


async def verify(call: Call, *, code: Secret) -> UserRow | Refused[InvalidInput]:
    """Verify the address that a code was mailed to. By a code for a new address, it becomes the viewer's.

    Raises:
        Unauthenticated: a code for a new address came without a bearer token.
    """
    if bearer_tokens.is_well_formed(bearer_tokens.CHANGE_CODE, code):
        return await _change_address(call, code)

    async def work(session: AsyncSession) -> UserRow | Refused[InvalidInput]:
        user = await _redeem(session, call, code, EmailCodePurpose.VERIFY_EMAIL)
        if user is None:
            return Refused([_no_such_code()])
        await recording.record(session, call, _note_verified(user, call.now), actor_id=user.id)
        return row_of(user, UserRow)

    return await call.transact(work)


async def _change_address(call: Call, code: Secret) -> UserRow | Refused[InvalidInput]:
    """Give the viewer the address that their code was mailed to, and tell the old one."""
    user_id = call.viewer.user_id

    async def work(session: AsyncSession) -> UserRow | Refused[InvalidInput]:
        user = await access.lock_viewer(session, call)
        used = await _use(session, call, code, EmailCodePurpose.CHANGE_EMAIL, user_id)
        if used is None or used.email is None:
            return Refused([_no_such_code()])
        old = user.email
        try:
            async with session.begin_nested():
                user.email, user.email_key = used.email, used.email_key
                user.email_verified_at = user.updated_at = call.now
        except IntegrityError:
            return Refused([_taken()])
        await forget(session, user, *EmailCodePurpose)  # those that the old address got
        details = {"from": old, "to": user.email}
        changed = events.about_user(user, EventKind.EMAIL_ADDRESS_CHANGED, details)
        await recording.record(session, call, [changed])
        told = {"name": user.name, "email": user.email}
        await mails.enqueue(session, call, MailKind.EMAIL_CHANGED, old, told)
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
    user = await call.read(lambda session: _holder(session, call, code, EmailCodePurpose.RESET_PASSWORD))
    new = passwords.check_new(call, problems, "newPassword", new, email="" if user is None else user.email)
    if user is None:
        return Refused([_no_such_code(), *problems.found])
    if problems:
        return Refused(problems.found)
    # Hashed for who has a code only, or anybody could keep the server busy with it.
    password_hash = await call.services.passwords.hash(new)

    async def work(session: AsyncSession) -> UserRow | Refused[InvalidInput]:
        user = await _redeem(session, call, code, EmailCodePurpose.RESET_PASSWORD)
        if user is None:
            return Refused([_no_such_code()])
        user.password_hash = password_hash
        happened = [
            events.about_user(user, EventKind.PASSWORD_RESET),
            *await end_all(session, call, user.id),
            *_note_verified(user, call.now),
        ]
        await forget(session, user, EmailCodePurpose.CHANGE_EMAIL)
        await session.flush()
        await recording.record(session, call, happened, actor_id=user.id)
        return row_of(user, UserRow)

    return await call.transact(work)


async def forget(session: AsyncSession, user: User, *purposes: EmailCodePurpose) -> None:
    """End the codes of a user that were not used yet."""
    await session.execute(
        sa.delete(EmailCode)
        .where(
            col(EmailCode.user_id) == user.id,
            col(EmailCode.purpose).in_(purposes),
            col(EmailCode.used_at).is_(None),
        )
        .execution_options(synchronize_session=False)
    )


async def _issue(
    session: AsyncSession,
    services: Services,
    user: User,
    purpose: EmailCodePurpose,
    *,
    to: tuple[str | None, str] | None = None,
) -> NewCode:
    """Make a code for the user's address, or for one that is to be theirs: that and its key."""
    now = services.clock()
    email, email_key = to or (None, user.email_key)
    code = bearer_tokens.mint(_PREFIXES[purpose], secrets.token_bytes(bearer_tokens.RANDOM_BYTES))
    expires_at = now + _lifetime(services, purpose)
    await forget(session, user, purpose)
    session.add(
        EmailCode(
            user_id=user.id,
            purpose=purpose,
            email=email,
            email_key=email_key,
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
        rules.reset_code_lifetime
        if purpose is EmailCodePurpose.RESET_PASSWORD
        else rules.verification_code_lifetime
    )


async def _redeem(session: AsyncSession, call: Call, code: Secret, purpose: EmailCodePurpose) -> User | None:
    """Use a code up; the user whose it is, locked. None for one that is unknown, used, ended or expired."""
    holder = await _holder(session, call, code, purpose)
    if holder is None:
        return None
    user = (await access.lock_users(session, [holder.id])).get(holder.id)
    used = await _use(session, call, code, purpose, holder.id)
    return None if used is None else user


async def _use(
    session: AsyncSession, call: Call, code: Secret, purpose: EmailCodePurpose, user_id: UUID
) -> EmailCode | None:
    """Use up a code of a user whose row is locked; None for one that cannot be used."""
    used = await session.scalars(
        sa.update(EmailCode)
        .where(
            col(EmailCode.code_hash) == bearer_tokens.digest(code),
            col(EmailCode.user_id) == user_id,
            col(EmailCode.purpose) == purpose,
            col(EmailCode.used_at).is_(None),
            col(EmailCode.expires_at) > call.now,
        )
        .values(used_at=call.now)
        .returning(EmailCode)
        .execution_options(synchronize_session=False)
    )
    return used.one_or_none()


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
    return [events.about_user(user, EventKind.EMAIL_VERIFIED)]


def _no_such_code() -> InvalidInput:
    return InvalidInput(
        ("input", "code"), InvalidInputCode.NOT_FOUND, "There is no such code, or it was used or has expired"
    )


def _taken() -> InvalidInput:
    return InvalidInput(
        ("input", "code"),
        InvalidInputCode.DUPLICATE,
        "Somebody has registered with the new e-mail address in the meantime",
    )


def _not_yours() -> InvalidInput:
    return InvalidInput(("input", "email"), InvalidInputCode.NOT_FOUND, "This is not your e-mail address")


def _verified_already() -> InvalidInput:
    return InvalidInput(
        ("input", "email"), InvalidInputCode.DUPLICATE, "This e-mail address is verified already"
    )
