"""Asking for access to what a Workspace holds: the creator's screen and the admins'."""

import asyncio
from typing import Any

import pytest

from graphql_api.settings import Settings
from tests import operations
from tests.accounts import access_request_operations as asking
from tests.accounts.access_request_scene import (
    JANE,
    USER,
    Scene,
    X,
    events,
    make_scene,
    requests_of,
    requests_to,
)
from tests.api import Api, Person, facebook_account, instagram_account, paths
from tests.conftest import make_settings
from tests.database import Database, key_of, make_team, share


@pytest.fixture
async def scene(api: Api, database: Database) -> Scene:
    return await make_scene(api, database)


async def test_a_creator_asks_and_both_screens_show_the_request(scene: Scene, database: Database) -> None:
    # when
    result = await scene.ask(message="  May I?\r\nI film her.  ")

    # then
    assert result["__typename"] == "RequestSocialAccountAccessSuccess"
    request = result["accessRequest"]
    assert request == {
        "id": request["id"],
        "platform": "INSTAGRAM",
        "externalId": X,
        "displayName": "jane.doe",
        "status": "PENDING",
        "message": "May I?\nI film her.",
        "reason": None,
        "createdAt": request["createdAt"],
        "decidedAt": None,
        "requester": {"id": scene.creator.id},
        "decidedBy": None,
        "grantedTeams": [],
        "workspace": {"id": scene.workspace, "name": "Agency"},
        "socialAccount": None,
    }
    mine = await requests_of(scene.creator)
    assert (mine["totalCount"], mine["nodes"]) == (1, [request])
    to_admin = (await requests_to(scene.admin, scene.workspace, status="PENDING"))["nodes"]
    assert [node["id"] for node in to_admin] == [request["id"]]
    assert to_admin[0]["socialAccount"]["displayName"] == f"user_{X}"
    assert await events(database, "ACCESS_REQUESTED") == [("workspace", "ACCESS_REQUESTED", JANE)]


async def test_asking_again_gives_back_the_pending_request_as_it_was(
    scene: Scene, database: Database
) -> None:
    # given
    first = await scene.ask(message="please")
    before = await database.everything()

    # when
    again = await scene.ask(message="please!!!", socialAccount=asking.key(X, "other.name"))

    # then
    assert again == first
    assert await database.everything() == before


async def test_asking_twice_at_once_makes_one_request(scene: Scene, database: Database) -> None:
    answers = await asyncio.gather(*(scene.ask() for _ in range(5)))

    assert len({answer["accessRequest"]["id"] for answer in answers}) == 1
    assert len(await database.rows("SELECT id FROM access_requests")) == 1


async def test_a_grant_shares_the_account_with_the_teams_and_brings_the_requester_in(
    scene: Scene, database: Database
) -> None:
    # given
    request = await scene.asked()
    photo = await make_team(database, scene.workspace, "Photo")

    # when
    result = await scene.admin.mutate(asking.GRANT, accessRequestId=request, teamIds=[scene.team, photo])

    # then
    assert result["__typename"] == "GrantAccessRequestSuccess"
    granted = result["accessRequest"]
    assert (granted["status"], granted["decidedBy"]) == ("GRANTED", {"id": scene.admin.id})
    assert granted["decidedAt"] is not None
    assert [team["name"] for team in granted["grantedTeams"]] == ["Film", "Photo"]
    assert await scene.creator.held(scene.workspace) == [X]
    (mine,) = (await requests_of(scene.creator, status="GRANTED"))["nodes"]
    assert mine == granted
    assert mine["socialAccount"]["displayName"] == f"user_{X}"
    assert await events(
        database, "SOCIAL_ACCOUNT_SHARED", "TEAM_MEMBER_ADDED", "ACCESS_REQUEST_GRANTED"
    ) == sorted(
        [
            ("workspace", "SOCIAL_ACCOUNT_SHARED", {**USER, "team": "Film"}),
            ("workspace", "SOCIAL_ACCOUNT_SHARED", {**USER, "team": "Photo"}),
            ("workspace", "TEAM_MEMBER_ADDED", {"name": "Eve", "team": "Film"}),
            ("workspace", "TEAM_MEMBER_ADDED", {"name": "Eve", "team": "Photo"}),
            ("workspace", "ACCESS_REQUEST_GRANTED", JANE),
            ("personal", "ACCESS_REQUEST_GRANTED", JANE),
        ],
        key=str,
    )


