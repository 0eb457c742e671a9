"""The facts that the conflict rules ask for: who holds these social accounts, as the viewer may know it."""

from collections.abc import Collection

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from graphql_api.domain.conflicts import Holding
from graphql_api.domain.holders import Role, holder_of
from graphql_api.domain.platforms import Platform
from graphql_api.domain.viewers import Viewer
from graphql_api.services.calls.access import sees_social_account
from graphql_api.storage.tables import Membership, SocialAccount, User


async def of_instagram_accounts(
    session: AsyncSession, viewer: Viewer, instagram_user_ids: Collection[str]
) -> dict[str, Holding]:
    """The present holdings by Instagram id, in one statement whoever holds; free accounts are absent."""
    statement = (
        sa.select(
            col(SocialAccount.external_id),
            col(SocialAccount.holder_user_id),
            col(SocialAccount.holder_workspace_id),
            col(Membership.role),
            sees_social_account(viewer),
            _contact_email(),
        )
        .outerjoin(
            Membership,
            sa.and_(
                col(Membership.workspace_id) == col(SocialAccount.holder_workspace_id),
                col(Membership.user_id) == viewer.user_id,
            ),
        )
        .where(
            col(SocialAccount.platform) == Platform.INSTAGRAM,
            col(SocialAccount.external_id).in_(instagram_user_ids),
            col(SocialAccount.hold_id).is_not(None),
        )
    )
    holdings = {}
    for external_id, user_id, workspace_id, role, sees, email in await session.execute(statement):
        holder = holder_of(user_id, workspace_id)
        if holder is not None:
            holdings[external_id] = Holding(
                holder,
                viewer_role=role,
                viewer_sees=bool(sees),
                contact_email=email if role is Role.CREATOR else None,
            )
    return holdings


async def held_accounts(
    session: AsyncSession, viewer: Viewer, instagram_user_ids: Collection[str]
) -> dict[str, SocialAccount]:
    """Those of the held Instagram accounts that the viewer may see, by Instagram id."""
    statement = select(SocialAccount).where(
        col(SocialAccount.platform) == Platform.INSTAGRAM,
        col(SocialAccount.external_id).in_(instagram_user_ids),
        sees_social_account(viewer),
    )
    return {account.external_id: account for account in (await session.scalars(statement)).all()}


def _contact_email() -> sa.ColumnElement[str]:
    """Whom a creator may ask: the admin who connected it, if still one there; else the longest-serving."""
    admin = sa.orm.aliased(Membership)
    admins = (
        sa.select(col(User.email))
        .join(admin, col(admin.user_id) == col(User.id))
        .where(
            col(admin.workspace_id) == col(SocialAccount.holder_workspace_id),
            col(admin.role) == Role.ADMIN,
        )
        .correlate(SocialAccount)
    )
    connected_it = admins.where(col(admin.user_id) == col(SocialAccount.connected_by_id))
    longest = admins.order_by(col(admin.created_at), col(admin.user_id)).limit(1)
    return sa.func.coalesce(connected_it.scalar_subquery(), longest.scalar_subquery())
