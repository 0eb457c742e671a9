"""HTTP/1.1 by uvicorn, with the bounds that it leaves open: docs/decisions/0018 says why they are here."""

import asyncio
import math
import re
import time
from typing import Any, cast

from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from .refusals import refusal
from .socket_protocol import SocketProtocol
from .watch import Watch, Watched

_FRAMING = 8
"""Bytes of framing that a byte of the body may have, as in chunks of one byte."""

_END_OF_HEAD = b"\r\n\r\n"

_OFFER_OF_HTTP_2 = re.compile(rb"(?i)\r\nupgrade:[ \t]*h2c[ \t]*(?=\r\n)")
"""Java's client sends it with every request. The parser would take the body for the other protocol."""


_MALFORMED = refusal(b"400 Bad Request", b"This is not HTTP/1.1", b"BAD_REQUEST")
_NO_UPGRADE = refusal(b"405 Method Not Allowed", b"A WebSocket is opened with GET", b"METHOD_NOT_ALLOWED")
_TOO_SLOW = refusal(b"408 Request Timeout", b"The head did not arrive in time", b"REQUEST_TIMEOUT")
_TOO_LARGE = refusal(b"431 Request Header Fields Too Large", b"The head is too long", b"BAD_REQUEST")
_TOO_MANY = refusal(b"503 Service Unavailable", b"There are too many connections", b"TEMPORARILY_UNAVAILABLE")


class HttpProtocol(Watched, HttpToolsProtocol):
    """One connection: reads no further than the request after the one that it answers."""

    watch: Watch
    flow: "HeldFlow"
    _admitted = False
    _is_between = True  # two messages
    _around = 0
    _body = 0
    _rest = b""  # what was received, of which the part from _begin on is still to be read
    _begin = 0
    _successor: SocketProtocol | None = None
    _running: RequestResponseCycle | None = None
    _waiting_since = 0.0
    """When a head, or what is left of a request that was answered, should have begun to arrive."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn does
        """Begin to wait for a head."""
        super().connection_made(transport)
        self.flow = HeldFlow(transport)
        self._waiting_since = time.monotonic()
        self._admitted = self.watch.enter(self, self.client[0] if self.client else None)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget what waits; the request that is being answered learns that nobody listens."""
        self.watch.leave(self)
        self._rest = b""
        self.pipeline.clear()
        if self._running is not None and not self._running.response_complete:
            self._running.disconnected = True
            self._running.message_event.set()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read what was sent, or refuse it unread where there are too many connections."""
        if not self._admitted:
            self._refuse(_TOO_MANY)
        elif not self._rest and data.count(_END_OF_HEAD) <= 1:
            self._feed(data)
            if self._successor is not None:
                self._successor.data_received(data.partition(_END_OF_HEAD)[2])
        else:
            self._rest = self._rest[self._begin :] + data
            self._begin = 0
            self._read()

    def _read(self) -> None:
        """Read one head at a time, as long as no request waits for the one before it to be answered."""
        data, begin = self._rest, self._begin
        while begin < len(data) and self._is_served():
            if self.pipeline:
                self._begin = begin
                self.flow.hold()
                return
            found = data.find(_END_OF_HEAD, begin)
            end = len(data) if found < 0 else found + len(_END_OF_HEAD)
            self._feed(data[begin:end])
            begin = end
        self._rest = b""
        if self._successor is not None:
            self._successor.data_received(data[begin:])

    def _feed(self, piece: bytes) -> None:
        if self._is_between and b"h2c" in piece:
            piece = _OFFER_OF_HTTP_2.sub(b"", piece)
        self._around += len(piece)
        super().data_received(piece)
        if self._around > self.watch.options.max_head_bytes + _FRAMING * self._body:
            self._refuse(_TOO_LARGE)

    def on_message_complete(self) -> None:
        """What comes next is another head."""
        self._is_between = True
        super().on_message_complete()

    def on_message_begin(self) -> None:
        """A head begins, with a deadline of its own."""
        self._is_between = False
        self._around = self._body = 0
        self._waiting_since = time.monotonic()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """The head is there; for the body and the answer there are other deadlines."""
        self._waiting_since = math.inf
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Count apart what has a limit of its own."""
        self._body += len(body)
        self._around -= len(body)
        super().on_body(body)

    def on_response_complete(self) -> None:
        """Go on with what came after the request that is answered."""
        super().on_response_complete()
        if self._waiting_since == math.inf:
            self._waiting_since = time.monotonic()
        else:  # the next head has begun: this is no idle connection
            self._unset_keepalive_if_required()
        if self._rest and not self.transport.is_closing():
            self._read()
            if not self._rest:
                self.flow.release()

    def handle_websocket_upgrade(self) -> None:
        """Hand the connection over; only a GET may ask for that."""
        if self.scope["method"] != "GET":
            self._refuse(_NO_UPGRADE)
            return
        super().handle_websocket_upgrade()
        self._successor = cast("SocketProtocol", self.transport.get_protocol())
        self.watch.hand_over(self, self._successor)

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's words
        """Refuse what is no HTTP."""
        self._refuse(_MALFORMED)

    def look(self, now: float, write_timeout: float) -> None:
        """Cut off also who sends no head, unless uvicorn's own clock for idle connections runs."""
        super().look(now, write_timeout)
        if (
            now > self._waiting_since + self.watch.options.head_timeout
            and self.timeout_keep_alive_task is None
            and not self._is_answering()
        ):
            self._refuse(_TOO_SLOW)

    def drain(self) -> None:
        """Let the last request that was sent here be the last one on this connection."""
        if self._is_answering() and not self._rest:
            self.cycle.keep_alive = False

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._running = cycle
        if self.watch.draining and not self.pipeline and not self._rest:
            cycle.keep_alive = False
        super()._start_asgi_task(cycle, app)

    def _is_served(self) -> bool:
        """Whether what is sent is still for us to read."""
        return self._successor is None and not self.transport.is_closing()

    def _is_answering(self) -> bool:
        cycle = cast("RequestResponseCycle | None", self.cycle)
        return cycle is not None and not cycle.response_complete

    def _refuse(self, answer: bytes) -> None:
        if self.transport.is_closing():
            return
        if not self._is_answering():  # else it would be read as part of an answer
            self.transport.write(answer)
        self.transport.close()


class HeldFlow(FlowControl):
    """Reads nothing more while a part of what was read is still to be looked at, whatever uvicorn wants."""

    def __init__(self, transport: asyncio.Transport) -> None:
        super().__init__(transport)
        self._is_held = False

    def hold(self) -> None:
        """Stop reading."""
        self._is_held = True
        self.pause_reading()

    def release(self) -> None:
        """Read on."""
        self._is_held = False
        self.resume_reading()

    def resume_reading(self) -> None:
        """Read on, if nothing waits."""
        if not self._is_held:
            super().resume_reading()
