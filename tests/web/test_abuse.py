"""The abuse list, case by case, over the wire: the right answer, in time, and the next request is fine.

The numbers are those of the list in the project's security notes; cases that concern what lies behind the
door (who may see what, passwords, addresses that are fetched) are tested there.
"""

import asyncio
import gc
import gzip
import os
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from time import perf_counter, process_time

import httpx
import orjson
import pytest

from graphql_api.execution.persisted import hash_of
from graphql_api.web.options import Options
from tests.web.sample import CANARY, Sample, served

MAX_SECONDS = 0.5  # of computing, client and server together; docs/abuse.md has the figures proper
MAX_GROWTH = 20_000_000


@pytest.fixture(scope="module")
def host() -> Iterator[str]:
    sample = Sample(options=Options(access_log=False))
    gc.freeze()  # what the tests before have left is not looked through again while a case is timed
    with served(sample.app) as host:
        yield host
    gc.unfreeze()
    assert not sample.reports


@pytest.fixture
def impatient_host() -> Iterator[str]:
    options = Options(body_timeout=0.4, head_timeout=0.4, access_log=False)
    with served(Sample(options=options).app, options) as host:
        yield host


def bomb(levels: int, step: str) -> str:
    fragments = [f"fragment F{n} on Friend {{{step.replace('NEXT', f'...F{n + 1}')}}}" for n in range(levels)]
    return " ".join(["{friend(id:1){...F0}}", *fragments, f"fragment F{levels} on Friend{{id}}"])


def document(query: str, **rest: object) -> bytes:
    return orjson.dumps({"query": query, **rest})


LOG_IN = 'logIn(email:"a",password:"b")'
TOO_COMPLEX = "OPERATION_TOO_COMPLEX"
INVALID = "GRAPHQL_VALIDATION_FAILED"
NESTED = "friends{edges{node{"

