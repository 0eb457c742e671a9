"""Events made at one server process and followed at another, through connections that keep breaking."""

import asyncio
import base64
import random
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx

from tests import operations
from tests.api import Api, Person, facebook_account, instagram_account
from tests.canaries import PASSWORD, Canaries
from tests.live_events.streams import StreamEnded, over_event_stream, over_socket

ACCOUNTS = 20  # a call, each of which is an event
ROOM = {
    "MAX_ACCOUNTS_PER_HOLDER": "100000",
    "WRITES_PER_USER": "1000000",
}  # what the servers need for many calls
PEOPLE_PER_STREAM = 10  # streams of one person, who may have 20 at a process


@dataclass
class Figures:
    """What was made and heard; times in seconds."""

    events: int
    subscribers: int
    reconnects: int = 0
    making: float = 0.0
    hearing: float = 0.0
    lags: list[float] = field(default_factory=list)
    closing: float = 0.0  # from revoking a token at one process to the close at the other


async def cross(making: str, hearing: str, canaries: Canaries, *, events: int, subscribers: int) -> Figures:
    """Make events at one server while subscribers of another follow them; fails where one is lost or comes twice."""
    figures = Figures(events - events % ACCOUNTS, subscribers)
    async with AsyncExitStack() as stack:
        api = Api(await stack.enter_async_context(_client(making)), canaries)
        writers = [await api.register("ada"), await api.register("bob")]
        workspace = await writers[0].create_workspace()
        readers = [
            await api.register(f"reader{number}") for number in range(-(-subscribers // PEOPLE_PER_STREAM))
        ]
        for person in (writers[1], *readers):
            await writers[0].bring_in(person, workspace, role="ADMIN")
        query = "query Q($id: ID!) { node(id: $id) { ... on Workspace { eventsCursor } } }"
        start = (await writers[0].execute(query, {"id": workspace}))["node"]["eventsCursor"]
        following = [
            asyncio.create_task(
                _follow(
                    over_socket if number % 2 else over_event_stream,
                    hearing,
                    readers[number % len(readers)],
                    workspace,
                    cursor=start,
                    figures=figures,
                )
            )
            for number in range(subscribers)
        ]
        started = time.perf_counter()
        await _make(writers, workspace, figures)
        figures.making = time.perf_counter() - started
        heard = await asyncio.gather(*following)
        figures.hearing = time.perf_counter() - started
        expected = list(range(_seq(start) + 1, _seq(start) + 1 + figures.events))
        for seqs in heard:
            assert seqs == expected, "an event was lost, came twice, or out of order"
        figures.closing = await _closing(api, hearing, readers[0])
    return figures


def _client(base_url: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=base_url, timeout=60, trust_env=False)


async def _make(writers: Sequence[Person], workspace: str, figures: Figures) -> None:
    """Connect new accounts in every call, two people at the same time."""
    calls = figures.events // ACCOUNTS
    await asyncio.gather(
        *(
            _connect(writer, workspace, first=number * 1_000_000, times=calls // 2 + (number < calls % 2))
            for number, writer in enumerate(writers)
        )
    )


async def _connect(writer: Person, workspace: str, *, first: int, times: int) -> None:
    for turn in range(times):
        answer = await writer.mutate(
            operations.CONNECT,
            facebookAccount=facebook_account(writer.api.canaries),
            instagramAccounts=[
                instagram_account(writer.api.canaries, str(first + turn * ACCOUNTS + number))
                for number in range(1, ACCOUNTS + 1)
            ],
            workspaceId=workspace,
        )
        assert answer["__typename"] == "ConnectSocialAccountsSuccess", answer


async def _follow(
    transport: Any, base_url: str, reader: Person, workspace: str, *, cursor: str, figures: Figures
) -> list[int]:
    """Follow until everything was heard, dropping the connection after some events each time."""
    seqs: list[int] = []
    connections = 0
    while len(seqs) < figures.events:
        connections += 1
        patience = random.randint(1, max(2, figures.events // 4))
        async with transport(base_url, reader.token, workspace=workspace, after=cursor) as follower:
            for _ in range(min(patience, figures.events - len(seqs))):
                edge = await follower.hear()
                cursor = edge["cursor"]
                seqs.append(_seq(cursor))
                happened = datetime.fromisoformat(edge["node"]["occurredAt"]).timestamp()
                if connections == 1:  # what was missed meanwhile is late by its nature
                    figures.lags.append(time.time() - happened)
    figures.reconnects += connections - 1
    return seqs


async def _closing(api: Api, hearing: str, reader: Person) -> float:
    """How long a socket at the other process stays open after its token was revoked."""
    log_in: dict[str, Any] = {"email": reader.email, "password": PASSWORD, "label": "x", "scopes": []}
    token = await api.mutate(operations.LOG_IN, log_in)
    async with over_socket(hearing, token["bearerToken"]) as follower:
        waiting = asyncio.create_task(follower.hear())
        await asyncio.sleep(0.5)
        started = time.perf_counter()
        await reader.mutate(operations.REVOKE, apiTokenId=token["apiToken"]["id"])
        try:
            await waiting
            await follower.hear()  # the revoking itself may be heard first
        except StreamEnded as ended:
            assert ended.close == 4401, ended  # noqa: PT017 - how it ends is what is asked
        return time.perf_counter() - started


def _seq(cursor: str) -> int:
    return int(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode().rpartition(":")[2])
