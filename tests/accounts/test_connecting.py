"""Connecting social accounts, over HTTP, on both databases: every row of the conflict table."""

import base64
from typing import Any, cast
from uuid import uuid4

import pytest

from graphql_api.domain.holders import Role
from graphql_api.domain.permissions import ROLES, Action
from graphql_api.settings import Settings
from tests import operations
from tests.api import Api, Person, facebook_account, facebook_page, instagram_account, paths
from tests.database import Database, key_of, share

X = "17841405902213202"
PATH = ["input", "instagramAccounts", "0", "instagramUserId"]


async def test_an_account_that_nobody_holds_is_connected(api: Api) -> None:
    # given
    ada = await api.register("ada")

    # when
    result = await ada.connect(X)

    # then
    assert result["__typename"] == "ConnectSocialAccountsSuccess"
    (connected,) = result["connected"]
    assert connected["outcome"] == "CONNECTED"
    account = connected["socialAccount"]
    assert account["externalId"] == X
    assert account["username"] == f"user_{X}"
    assert account["holder"] == {"__typename": "User", "id": ada.id}
    assert account["connectedBy"] == {"id": ada.id}
    assert account["facebookAccount"] == {
        "id": result["facebookAccount"]["id"],
        "facebookUserId": "100000000000001",
    }
    assert (account["nickname"], account["facebookPageId"], account["connectedTeams"]) == (None, None, [])
    assert result["notConnected"] == []
    assert await ada.held() == [X]


async def test_an_account_that_its_place_holds_is_reconnected_and_keeps_what_it_was(
    api: Api, database: Database
) -> None:
    # given
    ada = await api.register("ada")
    before = (await ada.connect(X))["connected"][0]["socialAccount"]

    # when
    result = await ada.mutate(
        operations.CONNECT,
        facebookAccount=facebook_account(api.canaries, "222"),
        instagramAccounts=[
            instagram_account(
                api.canaries, X, username="renamed", profilePictureUrl="", accessToken="CANARY-newer"
            )
        ],
    )

    # then
    (connected,) = result["connected"]
    after = connected["socialAccount"]
    assert connected["outcome"] == "RECONNECTED"
    assert (after["id"], after["createdAt"], after["nickname"]) == (
        before["id"],
        before["createdAt"],
        before["nickname"],
    )
    assert (after["username"], after["profilePictureUrl"]) == ("renamed", None)
    assert after["facebookAccount"]["facebookUserId"] == "222"
    assert after["updatedAt"] > before["updatedAt"]
    (user,) = await database.rows("SELECT held_count FROM users")
    assert user["held_count"] == 1


async def test_an_admin_reconnects_what_their_workspace_holds_and_is_then_who_connected_it(api: Api) -> None:
    # given
    ada, eve, workspace = await admin_and_member(api, "ADMIN")
    before = (await ada.connect(X, workspace=workspace))["connected"][0]["socialAccount"]

    # when
    result = await eve.connect(X, workspace=workspace)

    # then
    (connected,) = result["connected"]
    assert connected["outcome"] == "RECONNECTED"
    assert connected["socialAccount"]["id"] == before["id"]
    assert connected["socialAccount"]["connectedBy"] == {"id": eve.id}
    assert connected["socialAccount"]["holder"]["id"] == workspace


async def test_an_admin_is_told_to_remove_it_from_their_workspace_first(api: Api, database: Database) -> None:
    # given
    ada = await api.register("ada")
    workspace = await ada.create_workspace("Agency")
    held = (await ada.connect(X, workspace=workspace))["connected"][0]["socialAccount"]
    before = await database.everything()

    # when
    result = await ada.connect(X)

    # then
    assert result["__typename"] == "ConnectSocialAccountsFailure"
    assert result["errors"] == [
        {
            "__typename": "HeldByWorkspace",
            "path": PATH,
            "message": f"Instagram account user_{X} not connected. To connect this social media account to "
            "your Personal, you must first remove it from your Workspace accounts",
            "platform": "INSTAGRAM",
            "externalId": X,
            "resolutions": ["MOVE", "DISCONNECT"],
            "contactEmail": None,
            "socialAccount": {"id": held["id"], "displayName": f"user_{X}"},
            "workspace": {"id": workspace, "name": "Agency", "viewerRole": "ADMIN"},
        }
    ]
    assert await database.everything() == before


