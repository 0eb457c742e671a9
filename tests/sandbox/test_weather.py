"""Slowness and faults for every caller."""

import asyncio
import random
import time
from collections import Counter
from typing import Any

import httpx

from graphql_api.sandbox.app import create_sandbox
from graphql_api.sandbox.weather import Weather
from tests.sandbox.caller import APP_ID, APP_SECRET, APP_TOKEN, Caller, problem, proof_of


async def test_a_test_may_take_a_running_sandbox_down_and_up_again() -> None:
    weather = Weather()
    meta = Caller(weather)
    assert (await meta.accounts("TEST-ann")).status_code == 200
    weather.down = True
    assert problem(await meta.accounts("TEST-ann")) == (500, 2, None)
    assert problem(await meta.debug_token("TEST-ann")) == (500, 2, None)
    weather.down = False
    assert (await meta.accounts("TEST-ann")).status_code == 200


async def test_faults_come_as_often_as_their_shares_say() -> None:
    meta = Caller(Weather(fail=0.3, garble=0.2, dice=random.Random(7)))
    seen: Counter[str] = Counter()
    for _ in range(1000):
        answer = await meta.get("me", "TEST-ann")
        html = answer.headers["content-type"].startswith("text/html")
        seen["garble" if html else str(answer.status_code)] += 1
    assert set(seen) == {"200", "500", "garble"}
    assert abs(seen["500"] - 300) < 60
    assert abs(seen["garble"] - 200) < 60


async def test_a_call_without_an_answer_ends_with_an_error_at_last() -> None:
    meta = Caller(Weather(hang=1, silence=0.05))
    start = time.monotonic()
    assert problem(await meta.accounts("TEST-ann")) == (500, 2, None)
    assert time.monotonic() - start >= 0.05


async def test_a_call_without_an_answer_ends_when_the_caller_hangs_up() -> None:
    app = create_sandbox(app_id=APP_ID, app_secret=APP_SECRET, weather=Weather(hang=1))
    messages: list[dict[str, Any]] = [{"type": "http.request", "body": b""}, {"type": "http.disconnect"}]
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(0.01)
        return messages.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "GET",
        "path": "/v27.0/me",
        "query_string": b"",
        "headers": [],
        "scheme": "http",
    }
    await asyncio.wait_for(app(scope, receive, send), 2)
    assert sent == []


async def test_calls_without_an_answer_hold_up_nobody_else() -> None:
    weather = Weather(hang=1)
    meta = Caller(weather)
    waiting = [asyncio.ensure_future(meta.accounts("TEST-ann")) for _ in range(50)]
    await asyncio.sleep(0.05)
    weather.hang = 0
    assert (await asyncio.wait_for(meta.accounts("TEST-ann"), 2)).status_code == 200
    assert not any(call.done() for call in waiting)
    for call in waiting:
        call.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)


async def test_each_call_takes_as_long_as_the_delay() -> None:
    app = create_sandbox(app_id=APP_ID, app_secret=APP_SECRET, delay=0.1)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app), base_url="http://graph.test"
    ) as http:
        start = time.monotonic()
        query = {"input_token": "TEST-ann", "access_token": APP_TOKEN, "appsecret_proof": proof_of(APP_TOKEN)}
        calls = [http.get("/v27.0/debug_token", params=query) for _ in range(20)]
        answers = await asyncio.gather(*calls)
    assert {answer.status_code for answer in answers} == {200}
    assert 0.1 <= time.monotonic() - start < 1.5
