"""Workspaces: making them, inviting, accepting, and who sees what."""

from datetime import UTC, datetime, timedelta

import pytest

from tests import operations
from tests.api import Api, paths
from tests.database import Database

WORKSPACES = "query($role: WorkspaceRole) { viewer { workspaces(role: $role) { totalCount nodes { name viewerRole } } } }"


async def test_who_creates_a_workspace_is_its_admin(api: Api) -> None:
    # given
    ada = await api.register("ada")

    # when
    result = await ada.mutate(operations.CREATE_WORKSPACE, name="  Agency ")

    # then
    workspace = result["workspace"]
    assert (workspace["name"], workspace["viewerRole"]) == ("Agency", "ADMIN")
    seen = (await ada.execute(operations.WORKSPACE, {"id": workspace["id"]}))["node"]
    assert seen["members"]["nodes"] == [{"role": "ADMIN", "user": {"id": ada.id, "email": ada.email}}]
    assert seen["socialAccounts"] == {"totalCount": 0, "nodes": []}


@pytest.mark.parametrize("role", ["ADMIN", "CREATOR"])
async def test_who_was_invited_joins_in_the_role_of_the_invitation(api: Api, role: str) -> None:
    # given
    ada, eve = await api.register("ada"), await api.register("eve")
    workspace = await ada.create_workspace()
    invited = await ada.mutate(operations.INVITE, workspaceId=workspace, email=eve.email.upper(), role=role)

    # when
    result = await eve.mutate(operations.ACCEPT, code=invited["code"])

    # then
    assert result["workspace"] == {"id": workspace, "name": "Agency", "viewerRole": role}
    members = (await eve.execute(operations.WORKSPACE, {"id": workspace}))["node"]["members"]["nodes"]
    assert [(one["user"]["id"], one["role"]) for one in members] == [(ada.id, "ADMIN"), (eve.id, role)]


async def test_only_the_invited_address_can_accept_and_only_once(api: Api, database: Database) -> None:
    # given
    ada, eve, mallory = [await api.register(name) for name in ("ada", "eve", "mallory")]
    workspace = await ada.create_workspace()
    invited = await ada.mutate(operations.INVITE, workspaceId=workspace, email=eve.email, role="ADMIN")
    before = await database.everything()

    # when
    stolen = await mallory.mutate(operations.ACCEPT, code=invited["code"])
    unknown = await mallory.mutate(operations.ACCEPT, code="sci_nonsense")

    # then
    assert stolen == unknown
    assert paths(stolen["errors"]) == [("code", "NOT_FOUND")]
    assert await database.everything() == before

    # when
    await eve.mutate(operations.ACCEPT, code=invited["code"])
    before = await database.everything()
    again = await eve.mutate(operations.ACCEPT, code=invited["code"])

    # then
    assert again == unknown
    assert await database.everything() == before


async def test_an_expired_invitation_is_not_found(api: Api, database: Database) -> None:
    # given
    ada, eve = await api.register("ada"), await api.register("eve")
    workspace = await ada.create_workspace()
    invited = await ada.mutate(operations.INVITE, workspaceId=workspace, email=eve.email, role="ADMIN")
    past = datetime.now(UTC) - timedelta(seconds=1)
    await database.rows(f"UPDATE invitations SET expires_at = {database.literal(past)}")
    before = await database.everything()

    # when
    result = await eve.mutate(operations.ACCEPT, code=invited["code"])

    # then
    assert paths(result["errors"]) == [("code", "NOT_FOUND")]
    assert await database.everything() == before


async def test_a_code_is_kept_as_a_digest_only(api: Api, database: Database) -> None:
    ada = await api.register("ada")
    workspace = await ada.create_workspace()

    invited = await ada.mutate(operations.INVITE, workspaceId=workspace, email="x@example.com", role="ADMIN")

    assert invited["code"].startswith("sci_")
    assert invited["code"] not in str(await database.everything())


async def test_only_an_admin_invites_and_only_who_is_no_member(api: Api, database: Database) -> None:
    # given
    ada, eve, mallory = [await api.register(name) for name in ("ada", "eve", "mallory")]
    workspace = await ada.create_workspace()
    await ada.bring_in(eve, workspace, "CREATOR")
    before = await database.everything()

    # when
    by_creator = await eve.mutate(operations.INVITE, workspaceId=workspace, email=mallory.email, role="ADMIN")
    by_stranger = await mallory.mutate(
        operations.INVITE, workspaceId=workspace, email=mallory.email, role="ADMIN"
    )
    of_member = await ada.mutate(
        operations.INVITE, workspaceId=workspace, email=eve.email.upper(), role="ADMIN"
    )

    # then
    assert paths(by_creator["errors"]) == [("workspaceId", "NOT_ALLOWED")]
    assert paths(by_stranger["errors"]) == [("workspaceId", "NOT_FOUND")]
    assert paths(of_member["errors"]) == [("email", "DUPLICATE")]
    assert await database.everything() == before


async def test_a_member_who_accepts_a_second_invitation_keeps_their_role(
    api: Api, database: Database
) -> None:
    # given
    ada, eve = await api.register("ada"), await api.register("eve")
    workspace = await ada.create_workspace()
    second = await ada.mutate(operations.INVITE, workspaceId=workspace, email=eve.email, role="CREATOR")
    await ada.bring_in(eve, workspace, "ADMIN")
    # Made before a new invitation replaced the older ones.
    await database.rows("UPDATE invitations SET revoked_at = NULL")

    # when
    result = await eve.mutate(operations.ACCEPT, code=second["code"])

    # then
    assert result["workspace"]["viewerRole"] == "ADMIN"


async def test_workspaces_are_listed_in_the_order_of_joining_and_by_role(api: Api) -> None:
    # given
    ada, eve = await api.register("ada"), await api.register("eve")
    await eve.create_workspace("Own")
    await ada.bring_in(eve, await ada.create_workspace("Joined"), "CREATOR")

    # when
    lists = [
        (await eve.execute(WORKSPACES, {"role": role}))["viewer"]["workspaces"]
        for role in (None, "ADMIN", "CREATOR")
    ]

    # then
    own, joined = {"name": "Own", "viewerRole": "ADMIN"}, {"name": "Joined", "viewerRole": "CREATOR"}
    assert lists == [
        {"totalCount": 2, "nodes": [own, joined]},
        {"totalCount": 1, "nodes": [own]},
        {"totalCount": 1, "nodes": [joined]},
    ]


async def test_an_admin_sees_all_accounts_of_the_workspace_and_a_creator_none_unshared(api: Api) -> None:
    # given
    ada, eve = await api.register("ada"), await api.register("eve")
    workspace = await ada.create_workspace()
    await ada.bring_in(eve, workspace, "CREATOR")

    # when
    await ada.connect("1", "2", workspace=workspace)

    # then
    assert await ada.held(workspace) == ["1", "2"]
    assert await eve.held(workspace) == []
    assert await ada.held() == []
