"""What a SIGTERM does to a real process: readiness turns, streams end, requests finish."""

import asyncio
import json
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from time import perf_counter

import httpx
import pytest
import uvicorn
from starlette.types import Message
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from tests.web.sample import Sample

Served = tuple[subprocess.Popen[bytes], str]


@pytest.fixture
def process() -> Iterator[Served]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with subprocess.Popen([sys.executable, "-m", "tests.web", str(port)]) as process:
        host = f"127.0.0.1:{port}"
        _wait_for(f"http://{host}/readyz")
        try:
            yield process, host
        finally:
            process.kill()


def _wait_for(url: str) -> None:
    started = perf_counter()
    while perf_counter() - started < 60:
        try:
            httpx.get(url).raise_for_status()
        except httpx.HTTPError:
            continue
        return
    raise AssertionError(url)


async def test_a_request_in_flight_finishes_and_streams_end(
    process: tuple[subprocess.Popen[bytes], str],
) -> None:
    server, host = process
    url = f"http://{host}/graphql"
    socket_url = f"ws://{host}/graphql"
    count = {"query": "subscription{count(to:1000,pause:0.05)}"}
    async with (
        httpx.AsyncClient(timeout=30) as client,
        connect(socket_url, subprotocols=[Subprotocol("graphql-transport-ws")]) as opened,
        client.stream("POST", url, json=count, headers={"accept": "text/event-stream"}) as stream,
    ):
        await opened.send('{"type":"connection_init"}')
        await opened.recv()
        slow = asyncio.create_task(client.post(url, json={"query": "{slow(seconds:1)}"}))
        await _until_running(client, url, 2)

        server.send_signal(signal.SIGTERM)

        lines = [line async for line in stream.aiter_lines()]
        with pytest.raises(ConnectionClosed) as closed:
            await opened.recv()
        response = await slow
    assert lines[-3:] == ["event: complete", "data:", ""]
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1001
    assert response.json() == {"data": {"slow": "slow"}}
    assert await asyncio.to_thread(server.wait, 30) in {0, -signal.SIGTERM}


async def test_nobody_who_keeps_talking_is_cut_off(process: Served) -> None:
    """A connection is told to end before it is closed, so that no request is on its way when it is."""
    server, host = process

    async def talk() -> int:
        answered = 0
        async with httpx.AsyncClient(base_url=f"http://{host}", timeout=30) as client:
            while True:
                response = await client.post("/graphql", json={"query": "{hello}"})
                assert response.status_code == 200
                answered += 1
                if response.headers.get("connection") == "close":
                    return answered

    talking = [asyncio.create_task(talk()) for _ in range(20)]
    await asyncio.sleep(1)
    server.send_signal(signal.SIGTERM)
    assert min(await asyncio.gather(*talking)) > 1
    assert await asyncio.to_thread(server.wait, 30) in {0, -signal.SIGTERM}


async def test_sockets_are_told_that_the_server_goes_away_under_load_too(process: Served) -> None:
    server, host = process
    codes = []

    async def listen() -> None:
        async with connect(
            f"ws://{host}/graphql", subprotocols=[Subprotocol("graphql-transport-ws")]
        ) as opened:
            await opened.send('{"type":"connection_init","payload":{"Authorization":"Bearer good"}}')
            query = "subscription{count(to:100000,pause:0.001)}"
            await opened.send(json.dumps({"type": "subscribe", "id": "1", "payload": {"query": query}}))
            with suppress(ConnectionClosed):
                while True:
                    await opened.recv()
            codes.append(opened.close_code)

    listening = [asyncio.create_task(listen()) for _ in range(15)]
    await asyncio.sleep(1)
    server.send_signal(signal.SIGTERM)
    await asyncio.gather(*listening)
    assert codes == [1001] * 15
    assert await asyncio.to_thread(server.wait, 30) in {0, -signal.SIGTERM}


async def _until_running(client: httpx.AsyncClient, url: str, expected: int) -> None:
    async with asyncio.timeout(30):
        while (await client.post(url, json={"query": "{running}"})).json() != {"data": {"running": expected}}:  # noqa: ASYNC110 - the server is another process
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("phase", ["startup", "shutdown"])
async def test_a_lifespan_that_fails_is_told_to_the_server(phase: str) -> None:
    @asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        if phase == "startup":
            raise RuntimeError("no database")
        yield
        raise RuntimeError("no database")

    sample = Sample(lifespan=lifespan)
    said: list[Message] = []

    async def receive() -> Message:
        return {"type": "lifespan.startup"}

    async def send(message: Message) -> None:
        said.append(message)

    with pytest.raises(RuntimeError):
        await sample.app({"type": "lifespan"}, receive, send)
    assert said[-1] == {"type": f"lifespan.{phase}.failed", "message": "RuntimeError: no database"}


def test_a_server_that_cannot_start_does_not_serve() -> None:
    @asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        raise RuntimeError("no database")
        yield

    server = uvicorn.Server(uvicorn.Config(Sample(lifespan=lifespan).app, port=0, log_config=None))
    with pytest.raises(SystemExit):
        server.run()
    assert not server.started


async def test_readiness_turns_with_the_first_sign(sample: Sample, client: httpx.AsyncClient) -> None:
    assert (await client.get("/readyz")).status_code == 200
    sample.shutdown.begin()
    response = await client.get("/readyz")
    assert (response.status_code, response.json()) == (503, {"status": "stopping"})


async def test_whoever_handled_the_signal_before_still_does(sample: Sample) -> None:
    heard: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _frame: heard.append(number))
    try:
        with sample.shutdown.on_signals():
            signal.raise_signal(signal.SIGTERM)
            assert sample.shutdown.begun
            await asyncio.wait_for(sample.shutdown.wait(), 1)
        assert heard == [signal.SIGTERM]
    finally:
        signal.signal(signal.SIGTERM, before)
