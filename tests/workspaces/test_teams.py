"""Teams: who makes them, who is in them, and what their members see."""

import asyncio
from collections import Counter
from collections.abc import Iterable
from typing import Any
from uuid import uuid4

from tests import operations
from tests.api import Api, Person, paths
from tests.database import Database
from tests.people.operations import REMOVE
from tests.workspaces.operations import (
    ADD_TEAM_MEMBERS,
    CREATE_TEAM,
    DELETE_TEAM,
    REMOVE_TEAM_MEMBERS,
    RENAME_TEAM,
    SHARE,
    TEAM,
    TEAMS,
    UNSHARE,
)
from tests.workspaces.test_members import kinds, team_of


async def make_team(admin: Person, workspace: str, name: str = "Films", *members: Person) -> str:
    """Make a team of these members; its id."""
    team = str((await admin.mutate(CREATE_TEAM, workspaceId=workspace, name=name))["team"]["id"])
    if members:
        await admin.mutate(ADD_TEAM_MEMBERS, teamId=team, userIds=[one.id for one in members])
    return team


async def connected(
    admin: Person, workspace: str | None, *instagram_user_ids: str, pages: Iterable[str] = ()
) -> list[str]:
    """Connect accounts; their ids."""
    result = await admin.connect(*instagram_user_ids, pages=pages, workspace=workspace)
    return [one["socialAccount"]["id"] for one in result["connected"]]


async def team_names(person: Person, workspace: str) -> list[str]:
    node = (await person.execute(TEAMS, {"id": workspace}))["node"]
    return [team["name"] for team in node["teams"]["nodes"]]


async def seen(person: Person, team: str) -> Any:
    return (await person.execute(TEAM, {"id": team}))["node"]


def numbers(team: Any) -> list[str]:
    return [one["externalId"] for one in team["socialAccounts"]["nodes"]]


async def test_an_admin_makes_teams_and_every_member_sees_them(api: Api, database: Database) -> None:
    # given
    workspace, (ada, eve) = await team_of(api, "CREATOR")

    # when
    result = await ada.mutate(CREATE_TEAM, workspaceId=workspace, name=" Films ")
    await ada.mutate(CREATE_TEAM, workspaceId=workspace, name="Art")

    # then
    assert result["team"]["name"] == "Films"
    assert result["team"]["workspace"] == {"id": workspace}
    assert await team_names(ada, workspace) == await team_names(eve, workspace) == ["Films", "Art"]
    node = await seen(eve, result["team"]["id"])
    assert (node["name"], node["workspace"]["viewerRole"]) == ("Films", "CREATOR")
    assert (await kinds(database, "workspace_id", workspace))[-2:] == ["TEAM_CREATED"] * 2


async def test_teams_come_in_pages(api: Api) -> None:
    workspace, (ada,) = await team_of(api)
    for name in "abc":
        await make_team(ada, workspace, name)

    async def page(**arguments: Any) -> Any:
        return (await ada.execute(TEAMS, {"id": workspace, **arguments}))["node"]["teams"]

    first = await page(first=2)
    assert [one["name"] for one in first["nodes"]] == ["a", "b"]
    assert (first["totalCount"], first["pageInfo"]["hasNextPage"]) == (3, True)
    assert (await page(first=2, after=first["pageInfo"]["endCursor"]))["nodes"] == [{"name": "c"}]
    assert (await page(last=1))["nodes"] == [{"name": "c"}]


