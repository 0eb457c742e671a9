"""Members: their roles, how they go, and that a Workspace always keeps an admin."""

import asyncio
import base64
from collections import Counter
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from tests import operations
from tests.api import Api, Person, paths
from tests.canaries import PASSWORD
from tests.database import Database, key_of, make_team, share
from tests.people.operations import CHANGE_ROLES, DELETE_USER, LEAVE, REMOVE, RENAME_WORKSPACE
from tests.workspaces.operations import (
    ADD_TEAM_MEMBERS,
    CREATE_TEAM,
    DELETE_TEAM,
    REMOVE_TEAM_MEMBERS,
    RENAME_TEAM,
)

MEMBERS = "query($id: ID!) { node(id: $id) { ... on Workspace { members { nodes { role user { id } } } } } }"


async def roles(person: Person, workspace: str) -> dict[str, str]:
    """Who is in the Workspace, as this member sees it."""
    node = (await person.execute(MEMBERS, {"id": workspace}))["node"]
    return {one["user"]["id"]: one["role"] for one in node["members"]["nodes"]} if node else {}


def change_roles(admin: Person, workspace: str, *roles: tuple[str, str]) -> Any:
    """Give users, by their ids, these roles."""
    members = [{"userId": user, "role": role} for user, role in roles]
    return admin.mutate(CHANGE_ROLES, workspaceId=workspace, members=members)


async def kinds(database: Database, column: str, place: str) -> list[str]:
    """The kinds of event in the history of a place, in their order."""
    rows = await database.rows(
        f"SELECT kind FROM events WHERE {column} = {database.literal(key_of(place))} ORDER BY seq"
    )
    return [row["kind"] for row in rows]


async def team_of(api: Api, *others: str) -> tuple[str, list[Person]]:
    """A Workspace with its admin, Ada, and others in these roles."""
    ada = await api.register("ada")
    workspace = await ada.create_workspace()
    people = [ada]
    for role in others:
        people.append(await api.register(role.lower()))
        await ada.bring_in(people[-1], workspace, role)
    return workspace, people


async def test_an_admin_changes_roles_and_what_they_may_see_follows(api: Api, database: Database) -> None:
    # given
    workspace, (ada, eve) = await team_of(api, "CREATOR")
    await ada.connect("1", workspace=workspace)

    # when
    result = await change_roles(ada, workspace, (eve.id, "ADMIN"))

    # then
    (member,) = result["members"]
    assert (member["role"], member["user"]["id"], member["teams"]) == ("ADMIN", eve.id, [])
    assert result["workspace"]["viewerRole"] == "ADMIN"
    assert await eve.held(workspace) == ["1"]
    assert (await kinds(database, "workspace_id", workspace))[-1] == "MEMBER_ROLE_CHANGED"


async def test_a_role_that_they_have_already_is_no_error_and_no_event(api: Api, database: Database) -> None:
    workspace, (ada, eve) = await team_of(api, "CREATOR")
    before = await database.everything()

    result = await change_roles(ada, workspace, (eve.id, "CREATOR"))

    assert result["__typename"] == "ChangeMemberRolesSuccess"
    assert await database.everything() == before


async def test_who_makes_themself_a_creator_is_told_so(api: Api) -> None:
    workspace, (ada, _eve) = await team_of(api, "ADMIN")

    result = await change_roles(ada, workspace, (ada.id, "CREATOR"))

    assert (result["workspace"]["viewerRole"], result["members"][0]["role"]) == ("CREATOR", "CREATOR")


