"""SQLite: the file that a URL names, and connections to it that are all set up alike."""

import sqlite3
from pathlib import Path
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from graphql_api.storage.faults import UnsupportedDatabase, drop_broken_connections
from graphql_api.storage.private_files import create_private, tighten

BUSY = 25
"""Milliseconds that a connection waits for another process; the work is then run again."""


def sqlite_path(url: str) -> Path:
    """The file that an SQLite URL names: `sqlite:///relative` or `sqlite:////absolute`.

    Raises:
        UnsupportedDatabase: it names none.
    """
    path = url.removeprefix("sqlite://")
    if not path.startswith("/") or path in {"/", "/:memory:"}:
        raise UnsupportedDatabase("an SQLite URL names a file: sqlite:///var/data.sqlite3")
    if set(path) & set("?#\0"):
        raise UnsupportedDatabase("an SQLite URL takes no options: write it as sqlite:///var/data.sqlite3")
    return Path(path[1:])


def create_file(path: Path) -> None:
    """Make the file for a database and its folder, if missing; it and what is beside it is for our user only.

    Raises:
        OSError: it cannot be made.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    create_private(path)
    for ending in ("-wal", "-shm", "-journal"):  # what SQLite makes new gets the mode of the file
        tighten(path.with_name(path.name + ending))


def connect(path: Path, *, writes: bool, most_steps: int | None = None) -> sqlite3.Connection:
    """Connect to a file that is there: a new, empty one in its place would be without tables.

    A statement that takes more than `most_steps` of SQLite's virtual machine is interrupted.

    Raises:
        sqlite3.Error: it cannot be opened.
    """
    connection = sqlite3.connect(_uri(path), uri=True, isolation_level=None)
    configure(connection, writes=writes)
    if most_steps is not None:
        connection.set_progress_handler(lambda: 1, most_steps)
    return connection


def sqlite_engine(
    path: Path,
    *,
    pool_size: int,
    patience: float = 10.0,
    begin: str | None = None,
    busy: int = BUSY,
    foreign_keys: bool = True,
) -> AsyncEngine:
    """An engine for an SQLite file; without `begin`, the statement that opens a write, it only reads.

    `patience` is in seconds, `busy` in milliseconds.
    """
    engine = create_async_engine(
        # A new, empty file in the place of one that is gone would be without tables.
        sa.URL.create(
            "sqlite+aiosqlite", database=f"file:{quote(str(path))}", query={"mode": "rw", "uri": "true"}
        ),
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=patience,
        hide_parameters=True,
    )
    drop_broken_connections(engine)

    @sa.event.listens_for(engine.sync_engine, "connect")
    def on_connect(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # we begin ourselves: the driver's own way breaks savepoints
        configure(connection, writes=begin is not None, busy=busy, foreign_keys=foreign_keys)

    if begin:

        @sa.event.listens_for(engine.sync_engine, "begin")
        def begin_writing(connection: sa.Connection) -> None:
            # Not DEFERRED: that would ignore busy_timeout when a read becomes a write.
            connection.exec_driver_sql(begin)

    return engine


def configure(connection: Any, *, writes: bool, busy: int = BUSY, foreign_keys: bool = True) -> None:
    """Set up a connection to an SQLite file."""
    # SQLite's own knows ASCII only, and a search is to find what PostgreSQL finds.
    connection.create_function("lower", 1, _lower, deterministic=True)
    cursor = connection.cursor()
    for pragma in (
        f"busy_timeout={busy}",
        "journal_mode=WAL",
        "synchronous=FULL",
        f"foreign_keys={'ON' if foreign_keys else 'OFF'}",
        "trusted_schema=OFF",
        f"query_only={'OFF' if writes else 'ON'}",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _uri(path: Path) -> str:
    return f"file:{quote(str(path))}?mode=rw"


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value
