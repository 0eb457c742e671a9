"""The resolution MOVE succeeds when the client does just that: from the conflict to the end."""

import pytest

from tests.accounts.resolutions import TO_TAKE, SetUp, X
from tests.api import Api

MOVE = """
mutation Move($input: MoveSocialAccountsInput!) {
  moveSocialAccounts(input: $input) {
    __typename
    ... on MoveSocialAccountsSuccess { socialAccounts { id } }
    ... on MoveSocialAccountsFailure { message }
  }
}
"""


@pytest.mark.parametrize("set_up", TO_TAKE)
async def test_what_is_moved_to_where_it_was_claimed_reconnects_there(api: Api, set_up: SetUp) -> None:
    # given
    row = await set_up(api)
    conflict = await row.conflict()
    assert "MOVE" in conflict["resolutions"]
    account = conflict["socialAccount"]["id"]

    # when
    moved = await row.viewer.mutate(MOVE, socialAccountIds=[account], workspaceId=row.claimed)
    result = await row.claim()

    # then
    assert moved == {"__typename": "MoveSocialAccountsSuccess", "socialAccounts": [{"id": account}]}
    assert [one["outcome"] for one in result["connected"]] == ["RECONNECTED"]
    assert await row.viewer.held(row.claimed) == [X]
    assert await row.viewer.held(row.holding) == []