CASES: dict[str, tuple[bytes, str]] = {
    "A1 aliased log-ins": (
        document("mutation{" + "".join(f"a{n}:{LOG_IN}" for n in range(30)) + "}"),
        TOO_COMPLEX,
    ),
    "A1 a thousand": (
        document("mutation{" + "".join(f"a{n}:{LOG_IN}" for n in range(1000)) + "}"),
        TOO_COMPLEX,
    ),
    "A2 batch": (orjson.dumps([{"query": "{hello}"}] * 1000), "BAD_REQUEST"),
    "A3 deep selection": (document("{friend(id:1){" + NESTED * 14 + "id" + "}}}" * 14 + "}}"), TOO_COMPLEX),
    "A3 wide selection": (
        document("{friend(id:1){" + "friends(first:100){edges{node{" * 3 + "id" + "}}}" * 3 + "}}"),
        TOO_COMPLEX,
    ),
    "A4 fragment bomb": (document(bomb(40, "NEXT NEXT")), "data"),
    "A4 longer fragment bomb": (document(bomb(90, "NEXT NEXT")), TOO_COMPLEX),
    "A5 nested bomb": (document(bomb(14, f"a:{NESTED}NEXT}}}}}} b:{NESTED}NEXT}}}}}}")), TOO_COMPLEX),
    "A5 aliased bomb": (document(bomb(10, "a:groups{NEXT} b:groups{NEXT}")), TOO_COMPLEX),
    "A6 cycle": (
        document("{friend(id:1){...A}} fragment A on Friend{...B} fragment B on Friend{...A}"),
        INVALID,
    ),
    "A6 cycle of one": (document("{friend(id:1){...A}} fragment A on Friend{groups{...A}}"), INVALID),
    "A7 duplicate fields": (document("{" + "hello " * 5000 + "}"), TOO_COMPLEX),
    "A7 fewer duplicate fields": (document("{" + "hello " * 900 + "}"), TOO_COMPLEX),
    "A7 overlapping fields": (document("{friend(id:1){" + "groups{id name}" * 150 + "}}"), TOO_COMPLEX),
    "A8 directives": (document("{hello" + "@a" * 2000 + "}"), TOO_COMPLEX),
    "A8 fewer directives": (document("{hello" + "@a" * 49 + "}"), INVALID),
    "A9 comment lines": (document("#\n" * 20_000 + "{hello}"), TOO_COMPLEX),
    "A9 long comment": (document("#" + "a" * 1_000_000 + "\n{hello}"), TOO_COMPLEX),
    "A9 commas": (document("{hello" + "," * 49_000 + "}"), "data"),
    "A10 long string": (document('{hello(name:"' + "a" * 900_000 + '")}'), TOO_COMPLEX),
    "A10 body over the limit": (document('{hello(name:"' + "a" * 5_000_000 + '")}'), "CONTENT_TOO_LARGE"),
    "A11 long number": (document("{number(value:" + "9" * 40_000 + ")}"), INVALID),
    "A11 longer number": (document("{number(value:" + "9" * 100_000 + ")}"), TOO_COMPLEX),
    "A12 long JSON number": (b'{"query":"{hello}","variables":{"a":' + b"9" * 5000 + b"}}", "BAD_REQUEST"),
    "A13 nested arrays": (
        b'{"query":"{hello}","variables":{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}}",
        "BAD_REQUEST",
    ),
    "A13 nested objects": (
        b'{"query":"{hello}","variables":' + b'{"a":' * 100_000 + b"1" + b"}" * 100_000 + b"}",
        "BAD_REQUEST",
    ),
    "A13 many values": (
        b'{"query":"{hello}","variables":{"a":[' + b"[]," * 300_000 + b"1]}}",
        "BAD_REQUEST",
    ),
    "A14 null": (b"null", "BAD_REQUEST"),
    "A14 number": (b"1", "BAD_REQUEST"),
    "A14 list": (b"[]", "BAD_REQUEST"),
    "A14 string": (b'"x"', "BAD_REQUEST"),
    "A15 no UTF-8": (b'{"query":"{hello}\xff"}', "BAD_REQUEST"),
    "A15 surrogate": (b'{"query":"{hello}","operationName":"\\ud800"}', "BAD_REQUEST"),
    "A16 surrogate in a document": (document('{hello(name:"\\uD800")}'), "GRAPHQL_PARSE_FAILED"),
    "A16 surrogate in a variable": (b'{"query":"{hello}","variables":{"a":"\\udfff"}}', "BAD_REQUEST"),
    "A17 NaN": (b'{"query":"{hello}","variables":{"a":NaN}}', "BAD_REQUEST"),
    "A17 infinity": (b'{"query":"{hello}","variables":{"a":-Infinity}}', "BAD_REQUEST"),
    "A17 infinite by size": (b'{"query":"{hello}","variables":{"a":1e999}}', "BAD_REQUEST"),
    "A17 duplicate keys": (b'{"query":"{hello}","query":"{me}"}', "BAD_REQUEST"),
    "A18 beyond 53 bits": (
        document("query($v:Int!){number(value:$v)}", variables={"v": 2**53 + 1}),
        "BAD_USER_INPUT",
    ),
    "A18 beyond 64 bits": (
        b'{"query":"query($v:Int!){number(value:$v)}","variables":{"v":36893488147419103232}}',
        "BAD_USER_INPUT",
    ),
    "A19 suggestions": (document("{helo}"), INVALID),
    "A20 deep introspection": (
        document("{__schema{types{fields{type{fields{type{fields{type{fields{name}}}}}}}}}}"),
        INVALID,
    ),
    "A20 wide introspection": (
        document("{__schema{" + "".join(f"a{n}:types{{{'name ' * 20}}}" for n in range(29)) + "}}"),
        TOO_COMPLEX,
    ),
    "A38 page of two billion": (
        document(
            "{friend(id:1){friends(first:2147483647){edges{node{friends(first:100){edges{node{id}}}}}}}}"
        ),
        TOO_COMPLEX,
    ),
    "A39 many operations": (document(" ".join(f"query Q{n}{{hello}}" for n in range(200))), TOO_COMPLEX),
    "A39 no operation named": (document("query A{hello} query B{hello}"), "OPERATION_RESOLUTION_FAILURE"),
    "A40 hash of something else": (
        document("{hello}", extensions={"persistedQuery": {"version": 1, "sha256Hash": hash_of("{me}")}}),
        "BAD_USER_INPUT",
    ),
    "A41 defer": (document("{...@defer{hello}}"), INVALID),
    "A41 stream": (document("{nodes(ids:[1])@stream{id}}"), INVALID),
    "long list of variables": (
        document("query(" + "".join(f"$a{n}:Int " for n in range(240)) + "){hello}"),
        INVALID,
    ),
    "long list of mistakes": (
        document("query($ids:[ID!]!){nodes(ids:$ids){id}}", variables={"ids": [{}] * 9000}),
        "BAD_USER_INPUT",
    ),
    "long name": (document("{" + "a" * 40_000 + "}"), INVALID),
    "deep value": (document("{number(value:" + "[" * 400 + "]" * 400 + ")}"), TOO_COMPLEX),
}


