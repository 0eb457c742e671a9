"""Which values need no second look: their class is neither awaitable, nor an exception, nor nothing.

graphql-core asks of every value a resolver gave whether it can be awaited, three checks each time. The answer
hangs on the class for nearly every class, so generated code asks `type(value) in PLAIN` and only sends the
others the long way round.
"""

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from types import AsyncGeneratorType, GeneratorType
from typing import Any
from uuid import UUID

from graphql.pyutils import is_awaitable as core_is_awaitable
from graphql.pyutils.undefined import UndefinedType

MOST_CLASSES = 4096  # remembered classes are kept alive; a program that mints classes must not leak them

PLAIN: set[type] = {
    *(bool, int, float, str, bytes, bytearray, list, tuple, dict, set, frozenset),
    *(date, datetime, time, timedelta, Decimal, UUID),
}
"""Grows by the classes that `is_awaitable` meets. `NoneType` is never in it."""

NEVER_PLAIN = (BaseException, GeneratorType, AsyncGeneratorType, UndefinedType, type(None), type)


def is_awaitable(value: Any) -> bool:
    """Answer what graphql-core's `is_awaitable` answers, and remember the classes that never are."""
    cls = type(value)
    if cls in PLAIN:
        return False
    if core_is_awaitable(value):
        return True
    if len(PLAIN) < MOST_CLASSES and _is_plain_class(cls):
        PLAIN.add(cls)
    return False


def _is_plain_class(cls: type) -> bool:
    """Tell whether no instance of the class can have an `__await__` (mocks and proxies make them up)."""
    if issubclass(cls, NEVER_PLAIN):
        return False
    if hasattr(cls, "__await__") or hasattr(cls, "__getattr__"):
        return False
    return cls.__getattribute__ in _ORDINARY_LOOKUPS


_ORDINARY_LOOKUPS = {
    object.__getattribute__,
    tuple.__getattribute__,
    str.__getattribute__,
    int.__getattribute__,
}
