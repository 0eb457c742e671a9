"""Members: their roles, how they go, and that a Workspace always keeps an admin."""

import asyncio
from collections import Counter
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from tests import operations
from tests.api import Api, Person, paths
from tests.canaries import PASSWORD
from tests.database import Database, key_of, share
from tests.people.operations import CHANGE_ROLE, DELETE_USER, LEAVE, REMOVE, RENAME_WORKSPACE

MEMBERS = "query($id: ID!) { node(id: $id) { ... on Workspace { members { nodes { role user { id } } } } } }"


async def roles(person: Person, workspace: str) -> dict[str, str]:
    """Who is in the Workspace, as this member sees it."""
    node = (await person.execute(MEMBERS, {"id": workspace}))["node"]
    return {one["user"]["id"]: one["role"] for one in node["members"]["nodes"]} if node else {}


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
    result = await ada.mutate(CHANGE_ROLE, workspaceId=workspace, userId=eve.id, role="ADMIN")

    # then
    assert result["member"]["role"] == "ADMIN"
    assert result["member"]["user"]["id"] == eve.id
    assert result["workspace"]["viewerRole"] == "ADMIN"
    assert await eve.held(workspace) == ["1"]
    assert (await kinds(database, "workspace_id", workspace))[-1] == "MEMBER_ROLE_CHANGED"


async def test_a_role_that_they_have_already_is_no_error_and_no_event(api: Api, database: Database) -> None:
    workspace, (ada, eve) = await team_of(api, "CREATOR")
    before = await database.everything()

    result = await ada.mutate(CHANGE_ROLE, workspaceId=workspace, userId=eve.id, role="CREATOR")

    assert result["__typename"] == "ChangeMemberRoleSuccess"
    assert await database.everything() == before


async def test_who_makes_themself_a_creator_is_told_so(api: Api) -> None:
    workspace, (ada, _eve) = await team_of(api, "ADMIN")

    result = await ada.mutate(CHANGE_ROLE, workspaceId=workspace, userId=ada.id, role="CREATOR")

    assert (result["workspace"]["viewerRole"], result["member"]["role"]) == ("CREATOR", "CREATOR")


async def test_the_last_admin_cannot_go_in_any_way(api: Api, database: Database) -> None:
    # given
    workspace, (ada, _eve) = await team_of(api, "CREATOR")
    before = await database.everything()

    # when
    demoted = await ada.mutate(CHANGE_ROLE, workspaceId=workspace, userId=ada.id, role="CREATOR")
    removed = await ada.mutate(REMOVE, workspaceId=workspace, userId=ada.id)
    left = await ada.mutate(LEAVE, workspaceId=workspace)

    # then
    assert paths(demoted["errors"]) == [("userId", "NOT_ALLOWED")]
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
    refused = [
        await person.mutate(mutation, workspaceId=place, userId=user, **more)
        for mutation, more in ((CHANGE_ROLE, {"role": "ADMIN"}), (REMOVE, {}))
        for person, place, user in (
            (eve, workspace, ada.id),
            (mallory, workspace, ada.id),
            (mallory, "nonsense", ada.id),
            (ada, workspace, mallory.id),
            (ada, workspace, workspace),
        )
    ]

    # then
    assert [paths(result["errors"]) for result in refused] == 2 * [
        [("workspaceId", "NOT_ALLOWED")],
        [("workspaceId", "NOT_FOUND")],
        [("workspaceId", "NOT_FOUND")],
        [("userId", "NOT_FOUND")],
        [("userId", "NOT_FOUND")],
    ]
    assert refused[1]["errors"] == refused[2]["errors"]
    assert await database.everything() == before


async def request_access(database: Database, workspace: str, by: Person, status: str = "PENDING") -> None:
    """Write a request for access to an account of the Workspace."""
    now = datetime.now(UTC)
    await database.insert(
        "access_requests",
        id=uuid4(),
        workspace_id=key_of(workspace),
        requester_id=key_of(by.id),
        platform="INSTAGRAM",
        external_id=str(uuid4().int % 10**15),
        username="jane",
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
    return person.mutate(CHANGE_ROLE, workspaceId=workspace, userId=other.id, role="CREATOR")


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
