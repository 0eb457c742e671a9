"""Meta's callbacks: what they end, what stays, and what is no request of Meta's."""

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphql_api.adapters.graph.signed import read_signed
from graphql_api.domain.secrets import Secret
from graphql_api.sandbox import APP_SECRET
from tests import operations
from tests.accounts.meta_operations import DASHBOARD, RECONNECT
from tests.accounts.proven import Meta, connect, login, of_any
from tests.accounts.test_health import health, kinds
from tests.api import Api
from tests.database import Database

LOGIN = "880055501234567"
MINE = of_any("1", "2", fb=LOGIN)


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def signed(data: Any, secret: str = APP_SECRET) -> str:
    """A signed request, as Meta makes it."""
    return signed_text(json.dumps(data), secret)


def signed_text(text: str, secret: str = APP_SECRET) -> str:
    """Any text, signed as Meta signs."""
    payload = encoded(text.encode())
    return f"{encoded(hmac.digest(secret.encode(), payload.encode(), hashlib.sha256))}.{payload}"


def about(meta: Meta, user_id: Any = LOGIN, **changed: Any) -> dict[str, Any]:
    return {
        "algorithm": "HMAC-SHA256",
        "issued_at": int(meta.now.timestamp()),
        "user_id": user_id,
        **changed,
    }


async def post(api: Api, path: str, request: str) -> Any:
    return await api.http.post(f"/meta/{path}", data={"signed_request": request})


async def test_who_removes_our_app_loses_the_access_tokens_and_keeps_the_accounts(
    meta: Meta, api: Api, database: Database
) -> None:
    # given
    ada, ben = await api.register("ada"), await api.register("ben")
    await connect(ada, MINE, "1", "2")
    await connect(ben, of_any("3", fb="7002"), "3")
    meta.wait(minutes=1)

    # when
    answer = await post(api, "deauthorize", signed(about(meta)))

    # then
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    told = await health(ada)
    assert (told["state"], told["problem"]) == ("BROKEN", "REVOKED")
    assert await kinds(ada) == ["SOCIAL_ACCOUNT_CONNECTED"] * 2 + ["SOCIAL_ACCOUNT_BROKE"] * 2
    kept = await database.rows(
        "SELECT external_id, access_token IS NULL AS gone FROM social_accounts ORDER BY external_id"
    )
    assert [bool(row["gone"]) for row in kept] == [True, True, False]
    (of_login,) = (await ada.execute(DASHBOARD))["viewer"]["facebookAccounts"]["nodes"]
    assert of_login["health"]["problem"] == "REVOKED"
    assert await ada.held() == ["1", "2"]
    again = await connect(ada, of_any("1", fb="7009"), "1")
    assert again["connected"][0]["outcome"] == "RECONNECTED"


async def test_deleted_data_is_gone_and_the_place_keeps_the_hold(
    meta: Meta, api: Api, database: Database
) -> None:
    # given
    ada = await api.register("ada")
    connected = (await connect(ada, MINE, "1", "2"))["connected"]
    ids = [one["socialAccount"]["id"] for one in connected]
    meta.wait(minutes=1)

    # when
    answer = await post(api, "data-deletion", signed(about(meta)))

    # then
    told = answer.json()
    code = told["confirmation_code"]
    assert told["url"] == f"https://testserver/meta/data-deletion?code={code}"
    page = await api.http.get("/meta/data-deletion", params={"code": code})
    assert "Your data is deleted." in page.text
    viewer = (await ada.execute(operations.PERSONAL))["viewer"]
    assert {one["id"] for one in viewer["socialAccounts"]["nodes"]} == set(ids)
    assert sorted(one["displayName"] for one in viewer["socialAccounts"]["nodes"]) == ["1", "2"]
    assert viewer["facebookAccounts"]["nodes"] == []
    everything = str(await database.everything())
    for gone in ("user_1", "user_2", LOGIN, "mine.jpg", code):
        assert gone not in everything
    another = await ada.mutate(
        RECONNECT, facebookAccount=login(of_any("1", "2", fb="7009")), socialAccountIds=ids
    )
    assert {one["health"]["state"] for one in another["socialAccounts"]} == {"WORKING"}


