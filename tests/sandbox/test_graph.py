"""The sandbox speaks as the Graph API does: paths, envelopes, headers, cursors, batches and errors."""

import json
import re
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.sandbox.caller import APP_ID, APP_TOKEN, NOW, Caller, item, problem, proof_of

HOUR, DAY = 3600, 86400


async def test_debug_token_describes_a_users_token(meta: Caller) -> None:
    answer = await meta.debug_token("TEST-ann")
    assert answer.headers["content-type"] == "application/json; charset=UTF-8"
    scopes = [
        "pages_show_list",
        "pages_read_engagement",
        "instagram_basic",
        "business_management",
        "public_profile",
    ]
    assert answer.json() == {
        "data": {
            "app_id": APP_ID,
            "application": "Sandbox",
            "type": "USER",
            "is_valid": True,
            "issued_at": NOW - HOUR,
            "expires_at": NOW + 60 * DAY,
            "data_access_expires_at": NOW + 90 * DAY,
            "scopes": scopes,
            "granular_scopes": [{"scope": scope} for scope in scopes],
            "user_id": "1001",
        }
    }


async def test_debug_token_describes_a_pages_token(meta: Caller) -> None:
    data = await meta.described("TEST-page-2001-of-TEST-ann")
    assert (data["type"], data["profile_id"], data["user_id"]) == ("PAGE", "2001", "1001")
    assert (data["expires_at"], data["data_access_expires_at"]) == (0, NOW + 90 * DAY)


@pytest.mark.parametrize(
    ("token", "expected"),
    [
        (f"{APP_ID}|wrong", (400, 190, None)),
        ("5|a-made-up-app-secret", (400, 101, None)),
        ("TEST-ann", (400, 100, None)),
        ("nonsense", (400, 190, None)),
    ],
)
async def test_only_the_apps_own_token_may_describe_tokens_and_send_batches(
    token: str, expected: tuple[int, int, None], meta: Caller
) -> None:
    assert problem(await meta.get("debug_token", token, input_token="TEST-ann")) == expected
    assert problem(await meta.batch([], token)) == expected


async def test_a_call_needs_a_token_and_the_proof_that_belongs_to_it(meta: Caller) -> None:
    path = "/v27.0/me"
    header = {"authorization": "Bearer TEST-ann"}
    assert problem(await meta.http.get(path)) == (400, 104, None)
    without = await meta.http.get(path, headers=header)
    assert problem(without) == (400, 100, None)
    assert (
        without.json()["error"]["message"] == "API calls from the server require an appsecret_proof argument"
    )
    wrong = await meta.http.get(path, headers=header, params={"appsecret_proof": proof_of("TEST-ben")})
    assert problem(wrong) == (400, 100, None)
    assert wrong.json()["error"]["type"] == "GraphMethodException"
    assert wrong.json()["error"]["message"] == "Invalid appsecret_proof provided in the API argument"
    accented = await meta.http.get(path, headers=header, params={"appsecret_proof": "é"})
    assert problem(accented) == (400, 100, None)
    right = await meta.http.get(path, headers=header, params={"appsecret_proof": proof_of("TEST-ann")})
    assert right.json() == {"id": "1001", "name": "Ann Archer"}


async def test_a_token_may_also_be_a_parameter(meta: Caller) -> None:
    query = {"access_token": "TEST-ann", "appsecret_proof": proof_of("TEST-ann")}
    assert (await meta.http.get("/v27.0/me", params=query)).json()["id"] == "1001"


@pytest.mark.parametrize("token", ["TEST-ann", "TEST-page-2001-of-TEST-ann"])
async def test_an_app_secret_that_is_wrong_exchanges_nothing(token: str, meta: Caller) -> None:
    wrong = await meta.exchange(token, client_secret="wrong")
    assert problem(wrong) == (400, 1, None)
    assert wrong.json()["error"]["message"] == "Error validating client secret."
    assert problem(await meta.exchange(token, client_id="5")) == (400, 101, None)
    assert problem(await meta.exchange(token, grant_type="client_credentials")) == (400, 100, None)