def post(client: httpx.Client, body: bytes, **headers: str) -> httpx.Response:
    return client.post("/graphql", content=body, headers={"content-type": "application/json", **headers})


def code_of(response: httpx.Response) -> str:
    answer = response.json()
    if "errors" not in answer:
        return "data"
    code = answer["errors"][0]["extensions"]["code"]
    assert isinstance(code, str)
    return code


@pytest.fixture
def client(host: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"http://{host}", timeout=30) as client:
        yield client


@pytest.mark.parametrize("case", CASES)
def test_a_hostile_request_is_refused_at_once(client: httpx.Client, case: str) -> None:
    body, code = CASES[case]
    started = process_time()
    response = post(client, body)
    assert process_time() - started < MAX_SECONDS
    assert code_of(response) == code
    assert response.status_code < 500
    assert len(response.content) < 20_000
    assert "mean" not in response.text
    assert post(client, document("{hello}")).json() == {"data": {"hello": "Hello world"}}


def test_memory_stays_flat_through_all_of_it(client: httpx.Client) -> None:
    def resident() -> int:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    bodies = [body for body, _code in CASES.values()]
    for body in bodies:
        post(client, body)
    before = resident()
    for _ in range(5):
        for body in bodies:
            post(client, body)
    assert resident() - before < MAX_GROWTH


def test_a21_a_mutation_by_get_is_refused(client: httpx.Client) -> None:
    assert client.get("/graphql", params={"query": f"mutation{{{LOG_IN}}}"}).status_code == 405


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"]
)
def test_a22_what_a_form_can_send_is_refused(client: httpx.Client, content_type: str) -> None:
    response = post(client, document(f"mutation{{{LOG_IN}}}"), **{"content-type": content_type})
    assert response.status_code == 415


def test_a35_a_compressed_bomb_is_not_unpacked(client: httpx.Client) -> None:
    bomb = gzip.compress(b" " * 50_000_000)
    assert post(client, bomb, **{"content-encoding": "gzip"}).status_code == 415


def raw(host: str, data: bytes, wait: float = 2.0) -> bytes:
    """Send bytes as they are, and return all that comes back until the server closes or time is up."""
    name, port = host.split(":")
    with socket.create_connection((name, int(port)), timeout=wait) as connection:
        received = b""
        with suppress(TimeoutError, ConnectionError):  # cut off while sending is an answer, too
            connection.sendall(data)
            while chunk := connection.recv(65536):
                received += chunk
        return received


HEAD = b"POST /graphql HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"


def test_a36_a_body_that_does_not_come_is_given_up(impatient_host: str) -> None:
    answer = raw(impatient_host, HEAD + b'Content-Length: 100\r\n\r\n{"query":')
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"REQUEST_TIMEOUT" in answer


def test_a36_a_body_that_drips_is_given_up(impatient_host: str) -> None:
    async def drip() -> bytes:
        name, port = impatient_host.split(":")
        reader, writer = await asyncio.open_connection(name, int(port))
        writer.write(HEAD + b"Content-Length: 1000\r\n\r\n")
        started = perf_counter()
        answer = asyncio.create_task(reader.read(4096))
        while not answer.done() and perf_counter() - started < 20:
            writer.write(b" ")
            await asyncio.sleep(0.05)
        writer.close()
        return await answer

    assert asyncio.run(drip()).startswith(b"HTTP/1.1 408 ")


