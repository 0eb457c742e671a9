"""Pages of long lists by keyset: the first page and the thousandth cost the same.

A cursor is the sort key of a row, so a page starts where the last one ended, also when rows came or went
in between. The condition compares whole rows, the list's own column first: the shorter form lets
PostgreSQL's planner walk another index, 200 times slower.
"""

import base64
import binascii
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, NamedTuple, TypeVar, cast
from uuid import UUID

import orjson
import sqlalchemy as sa

from graphql_api.domain.faults import BadUserInput
from graphql_api.services.calls.call import Call
from graphql_api.storage.prepared import Prepared

T = TypeVar("T")

DEFAULT_SIZE = 20
MAX_SIZE = 100


class PageRequest(NamedTuple):
    """Relay's four arguments; forwards with `first` and `after`, backwards with `last` and `before`."""

    first: int | None = None
    after: str | None = None
    last: int | None = None
    before: str | None = None

    @property
    def backwards(self) -> bool:
        """Whether the page is taken from the end of the list."""
        return self.last is not None

    @property
    def size(self) -> int:
        """How many rows are asked for.

        Raises:
            BadUserInput: the arguments contradict each other, or ask for more than a page holds.
        """
        if self.first is not None and self.last is not None:
            raise BadUserInput("Ask for the `first` or for the `last`, not for both")
        size = self.last if self.backwards else self.first
        if size is None:
            return DEFAULT_SIZE
        if not 0 <= size <= MAX_SIZE:
            raise BadUserInput(f"`{'last' if self.backwards else 'first'}` is 0 to {MAX_SIZE}")
        return size


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """A stretch of a list; `cursor` tells where one of its items stands, `count` counts the whole list."""

    items: Sequence[T]
    cursor: Callable[[int], str]
    has_next: bool
    has_previous: bool
    count: Callable[[], Awaitable[int]]


class PreparedList(Generic[T]):
    """A list whose pages are prepared reads: a statement for each way of asking, made at its first use.

    `statement` selects the columns that `row` takes; without it, items are sequences that begin with them.
    `within` are the columns that make the list, with the names of the parameters that say which; `order` are
    the columns that sort it, the last of them unique.
    """

    def __init__(
        self,
        statement: sa.Select[*tuple[Any, ...]],
        row: Callable[..., T] | None = None,
        *,
        within: Mapping[str, Any],
        order: Sequence[Any],
        descending: bool = False,
    ) -> None:
        for name, column in within.items():
            statement = statement.where(column == sa.bindparam(name, type_=column.type))
        self._row = row
        self._within = within
        self._order = order
        self._keyset = _Keyset(list(within.values()), order, descending)
        columns = [str(column) for column in statement.selected_columns]
        keys = [str(column.expression) for column in order]  # as it is written, whatever it is mapped to
        self._width = len(columns)
        behind = [key for key in keys if key not in columns]  # read for the cursors alone
        self._keys = [[*columns, *behind].index(key) for key in keys]
        self._statement = statement.add_columns(
            *(column for column, key in zip(order, keys, strict=True) if key in behind)
        )
        self._pages: dict[tuple[bool, bool, bool], Prepared[Sequence[Any]]] = {}
        self._count = Prepared(
            sa.select(sa.func.count()).select_from(statement.order_by(None).subquery()), int
        )

    async def page(self, call: Call, request: PageRequest, **values: object) -> Page[T]:
        """Read one page; the values are those of the statement's parameters and of the list.

        Raises:
            BadUserInput: the page's arguments or cursors cannot be used.
        """
        bounds = _bounds(request, self._order)
        lists = {f"list_{index}": values[name] for index, name in enumerate(self._within)}
        found = await call.rows(self.prepared(request), **values, **lists, **bounds, size=request.size + 1)
        row, width = self._row, self._width

        async def count() -> int:
            return (await call.rows(self._count, **values))[0]

        return _page(
            request,
            found,
            None if row is None else lambda columns: row(*columns[:width]),
            lambda columns: [columns[index] for index in self._keys],
            count=count,
        )

    def prepared(self, request: PageRequest) -> Prepared[Sequence[Any]]:
        """The statement for such a page, made at its first use."""
        asked = (request.after is not None, request.before is not None, request.backwards)
        prepared = self._pages.get(asked)
        if prepared is None:
            prepared = self._pages[asked] = Prepared(self._keyset.page(self._statement, request))
        return prepared


