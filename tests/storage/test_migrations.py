"""The way from an empty database to the tables, on both databases."""

import asyncio
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.ext.asyncio import AsyncSession

from graphql_api.storage.database import Database
from graphql_api.storage.migrations import config, migrate
from graphql_api.storage.postgresql import PostgreSQL, postgresql_engine
from graphql_api.storage.revisions import Migrated, head, packaged, state_of
from graphql_api.storage.sqlite import sqlite_engine, sqlite_path
from graphql_api.storage.tables import metadata
from tests.conftest import DATABASES


@pytest.fixture(params=DATABASES)
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database without any table."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'a folder that is not there' / 'empty.sqlite3'}"
    server = request.getfixturevalue("postgresql")
    name = f"empty_{uuid4().hex}"
    server.psql(f"CREATE DATABASE {name}")
    return str(server.get_uri(name))


async def inspected(url: str, inspect: Any) -> Any:
    """Run a question on a connection of Alembic's kind."""
    if url.startswith("sqlite"):
        engine = sqlite_engine(sqlite_path(url), pool_size=1, begin="BEGIN")
    else:
        engine = postgresql_engine(PostgreSQL(url), pool_size=1)
    try:
        async with engine.connect() as connection:
            return await connection.run_sync(inspect)
    finally:
        await engine.dispose()


def differences(connection: sa.Connection) -> list[Any]:
    """What autogenerate would still write into a revision."""
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    return list(compare_metadata(context, metadata))


async def test_an_empty_database_is_upgraded_to_what_the_tables_say(empty_url: str) -> None:
    await migrate(empty_url)
    assert await inspected(empty_url, differences) == []


async def test_every_check_of_the_tables_is_in_the_database(empty_url: str) -> None:
    await migrate(empty_url)

    def checks(connection: sa.Connection) -> dict[tuple[str, str], str]:
        inspector = sa.inspect(connection)
        return {
            (table, str(check["name"])): check["sqltext"]
            for table in inspector.get_table_names()
            for check in inspector.get_check_constraints(table)
        }

    declared = {
        (table.name, str(constraint.name))
        for table in metadata.tables.values()
        for constraint in table.constraints
        if isinstance(constraint, sa.CheckConstraint)
    }
    found = await inspected(empty_url, checks)
    assert len(found) == len(declared)
    assert {table for table, _ in found} == {table for table, _ in declared}
    for table in metadata.tables.values():
        for column in table.columns:
            if isinstance(column.type, sa.Enum):
                rule = found[table.name, f"ck_{table.name}_{column.type.name}"]
                assert {value for value in column.type.enums if f"'{value}'" not in rule} == set()


async def test_a_second_run_does_nothing(empty_url: str) -> None:
    await migrate(empty_url)
    await migrate(empty_url)
    async with Database(empty_url) as database:
        assert await database.read(state_of) is Migrated.AT_HEAD


async def test_two_migrators_at_once_both_end_well(empty_url: str) -> None:
    await asyncio.gather(*(migrate(empty_url) for _ in range(2)))
    async with Database(empty_url) as database:
        assert await database.read(state_of) is Migrated.AT_HEAD
    assert await inspected(empty_url, differences) == []


async def test_a_database_that_is_behind_or_ahead_is_told_apart(empty_url: str) -> None:
    await migrate(empty_url)

    async def pretend(revision: str) -> None:
        async def work(session: AsyncSession) -> None:
            await session.execute(sa.text("UPDATE alembic_version SET version_num = :to"), {"to": revision})

        await database.transact(work)

    async with Database(empty_url) as database:
        await pretend("9999")
        assert await database.read(state_of) is Migrated.AHEAD
        await pretend(head())
        assert await database.read(state_of) is Migrated.AT_HEAD


async def test_foreign_keys_are_on_and_nothing_refers_to_nothing(sqlite_url: str) -> None:
    async def ask(session: AsyncSession) -> tuple[Any, Any]:
        return (
            (await session.execute(sa.text("PRAGMA foreign_keys"))).scalar(),
            (await session.execute(sa.text("PRAGMA foreign_key_check"))).all(),
        )

    async with Database(sqlite_url) as database:
        assert await database.read(ask) == (1, [])
        assert await database.transact(ask) == (1, [])


async def test_a_migration_that_fails_leaves_the_database_as_it_was(empty_url: str) -> None:
    with pytest.raises(Exception, match="no_such_revision"):
        await migrate(empty_url, "no_such_revision")
    assert await inspected(empty_url, lambda sync: sa.inspect(sync).get_table_names()) == []
    await migrate(empty_url)


async def test_asyncpg_sees_the_same_database(postgresql_url: str) -> None:
    connection = await asyncpg.connect(postgresql_url)
    assert await connection.fetchval("SELECT version_num FROM alembic_version") == head()
    await connection.close()


def test_the_files_of_revisions_are_named_after_them() -> None:
    scripts = list(ScriptDirectory.from_config(config()).walk_revisions())
    assert tuple(script.revision for script in reversed(scripts)) == packaged()
