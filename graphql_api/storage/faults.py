"""What an error of the database means: may the same work succeed now, and is the connection gone?

An error that means nothing of this kind is a mistake in our own statements, and stays what it is.
"""

import sqlite3
from typing import Any

import asyncpg
import sqlalchemy as sa
import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine

from graphql_api.domain.faults import TemporarilyUnavailable

log = structlog.get_logger(__name__)

# Serialization failure, deadlock.
CONFLICT_STATES = frozenset({"40001", "40P01"})
# Another process writes, or reads the file for the first time after a crash.
_BUSY_CODES = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})

READ_ONLY = "25006"
# Read-only, lock not available, cancelled by the statement time-out.
_UNAVAILABLE_STATES = frozenset({READ_ONLY, "55P03", "57014"})
# Connection, insufficient resources (disk, memory, connections), error of the operating system.
_UNAVAILABLE_CLASSES = frozenset({"08", "53", "58"})
_UNAVAILABLE_CODES = frozenset(
    {
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PROTOCOL,
    }
)
# The file may have been replaced: a new connection sees the new one.
_REPLACED_CODES = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


class UnsupportedDatabase(ValueError):
    """The database URL is of no kind that this server runs on; the message holds nothing of the URL."""


class ChangedMeanwhile(Exception):
    """What the work read before it had its locks is not so any more: it is run again."""


class NoConnection(OSError):
    """No connection could be had, so nothing was sent."""


class OutcomeUnknown(TemporarilyUnavailable):
    """The connection broke while the commit was under way: it may or may not have been written."""

    def __init__(self) -> None:
        super().__init__()
        self.message = "The connection to the database broke; look before you try again"


DATABASE_ERRORS = (
    ChangedMeanwhile,
    DBAPIError,
    PoolTimeout,
    OSError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    sqlite3.Error,
)


def is_lost(error: BaseException) -> bool:
    """Is it the connection to PostgreSQL that failed, and not the statement?"""
    error = _of_driver(error)
    if isinstance(error, asyncpg.InterfaceError):
        return not isinstance(error, ValueError)  # which is an argument of ours that does not fit
    state = getattr(error, "sqlstate", None) or ""
    return (
        isinstance(error, OSError | asyncpg.InternalClientError)
        or _fatal(error) is not None
        or state.startswith(("57P0", "08"))
    )


def ends_connection(error: BaseException) -> bool:
    """Is the connection that it came from to be used no more?"""
    state, code = state_of(error) or "", sqlite_code(error)
    return is_lost(error) or state[:2] in _UNAVAILABLE_CLASSES or code in _UNAVAILABLE_CODES | _REPLACED_CODES


def drop_broken_connections(engine: AsyncEngine) -> None:
    """Let an engine forget its connections when one of them turns out to be of no more use."""

    @sa.event.listens_for(engine.sync_engine, "handle_error")
    def on_error(context: sa.engine.ExceptionContext) -> None:
        if ends_connection(context.sqlalchemy_exception or context.original_exception):
            context.is_disconnect = True


def is_read_only(error: BaseException) -> bool:
    """Does the server of this connection take no writes any more, as after a failover?"""
    return state_of(error) == READ_ONLY


def leaves_outcome_open(error: BaseException) -> bool:
    """May a commit that failed like this have been written?

    A connection that only broke says nothing, and a disk that fails at the end of a commit may have taken it.
    PostgreSQL's own FATAL says that nothing was written: a backend that is told to end does not do so between
    a commit and its answer. That of a proxy (class 08) does not say so.
    """
    if sqlite_code(error) is not None:
        return sqlite_code(error) == sqlite3.SQLITE_IOERR
    error = _of_driver(error)
    if isinstance(error, NoConnection | asyncpg.InterfaceError):
        return False  # the driver refused to send it
    fatal = _fatal(error)
    return is_lost(error) and (fatal is None or fatal.startswith("08"))


def is_known_key(error: BaseException) -> bool:
    """Was the call's idempotency key used by another call in the same moment?"""
    return isinstance(error, asyncpg.UniqueViolationError) and error.constraint_name == "pk_idempotency_keys"


def is_conflict(error: BaseException) -> bool:
    """Did two transactions meet, of which the other one has gone on?"""
    return isinstance(error, ChangedMeanwhile) or state_of(error) in CONFLICT_STATES


def worth_repeating(error: BaseException) -> bool:
    """May the same work succeed when it is run again now?"""
    return is_conflict(error) or is_lost(error) or sqlite_code(error) in _BUSY_CODES


def unavailable(error: Exception, *, writes: bool) -> Exception:
    """Tell a caller that the database is at fault, not they; a mistake in our own SQL stays what it is."""
    if not writes and getattr(_of_driver(error), "sqlite_errorcode", None) == sqlite3.SQLITE_READONLY:
        return error  # a statement that is to read wrote
    state = state_of(error) or ""
    at_fault = (
        isinstance(error, PoolTimeout)
        or worth_repeating(error)
        or state in _UNAVAILABLE_STATES
        or state[:2] in _UNAVAILABLE_CLASSES
        or sqlite_code(error) in _UNAVAILABLE_CODES
    )
    if not at_fault:
        return error
    log.warning("database unavailable", reason=reason(error))
    told = TemporarilyUnavailable()
    told.__cause__ = error
    return told


def state_of(error: BaseException) -> str | None:
    """PostgreSQL's SQLSTATE."""
    return getattr(_of_driver(error), "sqlstate", None)


def sqlite_code(error: BaseException) -> int | None:
    """SQLite's primary result code."""
    code = getattr(_of_driver(error), "sqlite_errorcode", None)
    return None if code is None else code & 0xFF


def reason(error: BaseException) -> str:
    """What a log line may say of a database error: its kind and code, never its text or parameters."""
    origin: Any = _of_driver(error)
    if isinstance(origin, NoConnection):
        return str(origin)
    code = getattr(origin, "sqlstate", None) or getattr(origin, "sqlite_errorname", None)
    return f"{type(origin).__name__} {code}" if code else type(origin).__name__


def _fatal(error: BaseException) -> str | None:
    """The SQLSTATE with which PostgreSQL itself ended this session; the driver keeps it as a cause."""
    for one in (error, error.__cause__):
        severities = {getattr(one, "severity", None), getattr(one, "severity_en", None)}
        if isinstance(one, asyncpg.PostgresError) and "FATAL" in severities:
            return one.sqlstate or ""
    return None


def _of_driver(error: BaseException) -> BaseException:
    """The driver's own error, in SQLAlchemy's."""
    return error.driver_exception if isinstance(error, DBAPIError) and error.orig is not None else error