async def test_what_was_proven_since_stays(meta: Meta, api: Api, database: Database) -> None:
    ada = await api.register("ada")
    await connect(ada, MINE, "1", "2")
    request = signed(about(meta))
    meta.wait(minutes=10)
    await connect(ada, MINE, "1")

    answer = await post(api, "deauthorize", request)

    assert answer.status_code == 200
    nodes = (await ada.execute(DASHBOARD))["viewer"]["socialAccounts"]["nodes"]
    assert {one["externalId"]: one["health"]["state"] for one in nodes} == {"1": "WORKING", "2": "BROKEN"}


WRONG: dict[str, Any] = {
    "another secret": lambda meta: signed(about(meta), "another"),
    "another algorithm": lambda meta: signed(about(meta, algorithm="none")),
    "no algorithm": lambda meta: signed({"user_id": LOGIN, "issued_at": int(meta.now.timestamp())}),
    "no user": lambda meta: signed(about(meta, user_id=None)),
    "a number as the user": lambda meta: signed(about(meta, user_id=int(LOGIN))),
    "no time": lambda meta: signed(about(meta, issued_at=None)),
    "a time that is none": lambda meta: signed(about(meta, issued_at=True)),
    "old": lambda meta: signed(about(meta, issued_at=int(meta.now.timestamp()) - 3601)),
    "from the future": lambda meta: signed(about(meta, issued_at=int(meta.now.timestamp()) + 301)),
    "no JSON": lambda _: signed_text("{"),
    "a list": lambda _: signed([]),
    "no dot": lambda _: "abc",
    "empty": lambda _: "",
    "huge": lambda meta: signed(about(meta, more="x" * 7000)),
    "a changed payload": lambda meta: signed(about(meta))[:-2] + "AA",
}


@pytest.mark.parametrize("path", ["deauthorize", "data-deletion"])
async def test_what_meta_did_not_sign_now_changes_nothing_and_tells_nothing(
    meta: Meta, api: Api, database: Database, path: str
) -> None:
    ada = await api.register("ada")
    await connect(ada, MINE, "1", "2")
    before = await database.everything()

    answers = {name: await post(api, path, make(meta)) for name, make in WRONG.items()}
    good = signed(about(meta))
    answers["JSON"] = await api.http.post(f"/meta/{path}", json={"signed_request": good})
    answers["twice"] = await api.http.post(f"/meta/{path}", data={"signed_request": [good, good]})
    answers["nothing"] = await api.http.post(f"/meta/{path}")

    assert {answer.status_code for answer in answers.values()} == {400}
    assert len({answer.text for answer in answers.values()}) == 1
    assert await database.everything() == before


@pytest.mark.parametrize("path", ["deauthorize", "data-deletion"])
async def test_the_same_request_a_second_time_is_none(
    meta: Meta, api: Api, database: Database, path: str
) -> None:
    # given
    ada = await api.register("ada")
    await connect(ada, MINE, "1", "2")
    request = signed(about(meta))
    assert (await post(api, path, request)).status_code == 200
    await connect(ada, MINE, "1", "2")
    before = await database.everything()

    # when
    answer = await post(api, path, request)

    # then
    assert answer.status_code == 400
    assert await database.everything() == before


async def test_a_code_of_no_deletion_is_not_found(meta: Meta, api: Api) -> None:
    answer = await api.http.get("/meta/data-deletion", params={"code": "nothing"})

    assert answer.status_code == 404
    assert "There is no deletion with this code." in answer.text
    assert meta.calls == []


async def test_where_nobody_is_asked_there_are_no_callbacks(api: Api) -> None:
    assert (await post(api, "deauthorize", "x")).status_code == 404
    assert (await api.http.get("/meta/data-deletion")).status_code == 404


@given(st.text(max_size=200) | st.binary(max_size=200).map(lambda data: f"{encoded(data)}.{encoded(data)}"))
def test_random_texts_are_no_signed_requests(text: str) -> None:
    assert read_signed(text, Secret(APP_SECRET)) is None


@given(
    st.dictionaries(
        st.sampled_from(["algorithm", "issued_at", "user_id", "x"]),
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats()
        | st.text(max_size=30)
        | st.just("HMAC-SHA256"),
    )
)
def test_a_signed_payload_of_any_shape_is_read_or_refused(data: dict[str, Any]) -> None:
    found = read_signed(signed(data), Secret(APP_SECRET))

    if found is not None:
        assert data["algorithm"] == "HMAC-SHA256"
        assert found.facebook_user_id == data["user_id"]
        assert int(found.issued_at.timestamp()) == data["issued_at"]
