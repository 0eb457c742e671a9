"""Registering, and the password."""

from dataclasses import dataclass

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import select

from graphql_api.domain import inputs
from graphql_api.domain.events import EventKind, NewEvent
from graphql_api.domain.faults import Unauthenticated
from graphql_api.domain.holders import Personal
from graphql_api.domain.inputs import InvalidInput, InvalidInputCode, Problems
from graphql_api.domain.mails import MailKind
from graphql_api.domain.refusals import Refused
from graphql_api.domain.secrets import Secret
from graphql_api.services.calls import access, attempts, mails
from graphql_api.services.calls.call import Call
from graphql_api.services.calls.emails import check_email
from graphql_api.services.history import recording
from graphql_api.services.people import api_tokens, email_codes
from graphql_api.services.people.api_tokens import CredentialsRejected, NewApiToken
from graphql_api.storage.rows import UserRow, row_of
from graphql_api.storage.tables import User


@dataclass(frozen=True, slots=True)
class Registered:
    """A new user, with the API token that they start with."""

    user: UserRow
    token: NewApiToken


async def register(
    call: Call, *, email: str, password: Secret, name: str
) -> Registered | Refused[InvalidInput]:
    """Register a user; their first API token's bearer token is shown in this answer only."""
    problems = Problems()
    address, key = check_email(problems, ("input", "email"), email)
    password = inputs.check_password(problems, ("input", "password"), password)
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
        token = await api_tokens.issue(session, call, user.id, label="Registration", scopes=())
        events = [
            NewEvent(Personal(user.id), EventKind.USER_REGISTERED, user.id),
            NewEvent(Personal(user.id), EventKind.API_TOKEN_CREATED, token.record.id),
        ]
        await recording.record(session, call, events, actor_id=user.id)
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


async def change_password(
    call: Call, *, current: Secret, new: Secret
) -> UserRow | Refused[InvalidInput | CredentialsRejected]:
    """Change the viewer's password, and end their other API tokens: a thief's among them."""
    user_id = call.viewer.user_id
    problems = Problems()
    new = inputs.check_password(problems, ("input", "newPassword"), new)
    if problems:
        return Refused(problems.found)
    known = await confirm_password(call, current)
    if isinstance(known, Refused):
        return known
    password_hash = await call.services.passwords.hash(new)

    async def work(session: AsyncSession) -> UserRow | Refused[CredentialsRejected]:
        user = await access.lock_viewer(session, call)
        if user.password_hash != known.password_hash:
            return Refused([wrong_password()])
        user.password_hash = password_hash
        user.updated_at = call.now
        ended = await api_tokens.end_all(session, call, user_id, but=call.viewer.api_token_id)
        await email_codes.forget_resets(session, user)
        events = [
            NewEvent(Personal(user_id), EventKind.PASSWORD_CHANGED, user_id),
            *(NewEvent(Personal(user_id), EventKind.API_TOKEN_REVOKED, token_id) for token_id in ended),
        ]
        await session.flush()
        await recording.record(session, call, events)
        return row_of(user, UserRow)

    return await call.transact(work)


async def confirm_password(call: Call, current: Secret) -> User | Refused[CredentialsRejected]:
    """The viewer as they are, if this is their password; attempts are counted as those to log in are.

    Raises:
        RateLimited: there were too many.
        Unauthenticated: the viewer has been deleted since the request came in.
    """
    known = await call.read(lambda session: session.get(User, call.viewer.user_id))
    if known is None:
        raise Unauthenticated
    await attempts.count_log_in(call, known.email_key)
    if not await api_tokens.is_password(call, current, known.password_hash):
        return Refused([wrong_password()])
    await attempts.forgive_log_in(call, known.email_key)
    return known


def wrong_password() -> CredentialsRejected:
    """The current password is another one."""
    return CredentialsRejected(("input", "currentPassword"))


def _taken() -> InvalidInput:
    return InvalidInput(
        ("input", "email"), InvalidInputCode.DUPLICATE, "This e-mail address is registered already"
    )
