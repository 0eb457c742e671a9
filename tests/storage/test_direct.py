"""The hot statements against their oracle: the same calls to a server that has none of them."""

import asyncio
import functools
import json
import random
import shutil
import sqlite3
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest
from graphql_api.storage.direct import HotStatement

from graphql_api import app as application
from graphql_api.adapters.passwords import Passwords
from graphql_api.domain.holders import Holder
from graphql_api.services.calls.live import Live
from graphql_api.storage import direct
from graphql_api.storage.database import Database, sqlite_path
from tests import operations
from tests.api import Api, Person, facebook_account, instagram_account
from tests.canaries import PASSWORD, Canaries
from tests.conftest import DATABASES, make_settings
from tests.people.operations import CHANGE_ROLE, REMOVE
from tests.serving import in_process

CALLS = 100
IDS = [str(number) for number in range(1, 13)]

HOLDINGS = """
SELECT external_id, holders.email, workspaces.name, hold_id IS NOT NULL AS held, social_accounts.display_name,
  display_name_key, profile_picture_url, facebook_user_id, connecting.email,
  social_accounts.access_token IS NOT NULL AS sealed, social_accounts.created_at IS NOT NULL AS since
FROM social_accounts
LEFT JOIN users AS holders ON holders.id = holder_user_id
LEFT JOIN workspaces ON workspaces.id = holder_workspace_id
LEFT JOIN users AS connecting ON connecting.id = connected_by_id
LEFT JOIN facebook_accounts ON facebook_accounts.id = facebook_account_id
ORDER BY external_id
"""
LOGINS = """
SELECT email, facebook_user_id, location, facebook_accounts.created_at < facebook_accounts.updated_at AS again
FROM facebook_accounts JOIN users ON users.id = user_id ORDER BY email, facebook_user_id
"""
EVENTS = """
SELECT users.email, workspaces.name, seq, kind, actors.email, coalesce(external_id, facebook_user_id), details
FROM events
LEFT JOIN users ON users.id = events.user_id
LEFT JOIN workspaces ON workspaces.id = events.workspace_id
LEFT JOIN users AS actors ON actors.id = actor_id
LEFT JOIN social_accounts ON hold_id = subject_id
LEFT JOIN facebook_accounts ON facebook_accounts.id = subject_id
ORDER BY users.email, workspaces.name, seq
"""
PLACES = """
SELECT email, held_count, event_seq, created_at < updated_at AS changed FROM users
UNION ALL SELECT name, held_count, event_seq, created_at < updated_at FROM workspaces ORDER BY 1
"""


@dataclass
class Server:
    """A server in this process, with a database of its own."""

    api: Api
    url: str

    async def ask(self, sql: str, *arguments: object) -> list[tuple[Any, ...]]:
        if self.url.startswith("sqlite"):
            with closing(sqlite3.connect(sqlite_path(self.url))) as connection:
                return connection.execute(sql, arguments).fetchall()
        connection = await asyncpg.connect(self.url)
        try:
            return [tuple(row) for row in await connection.fetch(sql, *arguments)]
        finally:
            await connection.close()

    async def written(self) -> list[list[tuple[object, ...]]]:
        """What the calls wrote, without the ids that differ from one database to the other."""
        holdings, logins, places = [await self.ask(sql) for sql in (HOLDINGS, LOGINS, PLACES)]
        events = [(*event, json.loads(details)) for *event, details in await self.ask(EVENTS)]
        return [holdings, logins, places, events]


@pytest.fixture(params=DATABASES)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def copied(kind: str, request: pytest.FixtureRequest, canaries: Canaries) -> Callable[[], str]:
    """Makes a migrated, empty database of the kind."""
    template = request.getfixturevalue("sqlite_template" if kind == "sqlite" else "postgresql")

    def copy() -> str:
        name = f"direct_{uuid4().hex}"
        if kind == "sqlite":
            path = canaries.directory / f"{name}.sqlite3"
            shutil.copyfile(template, path)
            return f"sqlite:///{path}"
        template.psql(f"CREATE DATABASE {name} TEMPLATE template_migrated")
        return str(template.get_uri(name))

    return copy