async def test_a_creator_is_told_whom_to_ask(api: Api, database: Database) -> None:
    # given
    ada, eve, workspace = await admin_and_member(api, "CREATOR")
    await ada.connect(X, workspace=workspace)
    before = await database.everything()

    # when
    result = await eve.connect(X)

    # then
    assert result["errors"] == [
        {
            "__typename": "HeldByWorkspace",
            "path": PATH,
            "message": f"Instagram account user_{X} not connected. This social account is already connected "
            f"to your Workspace! Please ask {ada.email} for access",
            "platform": "INSTAGRAM",
            "externalId": X,
            "resolutions": ["REQUEST_ACCESS"],
            "contactEmail": ada.email,
            "socialAccount": None,
            "workspace": {"id": workspace, "name": "Agency", "viewerRole": "CREATOR"},
        }
    ]
    assert await database.everything() == before


async def test_a_creator_who_sees_it_through_a_team_has_nothing_to_ask_for(
    api: Api, database: Database
) -> None:
    # given
    ada, eve, workspace = await admin_and_member(api, "CREATOR")
    held = (await ada.connect(X, workspace=workspace))["connected"][0]["socialAccount"]
    await share(database, workspace, eve, "Team")

    # when
    result = await eve.connect(X)

    # then
    (error,) = result["errors"]
    assert (error["resolutions"], error["contactEmail"]) == ([], ada.email)
    assert error["socialAccount"] == {"id": held["id"], "displayName": f"user_{X}"}
    assert error["message"] == (
        f"Instagram account user_{X} not connected. "
        "This social account is already connected to your Workspace, and you have access to it"
    )


async def test_the_contact_is_the_admin_who_connected_it_else_the_longest_serving_one(
    api: Api, database: Database
) -> None:
    # given
    ada, eve, workspace = await admin_and_member(api, "ADMIN")
    zoe = await api.register("zoe")
    await ada.bring_in(zoe, workspace, "CREATOR")
    await eve.connect(X, workspace=workspace)

    # when
    by_connecting = await zoe.connect(X)
    await database.rows(
        f"UPDATE memberships SET role = 'CREATOR' WHERE user_id = {database.literal(key_of(eve.id))}"
    )
    by_serving = await zoe.connect(X)

    # then
    assert by_connecting["errors"][0]["contactEmail"] == eve.email
    assert by_serving["errors"][0]["contactEmail"] == ada.email


async def test_what_their_personal_holds_is_refused_to_a_workspace(api: Api, database: Database) -> None:
    # given
    ada = await api.register("ada")
    workspace = await ada.create_workspace()
    held = (await ada.connect(X))["connected"][0]["socialAccount"]
    before = await database.everything()

    # when
    result = await ada.connect(X, workspace=workspace)

    # then
    assert result["errors"] == [
        {
            "__typename": "HeldByPersonal",
            "path": PATH,
            "message": f"Instagram account user_{X} not connected. To connect this social media account to "
            "this Workspace, you must first remove it from your Personal",
            "platform": "INSTAGRAM",
            "externalId": X,
            "resolutions": ["MOVE", "DISCONNECT"],
            "socialAccount": {"id": held["id"], "displayName": f"user_{X}"},
        }
    ]
    assert await database.everything() == before


