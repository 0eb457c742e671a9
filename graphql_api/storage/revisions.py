"""How a database stands to the migrations that are packaged.

Does without Alembic, whose import took a tenth of a server's start: a revision's file is named after it.
"""

from enum import StrEnum
from functools import cache
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession


class Migrated(StrEnum):
    """How a database stands to the revision that this version of the server needs."""

    BEHIND = "BEHIND"
    AT_HEAD = "AT_HEAD"
    AHEAD = "AHEAD"


@cache
def packaged() -> tuple[str, ...]:
    """The revisions that this version of the server brings, the oldest first."""
    versions = Path(__file__).parent / "migrations" / "versions"
    return tuple(sorted(path.name.partition("_")[0] for path in versions.glob("[0-9]*_*.py")))


def head() -> str:
    """The newest revision, which this version of the server needs."""
    return packaged()[-1]


async def state_of(session: AsyncSession) -> Migrated:
    """How the database stands to what this server needs.

    A revision that is not packaged is a newer server's: migrations expand first and contract later, so
    the older server goes on while the newer one is rolled out.
    """
    connection = await session.connection()
    revision = await connection.run_sync(_current)
    if revision == head():
        return Migrated.AT_HEAD
    return Migrated.BEHIND if revision is None or revision in packaged() else Migrated.AHEAD


def _current(connection: sa.Connection) -> str | None:
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    return revision
