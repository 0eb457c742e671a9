"""Who sees and answers requests for access, and how each ends once."""

import asyncio
from typing import Any

import pytest

from tests import operations
from tests.accounts import access_request_operations as asking
from tests.accounts.access_request_scene import (
    Scene,
    X,
    events,
    make_scene,
    requests_of,
    requests_to,
)
from tests.api import Api, paths
from tests.database import Database, key_of, make_team


@pytest.fixture
async def scene(api: Api, database: Database) -> Scene:
    return await make_scene(api, database)


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