async def test_an_exchange_gives_the_same_token_and_says_how_long_it_lasts(meta: Caller) -> None:
    assert (await meta.exchange("TEST-ann")).json() == {
        "access_token": "TEST-ann",
        "token_type": "bearer",
        "expires_in": 60 * DAY,
    }
    page = (await meta.exchange("TEST-page-2001-of-TEST-ann")).json()
    assert page == {"access_token": "TEST-page-2001-of-TEST-ann", "token_type": "bearer"}


async def test_me_accounts_lists_pages_with_what_was_asked_for(meta: Caller) -> None:
    assert (await meta.accounts("TEST-ben")).json()["data"] == [
        {
            "id": "2001",
            "name": "Ann's Studio",
            "tasks": ["ADVERTISE", "ANALYZE", "CREATE_CONTENT", "MESSAGING", "MODERATE", "MANAGE"],
            "access_token": "TEST-page-2001-of-TEST-ben",
            "picture": {"data": {"url": "https://pictures.example/pages/2001.png"}},
            "instagram_business_account": {
                "id": "17841400000000001",
                "username": "ann.studio",
                "profile_picture_url": "https://pictures.example/instagram/17841400000000001.png",
            },
        }
    ]
    brief = await meta.accounts("TEST-ben", fields="instagram_business_account,picture")
    (page,) = brief.json()["data"]
    assert set(page) == {"id", "instagram_business_account", "picture"}
    assert page["instagram_business_account"] == {"id": "17841400000000001"}
    assert set(page["picture"]["data"]) == {"height", "is_silhouette", "url", "width"}


async def test_there_is_a_next_page_exactly_if_paging_says_so(meta: Caller) -> None:
    first = (await meta.accounts("TEST-ann", limit="1")).json()
    cursors = first["paging"]["cursors"]
    assert [page["id"] for page in first["data"]] == ["2001"]
    address = urlsplit(first["paging"]["next"])
    assert address.path == "/v27.0/me/accounts"
    assert address.netloc == "graph.test"
    query = parse_qs(address.query)
    assert (query["access_token"], query["after"]) == (["TEST-ann"], [cursors["after"]])
    followed = (await meta.http.get(first["paging"]["next"])).json()
    second = (await meta.accounts("TEST-ann", limit="1", after=cursors["after"])).json()
    assert followed == second
    assert [page["id"] for page in second["data"]] == ["2002"]
    assert "next" not in second["paging"]
    end = (await meta.accounts("TEST-ann", limit="1", after=second["paging"]["cursors"]["after"])).json()
    assert end == {"data": []}


async def test_me_accounts_gives_at_most_a_hundred_pages_and_25_unasked(meta: Caller) -> None:
    assert len((await meta.accounts("TEST-max", limit="5000")).json()["data"]) == 100
    assert len((await meta.get("me/accounts", "TEST-max")).json()["data"]) == 25


@pytest.mark.parametrize(
    "wrong",
    [
        {"limit": "0"},
        {"limit": "-1"},
        {"limit": ""},
        {"limit": "ten"},
        {"limit": "²"},
        {"after": "nonsense"},
        {"after": "é"},
        {"after": "OTk5OQ"},
        {"fields": "id,followers"},
        {"fields": "picture{size}"},
    ],
)
async def test_wrong_parameters_are_refused_with_code_100(wrong: dict[str, str], meta: Caller) -> None:
    assert problem(await meta.accounts("TEST-ann", **wrong)) == (400, 100, None)


@pytest.mark.parametrize(
    "fields",
    ["id,", ",", "id name", "picture{url", "picture}", "picture{}", "{id}", "a{b{c{d{e}}}}", "id;name", ""],
)
async def test_fields_that_cannot_be_read_are_a_syntax_error(fields: str, meta: Caller) -> None:
    assert problem(await meta.accounts("TEST-ann", fields=fields)) == (400, 2500, None)


async def test_arguments_of_fields_are_taken(meta: Caller) -> None:
    page = (await meta.get("2001", "TEST-ann", fields="picture.type(large).width(50) { url } , name")).json()
    assert set(page) == {"id", "name", "picture"}


