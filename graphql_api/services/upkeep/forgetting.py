"""What Meta tells us to forget: a user removed our app, or asks for their data to be deleted.

Found are the accounts that this login proved, and the Facebook accounts of it; not what was proven since Meta
signed its request. Places keep what they hold, so that another login can reconnect it. A batch is a
transaction; who dies in between has the rest done when Meta asks again, or by `meta delete`.
"""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from graphql_api.adapters.graph.signed import SignedRequest
from graphql_api.domain.events import EventKind, NewEvent
from graphql_api.domain.holders import Holder, Personal
from graphql_api.domain.proofs import AccessTokenProblem
from graphql_api.domain.secrets import Secret
from graphql_api.domain.transfers import TransferRequestStatus, ended
from graphql_api.services.accounts import transfer_requests
from graphql_api.services.accounts.facebook_accounts import part_from_social_accounts
from graphql_api.services.accounts.social_accounts import event_of, place_of
from graphql_api.services.calls import access
from graphql_api.services.calls.call import Call, Services
from graphql_api.services.history import recording
from graphql_api.storage.faults import ChangedMeanwhile
from graphql_api.storage.statements import insert_missing
from graphql_api.storage.tables import (
    Attempts,
    DataDeletion,
    Event,
    FacebookAccount,
    SocialAccount,
    TransferRequest,
)

OLDEST, SKEW = timedelta(hours=1), timedelta(minutes=5)  # of what Meta signed
BATCH = 200
A_DELETED_LOGIN = "a deleted login"


@dataclass(frozen=True, slots=True)
class _Forgetting:
    """One login, what was proven of it until when, and whether its data goes too."""

    facebook_user_id: str
    until: datetime
    deletes: bool


async def deauthorize(services: Services, signed: str) -> bool:
    """The user removed our app: destroy their access tokens. False if Meta did not sign this now."""
    request = await _read(services, signed)
    if request is None:
        return False
    await _forget(services, _Forgetting(request.facebook_user_id, request.issued_at, deletes=False))
    return await _use(services, request)


async def request_deletion(services: Services, signed: str) -> Secret | None:
    """The user asks for their data to be deleted: delete it, and return the code that tells how far it is.

    None if Meta did not sign this now.
    """
    request = await _read(services, signed)
    if request is None:
        return None
    code = Secret(secrets.token_urlsafe(24))
    begun = DataDeletion(code_hash=_hash(code.reveal()), created_at=services.clock())

    async def begin(session: AsyncSession) -> None:
        session.add(begun)

    await services.database.transact(begin)
    await delete(services, request.facebook_user_id, until=request.issued_at)

    async def complete(session: AsyncSession) -> None:
        done = sa.update(DataDeletion).where(col(DataDeletion.code_hash) == _hash(code.reveal()))
        await session.execute(
            done.values(completed_at=services.clock()).execution_options(synchronize_session=False)
        )

    await services.database.transact(complete)
    return code if await _use(services, request) else None


async def deletion_state(services: Services, code: str) -> bool | None:
    """Is a deletion complete? None if the code is of none."""
    statement = select(DataDeletion).where(DataDeletion.code_hash == _hash(code))

    async def read(session: AsyncSession) -> DataDeletion | None:
        return (await session.scalars(statement)).one_or_none()

    found = await services.database.read(read)
    return None if found is None else found.completed_at is not None


async def delete(services: Services, facebook_user_id: str, *, until: datetime) -> int:
    """Delete what we have of a login; how many accounts and Facebook accounts that was."""
    return await _forget(services, _Forgetting(facebook_user_id, until, deletes=True))


async def _read(services: Services, signed: str) -> SignedRequest | None:
    """What Meta signed lately and we have not done yet."""
    request = None if services.meta is None else services.meta.read_signed(signed)
    now = services.clock()
    if request is None or not now - OLDEST < request.issued_at <= now + SKEW:
        return None
    statement = sa.select(col(Attempts.key)).where(col(Attempts.key) == request.fingerprint)

    async def is_used(session: AsyncSession) -> bool:
        return (await session.execute(statement)).first() is not None

    return None if await services.database.read(is_used) else request


async def _use(services: Services, request: SignedRequest) -> bool:
    """Remember a request until it is too old anyway; False if somebody else did it at the same time."""
    row = {"key": request.fingerprint, "count": 1, "window_ends_at": request.issued_at + OLDEST + SKEW}

    async def work(session: AsyncSession) -> bool:
        return bool(await insert_missing(session, Attempts, [row]))

    return await services.database.transact(work)


async def _forget(services: Services, what: _Forgetting) -> int:
    """Forget accounts batch by batch, then the Facebook accounts of each user."""
    call, done = Call(services, None, request_id=f"forget-{uuid4()}"), 0
    while batch := await call.read(partial(_some_accounts, call=call, what=what)):
        done += await call.transact(partial(_forget_accounts, call=call, what=what, ids=batch))
    for login_id, user_id in await call.read(partial(_logins, call=call, what=what)):
        work = partial(_forget_login, call=call, what=what, login_id=login_id, user_id=user_id)
        done += await call.transact(work)
    if what.deletes:
        for request_id in await call.read(partial(_requests, call=call, what=what)):
            await call.transact(partial(_forget_request, call=call, request_id=request_id))
    return done


def _proven(call: Call, what: _Forgetting) -> sa.ColumnElement[bool]:
    """The accounts that the login proved, and that are not forgotten yet."""
    rest = sa.true() if what.deletes else col(SocialAccount.access_token).is_not(None)
    source = call.services.meta.source if call.services.meta else None
    return sa.and_(
        col(SocialAccount.proof_login) == what.facebook_user_id,
        col(SocialAccount.proven_at) <= what.until,
        sa.true() if source is None else col(SocialAccount.proof_source) == source,
        rest,
    )


