"""`allowMove`: what the viewer may move is moved and renewed in the same call."""

from typing import Any

import pytest

from graphql_api.settings import Settings
from tests import operations
from tests.api import Api, Person, facebook_account, facebook_page, instagram_account
from tests.canaries import PASSWORD
from tests.conftest import make_settings
from tests.database import Database

X = "17841405902213202"


def accounts(result: Any) -> list[tuple[str, str]]:
    return [(one["outcome"], one["socialAccount"]["externalId"]) for one in result["connected"]]


async def with_scope(person: Person) -> Person:
    """The same person with an API token that reads access tokens."""
    result = await person.api.mutate(
        operations.LOG_IN,
        {"email": person.email, "password": PASSWORD, "label": "worker", "scopes": ["READ_ACCESS_TOKENS"]},
    )
    return Person(person.api, person.email, person.id, result["bearerToken"])


async def test_a_refusal_with_move_succeeds_with_allow_move_and_renews_the_access_token(
    api: Api, database: Database
) -> None:
    # given
    ada = await api.register("ada")
    workspace = await ada.create_workspace()
    held = (await ada.connect(X, workspace=workspace))["connected"][0]["socialAccount"]
    await ada.mutate(
        "mutation($input: RenameSocialAccountInput!) { renameSocialAccount(input: $input) { __typename } }",
        socialAccountId=held["id"],
        nickname="Ours",
    )
    fresh = api.canaries.access_token("fresh")
    asked = {
        "facebookAccount": facebook_account(api.canaries),
        "instagramAccounts": [instagram_account(api.canaries, X, accessToken=fresh, username="new.name")],
    }
    refused = await ada.mutate(operations.CONNECT, **asked)
    assert refused["errors"][0]["resolutions"] == ["MOVE", "DISCONNECT"]

    # when
    result = await ada.mutate(operations.CONNECT, **asked, allowMove=True)

    # then
    (moved,) = result["connected"]
    assert moved["outcome"] == "MOVED"
    account = moved["socialAccount"]
    assert (account["id"], account["nickname"], account["createdAt"]) == (
        held["id"],
        "Ours",
        held["createdAt"],
    )
    assert (account["displayName"], account["holder"]["__typename"]) == ("new.name", "User")
    tokens = (await (await with_scope(ada)).execute(operations.ACCESS_TOKENS))["viewer"]["socialAccounts"]
    assert [node["accessToken"] for node in tokens["nodes"]] == [fresh]
    counts = await database.rows(
        "SELECT held_count FROM users UNION ALL SELECT held_count FROM workspaces ORDER BY 1"
    )
    assert [row["held_count"] for row in counts] == [0, 1]


async def test_both_places_keep_an_event_of_the_move(api: Api, database: Database) -> None:
    ada = await api.register("ada")
    workspace = await ada.create_workspace()
    await ada.connect(X, workspace=workspace)

    await ada.connect(X, allowMove=True)

    kinds = await database.rows(
        "SELECT kind, workspace_id IS NULL AS own FROM events ORDER BY workspace_id, seq"
    )
    told = [(row["kind"], bool(row["own"])) for row in kinds if row["kind"].startswith("SOCIAL_ACCOUNT")]
    assert sorted(told) == [
        ("SOCIAL_ACCOUNT_CONNECTED", False),
        ("SOCIAL_ACCOUNT_MOVED", False),
        ("SOCIAL_ACCOUNT_MOVED", True),
        ("SOCIAL_ACCOUNT_RECONNECTED", True),
    ]