async def test_an_admin_hands_over_to_another_in_one_call_and_each_change_is_an_event(
    api: Api, database: Database
) -> None:
    # given
    workspace, (ada, eve, bob) = await team_of(api, "CREATOR", "CREATOR")

    # when
    result = await change_roles(ada, workspace, (ada.id, "CREATOR"), (bob.id, "CREATOR"), (eve.id, "ADMIN"))

    # then
    assert [(one["user"]["id"], one["role"]) for one in result["members"]] == [
        (ada.id, "CREATOR"),
        (bob.id, "CREATOR"),
        (eve.id, "ADMIN"),
    ]
    assert result["workspace"]["viewerRole"] == "CREATOR"
    assert await roles(bob, workspace) == {ada.id: "CREATOR", eve.id: "ADMIN", bob.id: "CREATOR"}
    changes = await database.rows(
        "SELECT subject_name FROM events WHERE kind = 'MEMBER_ROLE_CHANGED' ORDER BY seq"
    )
    assert [row["subject_name"] for row in changes] == ["Ada", "Creator"]


async def test_roles_change_all_or_none_and_every_problem_has_its_path(api: Api, database: Database) -> None:
    # given
    workspace, (ada, eve, _) = await team_of(api, "CREATOR", "CREATOR")
    mallory = await api.register("mallory")
    before = await database.everything()

    # when
    mixed = await change_roles(
        ada,
        workspace,
        (eve.id, "ADMIN"),
        (mallory.id, "ADMIN"),
        (eve.id, "CREATOR"),
        ("nonsense", "ADMIN"),
    )
    none = await change_roles(ada, workspace)
    too_many = await change_roles(ada, workspace, *[(eve.id, "ADMIN")] * 101)
    elsewhere = await change_roles(mallory, workspace)

    # then
    assert mixed["errors"][0]["path"] == ["input", "members", "1", "userId"]
    assert paths(mixed["errors"]) == [
        ("members.1.userId", "NOT_FOUND"),
        ("members.2.userId", "DUPLICATE"),
        ("members.3.userId", "NOT_FOUND"),
    ]
    assert paths(none["errors"]) == [("members", "TOO_SHORT")]
    assert paths(too_many["errors"]) == [("members", "TOO_LONG")]
    assert paths(elsewhere["errors"]) == [("workspaceId", "NOT_FOUND"), ("members", "TOO_SHORT")]
    assert await database.everything() == before


async def test_all_admins_at_once_cannot_become_creators(api: Api, database: Database) -> None:
    workspace, (ada, eve, bob) = await team_of(api, "ADMIN", "CREATOR")
    before = await database.everything()

    result = await change_roles(ada, workspace, (bob.id, "CREATOR"), (ada.id, "CREATOR"), (eve.id, "CREATOR"))

    assert paths(result["errors"]) == [
        ("members.1.userId", "NOT_ALLOWED"),
        ("members.2.userId", "NOT_ALLOWED"),
    ]
    assert await database.everything() == before


SEARCH_MEMBERS = """
query Members($id: ID!, $roles: [WorkspaceRole!], $search: String, $teamId: ID, $first: Int, $after: String) {
  node(id: $id) {
    ... on Workspace {
      members(roles: $roles, search: $search, teamId: $teamId, first: $first, after: $after) {
        totalCount nodes { id user { id } teams { name } } pageInfo { hasNextPage endCursor }
      }
    }
  }
}
"""


async def search_members(person: Person, workspace: str, **filters: Any) -> list[str]:
    """The ids of the users whom a filter finds."""
    node = (await person.execute(SEARCH_MEMBERS, {"id": workspace, **filters}))["node"]
    nodes = node["members"]["nodes"]
    assert node["members"]["totalCount"] == len(nodes)
    return [one["user"]["id"] for one in nodes]


