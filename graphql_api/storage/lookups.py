"""Looking rows up by a key, for all requests that ask in the same turn of the event loop at once.

Every request begins with the same question, who calls. While a server is busy many ask it side by side,
and one statement for all of them costs the server and the database little more than one for each.
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from contextvars import Context
from typing import Any, Generic, TypeVar

import sqlalchemy as sa

from graphql_api.storage.prepared import Prepared, one_of

K = TypeVar("K", bound=Hashable)
Row = TypeVar("Row")

LARGEST = 100
"""Keys of one statement."""


class Lookup(Generic[Row]):
    """A prepared read of at most one row for a value of a unique column."""

    def __init__(self, statement: sa.Select[*tuple[Any, ...]], row: Callable[..., Row], *, key: Any) -> None:
        self.one = Prepared(statement.where(key == sa.bindparam("key", type_=key.type)), row)
        self.many = Prepared(
            statement.add_columns(key).where(one_of(key, "keys")),
            lambda *columns: (columns[-1], row(*columns[:-1])),
        )


class Together(Generic[K, Row]):
    """Reads what is asked for in one turn of the event loop with one call of `read`.

    Whoever goes away meanwhile leaves the others what they wait for; if the read fails, it fails for all.
    """

    def __init__(self, read: Callable[[Sequence[K]], Awaitable[Mapping[K, Row]]]) -> None:
        self._read = read
        self._asked: list[tuple[K, asyncio.Future[Row | None]]] = []
        self._reading: set[asyncio.Task[None]] = set()  # the event loop itself does not hold on to them

    def find(self, key: K) -> "asyncio.Future[Row | None]":
        """The row of a key; None if there is none."""
        loop = asyncio.get_running_loop()
        if not self._asked:
            loop.call_soon(self._start, context=Context())  # it is nobody's in particular
        found: asyncio.Future[Row | None] = loop.create_future()
        self._asked.append((key, found))
        return found

    def _start(self) -> None:
        asked, self._asked = self._asked, []
        for begin in range(0, len(asked), LARGEST):
            reading = asyncio.ensure_future(self._find(asked[begin : begin + LARGEST]))
            self._reading.add(reading)
            reading.add_done_callback(self._reading.discard)

    async def _find(self, asked: Sequence[tuple[K, "asyncio.Future[Row | None]"]]) -> None:
        try:
            rows = await self._read([key for key, _ in asked])
        except BaseException as error:  # noqa: BLE001 - it is theirs who asked
            for _, found in asked:
                if not found.done():
                    found.set_exception(error)
            return
        for key, found in asked:
            if not found.done():
                found.set_result(rows.get(key))
