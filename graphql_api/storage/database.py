"""The database: engines that behave alike on SQLite and PostgreSQL, one way to write, one to read.

async with Database(url) as database:
result = await database.transact(work)   # work(session) -> a success, or a Refused
rows = await database.read(work)

The few hot statements run on the driver's own connections beside the engine's: on PostgreSQL a pool of
them, on SQLite one that writes, in a thread of its own.
"""

import asyncio
import random
import sqlite3
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, nullcontext, suppress
from functools import partial
from types import TracebackType
from typing import Any, Self, TypeVar

import structlog
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncSession

from graphql_api.domain.refusals import Refused
from graphql_api.storage import faults, sqlite
from graphql_api.storage.faults import CONFLICT_STATES, DATABASE_ERRORS, OutcomeUnknown
from graphql_api.storage.hot import HotStatement
from graphql_api.storage.lookups import Lookup, Together
from graphql_api.storage.pool import Pool
from graphql_api.storage.postgresql import PostgreSQL, check_postgresql_url, postgresql_engine
from graphql_api.storage.prepared import Prepared, Row

T = TypeVar("T")
log = structlog.get_logger(__name__)

RETRY_FOR = 5.0  # seconds from the first attempt in which work that met others is run again
AWAY_FOR = 2.0  # seconds in which work waits for a database that is away, or for another process on SQLite
POOL_TIMEOUT = 10.0  # seconds that a request waits for a connection
STEPS_IN_PLACE = 100_000  # of SQLite's virtual machine that a read may hold up the event loop: milliseconds
# A hot statement lost a race: a conflict of transactions, or its own check, whose error undoes it.
_LOST_RACE = CONFLICT_STATES | {"22P02"}


