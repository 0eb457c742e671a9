"""Upserts, which the two databases write in dialects of their own."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from graphql_api.storage.columns import UtcDateTime
from graphql_api.storage.tables import CheckLease, PastShare, Share, SocialAccount, Team


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


async def insert_missing(
    session: AsyncSession, table: Any, rows: Sequence[Mapping[str, object]]
) -> set[tuple[Any, ...]]:
    """Insert the rows whose key is not there yet, and leave the others as they are; returns the new keys."""
    insert: Any = _dialect(session).insert(table)
    keys = sa.inspect(table).primary_key
    inserted = insert.values(list(rows)).on_conflict_do_nothing().returning(*keys)
    return {tuple(key) for key in await session.execute(inserted)}


async def take_leases(
    session: AsyncSession, keys: Collection[UUID], *, now: datetime, until: datetime
) -> set[UUID]:
    """Take those of the leases that nobody has now."""
    insert: Any = _dialect(session).insert(CheckLease)
    statement = insert.values([{"key": key, "until": until} for key in sorted(keys, key=str)])
    taken = statement.on_conflict_do_update(
        index_elements=["key"],
        set_={"until": statement.excluded.until},
        where=col(CheckLease.until) <= now,
    ).returning(col(CheckLease.key))
    return set((await session.scalars(taken)).all())


async def insert_shares(
    session: AsyncSession, *, account_ids: Collection[UUID], team_ids: Collection[UUID], now: datetime
) -> set[tuple[UUID, UUID]]:
    """Share social accounts with teams of the Workspace that holds them; returns each new (team, account)."""
    pairs = (
        sa.select(col(Team.id), col(SocialAccount.id), sa.literal(now, UtcDateTime))
        .join(SocialAccount, col(SocialAccount.holder_workspace_id) == col(Team.workspace_id))
        .where(col(Team.id).in_(team_ids), col(SocialAccount.id).in_(account_ids))
    )
    insert: Any = _dialect(session).insert(Share)
    shared = insert.from_select(["team_id", "social_account_id", "created_at"], pairs)
    new = await session.execute(
        shared.on_conflict_do_nothing().returning(col(Share.team_id), col(Share.social_account_id))
    )
    return {(team_id, account_id) for team_id, account_id in new}


def _dialect(session: AsyncSession) -> Any:
    return sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
