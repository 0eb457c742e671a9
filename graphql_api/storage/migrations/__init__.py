"""The way from any older database to the tables of this version, forwards only.

Revisions are Alembic's, in `versions/`. On SQLite a table is changed by copying it, which with foreign
keys on would delete what refers to it: so they are off, set before BEGIN, and checked before COMMIT.
"""

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from sqlalchemy.ext.asyncio import AsyncConnection

from graphql_api.storage.postgresql import PostgreSQL, postgresql_engine
from graphql_api.storage.sqlite import create_file, sqlite_engine, sqlite_path

# Any number that no other user of the same database takes: two migrators wait for each other on it.
_ADVISORY_LOCK = 7_312_604


async def migrate(url: str, revision: str = "head") -> None:
    """Bring the database to a revision, alone: a second migrator waits and then finds nothing to do."""
    if url.startswith("sqlite:"):
        path = sqlite_path(url)
        create_file(path)
        engine = sqlite_engine(path, pool_size=1, begin="BEGIN EXCLUSIVE", busy=5000, foreign_keys=False)
    else:
        engine = postgresql_engine(PostgreSQL(url, answering=None), pool_size=1)
    try:
        async with engine.connect() as connection:
            if url.startswith("sqlite:"):
                await _migrate_sqlite(connection, revision)
            else:
                await _migrate_postgresql(connection, revision)
    finally:
        await engine.dispose()


async def _migrate_sqlite(connection: AsyncConnection, revision: str) -> None:
    async with connection.begin():
        await connection.run_sync(_upgrade, revision)
        broken = (await connection.exec_driver_sql("PRAGMA foreign_key_check")).all()
        if broken:
            raise RuntimeError(f"the migration would leave {len(broken)} rows that refer to nothing")


async def _migrate_postgresql(connection: AsyncConnection, revision: str) -> None:
    async with connection.begin():
        await connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
        await connection.exec_driver_sql("SET LOCAL lock_timeout = '60s'")
        await connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_ADVISORY_LOCK})")
        await connection.run_sync(_upgrade, revision)


def _upgrade(connection: sa.Connection, revision: str) -> None:
    settings = config()
    settings.attributes["connection"] = connection
    command.upgrade(settings, revision)


def config() -> Config:
    """Alembic's configuration, which names this folder and nothing else."""
    settings = Config()
    settings.set_main_option("script_location", str(Path(__file__).parent))
    settings.set_main_option("path_separator", "os")
    return settings
