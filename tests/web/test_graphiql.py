"""GraphiQL as the server hands it out; what it does in a browser is shown by tests/browser."""

import json
import re
from pathlib import Path

import httpx
import pytest
from graphql import build_ast_schema, parse, validate
from starlette.applications import Starlette

from graphql_api.schema import build_schema
from graphql_api.web.graphiql import graphiql_routes

ROOT = Path(__file__).parents[2]
SCHEMA = build_ast_schema(parse(build_schema().as_str()))
OPERATIONS = ROOT / "graphiql" / "src" / "operations"
ASSET = "/graphiql/assets/index-BMqQ7WrL.js"


def client(bundle: Path) -> httpx.AsyncClient:
    app = Starlette(routes=graphiql_routes(bundle))
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test")


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A bundle as Vite leaves it: the project's own index.html, and a file with a hash in its name."""
    (tmp_path / "index.html").write_text((ROOT / "graphiql" / "index.html").read_text())
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "index-BMqQ7WrL.js").write_text("export {};")
    return tmp_path


async def test_the_page_knows_its_endpoint(bundle: Path) -> None:
    page = await client(bundle).get("/graphiql")
    assert page.status_code == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert 'data-endpoint="/graphql"' in page.text
    assert "$" not in page.text


async def test_the_page_knows_whether_there_are_people_to_ask_for(bundle: Path) -> None:
    async def people() -> list[dict[str, str]]:
        return []

    nobody = client(bundle)
    somebody = httpx.AsyncClient(
        transport=httpx.ASGITransport(Starlette(routes=graphiql_routes(bundle, people))),
        base_url="http://test",
    )
    assert 'data-people=""' in (await nobody.get("/graphiql")).text
    assert 'data-people="/graphiql/people"' in (await somebody.get("/graphiql")).text
    assert (await nobody.get("/graphiql/people")).status_code == 404


async def test_the_page_runs_nothing_inline_and_asks_no_other_host(bundle: Path) -> None:
    page = await client(bundle).get("/graphiql")
    policy = dict(part.split(" ", 1) for part in page.headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["worker-src"] == policy["connect-src"] == "'self'"
    assert policy["frame-ancestors"] == policy["base-uri"] == policy["form-action"] == "'none'"
    assert "http" not in page.headers["content-security-policy"]


async def test_every_answer_has_a_nonce_of_its_own(bundle: Path) -> None:
    nonces = set()
    for _ in range(2):
        page = await client(bundle).get("/graphiql")
        nonce = re.search(r'nonce="([^"]{20,})"', page.text)
        assert nonce is not None
        assert f"style-src-elem 'self' 'nonce-{nonce[1]}'" in page.headers["content-security-policy"]
        nonces.add(nonce[1])
    assert len(nonces) == 2


async def test_the_page_is_never_kept_and_its_assets_for_ever(bundle: Path) -> None:
    page = await client(bundle).get("/graphiql")
    asset = await client(bundle).get(ASSET)
    assert page.headers["cache-control"] == "no-store"
    assert asset.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert asset.headers["content-type"].startswith("text/javascript")


@pytest.mark.parametrize("path", ["/graphiql", ASSET])
async def test_the_browser_may_neither_guess_types_nor_tell_where_it_came_from(
    bundle: Path, path: str
) -> None:
    answer = await client(bundle).get(path)
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize("path", ["absent.js", "../index.html", "%2e%2e/index.html", "%00"])
async def test_only_assets_are_served(bundle: Path, path: str) -> None:
    assert (await client(bundle).get(f"/graphiql/assets/{path}")).status_code == 404


async def test_an_absent_bundle_is_told_with_the_way_to_get_it(tmp_path: Path) -> None:
    absent = client(tmp_path / "absent")
    page = await absent.get("/graphiql")
    assert page.status_code == 503
    assert "make graphiql" in page.text
    assert "released wheel" in page.text
    assert "//" not in page.text, "no address of another host"
    assert (await absent.get(ASSET)).status_code == 404


@pytest.mark.parametrize("operation", sorted(OPERATIONS.glob("*.graphql")), ids=lambda path: path.stem)
def test_every_tab_begins_with_its_explanation_and_fits_the_schema(operation: Path) -> None:
    assert operation.read_text().startswith("# ")
    assert validate(SCHEMA, parse(operation.read_text())) == []


@pytest.mark.parametrize("variables", sorted(OPERATIONS.glob("*.json")), ids=lambda path: path.stem)
def test_variables_stand_beside_their_operation(variables: Path) -> None:
    assert variables.with_suffix(".graphql").exists()
    assert isinstance(json.loads(variables.read_text()), dict)
