"""The database: engines that behave alike on SQLite and PostgreSQL, one way to write, one to read.

async with Database(url) as database:
result = await database.transact(work)   # work(session) -> a success, or a Refused
rows = await database.read(work)

The few hot statements run on the driver's own connections beside the engine's: on PostgreSQL a pool of
them, on SQLite one that writes, in a thread of its own.
"""

import asyncio
import os
import random
import re
import sqlite3
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, nullcontext, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import asyncpg
import sqlalchemy as sa
import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine

from graphql_api.domain.faults import TemporarilyUnavailable
from graphql_api.domain.refusals import Refused
from graphql_api.storage.hot import HotStatement
from graphql_api.storage.lookups import Lookup, Together
from graphql_api.storage.pool import NoConnection, Pool
from graphql_api.storage.prepared import Prepared, Row

T = TypeVar("T")
log = structlog.get_logger(__name__)

RETRY_FOR = 5.0  # seconds from the first attempt in which a write is run again
POOL_TIMEOUT = 5.0  # seconds that a request waits for a connection
# Serialization failure, deadlock, lock not available; SQLITE_BUSY, SQLITE_LOCKED.
_RETRY_STATES = frozenset({"40001", "40P01", "55P03"})
_RETRY_CODES = frozenset({5, 6})
# The server is going away or coming up: a new connection may succeed.
_LOST_STATES = frozenset({"57P01", "57P02", "57P03", "08000", "08001", "08003", "08006"})

# A hot statement's own check failed: invalid_text_representation undoes it; so does being shut down.
_UNDONE_STATES = frozenset({"22P02", "57P01"})

# Statement timeout, too many connections, disk full; SQLITE_IOERR, SQLITE_FULL.
_UNAVAILABLE_STATES = frozenset({"57014", "53300", "53100"})
_UNAVAILABLE_CODES = frozenset({10, 13})


LAST_PORT = 65_535
_HOST = r"(?:\[[0-9A-Fa-f:.]+\]|[^\[\]:@/?#,]*)(?::\d{1,5})?"
# An @ after the hosts ends a password whose / or ? was not encoded: its beginning would pass for a host.
_POSTGRESQL_URL = re.compile(
    rf"postgres(?:ql)?://(?:[^/?#\[\]]*@)?(?P<hosts>{_HOST}(?:,{_HOST})*)(?:/[^@?#]*)?(?:\?[^@#]*)?"
)


class UnsupportedDatabase(ValueError):
    """The database URL is of no kind that this server runs on."""


class ChangedMeanwhile(Exception):
    """What the work read before it had its locks is not so any more: it is run again."""


_DATABASE_ERRORS = (
    ChangedMeanwhile,
    DBAPIError,
    PoolTimeout,
    OSError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    sqlite3.Error,
)


