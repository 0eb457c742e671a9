"""Asking for access to what a Workspace holds: the creator's screen, the admins', and who may do what."""

import asyncio
import json
from dataclasses import dataclass
from typing import Any

import pytest

from graphql_api.settings import Settings
from tests import operations
from tests.accounts import access_request_operations as asking
from tests.api import Api, Person, facebook_account, instagram_account, paths
from tests.conftest import make_settings
from tests.database import Database, key_of, make_team, share

X = "17841405902213202"
JANE = {"name": "jane.doe", "on": "INSTAGRAM"}  # as the requester wrote it
USER = {"name": f"user_{X}", "on": "INSTAGRAM"}


@dataclass
class Scene:
    """An admin's Workspace that holds X, with a creator who does not see it, and a team."""

    admin: Person
    creator: Person
    workspace: str
    team: str

    async def ask(self, person: Person | None = None, **changed: Any) -> Any:
        """Ask for X, by default as the creator."""
        value = {"workspaceId": self.workspace, "socialAccount": asking.key(X, "jane.doe"), **changed}
        return await (person or self.creator).mutate(asking.REQUEST_ACCESS, **value)

    async def asked(self) -> str:
        """A pending request of the creator's; its id."""
        return str((await self.ask())["accessRequest"]["id"])


@pytest.fixture
async def scene(api: Api, database: Database) -> Scene:
    ada, eve = await api.register("ada"), await api.register("eve")
    workspace = await ada.create_workspace("Agency")
    await ada.bring_in(eve, workspace)
    await ada.connect(X, workspace=workspace)
    return Scene(ada, eve, workspace, await make_team(database, workspace, "Film"))


async def requests_to(person: Person, workspace: str, **variables: Any) -> Any:
    found = await person.execute(asking.REQUESTS_TO, {"id": workspace, **variables})
    return found["node"]["accessRequests"]


async def requests_of(person: Person, **variables: Any) -> Any:
    return (await person.execute(asking.MY_REQUESTS, variables))["viewer"]["accessRequests"]


async def events(database: Database, *kinds: str) -> list[tuple[str, str, dict[str, str]]]:
    """The events of these kinds: whose history, which kind, and what they tell, with the subject's name."""
    listed = ", ".join(f"'{kind}'" for kind in kinds)
    rows = await database.rows(
        f"SELECT kind, user_id, subject_name, platform, details FROM events WHERE kind IN ({listed})"
    )
    return sorted(
        (
            (
                "workspace" if row["user_id"] is None else "personal",
                row["kind"],
                {
                    **(json.loads(row["details"]) if isinstance(row["details"], str) else row["details"]),
                    "name": row["subject_name"],
                    **({"on": row["platform"]} if row["platform"] else {}),
                },
            )
            for row in rows
        ),
        key=str,
    )


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


async def test_a_request_is_seen_by_who_asked_and_the_admins_only(
    scene: Scene, api: Api, database: Database
) -> None:
    # given
    request = await scene.asked()
    mallory, other = await api.register("mallory"), await api.register("other")
    await scene.admin.bring_in(other, scene.workspace)
    before = await database.everything()

    # when
    seen = {
        name: (await person.execute(operations.NODE, {"id": request}))["node"] is not None
        for name, person in {
            "creator": scene.creator,
            "admin": scene.admin,
            "other creator": other,
            "stranger": mallory,
        }.items()
    }
    answers = [
        await person.mutate(operation, accessRequestId=request, **more)
        for person in (other, mallory)
        for operation, more in ANSWERS
    ]

    # then
    assert seen == {"creator": True, "admin": True, "other creator": False, "stranger": False}
    assert [paths(answer["errors"]) for answer in answers] == [[("accessRequestId", "NOT_FOUND")]] * 6
    assert (await requests_to(other, scene.workspace))["nodes"] == []
    assert await database.everything() == before


ANSWERS: list[tuple[str, dict[str, Any]]] = [
    (asking.GRANT, {"teamIds": ["VGVhbTpubw=="]}),
    (asking.DECLINE, {}),
    (asking.WITHDRAW, {}),
]


async def test_a_creator_does_not_answer_and_an_admin_does_not_withdraw(
    scene: Scene, database: Database
) -> None:
    # given
    request = await scene.asked()
    before = await database.everything()

    # when
    answers = [
        await scene.creator.mutate(asking.GRANT, accessRequestId=request, teamIds=[scene.team]),
        await scene.creator.mutate(asking.DECLINE, accessRequestId=request),
        await scene.admin.mutate(asking.WITHDRAW, accessRequestId=request),
    ]

    # then
    assert [paths(answer["errors"]) for answer in answers] == [[("accessRequestId", "NOT_ALLOWED")]] * 3
    assert await database.everything() == before


async def test_nobody_answers_their_own_request(scene: Scene, database: Database) -> None:
    # given an admin with a pending request: becoming one closes it, so the database is changed
    request = await scene.asked()
    creator = database.literal(key_of(scene.creator.id))
    await database.rows(f"UPDATE memberships SET role = 'ADMIN' WHERE user_id = {creator}")
    before = await database.everything()

    # when
    answers = [
        await scene.creator.mutate(asking.GRANT, accessRequestId=request, teamIds=[scene.team]),
        await scene.creator.mutate(asking.DECLINE, accessRequestId=request),
    ]

    # then
    assert [paths(answer["errors"]) for answer in answers] == [[("accessRequestId", "NOT_ALLOWED")]] * 2
    assert await database.everything() == before


