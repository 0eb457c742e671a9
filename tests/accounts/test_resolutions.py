"""Every resolution that a conflict offers succeeds when the client does just that: from the conflict to the end."""

import pytest

from tests import operations
from tests.accounts import access_request_operations as asking
from tests.accounts.resolutions import TO_ASK, TO_TAKE, SetUp, X
from tests.api import Api
from tests.database import Database, make_team


@pytest.mark.parametrize("set_up", TO_TAKE)
async def test_what_is_disconnected_where_it_is_held_connects_where_it_was_claimed(
    api: Api, set_up: SetUp
) -> None:
    # given
    row = await set_up(api)
    conflict = await row.conflict()
    assert conflict["resolutions"] == ["MOVE", "DISCONNECT"]

    # when
    freed = await row.viewer.mutate(operations.DISCONNECT, socialAccountIds=[conflict["socialAccount"]["id"]])
    result = await row.claim()

    # then
    assert freed["__typename"] == "DisconnectSocialAccountsSuccess"
    assert [one["outcome"] for one in result["connected"]] == ["CONNECTED"]
    assert await row.viewer.held(row.claimed) == [X]
    assert await row.viewer.held(row.holding) == []


@pytest.mark.parametrize("set_up", TO_ASK)
async def test_a_creator_who_asks_and_is_granted_access_sees_the_account(
    api: Api, database: Database, set_up: SetUp
) -> None:
    # given
    row = await set_up(api)
    conflict = await row.conflict()
    assert conflict["resolutions"] == ["REQUEST_ACCESS"]
    assert (conflict["socialAccount"], conflict["contactEmail"]) == (None, row.admin.email)
    workspace = conflict["workspace"]["id"]

    # when
    asked = await row.viewer.mutate(
        asking.REQUEST_ACCESS,
        workspaceId=workspace,
        socialAccount=asking.key(conflict["externalId"]),
    )

    # then
    waiting = await row.conflict()
    assert waiting["pendingAccessRequest"] == {"id": asked["accessRequest"]["id"], "status": "PENDING"}

    # when
    found = await row.admin.execute(asking.REQUESTS_TO, {"id": workspace, "status": "PENDING"})
    (pending,) = found["node"]["accessRequests"]["nodes"]
    granted = await row.admin.mutate(
        asking.GRANT,
        accessRequestId=pending["id"],
        teamIds=[await make_team(database, workspace, "Film")],
    )

    # then
    assert granted["__typename"] == "GrantAccessRequestSuccess"
    assert await row.viewer.held(workspace) == [X]
    after = await row.conflict()
    assert (after["resolutions"], after["pendingAccessRequest"]) == ([], None)
    assert after["socialAccount"]["displayName"] == f"user_{X}"
