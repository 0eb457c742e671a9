"""Definitions that say each thing once: the docstring that you read here is the description that clients read.

    output, interface    an object type, an interface
    arguments            an input type
    resolved             a field with a resolver
    connection           a field that answers one page of a list, with Relay's four arguments

`schema.mutation` builds mutations on these. White space in a docstring is folded: a summary and its paragraphs become one text.
"""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, TypeVar, dataclass_transform

import strawberry
from strawberry.types.fields.resolver import Parameter, Signature

from graphql_api.schema.context import Info
from graphql_api.services.calls.pages import PageRequest

T = TypeVar("T")
Resolver = Callable[..., Any]

_PAGE: Mapping[str, Any] = {
    "first": Annotated[
        int | None,
        strawberry.argument(
            description="The page size, from the start of the list: 0 to 100; 20 if left out."
        ),
    ],
    "after": Annotated[str | None, strawberry.argument(description="Start after this cursor.")],
    "last": Annotated[
        int | None,
        strawberry.argument(
            description="The page size, from the end of the list: 0 to 100. Cannot be combined with `first`."
        ),
    ],
    "before": Annotated[str | None, strawberry.argument(description="End before this cursor.")],
}


@dataclass_transform(kw_only_default=True, field_specifiers=(strawberry.field,))
def output(cls: type[T]) -> type[T]:
    """Publish an object type."""
    return strawberry.type(cls, description=text(cls))


@dataclass_transform(kw_only_default=True, field_specifiers=(strawberry.field,))
def interface(cls: type[T]) -> type[T]:
    """Publish an interface."""
    return strawberry.interface(cls, description=text(cls))


@dataclass_transform(kw_only_default=True, field_specifiers=(strawberry.field,))
def arguments(cls: type[T]) -> type[T]:
    """Publish an input type."""
    return strawberry.input(cls, description=text(cls))


def resolved(resolver: Resolver) -> Any:
    """Publish a field that this function answers."""
    return strawberry.field(resolver, description=text(resolver))


def connection(resolver: Resolver) -> Any:
    """Publish a field that answers one page of a list.

    The function takes `request`, a PageRequest; clients give `first`, `after`, `last` and `before` for it.
    """

    async def resolve(
        self: Any,
        info: Info,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
        **others: Any,
    ) -> Any:
        return await resolver(self, info, PageRequest(first, after, last, before), **others)

    published = [one for one in parameters(resolver) if one.name != "request"]
    published += [
        Parameter(name, Parameter.KEYWORD_ONLY, default=None, annotation=annotation)
        for name, annotation in _PAGE.items()
    ]
    take_place_of(resolver, resolve, published, resolver.__annotations__["return"])
    return strawberry.field(resolve, description=text(resolver))


def parameters(resolver: Resolver) -> list[Any]:
    """What a function takes."""
    return list(Signature.from_callable(resolver).parameters.values())


def take_place_of(resolver: Resolver, resolve: Any, parameters: list[Parameter], returned: Any) -> None:
    """Have Strawberry see the function that it publishes as if it were written with these parameters."""
    resolve.__name__, resolve.__module__ = resolver.__name__, resolver.__module__
    resolve.__signature__ = Signature(parameters, return_annotation=returned)
    resolve.__annotations__ = {**{one.name: one.annotation for one in parameters}, "return": returned}


def text(documented: Any) -> str:
    """A docstring as one line of text.

    Raises:
        TypeError: there is none, and clients would read nothing.
    """
    folded = " ".join((documented.__doc__ or "").split())
    if not folded:
        raise TypeError(f"{documented.__qualname__} needs a docstring: clients read it")
    return folded