@dataclass(frozen=True, slots=True)
class _Keyset:
    """The columns that make a list, and those that sort it; the values of both are named parameters."""

    within: Sequence[Any]
    order: Sequence[Any]
    descending: bool

    def page(self, statement: Any, request: PageRequest) -> Any:
        """The rows of a page and one more."""
        columns = [*self.within, *self.order]
        for name, cursor, is_after in (("after", request.after, True), ("before", request.before, False)):
            if cursor is not None:
                names = [f"list_{index}" for index in range(len(self.within))]
                names += [f"{name}_{index}" for index in range(len(self.order))]
                bound = sa.tuple_(
                    *(sa.bindparam(n, type_=c.type) for n, c in zip(names, columns, strict=True))
                )
                row = sa.tuple_(*columns)
                statement = statement.where(row > bound if is_after is not self.descending else row < bound)
        downwards = self.descending is not request.backwards
        return statement.order_by(*(column.desc() if downwards else column for column in columns)).limit(
            sa.bindparam("size", type_=sa.Integer())
        )


def _bounds(request: PageRequest, order: Sequence[Any]) -> dict[str, object]:
    """The sort keys that a page begins after and ends before, as parameters."""
    return {
        f"{name}_{index}": value
        for name, cursor in (("after", request.after), ("before", request.before))
        if cursor is not None
        for index, value in enumerate(_read_cursor(cursor, order, name))
    }


def _page(
    request: PageRequest,
    found: Sequence[Sequence[Any]],
    item: Callable[[Sequence[Any]], T] | None,
    key: Callable[[Sequence[Any]], Sequence[Any]],
    *,
    count: Callable[[], Awaitable[int]],
) -> Page[T]:
    """What was found, less the row that only tells that there is more, in the list's order.

    `item` makes an item of a row, which is one itself if there is nothing to make, and `key` its sort key.
    """
    more = len(found) > request.size
    found = found[: request.size]
    if request.backwards:
        found = found[::-1]
    return Page(
        cast("Sequence[T]", found) if item is None else list(map(item, found)),
        lambda index: write_cursor(key(found[index])),
        has_next=request.before is not None if request.backwards else more,
        has_previous=more if request.backwards else request.after is not None,
        count=count,
    )


def write_cursor(key: Sequence[Any]) -> str:
    """Where a row stands in its list, by its sort key."""
    parts = [part.isoformat() if isinstance(part, datetime) else str(part) for part in key]
    return base64.urlsafe_b64encode(orjson.dumps(parts)).decode().rstrip("=")


def _read_cursor(cursor: str, order: Sequence[Any], name: str) -> list[object]:
    try:
        parts = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if not isinstance(parts, list) or len(parts) != len(order):
            raise ValueError  # noqa: TRY301 - all of these are the same answer
        return [_read_part(part, column.type.python_type) for part, column in zip(parts, order, strict=True)]
    except (binascii.Error, ValueError, TypeError, OverflowError, RecursionError, UnicodeError):
        raise BadUserInput(f"`{name}` is not a cursor of this list") from None


def _read_part(part: object, kind: type) -> object:
    if not isinstance(part, str):
        raise TypeError
    if kind is datetime:
        moment = datetime.fromisoformat(part)
        if moment.tzinfo is None:
            raise ValueError
        return moment.astimezone(UTC)
    if "\x00" in part or not part.isprintable():
        raise ValueError
    return UUID(part) if kind is UUID else kind(part)
