"""One way to write and one to read, alike on SQLite and PostgreSQL."""

import asyncio
import sqlite3
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.ext.asyncio import AsyncSession

from graphql_api.domain.faults import TemporarilyUnavailable
from graphql_api.domain.refusals import Refused
from graphql_api.settings import Settings
from graphql_api.storage import database as storage
from graphql_api.storage.database import Database
from graphql_api.storage.faults import ChangedMeanwhile
from graphql_api.storage.prepared import Prepared
from graphql_api.storage.sqlite import sqlite_engine, sqlite_path
from graphql_api.storage.tables import User
from tests import operations
from tests.api import Api
from tests.serving import free_port
from tests.storage.test_tables import user


async def names(database: Database) -> list[str]:
    async def work(session: AsyncSession) -> list[str]:
        return list((await session.scalars(sa.select(User.name).order_by(User.name))).all())  # type: ignore[call-overload]  # SQLModel types columns as values

    return await database.read(work)


async def test_a_success_is_committed_and_a_refusal_rolled_back(database_url: str) -> None:
    async def success(session: AsyncSession) -> str:
        session.add(user(name="kept"))
        return "done"

    async def refusal(session: AsyncSession) -> Refused[str]:
        session.add(user(name="dropped"))
        await session.flush()
        return Refused(["no"])

    async with Database(database_url) as database:
        assert await database.transact(success) == "done"
        assert await database.transact(refusal) == Refused(["no"])
        assert await names(database) == ["kept"]


async def test_what_a_refusal_tells_of_stays_readable(database_url: str) -> None:
    async def work(session: AsyncSession) -> Refused[User]:
        session.add(user(name="told"))
        await session.flush()
        return Refused([(await session.scalars(sa.select(User))).one()])

    async with Database(database_url) as database:
        assert (await database.transact(work)).problems[0].name == "told"


async def test_an_exception_rolls_back_and_is_passed_on(database_url: str) -> None:
    async def work(session: AsyncSession) -> None:
        session.add(user())
        await session.flush()
        raise LookupError("planned by nobody")

    async with Database(database_url) as database:
        with pytest.raises(LookupError):
            await database.transact(work)
        assert await names(database) == []


async def test_a_constraint_that_is_broken_is_not_called_unavailable(database_url: str) -> None:
    async def work(session: AsyncSession) -> None:
        session.add_all([user(email_key="same"), user(email_key="same")])

    async with Database(database_url) as database:
        with pytest.raises(IntegrityError):
            await database.transact(work)


async def test_work_is_run_again_on_a_serialization_failure(postgresql_url: str) -> None:
    """Two serializable transactions that read what the other writes: one of them must be repeated."""
    attempts = 0
    both_have_read = asyncio.Barrier(2)

    async def work(session: AsyncSession) -> None:
        nonlocal attempts
        attempts += 1
        await session.connection(execution_options={"isolation_level": "SERIALIZABLE"})
        found = len((await session.scalars(sa.select(User))).all())
        if attempts <= 2:
            await both_have_read.wait()
        session.add(user(name=f"saw {found}"))

    async with Database(postgresql_url) as database:
        await asyncio.gather(database.transact(work), database.transact(work))
        assert attempts == 3
        assert await names(database) == ["saw 0", "saw 1"]


async def test_work_that_finds_its_ground_changed_begins_anew(database_url: str) -> None:
    attempts = 0

    async def work(session: AsyncSession) -> None:
        nonlocal attempts
        attempts += 1
        session.add(user(name=f"attempt {attempts}"))
        await session.flush()
        if attempts == 1:
            raise ChangedMeanwhile

    async with Database(database_url) as database:
        await database.transact(work)
        assert await names(database) == ["attempt 2"]


async def test_work_is_run_again_while_another_process_writes(sqlite_url: str) -> None:
    other = sqlite_engine(sqlite_path(sqlite_url), pool_size=1, begin="BEGIN IMMEDIATE")

    async def work(session: AsyncSession) -> None:
        session.add(user(name="at last"))

    async with Database(sqlite_url) as database, other.connect() as connection:
        await database.transact(lambda session: session.execute(sa.text("PRAGMA busy_timeout=20")))
        await connection.begin()
        writing = asyncio.ensure_future(database.transact(work))
        await asyncio.sleep(0.3)
        assert not writing.done()
        await connection.rollback()
        await writing
        assert await names(database) == ["at last"]
    await other.dispose()


