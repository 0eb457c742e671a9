"""When Meta is left alone: the breaker, the app's usage, and the limits of single Pages."""

import json
from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from graphql_api.adapters.graph.usage import Gate, Gates, PageLimits, Pause
from graphql_api.domain.proofs import AccessTokenProblem, PageFacts, Pages, TokenFacts, Trouble
from graphql_api.domain.secrets import Secret
from tests.adapters.graph.meta import (
    TOKEN,
    Clock,
    Meta,
    accounts,
    client_of,
    debugged,
    error,
    items,
    page_data,
    parameters,
    refuses,
    says,
)

login, other = Secret(TOKEN), Secret("CANARY-other")


def later(seconds: int | None) -> Trouble:
    return Trouble(AccessTokenProblem.UNVERIFIABLE, retry_after=seconds)


def usage(percent: float) -> str:
    return json.dumps({"call_count": percent, "total_cputime": 1, "total_time": 2})


def with_usage(answer: httpx2.Response, percent: float) -> httpx2.Response:
    answer.headers["x-app-usage"] = usage(percent)
    return answer


@pytest.mark.parametrize("failure", [says(b"", 500), refuses(1, status=500), httpx2.ReadTimeout("no")])
async def test_the_breaker_opens_after_six_failures_and_closes_after_a_good_answer(failure: Any) -> None:
    meta, clock = Meta(), Clock()
    meta.says("me/accounts", failure)
    async with client_of(meta, clock=clock) as graph:

        async def ask() -> object:
            return await graph.pages(login, most=1, give_up_at=clock.now + 20)

        assert await ask() == later(None)
        assert await ask() == later(None)
        assert len(meta.asked) == 6
        assert await ask() == later(10)
        clock.now += 9.5
        assert await ask() == later(1)
        assert len(meta.asked) == 6, "nothing is asked while it is open"
        clock.now += 1
        assert await ask() == later(10)
        assert len(meta.asked) == 7, "one call goes through to see"
        clock.now += 10
        meta.says("me/accounts", accounts())
        assert await ask() == Pages([])
        assert await ask() == Pages([])


async def test_while_one_call_sees_whether_meta_is_back_the_others_wait() -> None:
    gate_clock = Clock()
    gate = Gate(gate_clock)
    for _ in range(6):
        gate.fail()
    gate_clock.now += 10
    assert [gate.wait(begins=False) for _ in range(3)] == [None, 8, 8]
    gate_clock.now += 8
    assert gate.wait(begins=False) is None, "that call was never heard of again"
    gate.succeed()
    assert gate.wait(begins=False) is None


async def test_a_good_answer_between_failures_keeps_the_breaker_closed() -> None:
    gate = Gate(Clock())
    for _ in range(4):
        for _ in range(5):
            gate.fail()
        gate.succeed()
    assert gate.wait(begins=True) is None


def test_a_call_that_was_on_its_way_does_not_end_a_pause() -> None:
    pause = Pause()
    pause.begin(0, 10)
    pause.succeed()
    assert pause.wait(1) == 9


@pytest.mark.parametrize("answer", [says(b"<html>", 400), says(b"<html>", 414), refuses(190, 463)])
async def test_what_somebody_made_us_send_opens_no_breaker(answer: httpx2.Response) -> None:
    meta, clock = Meta(), Clock()
    meta.says("me/accounts", answer)
    async with client_of(meta, clock=clock) as graph:
        for _ in range(10):
            await graph.pages(login, most=1, give_up_at=clock.now + 20)
    assert len(meta.asked) == 10


async def test_a_full_app_begins_nothing_new_but_ends_what_it_began() -> None:
    meta, clock = Meta(), Clock()
    meta.says("debug_token", with_usage(debugged(), 95))
    meta.says("me/accounts", accounts())
    async with client_of(meta, clock=clock) as graph:
        assert isinstance(await graph.debug(login, give_up_at=clock.now + 20), TokenFacts)
        assert await graph.pages(login, most=1, give_up_at=clock.now + 20) == Pages([])
        assert await graph.debug(login, give_up_at=clock.now + 20) == later(60)
        assert (graph.percent, graph.busy) == (95, True)
        clock.now += 60
        meta.says("debug_token", with_usage(debugged(), 94.9))
        assert isinstance(await graph.debug(login, give_up_at=clock.now + 20), TokenFacts)
        assert isinstance(await graph.debug(login, give_up_at=clock.now + 20), TokenFacts)