class Database:
    """One process's access to the database.

    SQLite has one writer at a time, which BEGINs IMMEDIATE: two connections write, the ORM's and that of the
    hot statements, and whoever wants to use one of them queues for both. Readers have their own connections
    (WAL), which cannot write. Prepared reads run in place, on one more: there is no server to wait for, and
    handing them to a thread costs more than they do. PostgreSQL's connections are shared out between the hot
    statements and everything else; a request uses one at a time.
    """

    def __init__(self, url: str, *, pool_size: int = 10) -> None:
        self.url = url
        self.is_sqlite = url.startswith("sqlite:")
        if self.is_sqlite:
            self._writer = sqlite_engine(url, pool_size=1, begin="BEGIN IMMEDIATE")
            self._reader = sqlite_engine(url, pool_size=pool_size)
            self._direct = None
            self._in_place: sqlite3.Connection | None = None
            self._writing = asyncio.Lock()
            self._write_thread = ThreadPoolExecutor(1, "sqlite-writer")
            self._hot_writer: sqlite3.Connection | None = None  # used in that thread only
        else:
            hot = max(pool_size // 2, 1)
            self._writer = postgresql_engine(url, pool_size=max(pool_size - hot, 1))
            self._reader = self._writer.execution_options(isolation_level="AUTOCOMMIT")
            self._direct = Pool(hot, patience=POOL_TIMEOUT, **postgresql_arguments(url))
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
            await self._in_write_thread(self._close_hot_writer)
            self._write_thread.shutdown()
        await self._reader.dispose()
        await self._writer.dispose()

    async def transact(self, work: Callable[[AsyncSession], Awaitable[T]]) -> T:
        """Run one unit of work in a transaction: a success is committed, a `Refused` rolled back.

        Work that met a conflict of transactions is run again with a fresh session, so it must do
        nothing but use that session.

        Raises:
            TemporarilyUnavailable: the database could not take the work in time.
        """
        return await self._repeat(lambda: self._attempt(work))

    async def _repeat(self, attempt_it: Callable[[], Awaitable[T]]) -> T:
        started = time.monotonic()
        attempt = 0
        while True:
            attempt += 1
            try:
                return await attempt_it()
            except _DATABASE_ERRORS as error:
                if not _worth_repeating(error) or time.monotonic() - started > RETRY_FOR:
                    raise _unavailable(error) from None
                log.info("transaction repeated", attempt=attempt, reason=_reason(error))
                await asyncio.sleep(random.uniform(0.005, 0.02 * 2 ** min(attempt, 4)))  # noqa: S311 - jitter

    async def read(self, work: Callable[[AsyncSession], Awaitable[T]]) -> T:
        """Run statements that only read, on one connection.

        Raises:
            TemporarilyUnavailable: the database could not answer in time.
        """
        for last in (False, True):
            try:
                async with AsyncSession(self._reader, expire_on_commit=False, autoflush=False) as session:
                    return await work(session)
            except _DATABASE_ERRORS as error:
                # One more try is for the connection that a database restart left behind in the pool.
                if last or not _worth_repeating(error):
                    raise _unavailable(error) from None
        raise AssertionError("unreachable")

    async def rows(self, prepared: Prepared[Row], **values: object) -> list[Row]:
        """Run a prepared read.

        Raises:
            TemporarilyUnavailable: the database could not answer in time.
        """
        form = prepared.form(is_sqlite=self.is_sqlite)
        arguments = form.arguments(values)
        for last in (False, True):
            try:
                if self._direct is not None:
                    return form.read(await self._direct.fetch(form.sql, *arguments))
                return form.read(self._sqlite_in_place().execute(form.sql, arguments).fetchall())
            except _DATABASE_ERRORS as error:
                if last or not _worth_repeating(error):
                    raise _unavailable(error) from None
        raise AssertionError("unreachable")

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

        Raises:
            OutcomeUnknown: the connection broke while it ran.
            TemporarilyUnavailable: the database could not take it in time.
        """
        if self.is_sqlite:
            return await self._repeat(lambda: self._write_at_once_on_sqlite(statement))
        assert self._direct is not None  # noqa: S101 - what is not SQLite has a pool
        sql, arguments = statement.on_postgresql()
        try:
            return await self._direct.fetch(sql, *arguments)
        except NoConnection as error:
            raise _unavailable(error) from None
        except _DATABASE_ERRORS as error:
            if _state(error) in _RETRY_STATES | _UNDONE_STATES or _is_known_key(error):
                return []
            if _is_lost(error):
                raise OutcomeUnknown from error
            raise _unavailable(error) from None

    async def _write_at_once_on_sqlite(self, statement: HotStatement) -> list[Any]:
        def write() -> list[Any]:
            try:
                connection = self._open_hot_writer()
                connection.execute("BEGIN IMMEDIATE")
                rows = statement.on_sqlite(connection)
                connection.execute("COMMIT" if rows else "ROLLBACK")
            except BaseException:
                self._close_hot_writer()  # which rolls back, whatever state it is in
                raise
            return rows

        async with self._turn():
            return await _to_the_end(self._in_write_thread(write))

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        """SQLite's one writer: first come, first served."""
        try:
            async with asyncio.timeout(2 * POOL_TIMEOUT):
                await self._writing.acquire()
        except TimeoutError:
            raise PoolTimeout("others have been writing for too long") from None
        try:
            yield
        finally:
            self._writing.release()

    async def _in_write_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._write_thread, work)

    def _open_hot_writer(self) -> sqlite3.Connection:
        if self._hot_writer is None:
            self._hot_writer = sqlite3.connect(sqlite_path(self.url), isolation_level=None)
            configure_sqlite(self._hot_writer, writes=True)
        return self._hot_writer

    def _close_hot_writer(self) -> None:
        if self._hot_writer is not None:
            self._hot_writer.close()
            self._hot_writer = None

    def _sqlite_in_place(self) -> sqlite3.Connection:
        if self._in_place is None:
            self._in_place = sqlite3.connect(sqlite_path(self.url), isolation_level=None)
            configure_sqlite(self._in_place, writes=False)
        return self._in_place

    async def _attempt(self, work: Callable[[AsyncSession], Awaitable[T]]) -> T:
        turn = self._turn() if self.is_sqlite else nullcontext()
        async with turn, AsyncSession(self._writer, expire_on_commit=False) as session:
            result = await work(session)
            if isinstance(result, Refused):
                session.expunge_all()  # what the refusal tells of stays readable
                await session.rollback()
            else:
                await _commit(session)
            return result