class Database:
    """One process's access to the database.

    SQLite has one writer at a time, which BEGINs IMMEDIATE: two connections write, the ORM's and that of the
    hot statements, and whoever wants to use one of them queues for both. Readers have their own connections
    (WAL), which cannot write. Prepared reads run in place, on one more: there is no server to wait for, and
    handing them to a thread costs more than they do. One that turns out to be long goes to a thread.
    PostgreSQL's connections are shared out between the hot statements and everything else; a request uses
    one at a time.
    """

    def __init__(self, url: str, *, pool_size: int = 10) -> None:
        self.url = url
        self.is_sqlite = url.startswith("sqlite:")
        self.server: PostgreSQL | None = None
        if self.is_sqlite:
            self._path = sqlite.sqlite_path(url)
            with suppress(OSError):  # SQLite itself says what is wrong, when it opens the file
                sqlite.create_file(self._path)
            self._writer = sqlite.sqlite_engine(
                self._path, pool_size=1, patience=POOL_TIMEOUT, begin="BEGIN IMMEDIATE"
            )
            self._reader = sqlite.sqlite_engine(self._path, pool_size=pool_size, patience=POOL_TIMEOUT)
            self._direct = None
            self._in_place: sqlite3.Connection | None = None
            self._aside: sqlite3.Connection | None = None  # used in the thread for long reads only
            self._read_thread = ThreadPoolExecutor(1, "sqlite-reader")
            self._writing = asyncio.Lock()
            self._write_thread = ThreadPoolExecutor(1, "sqlite-writer")
            self._hot_writer: sqlite3.Connection | None = None  # used in that thread only
        else:
            self.server = PostgreSQL(url)
            hot = max(pool_size // 2, 1)
            others = max(pool_size - hot, 1)
            self._writer = postgresql_engine(self.server, pool_size=others, patience=POOL_TIMEOUT)
            self._reader = self._writer.execution_options(isolation_level="AUTOCOMMIT")
            self._direct = Pool(self.server, hot, patience=POOL_TIMEOUT)
        self._together: dict[Lookup[Any], Together[Any, Any]] = {}

    async def __aenter__(self) -> Self:
        if self._direct is not None:
            await self._direct.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._direct is not None:
            await self._direct.close()
        if self.is_sqlite:
            if self._in_place is not None:
                self._in_place.close()
                self._in_place = None
            await self._in_thread(self._read_thread, self._close_aside)
            self._read_thread.shutdown()
            await self._in_thread(self._write_thread, self._close_hot_writer)
            self._write_thread.shutdown()
        await self._reader.dispose()
        await self._writer.dispose()

    async def transact(self, work: Callable[[AsyncSession], Awaitable[T]], *, repeatable: bool = False) -> T:
        """Run one unit of work in a transaction: a success is committed, a `Refused` rolled back.

        Work that met a conflict of transactions, or whose connection broke before the commit, is run again
        with a fresh session, so it must do nothing but use that session. `repeatable` work finds out itself
        whether it was committed before: it is run again also if its connection broke in the commit.

        Raises:
            OutcomeUnknown: the connection broke in the commit.
            TemporarilyUnavailable: the database could not take the work in time.
        """
        return await self._repeat(lambda: self._attempt(work, repeatable=repeatable))

    async def _repeat(self, attempt_it: Callable[[], Awaitable[T]], *, writes: bool = True) -> T:
        started = time.monotonic()
        attempt = 0
        while True:
            attempt += 1
            try:
                result = await attempt_it()
            except DATABASE_ERRORS as error:
                if self.server is not None and faults.is_read_only(error):
                    self.server.leave()
                if not faults.worth_repeating(error) or time.monotonic() > self._gives_up(started, error):
                    raise faults.unavailable(error, writes=writes) from None
                log.info("transaction repeated", attempt=attempt, reason=faults.reason(error))
                await asyncio.sleep(random.uniform(0.005, 0.02 * 2 ** min(attempt, 4)))  # noqa: S311 - jitter
            else:
                if self.server is not None:
                    self.server.away_since = None
                return result

    def _gives_up(self, started: float, error: Exception) -> float:
        """When work that began then is no longer run again: at once while the database is away for long."""
        if faults.is_conflict(error):
            return started + RETRY_FOR
        away_since = None if self.server is None else self.server.away_since
        return (started if away_since is None else min(started, away_since)) + AWAY_FOR

    async def read(self, work: Callable[[AsyncSession], Awaitable[T]]) -> T:
        """Run statements that only read, on one connection; again with a new one if it broke.

        Raises:
            TemporarilyUnavailable: the database could not answer in time.
        """

        async def attempt() -> T:
            async with AsyncSession(self._reader, expire_on_commit=False, autoflush=False) as session:
                return await work(session)

        return await self._repeat(attempt, writes=False)

    async def rows(self, prepared: Prepared[Row], **values: object) -> list[Row]:
        """Run a prepared read.

        Raises:
            TemporarilyUnavailable: the database could not answer in time.
        """
        form = prepared.form(is_sqlite=self.is_sqlite)
        arguments = form.arguments(values)

        async def attempt() -> list[Any]:
            if self._direct is not None:
                return await self._direct.fetch(form.sql, *arguments)
            return await self._read_on_sqlite(form.sql, arguments)

        return form.read(await self._repeat(attempt, writes=False))

    async def look_up(self, lookup: Lookup[Row], key: Any) -> Row | None:
        """Run a prepared read of one row; on PostgreSQL, for all who ask in this turn of the event loop.

        Raises:
            TemporarilyUnavailable: the database could not answer in time.
        """
        if self._direct is None:
            found = await self.rows(lookup.one, key=key)
            return found[0] if found else None
        together = self._together.get(lookup)
        if together is None:

            async def read(keys: Sequence[Any]) -> dict[Any, Row]:
                return dict(await self.rows(lookup.many, keys=keys))

            together = self._together[lookup] = Together(read)
        row: Row | None = await together.find(key)
        return row

    async def write_at_once(self, statement: HotStatement) -> list[Any]:
        """Run one hot statement that writes all or nothing; no rows where something was in the way.

        It is run again if its connection broke, unless it may have been written and is not repeatable.

        Raises:
            OutcomeUnknown: the connection broke while it ran.
            TemporarilyUnavailable: the database could not take it in time.
        """
        if self.is_sqlite:
            return await self._repeat(lambda: self._write_at_once_on_sqlite(statement))
        return await self._repeat(lambda: self._write_at_once_on_postgresql(statement))

    async def _write_at_once_on_postgresql(self, statement: HotStatement) -> list[Any]:
        assert self._direct is not None  # noqa: S101 - what is not SQLite has a pool
        sql, arguments = statement.on_postgresql()
        try:
            return await self._direct.fetch(sql, *arguments)
        except DATABASE_ERRORS as error:
            if faults.state_of(error) in _LOST_RACE or faults.is_known_key(error):
                return []
            if faults.leaves_outcome_open(error) and not statement.repeatable:
                raise OutcomeUnknown from error
            raise

    async def _write_at_once_on_sqlite(self, statement: HotStatement) -> list[Any]:
        def write() -> list[Any]:
            rows: list[Any] = []
            try:
                if self._hot_writer is None:
                    self._hot_writer = sqlite.connect(self._path, writes=True)
                self._hot_writer.execute("BEGIN IMMEDIATE")
                rows = statement.on_sqlite(self._hot_writer)
                self._hot_writer.execute("COMMIT" if rows else "ROLLBACK")
            except BaseException as error:
                self._close_hot_writer()  # which rolls back, whatever state it is in
                if rows and faults.leaves_outcome_open(error):
                    raise OutcomeUnknown from error
                raise
            return rows

        async with self._turn():
            return await _to_the_end(self._in_thread(self._write_thread, write))

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        """SQLite's one writer: first come, first served."""
        try:
            async with asyncio.timeout(POOL_TIMEOUT):
                await self._writing.acquire()
        except TimeoutError:
            raise PoolTimeout("others have been writing for too long") from None
        try:
            yield
        finally:
            self._writing.release()

    async def _in_thread(self, thread: ThreadPoolExecutor, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(thread, work)

    def _close_hot_writer(self) -> None:
        if self._hot_writer is not None:
            self._hot_writer.close()
            self._hot_writer = None

    async def _read_on_sqlite(self, sql: str, arguments: Sequence[Any]) -> list[Any]:
        """Read in place, and what turns out to be long from the beginning in a thread."""
        try:
            return self._read_in_place(sql, arguments)
        except sqlite3.OperationalError as error:
            if faults.sqlite_code(error) != sqlite3.SQLITE_INTERRUPT:
                raise
        return await self._in_thread(self._read_thread, partial(self._read_aside, sql, arguments))

    def _read_aside(self, sql: str, arguments: Sequence[Any]) -> list[Any]:
        try:
            if self._aside is None:
                self._aside = sqlite.connect(self._path, writes=False)
            return self._aside.execute(sql, arguments).fetchall()
        except sqlite3.Error as error:
            if faults.ends_connection(error):
                self._close_aside()
            raise

    def _close_aside(self) -> None:
        if self._aside is not None:
            self._aside.close()
            self._aside = None

    def _read_in_place(self, sql: str, arguments: Sequence[Any]) -> list[Any]:
        try:
            if self._in_place is None:
                self._in_place = sqlite.connect(self._path, writes=False, most_steps=STEPS_IN_PLACE)
            return self._in_place.execute(sql, arguments).fetchall()
        except sqlite3.Error as error:
            if self._in_place is not None and faults.ends_connection(error):
                self._in_place.close()
                self._in_place = None
            raise

    async def _attempt(self, work: Callable[[AsyncSession], Awaitable[T]], *, repeatable: bool) -> T:
        turn = self._turn() if self.is_sqlite else nullcontext()
        async with turn, AsyncSession(self._writer, expire_on_commit=False) as session:
            result = await work(session)
            if isinstance(result, Refused):
                session.expunge_all()  # what the refusal tells of stays readable
                await session.rollback()
            else:
                await _commit(session, repeatable=repeatable)
            return result


async def rows_within(session: AsyncSession, prepared: Prepared[Row], **values: object) -> list[Row]:
    """Run a prepared read in the transaction of a session."""
    rows: Sequence[Any] = (await session.execute(prepared.statement, values)).all()
    make = prepared.row
    return list(rows) if make is None else [make(*row) for row in rows]


async def _commit(session: AsyncSession, *, repeatable: bool) -> None:
    try:
        await _to_the_end(session.commit())
    except DATABASE_ERRORS as error:
        if faults.leaves_outcome_open(error) and not repeatable:
            raise OutcomeUnknown from error
        raise


async def _to_the_end(work: Awaitable[T]) -> T:
    """Await it, to the end: a caller that is cancelled meanwhile must not leave the outcome open."""
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError as error:
            cancelled = error
        except Exception:
            if cancelled is None:
                raise
    if cancelled is not None:
        raise cancelled
    return task.result()


def check_url(url: str) -> None:
    """Is this the URL of a database that the server runs on?

    Raises:
        UnsupportedDatabase: it is not; the message never holds the URL, which may hold a password.
    """
    if url.startswith("sqlite:"):
        sqlite.sqlite_path(url)
    elif url.startswith(("postgres://", "postgresql://")):
        check_postgresql_url(url)
    else:
        raise faults.UnsupportedDatabase(
            "it starts with sqlite:///, postgres:// or postgresql://, and does not name a driver"
        )
