"""What one client may do to a server's connections, and how long it may keep them: over real sockets."""

import asyncio
import gc
import logging
import re
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace

import pytest
from structlog.testing import capture_logs
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Subprotocol

from graphql_api.web.options import Options
from graphql_api.web.pace import Pace
from graphql_api.web.turns import Turns
from tests.siege.attackers import HOST, LARGEST, UPGRADE, frame, request
from tests.web.sample import Sample, served

IMPATIENT = Options(head_timeout=0.4, write_timeout=0.4, init_timeout=0.4, heartbeat=0.4, access_log=False)
INIT = b'{"type":"connection_init"}'
INIT_WITH_TOKEN = '{"type":"connection_init","payload":{"Authorization":"Bearer good of_no_concern"}}'
PONG = b"\x8a\0"
HEALTH = b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n"
PATIENCE = 20.0  # seconds; what is awaited takes a fraction of one


@pytest.fixture
def sample() -> Sample:
    return Sample(options=IMPATIENT)


@pytest.fixture
def host(sample: Sample) -> Iterator[str]:
    with served(sample.app, sample.options) as host:
        yield host


@pytest.fixture
def patient_host() -> Iterator[str]:
    with served(Sample().app) as host:
        yield host


def opened(host: str) -> socket.socket:
    name, port = host.split(":")
    return socket.create_connection((name, int(port)), timeout=PATIENCE)


def answer_of(connection: socket.socket) -> bytes:
    """All that comes until the server closes."""
    received = b""
    with suppress(ConnectionError):
        while chunk := connection.recv(65_536):
            received += chunk
    return received


def is_cut_off(connection: socket.socket, data: bytes) -> bool:
    """Send until the server refuses to take any more, and read nothing."""
    try:
        while True:
            connection.sendall(data)
    except TimeoutError:
        return False
    except ConnectionError:
        return True


def test_few_requests_wait_in_a_connection_and_all_are_answered_in_order(patient_host: str) -> None:
    number = 3000
    with opened(patient_host) as connection:
        connection.sendall(request("{slow(seconds:1)}") + HEALTH * (number - 1))
        received = connection.recv(65_536)
        alive = sum(isinstance(one, RequestResponseCycle) for one in gc.get_objects())
        while received.count(b"alive") < number - 1 and (chunk := connection.recv(65_536)):
            received += chunk
        assert received.count(b"alive") == number - 1
    assert alive < 20


def test_requests_that_wait_for_a_slow_one_are_not_read(patient_host: str) -> None:
    with opened(patient_host) as connection:
        connection.sendall(request("{slow(seconds:2)}") + HEALTH * 2000)
        connection.settimeout(0.5)
        with pytest.raises(TimeoutError):
            connection.recv(1)
        assert sum(isinstance(one, RequestResponseCycle) for one in gc.get_objects()) < 20


@pytest.mark.parametrize(
    "data",
    [request("{hello}") * 100, HEALTH * 1000, request(LARGEST) * 10],
    ids=["operations", "health checks", "large answers"],
)
def test_who_reads_no_answer_is_cut_off(host: str, data: bytes) -> None:
    with opened(host) as connection:
        assert is_cut_off(connection, data)


@pytest.mark.parametrize(
    "data",
    [
        frame(9, b"a" * 100) * 1000,
        frame(1, last=False) + frame(0, last=False) * 1000,
        frame(1, INIT) + frame(1, b'{"type":"ping"}') * 1000,
    ],
    ids=["pings", "empty parts", "pings of operations"],
)
def test_a_socket_that_is_flooded_is_cut_off(host: str, data: bytes) -> None:
    with opened(host) as connection:
        connection.sendall(UPGRADE)
        assert is_cut_off(connection, data)


