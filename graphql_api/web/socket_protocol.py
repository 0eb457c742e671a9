"""WebSocket by uvicorn, with the bounds that it leaves open: docs/decisions/0018 says why they are here."""

import asyncio
import logging
import time
from typing import Any

from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame

from .pace import Pace
from .refusals import refusal
from .watch import Watch, Watched

FRAMES_A_SECOND = 20.0
FRAMES_AT_ONCE = 200
"""Of frames that are no message: pings, pongs, and parts of a message other than the last."""

CLOSE_TIMEOUT = 5.0
"""Seconds in which a client may answer that the socket is closed."""

_PIECE = 1024
"""Bytes that are read at a time. They hold at most 170 frames, which take a millisecond or two."""

_MOST_KEPT = 1_048_576
"""Bytes that wait to be read. asyncio reads 256 KB, and then no more until we ask for it."""

_UNREADABLE = refusal(
    b"431 Request Header Fields Too Large", b"There are too many headers, or too long ones", b"BAD_REQUEST"
)
_QUIET = logging.getLogger("graphql_api.web.sockets")
"""Says nothing below a warning: uvicorn's own lines hold the query string."""
_QUIET.setLevel(logging.WARNING)


class SocketProtocol(Watched, WebSocketsSansIOProtocol):
    """One socket: reads only as fast as messages are taken, answers are read, and its pace allows."""

    watch: Watch

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.logger = self.conn.logger = _QUIET
        self.conn.debug = False  # its lines hold what is in the frames
        self.close_timeout = CLOSE_TIMEOUT
        self._rest = bytearray()
        self._next: asyncio.TimerHandle | None = None
        self._pace = Pace(FRAMES_A_SECOND, FRAMES_AT_ONCE)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget what waits."""
        self.watch.leave(self)
        self._rest.clear()
        if self._next is not None:
            self._next.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Keep what was sent, and read it in pieces."""
        if not data:
            return
        self._rest += data
        if len(self._rest) > _MOST_KEPT:
            self.transport.abort()
        elif self._next is None:
            self._read()

    def _read(self) -> None:
        self._next = None
        piece = bytes(self._rest[:_PIECE])
        del self._rest[:_PIECE]
        super().data_received(piece)
        if not self.handshake_initiated and self.conn.handshake_exc is not None:
            self.transport.write(_UNREADABLE)
            self.transport.close()
        self._go_on()

    def _go_on(self) -> None:
        """Read the next piece when its turn comes; the transport reads on when there is none left."""
        if self.transport.is_closing() or self._next is not None:
            return
        if self._rest:
            self.transport.pause_reading()
            if self.writable.is_set() and not self.read_paused:
                self._next = self.loop.call_later(self._pace.delay(time.monotonic()), self._read)
        elif not self.read_paused:
            self.transport.resume_reading()

    async def receive(self) -> Any:
        """Hand out the next message, and read on when there is none left."""
        message = await self.queue.get()
        if self.read_paused and self.queue.empty():
            self.read_paused = False
            self._go_on()
        return message

    async def send(self, message: Any) -> None:
        """Send to the client, who is gone once this side has ended the socket by itself."""
        await self.writable.wait()
        if self.close_sent:
            raise ClientDisconnected
        await super().send(message)

    def resume_writing(self) -> None:
        """Read on: the client has taken what it was sent."""
        super().resume_writing()
        self._go_on()

    def handle_ping(self) -> None:
        """Answer, and count."""
        self._pace.spend(time.monotonic())
        super().handle_ping()

    def handle_pong(self, event: Frame) -> None:
        """Count, and take note."""
        self._pace.spend(time.monotonic())
        super().handle_pong(event)

    def handle_cont(self, event: Frame) -> None:
        """Count a part of a message, and put it to the others."""
        self._pace.spend(time.monotonic())
        super().handle_cont(event)

    def send_receive_event_to_app(self) -> None:
        """Hand on a message; what comes after the end is only counted."""
        if self.close_sent:
            self._pace.spend(time.monotonic())
        super().send_receive_event_to_app()

    def shutdown(self) -> None:
        """Say that the server goes away, if that was not said yet."""
        if self.handshake_complete and not self.close_sent:
            self.stop_keepalive()
            self.queue.put_nowait({"type": "websocket.disconnect", "code": 1001})
            self.conn.send_close(1001, "Going away")
            self.transport.write(b"".join(self.conn.data_to_send()))
            self.transport.close()
        else:
            super().shutdown()
