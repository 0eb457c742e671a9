"""Gives every request an id, and HTTP requests a line in the log."""

import random
import re
from time import perf_counter

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = structlog.get_logger(__name__)

_SANE = re.compile(rb"[A-Za-z0-9._-]{8,64}")


class RequestLog:
    """Takes a sane X-Request-ID or mints one, echoes it, binds it for all log lines of the request."""

    def __init__(self, app: ASGIApp, *, access_log: bool) -> None:
        self.app = app
        self.access_log = access_log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the application with the id in the scope's state and in structlog's context."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        request_id = _request_id(scope)
        text = request_id.decode()
        scope.setdefault("state", {})["request_id"] = text
        structlog.contextvars.bind_contextvars(request_id=text)
        status = 0
        started = perf_counter()

        async def send_with_id(message: Message) -> None:
            nonlocal status
            kind = message["type"]
            if kind == "http.response.start":
                status = message["status"]
                message["headers"].append((b"x-request-id", request_id))
            elif kind == "websocket.accept":
                message["headers"] = [*message.get("headers", ()), (b"x-request-id", request_id)]
            await send(message)

        try:
            await self.app(scope, receive, send_with_id)
        finally:
            if self.access_log and scope["type"] == "http":
                log.info(
                    "http.request",
                    method=scope["method"],
                    path=scope["path"][:200],
                    status=status,
                    milliseconds=round((perf_counter() - started) * 1000, 2),
                )


def _request_id(scope: Scope) -> bytes:
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _SANE.fullmatch(value):
            return bytes(value)
    return b"%032x" % random.getrandbits(128)  # an id, no secret
