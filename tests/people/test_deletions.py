"""Deleting Workspaces and users: what goes, what stays, and that the social accounts are free again."""

import asyncio
from typing import Any

import httpx
import pytest

from tests import operations
from tests.api import Api, Person, paths
from tests.canaries import PASSWORD
from tests.database import Database, Rows, key_of, share
from tests.people.operations import DELETE_USER, DELETE_WORKSPACE, LEAVE, UPDATE_PROFILE
from tests.workspaces.test_members import kinds, request_access, roles, team_of


async def accounts(database: Database) -> Rows:
    return await database.rows("SELECT * FROM social_accounts ORDER BY external_id")


def is_free(row: dict[str, Any]) -> bool:
    kept = {name for name, value in row.items() if value is not None}
    return kept == {"id", "platform", "external_id", "access_version", "updated_at"}


async def test_a_deleted_workspace_is_gone_and_its_accounts_are_free(api: Api, database: Database) -> None:
    # given
    workspace, (ada, eve) = await team_of(api, "CREATOR")
    await ada.connect(*map(str, range(1, 31)), workspace=workspace)
    await share(database, workspace, eve, "Team")
    await request_access(database, workspace, eve)
    await ada.mutate(operations.INVITE, workspaceId=workspace, email="x@example.com", role="ADMIN")

    # when
    result = await ada.mutate(DELETE_WORKSPACE, workspaceId=workspace)

    # then
    assert result["workspace"] == {"id": workspace, "name": "Agency", "viewerRole": None}
    assert all(is_free(row) for row in await accounts(database))
    tables = (
        "workspaces",
        "memberships",
        "invitations",
        "teams",
        "team_members",
        "shares",
        "access_requests",
    )
    assert [await database.rows(f"SELECT * FROM {table}") for table in tables] == [[]] * len(tables)
    for person in (ada, eve):
        assert (await kinds(database, "user_id", person.id))[-1] == "WORKSPACE_DELETED"
        assert (await person.execute(operations.NODE, {"id": workspace}))["node"] is None
    # and what was its is anybody's
    mallory = await api.register("mallory")
    assert (await mallory.connect("1"))["connected"][0]["outcome"] == "CONNECTED"


async def test_the_event_of_a_deletion_tells_what_and_by_whom(api: Api, database: Database) -> None:
    workspace, (ada, eve) = await team_of(api, "CREATOR")

    await ada.mutate(DELETE_WORKSPACE, workspaceId=workspace)

    (event,) = await database.rows(
        "SELECT * FROM events WHERE kind = 'WORKSPACE_DELETED' AND user_id = "
        + database.literal(key_of(eve.id))
    )
    assert str(event["subject_id"]).replace("-", "") == key_of(workspace).hex
    assert str(event["actor_id"]).replace("-", "") == key_of(ada.id).hex
    assert event["subject_name"] == "Agency"


async def test_only_an_admin_deletes_a_workspace(api: Api, database: Database) -> None:
    # given
    workspace, (_ada, eve) = await team_of(api, "CREATOR")
    mallory = await api.register("mallory")
    before = await database.everything()

    # when
    by_creator = await eve.mutate(DELETE_WORKSPACE, workspaceId=workspace)
    by_stranger = await mallory.mutate(DELETE_WORKSPACE, workspaceId=workspace)
    of_nothing = await mallory.mutate(DELETE_WORKSPACE, workspaceId="nonsense")

    # then
    assert paths(by_creator["errors"]) == [("workspaceId", "NOT_ALLOWED")]
    assert paths(by_stranger["errors"]) == [("workspaceId", "NOT_FOUND")]
    assert by_stranger == of_nothing
    assert await database.everything() == before


async def test_a_workspace_is_deleted_while_people_join_connect_and_leave(api: Api) -> None:
    for number in range(1, 6):
        # given
        workspace, (ada, eve) = await team_of(api, "ADMIN")
        new = await api.register("new")
        invited = await ada.mutate(operations.INVITE, workspaceId=workspace, email=new.email, role="CREATOR")

        # when
        deleted, *answers = await asyncio.gather(
            ada.mutate(DELETE_WORKSPACE, workspaceId=workspace),
            new.mutate(operations.ACCEPT, code=invited["code"]),
            eve.connect(str(number), workspace=workspace),
            eve.mutate(LEAVE, workspaceId=workspace),
        )

        # then
        assert deleted["__typename"] == "DeleteWorkspaceSuccess"
        for answer in answers:
            assert answer["__typename"].endswith("Success") or {
                code for _, code in paths(answer["errors"])
            } == {"NOT_FOUND"}
        assert await roles(new, workspace) == {}
        assert (await new.connect(str(number)))["connected"][0]["outcome"] == "CONNECTED"


