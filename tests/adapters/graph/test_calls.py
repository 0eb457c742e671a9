"""The calls of the Graph client: what it asks, and what it makes of good answers."""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest

from graphql_api.adapters.graph.client import App, GraphClient
from graphql_api.domain.proofs import (
    AccessTokenProblem,
    InstagramFacts,
    LongLived,
    PageFacts,
    Pages,
    TokenFacts,
    TokenKind,
    Trouble,
)
from graphql_api.domain.secrets import Secret
from tests.adapters.graph.meta import (
    APP,
    APP_TOKEN,
    BASE,
    PAGE_TOKEN,
    TOKEN,
    Meta,
    accounts,
    client_of,
    debugged,
    error,
    items,
    page_data,
    parameters,
    proof,
    refuses,
    says,
    soon,
)

UNVERIFIABLE = Trouble(AccessTokenProblem.UNVERIFIABLE)
MALFORMED = Trouble(AccessTokenProblem.MALFORMED, final=True)
login = Secret(TOKEN)


async def test_a_good_token_is_told_with_its_scopes_and_ends() -> None:
    meta = Meta()
    meta.says("debug_token", debugged())
    async with client_of(meta) as graph:
        assert await graph.debug(login, give_up_at=soon()) == TokenFacts(
            app_id="4242",
            kind=TokenKind.USER,
            user_id="777",
            ends_at=datetime.fromtimestamp(1890000000, UTC),
            data_access_ends_at=datetime.fromtimestamp(1880000000, UTC),
            scopes=frozenset({"pages_show_list", "pages_read_engagement", "instagram_basic"}),
            targets={"pages_show_list": frozenset({"2001"})},
        )


async def test_a_page_token_names_its_page_and_has_no_end() -> None:
    meta = Meta()
    meta.says("debug_token", debugged(type="PAGE", profile_id="2001", expires_at=0))
    async with client_of(meta) as graph:
        facts = await graph.debug(Secret(PAGE_TOKEN), give_up_at=soon())
    assert isinstance(facts, TokenFacts)
    assert (facts.kind, facts.page_id, facts.ends_at) == (TokenKind.PAGE, "2001", None)


@pytest.mark.parametrize("kind", ["APP", "SYSTEM_USER", None])
async def test_any_other_kind_of_token_is_other(kind: str | None) -> None:
    meta = Meta()
    meta.says("debug_token", debugged(type=kind))
    async with client_of(meta) as graph:
        facts = await graph.debug(login, give_up_at=soon())
    assert isinstance(facts, TokenFacts)
    assert facts.kind is TokenKind.OTHER


async def test_an_invalid_token_that_meta_knows_has_facts_and_a_trouble() -> None:
    meta = Meta()
    invalid = {"code": 190, "message": TOKEN, "subcode": 460}
    meta.says("debug_token", debugged(is_valid=False, error=invalid, scopes=[]))
    async with client_of(meta) as graph:
        facts = await graph.debug(login, give_up_at=soon())
    assert isinstance(facts, TokenFacts)
    assert (facts.app_id, facts.user_id) == ("4242", "777")
    assert facts.trouble == Trouble(AccessTokenProblem.REVOKED, final=True)


async def test_a_token_that_meta_does_not_know_is_malformed() -> None:
    meta = Meta()
    unknown = {"code": 190, "message": "Invalid OAuth access token - Cannot parse access token"}
    meta.says("debug_token", says({"data": {"error": unknown, "is_valid": False, "scopes": []}}))
    async with client_of(meta) as graph:
        assert await graph.debug(login, give_up_at=soon()) == MALFORMED


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        ({"error": {"code": 190}, "expires_at": 1700000000}, AccessTokenProblem.EXPIRED),
        ({"error": {"code": 190, "subcode": 9999}}, AccessTokenProblem.REVOKED),
        ({}, AccessTokenProblem.REVOKED),
    ],
)
async def test_an_invalid_token_without_a_known_subcode_is_told_by_its_end(
    data: dict[str, Any], problem: AccessTokenProblem
) -> None:
    meta = Meta()
    meta.says("debug_token", debugged(is_valid=False, **data))
    async with client_of(meta) as graph:
        facts = await graph.debug(login, give_up_at=soon())
    assert isinstance(facts, TokenFacts)
    assert facts.trouble == Trouble(problem, final=True)


