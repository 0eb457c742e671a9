"""API tokens: issuing (logging in), authenticating, revoking."""

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from graphql_api.domain import bearer_tokens, inputs
from graphql_api.domain.events import NewEvent
from graphql_api.domain.faults import Unauthenticated
from graphql_api.domain.inputs import InvalidInput, InvalidInputCode, Problems
from graphql_api.domain.permissions import Scope
from graphql_api.domain.refusals import Refused
from graphql_api.domain.secrets import Secret
from graphql_api.domain.viewers import Viewer
from graphql_api.services.calls import access, attempts
from graphql_api.services.calls.call import Call, Services
from graphql_api.services.calls.emails import check_email
from graphql_api.services.calls.pages import Page, PageRequest, PreparedList
from graphql_api.services.history import recording
from graphql_api.services.people import events, passwords
from graphql_api.services.people.passwords import CredentialsRejected
from graphql_api.storage.columns import UtcDateTime
from graphql_api.storage.lookups import Lookup
from graphql_api.storage.rows import ApiTokenRow, UserRow, columns, row_of
from graphql_api.storage.tables import ApiToken, User


@dataclass(frozen=True, slots=True)
class NewApiToken:
    """An API token and its bearer token, which nobody can read again."""

    record: ApiTokenRow
    bearer_token: Secret


async def authenticate(
    services: Services, authorization: str | None
) -> tuple[Viewer, UserRow] | tuple[None, None]:
    """Who calls, by the Authorization header, with their row; None when there is none.

    Raises:
        Unauthenticated: there is one, and it is no valid bearer token now.
    """
    if authorization is None:
        return None, None
    scheme, _, value = authorization.partition(" ")
    bearer_token = Secret(value.strip())
    if scheme.lower() != "bearer" or not bearer_tokens.is_well_formed(
        bearer_tokens.BEARER_TOKEN, bearer_token
    ):
        raise Unauthenticated
    found = await services.database.look_up(_UNREVOKED, bearer_tokens.digest(bearer_token))
    if found is None or found.expires_at <= services.clock():
        raise Unauthenticated
    return found.viewer, found.user


class _Found(NamedTuple):
    """An API token that was not revoked."""

    expires_at: datetime
    viewer: Viewer
    user: UserRow


def _found(api_token_id: UUID, scopes: str, expires_at: datetime, *user: Any) -> _Found:
    row = UserRow._make(user)
    return _Found(expires_at, Viewer(row.id, api_token_id, _scopes(scopes)), row)


@cache
def _scopes(written: str) -> frozenset[Scope]:
    return frozenset(Scope(scope) for scope in written.split())


_UNREVOKED = Lookup(
    sa.select(col(ApiToken.id), col(ApiToken.scopes), col(ApiToken.expires_at), *columns(User, UserRow))
    .join(User, col(User.id) == col(ApiToken.user_id))
    .where(col(ApiToken.revoked_at).is_(None)),
    _found,
    key=col(ApiToken.secret_hash),
)


async def log_in(
    call: Call, *, email: str, password: Secret, label: str, scopes: Collection[Scope]
) -> NewApiToken | Refused[InvalidInput | CredentialsRejected]:
    """Issue another API token to whoever knows the password.

    An unknown address and a wrong password are alike, in the answer and in the work behind it.

    Raises:
        RateLimited: there were too many attempts for this address or from the caller's.
    """
    problems = Problems()
    label = inputs.check_text(problems, ("input", "label"), label, longest=inputs.MAX_NAME)
    if problems:
        return Refused(problems.found)
    _, key = check_email(Problems(), (), email)
    # What is no address has no key; it is counted as it is written.
    counted = key or email.strip().casefold()
    user_id, password_hash = await _credentials(call, key)
    attempt = await attempts.count_log_in(call, counted, password_hash)
    if not await passwords.matches(call, password, password_hash) or user_id is None:
        return Refused([CredentialsRejected(("input",))])
    await attempts.forgive_log_in(call, attempt)

    async def work(session: AsyncSession) -> NewApiToken | Refused[CredentialsRejected]:
        user = (await access.lock_users(session, [user_id])).get(user_id)
        if user is None or user.password_hash != password_hash:
            return Refused([CredentialsRejected(("input",))])
        token = await issue(session, call, user_id, label=label, scopes=scopes)
        event = events.token_created(user_id, token.record.id, label)
        await recording.record(session, call, [event], actor_id=user_id)
        return token

    return await call.transact(work)