@pytest.mark.parametrize("role", ["ADMIN", "CREATOR"])
async def test_another_workspace_of_theirs_answers_by_the_role_there(
    api: Api, database: Database, role: str
) -> None:
    # given
    ada, eve, workspace = await admin_and_member(api, role)
    own = await eve.create_workspace("Own")
    await ada.connect(X, workspace=workspace)
    before = await database.everything()

    # when
    result = await eve.connect(X, workspace=own)

    # then
    (error,) = result["errors"]
    assert error["__typename"] == "HeldByWorkspace"
    assert error["workspace"] == {"id": workspace, "name": "Agency", "viewerRole": role}
    expected: dict[str, tuple[str, list[str], str | None]] = {
        "ADMIN": (
            (
                "To connect this social media account to this Workspace, "
                "you must first remove it from your other Workspace accounts"
            ),
            ["MOVE", "DISCONNECT"],
            None,
        ),
        "CREATOR": (
            f"This social account is already connected to your Workspace! Please ask {ada.email} for access",
            ["REQUEST_ACCESS"],
            ada.email,
        ),
    }
    sentence, resolutions, contact = expected[role]
    assert error["message"] == f"Instagram account user_{X} not connected. {sentence}"
    assert (error["resolutions"], error["contactEmail"]) == (resolutions, contact)
    assert await database.everything() == before


async def test_whoever_else_holds_it_the_answer_is_the_same(api: Api, database: Database) -> None:
    # given
    ada, eve = await api.register("ada"), await api.register("eve")
    strange, own = await ada.create_workspace("Secret"), await eve.create_workspace()
    await ada.connect("1")
    await ada.connect("2", workspace=strange)
    before = await database.everything()

    # when
    answers = [await eve.connect(x, workspace=place) for x in ("1", "2") for place in (None, own)]

    # then
    for x, answer in zip(("1", "1", "2", "2"), answers, strict=True):
        assert answer["errors"] == [
            {
                "__typename": "HeldElsewhere",
                "path": PATH,
                "message": f"Instagram account user_{x} not connected. "
                "This social account is already connected elsewhere",
                "platform": "INSTAGRAM",
                "externalId": x,
                "resolutions": [],
                "pendingTransferRequest": None,
            }
        ]
    assert await database.everything() == before


async def test_a_creator_may_not_connect_into_a_workspace(api: Api, database: Database) -> None:
    # given
    _, eve, workspace = await admin_and_member(api, "CREATOR")
    before = await database.everything()

    # when
    result = await eve.connect(X, workspace=workspace)

    # then
    assert paths(result["errors"]) == [("workspaceId", "NOT_ALLOWED")]
    assert await database.everything() == before


async def test_a_workspace_that_is_absent_malformed_or_strange_is_not_found(
    api: Api, database: Database
) -> None:
    # given
    ada, eve = await api.register("ada"), await api.register("eve")
    strange = await eve.create_workspace()
    absent = base64.b64encode(f"Workspace:{uuid4()}".encode()).decode()
    before = await database.everything()

    # when
    answers = [await ada.connect(X, workspace=one) for one in (strange, absent, "nonsense", "", ada.id, "\0")]

    # then
    assert all(paths(one["errors"]) == [("workspaceId", "NOT_FOUND")] for one in answers)
    assert len({str(one) for one in answers}) == 1
    assert await database.everything() == before


async def test_a_null_workspace_is_the_personal_and_a_login_may_come_alone(api: Api) -> None:
    # given
    ada = await api.register("ada")

    # when
    result = await ada.mutate(
        operations.CONNECT, facebookAccount=facebook_account(api.canaries), workspaceId=None
    )

    # then
    assert result["__typename"] == "ConnectSocialAccountsSuccess"
    assert (result["connected"], result["notConnected"]) == ([], [])
    viewer = (await ada.execute(operations.PERSONAL))["viewer"]
    assert [one["facebookUserId"] for one in viewer["facebookAccounts"]["nodes"]] == ["100000000000001"]
    assert await ada.held() == []


async def test_reject_all_writes_nothing_when_one_of_many_conflicts(api: Api, database: Database) -> None:
    # given
    ada, eve = await api.register("ada"), await api.register("eve")
    await ada.connect("2")
    before = await database.everything()

    # when
    result = await eve.connect("1", "2", "3")

    # then
    assert paths(result["errors"]) == [("instagramAccounts.1.instagramUserId", "HeldElsewhere")]
    assert await database.everything() == before


