"""Pages of lists: forwards, backwards, and with arguments that cannot be used."""

import base64
import json
from typing import Any

import pytest

from tests import operations
from tests.api import Api, Person


async def page(person: Person, **arguments: Any) -> Any:
    return (await person.execute(operations.PERSONAL, arguments))["viewer"]["socialAccounts"]


def names(found: Any) -> list[str]:
    return [node["externalId"] for node in found["nodes"]]


async def with_five(api: Api) -> tuple[Person, list[str]]:
    """Somebody with five accounts, of which two calls connected some; and the order of the list."""
    ada = await api.register("ada")
    await ada.connect("3", "1", "2")
    await ada.connect("5", "4")
    return ada, names(await page(ada))


async def test_a_list_is_in_the_order_of_connecting_and_counts_itself(api: Api) -> None:
    ada, order = await with_five(api)

    found = await page(ada)

    assert (sorted(order[:3]), sorted(order[3:])) == (["1", "2", "3"], ["4", "5"])
    assert found["totalCount"] == 5
    assert [edge["node"]["id"] for edge in found["edges"]] == [node["id"] for node in found["nodes"]]
    assert found["pageInfo"] == {
        "hasNextPage": False,
        "hasPreviousPage": False,
        "startCursor": found["edges"][0]["cursor"],
        "endCursor": found["edges"][-1]["cursor"],
    }


async def test_pages_forwards_are_the_whole_list(api: Api) -> None:
    # given
    ada, order = await with_five(api)

    # when
    pages = [await page(ada, first=2)]
    while pages[-1]["pageInfo"]["hasNextPage"]:
        pages.append(await page(ada, first=2, after=pages[-1]["pageInfo"]["endCursor"]))

    # then
    assert [names(one) for one in pages] == [order[:2], order[2:4], order[4:]]
    assert [one["pageInfo"]["hasPreviousPage"] for one in pages] == [False, True, True]
    assert {one["totalCount"] for one in pages} == {5}


async def test_pages_backwards_are_the_whole_list(api: Api) -> None:
    # given
    ada, order = await with_five(api)

    # when
    pages = [await page(ada, last=2)]
    while pages[-1]["pageInfo"]["hasPreviousPage"]:
        pages.append(await page(ada, last=2, before=pages[-1]["pageInfo"]["startCursor"]))

    # then
    assert [names(one) for one in pages] == [order[3:], order[1:3], order[:1]]
    assert [one["pageInfo"]["hasNextPage"] for one in pages] == [False, True, True]


async def test_a_page_may_lie_between_two_cursors_and_may_be_empty(api: Api) -> None:
    ada, order = await with_five(api)
    cursors = [edge["cursor"] for edge in (await page(ada))["edges"]]

    between = await page(ada, after=cursors[0], before=cursors[4])
    empty = await page(ada, first=0)

    assert names(between) == order[1:4]
    assert (empty["nodes"], empty["totalCount"], empty["pageInfo"]["startCursor"]) == ([], 5, None)


async def test_a_cursor_stands_although_its_account_was_disconnected(api: Api) -> None:
    # given
    ada, order = await with_five(api)
    first = await page(ada, first=2)

    # when
    await ada.mutate(operations.DISCONNECT, socialAccountIds=[first["nodes"][1]["id"]])

    # then
    assert names(await page(ada, after=first["pageInfo"]["endCursor"])) == order[2:]


def cursor(*parts: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode()


UUID_ZERO = "00000000-0000-0000-0000-000000000000"


@pytest.mark.parametrize(
    "arguments",
    [
        {"first": -1},
        {"last": -1},
        {"first": 101},
        {"last": 101},
        {"first": 1, "last": 1},
        {"after": ""},
        {"after": "nonsense"},
        {"before": "é\0"},
        {"after": "[" * 5000},
        {"after": cursor()},
        {"after": cursor("x", "y")},
        {"after": cursor("2026-01-01T00:00:00", UUID_ZERO)},
        {"after": cursor("2026-01-01T00:00:00+00:00", "'; --")},
        {"after": cursor("2026-01-01T00:00:00+00:00", None)},
        {"after": cursor("0001-01-01T00:00:00+23:59", UUID_ZERO)},
        {"before": cursor("9999-12-31T23:59:59-23:59", UUID_ZERO)},
        {"after": base64.b64encode(b"[" * 3000).decode()},
    ],
    ids=str,
)
async def test_arguments_that_cannot_be_used_are_bad_user_input(api: Api, arguments: dict[str, Any]) -> None:
    # given
    ada = await api.register("ada")

    # when
    answer = await api.post(operations.PERSONAL, arguments, token=ada.token)

    # then
    assert answer.status_code == 200
    assert [error["extensions"]["code"] for error in answer.json()["errors"]] == ["BAD_USER_INPUT"]
