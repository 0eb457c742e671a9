"""Discovering what a Facebook login can connect, before the person chooses."""

from typing import Any

import pytest

from graphql_api.settings import Settings
from tests.accounts.access_request_operations import REQUEST_ACCESS, key
from tests.accounts.meta_operations import DISCOVER
from tests.accounts.proven import STUDIO, Meta, connect, of_any, problems
from tests.api import Api, Person
from tests.database import Database


async def discover(person: Person, token: str, **others: Any) -> Any:
    return await person.mutate(DISCOVER, accessToken=token, **others)


def statuses(result: Any) -> dict[str, str]:
    return {one["externalId"]: one["status"] for one in result["socialAccounts"]}


async def test_what_the_login_shows_is_listed_with_metas_names_and_a_hint_for_the_rest(
    meta: Meta, api: Api, database: Database
) -> None:
    # given
    ada = await api.register("ada")
    before = await database.everything()

    # when
    result = await discover(ada, "TEST-ann")

    # then
    assert result["facebookUserId"] == "1001"
    assert result["hasMore"] is False
    assert statuses(result) == {"2001": "AVAILABLE", STUDIO: "AVAILABLE", "2002": "AVAILABLE"}
    assert [one["displayName"] for one in result["socialAccounts"]] == [
        "Ann's Studio",
        "ann.studio",
        "Ann's Shop",
    ]
    assert all(one["message"] is None for one in result["socialAccounts"])
    (hint,) = result["hints"]
    assert (hint["code"], hint["facebookPageId"], hint["displayName"]) == (
        "PAGE_NOT_LINKED",
        "2002",
        "Ann's Shop",
    )
    assert await database.everything() == before, "nothing is written, and no access token is kept"
    assert sorted(meta.calls) == ["access_token", "accounts", "debug_token"]


async def test_each_account_that_cannot_be_connected_says_what_to_change(meta: Meta, api: Api) -> None:
    ada = await api.register("ada")

    result = await discover(ada, "TEST-cat")

    assert statuses(result) == {
        "2003": "AVAILABLE",
        "17841400000000003": "AVAILABLE",
        "2004": "ROLE_TOO_WEAK",
        "17841400000000004": "ROLE_TOO_WEAK",
        "2005": "NOT_GRANTED",
        "17841400000000005": "NOT_GRANTED",
    }
    words = [one["message"] for one in result["socialAccounts"] if one["status"] == "ROLE_TOO_WEAK"]
    assert words[0].startswith("Facebook Page Cat's Clips: Your role on the Facebook Page is too weak")
    assert meta.calls


async def test_a_login_without_pages_shows_nothing(meta: Meta, api: Api) -> None:
    ada = await api.register("ada")

    result = await discover(ada, "TEST-eve")

    assert (result["socialAccounts"], result["hints"], result["hasMore"]) == ([], [], False)
    assert meta.calls


async def test_a_login_with_more_than_fit_says_so(meta: Meta, api: Api) -> None:
    ada = await api.register("ada")

    result = await discover(ada, "TEST-max", platforms=["INSTAGRAM"])

    assert len(result["socialAccounts"]) == 500
    assert {one["platform"] for one in result["socialAccounts"]} == {"INSTAGRAM"}
    assert result["hasMore"] is True
    assert meta.calls.count("accounts") == 5


async def test_conflicts_are_those_of_connecting_with_an_empty_path(meta: Meta, api: Api) -> None:
    # given
    ada, ben, cleo = [await api.register(name) for name in ("ada", "ben", "cleo")]
    workspace = await ada.create_workspace()
    await ada.bring_in(cleo, workspace)
    await connect(ada, of_any("1"), "1", workspaceId=workspace)
    await connect(ada, of_any("2"), "2")
    await connect(ben, of_any("3"), "3")
    asked = await cleo.mutate(REQUEST_ACCESS, workspaceId=workspace, socialAccount=key("1"))

    # when
    token = of_any("1", "2", "3", "4")
    of_ada = await discover(ada, token, platforms=["INSTAGRAM"])
    for_workspace = await discover(ada, token, platforms=["INSTAGRAM"], workspaceId=workspace)
    of_cleo = await discover(cleo, token, platforms=["INSTAGRAM"])

    # then
    assert statuses(of_ada) == {"1": "CONFLICT", "2": "RECONNECT", "3": "CONFLICT", "4": "AVAILABLE"}
    conflicts = [one["conflict"] for one in of_ada["socialAccounts"] if one["conflict"]]
    assert [(one["__typename"], one["path"]) for one in conflicts] == [
        ("HeldByWorkspace", []),
        ("HeldElsewhere", []),
    ]
    assert conflicts[0]["resolutions"] == ["MOVE", "DISCONNECT"]
    assert statuses(for_workspace) == {"1": "RECONNECT", "2": "CONFLICT", "3": "CONFLICT", "4": "AVAILABLE"}
    theirs = of_cleo["socialAccounts"][0]["conflict"]
    assert theirs["contactEmail"] == ada.email
    assert theirs["pendingAccessRequest"]["id"] == asked["accessRequest"]["id"]
    assert meta.calls


@pytest.mark.parametrize(
    ("token", "problem"),
    [
        ("TEST-ann-expired", "EXPIRED"),
        ("TEST-ann-otherapp", "WRONG_APP"),
        ("TEST-page-2001-of-TEST-ann", "WRONG_LOGIN"),
        ("TEST-ann-down", "UNVERIFIABLE"),
        ("x", "MALFORMED"),
    ],
)
async def test_a_refused_token_is_told_at_its_path(meta: Meta, api: Api, token: str, problem: str) -> None:
    ada = await api.register("ada")

    result = await discover(ada, token)

    assert problems(result) == [("accessToken", problem)]
    assert meta.calls


async def test_a_place_where_the_viewer_may_not_connect_is_refused_before_meta_is_asked(
    meta: Meta, api: Api
) -> None:
    ada, cleo, eve = [await api.register(name) for name in ("ada", "cleo", "eve")]
    workspace = await ada.create_workspace()
    await ada.bring_in(cleo, workspace)

    assert problems(await discover(cleo, "TEST-ann", workspaceId=workspace)) == [
        ("workspaceId", "NOT_ALLOWED")
    ]
    assert problems(await discover(eve, "TEST-ann", workspaceId=workspace)) == [("workspaceId", "NOT_FOUND")]
    assert problems(await discover(eve, "")) == [("accessToken", "REQUIRED")]
    assert meta.calls == []


async def test_where_nobody_is_asked_there_is_nothing_to_discover(api: Api, settings: Settings) -> None:
    ada = await api.register("ada")

    result = await discover(ada, "TEST-ann")

    assert settings.meta_mode == "off"
    assert problems(result) == [("accessToken", "NOT_ALLOWED")]
