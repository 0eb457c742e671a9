"""One login renews many accounts, wherever they are and the viewer may."""

from typing import Any

import pytest

from tests import operations
from tests.accounts.meta_operations import KINDS, RECHECK, RECONNECT
from tests.accounts.proven import Meta, connect, login, of_any, problems
from tests.api import Api, Person
from tests.database import Database
from tests.workspaces.operations import SHARE
from tests.workspaces.test_teams import make_team


async def reconnect(person: Person, token: str, *ids: str, **others: Any) -> Any:
    return await person.mutate(RECONNECT, facebookAccount=login(token, **others), socialAccountIds=list(ids))


async def ids_of(person: Person, token: str, *external_ids: str, workspace: str | None = None) -> list[str]:
    """Connect accounts; their ids."""
    result = await connect(person, token, *external_ids, workspaceId=workspace)
    return [one["socialAccount"]["id"] for one in result["connected"]]


def renewed(result: Any) -> list[str]:
    return [one["externalId"] for one in result["socialAccounts"]]


async def test_accounts_of_several_places_are_renewed_in_input_order_and_stay_where_they_are(
    meta: Meta, api: Api
) -> None:
    # given
    ada, ben = await api.register("ada"), await api.register("ben")
    agency, studio = await ada.create_workspace("Agency"), await ada.create_workspace("Studio")
    await ada.bring_in(ben, agency, "ADMIN")
    ids = [
        *(await ids_of(ada, of_any("3"), "3", workspace=studio)),
        *(await ids_of(ben, of_any("1", fb="7002"), "1", workspace=agency)),
        *(await ids_of(ada, of_any("2"), "2")),
    ]
    meta.calls.clear()

    # when
    result = await reconnect(ada, of_any("1", "2", "3"), *ids)

    # then
    assert [one["id"] for one in result["socialAccounts"]] == ids
    assert {one["connectedBy"]["name"] for one in result["socialAccounts"]} == {"Ada"}
    assert {one["health"]["state"] for one in result["socialAccounts"]} == {"WORKING"}
    assert result["notReconnected"] == []
    assert (await ada.held(), await ada.held(agency), await ada.held(studio)) == (["2"], ["1"], ["3"])
    assert meta.calls.count("accounts") == 1
    kinds = [one["kind"] for one in (await ada.execute(KINDS))["viewer"]["events"]["nodes"]]
    assert kinds.count("SOCIAL_ACCOUNT_RECONNECTED") == 1, "the others' events are in their Workspaces"


async def test_what_the_login_does_not_control_is_told_and_the_others_are_renewed(
    meta: Meta, api: Api, database: Database
) -> None:
    # given
    ada = await api.register("ada")
    ids = await ids_of(ada, of_any("1", "2"), "1", "2")
    query = "SELECT external_id, access_version FROM social_accounts ORDER BY external_id"

    # when
    result = await reconnect(ada, of_any("2"), *ids)

    # then
    assert renewed(result) == ["2"]
    (error,) = result["notReconnected"]
    assert (error["path"], error["problem"]) == (["input", "socialAccountIds", "0"], "WRONG_ACCOUNT")
    assert (
        error["message"]
        == "Instagram account user_1 not reconnected. This Facebook login does not control this account"
    )
    versions = {row["external_id"]: row["access_version"] for row in await database.rows(query)}
    assert versions == {"1": 1, "2": 2}
    assert meta.calls


async def test_if_none_can_be_renewed_it_is_a_failure_and_nothing_is_written(
    meta: Meta, api: Api, database: Database
) -> None:
    ada = await api.register("ada")
    ids = await ids_of(ada, of_any("1"), "1")
    before = await database.everything()

    result = await reconnect(ada, "TEST-eve", *ids)

    assert problems(result) == [("socialAccountIds.0", "WRONG_ACCOUNT")]
    assert await database.everything() == before
    assert meta.calls


async def test_a_refused_login_is_the_only_error(meta: Meta, api: Api) -> None:
    ada = await api.register("ada")
    ids = await ids_of(ada, of_any("1"), "1")

    result = await reconnect(ada, of_any("1", condition="-revoked"), *ids)

    assert problems(result) == [("facebookAccount.accessToken", "REVOKED")]
    assert meta.calls


async def test_an_account_of_somebody_else_looks_like_one_that_is_not_there(meta: Meta, api: Api) -> None:
    # given
    ada, mallory = await api.register("ada"), await api.register("mallory")
    (theirs,) = await ids_of(ada, of_any("1"), "1")
    (own,) = await ids_of(mallory, of_any("2"), "2")
    await mallory.mutate(operations.DISCONNECT, socialAccountIds=[own])
    meta.calls.clear()

    # when
    not_theirs = await reconnect(mallory, of_any("1"), theirs)
    gone = await reconnect(mallory, of_any("1"), own)

    # then
    assert not_theirs == gone
    assert problems(gone) == [("socialAccountIds.0", "NOT_FOUND")]
    assert meta.calls == []


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (0, ("socialAccountIds", "TOO_SHORT")),
        (101, ("socialAccountIds", "TOO_LONG")),
        (2, ("socialAccountIds.1", "DUPLICATE")),
    ],
)
async def test_wrong_lists_are_refused_before_meta_is_asked(
    meta: Meta, api: Api, count: int, expected: tuple[str, str]
) -> None:
    ada = await api.register("ada")
    (one,) = await ids_of(ada, of_any("1"), "1")
    meta.calls.clear()

    result = await reconnect(ada, of_any("1"), *[one] * count)

    assert problems(result) == [expected]
    assert meta.calls == []


async def test_a_creator_renews_what_they_see_and_control(meta: Meta, api: Api) -> None:
    # given
    ada, cleo = await api.register("ada"), await api.register("cleo")
    workspace = await ada.create_workspace()
    await ada.bring_in(cleo, workspace)
    shared, hidden = await ids_of(ada, of_any("1", "2"), "1", "2", workspace=workspace)
    team = await make_team(ada, workspace, "Team", cleo)
    await ada.mutate(SHARE, socialAccountIds=[shared], teamIds=[team])

    # when
    result = await reconnect(cleo, of_any("1", "2", fb="7009"), shared, hidden)

    # then
    assert renewed(result) == ["1"]
    assert [(one["path"][-1], one["code"]) for one in result["notReconnected"]] == [("1", "NOT_FOUND")]
    assert await ada.held(workspace) == ["1", "2"]
    assert meta.calls


async def test_a_broken_account_is_healed_by_a_new_login(meta: Meta, api: Api) -> None:
    # given
    ada = await api.register("ada")
    (one,) = await ids_of(ada, of_any("1", condition=f"-revoked@{meta.at(hours=1)}"), "1")
    meta.wait(hours=2)
    broken = await ada.mutate(RECHECK, socialAccountIds=[one])
    assert broken["socialAccounts"][0]["health"]["problem"] == "REVOKED"

    # when
    result = await reconnect(ada, of_any("1"), one)

    # then
    health = result["socialAccounts"][0]["health"]
    assert (health["state"], health["problem"]) == ("WORKING", None)


async def test_where_nobody_is_asked_it_is_not_allowed(api: Api) -> None:
    ada = await api.register("ada")
    (one,) = await ids_of(ada, of_any("1"), "1")

    assert problems(await reconnect(ada, of_any("1"), one)) == [("facebookAccount", "NOT_ALLOWED")]
