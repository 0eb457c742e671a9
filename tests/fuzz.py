"""Sends a server what nobody wrote: documents made from its schema, and requests with damage.

    python -m tests.fuzz --documents 20000 --bodies 10000 --frames 10000
    python -m tests.fuzz --host 127.0.0.1:8000 --token TOKEN ...

Without a host, the sample server is started and asked. A run fails at the first answer that is a 5xx or
holds a masked error, and at the first socket that ends in another way than its protocol's. The schema is
read by introspection, so that must be on.
"""

import argparse
import asyncio
import json
import os
import random
import sys
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import httpx
from graphql import GraphQLScalarType, GraphQLSchema, build_client_schema, get_introspection_query
from graphql import is_specified_scalar_type as is_specified
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis_graphql import from_schema, nodes
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from tests.web.sample import CalmQuery, Sample, served

PROTOCOL = Subprotocol("graphql-transport-ws")
PLANNED_CLOSES = frozenset({1000, 1009, 4400, 4401, 4403, 4409, 4429})
SNIPPETS = [
    *(b"{", b"}", b"[", b"]", b'"', b":", b",", b"\\", b"null", b"NaN", b"-", b"1e999", b"9" * 400),
    *(b"\\ud800", b"\\u0000", b"...", b"@skip(if:true)", b"$a", b"{a{a{a", b"#", b'"""'),
    *(b'"query"', b'"variables"', b'"extensions"', b'"documentId"', b'"id"', b'"type"'),
    *(b"\x00", b"\xff", b"\xed\xa0\x80", b"\xef\xbb\xbf", "\u202e\U0001f600".encode()),
    *(b"[" * 300, b'{"a":' * 300),
]
BODIES: list[object] = [
    {"query": "{ __typename }"},
    {"query": "query A($a: Int!, $b: [String!]) { __typename } query B { __typename }", "operationName": "A"},
    {
        "query": "query($i: Boolean!) { __typename @include(if: $i) }",
        "variables": {"i": True, "o": {"a": [1, 2.5]}},
    },
    {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": "ab" * 32}}},
    {"documentId": "sha256:abc", "variables": {"a": None}},
    {"query": "mutation { a: __typename ...F } fragment F on Mutation { __typename }"},
]
FRAMES: list[object] = [
    {"type": "ping", "payload": {"a": [1, "x", None]}},
    {"type": "pong"},
    {"type": "complete", "id": "1"},
    *({"type": "subscribe", "id": str(n), "payload": body} for n, body in enumerate(BODIES)),
]


class Found(Exception):
    """The server answered as it never should."""


@dataclass(frozen=True)
class Target:
    """The server under test."""

    host: str
    token: str | None

    @property
    def headers(self) -> dict[str, str]:
        return {} if self.token is None else {"authorization": f"Bearer {self.token}"}


def damage(data: bytes, chance: random.Random) -> bytes:
    """Return bytes with one to four faults: cut, doubled, replaced, or something put in."""
    for _ in range(chance.randint(1, 4)):
        start = chance.randint(0, len(data))
        end = min(len(data), start + chance.randint(0, 40))
        before, within, after = data[:start], data[start:end], data[end:]
        anything = chance.choice([*SNIPPETS, bytes([chance.randrange(256)])])
        data = chance.choice(
            [
                before + after,
                before + within + within + after,
                before + anything + within + after,
                before + anything + after,
                before,
            ]
        )
    return data


def check(response: httpx.Response, sent: bytes) -> None:
    """Raise if an answer is a failure of the server's own."""
    if response.status_code >= 500 or "INTERNAL_SERVER_ERROR" in response.text:
        raise Found(f"{response.status_code} {response.text[:300]} for {sent[:2000]!r}")
    if not response.headers["content-type"].endswith("json; charset=utf-8"):
        raise Found(f"{response.headers['content-type']} for {sent[:2000]!r}")


def tell(kind: str, done: int, count: int) -> None:
    """Show how far a long run is."""
    if done % 1000 == 0 or done == count:
        sys.stderr.write(f"{done} of {count} {kind}\n")


def post(client: httpx.Client, body: bytes) -> httpx.Response:
    response = client.post("/graphql", content=body, headers={"content-type": "application/json"})
    check(response, body)
    return response


def send_documents(target: Target, count: int, chance: random.Random) -> dict[str, int]:
    """Send documents that fit the schema, and each again with damage; returns how many were run."""
    tally = {"executed": 0, "refused": 0, "damaged": 0}
    with httpx.Client(base_url=f"http://{target.host}", headers=target.headers, timeout=30) as client:
        schema = read_schema(client)
        scalars = {
            name: st.sampled_from([nodes.String("x"), nodes.String("2026-01-01T00:00:00Z"), nodes.Int(1)])
            for name, type_ in schema.type_map.items()
            if isinstance(type_, GraphQLScalarType) and not is_specified(type_)
        }

        @seed(chance.randrange(2**32))
        @settings(
            max_examples=count,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(from_schema(schema, custom_scalars=scalars))
        def send(document: str) -> None:
            body = json.dumps({"query": document}).encode("utf-8", "surrogatepass")
            tally["executed" if "data" in post(client, body).json() else "refused"] += 1
            damaged = damage(document.encode("utf-8", "surrogatepass"), chance).decode(errors="replace")
            post(client, json.dumps({"query": damaged}).encode())
            tally["damaged"] += 1
            tell("documents", tally["damaged"], count)

        send()
    return tally


def read_schema(client: httpx.Client) -> GraphQLSchema:
    response = client.post("/graphql", json={"query": get_introspection_query(input_value_deprecation=True)})
    return build_client_schema(response.json()["data"])


def send_bodies(target: Target, count: int, chance: random.Random) -> dict[str, int]:
    """Send requests with damage; returns how many were answered with which status."""
    tally: dict[str, int] = {}
    with httpx.Client(base_url=f"http://{target.host}", headers=target.headers, timeout=30) as client:
        for number in range(1, count + 1):
            body = damage(json.dumps(chance.choice(BODIES)).encode(), chance)
            status = str(post(client, body).status_code)
            tally[status] = tally.get(status, 0) + 1
            tell("bodies", number, count)
    return tally


async def send_frames(target: Target, count: int, chance: random.Random) -> dict[str, int]:
    """Send messages with damage, on a new socket after each close; returns how often it closed with what."""
    tally: dict[str, int] = {}
    sent = 0
    while sent < count:
        async with connect(
            f"ws://{target.host}/graphql", subprotocols=[Subprotocol("graphql-transport-ws")]
        ) as socket:
            sent += await _send_until_closed(socket, count - sent, chance, target)
            code = str(socket.close_code)
            if socket.close_code not in PLANNED_CLOSES:
                raise Found(f"a socket closed with {code} {socket.close_reason}")
            tally[code] = tally.get(code, 0) + 1
            tell("frames", sent, count)
    return tally


async def _send_until_closed(
    socket: ClientConnection, most: int, chance: random.Random, target: Target
) -> int:
    sent = 0
    try:
        await socket.send(json.dumps({"type": "connection_init", "payload": target.headers}))
        await socket.recv()
        while sent < most:
            frame = damage(json.dumps(chance.choice(FRAMES)).encode(), chance)
            sent += 1
            await socket.send(frame if chance.random() < 0.02 else frame.decode(errors="replace"))
            await socket.send('{"type":"ping"}')
            while (answer := json.loads(await socket.recv()))["type"] != "pong":
                if "INTERNAL_SERVER_ERROR" in json.dumps(answer):
                    raise Found(f"{answer} for {frame!r}")
    except ConnectionClosed:
        return sent
    await socket.close()
    return sent


def run(target: Target, *, documents: int, bodies: int, frames: int, number: int) -> dict[str, Any]:
    """Run all three kinds; returns the figures."""
    figures: dict[str, Any] = {"seed": number}
    kinds: dict[str, tuple[int, Callable[[random.Random], dict[str, int]]]] = {
        "documents": (documents, lambda chance: send_documents(target, documents, chance)),
        "bodies": (bodies, lambda chance: send_bodies(target, bodies, chance)),
        "frames": (frames, lambda chance: asyncio.run(send_frames(target, frames, chance))),
    }
    for name, (count, send) in kinds.items():
        if count:
            started = perf_counter()
            tally = send(random.Random(number))
            figures[name] = {"sent": count, "seconds": round(perf_counter() - started, 1), **tally}
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument(
        "--host", default=os.environ.get("GRAPHQL_HOST"), help="host:port of a running server"
    )
    parser.add_argument("--token", default=os.environ.get("GRAPHQL_TOKEN"), help="bearer token of a user")
    for name in ("documents", "bodies", "frames"):
        parser.add_argument(f"--{name}", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    given_ = parser.parse_args()
    counts = {name: getattr(given_, name) for name in ("documents", "bodies", "frames")}
    if given_.host:
        figures = run(Target(given_.host, given_.token), number=given_.seed, **counts)
    else:
        figures = run_against_sample(number=given_.seed, **counts)
    sys.stdout.write(json.dumps(figures, indent=2) + "\n")


def run_against_sample(*, documents: int, bodies: int, frames: int, number: int) -> dict[str, Any]:
    """Start the sample server without the fields that fail on purpose, and run against it."""
    sample = Sample(query=CalmQuery)
    with served(sample.app) as host:
        figures = run(Target(host, "good"), documents=documents, bodies=bodies, frames=frames, number=number)
    if sample.reports:
        raise Found(str(sample.reports[0]))
    return figures


if __name__ == "__main__":
    main()
