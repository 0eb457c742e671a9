"""GraphQL over HTTP, request by request."""

from ipaddress import ip_network
from typing import Any

import httpx
import orjson
import pytest

from graphql_api.execution.limits import Limits
from graphql_api.web.options import Options
from tests.web.sample import Sample

RESPONSE_JSON = "application/graphql-response+json"
HELLO = {"query": "{ hello }"}


def code_of(response: httpx.Response) -> str:
    assert response.headers["content-type"].endswith("json; charset=utf-8")
    body = response.json()
    assert "data" not in body
    code = body["errors"][0]["extensions"]["code"]
    assert isinstance(code, str)
    return code


async def post(client: httpx.AsyncClient, body: bytes, **headers: str) -> httpx.Response:
    sent = {"content-type": "application/json", **{k.replace("_", "-"): v for k, v in headers.items()}}
    return await client.post("/graphql", content=body, headers=sent)


async def test_a_query_is_answered(client: httpx.AsyncClient) -> None:
    response = await client.post("/graphql", json=HELLO)
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json; charset=utf-8"
    assert response.json() == {"data": {"hello": "Hello world"}}


@pytest.mark.parametrize(
    ("accept", "answered"),
    [
        ("*/*", "application/json"),
        ("application/*", "application/json"),
        (RESPONSE_JSON, RESPONSE_JSON),
        (f"{RESPONSE_JSON}, application/json;q=0.9", RESPONSE_JSON),
        (f"{RESPONSE_JSON};q=0.5, application/json", "application/json"),
        (f"application/json;q=0, {RESPONSE_JSON};q=0.1", RESPONSE_JSON),
        (f"text/html, {RESPONSE_JSON}, application/json", RESPONSE_JSON),
        ("text/html, */*;q=0.1", "application/json"),
        ("APPLICATION/JSON", "application/json"),
        ("", "application/json"),
    ],
)
async def test_the_answer_is_in_the_media_type_asked_for(
    client: httpx.AsyncClient, accept: str, answered: str
) -> None:
    response = await client.post("/graphql", json=HELLO, headers={"accept": accept})
    assert response.status_code == 200
    assert response.headers["content-type"] == f"{answered}; charset=utf-8"


@pytest.mark.parametrize("accept", ["text/csv", "text/html", "application/json;q=0", "application/jsonfoo"])
async def test_other_media_types_cannot_be_had(client: httpx.AsyncClient, accept: str) -> None:
    response = await client.post("/graphql", json=HELLO, headers={"accept": accept})
    assert (response.status_code, code_of(response)) == (406, "NOT_ACCEPTABLE")


@pytest.mark.parametrize("method", ["PUT", "HEAD", "DELETE", "PATCH", "OPTIONS"])
async def test_other_methods_are_not_allowed(client: httpx.AsyncClient, method: str) -> None:
    response = await client.request(method, "/graphql")
    assert (response.status_code, response.headers["allow"]) == (405, "GET, POST")


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/jsonfoo",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json; charset=latin-1",
        "application/json; boundary=x",
        "",
    ],
)
async def test_a_body_is_json_or_refused(client: httpx.AsyncClient, content_type: str) -> None:
    response = await post(client, orjson.dumps(HELLO), content_type=content_type)
    assert (response.status_code, code_of(response)) == (415, "UNSUPPORTED_MEDIA_TYPE")


@pytest.mark.parametrize(
    "content_type", ["application/json; charset=utf-8", 'Application/JSON;charset="UTF-8"']
)
async def test_a_charset_may_be_named(client: httpx.AsyncClient, content_type: str) -> None:
    assert (await post(client, orjson.dumps(HELLO), content_type=content_type)).status_code == 200


async def test_a_compressed_body_is_refused(client: httpx.AsyncClient) -> None:
    response = await post(client, b"...", content_encoding="gzip")
    assert (response.status_code, code_of(response)) == (415, "UNSUPPORTED_MEDIA_TYPE")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"5",
        b'"x"',
        b"[]",
        b'[{"query":"{hello}"}]',
        b"{}",
        b'{"query":5}',
        b'{"query":null}',
        b'{"query":"{hello}","operationName":5}',
        b'{"query":"{hello}","variables":[]}',
        b'{"query":"{hello}","variables":"{}"}',
        b'{"query":"{hello}","extensions":5}',
        b'{"documentId":5}',
        b'{"query":"{hello}","query":"{hello}"}',
        b'{"query":"{hello}","variables":{"a":NaN}}',
        b'{"query":"{hello}","operationName":"\\ud800"}',
        b'{"query":"\xff{hello}"}',
        b'{"query":"{hello}","variables":{"a":' + b"9" * 5000 + b"}}",
        b'{"query":"{hello}","variables":{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}}",
    ],
    ids=range(20),
)
@pytest.mark.parametrize("accept", ["application/json", RESPONSE_JSON])
async def test_a_malformed_request_is_400(client: httpx.AsyncClient, body: bytes, accept: str) -> None:
    response = await post(client, body, accept=accept)
    assert (response.status_code, code_of(response)) == (400, "BAD_REQUEST")
    assert response.headers["content-type"].startswith(accept)


