"""Which pages may talk to the server."""

from collections.abc import AsyncIterator

import httpx
import pytest

from graphql_api.web.options import Options
from tests.web.sample import Sample

APP = "https://app.example"
PREFLIGHT = {"access-control-request-method": "POST", "access-control-request-headers": "authorization"}


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    sample = Sample(options=Options(allowed_origins=(APP,), access_log=False))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(sample.app), base_url="http://test") as client:
        yield client


async def test_a_page_on_the_list_may_ask(client: httpx.AsyncClient) -> None:
    response = await client.options("/graphql", headers={"origin": APP, **PREFLIGHT})
    assert response.status_code == 204
    assert response.headers["access-control-allow-origin"] == APP
    assert "authorization" in response.headers["access-control-allow-headers"]
    assert "access-control-allow-credentials" not in response.headers


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://app.example", f"{APP}.evil.example"]
)
async def test_other_pages_may_not(client: httpx.AsyncClient, origin: str) -> None:
    asked = await client.options("/graphql", headers={"origin": origin, **PREFLIGHT})
    assert asked.status_code == 403
    answered = await client.post("/graphql", json={"query": "{hello}"}, headers={"origin": origin})
    for response in (asked, answered):
        assert "access-control-allow-origin" not in response.headers
        assert response.headers["vary"] == "Origin"


@pytest.mark.parametrize("body", [b"{", b'{"query":"{hello}"}', b'{"query":"{"}'])
async def test_a_page_on_the_list_can_read_errors_too(client: httpx.AsyncClient, body: bytes) -> None:
    headers = {"origin": APP, "content-type": "application/json"}
    response = await client.post("/graphql", content=body, headers=headers)
    assert response.headers["access-control-allow-origin"] == APP
    assert "retry-after" in response.headers["access-control-expose-headers"]


async def test_our_own_page_needs_no_list(client: httpx.AsyncClient) -> None:
    response = await client.post("/graphql", json={"query": "{hello}"}, headers={"origin": "http://test"})
    assert response.headers["access-control-allow-origin"] == "http://test"
