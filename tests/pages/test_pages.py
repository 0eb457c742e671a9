"""A page of a long list costs what it shows: counted in the rows that PostgreSQL touches for it."""

import functools
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import asyncpg
import httpx
import pytest
import sqlalchemy as sa

from graphql_api import app as application
from graphql_api.adapters.passwords import Passwords
from graphql_api.storage.pool import Pool
from tests.api import Api
from tests.canaries import Canaries
from tests.conftest import make_settings
from tests.pages.crowd import LISTS, Crowd, deep_cursor, gather, happened, read
from tests.serving import in_process

ACCOUNTS = 20_000
MOST_TOUCHED = 400  # rows, for a page of 20


@pytest.fixture(scope="module")
async def url(postgresql: Any) -> str:
    postgresql.psql("CREATE DATABASE pages TEMPLATE template_migrated STRATEGY file_copy")
    return str(postgresql.get_uri("pages"))


@pytest.fixture(scope="module")
async def crowd(url: str, canaries: Canaries) -> AsyncIterator[Crowd]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(application, "Passwords", functools.partial(Passwords, time_cost=1, memory_kib=8))
        server = application.create_app(make_settings(url))
    async with (
        in_process(server) as transport,
        httpx.AsyncClient(transport=transport, base_url="http://testserver") as http,
    ):
        yield await gather(Api(http, canaries), url, ACCOUNTS)


@contextmanager
def statements() -> Iterator[list[tuple[str, Any]]]:
    """The statements that read pages of social accounts meanwhile, whichever way they go."""
    seen: list[tuple[str, Any]] = []
    fetch = Pool.fetch

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        if "social_accounts" in statement and "ORDER BY" in statement:
            seen.append((statement, parameters))

    async def note_hot(pool: Pool, statement: str, *arguments: object) -> list[Any]:
        note(None, None, statement, arguments)
        return await fetch(pool, statement, *arguments)

    sa.event.listen(sa.Engine, "before_cursor_execute", note)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Pool, "fetch", note_hot)
        try:
            yield seen
        finally:
            sa.event.remove(sa.Engine, "before_cursor_execute", note)


async def plan_of(url: str, statement: str, parameters: Any) -> Any:
    connection = await asyncpg.connect(url)
    try:
        answer = await connection.fetchval(
            f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {statement}", *parameters
        )
    finally:
        await connection.close()
    return json.loads(answer)[0]["Plan"]


def nodes(plan: Any) -> Iterator[Any]:
    yield plan
    for below in plan.get("Plans", ()):
        yield from nodes(below)


def touched(plan: Any) -> int:
    """Rows that the scans of a plan brought, or looked at in vain."""
    return sum(
        int((node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"])
        for node in nodes(plan)
        if "Scan" in node["Node Type"] and node["Node Type"] != "CTE Scan"
    )


@pytest.mark.parametrize("deep", [False, True], ids=["first", "deep"])
@pytest.mark.parametrize("order", LISTS)
@pytest.mark.parametrize("who", ["admin", "creator, half", "creator, few"])
async def test_a_page_touches_a_few_rows_wherever_it_is(
    crowd: Crowd, url: str, who: str, order: str, deep: bool
) -> None:
    # given
    arguments: dict[str, Any] = dict(LISTS[order])
    if deep:
        arguments["after"] = await deep_cursor(url, crowd.id, arguments["orderBy"])

    # when
    with statements() as seen:
        page = await read(crowd.people[who], crowd.id, first=20, **arguments)

    # then
    assert who == "creator, few" or len(page["nodes"]) == 20
    ((statement, parameters),) = seen
    plan = await plan_of(url, statement, parameters)
    assert touched(plan) <= MOST_TOUCHED, json.dumps(plan, indent=1)
    if who != "creator, few":
        assert "Sort" not in {node["Node Type"] for node in nodes(plan)}


@pytest.mark.parametrize("asked", ["latest", "one account's", "since", "until"])
async def test_a_page_of_events_touches_a_few_rows_whatever_it_is_asked_for(
    crowd: Crowd, url: str, asked: str
) -> None:
    # given
    ada = crowd.people["admin"]
    some = await happened(ada, crowd.id, last=20)
    arguments: dict[str, Any] = {
        "latest": {"last": 20},
        "one account's": {"first": 20, "socialAccountId": some[0]["socialAccountId"]},
        "since": {"first": 20, "since": some[0]["occurredAt"]},
        "until": {"last": 20, "until": some[0]["occurredAt"]},
    }[asked]

    # when
    with statements() as seen:
        found = await happened(ada, crowd.id, **arguments)

    # then
    assert len(found) == (1 if asked == "one account's" else 20)
    ((statement, parameters),) = seen
    plan = await plan_of(url, statement, parameters)
    assert touched(plan) <= MOST_TOUCHED, json.dumps(plan, indent=1)


async def test_the_pages_of_each_order_are_the_whole_list(crowd: Crowd) -> None:
    for order in LISTS.values():
        cyd = crowd.people["creator, few"]
        forwards, page = [], await read(cyd, crowd.id, first=7, **order)
        while page["nodes"]:
            forwards += [node["displayName"] for node in page["nodes"]]
            page = await read(cyd, crowd.id, first=7, after=page["pageInfo"]["endCursor"] or "", **order)
            if not page["pageInfo"]["hasNextPage"]:
                forwards += [node["displayName"] for node in page["nodes"]]
                break
        assert len(set(forwards)) == ACCOUNTS // 1000
        if order["orderBy"]["field"] == "DISPLAY_NAME":
            assert forwards == sorted(forwards, reverse="direction" in order["orderBy"])


async def test_a_search_finds_parts_of_usernames_and_nicknames_whatever_their_case(crowd: Crowd) -> None:
    ada = crowd.people["admin"]
    by_nickname = await read(ada, crowd.id, search="äRZTE 20000", first=100)
    by_username = await read(ada, crowd.id, search="NAME_00000", first=100)
    assert [node["nickname"] for node in by_nickname["nodes"]] == ["Ärzte 20000"]
    assert by_username["nodes"]
    assert {node["displayName"][:10] for node in by_username["nodes"]} == {"Name_00000"}
    assert (await read(ada, crowd.id, search="Name%0"))["nodes"] == []