async def _some_accounts(session: AsyncSession, call: Call, what: _Forgetting) -> Sequence[UUID]:
    statement = sa.select(col(SocialAccount.id)).where(_proven(call, what)).limit(BATCH)
    return (await session.scalars(statement)).all()


async def _forget_accounts(session: AsyncSession, call: Call, what: _Forgetting, ids: Sequence[UUID]) -> int:
    """Destroy the access tokens of accounts; their names and pictures too, where the data is deleted."""
    which = sa.and_(col(SocialAccount.id).in_(ids), _proven(call, what))
    before = (await session.scalars(select(SocialAccount).where(which))).all()
    places: list[Holder | None] = [place_of(account) for account in before]
    await access.lock_places(session, call, places)
    locked = (
        select(SocialAccount)
        .where(which)
        .order_by(col(SocialAccount.platform), col(SocialAccount.external_id))
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    accounts = [one for one in (await session.scalars(locked)).all() if place_of(one) in places]
    events: list[NewEvent] = []
    for account in accounts:
        if account.health_problem is None:
            details = {"problem": str(AccessTokenProblem.REVOKED)}
            events.append(event_of(account, EventKind.SOCIAL_ACCOUNT_BROKE, details))
            account.health_since = call.now
        account.access_token, account.next_check_at = None, None
        account.health_problem, account.health_details = AccessTokenProblem.REVOKED, None
        account.checked_at, account.breaks_at = call.now, None
        account.access_version += 1
        if what.deletes:
            account.proof_login = None
            account.display_name = account.display_name_key = account.external_id
            account.profile_picture_url = None
    await session.flush()
    await recording.record(session, call, events)
    if what.deletes:
        for account in accounts:
            await _rename_in_history(session, account.hold_id, account.external_id)
    return len(accounts)


async def _logins(session: AsyncSession, call: Call, what: _Forgetting) -> Sequence[Any]:
    statement = sa.select(col(FacebookAccount.id), col(FacebookAccount.user_id)).where(_of_login(call, what))
    return (await session.execute(statement)).all()


def _of_login(call: Call, what: _Forgetting) -> sa.ColumnElement[bool]:
    """The Facebook accounts of the login, but for those that another source has proven."""
    proof_source = col(FacebookAccount.proof_source)
    source = call.services.meta.source if call.services.meta else None
    return sa.and_(
        col(FacebookAccount.facebook_user_id) == what.facebook_user_id,
        col(FacebookAccount.updated_at) <= what.until,
        sa.true() if source is None else sa.or_(proof_source.is_(None), proof_source == source),
    )


async def _forget_login(
    session: AsyncSession, call: Call, what: _Forgetting, login_id: UUID, user_id: UUID
) -> int:
    """Destroy the access token of a Facebook account; the row too, where the data is deleted."""
    own = sa.and_(col(FacebookAccount.id) == login_id, _of_login(call, what))
    await access.lock_places(session, call, [Personal(user_id)])
    account = (await session.scalars(select(FacebookAccount).where(own))).one_or_none()
    if account is None:
        return 0
    if not what.deletes:
        account.access_token, account.breaks_at = None, None
        account.health_problem, account.health_details = AccessTokenProblem.REVOKED, None
        account.checked_at = account.health_since = call.now
        await session.flush()
        return 1
    await part_from_social_accounts(session, own)
    await session.execute(sa.delete(FacebookAccount).where(own))
    gone = NewEvent(
        Personal(user_id), EventKind.FACEBOOK_ACCOUNT_DISCONNECTED, login_id, subject_name=A_DELETED_LOGIN
    )
    await recording.record(session, call, [gone])
    await _rename_in_history(session, login_id, A_DELETED_LOGIN)
    return 1


async def _requests(session: AsyncSession, call: Call, what: _Forgetting) -> Sequence[UUID]:
    """Requests for a transfer that this login made: they name it."""
    source = call.services.meta.source if call.services.meta else None
    statement = sa.select(col(TransferRequest.id)).where(
        col(TransferRequest.facebook_user_id) == what.facebook_user_id,
        col(TransferRequest.updated_at) <= what.until,
        sa.true() if source is None else col(TransferRequest.proof_source) == source,
    )
    return (await session.scalars(statement)).all()


async def _forget_request(session: AsyncSession, call: Call, request_id: UUID) -> None:
    """Withdraw a request that is open, so that the holder knows, and forget it."""
    before = await transfer_requests.known(session, request_id)
    await access.lock_places(session, call, transfer_requests.both_sides(before))
    request = await transfer_requests.known(session, request_id)
    if set(transfer_requests.both_sides(request)) != set(transfer_requests.both_sides(before)):
        raise ChangedMeanwhile
    if request.state(call).is_open:
        withdrawn = ended(TransferRequestStatus.WITHDRAWN, now=call.now)
        await transfer_requests.write(session, call, request, withdrawn)
    await session.execute(sa.delete(TransferRequest).where(col(TransferRequest.id) == request_id))
    await _rename_in_history(session, request_id, request.row.external_id)


async def _rename_in_history(session: AsyncSession, subject_id: UUID | None, name: str) -> None:
    renamed = sa.update(Event).where(col(Event.subject_id) == subject_id).values(subject_name=name)
    await session.execute(renamed.execution_options(synchronize_session=False))


def _hash(code: str) -> bytes:
    return hashlib.sha256(code.encode()).digest()
