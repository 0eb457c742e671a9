"""The few hot statements, where one round trip does what the ORM would do in many."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from graphql_api.domain.holders import Holder, columns_of
from graphql_api.domain.platforms import Platform
from graphql_api.domain.secrets import Sealed
from graphql_api.storage.tables import FacebookAccount, PastShare, SocialAccount


@dataclass(frozen=True, slots=True)
class ClaimedRow:
    """One row of a claim: what the social account becomes if it is free or ours."""

    external_id: str
    new_hold_id: UUID
    display_name: str
    profile_picture_url: str | None
    access_token: Sealed


async def claim_social_accounts(
    session: AsyncSession,
    rows: Sequence[ClaimedRow],
    *,
    holder: Holder,
    facebook_account_id: UUID,
    connected_by_id: UUID,
    now: datetime,
) -> dict[str, SocialAccount]:
    """Take the social accounts that are free or ours, in one statement; returns those, by external id.

    A key that does not come back is held by another; PostgreSQL has locked its row all the same, so who
    holds it does not change before this transaction ends. The keys are sorted: two claims of overlapping
    sets wait for each other instead of deadlocking. A row's hold is new when its id is the minted one.
    """
    user_id, workspace_id = columns_of(holder)
    insert: Any = _dialect(session).insert(SocialAccount)
    statement = insert.values(
        [
            {
                "id": row.new_hold_id,  # any fresh id serves, and this one is fresh
                "platform": Platform.INSTAGRAM,
                "external_id": row.external_id,
                "hold_id": row.new_hold_id,
                "holder_user_id": user_id,
                "holder_workspace_id": workspace_id,
                "display_name": row.display_name,
                "display_name_key": row.display_name.lower(),
                "profile_picture_url": row.profile_picture_url,
                "facebook_account_id": facebook_account_id,
                "connected_by_id": connected_by_id,
                "access_token": row.access_token,
                "created_at": now,
                "updated_at": now,
            }
            for row in sorted(rows, key=lambda row: row.external_id)
        ]
    )
    held, new = SocialAccount, statement.excluded
    ours = (
        col(held.holder_user_id) == user_id
        if user_id is not None
        else col(held.holder_workspace_id) == workspace_id
    )
    claimed = statement.on_conflict_do_update(
        index_elements=["platform", "external_id"],
        set_={
            "hold_id": sa.func.coalesce(col(held.hold_id), new.hold_id),
            "holder_user_id": new.holder_user_id,
            "holder_workspace_id": new.holder_workspace_id,
            "display_name": new.display_name,
            "display_name_key": new.display_name_key,
            "profile_picture_url": new.profile_picture_url,
            "facebook_account_id": new.facebook_account_id,
            "connected_by_id": new.connected_by_id,
            "access_token": new.access_token,
            "created_at": sa.func.coalesce(col(held.created_at), new.created_at),
            "updated_at": new.updated_at,
        },
        where=sa.or_(col(held.hold_id).is_(None), ours),
    ).returning(SocialAccount)
    taken = await session.scalars(claimed, execution_options={"populate_existing": True})
    return {account.external_id: account for account in taken.all()}


async def upsert_facebook_account(
    session: AsyncSession,
    *,
    new_id: UUID,
    user_id: UUID,
    facebook_user_id: str,
    location: str | None,
    access_token: Sealed,
    now: datetime,
) -> FacebookAccount:
    """Keep a user's Facebook account, new or as it was; it is new when its id is `new_id`."""
    insert: Any = _dialect(session).insert(FacebookAccount)
    statement = insert.values(
        id=new_id,
        user_id=user_id,
        facebook_user_id=facebook_user_id,
        location=location,
        access_token=access_token,
        created_at=now,
        updated_at=now,
    )
    new = statement.excluded
    kept = await session.scalars(
        statement.on_conflict_do_update(
            index_elements=["user_id", "facebook_user_id"],
            set_={
                "location": new.location,
                "access_token": new.access_token,
                "updated_at": new.updated_at,
            },
        ).returning(FacebookAccount),
        execution_options={"populate_existing": True},
    )
    account: FacebookAccount = kept.one()
    return account


async def keep_past_shares(session: AsyncSession, ended: Sequence[tuple[UUID, UUID, int]]) -> None:
    """Keep until which event (by its number) teams saw social accounts: (hold id, team id, number)."""
    insert: Any = _dialect(session).insert(PastShare)
    latest = {(hold_id, team_id): seq for hold_id, team_id, seq in ended}
    statement = insert.values(
        [
            {"hold_id": hold_id, "team_id": team_id, "until_seq": seq}
            for (hold_id, team_id), seq in latest.items()
        ]
    )
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=["hold_id", "team_id"], set_={"until_seq": statement.excluded.until_seq}
        )
    )


async def insert_missing(session: AsyncSession, table: Any, rows: Sequence[Mapping[str, object]]) -> None:
    """Insert the rows whose key is not there yet, and leave the others as they are."""
    insert: Any = _dialect(session).insert(table)
    await session.execute(insert.values(list(rows)).on_conflict_do_nothing())


def _dialect(session: AsyncSession) -> Any:
    return sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
