"""The log-in dialog hands a token to the page that asked for it, and to no other."""

from html.parser import HTMLParser
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphql_api.sandbox.people import PEOPLE
from graphql_api.sandbox.tokens import Condition, Login, parse
from tests.sandbox.caller import APP_ID, NOW, Caller

BACK = "http://localhost:3000/back?a=b"
DAY = 86400


class Reader(HTMLParser):
    """Notes the elements of a page with their attributes, and its texts."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def values(self, tag: str, **attributes: str) -> list[str | None]:
        """The values (or addresses) of the elements with these attributes."""
        return [
            found.get("value", found.get("href"))
            for name, found in self.elements
            if name == tag and attributes.items() <= found.items()
        ]


async def show(meta: Caller, /, path: str | None = None, **query: str | None) -> httpx.Response:
    asked: dict[str, str | None] = {
        "client_id": APP_ID,
        "redirect_uri": BACK,
        "response_type": "token",
        "state": "s&1",
    }
    return await meta.http.get(
        path or "/dialog/oauth",
        params={name: value for name, value in (asked | query).items() if value is not None},
    )


def landed(answer: httpx.Response) -> tuple[str, dict[str, str]]:
    """Where a browser goes next, and what it takes along after the #."""
    assert answer.status_code == 303
    address, _, fragment = answer.headers["location"].partition("#")
    return address, dict(parse_qsl(fragment))


@pytest.mark.parametrize("path", ["/dialog/oauth", "/v27.0/dialog/oauth"])
async def test_the_dialog_shows_every_person_and_condition(path: str, meta: Caller) -> None:
    answer = await show(meta, path)
    assert answer.status_code == 200
    page = Reader(answer.text)
    assert page.values("input", type="radio") == list(PEOPLE)
    assert {*Condition} <= set(page.values("option"))
    assert all(person.name in page.text for person in PEOPLE.values() if person.name)


async def test_the_dialog_leads_back_with_the_token_after_the_hash(meta: Caller) -> None:
    assert landed(await show(meta, person="ann", condition="", **{"in": "0"})) == (
        BACK,
        {
            "access_token": "TEST-ann",
            "data_access_expiration_time": str(NOW + 90 * DAY),
            "expires_in": str(60 * DAY),
            "state": "s&1",
        },
    )


@pytest.mark.parametrize(
    ("condition", "begins", "token"),
    [
        ("revoked", "0", "TEST-ben-revoked"),
        ("revoked", "60", f"TEST-ben-revoked@{NOW + 60}"),
        ("dies", "604800", f"TEST-ben-dies@{NOW + 7 * DAY}"),
        ("dies", "0", f"TEST-ben-dies@{NOW}"),
        ("", "60", "TEST-ben"),
        ("down", "nonsense", f"TEST-ben-down@{NOW}"),
    ],
)
async def test_the_choices_make_the_token(condition: str, begins: str, token: str, meta: Caller) -> None:
    _, answer = landed(await show(meta, person="ben", condition=condition, **{"in": begins}))
    assert answer["access_token"] == token


async def test_every_choice_on_the_page_makes_a_good_token(meta: Caller) -> None:
    page = Reader((await show(meta)).text)
    for person in page.values("input", type="radio"):
        for condition in page.values("option")[: len(Condition) + 1]:
            _, answer = landed(await show(meta, person=person, condition=condition))
            assert isinstance(parse(answer["access_token"]), Login)


async def test_a_token_in_the_address_skips_the_page(meta: Caller) -> None:
    token = "TEST-any-dies@1800000500:fb=7;page=8;ig=9"
    address, answer = landed(await show(meta, token=token))
    assert (address, answer["access_token"], answer["expires_in"]) == (BACK, token, "500")


@pytest.mark.parametrize(
    "wrong", [{"token": "<b>"}, {"token": "TEST-page-2001-of-TEST-ann"}, {"person": "<b>"}]
)
async def test_a_token_that_is_no_users_is_shown_as_wrong(wrong: dict[str, str], meta: Caller) -> None:
    answer = await show(meta, **wrong)
    assert answer.status_code == 400
    page = Reader(answer.text)
    assert "This is not a user's test token" in page.text
    assert "b" not in {tag for tag, _ in page.elements}


