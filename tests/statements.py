"""What a request sends to the database: statements of SQLAlchemy, and of the drivers' own connections."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import pytest
import sqlalchemy as sa

from graphql_api.storage.database import Database
from graphql_api.storage.hot import HotStatement
from graphql_api.storage.prepared import Prepared

# What the request that a test sends is found to send to the database; not what the server does besides.
SENT: ContextVar[list[str]] = ContextVar("sent")


def note(statement: str) -> None:
    if (sent := SENT.get(None)) is not None:
        sent.append(statement)


class Noting:
    """An SQLite connection whose statements are noted, as they are written."""

    def __init__(self, connection: sqlite3.Connection, sent: list[str]) -> None:
        self.connection = connection
        self.sent = sent

    def execute(self, statement: str, *values: Any) -> sqlite3.Cursor:
        self.sent.append(statement)
        return self.connection.execute(statement, *values)


@dataclass(frozen=True)
class NotedOnSqlite:
    """A hot statement that is noted as it is run."""

    statement: HotStatement
    sent: list[str]

    @property
    def repeatable(self) -> bool:
        return self.statement.repeatable

    def on_postgresql(self) -> tuple[str, tuple[object, ...]]:
        raise NotImplementedError("PostgreSQL's form is noted by itself")

    def on_sqlite(self, connection: sqlite3.Connection) -> list[Any]:
        noting: Any = Noting(connection, self.sent)
        return self.statement.on_sqlite(noting)


@contextmanager
def statements() -> Iterator[list[str]]:
    """The statements that are sent on behalf of what is done meanwhile, as they are written, without values."""
    rows, write_at_once = Database.rows, Database.write_at_once

    async def noted_rows(self: Database, prepared: Prepared[Any], **values: object) -> list[Any]:
        note(prepared.form(is_sqlite=self.is_sqlite).sql)
        return await rows(self, prepared, **values)

    async def noted_write(self: Database, statement: HotStatement) -> list[Any]:
        if not self.is_sqlite:
            note(statement.on_postgresql()[0])
            return await write_at_once(self, statement)
        sent: list[str] = []  # in a thread, which does not know whose request it is
        try:
            return await write_at_once(self, NotedOnSqlite(statement, sent))
        finally:
            for sql in sent:
                note(sql)

    def noted_execute(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        note(statement)

    sent: list[str] = []
    token = SENT.set(sent)
    sa.event.listen(sa.Engine, "before_cursor_execute", noted_execute)
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Database, "rows", noted_rows)
            patch.setattr(Database, "write_at_once", noted_write)
            yield sent
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", noted_execute)
        SENT.reset(token)
