"""The viewer's Facebook accounts: listing and disconnecting them."""

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from graphql_api.domain.events import EventKind, NewEvent
from graphql_api.domain.holders import Personal
from graphql_api.domain.inputs import InvalidInput, InvalidInputCode
from graphql_api.domain.refusals import Refused
from graphql_api.services.calls import access, quotas
from graphql_api.services.calls.call import Call
from graphql_api.services.calls.pages import Page, PageRequest, PreparedList
from graphql_api.services.history import recording
from graphql_api.storage.rows import FacebookAccountRow, columns
from graphql_api.storage.tables import FacebookAccount, SocialAccount

_OWN = PreparedList(
    sa.select(*columns(FacebookAccount, FacebookAccountRow)),
    FacebookAccountRow,
    within={"user_id": col(FacebookAccount.user_id)},
    order=[col(FacebookAccount.created_at), col(FacebookAccount.id)],
)


async def page(call: Call, request: PageRequest) -> Page[FacebookAccountRow]:
    """The viewer's Facebook accounts, in the order of connecting."""
    return await _OWN.page(call, request, user_id=call.viewer.user_id)


async def disconnect(call: Call, facebook_account_id: UUID) -> FacebookAccountRow | Refused[InvalidInput]:
    """Forget one of the viewer's Facebook accounts and its access token.

    The social accounts that it vouched for stay where they are, and keep their own access tokens.

    Raises:
        RateLimited: the viewer wrote too much.
    """
    await quotas.count_writes(call, 1)
    own = sa.and_(
        col(FacebookAccount.id) == facebook_account_id, col(FacebookAccount.user_id) == call.viewer.user_id
    )

    async def work(session: AsyncSession) -> FacebookAccountRow | Refused[InvalidInput]:
        await access.lock_viewer(session, call)
        await part_from_social_accounts(session, own)
        deleted = await session.execute(
            sa.delete(FacebookAccount).where(own).returning(*columns(FacebookAccount, FacebookAccountRow))
        )
        found = deleted.one_or_none()
        if found is None:
            return Refused([_no_such_account()])
        account = FacebookAccountRow(*found)
        event = NewEvent(
            Personal(account.user_id),
            EventKind.FACEBOOK_ACCOUNT_DISCONNECTED,
            account.id,
            subject_name=account.facebook_user_id,
        )
        await recording.record(session, call, [event])
        return account

    return await call.transact(work)


async def part_from_social_accounts(session: AsyncSession, own: sa.ColumnElement[bool]) -> None:
    """Locked by key first, as everywhere; ON DELETE SET NULL would lock them in an order of its own."""
    locked = (
        sa.select(col(SocialAccount.id))
        .where(col(SocialAccount.facebook_account_id).in_(sa.select(col(FacebookAccount.id)).where(own)))
        .order_by(col(SocialAccount.platform), col(SocialAccount.external_id))
        .with_for_update(key_share=True)
    )
    ids = (await session.scalars(locked)).all()
    await session.execute(
        sa.update(SocialAccount)
        .where(col(SocialAccount.id).in_(ids))
        .values(facebook_account_id=None)
        .execution_options(synchronize_session=False)
    )


def _no_such_account() -> InvalidInput:
    return InvalidInput(
        ("input", "facebookAccountId"), InvalidInputCode.NOT_FOUND, "You have no such Facebook account"
    )