async def test_a_page_is_read_with_its_own_token_and_shows_neither_tasks_nor_token(meta: Caller) -> None:
    token = "TEST-page-2001-of-TEST-ann"
    page = (await meta.page("2001", token)).json()
    assert page["instagram_business_account"]["username"] == "ann.studio"
    assert set(page) == {"id", "name", "picture", "instagram_business_account"}
    assert (await meta.page("me", token)).json() == page
    assert problem(await meta.get("2001", token, fields="tasks")) == (400, 100, None)
    assert problem(await meta.get("me/accounts", token)) == (400, 100, None)


@pytest.mark.parametrize(
    ("node", "token"),
    [
        ("2002", "TEST-page-2001-of-TEST-ann"),
        ("2003", "TEST-ann"),
        ("2001", "TEST-eve"),
        ("99", "TEST-ann"),
        ("17841400000000001", "TEST-ann"),
    ],
)
async def test_a_node_that_the_token_cannot_see_is_not_there(node: str, token: str, meta: Caller) -> None:
    answer = await meta.page(node, token)
    assert problem(answer) == (400, 100, 33)
    assert f"'{node}'" in answer.json()["error"]["message"]


async def test_a_batch_answers_each_call_in_its_order(meta: Caller) -> None:
    items = [
        item("2001", "TEST-page-2001-of-TEST-ann"),
        item("2001", "TEST-page-2001-of-TEST-ann-revoked"),
        item("2003", "TEST-page-2003-of-TEST-cat"),
    ]
    answer = await meta.batch(items)
    assert answer.status_code == 200
    first, second, third = answer.json()
    assert set(first) == {"code", "body"}
    assert (first["code"], json.loads(first["body"])["name"]) == (200, "Ann's Studio")
    assert (second["code"], json.loads(second["body"])["error"]["error_subcode"]) == (400, 458)
    assert (third["code"], json.loads(third["body"])["id"]) == (200, "2003")


async def test_a_call_in_a_batch_has_its_own_proof_and_may_begin_with_a_version(meta: Caller) -> None:
    good = item("/v27.0/2001", "TEST-page-2001-of-TEST-ann")
    other = {
        **good,
        "relative_url": good["relative_url"].replace(proof_of("TEST-page-2001-of-TEST-ann"), "0" * 64),
    }
    first, second = (await meta.batch([good, other])).json()
    assert first["code"] == 200
    assert json.loads(second["body"])["error"]["message"].startswith("Invalid appsecret_proof")


async def test_a_batch_shows_headers_unless_told_not_to(meta: Caller) -> None:
    answer = await meta.http.post(
        "/v27.0/",
        params={"access_token": APP_TOKEN, "appsecret_proof": proof_of(APP_TOKEN)},
        data={"batch": json.dumps([item("2001", "TEST-page-2001-of-TEST-ann-limit")])},
    )
    (one,) = answer.json()
    headers = {header["name"]: header["value"] for header in one["headers"]}
    assert json.loads(headers["x-app-usage"])["call_count"] == 96


async def test_a_call_in_a_batch_that_gets_no_answer_is_null(meta: Caller) -> None:
    calls = [item("2001", "TEST-page-2001-of-TEST-ann-down")] * 50
    outcomes = (await meta.batch(calls)).json()
    assert None in outcomes
    assert {one["code"] for one in outcomes if one} == {200, 500}


@pytest.mark.parametrize("batch", ["", "nonsense", "{}", "7", "null", '["', json.dumps([{}] * 51)])
async def test_a_batch_that_is_no_list_of_at_most_fifty_is_refused(batch: str, meta: Caller) -> None:
    query = {"access_token": APP_TOKEN, "appsecret_proof": proof_of(APP_TOKEN)}
    assert problem(await meta.http.post("/v27.0/", params=query, data={"batch": batch})) == (400, 100, None)


@pytest.mark.parametrize(
    "one",
    [
        {},
        None,
        7,
        "2001",
        [],
        {"method": "GET"},
        {"method": "POST", "relative_url": "2001"},
        {"method": "GET", "relative_url": 7},
    ],
)
async def test_an_unusable_call_in_a_batch_leaves_the_others_alone(one: Any, meta: Caller) -> None:
    first, second = (await meta.batch([one, item("2001", "TEST-page-2001-of-TEST-ann")])).json()
    assert (first["code"], second["code"]) == (400, 200)


