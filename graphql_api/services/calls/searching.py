"""Searching lists: a part of a text, compared without case."""

import re
from typing import Any

import sqlalchemy as sa

from graphql_api.domain.faults import BadUserInput
from graphql_api.domain.listing import LONGEST_SEARCH


def pattern(search: str | None) -> str | None:
    """What `matches` is given for a search; None if there is nothing to search for.

    Raises:
        BadUserInput: the search is too long, or holds what nobody can see.
    """
    term = (search or "").strip().lower()
    if len(term) > LONGEST_SEARCH or not term.isprintable():
        raise BadUserInput(f"`search` is at most {LONGEST_SEARCH} printable characters")
    return "%" + re.sub("[/%_]", r"/\g<0>", term) + "%" if term else None


def matches(*columns: Any) -> sa.ColumnElement[bool]:
    """Whether one of the columns, which hold lower case, has the parameter `pattern` in it."""
    parameter = sa.bindparam("pattern", type_=sa.Text())
    return sa.or_(*(column.like(parameter, escape="/") for column in columns))
