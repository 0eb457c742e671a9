"""Anonymous clients that mean harm, in a process of their own: `python -m tests.siege.attackers NAME PORT NUMBER SECONDS`.

Each keeps one connection: where the server cuts it off, it opens the next. After the given seconds they send
nothing any more, and hold what they have open until the process is ended.
"""

import asyncio
import itertools
import os
import socket
import sys
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress

import orjson

CONNECT_PAUSE = 0.05  # seconds before a connection that was cut off is opened again
HOST = b"Host: 127.0.0.1\r\n"
POST = b"POST /graphql HTTP/1.1\r\n" + HOST + b"Content-Type: application/json\r\n"
UPGRADE = (
    b"GET /graphql HTTP/1.1\r\n" + HOST + b"Connection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
    b"Sec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n"
)
MASK = b"\0\0\0\0"
LARGEST = "query{a:__schema{types{name description fields{name description args{name description}}}}}"
_numbers = itertools.count(int.from_bytes(os.urandom(4)))


def request(document: str) -> bytes:
    """A GraphQL request."""
    body = orjson.dumps({"query": document})
    return POST + b"Content-Length: %d\r\n\r\n" % len(body) + body


def frame(opcode: int, payload: bytes = b"", *, last: bool = True) -> bytes:
    """A frame of WebSocket, as a client sends it."""
    assert len(payload) < 126
    return bytes([opcode | (128 if last else 0), 128 | len(payload)]) + MASK + payload


class Line:
    """One connection, of which nothing is read unless the attack asks for it."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self._loop = asyncio.get_running_loop()

    async def send(self, data: bytes) -> None:
        """Send, as fast as the server takes it."""
        await self._loop.sock_sendall(self.connection, data)

    async def read(self) -> bytes:
        """Read what there is; raises ConnectionError at the end."""
        data = await self._loop.sock_recv(self.connection, 65_536)
        if not data:
            raise ConnectionResetError
        return data

    async def read_to_end(self) -> None:
        """Read until the server ends it."""
        while True:
            await self.read()


async def pipeline(line: Line) -> None:
    """Thousands of requests, no answer read."""
    while True:
        await line.send(request("{__typename}") * 1000)


async def pipeline_small(line: Line) -> None:
    """The same with the shortest requests there are."""
    while True:
        await line.send((b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n") * 14_500)


async def protocol_pings(line: Line) -> None:
    """Pings of the protocol, no answer read."""
    await line.send(UPGRADE)
    while True:
        await line.send(frame(9, b"a" * 100) * 1000)


async def empty_frames(line: Line) -> None:
    """A message in empty parts, without end."""
    await line.send(UPGRADE + frame(1, last=False))
    while True:
        await line.send(frame(0, last=False) * 10_000)


async def operation_pings(line: Line) -> None:
    """Pings of graphql-transport-ws on sockets that were let in, and their answers read."""
    await line.send(UPGRADE + frame(1, b'{"type":"connection_init"}'))
    reading = asyncio.ensure_future(line.read_to_end())
    try:
        while not reading.done():
            await line.send(frame(1, b'{"type":"ping"}') * 1000)
    finally:
        reading.cancel()


async def completions(line: Line) -> None:
    """Messages that end what never began."""
    await line.send(UPGRADE + frame(1, b'{"type":"connection_init"}'))
    while True:
        await line.send(frame(1, b'{"type":"complete","id":"1"}') * 1000)


async def line_breaks(line: Line) -> None:
    """A lone line break after a request that was answered."""
    await line.send(request("{__typename}"))
    await line.read()
    await line.send(b"\r\n")
    await line.read_to_end()


async def posted_upgrades(line: Line) -> None:
    """An upgrade that is no GET."""
    await line.send(UPGRADE.replace(b"GET", b"POST"))
    await line.read_to_end()


async def silence(line: Line) -> None:
    """Nothing at all."""
    await line.read_to_end()


async def left_over_bodies(line: Line) -> None:
    """A body that drips on after the request was answered."""
    await line.send(b"POST /healthz HTTP/1.1\r\n" + HOST + b"Content-Length: 1000000\r\n\r\n")
    while True:
        await line.send(b"a")
        await asyncio.sleep(1)


async def half_heads(line: Line) -> None:
    """A head that drips."""
    await line.send(b"GET / HTTP/1.1\r\n")
    while True:
        await line.send(b"A: a\r\n")
        await asyncio.sleep(1)


async def unread_answers(line: Line) -> None:
    """Large answers that nobody reads."""
    while True:
        await line.send(request(LARGEST) * 10)


async def long_documents(line: Line) -> None:
    """Documents of 50,000 characters, each another one, that are parsed, validated and perhaps kept."""
    while True:
        number = next(_numbers)
        kind = number % 3
        filling = ("a" * 49_000, "a " * 480 + "a" * 48_000, "")[kind]
        if kind == 0:
            document = f'{{ __type(name: "{filling}{number}") {{ name }} }}'
        elif kind == 1:
            document = f"{{ __typename }} # {number} {filling}"
        else:
            document = (
                "{ " + " ".join(f"a{number}_{one}: __typename" for one in range(25)) + " }" + " " * 49_000
            )
        await line.send(request(document))
        await line.read()


async def two_and_away(line: Line) -> None:
    """Two requests at once, and gone before the answers."""
    await line.send(request("{__typename}") * 2)
    raise ConnectionResetError


Attack = Callable[[Line], Coroutine[None, None, None]]
ATTACKS: dict[str, Attack] = {
    one.__name__: one
    for one in (
        pipeline,
        pipeline_small,
        protocol_pings,
        empty_frames,
        operation_pings,
        completions,
        line_breaks,
        posted_upgrades,
        silence,
        left_over_bodies,
        half_heads,
        unread_answers,
        long_documents,
        two_and_away,
    )
}


async def attack(name: str, port: int, number: int, seconds: float) -> None:
    """Attack for a while; what is open then stays open, silent, until the process is ended."""
    until = time.monotonic() + seconds
    held: list[socket.socket] = []
    await asyncio.gather(*(_one(ATTACKS[name], port, until, held) for _ in range(number)))
    await asyncio.Event().wait()


async def _one(attack: Attack, port: int, until: float, held: list[socket.socket]) -> None:
    loop = asyncio.get_running_loop()
    while time.monotonic() < until:
        connection = socket.socket()
        connection.setblocking(False)
        with suppress(TimeoutError, OSError):
            async with asyncio.timeout(until - time.monotonic()):
                await loop.sock_connect(connection, ("127.0.0.1", port))
                await attack(Line(connection))
        if time.monotonic() < until:
            connection.close()
            await asyncio.sleep(CONNECT_PAUSE)
        else:
            held.append(connection)


if __name__ == "__main__":
    asyncio.run(attack(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])))