async def test_members_are_found_by_role_name_address_and_team(api: Api, database: Database) -> None:
    # given
    ada = await api.register("ada")
    workspace, other = await ada.create_workspace(), await ada.create_workspace("Other")
    eve = await api.register("zoë", email="Eve_1@example.com")
    bob = await api.register("bob", email="eveX1@example.com")
    await ada.bring_in(eve, workspace)
    await ada.bring_in(bob, workspace, "ADMIN")
    team = await make_team(database, workspace, "Films")
    foreign = await make_team(database, other, "Elsewhere")
    await ada.mutate(ADD_TEAM_MEMBERS, teamId=team, userIds=[bob.id])
    await ada.mutate(ADD_TEAM_MEMBERS, teamId=foreign, userIds=[ada.id])

    # when
    async def found(**filters: Any) -> list[str]:
        return await search_members(eve, workspace, **filters)

    # then
    assert await found(roles=["ADMIN"]) == [ada.id, bob.id]
    assert await found(roles=["ADMIN", "CREATOR"]) == [ada.id, eve.id, bob.id]
    assert await found(roles=[]) == []
    assert await found(search="ZOË") == [eve.id]
    assert await found(search=" eve_1@EXAMPLE ") == [eve.id]
    assert await found(search="%") == []
    assert await found(search=" ") == [ada.id, eve.id, bob.id]
    assert await found(teamId=team) == [bob.id]
    assert await found(teamId=team, roles=["CREATOR"]) == []
    assert await found(teamId=foreign) == []
    assert await found(teamId="nonsense") == []


async def test_a_search_that_nothing_can_match_is_bad_input(api: Api) -> None:
    ada = await api.register("ada")
    workspace = await ada.create_workspace()

    for search in ("x" * 101, "a\u0000b"):
        answer = (await api.post(SEARCH_MEMBERS, {"id": workspace, "search": search}, token=ada.token)).json()
        assert [error["extensions"]["code"] for error in answer["errors"]] == ["BAD_USER_INPUT"]


async def test_filtered_members_are_paged(api: Api) -> None:
    # given
    workspace, people = await team_of(api, "CREATOR", "CREATOR", "ADMIN", "CREATOR")
    creators = [person.id for person in people if people.index(person) in {1, 2, 4}]

    # when
    seen, after, more = [], None, True
    while more:
        variables = {"id": workspace, "roles": ["CREATOR"], "first": 2, "after": after}
        page = (await people[0].execute(SEARCH_MEMBERS, variables))["node"]["members"]
        seen += [node["user"]["id"] for node in page["nodes"]]
        more, after = page["pageInfo"]["hasNextPage"], page["pageInfo"]["endCursor"]
        assert page["totalCount"] == 3

    # then
    assert seen == creators


async def test_a_member_has_an_id_of_their_own_and_their_teams_there_by_name(
    api: Api, database: Database
) -> None:
    # given
    workspace, (ada, eve) = await team_of(api, "CREATOR")
    other = await ada.create_workspace("Other")
    await ada.bring_in(eve, other)
    for place, name in ((workspace, "Films"), (workspace, "Ads"), (other, "Elsewhere")):
        team = await make_team(database, place, name)
        await ada.mutate(ADD_TEAM_MEMBERS, teamId=team, userIds=[eve.id])

    # when
    here, there = [
        (await eve.execute(SEARCH_MEMBERS, {"id": place}))["node"]["members"]["nodes"]
        for place in (workspace, other)
    ]

    # then
    assert [[team["name"] for team in member["teams"]] for member in here] == [[], ["Ads", "Films"]]
    assert [[team["name"] for team in member["teams"]] for member in there] == [[], ["Elsewhere"]]
    ids = [member["id"] for member in (*here, *there)]
    assert len(set(ids)) == 4
    assert all(base64.b64decode(one).startswith(b"Member:") for one in ids)


async def test_the_history_names_who_left_and_who_was_removed(api: Api, database: Database) -> None:
    # given
    workspace, (ada, eve, bob) = await team_of(api, "CREATOR", "ADMIN")

    # when
    await eve.mutate(LEAVE, workspaceId=workspace)
    await ada.mutate(REMOVE, workspaceId=workspace, userId=bob.id)

    # then
    rows = await database.rows(
        "SELECT kind, subject_name, workspace_id FROM events WHERE kind IN ('MEMBER_LEFT', 'MEMBER_REMOVED')"
    )
    assert Counter((row["kind"], row["subject_name"], row["workspace_id"] is None) for row in rows) == {
        ("MEMBER_LEFT", "Creator", False): 1,
        ("MEMBER_LEFT", "Creator", True): 1,
        ("MEMBER_REMOVED", "Admin", False): 1,
        ("MEMBER_REMOVED", "Admin", True): 1,
    }


