"""Sends whole answers in one piece."""

from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

_UVICORNS_OWN = frozenset({b"connection", b"transfer-encoding"})


class OneWrite(RequestResponseCycle):
    """A request and its answer as uvicorn has them, where head and body go out together if they can.

    uvicorn writes them one after the other: two system calls, two packets, and two wake-ups of the client
    took a third of the time of a small request, and to look into each header took a tenth. What is not a
    whole answer of a known length, as an event stream, is uvicorn's, as is everything out of the ordinary.
    """

    _held: Any = None  # the head, until the body comes

    async def send(self, message: Any) -> None:
        """Send the body with the head that was held back for it, or hold a head back."""
        if message["type"] == "http.response.start":
            if any(name == b"content-length" for name, _value in message["headers"]):
                self._held = message
                return
        elif self._held is not None:
            head, self._held = self._held, None
            if self._send_whole(head, message):
                return
            await super().send(head)
        await super().send(message)

    def _send_whole(self, head: Any, message: Any) -> bool:
        """Send an answer with the length that it announces; returns whether it is such, and could be sent."""
        body: bytes = message.get("body", b"")
        if message.get("more_body") or self.disconnected or self.flow.write_paused:
            return False
        if self.response_started or self.access_log or self.scope["method"] == "HEAD":
            return False
        pieces = [STATUS_LINE[head["status"]]]
        headers = [*self.default_headers, *head["headers"]]
        for name, value in headers:
            if name in _UVICORNS_OWN or (name == b"content-length" and int(value) != len(body)):
                return False
            pieces += name, b": ", value, b"\r\n"
        if not self.keep_alive:
            pieces.append(b"connection: close\r\n")
        pieces.append(b"\r\n")
        whole_head = b"".join(pieces)
        lines = len(headers) + 2 + (not self.keep_alive)
        if not whole_head.count(b"\r") == whole_head.count(b"\n") == lines:
            return False  # a value that would begin a header of its own is refused
        self.transport.write(whole_head + body)
        self.waiting_for_100_continue = False
        self.response_started = self.response_complete = True
        self.message_event.set()
        if not self.keep_alive:
            self.transport.close()
        self.on_response()
        return True