async def test_connect_others_connects_the_rest_in_input_order(api: Api) -> None:
    # given
    ada, eve = await api.register("ada"), await api.register("eve")
    await ada.connect("2", "4")

    # when
    result = await eve.connect("5", "4", "3", "2", "1", policy="CONNECT_OTHERS")

    # then
    assert result["__typename"] == "ConnectSocialAccountsSuccess"
    connected = [one["socialAccount"]["externalId"] for one in result["connected"]]
    assert connected == ["5", "3", "1"]
    assert paths(result["notConnected"]) == [
        ("instagramAccounts.1.instagramUserId", "HeldElsewhere"),
        ("instagramAccounts.3.instagramUserId", "HeldElsewhere"),
    ]
    assert await eve.held() == ["1", "3", "5"]
    assert await ada.held() == ["2", "4"]


async def test_connect_others_is_a_failure_when_none_could_be_connected(api: Api, database: Database) -> None:
    # given
    ada, eve = await api.register("ada"), await api.register("eve")
    await ada.connect("1", "2")
    before = await database.everything()

    # when
    result = await eve.connect("1", "2", policy="CONNECT_OTHERS")

    # then
    assert result["__typename"] == "ConnectSocialAccountsFailure"
    assert len(result["errors"]) == 2
    assert await database.everything() == before


@pytest.mark.parametrize("policy", ["REJECT_ALL", "CONNECT_OTHERS"])
async def test_wrong_input_fails_under_both_policies_before_any_conflict(
    api: Api, database: Database, policy: str
) -> None:
    # given
    ada, eve = await api.register("ada"), await api.register("eve")
    await ada.connect("1")
    before = await database.everything()

    # when
    result = await eve.connect("1", "2", "x", policy=policy)

    # then
    assert ("instagramAccounts.2.instagramUserId", "INVALID_FORMAT") in paths(result["errors"])
    assert {one["__typename"] for one in result["errors"]} == {"InvalidInput"}
    assert await database.everything() == before


async def test_the_same_facebook_account_is_kept_once_for_each_of_its_users(api: Api) -> None:
    # given
    ada, eve = await api.register("ada"), await api.register("eve")

    # when
    first, again, other = await ada.connect("1"), await ada.connect("2"), await eve.connect("3")

    # then
    assert first["facebookAccount"]["id"] == again["facebookAccount"]["id"]
    assert other["facebookAccount"]["id"] != first["facebookAccount"]["id"]
    assert other["facebookAccount"]["facebookUserId"] == first["facebookAccount"]["facebookUserId"]


async def test_another_admin_does_not_see_whose_facebook_account_vouched_for_it(api: Api) -> None:
    # given
    ada, eve, workspace = await admin_and_member(api, "ADMIN")

    # when
    await ada.connect(X, workspace=workspace)

    # then
    (seen,) = (await eve.execute(operations.WORKSPACE, {"id": workspace}))["node"]["socialAccounts"]["nodes"]
    assert seen["facebookAccount"] is None
    assert seen["connectedBy"] == {"id": ada.id}


class TestInASmallPlace:
    """A place that holds two social accounts at most."""

    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return settings.model_copy(update={"max_accounts_per_holder": 2})

    async def test_more_than_it_may_hold_is_refused(self, api: Api, database: Database) -> None:
        # given
        ada = await api.register("ada")
        await ada.connect("1")
        before = await database.everything()

        # when
        result = await ada.connect("2", "3")

        # then
        assert result["errors"] == [
            {
                "__typename": "AccountLimitReached",
                "path": ["input", "instagramAccounts", "1", "instagramUserId"],
                "message": "Instagram account user_3 not connected. "
                "This place holds 1 of at most 2 social accounts",
                "limit": 2,
                "used": 1,
            }
        ]
        assert await database.everything() == before

    async def test_connect_others_fills_it_up_in_input_order(self, api: Api) -> None:
        # given
        ada = await api.register("ada")

        # when
        result = await ada.connect("9", "5", "7", "1", policy="CONNECT_OTHERS")

        # then
        assert await ada.held() == ["5", "9"]
        assert [(one["limit"], one["used"]) for one in result["notConnected"]] == [(2, 2), (2, 2)]

    async def test_reconnecting_in_a_full_place_does_not_count(self, api: Api) -> None:
        # given
        ada = await api.register("ada")
        await ada.connect("1", "2")

        # when
        result = await ada.connect("2", "1")

        # then
        assert [one["outcome"] for one in result["connected"]] == ["RECONNECTED"] * 2

    async def test_each_place_counts_for_itself_and_disconnecting_makes_room(self, api: Api) -> None:
        # given
        ada = await api.register("ada")
        workspace = await ada.create_workspace()
        held = (await ada.connect("1", "2"))["connected"][0]["socialAccount"]["id"]

        # when
        elsewhere = await ada.connect("3", workspace=workspace)
        await ada.mutate(operations.DISCONNECT, socialAccountIds=[held])
        again = await ada.connect("4")

        # then
        assert elsewhere["__typename"] == again["__typename"] == "ConnectSocialAccountsSuccess"