@pytest.fixture
async def start(
    copied: Callable[[], str], canaries: Canaries, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> AsyncIterator[Any]:
    """Start a server on a database of its own; one that is slow has no hot statements."""
    monkeypatch.setattr(application, "Passwords", functools.partial(Passwords, time_cost=1, memory_kib=8))
    slow: set[str] = set()
    real: Any = Database.__dict__["has_hot_statements"]
    has_hot_statements = property(lambda database: database.url not in slow and real.fget(database))
    monkeypatch.setattr(Database, "has_hot_statements", has_hot_statements)

    @asynccontextmanager
    async def serve(*, is_slow: bool) -> AsyncIterator[Server]:
        url = copied()
        if is_slow:
            slow.add(url)
        # One connection leaves none for PostgreSQL's prepared reads either.
        size = 1 if is_slow else 10
        settings = make_settings(
            url, database_pool_size=size, max_accounts_per_holder=4, mail_outbox=tmp_path / "outbox"
        )
        async with (
            in_process(application.create_app(settings)) as transport,
            httpx.AsyncClient(transport=transport, base_url="http://testserver") as http,
        ):
            yield Server(Api(http, canaries), url)

    async with AsyncExitStack() as stack:
        yield lambda *, is_slow=False: stack.enter_async_context(serve(is_slow=is_slow))


@dataclass
class Scene:
    """Ada is an admin of One, where Bob is a creator; Two is Bob's, and Ada is no member."""

    server: Server
    people: list[Person]
    workspaces: list[str]


async def make_scene(server: Server) -> Scene:
    ada, bob = [await server.api.register(name, email=f"{name}@example.com") for name in ("ada", "bob")]
    one, two = await ada.create_workspace("One"), await bob.create_workspace("Two")
    await ada.bring_in(bob, one)
    return Scene(server, [ada, bob], [one, two])


async def connect(
    person: Person,
    ids: Collection[str],
    *,
    workspace: str | None = None,
    login: str = "1",
    policy: str = "REJECT_ALL",
) -> Any:
    canaries = person.api.canaries
    return await person.mutate(
        operations.CONNECT,
        facebookAccount=facebook_account(canaries, login),
        instagramAccounts=[instagram_account(canaries, one, username=f"User.{one}") for one in ids],
        workspaceId=workspace,
        onConflict=policy,
    )


async def disconnect_one(person: Person, workspace: str | None) -> None:
    if workspace is None:
        place = (await person.execute(operations.PERSONAL))["viewer"]
    else:
        place = (await person.execute(operations.WORKSPACE, {"id": workspace}))["node"]
    nodes = place["socialAccounts"]["nodes"] if place else []
    ids = [node["id"] for node in sorted(nodes, key=lambda node: int(node["externalId"]))]
    await person.mutate(operations.DISCONNECT, socialAccountIds=ids[:1])


def without_ids(answer: Any) -> Any:
    """An answer without what differs from one database to the other."""
    if isinstance(answer, dict):
        ignored = {"id", "createdAt", "updatedAt"}
        return {name: without_ids(value) for name, value in answer.items() if name not in ignored}
    return [without_ids(item) for item in answer] if isinstance(answer, list) else answer


@pytest.fixture
def short_ways(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, bool]]:
    """The hot statements that were run, and whether they wrote."""
    run: list[tuple[str, bool]] = []
    write_at_once = Database.write_at_once

    async def watched(database: Database, statement: HotStatement) -> Any:
        rows = await write_at_once(database, statement)
        run.append((statement.sql, bool(rows)))
        return rows

    monkeypatch.setattr(Database, "write_at_once", watched)
    return run


async def test_connecting_at_once_answers_and_writes_as_the_long_way_does(
    start: Any, short_ways: list[tuple[str, bool]]
) -> None:
    scenes = [await make_scene(await start(is_slow=is_slow)) for is_slow in (False, True)]
    calls = random.Random(7)
    for _ in range(CALLS):
        who, where, ids = (
            calls.randrange(2),
            calls.choice([None, 0, 1]),
            calls.sample(IDS, calls.randrange(4)),
        )
        login, policy = str(calls.randrange(1, 3)), calls.choice(["REJECT_ALL", "CONNECT_OTHERS"])
        gives_up = calls.random() < 0.4
        outcomes = []
        for scene in scenes:
            person, workspace = scene.people[who], None if where is None else scene.workspaces[where]
            if gives_up:
                await disconnect_one(person, workspace)
            answer = await connect(person, ids, workspace=workspace, login=login, policy=policy)
            outcomes.append((without_ids(answer), await scene.server.written()))
        assert outcomes[0] == outcomes[1]
    # Both ways were gone to both kinds of places: what is refused has to take the long one.
    for statement in (direct.CONNECT_TO_PERSONAL, direct.CONNECT_TO_WORKSPACE):
        wrote = [wrote for run, wrote in short_ways if run == statement]
        assert wrote.count(True) > CALLS / 10
        assert wrote.count(False) > CALLS / 10


@pytest.mark.parametrize("held", ["free", "own", "other"])
async def test_whatever_is_asked_of_a_full_workspace_is_answered_as_by_the_long_way(
    start: Any, held: str
) -> None:
    outcomes = []
    for is_slow in (False, True):
        scene = await make_scene(await start(is_slow=is_slow))
        (ada, bob), (one, _) = scene.people, scene.workspaces
        await connect(ada, ["1", "2", "3", "4"], workspace=one)
        await connect(bob, ["5"])
        asked = {"free": ["6"], "own": ["4", "2"], "other": ["5", "1"]}[held]
        answers = [
            await connect(ada, asked, workspace=one, policy=policy)
            for policy in ("REJECT_ALL", "CONNECT_OTHERS")
        ]
        outcomes.append((without_ids(answers), await scene.server.written()))
    assert outcomes[0] == outcomes[1]