async def test_a_name_is_one_teams_only_whatever_its_case(api: Api, database: Database) -> None:
    # given
    workspace, (ada,) = await team_of(api)
    other = await ada.create_workspace("Other")
    team = await make_team(ada, workspace, "Straße")
    second = await make_team(ada, workspace, "Second")
    before = await database.everything()

    # when
    refused = [
        await ada.mutate(CREATE_TEAM, workspaceId=workspace, name="STRASSE"),
        await ada.mutate(RENAME_TEAM, teamId=second, name="straße"),
    ]
    empty = await ada.mutate(CREATE_TEAM, workspaceId=workspace, name="")
    same = await ada.mutate(RENAME_TEAM, teamId=team, name="Straße")

    # then
    assert [paths(one["errors"]) for one in refused] == [[("name", "DUPLICATE")]] * 2
    assert paths(empty["errors"]) == [("name", "REQUIRED")]
    assert same["__typename"] == "RenameTeamSuccess"
    assert await database.everything() == before

    # when
    renamed = await ada.mutate(RENAME_TEAM, teamId=team, name="STRASSE")
    elsewhere = await ada.mutate(CREATE_TEAM, workspaceId=other, name="STRASSE")

    # then
    assert renamed["team"] == {"id": team, "name": "STRASSE"}
    assert elsewhere["__typename"] == "CreateTeamSuccess"
    assert (await kinds(database, "workspace_id", workspace))[-1] == "TEAM_RENAMED"


async def test_of_two_who_make_the_same_team_at_the_same_moment_one_does(api: Api) -> None:
    workspace, (ada, eve) = await team_of(api, "ADMIN")

    answers = await asyncio.gather(
        ada.mutate(CREATE_TEAM, workspaceId=workspace, name="Films"),
        eve.mutate(CREATE_TEAM, workspaceId=workspace, name="films"),
    )

    assert Counter(answer["__typename"] for answer in answers) == {
        "CreateTeamSuccess": 1,
        "CreateTeamFailure": 1,
    }


async def test_members_come_and_go_and_nothing_happens_twice(api: Api, database: Database) -> None:
    # given
    workspace, (ada, eve, cleo) = await team_of(api, "CREATOR", "CREATOR")
    team = await make_team(ada, workspace, "Films", eve)

    # when
    added = await ada.mutate(ADD_TEAM_MEMBERS, teamId=team, userIds=[cleo.id, eve.id, ada.id])

    # then
    assert [one["id"] for one in added["users"]] == [cleo.id, eve.id, ada.id]
    assert {one["id"] for one in (await seen(cleo, team))["members"]["nodes"]} == {ada.id, eve.id, cleo.id}
    assert (await kinds(database, "workspace_id", workspace)).count("TEAM_MEMBER_ADDED") == 3

    # when
    for _ in range(2):
        removed = await ada.mutate(REMOVE_TEAM_MEMBERS, teamId=team, userIds=[eve.id])

    # then
    assert removed["users"] == [{"id": eve.id}]
    assert {one["id"] for one in (await seen(eve, team))["members"]["nodes"]} == {ada.id, cleo.id}
    assert (await kinds(database, "workspace_id", workspace)).count("TEAM_MEMBER_REMOVED") == 1


async def test_of_many_none_comes_into_a_team_when_one_cannot(api: Api, database: Database) -> None:
    # given
    workspace, (ada, eve) = await team_of(api, "CREATOR")
    mallory = await api.register("mallory")
    team = await make_team(ada, workspace)
    before = await database.everything()

    # when
    result = await ada.mutate(
        ADD_TEAM_MEMBERS, teamId=team, userIds=[eve.id, mallory.id, eve.id, "nonsense", team]
    )
    many = await ada.mutate(ADD_TEAM_MEMBERS, teamId=team, userIds=[eve.id] * 101)

    # then
    assert paths(result["errors"]) == [
        ("userIds.1", "NOT_FOUND"),
        ("userIds.2", "DUPLICATE"),
        ("userIds.3", "NOT_FOUND"),
        ("userIds.4", "NOT_FOUND"),
    ]
    assert paths(many["errors"]) == [("userIds", "OUT_OF_RANGE")]
    assert await database.everything() == before


