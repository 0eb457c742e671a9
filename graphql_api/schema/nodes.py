"""What all types share: the Node interface, and pages of lists."""

from collections.abc import Callable, Sequence
from typing import Any, Generic, Self, TypeVar

import strawberry

from graphql_api.schema.described import interface, output, resolved
from graphql_api.services.calls.pages import Page

T = TypeVar("T")
Row = TypeVar("Row")


@interface
class Node:
    """An object that can be fetched again by its id."""

    id: strawberry.ID = strawberry.field(
        description="A global id: opaque, unique over all types, the same for as long as the object is."
    )


@output
class PageInfo:
    """Where a page stands in its list."""

    has_next_page: bool = strawberry.field(description="Whether more comes after this page.")
    has_previous_page: bool = strawberry.field(description="Whether more comes before this page.")
    page: strawberry.Private[Page[Any]]

    @resolved
    def start_cursor(self) -> str | None:
        """The cursor of the first item; null when the page is empty."""
        return self.page.cursor(0) if self.page.items else None

    @resolved
    def end_cursor(self) -> str | None:
        """The cursor of the last item; null when the page is empty."""
        return self.page.cursor(len(self.page.items) - 1) if self.page.items else None


@output
class Edge(Generic[T]):
    """An item of a list, and where it stands there."""

    cursor: str = strawberry.field(description="Where the item stands; for `after` and `before`.")
    node: T = strawberry.field(description="The item.")


@output
class Connection(Generic[T]):
    """A page of a list."""

    nodes: list[T] = strawberry.field(description="The items alone.")
    page: strawberry.Private[Page[Any]]

    @resolved
    def edges(self) -> list[Edge[T]]:
        """The items with their cursors."""
        return [Edge(cursor=self.page.cursor(index), node=node) for index, node in enumerate(self.nodes)]

    @resolved
    def page_info(self) -> PageInfo:
        """Where this page stands in the list."""
        return PageInfo(
            has_next_page=self.page.has_next, has_previous_page=self.page.has_previous, page=self.page
        )

    @resolved
    async def total_count(self) -> int | None:
        """How many items the whole list has.

        Counted only when it is asked for.
        """
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