async def test_pings_are_answered_no_faster_than_anybody_needs(patient_host: str) -> None:
    subprotocols = [Subprotocol("graphql-transport-ws")]
    url = f"ws://{patient_host}/graphql"
    async with connect(url, subprotocols=subprotocols, close_timeout=0.1) as opened_socket:
        await opened_socket.send(INIT.decode())
        await opened_socket.recv()
        for _ in range(600):
            await opened_socket.send('{"type":"ping"}')
        answered = 0
        with suppress(TimeoutError):
            async with asyncio.timeout(2):
                while await opened_socket.recv():
                    answered += 1
    assert 200 <= answered < 400


def test_pings_of_the_protocol_are_answered_no_faster_either(patient_host: str) -> None:
    with opened(patient_host) as connection:
        connection.sendall(UPGRADE + frame(1, INIT) + frame(9) * 1000)
        connection.settimeout(0.2)
        until = time.monotonic() + 2
        received = b""
        while time.monotonic() < until:
            with suppress(TimeoutError):
                received += connection.recv(65_536)
    assert 200 <= received.count(PONG) < 400


@pytest.mark.parametrize(
    ("before", "drip"),
    [
        (HEALTH, b"\r\n"),
        (b"POST /healthz HTTP/1.1\r\n" + HOST + b"Content-Length: 100000\r\n\r\n", b"a"),
        (b"", b""),
        (b"GET / HTTP/1.1\r\n", b"A: a\r\n"),
    ],
    ids=["line breaks", "rest of a body", "silence", "head"],
)
def test_no_connection_is_without_a_deadline(host: str, before: bytes, drip: bytes) -> None:
    with opened(host) as connection:
        connection.sendall(before)
        connection.settimeout(0.1)
        received = b""
        for _ in range(round(PATIENCE / 0.1)):
            try:
                chunk = connection.recv(65_536)
            except TimeoutError:
                connection.sendall(drip)
                continue
            except ConnectionError:
                chunk = b""
            received += chunk
            if not chunk:
                break
        else:
            raise AssertionError(received)
        assert b" 408 " in received


def test_a_websocket_is_opened_by_get_alone(host: str) -> None:
    with opened(host) as connection:
        connection.sendall(UPGRADE.replace(b"GET", b"POST"))
        assert answer_of(connection).startswith(b"HTTP/1.1 405 ")


def test_what_comes_right_behind_the_handshake_is_read(host: str) -> None:
    with opened(host) as connection:
        connection.sendall(UPGRADE + frame(1, INIT))
        received = b""
        while b"connection_ack" not in received:
            received += connection.recv(65_536) or pytest.fail("closed")


def test_an_offer_of_http_2_is_passed_over(host: str) -> None:
    offer = (
        b"\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQA\r\nHost:"
    )
    with opened(host) as connection:
        connection.sendall(request("{hello}").replace(b"\r\nHost:", offer))
        assert b"Hello world" in connection.recv(65_536)


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"GET /healthz HTTP/1.1\r\n\r\n", 400),
        (HEALTH.replace(HOST, HOST + HOST), 400),
        (b"GET /healthz HTTP/1.0\r\n\r\n", 200),
        (UPGRADE.replace(HOST, b""), 400),
        (UPGRADE.replace(HOST, HOST + HOST), 400),
        (UPGRADE.replace(HOST, HOST + b"A: a\r\n" * 200), 431),
        (UPGRADE.replace(HOST, HOST + b"A: " + b"a" * 20_000 + b"\r\n"), 431),
    ],
    ids=[
        "no host",
        "two hosts",
        "HTTP/1.0",
        "socket to no host",
        "to two",
        "with many headers",
        "with a long one",
    ],
)
def test_a_head_that_cannot_be_served_is_refused(host: str, data: bytes, status: int) -> None:
    with opened(host) as connection:
        connection.sendall(data)
        assert re.findall(rb"HTTP/1.1 (\d+) ", connection.recv(65_536)) == [b"%d" % status]