async def test_what_is_free_held_here_and_movable_goes_in_one_call(api: Api) -> None:
    # given
    ada = await api.register("ada")
    one, two = await ada.create_workspace("One"), await ada.create_workspace("Two")
    await ada.connect("1", pages=["1"], workspace=one)
    await ada.connect("2")
    await ada.connect("3", workspace=two)

    # when
    result = await ada.connect("4", "2", "1", "3", pages=["1"], workspace=two, allowMove=True)

    # then
    assert accounts(result) == [
        ("CONNECTED", "4"),
        ("MOVED", "2"),
        ("MOVED", "1"),
        ("RECONNECTED", "3"),
        ("MOVED", "1"),
    ]
    assert (await ada.held(two), await ada.held(one), await ada.held()) == (["1", "1", "2", "3", "4"], [], [])


async def test_what_somebody_else_holds_is_not_moved(api: Api, database: Database) -> None:
    # given
    ada, eve = await api.register("ada"), await api.register("eve")
    workspace = await ada.create_workspace()
    await ada.bring_in(eve, workspace)
    await ada.connect("1", workspace=workspace)
    await ada.connect("2")
    before = await database.everything()

    # when
    result = await eve.connect("1", "2", allowMove=True)

    # then
    assert [error["__typename"] for error in result["errors"]] == ["HeldByWorkspace", "HeldElsewhere"]
    assert await database.everything() == before


async def test_with_connect_others_the_rest_is_moved_all_the_same(api: Api) -> None:
    ada, eve = await api.register("ada"), await api.register("eve")
    workspace = await ada.create_workspace()
    await ada.connect("1")
    await eve.connect("2")

    result = await ada.connect("1", "2", workspace=workspace, policy="CONNECT_OTHERS", allowMove=True)

    assert accounts(result) == [("MOVED", "1")]
    assert [error["__typename"] for error in result["notConnected"]] == ["HeldElsewhere"]


async def test_a_retry_gives_the_move_again_and_moves_nothing_twice(api: Api, database: Database) -> None:
    # given
    ada = await api.register("ada")
    workspace = await ada.create_workspace()
    await ada.connect(X)
    first = await ada.connect(X, workspace=workspace, allowMove=True, idempotencyKey="once")
    before = await database.everything()

    # when
    second = await ada.connect(X, workspace=workspace, allowMove=True, idempotencyKey="once")

    # then
    assert accounts(first) == [("MOVED", X)]
    assert second == first
    assert await database.everything() == before


class TestInASmallPlace:
    """A move counts as a new account for the room."""

    @pytest.fixture
    def settings(self, database_url: str) -> Settings:
        return make_settings(database_url, max_accounts_per_holder=2)

    async def test_without_room_the_limit_is_reported_and_not_who_holds_it(
        self, api: Api, database: Database
    ) -> None:
        # given
        ada = await api.register("ada")
        workspace = await ada.create_workspace()
        await ada.connect("1", "2", workspace=workspace)
        await ada.connect(X)
        before = await database.everything()

        # when
        answers = [await ada.connect(X, workspace=workspace, allowMove=move) for move in (False, True)]

        # then
        for answer in answers:
            (error,) = answer["errors"]
            assert (error["__typename"], error["limit"], error["used"]) == ("AccountLimitReached", 2, 2)
            assert error["message"].endswith("This place holds 2 of at most 2 social accounts")
        assert await database.everything() == before

    async def test_what_is_moved_and_what_is_free_fill_it_up_in_input_order(self, api: Api) -> None:
        ada = await api.register("ada")
        workspace = await ada.create_workspace()
        await ada.connect("1")

        result = await ada.mutate(
            operations.CONNECT,
            facebookAccount=facebook_account(api.canaries),
            instagramAccounts=[instagram_account(api.canaries, one) for one in ("2", "1", "3")],
            facebookPages=[facebook_page(api.canaries, "4")],
            workspaceId=workspace,
            allowMove=True,
            onConflict="CONNECT_OTHERS",
        )

        assert accounts(result) == [("CONNECTED", "2"), ("MOVED", "1")]
        assert [(error["path"][1], error["used"]) for error in result["notConnected"]] == [
            ("instagramAccounts", 2),
            ("facebookPages", 2),
        ]
