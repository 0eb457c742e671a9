"""Facebook accounts: their list, and what the history says of one that is gone."""

from typing import Any

from tests import operations
from tests.api import Api, Person, facebook_account
from tests.database import Database

LIST = """
query FacebookAccounts($first: Int, $after: String) {
  viewer {
    facebookAccounts(first: $first, after: $after) {
      totalCount nodes { id facebookUserId location } pageInfo { hasNextPage endCursor }
    }
  }
}
"""


async def listed(person: Person, **page: Any) -> Any:
    return (await person.execute(LIST, page))["viewer"]["facebookAccounts"]


async def connect(person: Person, facebook_user_id: str) -> str:
    """Connect a Facebook account alone; its id."""
    login = facebook_account(person.api.canaries, facebook_user_id)
    result = await person.mutate(operations.CONNECT, facebookAccount=login)
    return str(result["facebookAccount"]["id"])


async def test_they_are_listed_in_the_order_of_connecting_to_their_user_only(api: Api) -> None:
    # given
    ada, eve = await api.register("ada"), await api.register("eve")
    ids = [await connect(ada, str(number)) for number in (30, 20, 10)]
    await connect(eve, "20")

    # when
    first = await listed(ada, first=2)
    rest = await listed(ada, first=2, after=first["pageInfo"]["endCursor"])

    # then
    assert [node["id"] for node in (*first["nodes"], *rest["nodes"])] == ids
    assert [node["facebookUserId"] for node in rest["nodes"]] == ["10"]
    assert (first["totalCount"], first["pageInfo"]["hasNextPage"]) == (3, True)
    assert rest["pageInfo"]["hasNextPage"] is False


async def test_the_history_names_one_that_was_disconnected(api: Api, database: Database) -> None:
    # given
    ada = await api.register("ada")
    held = await connect(ada, "30")

    # when
    await ada.mutate(operations.DISCONNECT_FACEBOOK, facebookAccountId=held)

    # then
    assert (await listed(ada))["nodes"] == []
    (event,) = await database.rows(
        "SELECT subject_name FROM events WHERE kind = 'FACEBOOK_ACCOUNT_DISCONNECTED'"
    )
    assert event["subject_name"] == "30"