async def test_a_grant_for_a_team_that_has_the_account_and_the_requester_changes_neither(
    scene: Scene, api: Api, database: Database
) -> None:
    # given a team that shows X to somebody else, and one that the requester is in
    request = await scene.asked()
    sam = await api.register("sam")
    await scene.admin.bring_in(sam, scene.workspace)
    await share(database, scene.workspace, sam, "Sees it")
    await database.rows(
        f"INSERT INTO team_members (team_id, user_id, workspace_id, created_at) SELECT id, "
        f"{database.literal(key_of(scene.creator.id))}, workspace_id, created_at FROM teams WHERE name = 'Film'"
    )
    shown = next(
        team["id"] for team in await teams_of(scene.admin, X, scene.workspace) if team["name"] == "Sees it"
    )

    # when
    result = await scene.admin.mutate(asking.GRANT, accessRequestId=request, teamIds=[shown, scene.team])

    # then
    assert result["__typename"] == "GrantAccessRequestSuccess"
    told = await events(database, "SOCIAL_ACCOUNT_SHARED", "TEAM_MEMBER_ADDED")
    assert [(kind, details["team"]) for _, kind, details in told] == [
        ("SOCIAL_ACCOUNT_SHARED", "Film"),
        ("TEAM_MEMBER_ADDED", "Sees it"),
    ]
    assert await scene.creator.held(scene.workspace) == [X]


async def teams_of(person: Person, external_id: str, workspace: str) -> list[dict[str, str]]:
    query = operations.WORKSPACE.replace("connectedTeams { name }", "connectedTeams { id name }")
    nodes = (await person.execute(query, {"id": workspace}))["node"]["socialAccounts"]["nodes"]
    (account,) = (node for node in nodes if node["externalId"] == external_id)
    return list(account["connectedTeams"])


@pytest.mark.parametrize(("given", "told"), [("  We have\nenough.", "We have\nenough."), ("  ", None)])
async def test_a_declined_request_says_why_if_the_admin_did_and_may_be_asked_anew(
    scene: Scene, database: Database, given: str, told: str | None
) -> None:
    # given
    request = await scene.asked()

    # when
    result = await scene.admin.mutate(asking.DECLINE, accessRequestId=request, reason=given)

    # then
    assert result["__typename"] == "DeclineAccessRequestSuccess"
    (mine,) = (await requests_of(scene.creator))["nodes"]
    assert (mine["status"], mine["reason"], mine["decidedBy"]) == (
        "DECLINED",
        told,
        {"id": scene.admin.id},
    )
    assert await scene.creator.held(scene.workspace) == []
    assert [where for where, *_ in await events(database, "ACCESS_REQUEST_DECLINED")] == [
        "personal",
        "workspace",
    ]
    again = await scene.ask()
    assert again["accessRequest"]["id"] != request
    newest_first = [node["status"] for node in (await requests_of(scene.creator))["nodes"]]
    assert newest_first == ["PENDING", "DECLINED"]


async def test_who_asked_takes_it_back(scene: Scene, database: Database) -> None:
    # given
    request = await scene.asked()

    # when
    result = await scene.creator.mutate(asking.WITHDRAW, accessRequestId=request)

    # then
    assert result["accessRequest"]["status"] == "WITHDRAWN"
    assert (result["accessRequest"]["decidedBy"], result["accessRequest"]["decidedAt"]) == (None, None)
    assert (await requests_to(scene.admin, scene.workspace, status="PENDING"))["totalCount"] == 0
    assert await events(database, "ACCESS_REQUEST_WITHDRAWN") == [
        ("workspace", "ACCESS_REQUEST_WITHDRAWN", JANE)
    ]