async def refused_token(api: Api, person: Person) -> bool:
    response = await api.post("{ viewer { user { id } } }", token=person.token)
    return response.status_code == httpx.codes.UNAUTHORIZED


async def test_a_deleted_user_is_gone_with_all_that_was_theirs(api: Api, database: Database) -> None:
    # given
    ada = await api.register("ada")
    own = await ada.create_workspace("Own")
    await ada.connect(*map(str, range(1, 31)))
    await ada.connect("100", workspace=own)
    second = await api.mutate(
        operations.LOG_IN, {"email": ada.email, "password": PASSWORD, "label": "b", "scopes": []}
    )

    # when
    result = await ada.mutate(DELETE_USER, currentPassword=PASSWORD)

    # then
    assert result["user"] == {"id": ada.id, "name": "Ada", "email": ada.email}
    assert all(is_free(row) for row in await accounts(database))
    everything = await database.everything()
    assert {table for table, rows in everything.items() if rows} == {"social_accounts"}
    assert await refused_token(api, ada)
    assert await refused_token(api, Person(api, ada.email, ada.id, second["bearerToken"]))
    # and the address is anybody's
    again = await api.mutate(operations.REGISTER, {"email": ada.email, "password": PASSWORD, "name": "Ada"})
    assert again["__typename"] == "RegisterUserSuccess"


async def test_what_a_deleted_user_did_stays_without_their_name(api: Api, database: Database) -> None:
    # given
    workspace, (ada, eve) = await team_of(api, "ADMIN")
    await eve.mutate(UPDATE_PROFILE, name="Eve the Second")
    await eve.connect("1", workspace=workspace)
    assert "Eve" in str(await database.rows("SELECT actor_name FROM events WHERE workspace_id IS NOT NULL"))
    assert (await accounts(database))[0]["facebook_account_id"] is not None

    # when
    await eve.mutate(DELETE_USER, currentPassword=PASSWORD)

    # then
    assert await ada.held(workspace) == ["1"]
    (account,) = await accounts(database)
    assert (account["connected_by_id"], account["facebook_account_id"]) == (None, None)
    assert account["access_token"] is not None
    history = await database.rows(
        "SELECT kind, actor_id FROM events WHERE workspace_id IS NOT NULL ORDER BY seq"
    )
    by_nobody = [row["kind"] for row in history if row["actor_id"] is None]
    assert by_nobody == ["MEMBER_JOINED", "SOCIAL_ACCOUNT_CONNECTED", "MEMBER_LEFT"]
    about = f"subject_id = {database.literal(key_of(eve.id))}"
    names = await database.rows(f"SELECT subject_name FROM events WHERE {about}")
    assert {row["subject_name"] for row in names} == {"a deleted user"}
    assert "Eve" not in str(await database.rows("SELECT actor_name, subject_name, details FROM events"))
    assert await roles(ada, workspace) == {ada.id: "ADMIN"}


async def test_the_only_admin_of_others_is_not_deleted_and_is_told_of_each_workspace(
    api: Api, database: Database
) -> None:
    # given
    _workspace, (ada, eve) = await team_of(api, "CREATOR")
    await ada.bring_in(eve, await ada.create_workspace("Second"))
    await ada.create_workspace("Own")
    before = await database.everything()

    # when
    result = await ada.mutate(DELETE_USER, currentPassword=PASSWORD)

    # then
    assert [(one["path"], one["code"]) for one in result["errors"]] == [(["input"], "NOT_ALLOWED")] * 2
    assert sorted(one["message"].partition(" which")[0].rpartition(" ")[2] for one in result["errors"]) == [
        "Agency,",
        "Second,",
    ]
    assert await database.everything() == before


@pytest.mark.parametrize("password", ["wrong " + PASSWORD, "", "x" * 2000])
async def test_a_wrong_password_deletes_nobody(api: Api, database: Database, password: str) -> None:
    ada = await api.register("ada")
    before = await database.everything()

    result = await ada.mutate(DELETE_USER, currentPassword=password)

    assert paths(result["errors"]) == [("currentPassword", "CredentialsRejected")]
    assert await database.everything() == before


async def test_trying_passwords_to_delete_is_counted(api: Api) -> None:
    ada = await api.register("ada")

    for _ in range(5):
        await ada.mutate(DELETE_USER, currentPassword="wrong " + PASSWORD)
    answer = (await api.post(DELETE_USER, {"input": {"currentPassword": PASSWORD}}, token=ada.token)).json()

    assert [one["extensions"]["code"] for one in answer["errors"]] == ["RATE_LIMITED"]
