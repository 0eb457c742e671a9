"""What the oracle asks of a schema."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import DocumentNode, GraphQLSchema


@dataclass(frozen=True)
class Subject:
    """A schema under test, and how to make the root value, context and log of a run from a seed."""

    name: str
    schema: GraphQLSchema
    make_run: Callable[[GraphQLSchema, DocumentNode, str, float], tuple[Any, Any, list[str]]]
    scalars: Mapping[str, list[Any]] = field(default_factory=dict)
    """Values for its scalars that mean something to it."""
