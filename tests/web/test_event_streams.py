"""Operations over server-sent events, against a real server."""

import asyncio
import threading
from collections.abc import Iterator

import httpx
import pytest

from graphql_api.web.options import Options
from tests.web.sample import CANARY, Sample, served

STREAM = {"accept": "text/event-stream"}
COMPLETE = "event: complete\ndata:"


@pytest.fixture
def sample() -> Sample:
    return Sample(options=Options(heartbeat=0.1, max_streams_per_user=2, access_log=False))


@pytest.fixture
def client(sample: Sample) -> Iterator[httpx.Client]:
    with (
        served(sample.app) as host,
        httpx.Client(base_url=f"http://{host}", headers=STREAM, timeout=20) as client,
    ):
        yield client


def events(text: str) -> list[str]:
    return [event for event in text.split("\n\n") if event not in {"", ":"}]


def test_a_subscription_streams_to_its_end(client: httpx.Client) -> None:
    response = client.post("/graphql", json={"query": "subscription{count(to:2)}"})
    assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert events(response.text) == [
        'event: next\ndata: {"data":{"count":1}}',
        'event: next\ndata: {"data":{"count":2}}',
        COMPLETE,
    ]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_query_is_a_stream_of_one(client: httpx.Client, method: str) -> None:
    request = {"query": "{hello}"}
    response = client.request(
        method,
        "/graphql",
        **{"params": request} if method == "GET" else {"json": request},  # type: ignore[arg-type]
    )
    assert events(response.text) == ['event: next\ndata: {"data":{"hello":"Hello world"}}', COMPLETE]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{nope}", "GRAPHQL_VALIDATION_FAILED"),
        ("query($a:Int!){number(value:$a)}", "BAD_USER_INPUT"),
        ("subscription{expelled}", "FORBIDDEN"),
        ("subscription{failing}", "INTERNAL_SERVER_ERROR"),
    ],
)
def test_a_refusal_is_the_last_result(client: httpx.Client, query: str, code: str) -> None:
    *_, last, complete = events(client.post("/graphql", json={"query": query}).text)
    assert code in last
    assert '"data":{' not in last
    assert CANARY not in last
    assert complete == COMPLETE


def test_a_silent_stream_is_kept_open_by_comments(client: httpx.Client) -> None:
    text = client.post("/graphql", json={"query": "subscription{count(to:1,pause:0.5)}"}).text
    assert text.count(":\n\n") >= 4


def test_a_client_that_goes_ends_the_source(client: httpx.Client, sample: Sample) -> None:
    with client.stream(
        "POST", "/graphql", json={"query": "subscription{count(to:1000,pause:0.02)}"}
    ) as response:
        chunks = response.iter_raw()
        next(chunks)
        _until(sample, 1)
    _until(sample, 0)


def _until(sample: Sample, running: int) -> None:
    for _ in range(2000):
        if sample.running == running:
            return
        threading.Event().wait(0.01)
    raise AssertionError(sample.running)


def test_a_token_revoked_while_subscribed_ends_the_stream(client: httpx.Client, sample: Sample) -> None:
    query = {"query": "subscription{count(to:1000,pause:0.02)}"}
    headers = {"authorization": "Bearer good"}
    with client.stream("POST", "/graphql", json=query, headers=headers) as response:
        lines = response.iter_lines()
        next(lines)
        sample.loop.call_soon_threadsafe(sample.revoked.set)
        rest = "\n".join(lines)
    assert "UNAUTHENTICATED" in rest
    assert rest.rstrip().endswith(COMPLETE)


def test_streams_of_one_address_are_few(client: httpx.Client, sample: Sample) -> None:
    query = {"query": "subscription{count(to:1000,pause:0.02)}"}
    with (
        client.stream("POST", "/graphql", json=query) as one,
        client.stream("POST", "/graphql", json=query) as two,
    ):
        assert (one.status_code, two.status_code) == (200, 200)
        third = client.post("/graphql", json=query)
        assert third.status_code == 429
        assert third.json()["errors"][0]["extensions"]["code"] == "TOO_MANY_STREAMS"
    _until(sample, 0)
    assert client.post("/graphql", json={"query": "{hello}"}).status_code == 200


async def test_shutdown_ends_streams(sample: Sample) -> None:
    with served(sample.app) as host:
        async with httpx.AsyncClient(headers=STREAM, timeout=20) as client:
            query = {"query": "subscription{count(to:1000,pause:0.02)}"}
            async with client.stream("POST", f"http://{host}/graphql", json=query) as response:
                lines = response.aiter_lines()
                await anext(lines)
                sample.loop.call_soon_threadsafe(sample.shutdown.begin)
                async with asyncio.timeout(20):
                    assert [line async for line in lines][-3:] == ["event: complete", "data:", ""]
