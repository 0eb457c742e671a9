"""What a document may ask for: the figures, their defaults and ranges, and what is counted."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on one GraphQL document; every refusal names the bound. docs/limits.md explains each.

    A figure with a range is a setting; the others say how the schema's pages are.

    The first three are checked before and while parsing, the others in one pass over the parsed
    document that is linear in its size, before GraphQL's own validation (which is not linear) begins.
    """

    max_source_length: Annotated[int, Field(ge=1_000, le=1_000_000)] = 50_000
    """Characters of a document."""

    max_tokens: Annotated[int, Field(ge=100, le=20_000)] = 1_000
    """Words and punctuators of a document, comments not counted."""

    max_comments: Annotated[int, Field(ge=0, le=10_000)] = 100
    """Comments in a document."""

    max_operations: Annotated[int, Field(ge=1, le=100)] = 10
    """Operations in a document; one of them is run."""

    max_depth: Annotated[int, Field(ge=3, le=50)] = 12
    """Fields beneath one another, fragments followed; introspection is bounded apart."""

    max_root_fields: Annotated[int, Field(ge=1, le=200)] = 20
    """Fields at the top of an operation, fragments followed."""

    max_aliases: Annotated[int, Field(ge=0, le=1_000)] = 30
    """Aliases in a document, as written."""

    max_repeated_selections: Annotated[int, Field(ge=0, le=1_000)] = 50
    """Selections that may repeat another of their set, as written: a field selected before, and every
    fragment after a set's first. What GraphQL's rule on overlapping fields compares pair by pair."""

    max_directives: Annotated[int, Field(ge=0, le=1_000)] = 50
    """Directives in a document, as written."""

    max_cost: Annotated[int, Field(ge=100, le=1_000_000)] = 5_000
    """Objects the answer may hold at most: nested lists multiply."""

    max_introspection_fields: Annotated[int, Field(ge=0, le=5_000)] = 500
    """Fields beneath `__schema` and `__type`, fragments followed."""

    max_page_size: int = 100
    """The most items a page has, whatever `first` or `last` says."""

    default_page_size: int = 20
    """Length of a page whose `first` and `last` are left out."""

    assumed_list_size: Annotated[int, Field(ge=1, le=1_000)] = 10
    """Length taken for a list that takes neither `first` nor `last`, nor a list of ids."""

    max_credential_fields: Annotated[int, Field(ge=1, le=10)] = 1
    """Mutations that check a password or mint a token, in all operations of a document together."""

    max_validation_errors: Annotated[int, Field(ge=1, le=100)] = 10
    """Validation errors reported before the validation stops."""

    max_coercion_errors: Annotated[int, Field(ge=1, le=100)] = 20
    """Mistakes in variables reported before the coercion stops."""

    max_cached_bytes: Annotated[int, Field(ge=0, le=10_000_000_000)] = 33_554_432
    """Bytes of memory for all kept documents together, with their compiled code."""

    execution_timeout: Annotated[float, Field(gt=0, le=600)] = 20.0
    """Seconds that one operation, or one event of a subscription, may take."""
