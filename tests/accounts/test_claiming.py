"""The one way in which a claim is written, against the ORM: the same calls to a server of each kind."""

import asyncio
import functools
import random
import shutil
from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest

from graphql_api import app as application
from graphql_api.adapters.passwords import Passwords
from graphql_api.domain.holders import Holder
from graphql_api.services.accounts import connecting
from graphql_api.services.accounts.connecting import ConnectCommand, Connected, ConnectRefused
from graphql_api.services.calls.call import Call
from graphql_api.services.calls.live import Live
from graphql_api.storage.claiming_postgresql import INTO_WORKSPACE
from graphql_api.storage.database import Database
from graphql_api.storage.hot import HotStatement
from tests import operations
from tests.accounts import orm
from tests.accounts.scenes import Server, compare, connect, make_scene, without_ids
from tests.api import Api, Person, facebook_account
from tests.canaries import PASSWORD, Canaries
from tests.conftest import DATABASES, make_settings
from tests.people.operations import CHANGE_ROLES, REMOVE
from tests.serving import in_process

CALLS = 100


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
    """Start a server on a database of its own; one that is slow connects with the ORM."""
    monkeypatch.setattr(application, "Passwords", functools.partial(Passwords, time_cost=1, memory_kib=8))
    slow: set[str] = set()
    connect_at_once = connecting.connect

    async def either(call: Call, command: ConnectCommand) -> Connected | ConnectRefused:
        way = orm.connect if call.services.database.url in slow else connect_at_once
        return await way(call, command)

    monkeypatch.setattr(connecting, "connect", either)

    @asynccontextmanager
    async def serve(*, is_slow: bool) -> AsyncIterator[Server]:
        url = copied()
        if is_slow:
            slow.add(url)
        settings = make_settings(url, max_accounts_per_holder=4, mail_outbox=tmp_path / "outbox")
        async with (
            in_process(application.create_app(settings)) as transport,
            httpx.AsyncClient(transport=transport, base_url="http://testserver") as http,
        ):
            yield Server(Api(http, canaries), url)

    async with AsyncExitStack() as stack:
        yield lambda *, is_slow=False: stack.enter_async_context(serve(is_slow=is_slow))


@pytest.fixture
def short_ways(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, bool]]:
    """The hot statements that were run, and whether they wrote."""
    run: list[tuple[str, bool]] = []
    write_at_once = Database.write_at_once

    async def watched(database: Database, statement: HotStatement) -> Any:
        rows = await write_at_once(database, statement)
        run.append((statement.on_postgresql()[0], bool(rows)))
        return rows

    monkeypatch.setattr(Database, "write_at_once", watched)
    return run


async def test_connecting_at_once_answers_and_writes_as_the_orm_does(start: Any) -> None:
    scenes = [await make_scene(await start(is_slow=is_slow)) for is_slow in (False, True)]
    calls = random.Random(7)
    ended = Counter([await compare(scenes, calls) for _ in range(CALLS)])
    assert all(ended[how] >= 3 for how in ("refused", "connected", "connected others", "moved")), ended


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
            await connect(ada, asked, workspace=one, onConflict=policy)
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
        assert [row[:3] for row in after[0]] == [("INSTAGRAM", "2", bob.email)]
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

    @pytest.mark.parametrize("change", [REMOVE, CHANGE_ROLES])
    async def test_who_is_no_admin_any_more_when_the_wait_is_over_writes_nothing(
        self, start: Any, short_ways: list[tuple[str, bool]], change: str
    ) -> None:
        scene = await make_scene(await start())
        server, (ada, bob), (one, _) = scene.server, scene.people, scene.workspaces
        await ada.mutate(CHANGE_ROLES, workspaceId=one, members=[{"userId": bob.id, "role": "ADMIN"}])
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
        assert short_ways == [(INTO_WORKSPACE.sql, False)]
        codes = [error["code"] for error in answer["errors"]]
        assert codes == ["NOT_FOUND" if change == REMOVE else "NOT_ALLOWED"]
        assert await server.written() == before


async def somebody_waits(server: Server) -> None:
    while not await server.ask("SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock'"):  # noqa: ASYNC110 - the database sets no event
        await asyncio.sleep(0.01)
