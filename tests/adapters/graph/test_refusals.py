"""What follows from each refusal of Meta's."""

import asyncio
from typing import Any

import httpx2
import pytest
from structlog.testing import capture_logs

from graphql_api.domain.proofs import AccessTokenProblem, PageFacts, Pages, Trouble
from graphql_api.domain.secrets import Secret
from tests.adapters.graph.meta import (
    PAGE_TOKEN,
    TOKEN,
    Clock,
    Meta,
    accounts,
    client_of,
    debugged,
    error,
    items,
    page_data,
    refuses,
    says,
    soon,
)

UNVERIFIABLE = Trouble(AccessTokenProblem.UNVERIFIABLE)
LATER = Trouble(AccessTokenProblem.UNVERIFIABLE, retry_after=300)
login = Secret(TOKEN)


def final(problem: AccessTokenProblem, *missing: str) -> Trouble:
    return Trouble(problem, final=True, missing=missing)


async def pages_after(*answers: Any, debug: httpx2.Response | None = None) -> tuple[object, Meta]:
    """What `pages` comes to if me/accounts answers so, and debug_token so."""
    meta = Meta()
    meta.says("me/accounts", *answers)
    if debug is not None:
        meta.says("debug_token", debug)
    async with client_of(meta) as graph:
        return await graph.pages(login, most=100, give_up_at=soon()), meta


@pytest.mark.parametrize(
    ("code", "subcode", "trouble"),
    [
        (190, 458, final(AccessTokenProblem.REVOKED)),
        (190, 460, final(AccessTokenProblem.REVOKED)),
        (190, 467, final(AccessTokenProblem.REVOKED)),
        (190, 463, final(AccessTokenProblem.EXPIRED)),
        (190, 459, final(AccessTokenProblem.CHECKPOINT)),
        (190, 464, final(AccessTokenProblem.CHECKPOINT)),
        (190, 492, final(AccessTokenProblem.ROLE_TOO_WEAK)),
        (415, None, Trouble(AccessTokenProblem.CHECKPOINT)),
        (368, None, Trouble(AccessTokenProblem.OTHER)),
        *((code, None, LATER) for code in (4, 17, 32, 341, 613, 80001, 80002, 80014)),
    ],
)
async def test_each_refusal_is_one_trouble_and_one_call(
    code: int, subcode: int | None, trouble: Trouble
) -> None:
    found, meta = await pages_after(refuses(code, subcode))
    assert found == trouble
    assert len(meta.asked) == 1


@pytest.mark.parametrize(
    ("debug", "trouble"),
    [
        (debugged(is_valid=False, error={"code": 190, "subcode": 463}), final(AccessTokenProblem.EXPIRED)),
        (debugged(app_id="999"), final(AccessTokenProblem.WRONG_APP)),
        (debugged(app_id="999", is_valid=False), final(AccessTokenProblem.WRONG_APP)),
        (
            says({"data": {"error": {"code": 190, "message": "unknown"}, "is_valid": False, "scopes": []}}),
            final(AccessTokenProblem.MALFORMED),
        ),
        (debugged(), UNVERIFIABLE),
        (refuses(190), UNVERIFIABLE),
        (refuses(17), LATER),
    ],
    ids=["expired", "other app", "invalid of other app", "unknown", "good", "app token refused", "limited"],
)
@pytest.mark.parametrize(("code", "subcode"), [(190, None), (190, 9999), (102, None), (100, 33)])
async def test_a_refusal_that_does_not_say_why_asks_debug_token(
    code: int, subcode: int | None, debug: httpx2.Response, trouble: Trouble
) -> None:
    found, meta = await pages_after(refuses(code, subcode), debug=debug)
    assert found == trouble
    assert len(meta.calls("debug_token")) == 1


@pytest.mark.parametrize("code", [10, 200, 210, 299])
async def test_a_permission_is_missing_only_if_the_login_did_not_grant_it(code: int) -> None:
    found, _ = await pages_after(refuses(code), debug=debugged(scopes=["pages_show_list", "instagram_basic"]))
    assert found == final(AccessTokenProblem.MISSING_PERMISSION, "pages_read_engagement")
    with capture_logs() as lines:
        found, _ = await pages_after(refuses(code), debug=debugged())
    assert found == UNVERIFIABLE
    assert alarms(lines) == ["graph.our_fault"], "the app may have lost its review"


async def test_a_page_token_whose_login_left_that_page_out_lacks_the_permission() -> None:
    meta = Meta()
    meta.says("", items((403, error(10)), (403, error(10))))
    meta.says("debug_token", debugged())
    async with client_of(meta) as graph:
        found = await graph.pages_by_own_tokens({"2001": login, "2002": login}, give_up_at=soon())
    assert found == {
        "2001": UNVERIFIABLE,
        "2002": final(AccessTokenProblem.MISSING_PERMISSION, "pages_show_list"),
    }


@pytest.mark.parametrize(
    "refusal",
    [
        refuses(100, message="Invalid appsecret_proof provided in the API argument"),
        refuses(100, message="API calls from the server require an appsecret_proof argument"),
        refuses(100, message="(#100) Tried accessing nonexisting field (accounts)"),
        refuses(101),
        refuses(1, message="Error validating client secret."),
        refuses(104),
        refuses(987654),
    ],
)
async def test_our_own_fault_takes_no_account_away_and_rings(refusal: httpx2.Response) -> None:
    with capture_logs() as lines:
        found, meta = await pages_after(refusal)
    assert found == UNVERIFIABLE
    assert len(meta.asked) == 1
    assert alarms(lines) == ["graph.our_fault"]