async def test_every_event_of_a_workspace_names_its_subject(api: Api, database: Database) -> None:
    # given
    workspace, (ada, eve) = await team_of(api, "CREATOR")
    team = (await ada.mutate(CREATE_TEAM, workspaceId=workspace, name="Films"))["team"]["id"]

    # when
    await ada.mutate(RENAME_WORKSPACE, workspaceId=workspace, name="Studio")
    await ada.mutate(ADD_TEAM_MEMBERS, teamId=team, userIds=[eve.id])
    await ada.mutate(REMOVE_TEAM_MEMBERS, teamId=team, userIds=[eve.id])
    await ada.mutate(RENAME_TEAM, teamId=team, name="Ads")
    await ada.mutate(DELETE_TEAM, teamId=team)

    # then
    rows = await database.rows(
        "SELECT kind, subject_name FROM events WHERE workspace_id IS NOT NULL ORDER BY seq"
    )
    assert [(row["kind"], row["subject_name"]) for row in rows] == [
        ("WORKSPACE_CREATED", "Agency"),
        ("MEMBER_INVITED", eve.email),
        ("MEMBER_JOINED", "Creator"),
        ("TEAM_CREATED", "Films"),
        ("WORKSPACE_RENAMED", "Studio"),
        ("TEAM_MEMBER_ADDED", "Creator"),
        ("TEAM_MEMBER_REMOVED", "Creator"),
        ("TEAM_RENAMED", "Ads"),
        ("TEAM_DELETED", "Ads"),
    ]


async def test_a_request_ends_when_its_requester_becomes_an_admin(api: Api, database: Database) -> None:
    # given
    workspace, (ada, eve, bob) = await team_of(api, "CREATOR", "CREATOR")
    await ada.connect("1", workspace=workspace)
    for person in (eve, bob):
        await request_access(database, workspace, person, external_id="1")

    # when
    await change_roles(ada, workspace, (eve.id, "ADMIN"), (bob.id, "CREATOR"))

    # then
    requests = await database.rows("SELECT requester_id, status FROM access_requests")
    eves = database.literal(key_of(eve.id)).strip("'")
    assert {str(row["requester_id"]) == eves: row["status"] for row in requests} == {
        True: "CLOSED",
        False: "PENDING",
    }
    assert (await kinds(database, "workspace_id", workspace))[-2:] == [
        "MEMBER_ROLE_CHANGED",
        "ACCESS_REQUEST_CLOSED",
    ]


async def test_a_request_ends_when_its_requester_gets_into_a_team_that_sees_the_account(
    api: Api, database: Database
) -> None:
    # given
    workspace, (ada, eve, bob) = await team_of(api, "CREATOR", "CREATOR")
    await ada.connect("1", workspace=workspace)
    await share(database, workspace, bob, "Films")
    await request_access(database, workspace, eve, external_id="1")
    await request_access(database, workspace, eve, external_id="2")
    blind = await make_team(database, workspace, "Blind")
    data = await ada.execute(SEARCH_TEAMS, {"id": workspace})
    films = {team["name"]: team["id"] for team in data["node"]["teams"]["nodes"]}["Films"]

    async def statuses() -> list[str]:
        rows = await database.rows("SELECT status FROM access_requests ORDER BY external_id")
        return [row["status"] for row in rows]

    # when
    await ada.mutate(ADD_TEAM_MEMBERS, teamId=blind, userIds=[eve.id])
    assert await statuses() == ["PENDING", "PENDING"]
    await ada.mutate(ADD_TEAM_MEMBERS, teamId=films, userIds=[bob.id, eve.id])

    # then
    assert await statuses() == ["CLOSED", "PENDING"]
    assert (await kinds(database, "workspace_id", workspace))[-2:] == [
        "TEAM_MEMBER_ADDED",
        "ACCESS_REQUEST_CLOSED",
    ]


