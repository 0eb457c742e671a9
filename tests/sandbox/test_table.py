"""Each row of the table of test tokens in docs/sandbox.md is true."""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from graphql_api.sandbox.weather import Weather
from tests.sandbox.caller import NOW, Caller, problem

PAGE = Path(__file__).parent.parent.parent / "docs" / "sandbox.md"
DAY = 86400
Case = Callable[[Caller], Awaitable[None]]
CASES: dict[str, Case] = {}


def row(token: str) -> Callable[[Case], Case]:
    """Mark the check of one row."""

    def keep(case: Case) -> Case:
        CASES[token] = case
        return case

    return keep


def rows() -> list[str]:
    """The first cells of the table, in its order."""
    return re.findall(r"^\| `(TEST-[^`]+)` \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)


def test_each_row_of_the_table_has_a_check() -> None:
    assert rows() == list(CASES)
    assert len(rows()) == 19


@pytest.mark.parametrize("token", rows())
async def test_a_token_does_what_its_row_says(token: str, meta: Caller) -> None:
    await CASES[token](meta)


def instagram_of(pages: dict[str, dict[str, Any]]) -> dict[str, str | None]:
    return {page_id: page.get("instagram_business_account", {}).get("id") for page_id, page in pages.items()}


async def assert_dead(meta: Caller, token: str, code: int, subcode: int) -> None:
    """A user's token and its Page's are both refused, and debug_token says why."""
    for one in (token, f"TEST-page-2001-of-{token}"):
        data = await meta.described(one)
        assert (data["is_valid"], data["user_id"], data["app_id"]) == (False, "1001", "1000000000000001")
        assert (data["error"]["code"], data["error"]["subcode"]) == (code, subcode)
    assert problem(await meta.accounts(token)) == (400, code, subcode)
    assert problem(await meta.get("me", token)) == (400, code, subcode)
    assert problem(await meta.exchange(token)) == (400, code, subcode)
    assert problem(await meta.page("2001", f"TEST-page-2001-of-{token}")) == (400, code, subcode)


async def assert_good(meta: Caller, token: str) -> None:
    data = await meta.described(token)
    assert data["is_valid"]
    assert (await meta.accounts(token)).status_code == 200
    assert (await meta.exchange(token)).status_code == 200
    assert (await meta.page("2001", f"TEST-page-2001-of-{token}")).status_code == 200


@row("TEST-ann")
async def ann(meta: Caller) -> None:
    data = await meta.described("TEST-ann")
    assert (data["is_valid"], data["type"], data["user_id"]) == (True, "USER", "1001")
    pages = await meta.pages("TEST-ann")
    assert instagram_of(pages) == {"2001": "17841400000000001", "2002": None}
    assert all("MANAGE" in page["tasks"] for page in pages.values())


@row("TEST-ben")
async def ben(meta: Caller) -> None:
    assert (await meta.described("TEST-ben"))["user_id"] == "1002"
    pages = await meta.pages("TEST-ben")
    assert instagram_of(pages) == {"2001": "17841400000000001"}
    assert "MANAGE" in pages["2001"]["tasks"]


@row("TEST-cat")
async def cat(meta: Caller) -> None:
    pages = await meta.pages("TEST-cat")
    assert instagram_of(pages) == {f"200{n}": f"1784140000000000{n}" for n in (3, 4, 5)}
    assert "CREATE_CONTENT" in pages["2003"]["tasks"]
    assert "MANAGE" not in pages["2003"]["tasks"]
    assert pages["2004"]["tasks"] == ["ANALYZE"]
    granted = {
        one["scope"]: one.get("target_ids") for one in (await meta.described("TEST-cat"))["granular_scopes"]
    }
    assert granted["pages_read_engagement"] == ["2003", "2004"]
    assert granted["instagram_basic"] == ["17841400000000003", "17841400000000004"]
    assert granted["pages_show_list"] is None
    assert (await meta.page("2003", pages["2003"]["access_token"])).status_code == 200
    assert problem(await meta.page("2005", pages["2005"]["access_token"])) == (400, 10, None)


@row("TEST-eve")
async def eve(meta: Caller) -> None:
    assert (await meta.described("TEST-eve"))["is_valid"]
    assert await meta.pages("TEST-eve") == {}


@row("TEST-max")
async def everything_of_max(meta: Caller) -> None:
    seen: list[str] = []
    after: dict[str, str] = {}
    for _ in range(6):
        answer = (await meta.accounts("TEST-max", **after)).json()
        assert all("MANAGE" in page["tasks"] for page in answer["data"])
        seen += [page["instagram_business_account"]["id"] for page in answer["data"]]
        after = {"after": answer["paging"]["cursors"]["after"]}
    assert seen == [f"1784140000000{n}" for n in range(3001, 3601)]
    assert "next" not in answer["paging"]


@row("TEST-ann-dies@T")
async def dies(meta: Caller) -> None:
    token = f"TEST-ann-dies@{NOW + DAY}"
    await assert_good(meta, token)
    data = await meta.described(token)
    assert (data["expires_at"], data["data_access_expires_at"]) == (NOW + DAY, NOW + DAY)
    of_the_page = await meta.described(f"TEST-page-2001-of-{token}")
    assert (of_the_page["expires_at"], of_the_page["data_access_expires_at"]) == (0, NOW + DAY)
    assert (await meta.exchange(token)).json()["expires_in"] == DAY
    await assert_dead(meta, f"TEST-ann-dies@{NOW}", 190, 463)
    assert not (await meta.described("TEST-ann-dies"))["is_valid"]  # it needs a time


@row("TEST-ann-expired")
async def expired(meta: Caller) -> None:
    await assert_dead(meta, "TEST-ann-expired", 190, 463)
    assert (await meta.described("TEST-ann-expired"))["expires_at"] < NOW
    await assert_good(meta, f"TEST-ann-expired@{NOW + DAY}")
    assert (await meta.described(f"TEST-ann-expired@{NOW + DAY}"))["expires_at"] == NOW + DAY


@row("TEST-ann-revoked")
async def revoked(meta: Caller) -> None:
    await assert_dead(meta, "TEST-ann-revoked", 190, 458)
    await assert_dead(meta, f"TEST-ann-revoked@{NOW}", 190, 458)
    await assert_good(meta, f"TEST-ann-revoked@{NOW + 1}")


@row("TEST-ann-password")
async def password(meta: Caller) -> None:
    await assert_dead(meta, "TEST-ann-password", 190, 460)


@row("TEST-ann-checkpoint")
async def checkpoint(meta: Caller) -> None:
    await assert_dead(meta, "TEST-ann-checkpoint", 190, 459)


@row("TEST-ann-noscope")
async def noscope(meta: Caller) -> None:
    for token in ("TEST-ann-noscope", "TEST-page-2001-of-TEST-ann-noscope"):
        data = await meta.described(token)
        assert data["is_valid"]
        assert "pages_read_engagement" not in data["scopes"]
        assert "pages_read_engagement" not in {one["scope"] for one in data["granular_scopes"]}
        assert "pages_show_list" in data["scopes"]
    assert problem(await meta.page("2001", "TEST-page-2001-of-TEST-ann-noscope")) == (400, 10, None)
    assert "pages_read_engagement" in (await meta.described("TEST-ann"))["scopes"]


@row("TEST-ann-norole")
async def norole(meta: Caller) -> None:
    assert (await meta.described("TEST-ann-norole"))["is_valid"]
    assert set(await meta.pages("TEST-ann-norole")) == {"2002"}
    handed_out = "TEST-page-2001-of-TEST-ann-norole"
    data = await meta.described(handed_out)
    assert (data["is_valid"], data["error"]["code"], data["error"]["subcode"]) == (False, 190, 492)
    assert problem(await meta.page("2001", handed_out)) == (400, 190, 492)
    assert problem(await meta.page("2001", "TEST-ann-norole")) == (400, 100, 33)
    assert (await meta.page("2002", "TEST-page-2002-of-TEST-ann-norole")).status_code == 200
    await assert_good(meta, f"TEST-ann-norole@{NOW + 1}")


@row("TEST-ann-unlinked")
async def unlinked(meta: Caller) -> None:
    assert instagram_of(await meta.pages("TEST-ann-unlinked")) == {"2001": None, "2002": None}
    page = (await meta.page("2001", "TEST-page-2001-of-TEST-ann-unlinked")).json()
    assert page["name"] == "Ann's Studio"
    assert "instagram_business_account" not in page
    later = await meta.pages(f"TEST-ann-unlinked@{NOW + 1}")
    assert instagram_of(later)["2001"] == "17841400000000001"


@row("TEST-ann-otherapp")
async def otherapp(meta: Caller) -> None:
    data = await meta.described("TEST-ann-otherapp")
    assert data["app_id"] not in {"1000000000000001", ""}
    assert problem(await meta.accounts("TEST-ann-otherapp")) == (400, 190, None)
    assert problem(await meta.exchange("TEST-ann-otherapp")) == (400, 190, None)
    assert problem(await meta.page("2001", "TEST-page-2001-of-TEST-ann-otherapp")) == (400, 190, None)


@row("TEST-ann-blocked")
async def blocked(meta: Caller) -> None:
    assert (await meta.described("TEST-ann-blocked"))["is_valid"]
    answer = await meta.accounts("TEST-ann-blocked")
    assert problem(answer) == (400, 368, None)
    assert answer.json()["error"]["error_user_msg"]
    assert problem(await meta.page("2001", "TEST-page-2001-of-TEST-ann-blocked")) == (400, 368, None)


@row("TEST-ann-slow")
async def slow(meta: Caller) -> None:
    async def took(call: Awaitable[httpx.Response]) -> float:
        start = time.monotonic()
        assert (await call).status_code == 200
        return time.monotonic() - start

    calls = (
        meta.accounts("TEST-ann-slow"),
        meta.debug_token("TEST-ann-slow"),
        meta.exchange("TEST-ann-slow"),
        meta.page("2001", "TEST-page-2001-of-TEST-ann-slow"),
    )
    assert all(3 <= seconds < 6 for seconds in await asyncio.gather(*map(took, calls)))


@row("TEST-ann-down")
async def down(_: Caller) -> None:
    meta = Caller(Weather(silence=60))

    async def page(token: str) -> httpx.Response:
        return await meta.page("2001", f"TEST-page-2001-of-{token}")

    for call in (meta.accounts, meta.debug_token, meta.exchange, page):
        outcomes = await asyncio.gather(*(outcome(call("TEST-ann-down")) for _ in range(60)))
        assert set(outcomes) == {"500", "HTML", "nothing"}
    assert await outcome(meta.accounts("TEST-ben")) == "200"  # nobody else is disturbed


async def outcome(call: Awaitable[httpx.Response]) -> str:
    try:
        answer = await asyncio.wait_for(call, 1)
    except TimeoutError:
        return "nothing"
    if answer.status_code == 200:
        return "HTML" if answer.text.startswith("<!DOCTYPE html>") else "200"
    assert problem(answer) == (500, 2, None)
    return "500"


@row("TEST-ann-limit")
async def limit(meta: Caller) -> None:
    for answer in (
        await meta.accounts("TEST-ann-limit"),
        await meta.debug_token("TEST-ann-limit"),
        await meta.exchange("TEST-ann-limit"),
        await meta.page("2001", "TEST-page-2001-of-TEST-ann-limit"),
    ):
        assert problem(answer) == (400, 17, None)
        assert httpx.Response(200, text=answer.headers["x-app-usage"]).json()["call_count"] == 96
    assert '"call_count":2' in (await meta.accounts("TEST-ben")).headers["x-app-usage"]


@row("TEST-any[-condition][@unix]:fb=F[;page=P1,P2][;ig=I1,I2]")
async def anybody(meta: Caller) -> None:
    token = "TEST-any:fb=71;page=81,82;ig=91"
    assert (await meta.described(token))["user_id"] == "71"
    pages = await meta.pages(token)
    assert instagram_of(pages) == {"81": "91", "82": None}
    assert all("MANAGE" in page["tasks"] for page in pages.values())
    unnamed = {"id", "tasks", "access_token", "instagram_business_account"}
    assert set(pages["81"]) == unnamed
    assert pages["81"]["instagram_business_account"] == {"id": "91"}
    assert (await meta.get("me", token)).json() == {"id": "71"}
    assert (await meta.page("82", pages["82"]["access_token"])).json() == {"id": "82"}
    made_up = await meta.pages("TEST-any:fb=71;ig=91")
    assert instagram_of(made_up) == {f"9{91:019}": "91"}
    after = f"TEST-any-norole@{NOW}:fb=71;page=81,82;ig=91"
    assert set(await meta.pages(after)) == {"82"}
    assert set(await meta.pages(after.replace(str(NOW), str(NOW + 1)))) == {"81", "82"}
