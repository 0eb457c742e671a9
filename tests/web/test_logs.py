"""What the front door writes to the log, and what it never does."""

import asyncio

import httpx
import pytest
from structlog.testing import capture_logs

from graphql_api.execution.errors import ErrorReport
from graphql_api.web.options import Options
from graphql_api.web.reports import describe, make_reporter
from tests.web.sample import CANARY, Sample

PRIVATE = "of no concern to the log"  # no canary: the client of the test itself logs addresses


def fail(secret: str) -> None:
    local = secret
    raise ValueError(f"invalid literal: {local}")


def failure() -> Exception:
    try:
        try:
            fail(CANARY)
        except ValueError as error:
            raise RuntimeError(CANARY) from error
    except RuntimeError as error:
        return error
    raise AssertionError


@pytest.mark.parametrize("messages", [True, False])
def test_a_traceback_says_where_and_what_and_with_which_cause(messages: bool) -> None:
    text = describe(failure(), messages=messages)
    assert "in fail" in text
    assert "builtins.ValueError" in text
    assert "builtins.RuntimeError" in text
    assert (CANARY in text) is messages


def test_a_report_carries_the_id_that_the_caller_was_told() -> None:
    with capture_logs() as lines:
        make_reporter(messages=False)(ErrorReport("the-id", failure(), "Mine", ("a", 0, "b")))
    (line,) = lines
    assert line["error_id"] == "the-id"
    assert (line["operation"], line["path"], line["log_level"]) == ("Mine", "a.0.b", "error")
    assert CANARY not in str(line)


async def test_each_request_leaves_a_line_without_its_query() -> None:
    sample = Sample(options=Options(access_log=True))
    transport = httpx.ASGITransport(sample.app)
    with capture_logs() as lines:
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            await client.get("/graphql", params={"query": f'{{hello(name:"{PRIVATE}")}}'})
            await client.post("/graphql", json={"query": f'{{nope(name:"{PRIVATE}")}}'})
    requests = [line for line in lines if line["event"] == "http.request"]
    assert [(line["method"], line["path"], line["status"]) for line in requests] == [
        ("GET", "/graphql", 200),
        ("POST", "/graphql", 200),
    ]
    assert PRIVATE not in str(lines)


async def test_a_mistake_of_a_caller_is_a_line_without_traceback(
    sample: Sample, client: httpx.AsyncClient
) -> None:
    with capture_logs() as lines:
        await client.post("/graphql", json={"query": "{nope}"})
        await client.post("/graphql", content=b"{")
    assert [line["log_level"] for line in lines] == ["info", "info"]
    assert not any("traceback" in line or "exc_info" in line for line in lines)
    await asyncio.sleep(0)