@pytest.mark.parametrize("head", [b"", b"POST ", HEAD, HEAD + b"X-A: a"])
def test_a36_a_head_that_does_not_come_is_given_up(impatient_host: str, head: bytes) -> None:
    answer = raw(impatient_host, head, wait=20)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"REQUEST_TIMEOUT" in answer


def test_a36_a_second_head_that_does_not_come_is_given_up(impatient_host: str) -> None:
    body = document("{hello}")
    first = HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body
    answer = raw(impatient_host, first + HEAD, wait=20)
    assert b"Hello world" in answer
    assert answer.count(b"HTTP/1.1 408 ") == 1


@pytest.mark.parametrize(
    "head",
    [
        HEAD + b"X-A: ",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\nX-A: ",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n1;a=",
        b"GET /",
        b"\r\n",
    ],
    ids=["header", "trailer", "chunk extension", "path", "empty lines"],
)
def test_a37_a_head_without_end_is_cut_off(host: str, head: bytes) -> None:
    name, port = host.split(":")
    endless = b"\r\n" * 20_000 if head == b"\r\n" else b"a" * 40_000
    with socket.create_connection((name, int(port)), timeout=20) as connection:
        connection.sendall(head)
        with pytest.raises(ConnectionError):
            connection.sendall(endless * 1000)


@pytest.mark.parametrize(
    "head",
    [
        HEAD + b"Content-Length: -1\r\n\r\n",
        HEAD + b"Content-Length: x\r\n\r\n",
        HEAD + b"Content-Length: " + b"9" * 30 + b"\r\n\r\n",
        HEAD + b"Content-Length: 16\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n",
        HEAD + b"X: " + b"a" * 300_000 + b"\r\n\r\n",
        b"GET /" + b"a" * 300_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
        b"\x00\xff garbage\r\n\r\n",
    ],
    ids=["negative", "no number", "huge", "smuggled", "long header", "long path", "garbage"],
)
def test_a37_a_malformed_head_harms_nobody(host: str, client: httpx.Client, head: bytes) -> None:
    answer = raw(host, head, wait=1.0)
    assert b" 200 " not in answer.split(b"\r\n", 1)[0]
    assert b" 500 " not in answer.split(b"\r\n", 1)[0]
    assert post(client, document("{hello}")).status_code == 200


def test_a37_requests_on_one_connection_are_answered_in_order(host: str) -> None:
    one = document('{hello(name:"one")}')
    two = document('{hello(name:"two")}')
    pieces = [HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body for body in (one, two)]
    answer = raw(host, b"".join(pieces), wait=1.0)
    assert answer.count(b"HTTP/1.1 200 ") == 2
    assert answer.index(b"Hello one") < answer.index(b"Hello two")


def test_a30_no_secret_is_echoed_or_logged(client: httpx.Client, capfd: pytest.CaptureFixture[str]) -> None:
    requests = [
        document(f'mutation{{logIn(email:"a",password:"{CANARY}"'),
        document(f'mutation{{logIn(email:5,password:"{CANARY}")}}'),
        document(f"mutation{{logIn(email:{CANARY},password:5)}}"),
        document("mutation($p:Int!){number(value:$p)}", variables={"p": CANARY}),
        document("query($p:Int!){number(value:$p)}", variables={"p": CANARY}),
        document(
            "mutation($i:Credentials!){connect(input:$i)}", variables={"i": {"accessToken": {"a": CANARY}}}
        ),
        document("mutation($i:Credentials!){connect(input:$i)}", variables={"i": CANARY}),
        document("{hello}", variables={"unused": CANARY}),
    ]
    for body in requests:
        assert CANARY not in post(client, body, authorization=f"Bearer bad{CANARY}").text
        assert CANARY not in post(client, body, authorization="Bearer good").text
    assert CANARY not in "".join(capfd.readouterr())
