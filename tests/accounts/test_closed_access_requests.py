"""A request for access is closed when its requester sees the account by another way."""

import asyncio
from typing import Any

import pytest

from tests.accounts import access_request_operations as asking
from tests.api import Api, Person
from tests.database import Database, key_of
from tests.people.operations import CHANGE_ROLES
from tests.workspaces import operations as teams

X, Y = "17841405902213202", "17841405902213203"


async def add_team(admin: Person, workspace: str, name: str, *members: Person) -> str:
    """A team of a Workspace with these members; its id."""
    created = await admin.mutate(teams.CREATE_TEAM, workspaceId=workspace, name=name)
    team = str(created["team"]["id"])
    if members:
        await admin.mutate(teams.ADD_TEAM_MEMBERS, teamId=team, userIds=[member.id for member in members])
    return team


class Studio:
    """Ada's Workspace holds X and Y; Eve and Sam are creators there, in the team Film, which sees neither."""

    ada: Person
    eve: Person
    sam: Person
    workspace: str
    film: str
    ids: dict[str, str]

    async def ask(self, person: Person, external_id: str = X) -> str:
        """Ask for an account; the request's id."""
        asked = await person.mutate(
            asking.REQUEST_ACCESS,
            workspaceId=self.workspace,
            socialAccount=asking.key(external_id),
        )
        return str(asked["accessRequest"]["id"])


@pytest.fixture
async def studio(api: Api) -> Studio:
    studio = Studio()
    studio.ada, studio.eve, studio.sam = [await api.register(name) for name in ("ada", "eve", "sam")]
    studio.workspace = await studio.ada.create_workspace("Agency")
    await studio.ada.bring_in(studio.eve, studio.workspace)
    await studio.ada.bring_in(studio.sam, studio.workspace)
    connected = await studio.ada.connect(X, Y, workspace=studio.workspace)
    accounts = [one["socialAccount"] for one in connected["connected"]]
    studio.ids = {account["externalId"]: account["id"] for account in accounts}
    studio.film = await add_team(studio.ada, studio.workspace, "Film", studio.eve, studio.sam)
    return studio


async def requests_of(person: Person) -> dict[str, dict[str, Any]]:
    """The viewer's own requests, by id."""
    found = await person.execute(asking.MY_REQUESTS, {"first": 100})
    return {node["id"]: node for node in found["viewer"]["accessRequests"]["nodes"]}


async def closed(database: Database) -> list[tuple[Any, str | None, str | None]]:
    """What the Workspace's history says was closed: which request, under which name, on which platform."""
    rows = await database.rows(
        "SELECT subject_id, subject_name, platform FROM events "
        "WHERE kind = 'ACCESS_REQUEST_CLOSED' AND workspace_id IS NOT NULL"
    )
    return sorted((row["subject_id"], row["subject_name"], row["platform"]) for row in rows)


def told(database: Database, request: str, external_id: str = X) -> tuple[Any, str, str]:
    key = key_of(request)
    subject = key.hex if database.url.startswith("sqlite") else key
    return subject, f"user_{external_id}", "INSTAGRAM"


async def test_sharing_with_a_team_closes_what_its_members_asked_for(
    studio: Studio, database: Database
) -> None:
    # given
    mine, others, unshared = (
        await studio.ask(studio.eve),
        await studio.ask(studio.sam),
        await studio.ask(studio.eve, Y),
    )

    # when
    await studio.ada.mutate(teams.SHARE, socialAccountIds=[studio.ids[X]], teamIds=[studio.film])

    # then
    requests = await requests_of(studio.eve)
    assert (requests[mine]["status"], requests[mine]["decidedBy"]) == ("CLOSED", None)
    assert requests[mine]["decidedAt"] is not None
    assert requests[mine]["grantedTeams"] == []
    assert requests[mine]["socialAccount"]["id"] == studio.ids[X]
    assert requests[unshared]["status"] == "PENDING"
    assert (await requests_of(studio.sam))[others]["status"] == "CLOSED"
    assert await closed(database) == sorted([told(database, mine), told(database, others)])


async def test_a_grant_closes_what_else_it_lets_people_see(studio: Studio, database: Database) -> None:
    # given a team that sees Y and nobody is in, and three requests
    photo = await add_team(studio.ada, studio.workspace, "Photo")
    await studio.ada.mutate(teams.SHARE, socialAccountIds=[studio.ids[Y]], teamIds=[photo])
    granted, seen_with_it, others = (
        await studio.ask(studio.eve),
        await studio.ask(studio.eve, Y),
        await studio.ask(studio.sam),
    )

    # when X is shared with Sam's team too, and Eve comes to see Y
    await studio.ada.mutate(asking.GRANT, accessRequestId=granted, teamIds=[studio.film, photo])

    # then
    requests = await requests_of(studio.eve)
    assert {one: requests[one]["status"] for one in (granted, seen_with_it)} == {
        granted: "GRANTED",
        seen_with_it: "CLOSED",
    }
    assert (await requests_of(studio.sam))[others]["status"] == "CLOSED"
    assert await closed(database) == sorted([told(database, seen_with_it, Y), told(database, others)])


async def test_sharing_with_a_team_closes_nothing_that_others_asked_for(
    studio: Studio, api: Api, database: Database
) -> None:
    # given somebody who is in no team
    tom = await api.register("tom")
    await studio.ada.bring_in(tom, studio.workspace)
    request = await studio.ask(tom)

    # when
    await studio.ada.mutate(teams.SHARE, socialAccountIds=[studio.ids[X]], teamIds=[studio.film])

    # then
    assert (await requests_of(tom))[request]["status"] == "PENDING"
    assert await closed(database) == []


async def test_asking_and_sharing_at_once_leaves_nothing_pending(studio: Studio) -> None:
    shared = {"socialAccountIds": [studio.ids[X]], "teamIds": [studio.film]}
    for _ in range(5):
        # when
        await asyncio.gather(
            studio.eve.mutate(
                asking.REQUEST_ACCESS, workspaceId=studio.workspace, socialAccount=asking.key(X)
            ),
            studio.ada.mutate(teams.SHARE, **shared),
        )

        # then the request was closed, or refused because Eve saw the account
        assert {request["status"] for request in (await requests_of(studio.eve)).values()} <= {"CLOSED"}
        await studio.ada.mutate(teams.UNSHARE, **shared)


async def test_who_joins_a_team_or_becomes_an_admin_has_no_request_left(studio: Studio, api: Api) -> None:
    # given two creators outside of the team that sees X
    tom, kim = await api.register("tom"), await api.register("kim")
    for person in (tom, kim):
        await studio.ada.bring_in(person, studio.workspace)
    await studio.ada.mutate(teams.SHARE, socialAccountIds=[studio.ids[X]], teamIds=[studio.film])
    seen, unseen = await studio.ask(tom), await studio.ask(tom, Y)
    every = [await studio.ask(kim), await studio.ask(kim, Y)]

    # when
    await studio.ada.mutate(teams.ADD_TEAM_MEMBERS, teamId=studio.film, userIds=[tom.id])
    await studio.ada.mutate(
        CHANGE_ROLES, workspaceId=studio.workspace, members=[{"userId": kim.id, "role": "ADMIN"}]
    )

    # then
    requests = {**await requests_of(tom), **await requests_of(kim)}
    assert [requests[one]["status"] for one in (seen, unseen, *every)] == [
        "CLOSED",
        "PENDING",
        "CLOSED",
        "CLOSED",
    ]