MISMATCH = "(#100) The App_id in the input_token did not match the Viewing App"


@pytest.mark.parametrize(
    "answer",
    [
        refuses(100, message=MISMATCH),
        says({"data": {"is_valid": False, "scopes": [], "error": {"code": 100, "message": MISMATCH}}}),
    ],
    ids=["refused", "told"],
)
async def test_what_meta_will_not_tell_of_another_apps_token_is_the_wrong_app(
    answer: httpx2.Response,
) -> None:
    meta = Meta()
    meta.says("debug_token", answer)
    async with client_of(meta) as graph:
        assert await graph.debug(login, give_up_at=soon()) == Trouble(
            AccessTokenProblem.WRONG_APP, final=True
        )


async def test_a_login_is_exchanged_for_a_long_lived_one() -> None:
    meta = Meta()
    meta.says(
        "oauth/access_token",
        says({"access_token": "CANARY-long", "token_type": "bearer", "expires_in": 5183944}),
    )
    before = datetime.now(UTC)
    async with client_of(meta) as graph:
        found = await graph.exchange(login, give_up_at=soon())
    assert isinstance(found, LongLived)
    assert found.access_token.reveal() == "CANARY-long"
    assert found.ends_at is not None
    assert timedelta(0) <= found.ends_at - before - timedelta(seconds=5183944) < timedelta(seconds=5)
    (request,) = meta.asked
    assert "authorization" not in request.headers
    assert parameters(request) == {
        "grant_type": "fb_exchange_token",
        "client_id": "4242",
        "client_secret": "CANARY-app-secret",
        "fb_exchange_token": TOKEN,
    }


async def test_an_exchanged_token_may_have_no_end() -> None:
    meta = Meta()
    meta.says("oauth/access_token", says({"access_token": "CANARY-long", "token_type": "bearer"}))
    async with client_of(meta) as graph:
        found = await graph.exchange(login, give_up_at=soon())
    assert isinstance(found, LongLived)
    assert found.ends_at is None


async def one_page(**changed: Any) -> PageFacts | Trouble:
    meta = Meta()
    meta.says("me/accounts", accounts(page_data(**changed)))
    async with client_of(meta) as graph:
        found = await graph.pages(login, most=500, give_up_at=soon())
    return found if isinstance(found, Trouble) else found.pages[0]


async def test_a_page_comes_with_its_instagram_account_and_its_own_token() -> None:
    page = await one_page()
    assert isinstance(page, PageFacts)
    assert page.access_token.reveal() == PAGE_TOKEN
    assert (page.page_id, page.name, page.profile_picture_url) == (
        "2001",
        "Ann's Page",
        "https://pictures.example/p.jpg",
    )
    assert page.tasks == {"MANAGE", "CREATE_CONTENT"}
    assert page.instagram == InstagramFacts("17841400000000001", "ann", "https://pictures.example/i.jpg")


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("  Ann ", "Ann"),
        ("x" * 75, "x" * 75),
        ("x" * 76, None),
        ("a\nb", None),
        ("   ", None),
        (7, None),
        (None, None),
    ],
)
async def test_a_page_name_that_breaks_our_rules_is_none(name: object, kept: str | None) -> None:
    page = await one_page(name=name)
    assert isinstance(page, PageFacts)
    assert page.name == kept


@pytest.mark.parametrize(
    "picture",
    [
        "https://x",
        {"data": "https://x"},
        {"data": {"url": "http://x.example/a"}},
        {"data": {"url": f"https://x.example/{'a' * 2048}"}},
        {"data": {"url": ""}},
        {"data": {"url": 1}},
        7,
        None,
    ],
)
async def test_a_picture_that_breaks_our_rules_is_none(picture: object) -> None:
    page = await one_page(picture=picture)
    assert isinstance(page, PageFacts)
    assert page.profile_picture_url is None


