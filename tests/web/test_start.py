"""Where somebody arrives who knows only the address: the start page, the schema, the endpoint in a browser."""

import base64
import hashlib
import re
from pathlib import Path

import httpx
import pytest
from starlette.types import ASGIApp

from graphql_api import app as application
from graphql_api.schema import schema_text
from graphql_api.settings import Environment, Settings
from tests.conftest import make_settings

# What Chromium sends when somebody opens an address.
BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"}


@pytest.fixture
def development(tmp_path: Path) -> Settings:
    return make_settings(f"sqlite:///{tmp_path}/none.sqlite3")


@pytest.fixture
def production(development: Settings, tmp_path: Path) -> Settings:
    changed = {"environment": Environment.PRODUCTION, "mail_outbox": tmp_path / "outbox"}
    return development.model_copy(update=changed)


def client(settings: Settings) -> httpx.AsyncClient:
    app: ASGIApp = application.create_app(settings)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1:8000")


def links(page: httpx.Response) -> list[str]:
    return re.findall(r'href="([^"]+)"', page.text)


async def test_the_start_page_links_what_development_serves(development: Settings) -> None:
    http = client(development)
    page = await http.get("/", headers=BROWSER)
    assert page.status_code == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert links(page) == ["/graphiql", "/schema.graphql", "/healthz", "/readyz"]
    assert (Path(__file__).parents[2] / "docs" / "index.md").exists()
    assert "<code>docs/index.md</code>" in page.text


async def test_the_start_page_links_what_production_serves_and_names_no_version(production: Settings) -> None:
    http = client(production)
    page = await http.get("/", headers=BROWSER)
    assert page.status_code == 200
    assert links(page) == ["/healthz", "/readyz"]
    for path in ("/graphiql", "/schema.graphql"):
        assert (await http.get(path)).status_code == 404
    without_style = re.sub(r"<style>.*?</style>", "", page.text, flags=re.DOTALL)
    assert re.findall(r"\d+\.\d+|python|uvicorn|starlette|strawberry", without_style, re.IGNORECASE) == []
    assert "server" not in page.headers


@pytest.mark.parametrize(
    ("setting", "path"), [("graphiql", "/graphiql"), ("introspection", "/schema.graphql")]
)
async def test_production_serves_and_links_what_it_is_told_to(
    production: Settings, setting: str, path: str
) -> None:
    http = client(production.model_copy(update={setting: True}))
    assert path in links(await http.get("/"))
    assert (await http.get(path)).status_code != 404


async def test_the_start_page_runs_no_script_and_allows_only_its_own_style(production: Settings) -> None:
    page = await client(production).get("/")
    style = re.search(r"<style>(.*?)</style>", page.text, re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    policy = dict(part.split(" ", 1) for part in page.headers["content-security-policy"].split("; "))
    assert policy.pop("style-src") == f"'sha256-{digest}'"
    assert policy.pop("default-src") == "'none'"
    assert set(policy.values()) == {"'none'"}
    assert "<script" not in page.text
    assert "//" not in page.text, "no address of another host"


async def test_nobody_writes_to_the_start_page(production: Settings) -> None:
    http = client(production)
    assert (await http.head("/")).status_code == 200
    assert (await http.post("/")).status_code == 405


async def test_the_schema_is_served_as_text(development: Settings) -> None:
    schema = await client(development).get("/schema.graphql")
    assert schema.status_code == 200
    assert schema.headers["content-type"] == "text/plain; charset=utf-8"
    assert schema.text == schema_text()


async def test_a_browser_that_opens_the_endpoint_goes_on_to_graphiql_in_development(
    development: Settings,
) -> None:
    opened = await client(development).get("/graphql", headers=BROWSER)
    assert (opened.status_code, opened.headers["location"]) == (302, "/graphiql")
    assert "Accept" in opened.headers["vary"]


@pytest.mark.parametrize(
    ("path", "accept"),
    [
        ("/graphql", "*/*"),
        ("/graphql", "application/json"),
        ("/graphql?query=%7B__typename%7D", BROWSER["Accept"]),
    ],
)
async def test_an_operation_and_a_client_that_is_no_browser_stay(
    development: Settings, path: str, accept: str
) -> None:
    answer = await client(development).get(path, headers={"Accept": accept})
    assert answer.status_code != 302
    assert answer.headers["content-type"].startswith("application/json")


@pytest.mark.parametrize("graphiql", [True, False])
async def test_a_browser_stays_at_the_endpoint_in_production(production: Settings, graphiql: bool) -> None:
    http = client(production.model_copy(update={"graphiql": graphiql}))
    html_alone = await http.get("/graphql", headers={"Accept": "text/html"})
    assert html_alone.status_code == 406
    opened = await http.get("/graphql", headers=BROWSER)
    assert opened.headers["content-type"].startswith("application/json")


async def test_a_browser_stays_at_the_endpoint_where_there_is_no_graphiql(development: Settings) -> None:
    http = client(development.model_copy(update={"graphiql": False}))
    assert (await http.get("/graphql", headers={"Accept": "text/html"})).status_code == 406
