"""graphql-transport-ws on the wire, against a real server."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol

from graphql_api.web.options import Options
from tests.web.sample import CANARY, Sample, served

PROTOCOL = Subprotocol("graphql-transport-ws")
OPTIONS = Options(
    allowed_origins=("https://app.example",),
    init_timeout=20,
    max_operations_per_socket=3,
    max_streams_per_user=4,
    max_message_bytes=2000,
    access_log=False,
)


@pytest.fixture
def sample() -> Sample:
    return Sample(options=OPTIONS)


@pytest.fixture
def url(sample: Sample) -> Iterator[str]:
    with served(sample.app) as host:
        yield f"ws://{host}/graphql"


def open_socket(url: str, **settings: Any) -> connect:
    return connect(url, subprotocols=[PROTOCOL], **settings)


async def say(socket: ClientConnection, **message: object) -> None:
    await socket.send(json.dumps(message))


async def hear(socket: ClientConnection) -> dict[str, Any]:
    async with asyncio.timeout(20):
        message = json.loads(await socket.recv())
    assert isinstance(message, dict)
    return message


async def greet(socket: ClientConnection, token: str | None = None) -> None:
    payload = {} if token is None else {"Authorization": f"Bearer {token}"}
    await say(socket, type="connection_init", payload=payload)
    assert await hear(socket) == {"type": "connection_ack"}


async def ask(socket: ClientConnection, query: str, operation_id: str = "1", **request: object) -> None:
    await say(socket, type="subscribe", id=operation_id, payload={"query": query, **request})


async def closing(socket: ClientConnection) -> tuple[int, str]:
    """Return how the server closes the socket, whatever it says before."""
    with pytest.raises(ConnectionClosed) as closed:
        await _hear_all(socket)
    assert closed.value.rcvd is not None
    return closed.value.rcvd.code, closed.value.rcvd.reason


async def _hear_all(socket: ClientConnection) -> None:
    async with asyncio.timeout(20):
        while True:
            await socket.recv()


async def test_a_subscription_streams_to_its_end(url: str) -> None:
    async with open_socket(url) as socket:
        await greet(socket)
        await ask(socket, "subscription($to:Int!){count(to:$to)}", variables={"to": 2})
        assert [await hear(socket) for _ in range(3)] == [
            {"id": "1", "type": "next", "payload": {"data": {"count": 1}}},
            {"id": "1", "type": "next", "payload": {"data": {"count": 2}}},
            {"id": "1", "type": "complete"},
        ]


async def test_queries_and_mutations_are_answered_too(url: str) -> None:
    async with open_socket(url) as socket:
        await greet(socket, "good")
        await ask(socket, "{me}")
        assert (await hear(socket))["payload"] == {"data": {"me": "good"}}
        assert (await hear(socket))["type"] == "complete"


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{", "GRAPHQL_PARSE_FAILED"),
        ("{nope}", "GRAPHQL_VALIDATION_FAILED"),
        ("query($a:Int!){number(value:$a)}", "BAD_USER_INPUT"),
        ("query A{hello} query B{hello}", "OPERATION_RESOLUTION_FAILURE"),
        ("{" + "hello " * 30 + "}", "OPERATION_TOO_COMPLEX"),
    ],
)
async def test_a_refused_operation_is_an_error_message(url: str, query: str, code: str) -> None:
    async with open_socket(url) as socket:
        await greet(socket)
        await ask(socket, query)
        message = await hear(socket)
        assert (message["type"], message["payload"][0]["extensions"]["code"]) == ("error", code)


async def test_a_source_that_refuses_or_fails_ends_in_an_error_message(url: str, sample: Sample) -> None:
    async with open_socket(url) as socket:
        await greet(socket)
        for query, code in (("expelled", "FORBIDDEN"), ("failing", "INTERNAL_SERVER_ERROR")):
            await ask(socket, f"subscription{{{query}}}")
            assert (await hear(socket))["payload"] == {"data": {query: 1}}
            message = await hear(socket)
            assert (message["type"], message["payload"][0]["extensions"]["code"]) == ("error", code)
            assert CANARY not in json.dumps(message)
    assert len(sample.reports) == 1


async def test_completing_ends_the_source_and_frees_the_id(url: str, sample: Sample) -> None:
    async with open_socket(url) as socket:
        await greet(socket)
        for _ in range(10):
            await ask(socket, "subscription{count(to:1000,pause:0.01)}")
            await hear(socket)
            await say(socket, type="complete", id="1")
        await say(socket, type="complete", id="unknown")
        await say(socket, type="ping")
        while (await hear(socket))["type"] != "pong":
            pass
        assert sample.running == 0


async def test_closing_ends_every_source(url: str, sample: Sample) -> None:
    async with open_socket(url) as socket:
        await greet(socket)
        for n in range(3):
            await ask(socket, "subscription{count(to:1000,pause:0.01)}", str(n))
        while sample.running < 3:
            await hear(socket)
    await _until(lambda: sample.running == 0)


async def _until(condition: Any) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - the server runs in another thread
            await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    "frame",
    [
        "",
        "x",
        "null",
        "5",
        "[]",
        "{}",
        '{"type":5}',
        '{"type":"nope"}',
        '{"type":"subscribe"}',
        '{"type":"subscribe","id":5,"payload":{"query":"{hello}"}}',
        '{"type":"subscribe","id":"","payload":{"query":"{hello}"}}',
        '{"type":"subscribe","id":"%s","payload":{"query":"{hello}"}}' % ("a" * 129),
        '{"type":"subscribe","id":"1","payload":{"query":5}}',
        '{"type":"subscribe","id":"1","payload":"{hello}"}',
        '{"type":"subscribe","id":"1","payload":{"query":"{hello}","variables":[]}}',
        '{"type":"complete"}',
        '{"type":"ping","type":"ping"}',
        '{"type":"ping","payload":NaN}',
        '{"type":"ping","payload":"\\ud800"}',
        '{"type":"ping","payload":' + "[" * 900 + "]" * 900 + "}",
        b'{"type":"ping"}',
        b"\xff",
    ],
    ids=range(22),
)
async def test_a_bad_frame_closes_the_socket_and_nothing_else(
    url: str, sample: Sample, frame: str | bytes
) -> None:
    async with open_socket(url) as other, open_socket(url) as socket:
        await greet(other)
        await greet(socket)
        await socket.send(frame)
        assert await closing(socket) == (4400, "Invalid message received")
        await ask(other, "{hello}")
        assert (await hear(other))["type"] == "next"
    assert not sample.reports


async def test_a_long_message_closes_the_socket(url: str) -> None:
    async with open_socket(url) as socket:
        await greet(socket)
        await say(socket, type="ping", payload={"a": "b" * 2000})
        assert (await closing(socket))[0] == 1009


async def test_pings_are_answered_even_before_init(url: str) -> None:
    async with open_socket(url) as socket:
        await say(socket, type="ping")
        assert await hear(socket) == {"type": "pong"}
        await say(socket, type="pong")
        await greet(socket)


async def test_subscribing_before_init_is_unauthorized(url: str) -> None:
    async with open_socket(url) as socket:
        await ask(socket, "{hello}")
        assert await closing(socket) == (4401, "Unauthorized")


async def test_init_is_awaited_for_so_long() -> None:
    impatient = Sample(options=replace(OPTIONS, init_timeout=0.3))
    with served(impatient.app) as host:
        async with open_socket(f"ws://{host}/graphql") as socket:
            assert await closing(socket) == (4408, "Connection initialisation timeout")


async def test_init_is_taken_once(url: str) -> None:
    async with open_socket(url) as socket:
        await greet(socket)
        await say(socket, type="connection_init")
        assert await closing(socket) == (4429, "Too many initialisation requests")


@pytest.mark.parametrize("payload", [5, "x", [], {"Authorization": 5}])
async def test_a_strange_init_is_refused(url: str, payload: object) -> None:
    async with open_socket(url) as socket:
        await say(socket, type="connection_init", payload=payload)
        assert (await closing(socket))[0] == 4400


async def test_an_id_is_used_once_at_a_time(url: str) -> None:
    async with open_socket(url) as socket:
        await greet(socket)
        await ask(socket, "subscription{count(to:1000,pause:0.1)}")
        await ask(socket, "{hello}")
        assert await closing(socket) == (4409, "Subscriber already exists")


async def test_a_bad_token_is_unauthorized(url: str) -> None:
    async with open_socket(url) as socket:
        await say(socket, type="connection_init", payload={"authorization": "Bearer bad"})
        assert await closing(socket) == (4401, "Unauthorized")


async def test_a_token_revoked_while_subscribed_closes_the_socket(url: str, sample: Sample) -> None:
    async with open_socket(url) as socket:
        await greet(socket, "good")
        await ask(socket, "subscription{count(to:1000,pause:0.01)}")
        await hear(socket)
        sample.loop.call_soon_threadsafe(sample.revoked.set)
        assert await closing(socket) == (4401, "Unauthorized")
    await _until(lambda: sample.running == 0)


async def test_operations_on_one_socket_are_few(url: str) -> None:
    async with open_socket(url) as socket:
        await greet(socket)
        for n in range(4):
            await ask(socket, "subscription{slowly: count(to:1000,pause:5)}", str(n))
        errors = [m for m in [await hear(socket) for _ in range(4)] if m["type"] == "error"]
        assert [error["payload"][0]["extensions"]["code"] for error in errors] == ["TOO_MANY_OPERATIONS"]


async def test_sockets_of_one_user_are_few(url: str) -> None:
    sockets = [await open_socket(url) for _ in range(4)]
    for socket in sockets:
        await greet(socket, "good")
    async with open_socket(url) as another:
        await say(another, type="connection_init", payload={"Authorization": "Bearer good"})
        assert (await closing(another))[0] == 1013
    async with open_socket(url) as other_user:
        await greet(other_user, "good-too")
    for socket in sockets:
        await socket.close()
    async with open_socket(url) as later:
        await greet(later, "good")


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "https://app.example.evil.example"])
async def test_other_pages_cannot_open_sockets(url: str, origin: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        await open_socket(url, additional_headers={"origin": origin})
    assert refused.value.response.status_code == 403


async def test_pages_on_the_list_can(url: str) -> None:
    async with open_socket(url, additional_headers={"origin": "https://app.example"}) as socket:
        await greet(socket)


@pytest.mark.parametrize("protocols", [None, ["graphql-ws"]])
async def test_no_other_protocol_is_spoken(url: str, protocols: list[Subprotocol] | None) -> None:
    async with connect(url, subprotocols=protocols) as socket:
        assert await closing(socket) == (4406, "Subprotocol not acceptable")


async def test_no_socket_is_served_elsewhere(url: str) -> None:
    with pytest.raises(InvalidStatus):
        await open_socket(url.replace("/graphql", "/nowhere"))