@pytest.mark.parametrize("username", ["", "a b", "x" * 31, 7, None, ".a"])
async def test_a_username_that_breaks_our_rules_is_none(username: object) -> None:
    page = await one_page(instagram_business_account={"id": "1784", "username": username})
    assert isinstance(page, PageFacts)
    assert page.instagram == InstagramFacts("1784", None, None)


async def test_a_page_without_a_token_of_its_own_has_no_tasks() -> None:
    page = await one_page(access_token=None)
    assert isinstance(page, PageFacts)
    assert page.tasks == frozenset()
    assert page.access_token.reveal() == ""


@pytest.mark.parametrize(
    "changed",
    [
        {"id": "02001"},
        {"id": 2001},
        {"id": None},
        {"id": "1" * 21},
        {"id": "2001\n"},
        {"tasks": "MANAGE"},
        {"tasks": [1]},
        {"access_token": 7},
        {"access_token": ""},
        {"access_token": "x" * 4097},
        {"access_token": "a\nb"},
        {"instagram_business_account": "1784"},
        {"instagram_business_account": {"id": "x"}},
    ],
    ids=str,
)
async def test_a_page_of_another_shape_makes_the_answer_unverifiable(changed: dict[str, Any]) -> None:
    page_id = changed.pop("id", "2001")
    meta = Meta()
    meta.says("me/accounts", accounts({**page_data(**changed), "id": page_id}))
    async with client_of(meta) as graph:
        assert await graph.pages(login, most=500, give_up_at=soon()) == UNVERIFIABLE


def numbered(first: int, count: int) -> list[dict[str, Any]]:
    return [page_data(str(first + number)) for number in range(count)]


async def test_three_pages_of_pages_are_read_by_their_cursors() -> None:
    meta = Meta()
    meta.says(
        "me/accounts",
        accounts(*numbered(1, 100), after="c/1=&"),
        accounts(*numbered(101, 100), after="c2"),
        accounts(*numbered(201, 50)),
    )
    async with client_of(meta) as graph:
        found = await graph.pages(login, most=500, give_up_at=soon())
    assert isinstance(found, Pages)
    assert [page.page_id for page in found.pages] == [str(number) for number in range(1, 251)]
    assert not found.has_more
    assert [parameters(one).get("after") for one in meta.asked] == [None, "c/1=&", "c2"]
    assert {parameters(one)["limit"] for one in meta.asked} == {"100"}
    assert {one.url.host for one in meta.asked} == {"graph.example"}


@pytest.mark.parametrize(("most", "calls"), [(200, 2), (150, 2), (100, 1), (30, 1)])
async def test_more_pages_than_were_asked_for_are_said_to_be_there(most: int, calls: int) -> None:
    meta = Meta()
    meta.says("me/accounts", accounts(*numbered(1, 100), after="1"), accounts(*numbered(101, 100), after="2"))
    async with client_of(meta) as graph:
        found = await graph.pages(login, most=most, give_up_at=soon())
    assert isinstance(found, Pages)
    assert (len(found.pages), found.has_more, len(meta.asked)) == (most, True, calls)


async def test_endless_empty_pages_come_to_an_end() -> None:
    meta = Meta()
    meta.says("me/accounts", accounts(after="again"))
    async with client_of(meta) as graph:
        assert await graph.pages(login, most=100, give_up_at=soon()) == Pages([], has_more=True)
    assert len(meta.asked) == 6


async def test_a_page_that_comes_twice_is_one() -> None:
    meta = Meta()
    meta.says("me/accounts", accounts(*numbered(1, 2), after="1"), accounts(*numbered(2, 2)))
    async with client_of(meta) as graph:
        found = await graph.pages(login, most=100, give_up_at=soon())
    assert isinstance(found, Pages)
    assert [page.page_id for page in found.pages] == ["1", "2", "3"]


def own(page_id: str) -> dict[str, Any]:
    """A Page as it is shown to its own token."""
    return page_data(page_id, tasks=None, access_token=None)