async def test_a_long_body_is_413(sample: Sample, client: httpx.AsyncClient) -> None:
    body = b" " * (sample.options.max_body_bytes + 1)
    response = await post(client, body)
    assert (response.status_code, code_of(response)) == (413, "CONTENT_TOO_LARGE")


async def test_a_long_body_of_unknown_length_is_413(client: httpx.AsyncClient) -> None:
    async def endless() -> Any:
        while True:
            yield b" " * 65536

    response = await client.post("/graphql", content=endless(), headers={"content-type": "application/json"})
    assert (response.status_code, code_of(response)) == (413, "CONTENT_TOO_LARGE")


REFUSED = [
    ("{", None, "GRAPHQL_PARSE_FAILED"),
    ("{ nope }", None, "GRAPHQL_VALIDATION_FAILED"),
    ("query A{hello} query B{hello}", None, "OPERATION_RESOLUTION_FAILURE"),
    ("query($a: Int!) { number(value: $a) }", {"a": "x"}, "BAD_USER_INPUT"),
]


@pytest.mark.parametrize(("query", "variables", "code"), REFUSED)
async def test_a_refused_operation_is_400_where_clients_know_of_it(
    client: httpx.AsyncClient, query: str, variables: dict[str, object] | None, code: str
) -> None:
    body = {"query": query, "variables": variables}
    for accept, status in (("application/json", 200), (RESPONSE_JSON, 400)):
        response = await client.post("/graphql", json=body, headers={"accept": accept})
        assert (response.status_code, code_of(response)) == (status, code)


async def test_an_operation_is_chosen_by_name(client: httpx.AsyncClient) -> None:
    body = {"query": "query A{hello} query B{b:hello}", "operationName": "B"}
    assert (await client.post("/graphql", json=body)).json() == {"data": {"b": "Hello world"}}


async def test_a_query_may_come_by_get(client: httpx.AsyncClient) -> None:
    params = {"query": "query($n:String!){hello(name:$n)}", "variables": '{"n":"you"}'}
    response = await client.get("/graphql", params=params)
    assert response.json() == {"data": {"hello": "Hello you"}}


@pytest.mark.parametrize(
    "query_string",
    [
        "",
        "query=%ff",
        "query={hello}&query={hello}",
        "query={hello}&variables=[",
        "query={hello}&variables=5",
        "query={hello}&variables={%22a%22:1,%22a%22:1}",
        "query={hello}&extensions=%22%22",
        "&".join(["a=1"] * 100),
    ],
)
async def test_a_malformed_get_is_400(client: httpx.AsyncClient, query_string: str) -> None:
    response = await client.get(f"/graphql?{query_string}")
    assert (response.status_code, code_of(response)) == (400, "BAD_REQUEST")


async def test_a_mutation_never_comes_by_get(client: httpx.AsyncClient) -> None:
    response = await client.get("/graphql", params={"query": 'mutation{logIn(email:"a",password:"b")}'})
    assert (response.status_code, response.headers["allow"]) == (405, "POST")


@pytest.mark.parametrize(
    ("site", "status"), [("same-origin", 200), ("none", 200), ("same-site", 403), ("cross-site", 403)]
)
async def test_pages_of_other_sites_cannot_get(client: httpx.AsyncClient, site: str, status: int) -> None:
    response = await client.get("/graphql", params=HELLO, headers={"sec-fetch-site": site})
    assert response.status_code == status


async def test_curl_gets_json(client: httpx.AsyncClient) -> None:
    response = await client.get("/graphql", headers={"accept": "*/*", "user-agent": "curl/8.0"})
    assert (response.status_code, code_of(response)) == (400, "BAD_REQUEST")


async def test_a_subscription_by_post_is_told_where_to_go(client: httpx.AsyncClient) -> None:
    response = await client.post("/graphql", json={"query": "subscription{count}"})
    assert (response.status_code, code_of(response)) == (400, "SUBSCRIPTION_NEEDS_STREAM")