@pytest.mark.parametrize("limit", ["max_connections", "max_connections_per_address"])
def test_too_many_connections_are_refused_and_told_once(limit: str) -> None:
    options = replace(Options(access_log=False), **{limit: 3})  # type: ignore[arg-type] # of two names
    with capture_logs() as lines, served(Sample(options=options).app, options) as host:
        taken = [opened(host) for _ in range(3)]
        for connection in taken:
            connection.sendall(HEALTH)
            assert b"alive" in connection.recv(65_536)
        for _ in range(5):
            with opened(host) as another:
                another.sendall(HEALTH)
                assert answer_of(another).startswith(b"HTTP/1.1 503 ")
        taken.pop().close()
        for _ in range(100):
            with opened(host) as another:
                another.sendall(HEALTH.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
                if b"alive" in answer_of(another):
                    break
        else:
            raise AssertionError("no connection was let in again")
        for connection in taken:
            connection.close()
    assert [line["event"] for line in lines].count("server.too_many_connections") == 1


def test_who_leaves_before_the_answers_leaves_nothing_in_the_log(
    host: str, caplog: pytest.LogCaptureFixture, sample: Sample
) -> None:
    for _ in range(20):
        with opened(host) as connection:
            connection.sendall(request("{slow(seconds:0.2)}") + request("{hello}"))
    for _ in range(20):
        with opened(host) as connection:
            connection.sendall(request("{hello}") * 2)
    with opened(host) as connection:
        connection.sendall(request("{slow(seconds:0.5)}"))
        assert b"slow" in connection.recv(65_536)
    assert [line for line in caplog.records if line.levelno > logging.INFO] == []
    assert sample.reports == []


async def test_the_address_of_a_socket_is_in_no_line(host: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    subprotocols = [Subprotocol("graphql-transport-ws")]
    with capture_logs() as lines:
        async with connect(f"ws://{host}/graphql?token=of_no_concern", subprotocols=subprotocols) as allowed:
            await allowed.send(INIT_WITH_TOKEN)
            await allowed.recv()
    with pytest.raises(InvalidStatus):
        await connect(f"ws://{host}/graphql?token=of_no_concern", origin="https://evil.example")  # type: ignore[arg-type]
    ours = [line.getMessage() for line in caplog.records if "client" not in line.name]
    assert "socket.closed" in str(lines)
    assert "of_no_concern" not in str([ours, lines])


async def test_networks_take_turns_when_there_is_much_to_do() -> None:
    turns = Turns()
    order: list[str] = []

    async def work(network: str) -> None:
        await turns.take(network)
        order.append(network)
        busy(0.01)

    many = [asyncio.create_task(work("many")) for _ in range(20)]
    await asyncio.sleep(0)
    await asyncio.gather(work("single"), *many)
    assert order.index("single") < 6
    assert order.count("many") == 20


async def test_a_burst_of_one_network_lets_others_in_early() -> None:
    turns = Turns()
    order: list[str] = []

    async def work(network: str) -> None:
        await turns.take(network)
        order.append(network)
        busy(0.01)

    await asyncio.gather(*(work("many") for _ in range(50)), work("single"))
    assert order.index("single") < 6
    assert order.count("many") == 50


async def test_a_turn_that_was_given_up_holds_up_nobody() -> None:
    turns = Turns()

    async def work() -> None:
        await turns.take("a")
        busy(0.01)

    tasks = [asyncio.create_task(work()) for _ in range(5)]
    await asyncio.sleep(0)
    tasks[2].cancel()
    done = await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), PATIENCE)
    assert [isinstance(one, asyncio.CancelledError) for one in done] == [False, False, True, False, False]


def busy(seconds: float) -> None:
    """Compute, as a document that takes long does."""
    until = asyncio.get_running_loop().time() + seconds
    while asyncio.get_running_loop().time() < until:
        pass


def test_a_pace_lets_a_number_pass_at_once_and_then_so_many_a_second() -> None:
    pace = Pace(20, 200)

    def done_within(seconds: float, start: float) -> int:
        now, done = start, 0
        while True:
            now += pace.delay(now)
            if now > start + seconds:
                return done
            pace.spend(now)
            done += 1

    assert done_within(0, 1000) == 201
    assert done_within(10, 1000) == 200
    assert done_within(0, 2000) == 201
