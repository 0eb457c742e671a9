"""What all types share: the Node interface, and pages of lists."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Generic, Self, TypeVar

import strawberry

from graphql_api.services.pages import Page, PageRequest

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
    start_cursor: str | None = strawberry.field(
        description="The cursor of the first item; null when the page is empty."
    )
    end_cursor: str | None = strawberry.field(
        description="The cursor of the last item; null when the page is empty."
    )


@strawberry.type(description="An item of a list, and where it stands there.")
class Edge(Generic[T]):
    """Relay's edge."""

    cursor: str = strawberry.field(description="Where the item stands; for `after` and `before`.")
    node: T = strawberry.field(description="The item.")


@strawberry.type(description="A page of a list.")
class Connection(Generic[T]):
    """Relay's connection."""

    edges: list[Edge[T]] = strawberry.field(description="The items with their cursors.")
    nodes: list[T] = strawberry.field(description="The items alone.")
    page_info: PageInfo = strawberry.field(description="Where this page stands in the list.")
    counted: strawberry.Private[Callable[[], Awaitable[int]]]

    @strawberry.field(description="How many items the whole list has. Counted only when it is asked for.")
    async def total_count(self) -> int | None:
        """Nullable, so that a count that fails does not take the page with it."""
        return await self.counted()

    @classmethod
    def of(cls, page: Page[Row], shape: Callable[[Row], T]) -> Self:
        """Shape a page of rows."""
        nodes = [shape(row) for row in page.items]
        return cls(
            edges=[Edge(cursor=cursor, node=node) for cursor, node in zip(page.cursors, nodes, strict=True)],
            nodes=nodes,
            page_info=_page_info(page.cursors, page),
            counted=page.count,
        )


def page_request(first: int | None, after: str | None, last: int | None, before: str | None) -> PageRequest:
    """Relay's four arguments as the services take them."""
    return PageRequest(first=first, after=after, last=last, before=before)


def _page_info(cursors: Sequence[str], page: Page[Row]) -> PageInfo:
    return PageInfo(
        has_next_page=page.has_next,
        has_previous_page=page.has_previous,
        start_cursor=cursors[0] if cursors else None,
        end_cursor=cursors[-1] if cursors else None,
    )
