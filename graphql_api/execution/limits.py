"""What a document may ask for: the figures, their defaults, and what is counted."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on one GraphQL document; every refusal names the bound. docs/limits.md explains each.

    The first three are checked before and while parsing, the others in one pass over the parsed
    document that is linear in its size, before GraphQL's own validation (which is not linear) begins.
    """

    max_source_length: int = 50_000
    """Characters of a document."""

    max_tokens: int = 1_000
    """Words and punctuators of a document, comments not counted."""

    max_comments: int = 100
    """Comments in a document."""

    max_operations: int = 10
    """Operations in a document; one of them is run."""

    max_depth: int = 12
    """Fields beneath one another, fragments followed; introspection is bounded apart."""

    max_root_fields: int = 20
    """Fields at the top of an operation, fragments followed."""

    max_aliases: int = 30
    """Aliases in a document, as written."""

    max_repeated_selections: int = 50
    """Selections that may repeat another of their set, as written: a field selected before, and every
    fragment after a set's first. What GraphQL's rule on overlapping fields compares pair by pair."""

    max_directives: int = 50
    """Directives in a document, as written."""

    max_cost: int = 5_000
    """Objects the answer may hold at most: nested lists multiply."""

    max_introspection_fields: int = 500
    """Fields beneath `__schema` and `__type`, fragments followed."""

    max_page_size: int = 100
    """The most items a page has, whatever `first` or `last` says."""

    default_page_size: int = 20
    """Length of a page whose `first` and `last` are left out."""

    assumed_list_size: int = 10
    """Length taken for a list that takes neither `first` nor `last`, nor a list of ids."""

    max_credential_fields: int = 1
    """Mutations that check a password or mint a token, in all operations of a document together."""

    max_validation_errors: int = 10
    """Validation errors reported before the validation stops."""

    max_coercion_errors: int = 20
    """Mistakes in variables reported before the coercion stops."""

    max_cached_documents: int = 1_000
    """Documents kept parsed and validated."""

    max_cached_tokens: int = 50_000
    """Tokens of all kept documents together, some 400 bytes each: what bounds the cache's memory."""

    max_compiled_characters: int = 4_000_000
    """Characters of the code that operations are compiled into, some 6 bytes each, of all together."""