async def _credentials(call: Call, key: str) -> tuple[UUID, str] | tuple[None, None]:
    async def work(session: AsyncSession) -> tuple[UUID, str] | tuple[None, None]:
        statement = select(User.id, User.password_hash).where(User.email_key == key)
        return (await session.execute(statement)).first() or (None, None)

    return await call.read(work)


async def issue(
    session: AsyncSession, call: Call, user_id: UUID, *, label: str, scopes: Collection[Scope]
) -> NewApiToken:
    """Write a new API token for a user whose row is locked, or new."""
    secret = bearer_tokens.mint(bearer_tokens.BEARER_TOKEN, secrets.token_bytes(bearer_tokens.RANDOM_BYTES))
    record = ApiToken(
        user_id=user_id,
        label=label,
        secret_hash=bearer_tokens.digest(secret),
        scopes=" ".join(sorted(set(scopes))),
        created_at=call.now,
        expires_at=call.now + call.services.rules.api_token_lifetime,
    )
    session.add(record)
    await session.flush()
    return NewApiToken(row_of(record, ApiTokenRow), secret)


async def revoke(call: Call, api_token_id: UUID) -> ApiTokenRow | Refused[InvalidInput]:
    """End one of the viewer's API tokens, the present one too; revoking twice is no error."""

    async def work(session: AsyncSession) -> ApiTokenRow | Refused[InvalidInput]:
        await access.lock_viewer(session, call)
        token = (
            await session.scalars(
                select(ApiToken).where(ApiToken.id == api_token_id, ApiToken.user_id == call.viewer.user_id)
            )
        ).one_or_none()
        if token is None:
            return Refused([_no_such_token()])
        if token.revoked_at is None:
            token.revoked_at = call.now
            await session.flush()
            event = events.token_revoked(token.user_id, token.id, token.label)
            await recording.record(session, call, [event])
        return row_of(token, ApiTokenRow)

    return await call.transact(work)


async def end_all(
    session: AsyncSession, call: Call, user_id: UUID, *, but: UUID | None = None
) -> Sequence[NewEvent]:
    """End the API tokens of a user whose row is locked, but perhaps one; returns the events of that."""
    ended = await session.execute(
        sa.update(ApiToken)
        .where(
            col(ApiToken.user_id) == user_id,
            col(ApiToken.id).is_distinct_from(but),
            col(ApiToken.revoked_at).is_(None),
        )
        .values(revoked_at=call.now)
        .returning(col(ApiToken.id), col(ApiToken.label))
        .execution_options(synchronize_session=False)
    )
    return [events.token_revoked(user_id, token_id, label) for token_id, label in ended]


async def page(call: Call, request: PageRequest) -> Page[ApiTokenRow]:
    """The viewer's own API tokens that work now, the newest first."""
    return await _WORKING.page(call, request, user_id=call.viewer.user_id, now=call.now)


_WORKING = PreparedList(
    sa.select(*columns(ApiToken, ApiTokenRow)).where(
        col(ApiToken.revoked_at).is_(None),
        col(ApiToken.expires_at) > sa.bindparam("now", type_=UtcDateTime()),
    ),
    ApiTokenRow,
    within={"user_id": col(ApiToken.user_id)},
    order=[col(ApiToken.created_at), col(ApiToken.id)],
    descending=True,
)


def _no_such_token() -> InvalidInput:
    return InvalidInput(("input", "apiTokenId"), InvalidInputCode.NOT_FOUND, "You have no such API token")