async def test_work_is_not_run_again_for_ever(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage, "AWAY_FOR", 0.1)
    other = sqlite_engine(sqlite_path(sqlite_url), pool_size=1, begin="BEGIN IMMEDIATE")

    async def work(session: AsyncSession) -> None:
        session.add(user())

    async with Database(sqlite_url) as database, other.connect() as connection:
        await database.transact(lambda session: session.execute(sa.text("PRAGMA busy_timeout=20")))
        await connection.begin()
        with pytest.raises(TemporarilyUnavailable):
            await database.transact(work)
        await connection.rollback()
    await other.dispose()


async def test_a_database_that_is_away_is_temporarily_unavailable(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(storage, "AWAY_FOR", 0.1)

    async def work(session: AsyncSession) -> None:
        await session.execute(sa.text("SELECT 1"))

    for url in (
        f"postgresql://ada:CANARY-password@127.0.0.1:{free_port()}/app",
        f"postgresql:///app?host={tmp_path}",
    ):
        async with Database(url) as database:
            for way in (database.read, database.transact):
                with pytest.raises(TemporarilyUnavailable) as caught:
                    await way(work)
                assert "CANARY" not in f"{caught.value} {caught.value!r}"


async def test_a_savepoint_rolls_back_what_came_after_it_and_no_more(database_url: str) -> None:
    async def work(session: AsyncSession) -> None:
        session.add(user(name="before"))
        await session.flush()
        savepoint = await session.begin_nested()
        session.add(user(name="inside"))
        await session.flush()
        await savepoint.rollback()
        session.add(user(name="after"))

    async with Database(database_url) as database:
        await database.transact(work)
        assert await names(database) == ["after", "before"]


async def test_a_reader_cannot_write_on_sqlite(sqlite_url: str) -> None:
    async def work(session: AsyncSession) -> Any:
        return await session.execute(sa.text("DELETE FROM users"))

    async with Database(sqlite_url) as database:
        with pytest.raises(OperationalError, match="readonly"):
            await database.read(work)


async def test_a_commit_survives_the_cancellation_of_its_caller(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    committing = asyncio.Event()
    commit = AsyncSession.commit

    async def slow_commit(session: AsyncSession) -> None:
        committing.set()
        await asyncio.sleep(0.05)
        await commit(session)

    async def work(session: AsyncSession) -> None:
        session.add(user(name="kept"))

    monkeypatch.setattr(AsyncSession, "commit", slow_commit)
    async with Database(database_url) as database:
        writing = asyncio.ensure_future(database.transact(work))
        await committing.wait()
        writing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await writing
        assert await names(database) == ["kept"]


async def test_work_that_is_cancelled_before_its_commit_leaves_nothing(database_url: str) -> None:
    started = asyncio.Event()

    async def work(session: AsyncSession) -> None:
        session.add(user(name="dropped"))
        await session.flush()
        started.set()
        await asyncio.sleep(30)

    async with Database(database_url, pool_size=1) as database:
        writing = asyncio.ensure_future(database.transact(work))
        await started.wait()
        writing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await writing
        assert await names(database) == []


class TestWritingAtOnceOnSqlite:
    """Two connections write in one process: in turn, and each call to its end."""

    async def test_rows_are_committed_and_none_are_rolled_back(self, sqlite_url: str) -> None:
        async with Database(sqlite_url) as database:
            assert await database.write_at_once(writing("kept")) == [("kept",)]
            assert await database.write_at_once(writing("dropped", rows=[])) == []
            assert await names(database) == ["kept"]

    async def test_what_fails_is_rolled_back_and_the_next_one_writes(self, sqlite_url: str) -> None:
        def fail(connection: sqlite3.Connection) -> list[Any]:
            insert(connection, "dropped")
            connection.execute("INSERT INTO users (id) VALUES ('incomplete')")
            return [()]

        async with Database(sqlite_url) as database:
            with pytest.raises(sqlite3.IntegrityError):
                await database.write_at_once(Hot(fail))
            await database.write_at_once(writing("after"))
            await database.transact(add("last"))
            assert await names(database) == ["after", "last"]

    async def test_it_commits_as_durably_as_all_else_and_keeps_to_foreign_keys(self, sqlite_url: str) -> None:
        def look(connection: sqlite3.Connection) -> list[Any]:
            return [connection.execute(f"PRAGMA {one}").fetchone()[0] for one in pragmas]

        pragmas = (
            "synchronous",
            "foreign_keys",
            "busy_timeout",
            "journal_mode",
            "trusted_schema",
            "query_only",
        )
        async with Database(sqlite_url) as database:

            async def work(session: AsyncSession) -> list[Any]:
                return [await session.scalar(sa.text(f"PRAGMA {one}")) for one in pragmas]

            assert await database.write_at_once(Hot(look)) == await database.transact(work)

    async def test_writers_of_both_kinds_take_their_turns_in_order(self, sqlite_url: str) -> None:
        order: list[str] = []

        async def in_session(name: str) -> None:
            await database.transact(add(name))
            order.append(name)

        async def at_once(name: str) -> None:
            await database.write_at_once(writing(name))
            order.append(name)

        async with Database(sqlite_url) as database:
            calls = [(at_once if number % 2 else in_session)(f"{number}") for number in range(9)]
            await asyncio.gather(*calls)
            assert order == await names(database) == list("012345678")

    async def test_who_waits_too_long_for_their_turn_is_told_so(
        self, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(storage, "POOL_TIMEOUT", 0.02)
        go_on = asyncio.Event()

        async def slow(session: AsyncSession) -> None:
            session.add(user(name="slow"))
            await go_on.wait()

        async with Database(sqlite_url) as database:
            writes = asyncio.ensure_future(database.transact(slow))
            await asyncio.sleep(0)
            for waiting in (database.write_at_once(writing("hot")), database.transact(add("cold"))):
                with pytest.raises(TemporarilyUnavailable):
                    await waiting
            go_on.set()
            await writes
            await database.write_at_once(writing("then"))
            assert await names(database) == ["slow", "then"]

    async def test_another_process_that_writes_is_waited_for_and_not_for_ever(
        self, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(storage, "AWAY_FOR", 0.2)
        other = sqlite3.connect(sqlite_path(sqlite_url), isolation_level=None)
        async with Database(sqlite_url) as database:
            await database.write_at_once(
                Hot(lambda connection: connection.execute("PRAGMA busy_timeout=20").fetchall())
            )
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(TemporarilyUnavailable):
                await database.write_at_once(writing("never"))
            waiting = asyncio.ensure_future(database.write_at_once(writing("at last")))
            await asyncio.sleep(0.1)
            assert not waiting.done()
            other.execute("ROLLBACK")
            await waiting
            assert await names(database) == ["at last"]
        other.close()

    async def test_a_cancelled_call_is_finished_before_the_next_one_begins(self, sqlite_url: str) -> None:
        begun, go_on = asyncio.Event(), threading.Event()
        loop = asyncio.get_running_loop()

        def slow(connection: sqlite3.Connection) -> list[Any]:
            insert(connection, "cancelled, and kept")
            loop.call_soon_threadsafe(begun.set)
            go_on.wait(10)
            return [()]

        async with Database(sqlite_url) as database:
            writes = asyncio.ensure_future(database.write_at_once(Hot(slow)))
            await begun.wait()
            queued = asyncio.ensure_future(database.write_at_once(writing("never begun")))
            next_ones = [
                asyncio.ensure_future(database.write_at_once(writing("hot"))),
                asyncio.ensure_future(database.transact(add("in a session"))),
            ]
            await asyncio.sleep(0)
            for _ in range(2):
                writes.cancel()
                queued.cancel()
                await asyncio.sleep(0.02)
            assert not writes.done()
            assert queued.cancelled()
            assert not any(one.done() for one in next_ones)
            go_on.set()
            with pytest.raises(asyncio.CancelledError):
                await writes
            await asyncio.gather(*next_ones)
            assert await names(database) == ["cancelled, and kept", "hot", "in a session"]

    async def test_a_call_that_is_cancelled_and_fails_leaves_nothing(self, sqlite_url: str) -> None:
        begun, go_on = asyncio.Event(), threading.Event()
        loop = asyncio.get_running_loop()

        def fail(connection: sqlite3.Connection) -> list[Any]:
            insert(connection, "dropped")
            loop.call_soon_threadsafe(begun.set)
            go_on.wait(10)
            raise LookupError("planned by nobody")

        async with Database(sqlite_url) as database:
            writes = asyncio.ensure_future(database.write_at_once(Hot(fail)))
            await begun.wait()
            writes.cancel()
            await asyncio.sleep(0)
            go_on.set()
            with pytest.raises(asyncio.CancelledError):
                await writes
            await database.write_at_once(writing("after"))
            assert await names(database) == ["after"]


@dataclass(frozen=True)
class Hot:
    """A hot statement that only SQLite knows."""

    on_sqlite: Callable[[sqlite3.Connection], list[Any]]
    repeatable: bool = False

    def on_postgresql(self) -> tuple[str, tuple[object, ...]]:
        raise NotImplementedError("it is for SQLite")


def writing(name: str, rows: list[Any] | None = None) -> Hot:
    """Write a user, and return rows: by default one, their name."""

    def write(connection: sqlite3.Connection) -> list[Any]:
        insert(connection, name)
        return [(name,)] if rows is None else rows

    return Hot(write)


def insert(connection: sqlite3.Connection, name: str) -> None:
    connection.execute(
        "INSERT INTO users (id, email, email_key, name, password_hash, held_count, event_seq, created_at, updated_at)"
        " VALUES (?, ?, ?, ?, '', 0, 0, '2026-01-01 00:00:00.000000', '2026-01-01 00:00:00.000000')",
        (uuid4().hex, name, name, name),
    )


def add(name: str) -> Callable[[AsyncSession], Awaitable[None]]:
    async def work(session: AsyncSession) -> None:
        session.add(user(name=name))

    return work


class TestSmallPool:
    """A request holds at most one connection: two would be a deadlock on a small pool."""

    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return settings.model_copy(update={"database_pool_size": 2})

    async def test_thirty_requests_with_nested_loaders_complete(self, api: Api) -> None:
        ada = await api.register()
        workspace = await ada.create_workspace()
        await ada.connect("1", "2", "3", workspace=workspace)
        await ada.connect("4", "5")
        query = operations.WORKSPACE.replace(
            "query Workspace($id: ID!) {", "query All($id: ID!) { " + _VIEWER
        )
        answers = await asyncio.wait_for(
            asyncio.gather(*(ada.execute(query, {"id": workspace}) for _ in range(30))), 60
        )
        for answer in answers:
            assert answer["viewer"]["socialAccounts"]["totalCount"] == 2
            assert answer["node"]["socialAccounts"]["totalCount"] == 3

    async def test_a_crowd_with_idempotency_keys_is_served(self, api: Api) -> None:
        people = [await api.register(f"person{number}") for number in range(4)]
        calls = [
            people[number % 4].connect(f"{1000 + number}", idempotencyKey=f"key{number}")
            for number in range(200)
        ]
        answers = await asyncio.wait_for(asyncio.gather(*calls), 60)
        assert {answer["__typename"] for answer in answers} == {"ConnectSocialAccountsSuccess"}
        held = [await person.execute("{ viewer { socialAccountCount } }") for person in people]
        assert [one["viewer"]["socialAccountCount"] for one in held] == [50] * 4


_VIEWER = "viewer { facebookAccounts { nodes { id } } socialAccounts { totalCount nodes { ...Account } } }"


async def test_a_long_read_does_not_hold_up_the_event_loop(database_url: str) -> None:
    numbers = sa.select(sa.literal(1).label("n")).cte("numbers", recursive=True)
    numbers = numbers.union_all(
        sa.select(numbers.c.n + 1).where(numbers.c.n < sa.bindparam("most", type_=sa.Integer))
    )
    count = Prepared[int](sa.select(sa.func.count()).select_from(numbers), row=int)
    turns = 0

    async def turn() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0.001)
            turns += 1

    async with Database(database_url) as database:
        assert await database.rows(count, most=10) == [10]
        turning = asyncio.create_task(turn())
        assert await database.rows(count, most=1_000_000) == [1_000_000]
        turning.cancel()
        assert turns > 10
        assert await database.rows(count, most=10) == [10]