@pytest.mark.parametrize("accept", ["application/json", RESPONSE_JSON, "text/event-stream"])
async def test_a_bad_token_is_401_in_the_media_type_asked_for(accept: str) -> None:
    options = Options(allowed_origins=("https://app.example",), access_log=False)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(Sample(options=options).app)) as client:
        response = await client.post(
            "http://test/graphql",
            json=HELLO,
            headers={"authorization": "Bearer bad", "accept": accept, "origin": "https://app.example"},
        )
    assert (response.status_code, code_of(response)) == (401, "UNAUTHENTICATED")
    assert response.headers["www-authenticate"] == "Bearer"
    assert response.headers["access-control-allow-origin"] == "https://app.example"
    assert response.headers["content-type"].startswith(accept if "json" in accept else "application/json")


async def test_a_good_token_is_a_user(client: httpx.AsyncClient) -> None:
    response = await client.post("/graphql", json={"query": "{me}"}, headers={"authorization": "Bearer good"})
    assert response.json() == {"data": {"me": "good"}}


async def test_a_busy_server_says_when_to_come_again(client: httpx.AsyncClient) -> None:
    response = await client.post("/graphql", json={"query": "{busy}"})
    assert (response.status_code, response.headers["retry-after"]) == (200, "7")


async def test_an_operation_that_takes_too_long_is_503() -> None:
    sample = Sample(limits=Limits(execution_timeout=0.05))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(sample.app)) as client:
        response = await client.post("http://test/graphql", json={"query": "{slow}"})
    assert (response.status_code, code_of(response)) == (503, "EXECUTION_TIMEOUT")


async def test_an_unplanned_failure_is_masked_whatever_fails(
    sample: Sample, client: httpx.AsyncClient
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("CANARY")

    sample.engine.prepare = fail  # type: ignore[assignment, method-assign]
    response = await client.post("/graphql", json=HELLO, headers={"accept": RESPONSE_JSON})
    assert (response.status_code, code_of(response)) == (500, "INTERNAL_SERVER_ERROR")
    assert response.headers["content-type"].startswith(RESPONSE_JSON)
    assert "CANARY" not in response.text
    assert response.json()["errors"][0]["extensions"]["errorId"] == sample.reports[0].error_id


async def test_nothing_elsewhere_is_json_too(client: httpx.AsyncClient) -> None:
    response = await client.get("/favicon.ico")
    assert (response.status_code, code_of(response)) == (404, "NOT_FOUND")


async def test_browsers_are_told_to_trust_little(client: httpx.AsyncClient) -> None:
    for response in (await client.post("/graphql", json=HELLO), await client.get("/nowhere")):
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["cache-control"] == "no-store"
        assert response.headers["content-security-policy"].startswith("default-src 'none'")
        assert response.headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize(
    ("sent", "kept"), [("abcd-1234", True), ("x", False), ("a" * 65, False), ("abcd 1234", False)]
)
async def test_a_sane_request_id_is_kept(client: httpx.AsyncClient, sent: str, kept: bool) -> None:
    response = await client.post("/graphql", json=HELLO, headers={"x-request-id": sent})
    assert (response.headers["x-request-id"] == sent) is kept
    assert len(response.headers["x-request-id"]) >= 8


async def test_readiness_follows_what_is_behind(sample: Sample, client: httpx.AsyncClient) -> None:
    assert (await client.get("/healthz")).status_code == 200
    assert (await client.get("/readyz")).status_code == 200
    sample.is_ready = False
    assert (await client.get("/readyz")).status_code == 503
    assert (await client.get("/healthz")).status_code == 200


@pytest.mark.parametrize(
    ("forwarded", "address"),
    [
        (None, "192.0.2.7"),
        ("203.0.113.9", "203.0.113.9"),
        ("1.1.1.1, 203.0.113.9", "203.0.113.9"),
        ("1.1.1.1, 203.0.113.9, 192.0.2.8", "203.0.113.9"),
        ("garbage", "192.0.2.7"),
        ("203.0.113.9, garbage, 192.0.2.8", "192.0.2.8"),
    ],
)
async def test_addresses_are_believed_from_known_proxies(forwarded: str | None, address: str) -> None:
    options = Options(trusted_proxies=(ip_network("192.0.2.0/24"),), access_log=False)
    assert await _seen_address(options, forwarded) == address


async def test_addresses_are_not_believed_from_strangers() -> None:
    assert await _seen_address(Options(access_log=False), "203.0.113.9") == "192.0.2.7"


async def _seen_address(options: Options, forwarded: str | None) -> object:
    transport = httpx.ASGITransport(Sample(options=options).app, client=("192.0.2.7", 1))
    headers = {} if forwarded is None else {"x-forwarded-for": forwarded}
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        response = await client.post("/graphql", json={"query": "{caller}"}, headers=headers)
    return response.json()["data"]["caller"]