@pytest.mark.parametrize(("percent", "busy"), [(79, False), (80, True), (100, True), (250, True)])
async def test_the_client_is_busy_from_eighty_percent_until_the_reading_is_old(
    percent: float, busy: bool
) -> None:
    meta, clock = Meta(), Clock()
    meta.says("me/accounts", with_usage(accounts(), percent))
    async with client_of(meta, clock=clock) as graph:
        await graph.pages(login, most=1, give_up_at=clock.now + 20)
        assert graph.busy is busy
        clock.now += 300
        assert not graph.busy


@pytest.mark.parametrize("measure", ["call_count", "total_cputime", "total_time"])
def test_the_highest_of_the_three_measures_counts(measure: str) -> None:
    gate = Gate(Clock())
    gate.read(json.dumps({"call_count": 1, "total_cputime": 1, "total_time": 1, measure: 88}))
    assert gate.percent == 88


NONSENSE = [
    "", "x", "[]", "7", "null", "{}", '{"call_count": "99"}', '{"call_count": true}', '{"call_count": -1}',
    '{"call_count": 1e400}', '{"call_count": [99]}', "\ud800", '{"2001": 7}', '{"2001": [7]}',
    '{"2001": [{"estimated_time_to_regain_access": "5"}]}', "[" * 5000,
]  # fmt: skip


@pytest.mark.parametrize("header", NONSENSE, ids=range(len(NONSENSE)))
def test_a_header_that_makes_no_sense_changes_nothing(header: str) -> None:
    gate, limits = Gate(Clock()), PageLimits(Clock())
    gate.read(header)
    limits.read(header)
    assert (gate.percent, gate.wait(begins=True), limits.wait("2001")) == (0, None, None)


async def test_the_apps_own_limit_stops_every_call_until_it_is_over() -> None:
    meta, clock = Meta(), Clock()
    meta.says("me/accounts", refuses(4))
    meta.says("debug_token", debugged())
    async with client_of(meta, clock=clock) as graph:
        assert await graph.pages(login, most=1, give_up_at=clock.now + 20) == later(300)
        assert await graph.pages(login, most=1, give_up_at=clock.now + 20) == later(300)
        assert await graph.debug(other, give_up_at=clock.now + 20) == later(300)
        assert len(meta.asked) == 1
        clock.now += 300
        meta.says("me/accounts", accounts())
        assert await graph.pages(login, most=1, give_up_at=clock.now + 20) == Pages([])
        assert isinstance(await graph.debug(other, give_up_at=clock.now + 20), TokenFacts)


async def test_one_users_limit_stops_nobody_else() -> None:
    meta, clock = Meta(), Clock()
    meta.says("me/accounts", refuses(17), accounts())
    async with client_of(meta, clock=clock) as graph:
        assert await graph.pages(login, most=1, give_up_at=clock.now + 20) == later(300)
        assert await graph.pages(other, most=1, give_up_at=clock.now + 20) == Pages([])


def batch(request: httpx2.Request) -> httpx2.Response:
    parts = json.loads(parameters(request)["batch"])
    return items(
        *((200, page_data(part["relative_url"].partition("?")[0], access_token=None)) for part in parts)
    )


@pytest.mark.parametrize(
    ("entry", "seconds"),
    [
        ({"type": "pages", "call_count": 100, "estimated_time_to_regain_access": 7}, 420),
        ({"type": "pages", "call_count": 95, "estimated_time_to_regain_access": 0}, 60),
    ],
)
async def test_a_pages_usage_stops_calls_of_that_page_only(entry: dict[str, Any], seconds: int) -> None:
    def full(request: httpx2.Request) -> httpx2.Response:
        answer = batch(request)
        answer.headers["x-business-use-case-usage"] = json.dumps({"1": [{"call_count": 1}, entry], "2": []})
        return answer

    meta, clock = Meta(), Clock()
    meta.says("", full, batch)
    meta.says("debug_token", debugged())
    async with client_of(meta, clock=clock) as graph:

        async def ask() -> dict[str, bool]:
            found = await graph.pages_by_own_tokens({"1": login, "2": other}, give_up_at=clock.now + 20)
            return {page_id: isinstance(one, PageFacts) for page_id, one in found.items()}

        assert await ask() == {"1": True, "2": True}
        assert await ask() == {"1": False, "2": True}
        found = await graph.pages_by_own_tokens({"1": login}, give_up_at=clock.now + 20)
        assert found == {"1": later(seconds)}
        assert len(meta.asked) == 2
        assert isinstance(await graph.debug(login, give_up_at=clock.now + 20), TokenFacts)
        clock.now += seconds
        assert await ask() == {"1": True, "2": True}