SEARCH_TEAMS = "query($id: ID!) { node(id: $id) { ... on Workspace { teams { nodes { id name } } } } }"


async def test_the_last_admin_cannot_go_in_any_way(api: Api, database: Database) -> None:
    # given
    workspace, (ada, _eve) = await team_of(api, "CREATOR")
    before = await database.everything()

    # when
    demoted = await change_roles(ada, workspace, (ada.id, "CREATOR"))
    removed = await ada.mutate(REMOVE, workspaceId=workspace, userId=ada.id)
    left = await ada.mutate(LEAVE, workspaceId=workspace)

    # then
    assert paths(demoted["errors"]) == [("members.0.userId", "NOT_ALLOWED")]
    assert paths(removed["errors"]) == [("userId", "NOT_ALLOWED")]
    assert paths(left["errors"]) == [("workspaceId", "NOT_ALLOWED")]
    assert await database.everything() == before


async def test_only_admins_manage_members_and_only_members_can_be_managed(
    api: Api, database: Database
) -> None:
    # given
    workspace, (ada, eve) = await team_of(api, "CREATOR")
    mallory = await api.register("mallory")
    before = await database.everything()

    # when
    cases = (
        (eve, workspace, ada.id),
        (mallory, workspace, ada.id),
        (mallory, "nonsense", ada.id),
        (ada, workspace, mallory.id),
        (ada, workspace, workspace),
    )
    changed = [await change_roles(person, place, (user, "ADMIN")) for person, place, user in cases]
    removed = [await person.mutate(REMOVE, workspaceId=place, userId=user) for person, place, user in cases]

    # then
    for refused, at in ((changed, "members.0.userId"), (removed, "userId")):
        assert [paths(result["errors"]) for result in refused] == [
            [("workspaceId", "NOT_ALLOWED")],
            [("workspaceId", "NOT_FOUND")],
            [("workspaceId", "NOT_FOUND")],
            [(at, "NOT_FOUND")],
            [(at, "NOT_FOUND")],
        ]
        assert refused[1]["errors"] == refused[2]["errors"]
    assert await database.everything() == before


async def request_access(
    database: Database,
    workspace: str,
    by: Person,
    status: str = "PENDING",
    *,
    external_id: str | None = None,
) -> None:
    """Write a request for access to an account of the Workspace."""
    now = datetime.now(UTC)
    await database.insert(
        "access_requests",
        id=uuid4(),
        workspace_id=key_of(workspace),
        requester_id=key_of(by.id),
        platform="INSTAGRAM",
        external_id=external_id or str(uuid4().int % 10**15),
        display_name="jane",
        status=status,
        created_at=now,
        updated_at=now,
    )


@pytest.mark.parametrize("way", ["removed", "leaves"])
async def test_who_goes_leaves_the_teams_and_their_pending_requests_are_withdrawn(
    api: Api, database: Database, way: str
) -> None:
    # given
    workspace, (ada, eve) = await team_of(api, "CREATOR")
    elsewhere = await ada.create_workspace("Elsewhere")
    await ada.bring_in(eve, elsewhere)
    await ada.connect("1", workspace=workspace)
    await share(database, workspace, eve, "Team")
    await request_access(database, workspace, eve)
    await request_access(database, workspace, eve, status="DECLINED")
    await request_access(database, elsewhere, eve)
    assert await eve.held(workspace) == ["1"]

    # when
    if way == "removed":
        result = await ada.mutate(REMOVE, workspaceId=workspace, userId=eve.id)
        kind = "MEMBER_REMOVED"
    else:
        result = await eve.mutate(LEAVE, workspaceId=workspace)
        kind = "MEMBER_LEFT"

    # then
    assert result["workspace"]["viewerRole"] == ("ADMIN" if way == "removed" else None)
    assert await roles(ada, workspace) == {ada.id: "ADMIN"}
    assert (await eve.execute(operations.NODE, {"id": workspace}))["node"] is None
    assert await database.rows("SELECT * FROM team_members") == []
    assert await ada.held(workspace) == ["1"]
    requests = await database.rows("SELECT workspace_id, status FROM access_requests")
    here = database.literal(key_of(workspace)).strip("'")
    assert sorted(row["status"] for row in requests if str(row["workspace_id"]) == here) == [
        "DECLINED",
        "WITHDRAWN",
    ]
    assert [row["status"] for row in requests if str(row["workspace_id"]) != here] == ["PENDING"]
    assert (await kinds(database, "workspace_id", workspace))[-2:] == ["ACCESS_REQUEST_WITHDRAWN", kind]
    assert (await kinds(database, "user_id", eve.id))[-1] == kind


