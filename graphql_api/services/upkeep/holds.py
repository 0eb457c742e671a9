"""For the operator: who holds a social account, and taking it from a place that should not have it."""

from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from graphql_api.domain.events import EventKind
from graphql_api.domain.health import health_of
from graphql_api.domain.holders import Personal
from graphql_api.domain.mails import MailKind
from graphql_api.domain.platforms import SocialKey
from graphql_api.domain.transfers import OPEN
from graphql_api.services.accounts import social_accounts
from graphql_api.services.accounts.social_accounts import event_of, place_of
from graphql_api.services.calls import access, mails
from graphql_api.services.calls.call import Call, Services
from graphql_api.services.history import recording
from graphql_api.storage.faults import ChangedMeanwhile
from graphql_api.storage.rows import SocialAccountRow, row_of
from graphql_api.storage.tables import SocialAccount, TransferRequest, User, Workspace


@dataclass(frozen=True, slots=True)
class Hold:
    """What an operator is shown of a held account."""

    place: str
    display_name: str
    since: datetime | None
    health: str
    proof: str
    open_requests: int


async def show(services: Services, key: SocialKey) -> Hold | None:
    """Who holds an account; None if nobody does. The place sees that the operator looked."""
    call = Call(services, None, request_id=f"holds-{uuid4()}")

    async def work(session: AsyncSession) -> Hold | None:
        account = await _lock(session, call, key)
        if account is None:
            return None
        source = services.meta.source if services.meta else None
        requests = sa.select(sa.func.count()).where(
            col(TransferRequest.hold_id) == account.hold_id, col(TransferRequest.status).in_(OPEN)
        )
        hold = Hold(
            place=await _place_name(session, account),
            display_name=account.display_name or "",
            since=account.created_at,
            health=health_of(account, source=source, now=call.now).state,
            proof=_proof(account),
            open_requests=(await session.execute(requests)).scalar_one(),
        )
        await recording.record(session, call, [event_of(account, EventKind.HOLD_SHOWN)])
        return hold

    return await call.transact(work)


async def release(services: Services, key: SocialKey, reason: str) -> bool:
    """Disconnect an account from the place that holds it, which is told why; False if nobody holds it."""
    call = Call(services, None, request_id=f"holds-{uuid4()}")

    async def work(session: AsyncSession) -> bool:
        account = await _lock(session, call, key)
        if account is None:
            return False
        place, row = place_of(account), row_of(account, SocialAccountRow)
        told = {"display_name": row.display_name, "reason": reason}
        await mails.tell_place(session, call, MailKind.HOLD_RELEASED, place, told)
        await social_accounts.free(
            session, call, [row], EventKind.HOLD_RELEASED, details={"reason": reason[:500]}
        )
        return True

    return await call.transact(work)


async def _lock(session: AsyncSession, call: Call, key: SocialKey) -> SocialAccount | None:
    """Lock the place that holds an account, and then the account.

    Raises:
        ChangedMeanwhile: the account went to another place while this waited.
    """
    of_key = (SocialAccount.platform == key.platform, SocialAccount.external_id == key.external_id)
    held = select(SocialAccount).where(*of_key, col(SocialAccount.hold_id).is_not(None))
    before = (await session.scalars(held)).one_or_none()
    if before is None:
        return None
    place = place_of(before)
    await access.lock_places(session, call, [place])
    locked = held.with_for_update(key_share=True).execution_options(populate_existing=True)
    account = (await session.scalars(locked)).one_or_none()
    if account is None or place_of(account) != place:
        raise ChangedMeanwhile
    return account


async def _place_name(session: AsyncSession, account: SocialAccount) -> str:
    place = place_of(account)
    if isinstance(place, Personal):
        user = await session.get_one(User, place.user_id)
        return f"the Personal of {user.name} <{user.email}>"
    return (
        f"the Workspace {(await session.get_one(Workspace, place.workspace_id)).name} ({place.workspace_id})"
    )


def _proof(account: SocialAccount) -> str:
    if account.proof_login is None or account.proven_at is None:
        return "never proven"
    return (
        f"Facebook user {account.proof_login}, {account.proof_source}, {account.proven_at:%Y-%m-%d %H:%M} UTC"
    )
