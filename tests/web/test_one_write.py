"""Heads and bodies of answers on their way to the socket."""

import asyncio
from collections.abc import Sequence
from typing import Any, cast

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from graphql_api.web.heads import bounded
from graphql_api.web.options import Options

POST = b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}"
PIECE = {"type": "http.response.body", "body": b"{}"}


class Socket:
    """A transport that notes what it is told to do."""

    def __init__(self) -> None:
        self.done: list[bytes | str] = []

    def is_closing(self) -> bool:
        return "close" in self.done

    def write(self, data: bytes) -> None:
        if data:
            self.done.append(data)

    def close(self) -> None:
        self.done.append("close")

    def pause_reading(self) -> None:
        self.done.append("pause")

    def resume_reading(self) -> None:
        self.done.append("resume")

    def get_extra_info(self, _name: str) -> None:
        return None


def start(*headers: tuple[bytes, bytes], status: int = 200) -> dict[str, Any]:
    return {"type": "http.response.start", "status": status, "headers": list(headers)}


async def answered(
    *messages: dict[str, Any] | float | Exception, request: bytes = POST, answers: int = 1
) -> Sequence[bytes | str]:
    """What the socket is told when an application answers with these messages, and pauses where a number is."""

    async def app(_scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        for message in messages:
            if isinstance(message, float):
                socket.done.append("pause")
                await asyncio.sleep(message)
            elif isinstance(message, Exception):
                raise message
            else:
                await send(dict(message))

    config = uvicorn.Config(
        app, http=bounded(Options()), server_header=False, date_header=False, access_log=False
    )
    config.load()
    protocol = cast("Any", config.http_protocol_class)(
        config=config, server_state=ServerState(), app_state={}, _loop=asyncio.get_running_loop()
    )
    socket = Socket()
    protocol.connection_made(socket)
    for _ in range(answers):
        protocol.data_received(request)
        await asyncio.sleep(0.02)
    told = list(socket.done)  # what follows is the end of the connection
    protocol.connection_lost(None)
    await asyncio.sleep(0.05)
    assert not any(isinstance(item, bytes) for item in socket.done[len(told) :])
    return told


OK = start((b"content-type", b"application/json"), (b"content-length", b"2"))
OK_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n"


async def test_a_head_and_its_body_are_one_write_each_time() -> None:
    done = await answered(OK, PIECE, answers=2)
    assert [item for item in done if isinstance(item, bytes)] == [OK_HEAD + b"\r\n{}"] * 2


async def test_a_head_waits_for_a_body_that_takes_its_time() -> None:
    assert (await answered(OK, 0.01, PIECE))[:2] == ["pause", OK_HEAD + b"\r\n{}"]


async def test_the_head_of_a_stream_waits_for_nothing() -> None:
    stream = start((b"content-type", b"text/event-stream"))
    first, pause, *_ = await answered(stream, 0.01, PIECE)
    assert isinstance(first, bytes)
    assert first.startswith(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n")
    assert pause == "pause"


async def test_a_body_in_pieces_follows_its_head() -> None:
    half = {"type": "http.response.body", "body": b"{", "more_body": True}
    done = await answered(OK, half, PIECE | {"body": b"}"})
    assert done[:3] == [OK_HEAD + b"\r\n", b"{", b"}"]


async def test_a_connection_that_ends_is_told_so_and_closed() -> None:
    done = await answered(OK, PIECE, request=POST.replace(b"host: x", b"connection: close"))
    assert done[:2] == [OK_HEAD + b"connection: close\r\n\r\n{}", "close"]


async def test_an_answer_that_ends_the_connection_closes_it() -> None:
    closing = start((b"content-length", b"2"), (b"connection", b"close"), status=413)
    done = await answered(closing, PIECE)
    assert b"".join(item for item in done if isinstance(item, bytes)).endswith(b"connection: close\r\n\r\n{}")
    assert "close" in done


async def test_an_answer_to_head_has_no_body() -> None:
    done = await answered(OK, PIECE, request=POST.replace(b"POST", b"HEAD"))
    assert [item for item in done if isinstance(item, bytes)] == [OK_HEAD + b"\r\n"]


@pytest.mark.parametrize(
    "wrong",
    [
        (b"x-name", b"value\r\nset-cookie: a=b"),
        (b"x-name", b"value\nset-cookie: a=b"),
        (b"x-name\r\n", b"value"),
    ],
)
async def test_no_value_begins_a_header_of_its_own(wrong: tuple[bytes, bytes]) -> None:
    done = await answered(start((b"content-length", b"2"), wrong), PIECE)
    assert set(done) == {"close"}


@pytest.mark.parametrize("length", [b"1", b"3"])
async def test_a_length_that_is_not_the_bodys_ends_the_connection(length: bytes) -> None:
    done = await answered(start((b"content-length", length)), PIECE)
    assert done[-1] == "close"
    assert b"content-length: " + length in done[0]


async def test_an_application_that_fails_before_the_body_is_answered_for() -> None:
    done = await answered(OK, RuntimeError("unplanned"))
    sent = b"".join(item for item in done if isinstance(item, bytes))
    assert sent.startswith(b"HTTP/1.1 500 ")
    assert sent.count(b"HTTP/1.1 ") == 1


async def test_a_message_that_nobody_knows_ends_the_connection() -> None:
    done = await answered(OK, {"type": "nonsense"})
    assert "close" in done
    assert OK_HEAD + b"\r\n" in done


async def test_nothing_is_sent_to_a_client_who_has_gone_meanwhile() -> None:
    assert await answered(OK, 0.05, PIECE) == ["pause"]  # and `answered` looks at what follows
