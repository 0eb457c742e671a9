"""A pool of the driver's own connections to PostgreSQL, with as little around a statement as can be."""

import asyncio
from time import monotonic
from typing import Any, TypeAlias

import asyncpg

CLOSE_SECONDS = 5.0
LONGEST_REST = 300.0  # seconds of disuse after which a connection may have been dropped on the way

Place: TypeAlias = "tuple[asyncpg.Connection | None, float]"
"""Of a connection in the pool, with the time of its last use; None while none was opened."""

EMPTY: Place = (None, 0.0)


class NoConnection(OSError):
    """No connection could be had, so nothing was sent."""


class Pool:
    """The driver's own connections, beside SQLAlchemy's.

    The driver has a pool too, but what that does around each statement (a proxy, a shield, two time-outs)
    takes as long as the statement itself. One statement at a time leaves nothing behind to be reset.
    """

    def __init__(self, size: int, *, patience: float, **connect: Any) -> None:
        self._size = size
        self._patience = patience  # seconds that a statement waits for a connection
        self._connect = connect
        self._free: asyncio.LifoQueue[Place] | None = None

    async def open(self) -> None:
        """Make ready; connections are made when they are needed."""
        self._free = asyncio.LifoQueue()
        for _ in range(self._size):
            self._free.put_nowait(EMPTY)

    async def close(self) -> None:
        """Close every connection, those in use after a while."""
        if self._free is None:
            return
        free, self._free = self._free, None
        closing = asyncio.get_running_loop().time() + CLOSE_SECONDS
        for _ in range(self._size):
            try:
                async with asyncio.timeout_at(closing):
                    connection, _ = await free.get()
                    if connection is not None:
                        await connection.close()
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                break  # the process is about to end, and its connections with it

    async def fetch(self, statement: str, *arguments: object) -> list[Any]:
        """Run one statement, a transaction by itself.

        Raises:
            NoConnection: nothing was sent.
        """
        if self._free is None:
            raise RuntimeError("the pool is not open")
        free = self._free
        try:
            connection, since = free.get_nowait()
        except asyncio.QueueEmpty:
            connection, since = await self._wait(free)
        if connection is None or connection.is_closed() or monotonic() - since > LONGEST_REST:
            connection = await self._renew(free, connection)
        place = EMPTY
        try:
            rows: list[Any] = await connection.fetch(statement, *arguments)
            place = connection, monotonic()
        except asyncpg.PostgresError:
            place = connection, monotonic()
            raise
        finally:
            if place is EMPTY:  # a cancellation, say, leaves it in no known state
                connection.terminate()
            free.put_nowait(place)
        return rows

    async def _wait(self, free: asyncio.LifoQueue[Place]) -> Place:
        try:
            async with asyncio.timeout(self._patience):
                return await free.get()
        except TimeoutError as error:
            raise NoConnection("every connection is in use") from error

    async def _renew(
        self, free: asyncio.LifoQueue[Place], old: asyncpg.Connection | None
    ) -> asyncpg.Connection:
        """Open a connection in the place of one that is not there, or may not be any more."""
        if old is not None:
            old.terminate()
        try:
            return await asyncpg.connect(**self._connect)
        except BaseException as error:
            free.put_nowait(EMPTY)
            if isinstance(error, OSError | asyncpg.PostgresError | asyncpg.InterfaceError):
                raise NoConnection(str(error)) from error
            raise