async def test_what_was_connected_at_once_is_opened_by_the_long_way(start: Any) -> None:
    scene = await make_scene(await start())
    (ada, _), (one, _) = scene.people, scene.workspaces
    await connect(ada, ["1"])
    await connect(ada, ["2"], workspace=one)

    result = await ada.api.mutate(
        operations.LOG_IN,
        {"email": ada.email, "password": PASSWORD, "label": "worker", "scopes": ["READ_ACCESS_TOKENS"]},
    )
    worker = Person(ada.api, ada.email, ada.id, result["bearerToken"])
    personal = (await worker.execute(operations.ACCESS_TOKENS))["viewer"]
    in_one = """
    query InOne($id: ID!) { node(id: $id) { ... on Workspace {
      socialAccounts { nodes { externalId accessToken } }
    } } }"""
    shared = (await worker.execute(in_one, {"id": one}))["node"]

    opened = [node for place in (personal, shared) for node in place["socialAccounts"]["nodes"]]
    assert {node["externalId"]: node["accessToken"] for node in opened} == {
        one: ada.api.canaries.access_token(f"ig{one}") for one in ("1", "2")
    }


@pytest.mark.parametrize("is_slow", [False, True])
async def test_a_login_alone_changes_nothing_in_the_workspace(start: Any, is_slow: bool) -> None:
    scene = await make_scene(await start(is_slow=is_slow))
    (ada, _), (one, _) = scene.people, scene.workspaces
    await connect(ada, ["1"], workspace=one)
    before = await scene.server.ask("SELECT * FROM workspaces ORDER BY id")

    await connect(ada, [], workspace=one)

    assert await scene.server.ask("SELECT * FROM workspaces ORDER BY id") == before