async def test_one_failure_in_a_batch_is_not_that_of_the_others() -> None:
    meta = Meta()
    meta.says(
        "",
        items(
            (200, own("1")),
            (400, error(190, 460)),
            None,
            (400, error(100, 33)),
            (500, error(2)),
            (200, own("9")),
        ),
    )
    tokens = {str(number): Secret(f"CANARY-{number}") for number in range(1, 7)}
    async with client_of(meta) as graph:
        found = await graph.pages_by_own_tokens(tokens, give_up_at=soon())
    assert list(found) == list(tokens)
    good = found["1"]
    assert isinstance(good, PageFacts)
    assert good.tasks == frozenset()
    assert good.access_token is tokens["1"]
    assert found["2"] == Trouble(AccessTokenProblem.REVOKED, final=True)
    assert found["3"] == UNVERIFIABLE, "Meta had no time for it"
    assert found["4"] == Trouble(AccessTokenProblem.WRONG_ACCOUNT)
    assert found["5"] == UNVERIFIABLE
    assert found["6"] == UNVERIFIABLE, "another Page than was asked for"
    (request,) = meta.asked
    parts = json.loads(parameters(request)["batch"])
    assert parameters(request)["include_headers"] == "false"
    assert [part["method"] for part in parts] == ["GET"] * 6
    path, _, query = parts[1]["relative_url"].partition("?")
    assert path == "2"
    assert f"access_token=CANARY-2&appsecret_proof={proof('CANARY-2')}" in query


async def test_more_than_fifty_pages_are_several_batches() -> None:
    def answer(request: httpx2.Request) -> httpx2.Response:
        parts = json.loads(parameters(request)["batch"])
        return items(*((200, own(part["relative_url"].partition("?")[0])) for part in parts))

    meta = Meta()
    meta.says("", answer)
    tokens = {str(number): Secret(f"CANARY-{number}") for number in range(1, 121)}
    async with client_of(meta) as graph:
        found = await graph.pages_by_own_tokens(tokens, give_up_at=soon())
    assert sorted(len(json.loads(parameters(one)["batch"])) for one in meta.asked) == [20, 50, 50]
    assert all(isinstance(one, PageFacts) and one.page_id == page_id for page_id, one in found.items())


async def test_no_pages_are_no_call() -> None:
    meta = Meta()
    async with client_of(meta) as graph:
        assert await graph.pages_by_own_tokens({}, give_up_at=soon()) == {}
    assert meta.asked == []


@pytest.mark.parametrize(
    "answer",
    [{}, [], [None, None], "x", 1, [7], [{"code": "200", "body": "{}"}], [{"code": 200, "body": {}}]],
)
async def test_a_batch_of_another_shape_is_unverifiable(answer: object) -> None:
    meta = Meta()
    meta.says("", says(answer))
    async with client_of(meta) as graph:
        assert await graph.pages_by_own_tokens({"1": login}, give_up_at=soon()) == {"1": UNVERIFIABLE}


async def test_a_refused_batch_is_unverifiable_for_each_page() -> None:
    meta = Meta()
    meta.says("", refuses(190))
    async with client_of(meta) as graph:
        found = await graph.pages_by_own_tokens({"1": login, "2": login}, give_up_at=soon())
    assert found == {"1": UNVERIFIABLE, "2": UNVERIFIABLE}


async def test_tokens_go_in_the_header_with_the_proof_of_that_token() -> None:
    meta = Meta()
    meta.says("debug_token", debugged())
    meta.says("me/accounts", accounts())
    meta.says("", items((200, own("1"))))
    async with client_of(meta) as graph:
        await graph.debug(login, give_up_at=soon())
        await graph.pages(login, most=1, give_up_at=soon())
        await graph.pages_by_own_tokens({"1": login}, give_up_at=soon())
    for request, token in zip(meta.asked, (APP_TOKEN, TOKEN, APP_TOKEN), strict=True):
        assert request.headers["authorization"] == f"Bearer {token}"
        assert parameters(request)["appsecret_proof"] == proof(token)
        assert request.headers["host"] == "graph.example"
    assert parameters(meta.asked[0])["input_token"] == TOKEN
    assert TOKEN not in str(meta.asked[1].url)


