"""Write a new revision from what the tables say and an empty database, migrated to head, does not.

For developers: `make revision m="Say what changes"`. Read what it wrote, and mend it where it is wrong.
"""

import asyncio
import sys
import tempfile
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.script import ScriptDirectory

from graphql_api.storage.migrations import config, migrate
from graphql_api.storage.sqlite import sqlite_engine, sqlite_path


async def revise(message: str) -> None:
    """Write `versions/NNNN_message.py`."""
    with tempfile.TemporaryDirectory() as directory:
        url = f"sqlite:///{Path(directory)}/empty.sqlite3"
        await migrate(url)
        engine = sqlite_engine(sqlite_path(url), pool_size=1, begin="BEGIN IMMEDIATE")
        async with engine.connect() as connection:
            await connection.run_sync(_write, message)
        await engine.dispose()


def _write(connection: sa.Connection, message: str) -> None:
    settings = config()
    settings.attributes["connection"] = connection
    number = len(list(ScriptDirectory.from_config(settings).walk_revisions())) + 1
    command.revision(settings, message, autogenerate=True, rev_id=f"{number:04}")


if __name__ == "__main__":
    asyncio.run(revise(" ".join(sys.argv[1:])))
