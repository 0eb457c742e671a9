"""Sharing with teams: what a call must name, and what the history says. The rest is in `test_teams`."""

import json
from typing import Any

import pytest

from tests.api import Api, paths
from tests.database import Database
from tests.workspaces import operations as teams
from tests.workspaces.test_teams import connected, make_team


@pytest.mark.parametrize("operation", [teams.SHARE, teams.UNSHARE], ids=["share", "unshare"])
async def test_accounts_and_teams_must_be_named(api: Api, database: Database, operation: str) -> None:
    # given
    ada = await api.register("ada")
    before = await database.everything()

    # when
    result = await ada.mutate(operation, socialAccountIds=[], teamIds=[])

    # then
    assert paths(result["errors"]) == [("socialAccountIds", "TOO_SHORT"), ("teamIds", "TOO_SHORT")]
    assert await database.everything() == before


async def test_the_history_has_each_pair_that_changed(api: Api, database: Database) -> None:
    # given two accounts and two teams, one pair of which is shared
    ada = await api.register("ada")
    workspace = await ada.create_workspace()
    one, two = await connected(ada, workspace, "1", "2")
    film, photo = await make_team(ada, workspace, "Film"), await make_team(ada, workspace, "Photo")
    await ada.mutate(teams.SHARE, socialAccountIds=[one], teamIds=[film])
    everything = {"socialAccountIds": [two, one], "teamIds": [photo, film]}

    # when
    await ada.mutate(teams.SHARE, **everything)
    await ada.mutate(teams.UNSHARE, socialAccountIds=[one], teamIds=[photo])
    await ada.mutate(teams.UNSHARE, **everything)

    # then
    shared = await pairs(database, "SOCIAL_ACCOUNT_SHARED")
    assert shared == [
        ("user_1", "Film"),
        ("user_2", "Photo"),
        ("user_2", "Film"),
        ("user_1", "Photo"),
    ]
    assert await pairs(database, "SOCIAL_ACCOUNT_UNSHARED") == [
        ("user_1", "Photo"),
        ("user_2", "Photo"),
        ("user_2", "Film"),
        ("user_1", "Film"),
    ]


async def pairs(database: Database, kind: str) -> list[tuple[Any, str]]:
    """The accounts' names and the teams' of events of this kind, in their order."""
    rows = await database.rows(f"SELECT subject_name, details FROM events WHERE kind = '{kind}' ORDER BY seq")
    return [(row["subject_name"], json.loads(row["details"])["team"]) for row in rows]