async def test_teams_are_managed_by_admins_of_their_workspace_only(api: Api, database: Database) -> None:
    # given
    workspace, (ada, eve) = await team_of(api, "CREATOR")
    mallory = await api.register("mallory")
    team = await make_team(ada, workspace, "Films", eve)
    (account,) = await connected(ada, workspace, "1")
    await ada.mutate(SHARE, socialAccountIds=[account], teamIds=[team])
    before = await database.everything()
    calls: list[tuple[str, dict[str, Any]]] = [
        (RENAME_TEAM, {"teamId": team, "name": "X"}),
        (DELETE_TEAM, {"teamId": team}),
        (ADD_TEAM_MEMBERS, {"teamId": team, "userIds": [eve.id]}),
        (REMOVE_TEAM_MEMBERS, {"teamId": team, "userIds": [eve.id]}),
    ]

    # then
    for mutation, values in calls:
        assert paths((await eve.mutate(mutation, **values))["errors"]) == [("teamId", "NOT_ALLOWED")]
        assert paths((await mallory.mutate(mutation, **values))["errors"]) == [("teamId", "NOT_FOUND")]
    for mutation in (SHARE, UNSHARE):
        both = {"socialAccountIds": [account], "teamIds": [team]}
        assert paths((await eve.mutate(mutation, **both))["errors"]) == [
            ("socialAccountIds.0", "NOT_ALLOWED"),
            ("teamIds.0", "NOT_ALLOWED"),
        ]
        assert paths((await mallory.mutate(mutation, **both))["errors"]) == [
            ("socialAccountIds.0", "NOT_FOUND"),
            ("teamIds.0", "NOT_FOUND"),
        ]
    made = await eve.mutate(CREATE_TEAM, workspaceId=workspace, name="X")
    assert paths(made["errors"]) == [("workspaceId", "NOT_ALLOWED")]
    assert await database.everything() == before


async def test_a_creator_sees_what_is_shared_with_a_team_they_are_in(api: Api, database: Database) -> None:
    # given
    workspace, (ada, eve, cleo) = await team_of(api, "CREATOR", "CREATOR")
    films = await make_team(ada, workspace, "Films", eve)
    art = await make_team(ada, workspace, "Art", cleo)
    one, two, _three = await connected(ada, workspace, "1", "2", "3")

    # when
    result = await ada.mutate(SHARE, socialAccountIds=[two, one], teamIds=[films])
    await ada.mutate(SHARE, socialAccountIds=[one], teamIds=[films, art])

    # then
    assert result["socialAccounts"] == [
        {"id": shared, "connectedTeams": [{"name": "Films"}]} for shared in (two, one)
    ]
    assert result["teams"] == [{"id": films, "name": "Films"}]
    assert await ada.held(workspace) == ["1", "2", "3"]
    assert await eve.held(workspace) == ["1", "2"]
    assert await cleo.held(workspace) == ["1"]
    assert (await kinds(database, "workspace_id", workspace)).count("SOCIAL_ACCOUNT_SHARED") == 3
    # what is shared with another team: that much of it which they see anyway
    assert sorted(numbers(await seen(ada, films))) == ["1", "2"]
    assert sorted(numbers(await seen(eve, films))) == ["1", "2"]
    node = await seen(cleo, films)
    assert node["socialAccounts"]["nodes"] == [
        {"externalId": "1", "connectedTeams": [{"name": "Art"}, {"name": "Films"}]}
    ]
    assert node["socialAccounts"]["totalCount"] == 1

    # when
    for _ in range(2):
        await ada.mutate(UNSHARE, socialAccountIds=[one], teamIds=[films])

    # then
    assert await eve.held(workspace) == ["2"]
    assert await cleo.held(workspace) == ["1"]
    assert (await kinds(database, "workspace_id", workspace)).count("SOCIAL_ACCOUNT_UNSHARED") == 1


async def test_what_a_team_was_shown_comes_in_pages(api: Api) -> None:
    workspace, (ada,) = await team_of(api)
    team = await make_team(ada, workspace)
    accounts = await connected(ada, workspace, "1", "2", "3")
    for account in accounts:
        await ada.mutate(SHARE, socialAccountIds=[account], teamIds=[team])

    async def page(after: str | None) -> Any:
        return (await ada.execute(TEAM, {"id": team, "first": 2, "after": after}))["node"]["socialAccounts"]

    first = await page(None)
    assert [one["externalId"] for one in first["nodes"]] == ["1", "2"]
    assert (first["totalCount"], first["pageInfo"]["hasNextPage"]) == (3, True)
    second = await page(first["pageInfo"]["endCursor"])
    assert [one["externalId"] for one in second["nodes"]] == ["3"]


