"""Orders, search and filters of lists of social accounts, and how full a place is."""

import base64
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from graphql_api.services.accounts import listing
from tests import operations
from tests.api import Api, Person, facebook_account, facebook_page, instagram_account
from tests.database import Database, key_of, share

LIST = """
query List($orderBy: SocialAccountOrder, $search: String, $first: Int, $after: String) {
  viewer {
    socialAccountLimit socialAccountCount
    socialAccounts(orderBy: $orderBy, search: $search, first: $first, after: $after) {
      totalCount nodes { displayName } pageInfo { endCursor }
    }
  }
}
"""
WORKSPACE_LIST = """
query WorkspaceList($id: ID!, $teamId: ID) {
  node(id: $id) {
    ... on Workspace { socialAccountLimit socialAccountCount socialAccounts(teamId: $teamId) { nodes { displayName } } }
  }
}
"""


async def connect_named(person: Person, *usernames: str) -> None:
    """Connect accounts of these names, one call after another."""
    for number, username in enumerate(usernames, start=1):
        canaries = person.api.canaries
        await person.mutate(
            operations.CONNECT,
            facebookAccount=facebook_account(canaries),
            instagramAccounts=[instagram_account(canaries, str(number), username=username)],
        )


async def listed(person: Person, **arguments: Any) -> list[str]:
    found = (await person.execute(LIST, arguments))["viewer"]["socialAccounts"]
    return [node["displayName"] for node in found["nodes"]]


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        (None, ["bob", "Ada", "_cyd", "ada.b"]),
        ({"field": "CONNECTED_AT", "direction": "DESC"}, ["ada.b", "_cyd", "Ada", "bob"]),
        ({"field": "DISPLAY_NAME"}, ["_cyd", "Ada", "ada.b", "bob"]),
        ({"field": "DISPLAY_NAME", "direction": "DESC"}, ["bob", "ada.b", "Ada", "_cyd"]),
    ],
)
async def test_a_list_is_in_the_order_that_is_asked_for(api: Api, order: Any, expected: list[str]) -> None:
    ada = await api.register("ada")
    await connect_named(ada, "bob", "Ada", "_cyd", "ada.b")
    assert await listed(ada, orderBy=order) == expected
    first = (await ada.execute(LIST, {"orderBy": order, "first": 2}))["viewer"]["socialAccounts"]
    rest = await listed(ada, orderBy=order, after=first["pageInfo"]["endCursor"])
    assert [node["displayName"] for node in first["nodes"]] + rest == expected


async def test_the_order_follows_a_username_that_changed(api: Api) -> None:
    ada = await api.register("ada")
    await connect_named(ada, "bob", "cyd")
    await connect_named(ada, "Zoe")
    assert await listed(ada, orderBy={"field": "DISPLAY_NAME"}) == ["cyd", "Zoe"]


@pytest.mark.parametrize(
    ("search", "expected"),
    [
        ("ADA", ["ada_1", "Ada.2"]),
        ("a_1", ["ada_1"]),
        (" da.", ["Ada.2"]),
        ("éCOLE", ["bob"]),
        ("100%", ["bob"]),
        ("%", ["bob"]),
        ("/", []),
        ("", ["ada_1", "Ada.2", "bob"]),
    ],
)
async def test_a_search_finds_parts_of_names(
    api: Api, database: Database, search: str, expected: list[str]
) -> None:
    ada = await api.register("ada")
    await connect_named(ada, "ada_1", "Ada.2", "bob")
    await database.rows("UPDATE social_accounts SET nickname = 'École 100%' WHERE display_name = 'bob'")
    assert await listed(ada, search=search) == expected


@pytest.mark.parametrize("search", ["x" * 101, "a\0b"])
async def test_a_search_that_cannot_be_used_is_bad_user_input(api: Api, search: str) -> None:
    ada = await api.register("ada")
    answer = (await api.post(LIST, {"search": search}, token=ada.token)).json()
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["BAD_USER_INPUT"]


async def test_a_place_tells_how_full_it_is_to_who_may_fill_it(api: Api) -> None:
    # given
    ada, bob = await api.register("ada"), await api.register("bob")
    workspace = await ada.create_workspace()
    await ada.bring_in(bob, workspace)
    await ada.connect("1", "2")
    await ada.connect("3", workspace=workspace)

    # when
    personal = (await ada.execute(LIST))["viewer"]
    as_admin = (await ada.execute(WORKSPACE_LIST, {"id": workspace}))["node"]
    as_creator = (await bob.execute(WORKSPACE_LIST, {"id": workspace}))["node"]

    # then
    assert (personal["socialAccountLimit"], personal["socialAccountCount"]) == (500, 2)
    assert (as_admin["socialAccountLimit"], as_admin["socialAccountCount"]) == (500, 1)
    assert (as_creator["socialAccountLimit"], as_creator["socialAccountCount"]) == (500, None)