async def rows_within(session: AsyncSession, prepared: Prepared[Row], **values: object) -> list[Row]:
    """Run a prepared read in the transaction of a session."""
    rows: Sequence[Any] = (await session.execute(prepared.statement, values)).all()
    make = prepared.row
    return list(rows) if make is None else [make(*row) for row in rows]


async def _commit(session: AsyncSession) -> None:
    try:
        await _to_the_end(session.commit())
    except _DATABASE_ERRORS as error:
        if _is_lost(error):
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


class OutcomeUnknown(TemporarilyUnavailable):
    """The connection broke while the commit was under way: it may or may not have been written."""

    def __init__(self) -> None:
        super().__init__()
        self.message = "The connection to the database broke; look before you try again"


def _worth_repeating(error: Exception) -> bool:
    """Whether the same work may succeed when it is run again."""
    return (
        isinstance(error, ChangedMeanwhile)
        or _is_lost(error)
        or _state(error) in _RETRY_STATES
        or _sqlite_code(error) in _RETRY_CODES
    )


def _is_known_key(error: Exception) -> bool:
    """Whether the call's idempotency key was used by another call in the same moment."""
    return isinstance(error, asyncpg.UniqueViolationError) and error.constraint_name == "pk_idempotency_keys"


def _is_lost(error: Exception) -> bool:
    """Whether the connection, not the statement, is what failed."""
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    return isinstance(error, OSError | asyncpg.InterfaceError) or _state(error) in _LOST_STATES


def _unavailable(error: Exception) -> Exception:
    """Tell a caller that the database is at fault, not they; a mistake in our own SQL stays what it is."""
    at_fault = (
        isinstance(error, PoolTimeout)
        or _worth_repeating(error)
        or _state(error) in _UNAVAILABLE_STATES
        or _sqlite_code(error) in _UNAVAILABLE_CODES
    )
    if not at_fault:
        return error
    log.warning("database unavailable", reason=_reason(error))
    unavailable = TemporarilyUnavailable()
    unavailable.__cause__ = error
    return unavailable


def _state(error: Exception) -> str | None:
    """PostgreSQL's SQLSTATE."""
    return getattr(getattr(error, "orig", None) or error, "sqlstate", None)


