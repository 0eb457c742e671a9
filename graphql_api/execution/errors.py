"""How an error is told to a caller, and what of it reaches the log.

An error is shown when it is meant for callers: it carries `extensions["code"]`, either itself (a
GraphQLError raised on purpose) or through the exception it wraps. Anything else is masked: the caller
gets an id, and an `ErrorReport` with the same id goes to whoever runs the engine.
"""

import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from traceback import walk_tb
from typing import Any

from graphql import GraphQLError

PARSE_FAILED = "GRAPHQL_PARSE_FAILED"
VALIDATION_FAILED = "GRAPHQL_VALIDATION_FAILED"
BAD_USER_INPUT = "BAD_USER_INPUT"
TOO_COMPLEX = "OPERATION_TOO_COMPLEX"
OPERATION_RESOLUTION_FAILURE = "OPERATION_RESOLUTION_FAILURE"
EXECUTION_TIMEOUT = "EXECUTION_TIMEOUT"
INTERNAL = "INTERNAL_SERVER_ERROR"

MAX_MESSAGE_LENGTH = 500
"""Characters of a message about a document: names in it may be as long as the document."""

FormattedError = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ErrorReport:
    """An unplanned exception, for the log: never a document, a variable, or a message with a value in it."""

    error_id: str
    exception: BaseException
    operation_name: str | None
    path: tuple[str | int, ...]


Reporter = Callable[[ErrorReport], None]


def refusal(message: str, code: str, **details: object) -> FormattedError:
    """Return an error that belongs to the request as a whole."""
    return {"message": message, "extensions": {"code": code, **details}}


def located(error: GraphQLError, message: str, code: str) -> FormattedError:
    """Return an error with the places in the document that it is about."""
    formatted: FormattedError = {"message": message[:MAX_MESSAGE_LENGTH]}
    if error.locations:
        formatted["locations"] = [location.formatted for location in error.locations]
    formatted["extensions"] = {"code": code}
    return formatted


def masked(
    report: Reporter,
    exception: BaseException,
    operation_name: str | None,
    path: Iterable[str | int] | None = None,
) -> FormattedError:
    """Report an exception, and return what the caller may know: an id that an operator can search for."""
    error_id = secrets.token_hex(8)
    report(ErrorReport(error_id, exception, operation_name, tuple(path or ())))
    return refusal("Internal server error", INTERNAL, errorId=error_id)


def shown(error: GraphQLError, report: Reporter, operation_name: str | None) -> FormattedError:
    """Return an error from the execution as the caller sees it; masks and reports what was not planned."""
    extensions = public_extensions(error)
    if extensions is not None:
        told: FormattedError = {"message": error.message, "extensions": extensions}
    elif _is_about_arguments(error):
        told = refusal("An argument of this field has no usable value", BAD_USER_INPUT)
    else:
        told = masked(report, innermost(error), operation_name, error.path)
    formatted = {"message": told["message"]}
    if error.locations:
        formatted["locations"] = [location.formatted for location in error.locations]
    if error.path:
        formatted["path"] = error.path
    return {**formatted, "extensions": told["extensions"]}


def public_extensions(error: BaseException) -> Mapping[str, object] | None:
    """Return the extensions of an error meant for callers, or None if it is not."""
    extensions = getattr(error, "extensions", None)
    if isinstance(extensions, Mapping) and isinstance(extensions.get("code"), str):
        return extensions
    return None


def retry_after(errors: Iterable[FormattedError]) -> int | None:
    """Return after how many seconds trying again makes sense, when an error says so."""
    waits = [error.get("extensions", {}).get("retryAfter") for error in errors]
    return max((wait for wait in waits if isinstance(wait, int)), default=None)


def innermost(error: BaseException) -> BaseException:
    """Return the exception that a GraphQLError wraps, however often, or the error itself."""
    while isinstance(error, GraphQLError) and error.original_error is not None:
        error = error.original_error
    return error


def _is_about_arguments(error: GraphQLError) -> bool:
    """Did graphql-core refuse an argument while executing, such as an explicit null variable?"""
    origin = innermost(error)
    if not isinstance(origin, GraphQLError):
        return False
    modules = [frame.f_globals.get("__name__") for frame, _line in walk_tb(origin.__traceback__)]
    return bool(modules) and modules[-1] == "graphql.execution.values"
