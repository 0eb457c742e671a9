"""What stops a whole request or field, as opposed to a refusal, which is data.

Every fault ends as a top-level GraphQL error; `extensions["code"]` is for a client's link layer.

    Fault
    ├── Unauthenticated          UNAUTHENTICATED
    ├── Forbidden                FORBIDDEN
    ├── BadUserInput             BAD_USER_INPUT           (arguments of a query, which has no Failure)
    ├── CursorExpired            CURSOR_EXPIRED           (of events: what came after it is not kept)
    ├── RateLimited              RATE_LIMITED             (retryAfter, seconds)
    └── TemporarilyUnavailable   TEMPORARILY_UNAVAILABLE  (retryAfter, seconds)
"""

from typing import ClassVar


class Fault(Exception):
    """Something a caller is told at the top level; its message is written for callers."""

    code: ClassVar[str]

    def __init__(self, message: str, **details: object) -> None:
        super().__init__(message)
        self.message = message
        self.extensions: dict[str, object] = {"code": self.code, **details}


class Unauthenticated(Fault):
    """There is no valid bearer token where one is needed."""

    code = "UNAUTHENTICATED"

    def __init__(self, message: str = "Only registered user can perform this action") -> None:
        super().__init__(message)


class Forbidden(Fault):
    """The caller is known, and may not do this."""

    code = "FORBIDDEN"


class BadUserInput(Fault):
    """An argument of a query cannot be used; a mutation would answer `InvalidInput`."""

    code = "BAD_USER_INPUT"


class CursorExpired(Fault):
    """Events after this cursor are no longer kept, so that going on from it would skip some."""

    code = "CURSOR_EXPIRED"

    def __init__(self) -> None:
        super().__init__(
            "The events after this cursor are no longer all kept: load the screen again, with `eventsCursor`"
        )


class RateLimited(Fault):
    """Too many attempts; `retry_after` is in seconds."""

    code = "RATE_LIMITED"

    def __init__(self, message: str, *, retry_after: int) -> None:
        super().__init__(message, retryAfter=retry_after)


class TemporarilyUnavailable(Fault):
    """The database could not take the work now; nothing was written. `retry_after` is in seconds."""

    code = "TEMPORARILY_UNAVAILABLE"

    def __init__(self, *, retry_after: int = 1) -> None:
        super().__init__("The service is busy; please try again", retryAfter=retry_after)