async def test_a_page_that_is_refused_for_its_limit_is_left_alone() -> None:
    meta, clock = Meta(), Clock()
    meta.says("", items((400, error(32))), batch)
    async with client_of(meta, clock=clock) as graph:
        assert await graph.pages_by_own_tokens({"1": login}, give_up_at=clock.now + 20) == {"1": later(300)}
        assert await graph.pages_by_own_tokens({"1": login}, give_up_at=clock.now + 20) == {"1": later(300)}
    assert len(meta.asked) == 1


def by_token(
    bad: Callable[[], httpx2.Response], good: httpx2.Response
) -> Callable[[httpx2.Request], httpx2.Response]:
    def answer(request: httpx2.Request) -> httpx2.Response:
        return bad() if TOKEN in f"{request.headers.get('authorization')} {request.url}" else good

    return answer


@pytest.mark.parametrize("apart", [True, False])
async def test_kept_apart_one_tokens_failures_stop_no_other_token(apart: bool) -> None:
    meta, clock = Meta(), Clock()
    meta.says("debug_token", by_token(lambda: says(b"", 500), debugged()))
    meta.says("me/accounts", accounts())
    async with client_of(meta, clock=clock, each_token_apart=apart) as graph:
        for _ in range(2):
            await graph.debug(login, give_up_at=clock.now + 20)
        assert await graph.pages(login, most=1, give_up_at=clock.now + 20) == later(10)
        found = await graph.debug(other, give_up_at=clock.now + 20)
        assert isinstance(found, TokenFacts) is apart


async def test_kept_apart_one_tokens_usage_stops_no_other_token() -> None:
    meta, clock = Meta(), Clock()
    meta.says("debug_token", by_token(lambda: with_usage(refuses(17), 96), debugged()))
    async with client_of(meta, clock=clock, each_token_apart=True) as graph:
        assert await graph.debug(login, give_up_at=clock.now + 20) == later(300)
        assert await graph.debug(login, give_up_at=clock.now + 20) == later(60)
        assert isinstance(await graph.debug(other, give_up_at=clock.now + 20), TokenFacts)
        assert not graph.busy


async def test_kept_apart_a_page_that_fails_in_batches_is_left_out_of_the_next() -> None:
    meta, clock = Meta(), Clock()
    meta.says("", items((500, error(2)), (200, page_data("2"))))
    async with client_of(meta, clock=clock, each_token_apart=True) as graph:
        for _ in range(6):
            await graph.pages_by_own_tokens({"1": login, "2": other}, give_up_at=clock.now + 20)
        meta.says("", items((200, page_data("2"))))
        found = await graph.pages_by_own_tokens({"1": login, "2": other}, give_up_at=clock.now + 20)
    assert found["1"] == later(10)
    assert isinstance(found["2"], PageFacts)


def test_the_gates_of_tokens_are_bounded_and_the_oldest_goes_first() -> None:
    gates = Gates(Clock(), each_apart=True)
    first = gates.of("0")
    for number in range(1, 1000):
        gates.of(str(number))
    assert gates.of("0") is first
    gates.of("1000")
    assert gates.of("0") is first
    assert len(gates._by_key) == 1000  # noqa: SLF001 - what it keeps is the point


def test_the_limits_of_pages_are_bounded() -> None:
    limits = PageLimits(Clock())
    for number in range(10_001):
        limits.block(str(number), 60)
    assert limits.wait("0") is None
    assert limits.wait("10000") == 60
