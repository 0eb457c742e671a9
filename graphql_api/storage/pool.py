"""A pool of the driver's own connections to PostgreSQL, with as little around a statement as can be."""

import asyncio
from collections import deque
from contextlib import suppress
from time import monotonic
from typing import Any, NamedTuple

import asyncpg

from graphql_api.storage.faults import NoConnection, ends_connection
from graphql_api.storage.postgresql import PostgreSQL
from graphql_api.storage.times import keep_times

CLOSE_SECONDS = 5.0
_DRIVER_ERRORS = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
LONGEST_REST = 300.0  # seconds of disuse after which a connection may have been dropped on the way


class Place(NamedTuple):
    """Of a connection in the pool, with the times of its opening and last use; None while none was opened."""

    connection: asyncpg.Connection | None = None
    opened: float = 0.0
    used: float = 0.0


EMPTY = Place()


class Pool:
    """The driver's own connections, beside SQLAlchemy's: first come, first served.

    The driver has a pool too, but what that does around each statement (a proxy, a shield, two time-outs)
    takes as long as the statement itself. One statement at a time leaves nothing behind to be reset.
    """

    def __init__(self, server: PostgreSQL, size: int, *, patience: float) -> None:
        self._server = server
        self._size = size
        self._patience = patience  # seconds that a statement waits for a connection
        self._is_open = False
        self._free: list[Place] = [EMPTY] * size  # the last used at the end; none while somebody waits
        self._waiting: deque[asyncio.Future[Place]] = deque()

    async def open(self) -> None:
        """Make ready; connections are made when they are needed."""
        self._is_open = True

    async def close(self) -> None:
        """Close every connection, those in use after a while."""
        self._is_open = False
        closing = asyncio.get_running_loop().time() + CLOSE_SECONDS
        for _ in range(self._size):
            with suppress(OSError, *_DRIVER_ERRORS):
                async with asyncio.timeout_at(closing):
                    place = self._free.pop() if self._free else await self._wait()
                    if place.connection is not None:
                        await place.connection.close()
        self._free = [EMPTY] * self._size

    async def fetch(self, statement: str, *arguments: object) -> list[Any]:
        """Run one statement, a transaction by itself.

        Raises:
            NoConnection: nothing was sent.
        """
        if not self._is_open:
            raise RuntimeError("the pool is not open")
        place = self._free.pop() if self._free else await self._wait()
        if not self._is_good(place):
            place = await self._renew(place)
        connection, opened, _ = place
        assert connection is not None  # noqa: S101 - a good place has one
        place = EMPTY
        try:
            rows: list[Any] = await connection.fetch(statement, *arguments)
            place = Place(connection, opened, monotonic())
        except asyncpg.PostgresError as error:
            if not ends_connection(error):
                place = Place(connection, opened, monotonic())
            raise
        finally:
            if place is EMPTY:  # a cancellation, say, leaves it in no known state
                connection.terminate()
            self._give_back(place)
        return rows

    def _is_good(self, place: Place) -> bool:
        """Is there a connection that is open, was used lately, and leads to where writes are taken?"""
        return (
            place.connection is not None
            and not place.connection.is_closed()
            and monotonic() - place.used <= LONGEST_REST
            and place.opened > self._server.left_at
        )

    async def _wait(self) -> Place:
        """Wait for a place that somebody gives back."""
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[Place] = loop.create_future()
        self._waiting.append(waiter)
        deadline = loop.call_later(self._patience, _give_up, waiter)
        try:
            return await waiter
        except asyncio.CancelledError:
            if not waiter.cancelled():  # it was handed over in the same moment
                self._give_back(waiter.result())
            raise
        finally:
            deadline.cancel()

    def _give_back(self, place: Place) -> None:
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(place)
                return
        self._free.append(place)

    async def _renew(self, old: Place) -> Place:
        """Open a connection in the place of one that is not there, or may not be any more."""
        if old.connection is not None:
            old.connection.terminate()
        try:
            opened = monotonic()
            return Place(await self._connected(), opened, opened)
        except BaseException as error:
            self._give_back(EMPTY)
            if isinstance(error, _DRIVER_ERRORS):
                raise NoConnection(type(error).__name__) from None
            raise

    async def _connected(self) -> asyncpg.Connection:
        connection = await self._server.connect()
        try:
            await keep_times(connection)
        except BaseException:
            connection.terminate()
            raise
        return connection


def _give_up(waiter: asyncio.Future[Place]) -> None:
    if not waiter.done():
        waiter.set_exception(NoConnection("every connection is in use"))