async def test_who_follows_the_workspace_or_the_personal_is_told(
    start: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = await make_scene(await start())
    (ada, _), (one, _) = scene.people, scene.workspaces
    announced: list[str] = []

    def announce(_live: Live, holders: Collection[Holder]) -> None:
        announced.extend(sorted(type(holder).__name__ for holder in holders))

    monkeypatch.setattr(Live, "announce", announce)
    await connect(ada, ["1"], workspace=one)
    assert announced == ["Personal", "Workspace"]
    await connect(ada, ["2"])
    assert announced == ["Personal", "Workspace", "Personal"]


async def test_of_two_who_claim_the_same_account_at_once_one_wins(start: Any) -> None:
    scene = await make_scene(await start())
    (ada, bob), (one, two) = scene.people, scene.workspaces
    for number in range(100, 110):
        answers = await asyncio.gather(
            connect(ada, [str(number)], workspace=one),
            connect(bob, [str(number)]),
            connect(bob, [str(number)], workspace=two),
        )
        kinds = sorted(answer["__typename"] for answer in answers)
        assert kinds == ["ConnectSocialAccountsFailure"] * 2 + ["ConnectSocialAccountsSuccess"]
        (winner,) = [answer for answer in answers if answer["__typename"].endswith("Success")]
        hold = winner["connected"][0]["socialAccount"]["id"]
        await (ada if winner is answers[0] else bob).mutate(operations.DISCONNECT, socialAccountIds=[hold])
    holdings, _, places, _ = await scene.server.written()
    assert not any(held for _, _, _, held, *_ in holdings)
    assert all(held_count == 0 for _, held_count, *_ in places)


class TestOnSqlite:
    """Columns have no types there, so the form of what is stored is our own."""

    @pytest.fixture
    def kind(self) -> str:
        return "sqlite"

    async def test_what_is_stored_has_the_form_that_the_long_way_stores(self, start: Any) -> None:
        forms = []
        for is_slow in (False, True):
            scene = await make_scene(await start(is_slow=is_slow))
            (ada, _), (one, _) = scene.people, scene.workspaces
            for workspace, ids in ((None, ["1", "2"]), (one, ["3", "4"])):
                await connect(ada, ids, workspace=workspace)
                await connect(ada, ids, workspace=workspace)  # again
            tables = []
            for table in ("users", "workspaces", "facebook_accounts", "social_accounts", "events"):
                columns = [name for _, name, *_ in await scene.server.ask(f"PRAGMA table_info({table})")]
                form = ", ".join(f"typeof({name}), length({name})" for name in columns)
                tables.append(sorted(await scene.server.ask(f"SELECT {form} FROM {table}"), key=str))
            details = await scene.server.ask(
                "SELECT DISTINCT details FROM events WHERE kind LIKE '%ACCOUNT%'"
            )
            forms.append((tables, sorted(details)))
        assert forms[0] == forms[1]


class TestOnPostgresql:
    """What may happen between the look of a statement and its locks."""

    @pytest.fixture
    def kind(self) -> str:
        return "postgresql"

    async def test_who_loses_the_race_is_refused_in_words_and_has_written_nothing(self, start: Any) -> None:
        scene = await make_scene(await start())
        server, (ada, bob) = scene.server, scene.people
        before = await server.written()
        connection = await asyncpg.connect(server.url)
        try:
            # given somebody who has taken an account, and has not committed yet
            transaction = connection.transaction()
            await transaction.start()
            await connection.execute(
                "INSERT INTO social_accounts (id, platform, external_id, hold_id, holder_user_id, display_name,"
                " access_token, created_at, updated_at) SELECT gen_random_uuid(), 'INSTAGRAM', '2',"
                " gen_random_uuid(), id, 'u', 't', now(), now() FROM users WHERE email = $1",
                bob.email,
            )
            # when another connects it: looks, finds nothing, and waits at the claim
            waiting = asyncio.ensure_future(connect(ada, ["1", "2"]))
            await somebody_waits(server)
            await transaction.commit()
            answer = await waiting
        finally:
            await connection.close()
        # then
        assert [error["__typename"] for error in answer["errors"]] == ["HeldElsewhere"]
        after = await server.written()
        assert [row[:2] for row in after[0]] == [("2", bob.email)]
        assert after[1:] == before[1:]

    @pytest.mark.parametrize("is_slow", [False, True])
    async def test_whose_api_token_is_revoked_when_the_wait_is_over_writes_nothing(
        self, start: Any, *, is_slow: bool
    ) -> None:
        scene = await make_scene(await start(is_slow=is_slow))
        server, (ada, _) = scene.server, scene.people
        before = await server.written()
        connection = await asyncpg.connect(server.url)
        try:
            # given somebody who has locked the user, as whoever revokes an API token does
            transaction = connection.transaction()
            await transaction.start()
            await connection.execute("SELECT FROM users WHERE email = $1 FOR NO KEY UPDATE", ada.email)
            # when the user connects, and the API token is revoked while that waits
            given = {"facebookAccount": facebook_account(server.api.canaries)}
            waiting = asyncio.ensure_future(
                server.api.post(operations.CONNECT, {"input": given}, token=ada.token)
            )
            await somebody_waits(server)
            await connection.execute("UPDATE api_tokens SET revoked_at = now()")
            await connection.execute("UPDATE users SET updated_at = updated_at")
            await transaction.commit()
            answer = await waiting
        finally:
            await connection.close()
        # then
        assert [error["extensions"]["code"] for error in answer.json()["errors"]] == ["UNAUTHENTICATED"]
        assert await server.written() == before

    @pytest.mark.parametrize("change", [REMOVE, CHANGE_ROLE])
    async def test_who_is_no_admin_any_more_when_the_wait_is_over_writes_nothing(
        self, start: Any, short_ways: list[tuple[str, bool]], change: str
    ) -> None:
        scene = await make_scene(await start())
        server, (ada, bob), (one, _) = scene.server, scene.people, scene.workspaces
        await ada.mutate(CHANGE_ROLE, workspaceId=one, userId=bob.id, role="ADMIN")
        before = await server.written()
        connection = await asyncpg.connect(server.url)
        try:
            # given somebody who has locked the Workspace, and waits to change or end the membership
            transaction = connection.transaction()
            await transaction.start()
            await connection.execute("SELECT FROM workspaces WHERE name = 'One' FOR NO KEY UPDATE")
            # when an admin connects, whose statement has begun
            waiting = asyncio.ensure_future(connect(bob, ["1"], workspace=one))
            await somebody_waits(server)
            bobs = "WHERE user_id = (SELECT id FROM users WHERE email = 'bob@example.com') AND role = 'ADMIN' AND workspace_id = (SELECT id FROM workspaces WHERE name = 'One')"
            await connection.execute(
                f"DELETE FROM memberships {bobs}"
                if change == REMOVE
                else f"UPDATE memberships SET role = 'CREATOR' {bobs}"
            )
            await connection.execute("UPDATE workspaces SET updated_at = updated_at WHERE name = 'One'")
            await transaction.commit()
            answer = await waiting
        finally:
            await connection.close()
        # then
        assert short_ways == [(direct.CONNECT_TO_WORKSPACE, False)]
        codes = [error["code"] for error in answer["errors"]]
        assert codes == ["NOT_FOUND" if change == REMOVE else "NOT_ALLOWED"]
        assert await server.written() == before


async def somebody_waits(server: Server) -> None:
    while not await server.ask("SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock'"):  # noqa: ASYNC110 - the database sets no event
        await asyncio.sleep(0.01)