@pytest.mark.parametrize("end", ["GRANTED", "DECLINED", "WITHDRAWN"])
async def test_a_request_ends_once(scene: Scene, database: Database, end: str) -> None:
    # given
    request = await scene.asked()
    if end == "GRANTED":
        await scene.admin.mutate(asking.GRANT, accessRequestId=request, teamIds=[scene.team])
    elif end == "DECLINED":
        await scene.admin.mutate(asking.DECLINE, accessRequestId=request)
    else:
        await scene.creator.mutate(asking.WITHDRAW, accessRequestId=request)
    before = await database.everything()

    # when
    answers = [
        await scene.admin.mutate(asking.GRANT, accessRequestId=request, teamIds=[scene.team]),
        await scene.admin.mutate(asking.DECLINE, accessRequestId=request),
        await scene.creator.mutate(asking.WITHDRAW, accessRequestId=request),
    ]

    # then
    assert [paths(answer["errors"]) for answer in answers] == [[("accessRequestId", "OTHER")]] * 3
    assert {answer["errors"][0]["message"] for answer in answers} == {
        f"This request is no longer pending: it was {end.lower()}"
    }
    assert await database.everything() == before


async def test_of_two_admins_at_once_one_decides_and_the_other_is_told(
    scene: Scene, api: Api, database: Database
) -> None:
    # given
    second = await api.register("second")
    await scene.admin.bring_in(second, scene.workspace, "ADMIN")
    for number in range(5):
        request = await scene.asked()

        # when
        yes, no = await asyncio.gather(
            scene.admin.mutate(asking.GRANT, accessRequestId=request, teamIds=[scene.team]),
            second.mutate(asking.DECLINE, accessRequestId=request, reason="no"),
        )

        # then
        (won,) = (answer for answer in (yes, no) if answer["__typename"].endswith("Success"))
        (lost,) = (answer for answer in (yes, no) if answer["__typename"].endswith("Failure"))
        assert paths(lost["errors"]) == [("accessRequestId", "OTHER")]
        (mine, *_) = (await requests_of(scene.creator))["nodes"]
        assert mine["status"] == won["accessRequest"]["status"]
        assert (await scene.creator.held(scene.workspace) == [X]) is (mine["status"] == "GRANTED")
        told = await events(database, "ACCESS_REQUEST_GRANTED", "ACCESS_REQUEST_DECLINED")
        assert len(told) == 2 * (number + 1)
        await database.rows("DELETE FROM shares")


async def test_withdrawing_and_granting_at_once_ends_it_once(scene: Scene) -> None:
    for _ in range(5):
        request = await scene.asked()

        answers = await asyncio.gather(
            scene.admin.mutate(asking.DECLINE, accessRequestId=request),
            scene.creator.mutate(asking.WITHDRAW, accessRequestId=request),
        )

        assert sorted(answer["__typename"][-7:] for answer in answers) == ["Failure", "Success"]


async def test_teams_are_of_the_workspace_each_once_and_at_least_one(
    scene: Scene, database: Database
) -> None:
    # given
    request = await scene.asked()
    other = await make_team(database, await scene.admin.create_workspace("Other"), "Film")
    before = await database.everything()

    # when
    answers = [
        await scene.admin.mutate(asking.GRANT, accessRequestId=request, teamIds=team_ids)
        for team_ids in ([], [scene.team, other, scene.team, "nonsense"], [scene.team] * 101)
    ]

    # then
    assert [paths(answer["errors"]) for answer in answers] == [
        [("teamIds", "TOO_SHORT")],
        [("teamIds.1", "NOT_FOUND"), ("teamIds.2", "DUPLICATE"), ("teamIds.3", "NOT_FOUND")],
        [("teamIds", "TOO_LONG")],
    ]
    assert await database.everything() == before


async def test_what_the_workspace_lost_is_not_granted_until_it_is_back(
    scene: Scene, database: Database
) -> None:
    # given
    request = await scene.asked()
    (pending,) = (await requests_to(scene.admin, scene.workspace))["nodes"]
    await scene.admin.mutate(operations.DISCONNECT, socialAccountIds=[pending["socialAccount"]["id"]])
    before = await database.everything()

    # when
    refused = await scene.admin.mutate(asking.GRANT, accessRequestId=request, teamIds=[scene.team])

    # then
    assert paths(refused["errors"]) == [("accessRequestId", "OTHER")]
    assert "no longer holds this social account" in refused["errors"][0]["message"]
    assert await database.everything() == before
    (still,) = (await requests_to(scene.admin, scene.workspace, status="PENDING"))["nodes"]
    assert (still["id"], still["socialAccount"]) == (request, None)

    # when it is back
    await scene.admin.connect(X, workspace=scene.workspace)
    granted = await scene.admin.mutate(asking.GRANT, accessRequestId=request, teamIds=[scene.team])

    # then
    assert granted["accessRequest"]["status"] == "GRANTED"
    assert await scene.creator.held(scene.workspace) == [X]


async def test_who_has_left_is_not_brought_back_by_a_grant(scene: Scene, database: Database) -> None:
    # given a membership that ended while the request stayed
    request = await scene.asked()
    await database.rows(
        f"DELETE FROM memberships WHERE user_id = {database.literal(key_of(scene.creator.id))}"
    )
    before = await database.everything()

    # when
    refused = await scene.admin.mutate(asking.GRANT, accessRequestId=request, teamIds=[scene.team])

    # then
    assert paths(refused["errors"]) == [("accessRequestId", "OTHER")]
    assert await database.everything() == before
    (mine,) = (await requests_of(scene.creator))["nodes"]
    assert (mine["id"], mine["workspace"], mine["requester"]) == (request, None, {"id": scene.creator.id})
    declined = await scene.admin.mutate(asking.DECLINE, accessRequestId=request)
    assert declined["accessRequest"]["status"] == "DECLINED"


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
