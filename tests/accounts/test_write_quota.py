"""How many accounts a user may connect, move and change in an hour."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from graphql_api import app as application
from graphql_api.settings import Settings
from tests import operations
from tests.accounts import moving_operations as moving
from tests.api import Api, Person, facebook_account, instagram_account
from tests.database import Database
from tests.serving import in_process

QUOTA = 100  # the least that an operator may set
LEFT = QUOTA - 12  # after a login with eleven accounts


@pytest.fixture
def quota(request: pytest.FixtureRequest) -> int:
    return int(getattr(request, "param", QUOTA))


@pytest.fixture
async def strict(api: Api, settings: Settings, quota: int) -> AsyncIterator[Api]:
    few = settings.model_copy(update={"writes_per_user": quota})
    async with (
        in_process(application.create_app(few)) as transport,
        httpx.AsyncClient(transport=transport, base_url="http://testserver") as http,
    ):
        yield Api(http, api.canaries)


async def refused(person: Person, query: str, **asked: Any) -> bool:
    answer = (await person.api.post(query, {"input": asked}, token=person.token)).json()
    codes = [error["extensions"]["code"] for error in answer.get("errors", [])]
    if codes == ["RATE_LIMITED"]:
        assert 3000 <= answer["errors"][0]["extensions"]["retryAfter"] <= 3600
        return True
    assert codes == []
    return False


async def times_until_refused(person: Person, query: str, **asked: Any) -> int:
    for time in range(QUOTA + 2):
        if await refused(person, query, **asked):
            return time
    raise AssertionError("never refused")


async def test_a_loop_of_reconnects_ends_and_leaves_nothing_half_written(
    strict: Api, database: Database
) -> None:
    ada, bob = await strict.register("ada"), await strict.register("bob")
    accounts = [instagram_account(strict.canaries, str(number)) for number in range(1, 10)]
    asked = {
        "facebookAccount": facebook_account(strict.canaries),
        "instagramAccounts": accounts,
        "onConflict": "REJECT_ALL",
    }
    for _ in range(QUOTA // 10):
        assert not await refused(ada, operations.CONNECT, **asked)
    before = await database.everything()

    assert await refused(ada, operations.CONNECT, **asked)

    after = await database.everything()
    assert {name: len(rows) for name, rows in after.items()} == {
        name: len(rows) for name, rows in before.items()
    }
    assert after["users"] == before["users"]
    await bob.connect("20", "21")


@pytest.mark.parametrize("what", ["rename", "move"])
async def test_each_change_counts(strict: Api, what: str) -> None:
    ada = await strict.register("ada")
    workspace = await ada.create_workspace()
    connected = await ada.connect(*map(str, range(1, 12)))
    ids = [one["socialAccount"]["id"] for one in connected["connected"]]

    if what == "rename":
        query, asked, each = moving.RENAME, {"socialAccountId": ids[0], "nickname": "a"}, 1
    else:
        query, asked, each = moving.MOVE, {"socialAccountIds": ids[:2], "workspaceId": workspace}, 2

    times = await times_until_refused(ada, query, **asked)

    assert times == LEFT // each
    assert await refused(ada, operations.DISCONNECT, socialAccountIds=ids)


@pytest.mark.parametrize("quota", [800], indirect=True)
async def test_the_database_is_told_of_two_writes_at_once_where_two_are_a_part(
    strict: Api, database: Database
) -> None:
    ada = await strict.register("ada")
    connected = await ada.connect(*map(str, range(1, 101)))
    for _ in range(5):
        await ada.connect(*map(str, range(1, 101)))
    account = connected["connected"][0]["socialAccount"]["id"]
    too_many = await ada.mutate(operations.DISCONNECT, socialAccountIds=[account] * 700)
    assert too_many["__typename"] == "DisconnectSocialAccountsFailure"
    asked = {"socialAccountId": account, "nickname": "a"}

    async def counted() -> int:
        return max(int(row["count"]) for row in await database.rows("SELECT count FROM attempts"))

    assert await counted() == 7 * 101
    assert not await refused(ada, moving.RENAME, **asked)
    assert await counted() == 7 * 101
    assert not await refused(ada, moving.RENAME, **asked)
    assert await counted() == 7 * 101 + 2
    assert await times_until_refused(ada, moving.RENAME, **asked) == 800 - 7 * 101 - 2
    assert await refused(ada, moving.RENAME, **asked), "and stays so"
