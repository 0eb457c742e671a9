"""Fetching objects again by their ids: what is not the viewer's looks like what is not there."""

import base64
from uuid import uuid4

import pytest

from graphql_api.domain.platforms import PLATFORMS
from graphql_api.schema.accounts.social_account import TYPES
from tests import operations
from tests.api import Api

NODES = "query($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }"


def global_id(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def test_the_accounts_of_a_platform_have_the_type_that_their_ids_name() -> None:
    named = {platform: facts.graphql_type for platform, facts in PLATFORMS.items()}
    assert {platform: kind.__name__ for platform, kind in TYPES.items()} == named


async def test_everything_of_their_own_can_be_fetched_again(api: Api) -> None:
    # given
    ada = await api.register("ada")
    connected = await ada.connect("1", pages=["1"])
    account, page = [one["socialAccount"]["id"] for one in connected["connected"]]
    workspace = await ada.create_workspace()
    ids = [ada.id, workspace, account, page, connected["facebookAccount"]["id"]]

    # when
    found = (await ada.execute(NODES, {"ids": ids}))["nodes"]

    # then
    kinds = ["User", "Workspace", "InstagramAccount", "FacebookPage", "FacebookAccount"]
    assert found == [{"__typename": kind, "id": one} for kind, one in zip(kinds, ids, strict=True)]
    assert [(await ada.execute(operations.NODE, {"id": one}))["node"] for one in ids] == found


async def test_what_is_anothers_is_null_like_what_is_absent_or_malformed(api: Api) -> None:
    # given
    ada, eve = await api.register("ada"), await api.register("eve")
    connected = await ada.connect("1")
    account = connected["connected"][0]["socialAccount"]["id"]
    key = base64.b64decode(account).decode().partition(":")[2]
    ids = [
        ada.id,
        await ada.create_workspace(),
        account,
        connected["facebookAccount"]["id"],
        global_id(f"InstagramAccount:{uuid4()}"),
        global_id(f"Nothing:{uuid4()}"),
        global_id("InstagramAccount:' OR 1=1; --"),
        global_id(f"InstagramAccount:{key.upper()}"),
        key,
        account + "=",
        "",
        "é\0",
        "<script>",
        "x" * 5000,
    ]

    # when
    found = (await eve.execute(NODES, {"ids": [*ids, eve.id, ada.id]}))["nodes"]

    # then
    assert found == [*[None] * len(ids), {"__typename": "User", "id": eve.id}, None]
    assert [(await eve.execute(operations.NODE, {"id": one}))["node"] for one in ids] == [None] * len(ids)


async def test_members_see_each_other_and_their_workspace(api: Api) -> None:
    # given
    ada, eve = await api.register("ada"), await api.register("eve")
    workspace = await ada.create_workspace()
    account = (await ada.connect("1", workspace=workspace))["connected"][0]["socialAccount"]["id"]

    # when
    await ada.bring_in(eve, workspace, "CREATOR")

    # then
    found = (await eve.execute(NODES, {"ids": [ada.id, workspace, account]}))["nodes"]
    assert [one and one["id"] for one in found] == [ada.id, workspace, None]


async def test_an_anonymous_caller_fetches_nothing(api: Api) -> None:
    ada = await api.register("ada")

    assert (await api.execute(NODES, {"ids": [ada.id, "x"]}))["nodes"] == [None, None]


@pytest.mark.parametrize(("count", "codes"), [(0, []), (100, []), (101, ["BAD_USER_INPUT"])])
async def test_a_hundred_at_once_are_enough(api: Api, count: int, codes: list[str]) -> None:
    ada = await api.register("ada")

    answer = (await api.post(NODES, {"ids": ["x"] * count}, token=ada.token)).json()

    assert [error["extensions"]["code"] for error in answer.get("errors", [])] == codes