async def test_who_was_removed_can_be_invited_again_and_is_in_no_team(api: Api, database: Database) -> None:
    # given
    workspace, (ada, eve) = await team_of(api, "CREATOR")
    await ada.connect("1", workspace=workspace)
    await share(database, workspace, eve, "Team")
    await ada.mutate(REMOVE, workspaceId=workspace, userId=eve.id)

    # when
    await ada.bring_in(eve, workspace)

    # then
    assert await roles(eve, workspace) == {ada.id: "ADMIN", eve.id: "CREATOR"}
    assert await eve.held(workspace) == []


async def test_an_admin_renames_the_workspace(api: Api, database: Database) -> None:
    # given
    workspace, (ada, eve) = await team_of(api, "CREATOR")

    # when
    result = await ada.mutate(RENAME_WORKSPACE, workspaceId=workspace, name=" Studio ")

    # then
    assert result["workspace"] == {"id": workspace, "name": "Studio", "viewerRole": "ADMIN"}
    assert (await kinds(database, "workspace_id", workspace))[-1] == "WORKSPACE_RENAMED"

    # when
    same = await ada.mutate(RENAME_WORKSPACE, workspaceId=workspace, name="Studio")
    empty = await ada.mutate(RENAME_WORKSPACE, workspaceId=workspace, name=" ")
    by_creator = await eve.mutate(RENAME_WORKSPACE, workspaceId=workspace, name="")
    by_stranger = await (await api.register()).mutate(RENAME_WORKSPACE, workspaceId=workspace, name="X")

    # then
    assert same["__typename"] == "RenameWorkspaceSuccess"
    assert paths(empty["errors"]) == [("name", "REQUIRED")]
    assert paths(by_creator["errors"]) == [("workspaceId", "NOT_ALLOWED"), ("name", "REQUIRED")]
    assert paths(by_stranger["errors"]) == [("workspaceId", "NOT_FOUND")]
    assert (await roles(eve, workspace)).keys() == {ada.id, eve.id}
    assert (await kinds(database, "workspace_id", workspace)).count("WORKSPACE_RENAMED") == 1


def demote(person: Person, workspace: str, other: Person) -> Any:
    return change_roles(person, workspace, (other.id, "CREATOR"))


def remove(person: Person, workspace: str, other: Person) -> Any:
    return person.mutate(REMOVE, workspaceId=workspace, userId=other.id)


def leave(person: Person, workspace: str, other: Person) -> Any:
    return person.mutate(LEAVE, workspaceId=workspace)


def demote_oneself(person: Person, workspace: str, other: Person) -> Any:
    return demote(person, workspace, person)


def delete_oneself(person: Person, workspace: str, other: Person) -> Any:
    return person.mutate(DELETE_USER, currentPassword=PASSWORD)


@pytest.mark.parametrize("way", [demote, remove, leave, demote_oneself, delete_oneself])
async def test_two_admins_who_go_at_the_same_moment_leave_one(api: Api, way: Any) -> None:
    for _ in range(5):
        # given
        workspace, (ada, eve, creator) = await team_of(api, "ADMIN", "CREATOR")

        # when
        answers = await asyncio.gather(way(ada, workspace, eve), way(eve, workspace, ada))

        # then
        done = Counter(answer["__typename"].endswith("Success") for answer in answers)
        assert done == {True: 1, False: 1}
        assert Counter((await roles(creator, workspace)).values())["ADMIN"] == 1