async def test_cancel_leads_back_with_what_meta_says_then(meta: Caller) -> None:
    (address,) = Reader((await show(meta)).text).values("a", **{"class": "cancel"})
    found = urlsplit(str(address))
    assert f"{found.scheme}://{found.netloc}{found.path}" == "http://localhost:3000/back"
    assert dict(parse_qsl(found.query)) == {
        "a": "b",
        "error": "access_denied",
        "error_code": "200",
        "error_description": "Permissions error",
        "error_reason": "user_denied",
        "state": "s&1",
    }


async def test_a_state_that_was_not_sent_does_not_come_back(meta: Caller) -> None:
    _, answer = landed(await show(meta, state=None, person="ann"))
    assert "state" not in answer
    assert "state=" not in (await show(meta, state=None)).text


async def test_a_fragment_of_the_callers_page_gives_way_to_the_token(meta: Caller) -> None:
    address, answer = landed(await show(meta, redirect_uri="https://app.example/#old", person="ann"))
    assert (address, answer["access_token"]) == ("https://app.example/", "TEST-ann")


@pytest.mark.parametrize(
    "address",
    [
        None,
        "",
        "javascript:alert(1)",
        "JavaScript://localhost/%0aalert(1)",
        "data:text/html,hello",
        "//localhost/back",
        "/back",
        "ftp://localhost/",
        "http:localhost",
        "http://",
        "http://user@localhost/",
        "http://localhost\\@evil.example/",
        "http://localhost/a b",
        "http://localhost/\r\nx: y",
        "http://localhost/\r\n",
        "http://localhost;script-src/",
        " http://localhost/",
    ],
)
async def test_an_address_that_is_not_plain_http_is_refused(address: str | None, meta: Caller) -> None:
    for chosen in ("", "TEST-ann"):
        answer = await show(meta, redirect_uri=address, token=chosen)
        assert answer.status_code == 400
        assert "location" not in answer.headers
        assert "form-action 'none'" in answer.headers["content-security-policy"]
        assert Reader(answer.text).values("a") == []


@pytest.mark.parametrize(
    "wrong", [{"client_id": "5"}, {"client_id": None}, {"response_type": "code"}, {"response_type": None}]
)
async def test_another_app_or_another_flow_is_refused(wrong: dict[str, str | None], meta: Caller) -> None:
    answer = await show(meta, person="ann", **wrong)
    assert answer.status_code == 400
    assert "location" not in answer.headers


@pytest.mark.parametrize("text", ['"><script>alert(1)</script>', "'><img src=x>", "{state}", "&amp;", "%s"])
async def test_what_the_caller_sends_is_only_text_on_the_page(text: str, meta: Caller) -> None:
    address = f"http://localhost/{text.replace(' ', '')}"
    answer = await show(meta, redirect_uri=address, state=text, token=f"{text}!")
    page = Reader(answer.text)
    assert {tag for tag, _ in page.elements} <= {
        "html", "head", "meta", "title", "style", "body", "h1", "p", "code", "form", "input", "fieldset", "legend",
        "label", "small", "select", "option", "button", "a",
    }  # fmt: skip
    assert page.values("input", name="state") == [text, text]
    assert page.values("input", name="redirect_uri") == [address, address]
    assert page.values("input", name="token") == [f"{text}!"]


@given(st.text(st.characters(codec="utf-8"), max_size=30), st.text(st.characters(codec="utf-8"), max_size=30))
async def test_no_text_makes_the_dialog_fail(state: str, rest: str) -> None:
    meta = Caller()
    answer = await show(meta, state=state, redirect_uri=f"http://localhost/{rest}", person="ann")
    if answer.status_code == 303:
        assert answer.headers["location"].startswith("http://localhost/")
        assert landed(answer)[1].get("state", "") == state
    else:
        assert answer.status_code == 400


async def test_the_page_runs_no_scripts_and_loads_nothing(meta: Caller) -> None:
    answer = await show(meta)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "form-action 'self' http:;" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "<script" not in answer.text
