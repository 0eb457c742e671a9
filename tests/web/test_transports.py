"""Heads and bodies of answers on their way to the socket."""

import asyncio
from typing import cast

from graphql_api.web.transports import OneWrite

HEAD = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n"


class Socket:
    """A transport that notes what it is told to do."""

    def __init__(self) -> None:
        self.done: list[bytes | str] = []

    def is_closing(self) -> bool:
        return "close" in self.done

    def write(self, data: bytes) -> None:
        self.done.append(data)

    def close(self) -> None:
        self.done.append("close")

    def pause_reading(self) -> None:
        self.done.append("pause")


async def opened() -> tuple[Socket, OneWrite]:
    socket = Socket()
    return socket, OneWrite(cast("asyncio.Transport", socket), asyncio.get_running_loop())


async def test_a_head_and_its_body_are_one_write_each_time() -> None:
    socket, transport = await opened()
    for _ in range(2):
        transport.write(HEAD)
        transport.write(b"{}")
    assert socket.done == [HEAD + b"{}"] * 2
    await asyncio.sleep(0)
    assert len(socket.done) == 2


async def test_a_head_that_nothing_follows_goes_out_by_itself() -> None:
    socket, transport = await opened()
    transport.write(HEAD)
    assert socket.done == []
    await asyncio.sleep(0)
    assert socket.done == [HEAD]
    transport.write(b": still here\n\n")
    assert socket.done == [HEAD, b": still here\n\n"]


async def test_closing_sends_what_is_held() -> None:
    socket, transport = await opened()
    transport.write(HEAD)
    transport.close()
    await asyncio.sleep(0)
    assert socket.done == [HEAD, "close"]
    assert transport.is_closing()


async def test_nothing_is_sent_to_a_client_who_has_gone_meanwhile() -> None:
    socket, transport = await opened()
    transport.write(HEAD)
    socket.close()
    await asyncio.sleep(0)
    assert socket.done == ["close"]


async def test_everything_else_is_the_transports() -> None:
    socket, transport = await opened()
    transport.pause_reading()
    assert socket.done == ["pause"]
