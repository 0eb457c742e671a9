"""Bounds what uvicorn leaves open: how long the head of a request may be, and how long it may take."""

import asyncio
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from .options import Options

_REFUSAL = (
    b"HTTP/1.1 %s\r\ncontent-type: application/json; charset=utf-8\r\ncontent-length: %d\r\n"
    b"connection: close\r\n\r\n%s"
)
_TOO_LARGE = b'{"errors":[{"message":"The head is too long","extensions":{"code":"BAD_REQUEST"}}]}'
_TOO_SLOW = (
    b'{"errors":[{"message":"The head did not arrive in time","extensions":{"code":"REQUEST_TIMEOUT"}}]}'
)
_FRAMING = 8
"""Bytes of framing that a byte of the body may have, as in chunks of one byte."""


class BoundedHeads(HttpToolsProtocol):
    """Closes connections whose heads, or what comes around a body, would otherwise fill the memory."""

    options: Options
    _around = 0
    _body = 0
    _in_head = True
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn does
        """Begin to wait for a head."""
        super().connection_made(transport)
        self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing any more."""
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read, and count what is no body; a message counts from the data after those that it begins in.

        Most heads come in one piece: a clock is started only for those of which something is missing.
        """
        self._around += len(data)
        super().data_received(data)
        if self._around > self.options.max_head_bytes + _FRAMING * self._body:
            self._refuse(b"431 Request Header Fields Too Large", _TOO_LARGE)
        elif not self._in_head:
            self._stop_waiting()
        elif self._deadline is None:
            self._wait_for_head()

    def on_message_begin(self) -> None:
        """A head begins, with a deadline of its own."""
        self._stop_waiting()
        self._around = self._body = 0
        self._in_head = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """The head is there; for the body there is another deadline."""
        self._in_head = False
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Count apart what has a limit of its own."""
        self._body += len(body)
        self._around -= len(body)
        super().on_body(body)

    def _wait_for_head(self) -> None:
        self._deadline = self.loop.call_later(
            self.options.head_timeout, self._refuse, b"408 Request Timeout", _TOO_SLOW
        )

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _refuse(self, status: bytes, body: bytes) -> None:
        self._stop_waiting()
        if self.transport.is_closing():
            return
        answering = cast("RequestResponseCycle | None", self.cycle)
        if answering is None or answering.response_complete:  # else it would be read as part of an answer
            self.transport.write(_REFUSAL % (status, len(body), body))
        self.transport.close()


def bounded(options: Options) -> type[asyncio.Protocol]:
    """The protocol that uvicorn is to speak HTTP with."""
    members: dict[str, Any] = {"options": options}
    return type("BoundedHeads", (BoundedHeads,), members)
