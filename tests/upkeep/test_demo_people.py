"""GraphiQL is logged in as people of the demo: in development, on this machine, and for its own page alone."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from graphql_api import app as application
from graphql_api.settings import Environment, Settings
from tests.canaries import Canaries
from tests.operations import REVOKE
from tests.serving import in_process
from tests.upkeep.test_demo import command

PEOPLE = "/graphiql/people"
BASE = "http://127.0.0.1:8000"
OWN_PAGE = {"Sec-Fetch-Site": "same-origin"}
WHO = "{ viewer { user { name } apiTokens(first: 1) { nodes { id } } } }"


@asynccontextmanager
async def served(
    settings: Settings, *, base: str = BASE, peer: str = "127.0.0.1"
) -> AsyncIterator[httpx.AsyncClient]:
    """A server of these settings, asked by a peer for a name."""
    app = application.create_app(settings)
    async with in_process(app):
        transport = httpx.ASGITransport(app, client=(peer, 40_000), raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url=base) as http:
            yield http


@pytest.fixture
async def filled(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, canaries: Canaries
) -> Settings:
    """A database that the demo has filled, from this folder."""
    given = {"DATABASE_URL": settings.database_url, "SEALING_KEYS": settings.sealing_keys}
    done = await asyncio.to_thread(command, tmp_path, "demo", **given)
    assert done.returncode == 0, done.stderr
    monkeypatch.chdir(tmp_path)
    canaries.heard((tmp_path / "var" / "demo" / "people.json").read_text())
    return settings


async def who(http: httpx.AsyncClient, bearer_token: str) -> Any:
    headers = {"Authorization": f"Bearer {bearer_token}"}
    return (await http.post("/graphql", json={"query": WHO}, headers=headers)).json()["data"]["viewer"]


@pytest.mark.parametrize(
    ("base", "peer"), [(BASE, "127.0.0.1"), ("http://localhost:8000", "::1"), ("http://[::1]:8000", "::1")]
)
async def test_the_page_gets_the_creator_and_the_admin_with_bearer_tokens_that_work(
    filled: Settings, base: str, peer: str
) -> None:
    async with served(filled, base=base, peer=peer) as http:
        answer = await http.get(PEOPLE, headers=OWN_PAGE)
        people = answer.json()
        assert [(one["name"], one["role"]) for one in people] == [
            ("Cleo Creator", "CREATOR"),
            ("Nora North", "ADMIN"),
        ]
        for one in people:
            assert (await who(http, one["bearerToken"]))["user"]["name"] == one["name"]
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"


@pytest.mark.parametrize(
    ("base", "peer", "headers"),
    [
        pytest.param(BASE, "127.0.0.1", {}, id="a program, not a page"),
        pytest.param(BASE, "127.0.0.1", {"Sec-Fetch-Site": "none"}, id="the address, typed in"),
        pytest.param(BASE, "127.0.0.1", {"Sec-Fetch-Site": "cross-site"}, id="a page of another site"),
        pytest.param(BASE, "127.0.0.1", {"Sec-Fetch-Site": "same-site"}, id="a page of another port"),
        pytest.param(
            "http://rebound.example:8000", "127.0.0.1", OWN_PAGE, id="another name for this machine"
        ),
        pytest.param("http://127.0.0.1.example:8000", "127.0.0.1", OWN_PAGE, id="a name that begins like it"),
        pytest.param(BASE, "192.168.1.20", OWN_PAGE, id="another machine"),
        pytest.param("http://192.168.1.10:8000", "192.168.1.10", OWN_PAGE, id="this machine's own network"),
        pytest.param(BASE, "127.0.0.1", {**OWN_PAGE, "X-Forwarded-For": "127.0.0.1"}, id="a proxy"),
        pytest.param(
            BASE, "127.0.0.1", {**OWN_PAGE, "Forwarded": "for=127.0.0.1"}, id="a proxy by the standard"
        ),
    ],
)
async def test_everybody_else_finds_nobody(
    filled: Settings, base: str, peer: str, headers: dict[str, str]
) -> None:
    shared = filled.model_copy(update={"allowed_origins": ("*",)})
    async with served(shared, base=base, peer=peer) as http:
        answer = await http.get(PEOPLE, headers={**headers, "Origin": "https://other.example"})
        assert (answer.status_code, answer.json()) == (200, [])


@pytest.mark.parametrize("graphiql", [True, False])
async def test_production_has_nobody_to_ask_for(filled: Settings, graphiql: bool) -> None:
    production = filled.model_copy(update={"environment": Environment.PRODUCTION, "graphiql": graphiql})
    async with served(production) as http:
        assert (await http.get(PEOPLE, headers=OWN_PAGE)).status_code == 404


async def test_a_bearer_token_that_ended_is_not_handed_out(filled: Settings) -> None:
    async with served(filled) as http:
        creator, admin = (await http.get(PEOPLE, headers=OWN_PAGE)).json()
        ((api_token,),) = (await who(http, admin["bearerToken"]))["apiTokens"].values()
        revoking = {"query": REVOKE, "variables": {"input": {"apiTokenId": api_token["id"]}}}
        await http.post(
            "/graphql", json=revoking, headers={"Authorization": f"Bearer {admin['bearerToken']}"}
        )
        assert (await http.get(PEOPLE, headers=OWN_PAGE)).json() == [creator]


async def test_another_database_has_none_of_them(filled: Settings) -> None:
    written = json.loads(filled.demo_people_file.read_text())
    for one in written:
        one["bearerToken"] = one["bearerToken"][::-1]
    filled.demo_people_file.write_text(json.dumps(written))
    async with served(filled) as http:
        assert (await http.get(PEOPLE, headers=OWN_PAGE)).json() == []


async def test_without_the_demo_there_is_nobody(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with served(settings) as http:
        assert (await http.get(PEOPLE, headers=OWN_PAGE)).json() == []


async def test_only_their_owner_reads_the_demos_files(filled: Settings) -> None:
    assert filled.demo_people_file.parent.stat().st_mode & 0o777 == 0o700
    for file in (filled.demo_people_file, filled.demo_operations_file):
        assert file.stat().st_mode & 0o777 == 0o600