async def test_only_what_the_workspace_holds_unseen_is_asked_for(
    scene: Scene, api: Api, database: Database
) -> None:
    # given
    mallory, seer = await api.register("mallory"), await api.register("seer")
    await scene.admin.bring_in(seer, scene.workspace)
    await share(database, scene.workspace, seer, "Sees it")
    await mallory.connect("999")
    before = await database.everything()

    # when
    answers = {
        "stranger": await scene.ask(mallory),
        "absent": await scene.ask(workspaceId="V29ya3NwYWNlOm5v"),
        "admin": await scene.ask(scene.admin),
        "sees it": await scene.ask(seer),
        "held elsewhere": await scene.ask(socialAccount=asking.key("999")),
        "held by nobody": await scene.ask(socialAccount=asking.key("998")),
    }

    # then
    assert {name: paths(answer["errors"]) for name, answer in answers.items()} == {
        "stranger": [("workspaceId", "NOT_FOUND")],
        "absent": [("workspaceId", "NOT_FOUND")],
        "admin": [("workspaceId", "NOT_ALLOWED")],
        "sees it": [("socialAccount.externalId", "NOT_ALLOWED")],
        "held elsewhere": [("socialAccount.externalId", "NOT_FOUND")],
        "held by nobody": [("socialAccount.externalId", "NOT_FOUND")],
    }
    assert answers["stranger"] == answers["absent"]
    assert answers["held elsewhere"] == answers["held by nobody"]
    assert await database.everything() == before


async def test_the_same_id_on_two_platforms_is_two_accounts(scene: Scene, database: Database) -> None:
    # given a Facebook Page with the same id, in the same Workspace
    await scene.admin.connect(pages=[X], workspace=scene.workspace)
    page_key = asking.key(X, "  Café Page ", "FACEBOOK_PAGE")

    # when
    instagram = (await scene.ask())["accessRequest"]
    page = (await scene.ask(socialAccount=page_key))["accessRequest"]
    again = (await scene.ask(socialAccount=page_key))["accessRequest"]

    # then
    assert (page["platform"], page["externalId"], page["displayName"]) == ("FACEBOOK_PAGE", X, "Café Page")
    only = "query ($platforms: [SocialPlatform!]!) { viewer { accessRequests(platforms: $platforms) { nodes { id } } } }"
    for platform, request in (("INSTAGRAM", instagram), ("FACEBOOK_PAGE", page)):
        found = await scene.creator.execute(only, {"platforms": [platform]})
        assert found["viewer"]["accessRequests"]["nodes"] == [{"id": request["id"]}]
    assert (instagram["platform"], instagram["id"] != page["id"]) == ("INSTAGRAM", True)
    assert again == page

    # when
    granted = await scene.admin.mutate(asking.GRANT, accessRequestId=page["id"], teamIds=[scene.team])

    # then
    assert granted["accessRequest"]["status"] == "GRANTED"
    mine = {node["id"]: node for node in (await requests_of(scene.creator))["nodes"]}
    assert mine[page["id"]]["socialAccount"]["__typename"] == "FacebookPage"
    assert (mine[instagram["id"]]["status"], mine[instagram["id"]]["socialAccount"]) == ("PENDING", None)
    assert await events(database, "SOCIAL_ACCOUNT_SHARED") == [
        (
            "workspace",
            "SOCIAL_ACCOUNT_SHARED",
            {"name": f"Page {X}", "on": "FACEBOOK_PAGE", "team": "Film"},
        )
    ]


