"""Points in time as the drivers hold them: one that was read before is not made again.

What was written at once shares its time, and what is shown once is mostly shown again. To make a point in
time, and to write it as text, took a quarter of a page of events (docs/profile.md).
"""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

import asyncpg
from sqlalchemy.dialects import sqlite

from graphql_api.storage.columns import UtcDateTime

KEPT = 4096  # points in time

_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_SQLITE = sqlite.dialect()
_from_sqlite: Any = UtcDateTime().dialect_impl(_SQLITE).result_processor(_SQLITE, None)


async def keep_times(connection: asyncpg.Connection) -> None:
    """Have a connection to PostgreSQL read its points in time through `read_time`."""
    await connection.set_type_codec(
        "timestamptz", schema="pg_catalog", encoder=write_time, decoder=read_time, format="tuple"
    )


@lru_cache(KEPT)
def read_time(value: tuple[int]) -> datetime:
    """PostgreSQL's: microseconds since the year 2000 began in UTC."""
    return _EPOCH + timedelta(microseconds=value[0])


def write_time(moment: datetime) -> tuple[int]:
    """As PostgreSQL holds it.

    Raises:
        TypeError: it names no time zone, so nobody can know what it means.
    """
    return ((moment - _EPOCH) // _MICROSECOND,)


@lru_cache(KEPT)
def read_sqlite_time(value: str | None) -> datetime | None:
    """SQLite's: text, as the column's own type reads it."""
    moment: datetime | None = _from_sqlite(value)
    return moment