async def test_a_list_of_one_team_is_for_admins_and_for_who_is_in_it(api: Api, database: Database) -> None:
    # given
    ada, bob, cyd = [await api.register(name) for name in ("ada", "bob", "cyd")]
    workspace = await ada.create_workspace()
    for creator in (bob, cyd):
        await ada.bring_in(creator, workspace)
    await ada.connect("1", "2", workspace=workspace)
    team, now = uuid4(), datetime.now(UTC)
    place = key_of(workspace)
    await database.insert("teams", id=team, workspace_id=place, name="Reels", created_at=now, updated_at=now)
    await database.insert(
        "team_members", team_id=team, user_id=key_of(bob.id), workspace_id=place, created_at=now
    )
    await database.rows(
        f"INSERT INTO shares SELECT {database.literal(team)}, id, {database.literal(now)} "
        "FROM social_accounts WHERE external_id = '2'"
    )

    # when
    team_id = {"id": workspace, "teamId": global_id("Team", team)}
    found = {
        person.email[:3]: (await person.execute(WORKSPACE_LIST, team_id))["node"]["socialAccounts"]["nodes"]
        for person in (ada, bob, cyd)
    }

    # then
    shared = [{"displayName": "user_2"}]
    assert found == {"ada": shared, "bob": shared, "cyd": []}
    elsewhere = {"id": workspace, "teamId": global_id("Team", uuid4())}
    assert (await ada.execute(WORKSPACE_LIST, elsewhere))["node"]["socialAccounts"]["nodes"] == []


CREATORS_LIST = """
query CreatorsList($id: ID!, $teamId: ID, $search: String, $orderBy: SocialAccountOrder, $last: Int, $before: String) {
  node(id: $id) {
    ... on Workspace {
      socialAccounts(teamId: $teamId, search: $search, orderBy: $orderBy, last: $last, before: $before) {
        totalCount nodes { displayName facebookAccount { id } } pageInfo { hasPreviousPage startCursor }
      }
    }
  }
}
"""


@pytest.mark.parametrize("few", [listing.FEW, 1], ids=["few", "many"])
@pytest.mark.parametrize("of_team", [False, True])
async def test_a_creators_list_is_ordered_searched_and_paged_however_much_is_shared(
    api: Api, database: Database, monkeypatch: pytest.MonkeyPatch, few: int, of_team: bool
) -> None:
    # given
    monkeypatch.setattr(listing, "FEW", few)
    ada, bob = await api.register("ada"), await api.register("bob")
    workspace = await ada.create_workspace()
    await ada.bring_in(bob, workspace)
    await ada.connect("3", "1", "2", pages=["7"], workspace=workspace)
    await share(database, workspace, bob, "Team")
    await ada.connect("4", workspace=workspace)  # not shared
    (team,) = await database.rows("SELECT id FROM teams")
    variables = {
        "id": workspace,
        "teamId": global_id("Team", UUID(str(team["id"]))) if of_team else None,
        "search": "USER_",
        "orderBy": {"field": "DISPLAY_NAME", "direction": "DESC"},
        "last": 2,
    }

    # when
    last = (await bob.execute(CREATORS_LIST, variables))["node"]["socialAccounts"]
    before = {**variables, "before": last["pageInfo"]["startCursor"]}
    first = (await bob.execute(CREATORS_LIST, before))["node"]["socialAccounts"]

    # then
    assert [[node["displayName"] for node in page["nodes"]] for page in (last, first)] == [
        ["user_2", "user_1"],
        ["user_3"],
    ]
    assert [page["totalCount"] for page in (last, first)] == [3, 3]
    assert [page["pageInfo"]["hasPreviousPage"] for page in (last, first)] == [True, False]
    assert all(node["facebookAccount"] is None for node in last["nodes"])


PLATFORMS = """
query Platforms($platforms: [SocialPlatform!]!) {
  viewer { socialAccounts(platforms: $platforms) { totalCount nodes { __typename displayName } } }
}
"""


async def test_a_list_has_both_platforms_unless_one_is_asked_for(api: Api) -> None:
    # given
    ada = await api.register("ada")
    await connect_named(ada, "bob")
    page = facebook_page(api.canaries, "1", name="Bäckerei")
    await ada.mutate(operations.CONNECT, facebookAccount=facebook_account(api.canaries), facebookPages=[page])

    # when
    both = await listed(ada, orderBy={"field": "DISPLAY_NAME"})
    found = await listed(ada, search="bÄCK")
    of_one = {
        platform: (await ada.execute(PLATFORMS, {"platforms": [platform]}))["viewer"]["socialAccounts"]
        for platform in ("INSTAGRAM", "FACEBOOK_PAGE")
    }

    # then
    assert (both, found) == (["bob", "Bäckerei"], ["Bäckerei"])
    assert of_one == {
        "INSTAGRAM": {
            "totalCount": 1,
            "nodes": [{"__typename": "InstagramAccount", "displayName": "bob"}],
        },
        "FACEBOOK_PAGE": {
            "totalCount": 1,
            "nodes": [{"__typename": "FacebookPage", "displayName": "Bäckerei"}],
        },
    }


def global_id(type_name: str, key: Any) -> str:
    return base64.b64encode(f"{type_name}:{key}".encode()).decode()
