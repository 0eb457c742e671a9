"""Upserts, which the two databases write in dialects of their own."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from graphql_api.storage.tables import PastShare


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