async def test_sharing_is_all_or_nothing_and_tells_everything_that_is_wrong(
    api: Api, database: Database
) -> None:
    # given
    workspace, (ada,) = await team_of(api)
    other = await ada.create_workspace("Other")
    mallory = await api.register("mallory")
    strange_place = await mallory.create_workspace()
    strange_team = await make_team(mallory, strange_place)
    team, other_team = await make_team(ada, workspace), await make_team(ada, other)
    (account,) = await connected(ada, workspace, "1")
    (other_account,) = await connected(ada, other, "2")
    (own,) = await connected(ada, None, "3")
    (strange,) = await connected(mallory, strange_place, "4")
    before = await database.everything()

    # when
    for mutation in (SHARE, UNSHARE):
        result = await ada.mutate(
            mutation,
            socialAccountIds=[account, other_account, own, strange, account, "nonsense"],
            teamIds=[other_team, team, strange_team, team, str(uuid4())],
        )
        many = await ada.mutate(mutation, socialAccountIds=[account] * 101, teamIds=[team] * 101)

        # then
        assert paths(result["errors"]) == [
            ("socialAccountIds.1", "NOT_ALLOWED"),
            ("socialAccountIds.2", "NOT_ALLOWED"),
            ("socialAccountIds.3", "NOT_FOUND"),
            ("socialAccountIds.4", "DUPLICATE"),
            ("socialAccountIds.5", "NOT_FOUND"),
            ("teamIds.0", "NOT_ALLOWED"),
            ("teamIds.2", "NOT_FOUND"),
            ("teamIds.3", "DUPLICATE"),
            ("teamIds.4", "NOT_FOUND"),
        ]
        assert paths(many["errors"]) == [("socialAccountIds", "OUT_OF_RANGE"), ("teamIds", "OUT_OF_RANGE")]
    assert await database.everything() == before


async def test_a_deleted_team_shows_nothing_any_more(api: Api, database: Database) -> None:
    # given
    workspace, (ada, eve) = await team_of(api, "CREATOR")
    team = await make_team(ada, workspace, "Films", eve)
    (account,) = await connected(ada, workspace, "1")
    await ada.mutate(SHARE, socialAccountIds=[account], teamIds=[team])

    # when
    result = await ada.mutate(DELETE_TEAM, teamId=team)

    # then
    assert result["team"] == {"id": team, "name": "Films"}
    assert await eve.held(workspace) == []
    assert await ada.held(workspace) == ["1"]
    assert (await ada.execute(operations.NODE, {"id": team}))["node"] is None
    assert [await database.rows(f"SELECT * FROM {table}") for table in ("shares", "team_members")] == [[], []]
    assert (await kinds(database, "workspace_id", workspace))[-1] == "TEAM_DELETED"


async def test_a_former_member_sees_no_team_and_nothing_of_what_it_was_shown(api: Api) -> None:
    # given
    workspace, (ada, eve) = await team_of(api, "CREATOR")
    team = await make_team(ada, workspace, "Films", eve)
    (account,) = await connected(ada, workspace, "1")
    await ada.mutate(SHARE, socialAccountIds=[account], teamIds=[team])

    # when
    await ada.mutate(REMOVE, workspaceId=workspace, userId=eve.id)

    # then
    for one in (team, account, workspace):
        assert (await eve.execute(operations.NODE, {"id": one}))["node"] is None


async def test_a_hundred_accounts_are_shared_with_ten_teams_at_once(api: Api) -> None:
    workspace, (ada, eve) = await team_of(api, "CREATOR")
    teams = [await make_team(ada, workspace, f"Team {number}", eve) for number in range(10)]
    accounts = await connected(ada, workspace, *map(str, range(1, 101)))

    result = await ada.mutate(SHARE, socialAccountIds=accounts, teamIds=teams)

    assert len(result["socialAccounts"]) == 100
    assert len(await eve.held(workspace)) == 100
