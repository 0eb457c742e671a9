"""Reading a body: at once where it is there, and with an end to the wait where it is not."""

import asyncio

import pytest
from starlette.types import Message

from graphql_api.web.body import read_body
from graphql_api.web.options import Options
from graphql_api.web.responses import HttpRefusal

PATIENT, IMPATIENT = Options(), Options(body_timeout=0.02)


def part(body: bytes, *, more: bool) -> Message:
    return {"type": "http.request", "body": body, "more_body": more}


async def test_a_body_that_comes_in_pieces_is_waited_for() -> None:
    parts = [part(b"{", more=True), part(b'"a":', more=True), part(b"1}", more=False)]

    async def receive() -> Message:
        await asyncio.sleep(0 if len(parts) == 2 else 0.001)
        return parts.pop(0)

    assert await read_body(receive, {}, PATIENT) == b'{"a":1}'


async def test_the_wait_for_a_body_ends_and_what_is_waited_for_hears_of_it() -> None:
    heard: list[BaseException] = []

    async def receive() -> Message:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError as error:
            heard.append(error)
            raise
        raise AssertionError("the event never comes")

    with pytest.raises(HttpRefusal) as refused:
        await read_body(receive, {}, IMPATIENT)
    assert refused.value.status == 408
    assert len(heard) == 1


async def test_what_fails_while_it_is_waited_for_fails_the_reading() -> None:
    async def receive() -> Message:
        await asyncio.sleep(0)
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await read_body(receive, {}, PATIENT)
