"""Writes unplanned exceptions to the log: where and what, never a caller's values."""

from collections.abc import Callable
from traceback import TracebackException, format_list

import structlog
from graphql import GraphQLError

from graphql_api.execution.errors import ErrorReport

log = structlog.get_logger(__name__)


def make_reporter(*, messages: bool) -> Callable[[ErrorReport], None]:
    """Return what the engine reports to. `messages`: also log what the exceptions say of themselves."""

    def report(error: ErrorReport) -> None:
        log.error(
            "graphql.internal_error",
            error_id=error.error_id,
            operation=error.operation_name,
            path=".".join(map(str, error.path)),
            exception=type(error.exception).__name__,
            traceback=describe(error.exception, messages=messages),
        )

    return report


def describe(exception: BaseException, *, messages: bool) -> str:
    """Return the traceback of an exception and its causes, without local variables.

    A GraphQLError's own text quotes the document, so it is never included.
    """
    parts: list[str] = []
    seen: set[int] = set()
    current: BaseException | None = exception
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        frames = TracebackException(type(current), current, current.__traceback__, lookup_lines=True).stack
        name = f"{type(current).__module__}.{type(current).__qualname__}"
        says = f": {current}" if messages and not isinstance(current, GraphQLError) else ""
        parts.append("".join(format_list(frames)) + name + says)
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
    return "\nThe above was caused by, or came up while handling:\n".join(parts)