def _sqlite_code(error: Exception) -> int | None:
    """SQLite's primary result code."""
    code = getattr(getattr(error, "orig", None) or error, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF


def _reason(error: Exception) -> str:
    """What a log line may say of a database error: its kind and code, never its text or parameters."""
    origin = getattr(error, "orig", None) or error
    code = getattr(origin, "sqlstate", None) or getattr(origin, "sqlite_errorname", None)
    return f"{type(origin).__name__} {code}" if code else type(origin).__name__


def check_url(url: str) -> None:
    """Is this the URL of a database that the server runs on?

    Raises:
        UnsupportedDatabase: it is not; the message never holds the URL, which may hold a password.
    """
    if url.startswith("sqlite:"):
        sqlite_path(url)
        return
    if not url.startswith(("postgres://", "postgresql://")):
        raise UnsupportedDatabase(
            "it starts with sqlite:///, postgres:// or postgresql://, and does not name a driver"
        )
    found = _POSTGRESQL_URL.fullmatch(url)
    if found is None or any(int(port) > LAST_PORT for port in re.findall(r":(\d+)(?:,|$)", found["hosts"])):
        raise UnsupportedDatabase(
            "write it as postgresql://USER:PASSWORD@HOST:PORT/NAME, and percent-encode special characters in "
            "the password: / is %2F, ? is %3F, # is %23, [ is %5B, ] is %5D, % is %25"
        )


def postgresql_engine(url: str, *, pool_size: int) -> AsyncEngine:
    """An engine for a URL in the form that hosting platforms hand out; asyncpg reads it itself."""
    return create_async_engine(
        "postgresql+asyncpg://",
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=POOL_TIMEOUT,
        hide_parameters=True,
        connect_args=postgresql_arguments(url),
    )


def postgresql_arguments(url: str) -> dict[str, Any]:
    """How the driver connects: where to, and the time-outs that every session has."""
    check_url(url)
    parts = urlsplit(url)
    # libpq's option that asyncpg does not know; it would be sent as a server setting and refused.
    query = [(name, value) for name, value in parse_qsl(parts.query) if name != "channel_binding"]
    return {
        "dsn": urlunsplit(parts._replace(query=urlencode(query))),
        "timeout": 5,
        "server_settings": {
            "application_name": "graphql_api",
            "statement_timeout": "10s",
            "lock_timeout": "4s",
            "idle_in_transaction_session_timeout": "15s",
        },
    }


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


def sqlite_path(url: str) -> Path:
    """The file that an SQLite URL names: `sqlite:///relative` or `sqlite:////absolute`."""
    path = url.removeprefix("sqlite://").partition("?")[0]
    if not path.startswith("/") or path in {"/", "/:memory:"}:
        raise UnsupportedDatabase("an SQLite URL names a file: sqlite:///var/data.sqlite3")
    return Path(path[1:])


def sqlite_engine(
    url: str, *, pool_size: int, begin: str | None = None, foreign_keys: bool = True
) -> AsyncEngine:
    """An engine for an SQLite file; without `begin`, the statement that opens a write, it only reads."""
    path = sqlite_path(url)
    with suppress(OSError):  # SQLite itself says what is wrong, when it opens the file
        # SQLite gives its WAL the mode of the file.
        os.close(os.open(path, os.O_CREAT | os.O_RDONLY, 0o600))
    engine = create_async_engine(
        f"sqlite+aiosqlite:///{path}",
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=POOL_TIMEOUT * 2,
        hide_parameters=True,
    )

    @sa.event.listens_for(engine.sync_engine, "connect")
    def configure(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # we begin ourselves: the driver's own way breaks savepoints
        configure_sqlite(connection, writes=begin is not None, foreign_keys=foreign_keys)

    if begin:

        @sa.event.listens_for(engine.sync_engine, "begin")
        def begin_writing(connection: sa.Connection) -> None:
            # Not DEFERRED: that would ignore busy_timeout when a read becomes a write.
            connection.exec_driver_sql(begin)

    return engine


def configure_sqlite(connection: Any, *, writes: bool, foreign_keys: bool = True) -> None:
    """Set up a connection to an SQLite file."""
    # SQLite's own knows ASCII only, and a search is to find what PostgreSQL finds.
    connection.create_function("lower", 1, _lower, deterministic=True)
    cursor = connection.cursor()
    for pragma in (
        "busy_timeout=5000",
        "journal_mode=WAL",
        "synchronous=FULL",
        f"foreign_keys={'ON' if foreign_keys else 'OFF'}",
        "trusted_schema=OFF",
        f"query_only={'OFF' if writes else 'ON'}",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
