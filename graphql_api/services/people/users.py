"""Registering, and what a user changes of themself: name, password, e-mail address."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import select

from graphql_api.domain import inputs
from graphql_api.domain.events import EventKind
from graphql_api.domain.inputs import InvalidInput, InvalidInputCode, Problems
from graphql_api.domain.mails import EmailCodePurpose, MailKind
from graphql_api.domain.permissions import Scope
from graphql_api.domain.refusals import Refused
from graphql_api.domain.secrets import Secret
from graphql_api.services.calls import access, attempts, mails
from graphql_api.services.calls.call import Call
from graphql_api.services.calls.emails import check_email
from graphql_api.services.history import recording
from graphql_api.services.people import api_tokens, email_codes, events, passwords
from graphql_api.services.people.api_tokens import NewApiToken
from graphql_api.services.people.passwords import CredentialsRejected
from graphql_api.storage.rows import UserRow, row_of
from graphql_api.storage.tables import User

_AT_NEW_EMAIL = ("input", "newEmail")


@dataclass(frozen=True, slots=True)
class Registered:
    """A new user, with the API token that they start with."""

    user: UserRow
    token: NewApiToken


async def register(
    call: Call, *, email: str, password: Secret, name: str, scopes: Collection[Scope] = ()
) -> Registered | Refused[InvalidInput]:
    """Register a user; their first API token's bearer token is shown in this answer only."""
    problems = Problems()
    address, key = check_email(problems, ("input", "email"), email)
    password = passwords.check_new(call, problems, "password", password, email=email.strip())
    name = inputs.check_text(problems, ("input", "name"), name, longest=inputs.MAX_NAME)
    if problems:
        return Refused(problems.found)
    await attempts.count_registration(call)
    password_hash = await call.services.passwords.hash(password)

    async def work(session: AsyncSession) -> Registered | Refused[InvalidInput]:
        user = User(
            email=address,
            email_key=key,
            name=name,
            password_hash=password_hash,
            created_at=call.now,
            updated_at=call.now,
        )
        try:
            async with session.begin_nested():
                session.add(user)
        except IntegrityError:
            return Refused([_taken()])
        token = await api_tokens.issue(session, call, user.id, label="Registration", scopes=scopes)
        happened = [
            events.about_user(user, EventKind.USER_REGISTERED),
            events.token_created(user.id, token.record.id, token.record.label),
        ]
        await recording.record(session, call, happened, actor_id=user.id)
        await email_codes.mail_verification(session, call, user)
        return Registered(row_of(user, UserRow), token)

    outcome = await call.transact(work)
    if isinstance(outcome, Refused):
        await _tell_owner(call, key)
    return outcome


async def _tell_owner(call: Call, email_key: str) -> None:
    """Mail whoever has an address that somebody tried to register with it; not as often as that is tried."""
    if not await attempts.may_mail(call, MailKind.ADDRESS_TAKEN, email_key):
        return

    async def work(session: AsyncSession) -> None:
        owner = (await session.scalars(select(User).where(User.email_key == email_key))).one_or_none()
        if owner is not None:
            await mails.enqueue(session, call, MailKind.ADDRESS_TAKEN, owner.email, {"name": owner.name})

    await call.transact(work)


async def update_profile(call: Call, *, name: str) -> UserRow | Refused[InvalidInput]:
    """Give the viewer another name; the one that they have already is no error."""
    problems = Problems()
    name = inputs.check_text(problems, ("input", "name"), name, longest=inputs.MAX_NAME)

    async def work(session: AsyncSession) -> UserRow | Refused[InvalidInput]:
        user = await access.lock_viewer(session, call)
        if problems:
            return Refused(problems.found)
        if user.name != name:
            details = {"from": user.name, "to": name}
            user.name = name
            user.updated_at = call.now
            await session.flush()
            await recording.record(
                session, call, [events.about_user(user, EventKind.PROFILE_UPDATED, details)]
            )
        return row_of(user, UserRow)

    return await call.transact(work)


async def change_password(
    call: Call, *, current: Secret, new: Secret
) -> UserRow | Refused[InvalidInput | CredentialsRejected]:
    """Change the viewer's password, and end their other API tokens: a thief's among them."""
    known = await passwords.read_viewer(call)
    problems = Problems()
    new = passwords.check_new(call, problems, "newPassword", new, email=known.email)
    if problems:
        return Refused(problems.found)
    if refused := await passwords.confirm(call, known, current):
        return refused
    password_hash = await call.services.passwords.hash(new)

    async def work(session: AsyncSession) -> UserRow | Refused[CredentialsRejected]:
        user = await access.lock_viewer(session, call)
        if user.password_hash != known.password_hash:
            return passwords.rejected()
        user.password_hash = password_hash
        user.updated_at = call.now
        ended = await api_tokens.end_all(session, call, user.id, but=call.viewer.api_token_id)
        await email_codes.forget(
            session, user, EmailCodePurpose.RESET_PASSWORD, EmailCodePurpose.CHANGE_EMAIL
        )
        await session.flush()
        await recording.record(session, call, [events.about_user(user, EventKind.PASSWORD_CHANGED), *ended])
        return row_of(user, UserRow)

    return await call.transact(work)


async def change_email_address(
    call: Call, *, current: Secret, email: str
) -> str | Refused[InvalidInput | CredentialsRejected]:
    """Mail a code to the address that is to be the viewer's; returns that address.

    Whether somebody else has the address shows in nothing: the mailer looks for that later.

    Raises:
        RateLimited: there were too many wrong passwords, or the mailbox has had enough of these mails.
    """
    known = await passwords.read_viewer(call)
    problems = Problems()
    address, key = check_email(problems, _AT_NEW_EMAIL, email)
    if key == known.email_key:
        problems.add(_AT_NEW_EMAIL, InvalidInputCode.DUPLICATE, "This is your e-mail address already")
    if problems:
        return Refused(problems.found)
    if refused := await passwords.confirm(call, known, current):
        return refused
    await attempts.count_mail(call, MailKind.CHANGE_EMAIL, key)

    async def work(session: AsyncSession) -> str | Refused[CredentialsRejected]:
        user = await access.lock_viewer(session, call)
        if user.password_hash != known.password_hash:
            return passwords.rejected()
        await email_codes.mail_change(session, call, user, address, key)
        return address

    return await call.transact(work)


def _taken() -> InvalidInput:
    return InvalidInput(
        ("input", "email"), InvalidInputCode.DUPLICATE, "This e-mail address is registered already"
    )