async def test_a_body_that_is_too_large_is_refused(meta: Caller) -> None:
    answer = await meta.http.post("/v27.0/", content=b"batch=" + b"x" * 1_100_000)
    assert problem(answer) == (400, 100, None)


async def test_every_error_has_a_trace_id_of_its_own(meta: Caller) -> None:
    traces = {(await meta.accounts("nonsense")).json()["error"]["fbtrace_id"] for _ in range(20)}
    assert len(traces) == 20


async def test_every_answer_says_how_much_of_the_limits_is_used(meta: Caller) -> None:
    for answer in (
        await meta.debug_token("TEST-ann"),
        await meta.accounts("TEST-ann-revoked"),
        await meta.exchange("TEST-ann"),
        await meta.batch([]),
        await meta.http.get("/nonsense"),
    ):
        usage = json.loads(answer.headers["x-app-usage"])
        assert set(usage) == {"call_count", "total_cputime", "total_time"}
        assert max(usage.values()) < 10
    of_the_page = await meta.page("2001", "TEST-page-2001-of-TEST-ann")
    (usage,) = json.loads(of_the_page.headers["x-business-use-case-usage"])["2001"]
    assert set(usage) == {
        "type",
        "call_count",
        "total_cputime",
        "total_time",
        "estimated_time_to_regain_access",
    }
    assert "x-business-use-case-usage" not in (await meta.accounts("TEST-ann")).headers


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("GET", "/", 2500),
        ("GET", "/me", 2500),
        ("GET", "/v27/me", 2500),
        ("GET", "/latest/me", 2500),
        ("GET", "/v27.0/me/accounts/more", 2500),
        ("GET", "/v27.0", 100),
        ("GET", "/v27.0/%0A", 104),
        ("GET", "/%0A", 2500),
        ("GET", "/readyz/", 2500),
        ("POST", "/v27.0/me", 100),
        ("DELETE", "/v27.0/2001", 100),
        ("POST", "/v27.0/oauth/access_token", 2500),
    ],
)
async def test_no_other_call_is_there(method: str, path: str, code: int, meta: Caller) -> None:
    answer = await meta.http.request(method, path)
    assert problem(answer)[:2] == (400, code)


@pytest.mark.parametrize("version", ["v1.0", "v27.0", "v28.0", "v100.12"])
async def test_every_version_answers(version: str, meta: Caller) -> None:
    query = {"access_token": "TEST-ann", "appsecret_proof": proof_of("TEST-ann")}
    assert (await meta.http.get(f"/{version}/me", params=query)).status_code == 200


# Of what is random or slow on purpose there are tests of their own.
words = (
    st.text(st.characters(codec="utf-8"), max_size=40)
    | st.from_regex(r"\ATEST-(page-2001-of-TEST-)?(ann|any|max)[-@:a-z=;,0-9]{0,30}\Z")
).filter(lambda text: not re.search("down|slow", text))


@given(words, words, words, words)
async def test_no_text_makes_the_sandbox_fail(token: str, path: str, fields: str, after: str) -> None:
    meta = Caller()
    for answer in (
        await meta.debug_token(token),
        await meta.exchange(token),
        await meta.http.get(
            "/v27.0/me/accounts",
            params={
                "access_token": token,
                "appsecret_proof": proof_of(token),
                "fields": fields,
                "after": after,
            },
        ),
        await meta.http.get(
            f"/v27.0/{quote(path)}",
            params={"access_token": token, "appsecret_proof": proof_of(token), "fields": fields},
        ),
        await meta.batch(
            [{"method": "GET", "relative_url": path}, {"method": token, "relative_url": f"2001?{after}"}]
        ),
    ):
        assert answer.status_code in {200, 400}
        assert answer.json()


@given(st.binary(max_size=60))
async def test_no_bytes_make_the_sandbox_fail(content: bytes) -> None:
    meta = Caller()
    query = {"access_token": APP_TOKEN, "appsecret_proof": proof_of(APP_TOKEN)}
    assert (await meta.http.post("/v27.0/", params=query, content=b"batch=" + content)).status_code == 400
    bearer = {b"authorization": b"Bearer " + content.translate(None, b"\r\n\0")}
    assert (await meta.http.get("/v27.0/me", headers=bearer)).status_code == 400
