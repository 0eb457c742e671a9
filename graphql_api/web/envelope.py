"""What every request and answer gets: an id, headers that make browsers wary, and a line in the log."""

import logging
import random
import re
from collections.abc import Awaitable, Sequence
from functools import cached_property
from time import perf_counter
from typing import Any

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .responses import headers_of

log = structlog.get_logger(__name__)

SECURITY_HEADERS: tuple[tuple[bytes, bytes], ...] = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
)
"""They tell browsers to trust an answer as little as possible. A page may bring its own."""

_NAMES = frozenset(name for name, _value in SECURITY_HEADERS)
_SANE = re.compile(rb"[A-Za-z0-9._-]{8,64}")


class Envelope:
    """Takes a sane X-Request-ID or mints one, echoes it, binds it for all log lines of the request.

    Beneath it, `scope["state"]` has the `request_id`, and as `status` that of the answer once it has begun.
    It is one layer, since three that each looked into every answer took a fourteenth more of a small request.
    """

    def __init__(self, app: ASGIApp, *, access_log: bool) -> None:
        self.app = app
        self.access_log = access_log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the application for an HTTP request or a WebSocket."""
        request_id = _request_id(scope)
        state = scope.setdefault("state", {})
        state["request_id"] = text = request_id.decode()
        state["status"] = 0
        structlog.contextvars.bind_contextvars(request_id=text)
        started = perf_counter()

        def send_marked(message: Message) -> Awaitable[None]:
            kind = message["type"]
            if kind == "http.response.start":
                state["status"] = message["status"]
                headers = message["headers"]
                missing: Sequence[tuple[bytes, bytes]] = SECURITY_HEADERS
                present = dict(headers)
                if not _NAMES.isdisjoint(present):
                    missing = [header for header in SECURITY_HEADERS if header[0] not in present]
                message["headers"] = [*headers, *missing, (b"x-request-id", request_id)]
            elif kind == "websocket.accept":
                message["headers"] = [*message.get("headers", ()), (b"x-request-id", request_id)]
            return send(message)

        try:
            await self.app(scope, receive, send_marked)
        finally:
            if self._log is not None and scope["type"] == "http":
                self._log.info(
                    "http.request",
                    method=scope["method"],
                    path=scope["path"][:200],
                    status=state["status"],
                    milliseconds=round((perf_counter() - started) * 1000, 2),
                )

    @cached_property
    def _log(self) -> Any | None:
        """Where requests are logged, if anybody reads it; asked at the first one, when logging is set up."""
        return log.bind() if self.access_log and log.is_enabled_for(logging.INFO) else None


def _request_id(scope: Scope) -> bytes:
    sent = headers_of(scope).get(b"x-request-id")
    if sent is not None and _SANE.fullmatch(sent):
        return sent
    return b"%032x" % random.getrandbits(128)  # an id, no secret
