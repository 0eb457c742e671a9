"""Pages of long lists by keyset: the first page and the thousandth cost the same.

A cursor is the sort key of a row, so a page starts where the last one ended, also when rows came or went
in between. The condition compares whole rows, the list's own column first: the shorter form lets
PostgreSQL's planner walk another index, 200 times slower.
"""

import base64
import binascii
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from graphql_api.domain.faults import BadUserInput
from graphql_api.services.call import Call

T = TypeVar("T")

DEFAULT_SIZE = 20
MAX_SIZE = 100


@dataclass(frozen=True, slots=True)
class PageRequest:
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
    """A stretch of a list, with a cursor for each row; `count` counts the whole list."""

    items: Sequence[T]
    cursors: Sequence[str]
    has_next: bool
    has_previous: bool
    count: Callable[[], Awaitable[int]]


async def read_page(
    call: Call,
    statement: Any,
    request: PageRequest,
    *,
    within: Sequence[tuple[Any, object]],
    order: Sequence[Any],
    descending: bool = False,
) -> Page[Any]:
    """Read one page of `statement`, a select of one entity (or of several: then rows are tuples).

    `within` are the columns that make the list, with their values (its holder), which lead the index;
    `order` are the columns that sort it, the last of them unique.

    Raises:
        BadUserInput: the page's arguments or cursors cannot be used.
    """
    size = request.size
    list_columns = [column for column, _ in within]
    list_values = [value for _, value in within]
    columns = [*list_columns, *order]
    for column, value in within:
        statement = statement.where(column == value)
    whole = statement
    for name, cursor, is_after in (("after", request.after, True), ("before", request.before, False)):
        if cursor is not None:
            values = [*list_values, *_read_cursor(cursor, order, name)]
            bound = sa.tuple_(
                *(sa.bindparam(None, v, type_=c.type) for c, v in zip(columns, values, strict=True))
            )
            row = sa.tuple_(*columns)
            statement = statement.where(row > bound if is_after is not descending else row < bound)
    downwards = descending is not request.backwards
    statement = statement.add_columns(*order).order_by(
        *(column.desc() if downwards else column for column in columns)
    )
    rows = await call.read(lambda session: _rows(session, statement.limit(size + 1)))
    more = len(rows) > size
    rows = rows[:size]
    if request.backwards:
        rows = rows[::-1]
    keys = len(order)
    return Page(
        [row[0] if len(row) == keys + 1 else tuple(row[:-keys]) for row in rows],
        [write_cursor(row[-keys:]) for row in rows],
        has_next=request.before is not None if request.backwards else more,
        has_previous=more if request.backwards else request.after is not None,
        count=lambda: call.read(lambda session: _count(session, whole)),
    )


async def _rows(session: AsyncSession, statement: Any) -> Sequence[Any]:
    return (await session.execute(statement)).all()


async def _count(session: AsyncSession, statement: Any) -> int:
    counted = sa.select(sa.func.count()).select_from(statement.order_by(None).subquery())
    return int((await session.execute(counted)).scalar_one())


def write_cursor(key: Sequence[Any]) -> str:
    """Where a row stands in its list, by its sort key."""
    parts = [part.isoformat() if isinstance(part, datetime) else str(part) for part in key]
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


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