Call = Callable[[GraphClient, Secret], Any]
CALLS: dict[str, Call] = {
    "debug": lambda graph, token: graph.debug(token, give_up_at=soon()),
    "exchange": lambda graph, token: graph.exchange(token, give_up_at=soon()),
    "pages": lambda graph, token: graph.pages(token, most=1, give_up_at=soon()),
    "own": lambda graph, token: graph.pages_by_own_tokens({"1": token}, give_up_at=soon()),
}


@pytest.mark.parametrize("token", ["a b", "", "a\r\nx: y", "é", "a\ud800", " a"])
@pytest.mark.parametrize("call", ["exchange", "pages", "own"])
async def test_what_can_be_no_token_is_malformed_and_not_sent(call: str, token: str) -> None:
    meta = Meta()
    async with client_of(meta) as graph:
        found = await CALLS[call](graph, Secret(token))
    assert found in (MALFORMED, {"1": MALFORMED})
    assert meta.asked == []


async def test_characters_that_urls_reserve_reach_debug_token_as_they_are() -> None:
    meta = Meta()
    meta.says("debug_token", debugged())
    async with client_of(meta) as graph:
        await graph.debug(Secret("a &=#%2F+?|b"), give_up_at=soon())
    assert parameters(meta.asked[0])["input_token"] == "a &=#%2F+?|b"


async def test_calls_outside_of_running_are_a_clear_error() -> None:
    graph = GraphClient(APP, base_url=BASE, source="sandbox", transport=Meta())
    with pytest.raises(RuntimeError, match="running"):
        await graph.debug(login, give_up_at=soon())
    async with graph.running():
        pass
    with pytest.raises(RuntimeError, match="running"):
        await graph.debug(login, give_up_at=soon())


def test_the_client_says_whom_it_asks() -> None:
    graph = GraphClient(APP, base_url=BASE, source="live:4242")
    assert (graph.source, graph.app_id, graph.busy, graph.percent) == ("live:4242", "4242", False, 0)


@pytest.mark.parametrize(
    "url",
    [
        "http://graph.facebook.com",
        "https://user:CANARY@graph.facebook.com",
        "https://graph.facebook.com?CANARY",
        "graph.facebook.com",
        "ftp://127.0.0.1/CANARY",
        "https://[CANARY",
        "https://a.example:CANARY",
        "",
        "http://127.0.0.1.example",
    ],
)
def test_a_base_url_that_is_not_safe_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="URL of the Graph API") as caught:
        GraphClient(APP, base_url=url, source="live:4242")
    assert "CANARY" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8001", "http://localhost:1/", "http://[::1]:8001", "https://a.example/"]
)
def test_a_base_url_on_this_machine_needs_no_tls(url: str) -> None:
    GraphClient(APP, base_url=url, source="live:4242")


@pytest.mark.parametrize("version", ["27.0", "v27", "", "v27.0/..", "v27.0\n"])
def test_a_version_has_its_form(version: str) -> None:
    with pytest.raises(ValueError, match=r"v27\.0"):
        GraphClient(App("1", Secret("x"), version), base_url=BASE, source="live:1")


async def test_a_proxy_that_cannot_be_used_is_told_without_its_password(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "gopher://ann:CANARY@proxy.example")
    monkeypatch.delenv("https_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    with pytest.raises(ValueError, match="HTTPS_PROXY") as caught:
        async with GraphClient(APP, base_url=BASE, source="live:1").running():
            pass
    assert "CANARY" not in str(caught.value)
    assert caught.value.__cause__ is None


async def test_past_its_deadline_nothing_is_asked() -> None:
    meta = Meta()
    async with client_of(meta) as graph:
        assert await graph.debug(login, give_up_at=time.monotonic() - 1) == UNVERIFIABLE
    assert meta.asked == []