@pytest.mark.parametrize("code", [190, 101, 10, 200, 368, 100, 102, 415])
async def test_a_refusal_of_the_apps_own_token_is_never_the_users_fault(code: int) -> None:
    meta = Meta()
    meta.says("debug_token", refuses(code, 463))
    with capture_logs() as lines:
        async with client_of(meta) as graph:
            assert await graph.debug(login, give_up_at=soon()) == UNVERIFIABLE
    assert alarms(lines) == ["graph.our_fault"]


@pytest.mark.parametrize("code", [1, 2, 80001, 4])
async def test_a_passing_trouble_of_debug_token_rings_no_alarm(code: int) -> None:
    meta = Meta()
    meta.says("debug_token", refuses(code))
    with capture_logs() as lines:
        async with client_of(meta) as graph:
            found = await graph.debug(login, give_up_at=soon())
    assert isinstance(found, Trouble)
    assert found.retryable
    assert alarms(lines) == []


async def test_metas_own_words_are_kept_if_they_can_be_shown() -> None:
    found, _ = await pages_after(refuses(368, error_user_msg=" You are temporarily blocked. "))
    assert found == Trouble(AccessTokenProblem.OTHER, words="You are temporarily blocked.")
    for words in ("a\x1bb", "x" * 501, 7, " "):
        found, _ = await pages_after(refuses(368, error_user_msg=words))
        assert found == Trouble(AccessTokenProblem.OTHER)


@pytest.mark.parametrize(
    "failure",
    [
        refuses(1),
        refuses(2),
        refuses(190, 463, is_transient=True),
        refuses(190, 463, status=500),
        says(b"<html>", 502),
        says({}, 503),
        httpx2.ConnectError("CANARY"),
        httpx2.ReadTimeout("CANARY"),
        httpx2.RemoteProtocolError("CANARY"),
        ConnectionResetError("CANARY"),
    ],
)
async def test_what_passes_is_tried_three_times_in_all(failure: Any) -> None:
    found, meta = await pages_after(failure)
    assert found == UNVERIFIABLE
    assert len(meta.asked) == 3
    found, meta = await pages_after(failure, accounts())
    assert found == Pages([])
    assert len(meta.asked) == 2


@pytest.mark.parametrize(
    "answer",
    [
        says(b"<html>"),
        says(b""),
        says(b"<html>", 400),
        says({}, 302, location="https://elsewhere.example"),
        says(b"", 302, location="https://elsewhere.example"),
        says({}, 404),
        says(7),
        says({"data": {}}),
        says(b"[" * 5000),
        says(b'{"data": "\xff"}'),
        says(b" " * (4 * 1024 * 1024 + 1)),
        refuses(4, is_transient=True),
        httpx2.LocalProtocolError("CANARY"),
        says({"error": "CANARY"}, 400),
        says({"error": {"code": "190", "error_subcode": "463"}}, 400),
    ],
)
async def test_what_does_not_pass_is_unverifiable_after_one_call(answer: Any) -> None:
    found, meta = await pages_after(answer)
    assert isinstance(found, Trouble)
    assert found.problem is AccessTokenProblem.UNVERIFIABLE
    assert len(meta.asked) == 1


async def test_an_answer_of_four_mebibytes_is_still_read() -> None:
    body = accounts().content
    found, _ = await pages_after(says(body + b" " * (4 * 1024 * 1024 - len(body))))
    assert found == Pages([])


async def test_a_retry_does_not_go_past_the_deadline() -> None:
    meta, clock = Meta(), Clock()

    def answer(_: httpx2.Request) -> httpx2.Response:
        clock.now += 6
        return refuses(2)

    meta.says("me/accounts", answer)
    async with client_of(meta, clock=clock) as graph:
        assert await graph.pages(login, most=1, give_up_at=clock.now + 10) == UNVERIFIABLE
    assert len(meta.asked) == 2


async def test_silence_ends_at_the_deadline() -> None:
    meta = Meta()
    meta.says("me/accounts", 30.0)
    async with client_of(meta) as graph, asyncio.timeout(5):
        assert await graph.pages(login, most=1, give_up_at=soon() - 19.9) == UNVERIFIABLE
    assert len(meta.asked) == 1


async def test_alarms_ring_once_a_minute_for_each_kind() -> None:
    meta, clock = Meta(), Clock()
    meta.says("debug_token", refuses(190))
    meta.says("me/accounts", says({"data": 7}))
    with capture_logs() as lines:
        async with client_of(meta, clock=clock) as graph:
            for _ in range(3):
                await graph.debug(login, give_up_at=clock.now + 1)
                await graph.pages(login, most=1, give_up_at=clock.now + 1)
            clock.now += 60
            await graph.debug(login, give_up_at=clock.now + 1)
    assert alarms(lines) == ["graph.our_fault", "graph.surprising_answer", "graph.our_fault"]


async def test_what_metas_support_asks_for_is_logged_with_each_refusal() -> None:
    meta = Meta()
    meta.says("", items((400, error(190, 460)), (200, page_data("2"))))
    with capture_logs() as lines:
        await pages_after(refuses(190, 463))
        async with client_of(meta) as graph:
            found = await graph.pages_by_own_tokens({"1": login, "2": Secret(PAGE_TOKEN)}, give_up_at=soon())
    assert isinstance(found["2"], PageFacts)
    assert [(one["event"], one["log_level"], one["code"], one["subcode"], one["trace"]) for one in lines] == [
        ("graph.refused", "info", 190, 463, "AbC_trace-1"),
        ("graph.refused", "info", 190, 460, "AbC_trace-1"),
    ]


def alarms(lines: Any) -> list[str]:
    return [one["event"] for one in lines if one["log_level"] == "error"]