async def admin_and_member(api: Api, role: str) -> tuple[Person, Person, str]:
    """An admin, somebody in a role in the same Workspace, and the Workspace."""
    ada, eve = await api.register("ada"), await api.register("eve")
    workspace = await ada.create_workspace()
    await ada.bring_in(eve, workspace, role)
    return ada, eve, workspace


@pytest.mark.parametrize(
    "asked",
    [{}, {"idempotencyKey": "once"}, {"policy": "CONNECT_OTHERS"}, {"allowMove": True}],
    ids=["plain", "with a key", "CONNECT_OTHERS", "allowMove"],
)
async def test_who_may_connect_is_decided_by_the_table_of_permissions_on_every_path(
    api: Api, database: Database, monkeypatch: pytest.MonkeyPatch, asked: dict[str, Any]
) -> None:
    # given
    ada, eve = await api.register("ada"), await api.register("eve")
    workspace = await ada.create_workspace()
    await ada.connect("1")
    await eve.connect("2")
    before = await database.everything()
    monkeypatch.setitem(cast("dict[Action, frozenset[Role]]", ROLES), Action.CONNECT, frozenset())

    # when
    results = [await ada.connect(*ids, workspace=workspace, **asked) for ids in (["3"], ["1", "2", "3"], [])]

    # then
    for result in results:
        assert paths(result["errors"]) == [("workspaceId", "NOT_ALLOWED")]
    assert await database.everything() == before


async def test_a_page_is_kept_by_its_name_without_the_white_space_around_it(api: Api) -> None:
    ada = await api.register("ada")

    result = await ada.mutate(
        operations.CONNECT,
        facebookAccount=facebook_account(api.canaries),
        facebookPages=[facebook_page(api.canaries, "1", name="  Ada\u0308 Films ")],
    )

    account = result["connected"][0]["socialAccount"]
    assert (account["__typename"], account["displayName"]) == ("FacebookPage", "Ad\u00e4 Films")


async def test_both_platforms_in_one_call_and_one_id_held_on_both_by_different_people(
    api: Api, database: Database
) -> None:
    # given
    ada, eve = await api.register("ada"), await api.register("eve")
    await eve.connect(pages=["7"])

    # when
    connected = await ada.connect("7", "8", pages=["9"])
    refused = await ada.connect("7", pages=["9", "7"])

    # then
    assert [
        (one["socialAccount"]["platform"], one["socialAccount"]["externalId"])
        for one in connected["connected"]
    ] == [("INSTAGRAM", "7"), ("INSTAGRAM", "8"), ("FACEBOOK_PAGE", "9")]
    (error,) = refused["errors"]
    assert (error["__typename"], error["platform"], error["externalId"]) == (
        "HeldElsewhere",
        "FACEBOOK_PAGE",
        "7",
    )
    assert error["path"] == ["input", "facebookPages", "1", "facebookPageId"]
    assert error["message"].startswith("Facebook Page Page 7 not connected. ")
    told = await database.rows("SELECT platform, subject_name FROM events WHERE platform IS NOT NULL")
    assert {(row["platform"], row["subject_name"]) for row in told} == {
        ("FACEBOOK_PAGE", "Page 7"),
        ("FACEBOOK_PAGE", "Page 9"),
        ("INSTAGRAM", "user_7"),
        ("INSTAGRAM", "user_8"),
    }
