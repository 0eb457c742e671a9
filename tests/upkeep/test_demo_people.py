"""GraphiQL is logged in as people of the demo: in development, and for its own page alone (web/test_loopback.py)."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from graphql_api import app as application
from graphql_api.services.upkeep import demo, demo_people
from graphql_api.settings import Environment, Settings
from tests.canaries import Canaries
from tests.conftest import make_settings
from tests.operations import REVOKE
from tests.serving import in_process

PEOPLE = "/graphiql/people"
OWN_PAGE = {"Sec-Fetch-Site": "same-origin"}
WHO = "{ viewer { user { name } apiTokens(first: 1) { nodes { id } } } }"


@asynccontextmanager
async def served(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """A server of these settings, asked from this machine."""
    app = application.create_app(settings)
    async with in_process(app):
        transport = httpx.ASGITransport(app, client=("127.0.0.1", 40_000), raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as http:
            yield http


@pytest.fixture
async def filled(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, canaries: Canaries
) -> Settings:
    """A database that the demo has filled, from this folder."""
    monkeypatch.chdir(tmp_path)
    settings = make_settings(sqlite_url, mail_outbox=tmp_path / "outbox")
    services = application.build_services(settings)
    async with services.database:
        made = await demo.fill(services)
    assert isinstance(made, demo.Demo)
    demo_people.keep(made, settings.demo_people_file)
    canaries.heard(settings.demo_people_file.read_text())
    return settings


async def send(http: httpx.AsyncClient, person: dict[str, str], query: str, **variables: Any) -> Any:
    headers = {"Authorization": f"Bearer {person['bearerToken']}"}
    answer = await http.post("/graphql", json={"query": query, "variables": variables}, headers=headers)
    return answer.json()["data"]


async def test_the_page_gets_the_creator_and_the_admin_with_bearer_tokens_that_work(filled: Settings) -> None:
    async with served(filled) as http:
        answer = await http.get(PEOPLE, headers=OWN_PAGE)
        people = [(one["name"], one["role"]) for one in answer.json()]
        assert people == [("Cleo Creator", "CREATOR"), ("Nora North", "ADMIN")]
        for one in answer.json():
            assert (await send(http, one, WHO))["viewer"]["user"]["name"] == one["name"]
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"


async def test_everybody_else_finds_nobody_even_where_all_origins_may_read(filled: Settings) -> None:
    async with served(filled.model_copy(update={"allowed_origins": ("*",)})) as http:
        for headers in ({}, {"Sec-Fetch-Site": "cross-site"}, {**OWN_PAGE, "X-Forwarded-For": "127.0.0.1"}):
            answer = await http.get(PEOPLE, headers={**headers, "Origin": "https://other.example"})
            assert (answer.status_code, answer.json()) == (200, [])


@pytest.mark.parametrize("graphiql", [True, False])
async def test_production_has_nobody_to_ask_for(filled: Settings, graphiql: bool) -> None:
    production = filled.model_copy(update={"environment": Environment.PRODUCTION, "graphiql": graphiql})
    async with served(production) as http:
        assert (await http.get(PEOPLE, headers=OWN_PAGE)).status_code == 404


async def test_a_bearer_token_that_ended_or_is_of_another_database_is_not_handed_out(
    filled: Settings,
) -> None:
    async with served(filled) as http:
        creator, admin = (await http.get(PEOPLE, headers=OWN_PAGE)).json()
        ((api_token,),) = (await send(http, admin, WHO))["viewer"]["apiTokens"].values()
        await send(http, admin, REVOKE, input={"apiTokenId": api_token["id"]})
        assert (await http.get(PEOPLE, headers=OWN_PAGE)).json() == [creator]

        filled.demo_people_file.write_text(json.dumps([{**creator, "bearerToken": "sca_of-elsewhere"}]))
        assert (await http.get(PEOPLE, headers=OWN_PAGE)).json() == []


async def test_without_the_demo_there_is_nobody(filled: Settings) -> None:
    filled.demo_people_file.unlink()
    async with served(filled) as http:
        assert (await http.get(PEOPLE, headers=OWN_PAGE)).json() == []
