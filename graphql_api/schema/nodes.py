"""What all types share: the Node interface, and pages of lists."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any, Generic, Self, TypeVar

import strawberry

from graphql_api.services.calls.pages import Page, PageRequest

T = TypeVar("T")
Row = TypeVar("Row")

First = Annotated[
    int | None,
    strawberry.argument(description="At most this many from the start; 20 if left out, at most 100."),
]
After = Annotated[str | None, strawberry.argument(description="Only what comes after this cursor.")]
Last = Annotated[
    int | None,
    strawberry.argument(description="At most this many from the end, at most 100. Not with `first`."),
]
Before = Annotated[str | None, strawberry.argument(description="Only what comes before this cursor.")]


@strawberry.interface(description="An object that can be fetched again by its id.")
class Node:
    """What the query field `node` returns."""

    id: strawberry.ID = strawberry.field(
        description="A global id: opaque, unique over all types, the same for as long as the object is."
    )


@strawberry.type(description="Where a page stands in its list.")
class PageInfo:
    """Relay's PageInfo."""

    has_next_page: bool = strawberry.field(description="Whether more comes after this page.")
    has_previous_page: bool = strawberry.field(description="Whether more comes before this page.")
    page: strawberry.Private[Page[Any]]

    @strawberry.field(description="The cursor of the first item; null when the page is empty.")
    def start_cursor(self) -> str | None:
        """Made only when it is asked for."""
        return self.page.cursor(0) if self.page.items else None

    @strawberry.field(description="The cursor of the last item; null when the page is empty.")
    def end_cursor(self) -> str | None:
        """Made only when it is asked for."""
        return self.page.cursor(len(self.page.items) - 1) if self.page.items else None


@strawberry.type(description="An item of a list, and where it stands there.")
class Edge(Generic[T]):
    """Relay's edge."""

    cursor: str = strawberry.field(description="Where the item stands; for `after` and `before`.")
    node: T = strawberry.field(description="The item.")


@strawberry.type(description="A page of a list.")
class Connection(Generic[T]):
    """Relay's connection."""

    nodes: list[T] = strawberry.field(description="The items alone.")
    page: strawberry.Private[Page[Any]]

    @strawberry.field(description="The items with their cursors.")
    def edges(self) -> list[Edge[T]]:
        """Made only when they are asked for, as cursors are."""
        return [Edge(cursor=self.page.cursor(index), node=node) for index, node in enumerate(self.nodes)]

    @strawberry.field(description="Where this page stands in the list.")
    def page_info(self) -> PageInfo:
        """With the cursors of its ends."""
        return PageInfo(
            has_next_page=self.page.has_next, has_previous_page=self.page.has_previous, page=self.page
        )

    @strawberry.field(description="How many items the whole list has. Counted only when it is asked for.")
    async def total_count(self) -> int | None:
        """Nullable, so that a count that fails does not take the page with it."""
        return await self.page.count()

    @classmethod
    def of(cls, page: Page[Row], shape: Callable[[Row], T]) -> Self:
        """Shape a page of rows."""
        return cls(nodes=[shape(row) for row in page.items], page=page)


def setter(names: Sequence[str]) -> Callable[[object, Sequence[Any]], None]:
    """What sets these attributes of an object to the first values of a row.

    It is written as Python, since keyword arguments and loops take two to three times as long: for accounts,
    of which a page has a hundred.
    """
    namespace: dict[str, Any] = {}
    targets = "".join(f"account.{name}, " for name in names)
    exec(f"def fill(account, row):\n    [{targets}] = row[:{len(names)}]", namespace)  # noqa: S102 - our own names
    fill: Callable[[object, Sequence[Any]], None] = namespace["fill"]
    return fill


def page_request(first: int | None, after: str | None, last: int | None, before: str | None) -> PageRequest:
    """Relay's four arguments as the services take them."""
    return PageRequest(first, after, last, before)
