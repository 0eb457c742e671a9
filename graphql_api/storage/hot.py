"""What the hottest write is to the database: one statement on PostgreSQL, one function in a thread on SQLite.

A hot statement writes all or nothing: where it would have to refuse, it writes nothing and returns no row.
"""

import re
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy.dialects import sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from graphql_api.storage.columns import UtcDateTime


class HotStatement(Protocol):
    """A hot statement with what it is told, as each database takes it; rows of both have the same shape."""

    @property
    def repeatable(self) -> bool:
        """May it be run a second time after it was committed, since it then writes nothing new?"""

    def on_postgresql(self) -> tuple[str, tuple[object, ...]]:
        """PostgreSQL's statement and its arguments."""

    def on_sqlite(self, connection: sqlite3.Connection) -> list[Any]:
        """Run it on a connection in a transaction, which is committed unless there are no rows."""


@dataclass(frozen=True, slots=True)
class Numbered:
    """A statement for PostgreSQL's driver, which numbers its parameters, made of one that names them."""

    sql: str
    names: tuple[str, ...]

    def arguments(self, values: Mapping[str, object]) -> tuple[object, ...]:
        """The values in the order of the numbers."""
        return tuple(values[name] for name in self.names)


def numbered(sql: str) -> Numbered:
    """Number the parameters of a statement, written as `:name`; a cast is written as `::type`."""
    names: dict[str, int] = {}

    def number(found: re.Match[str]) -> str:
        return f"${names.setdefault(found[1], len(names) + 1)}"

    return Numbered(re.sub(r"(?<!:):([a-z_]+)", number, sql), tuple(names))


async def run_within(session: AsyncSession, statement: HotStatement) -> list[Any]:
    """Run a hot statement in the transaction of a session, where others come before it."""
    connection = await session.connection()
    if connection.dialect.name == "sqlite":
        return await connection.run_sync(lambda sync: statement.on_sqlite(sync.connection))  # type: ignore[arg-type]  # the adapter answers as the driver's own connection does
    sql, arguments = statement.on_postgresql()
    return list((await connection.exec_driver_sql(sql, arguments)).all())


@dataclass(frozen=True, slots=True)
class OneStatement:
    """A hot statement that both databases write alike."""

    statement: Numbered
    values: Mapping[str, object]
    repeatable: bool = False

    def on_postgresql(self) -> tuple[str, tuple[object, ...]]:
        """With its parameters numbered."""
        return self.statement.sql, self.statement.arguments(self.values)

    def on_sqlite(self, connection: sqlite3.Connection) -> list[Any]:
        """With its parameters numbered, which SQLite writes with a question mark."""
        sql = self.statement.sql.replace("$", "?")
        return connection.execute(
            sql, [written(value) for value in self.statement.arguments(self.values)]
        ).fetchall()


def written(value: object) -> object:
    """A value as SQLite keeps it."""
    if isinstance(value, UUID):
        return value.hex
    return _time(value) if isinstance(value, datetime) else value


_SQLITE = sqlite.dialect()
_time: Any = UtcDateTime().dialect_impl(_SQLITE).bind_processor(_SQLITE)