async def test_a_display_name_is_what_its_platform_allows(scene: Scene, database: Database) -> None:
    # given
    before = await database.everything()

    # when
    answers = [
        await scene.ask(socialAccount=asking.key(X, name, platform))
        for platform, name in (
            ("INSTAGRAM", "Café Page"),
            ("INSTAGRAM", ""),
            ("INSTAGRAM", "a" * 31),
            ("FACEBOOK_PAGE", " "),
            ("FACEBOOK_PAGE", "a" * 76),
        )
    ]

    # then
    assert [paths(answer["errors"]) for answer in answers] == [
        [("socialAccount.displayName", code)]
        for code in ("INVALID_FORMAT", "REQUIRED", "TOO_LONG", "REQUIRED", "TOO_LONG")
    ]
    assert await database.everything() == before


async def test_every_mistake_in_a_request_is_told_at_once(scene: Scene) -> None:
    answer = await scene.ask(
        workspaceId="nonsense", socialAccount=asking.key("12\x00", "a..b"), message="x" * 1001
    )

    assert paths(answer["errors"]) == [
        ("workspaceId", "NOT_FOUND"),
        ("socialAccount.externalId", "INVALID_FORMAT"),
        ("socialAccount.displayName", "INVALID_FORMAT"),
        ("message", "TOO_LONG"),
    ]


async def test_requests_are_paged_the_newest_first(scene: Scene) -> None:
    # given
    await scene.admin.connect("1", "2", workspace=scene.workspace)
    for one in ("1", "2", X):
        await scene.ask(socialAccount=asking.key(one))

    # when
    first = await requests_to(scene.admin, scene.workspace, first=2)
    rest = await requests_to(scene.admin, scene.workspace, first=2, after=first["pageInfo"]["endCursor"])

    # then
    assert [node["externalId"] for node in first["nodes"]] == [X, "2"]
    assert [node["externalId"] for node in rest["nodes"]] == ["1"]
    assert (first["totalCount"], first["pageInfo"]["hasNextPage"]) == (3, True)


async def test_a_conflict_says_that_access_was_requested(scene: Scene) -> None:
    # given
    before = (await scene.creator.mutate(asking.CONFLICTS, **claim(scene)))["errors"]
    request = await scene.asked()

    # when
    after = (await scene.creator.mutate(asking.CONFLICTS, **claim(scene)))["errors"]

    # then
    assert [error["pendingAccessRequest"] for error in before] == [None]
    assert [error["pendingAccessRequest"] for error in after] == [{"id": request, "status": "PENDING"}]
    await scene.creator.mutate(asking.WITHDRAW, accessRequestId=request)
    withdrawn = (await scene.creator.mutate(asking.CONFLICTS, **claim(scene)))["errors"]
    assert withdrawn == before


def claim(scene: Scene) -> dict[str, Any]:
    canaries = scene.creator.api.canaries
    return {
        "facebookAccount": facebook_account(canaries),
        "instagramAccounts": [instagram_account(canaries, X)],
    }


class TestWhoAsksTooOften:
    """The allowance is the viewer's, and counted whatever the answer is."""

    @pytest.fixture
    def settings(self, database_url: str) -> Settings:
        return make_settings(database_url, access_requests_per_user=2)

    async def test_waits(self, scene: Scene) -> None:
        # given
        await scene.ask(socialAccount=asking.key("998"))
        await scene.ask()

        # when
        answer = await scene.creator.api.post(
            asking.REQUEST_ACCESS,
            {"input": {"workspaceId": scene.workspace, "socialAccount": asking.key(X)}},
            token=scene.creator.token,
        )

        # then
        (error,) = answer.json()["errors"]
        assert error["extensions"]["code"] == "RATE_LIMITED"
        assert 3590 <= error["extensions"]["retryAfter"] <= 3600
        assert paths((await scene.ask(scene.admin))["errors"]) == [("workspaceId", "NOT_ALLOWED")]
