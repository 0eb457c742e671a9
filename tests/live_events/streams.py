"""The two transports of `Subscription.events`, as little of each protocol as a test needs."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

PATIENCE = 60.0
"""Seconds to wait for an event: what never comes fails a test, and does not hold it up."""

EVENTS = """
subscription Events(
  $workspaceId: ID, $after: String, $kinds: [EventKind!], $platforms: [SocialPlatform!]! = [INSTAGRAM, FACEBOOK_PAGE]
) {
  events(workspaceId: $workspaceId, after: $after, kinds: $kinds, platforms: $platforms) {
    cursor
    node { id kind kindName occurredAt socialAccountId subjectId actor { id } }
  }
}
"""


@dataclass
class StreamEnded(Exception):
    """The server ended a stream: the codes of its error message, or the code that closed the socket."""

    codes: tuple[str, ...] = ()
    close: int | None = None


class Follower:
    """One subscription; `hear` gives its next event."""

    def __init__(self, messages: AsyncIterator[Any]) -> None:
        self._messages = messages

    async def hear(self) -> Any:
        """The next edge; raises StreamEnded when there is none, and TimeoutError when none comes."""
        async with asyncio.timeout(PATIENCE):
            return (await anext(self._messages))["data"]["events"]

    async def hear_many(self, number: int) -> list[Any]:
        return [await self.hear() for _ in range(number)]

    async def kinds(self, number: int) -> list[str]:
        return [edge["node"]["kind"] for edge in await self.hear_many(number)]


@asynccontextmanager
async def over_socket(
    base_url: str,
    token: str | None,
    *,
    workspace: str | None = None,
    after: str | None = None,
    **asked: list[str],
) -> AsyncIterator[Follower]:
    """Follow over graphql-transport-ws."""
    protocol = Subprotocol("graphql-transport-ws")
    url = base_url.replace("http", "ws", 1) + "/graphql"
    # A busy machine is slow to answer, and that is not what is tested. Whoever leaves with a full queue reads no
    # answer to their closing either, and need not wait for it.
    async with connect(
        url, subprotocols=[protocol], max_queue=4, open_timeout=60, close_timeout=0.2, ping_interval=None
    ) as socket:
        yield Follower(_messages_of(socket, token, {"workspaceId": workspace, "after": after, **asked}))


async def _messages_of(
    socket: ClientConnection, token: str | None, variables: dict[str, Any]
) -> AsyncIterator[Any]:
    async def say(**message: object) -> None:
        await socket.send(json.dumps(message))

    try:
        await say(
            type="connection_init", payload={} if token is None else {"Authorization": f"Bearer {token}"}
        )
        assert json.loads(await socket.recv()) == {"type": "connection_ack"}
        await say(type="subscribe", id="1", payload={"query": EVENTS, "variables": variables})
        while True:
            message = json.loads(await socket.recv())
            if message["type"] == "error":
                raise StreamEnded(tuple(error["extensions"]["code"] for error in message["payload"]))
            assert message["type"] == "next", message
            yield message["payload"]
    except ConnectionClosed as closed:
        raise StreamEnded(close=closed.rcvd.code if closed.rcvd else None) from None


@asynccontextmanager
async def over_event_stream(
    base_url: str,
    token: str | None,
    *,
    workspace: str | None = None,
    after: str | None = None,
    **asked: list[str],
) -> AsyncIterator[Follower]:
    """Follow over graphql-sse."""
    body = {"query": EVENTS, "variables": {"workspaceId": workspace, "after": after, **asked}}
    headers = {"Accept": "text/event-stream"}
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    async with (
        httpx.AsyncClient(base_url=base_url, timeout=60, trust_env=False) as http,
        http.stream("POST", "/graphql", json=body, headers=headers) as response,
    ):
        yield Follower(_results_of(response))


async def _results_of(response: httpx.Response) -> AsyncIterator[Any]:
    if response.status_code != httpx.codes.OK:
        raise StreamEnded(close=response.status_code)
    async for line in response.aiter_lines():
        if line.startswith("data: "):
            result = json.loads(line.removeprefix("data: "))
            if "errors" in result:
                raise StreamEnded(tuple(error["extensions"]["code"] for error in result["errors"]))
            yield result
    raise StreamEnded


TRANSPORTS = {"websocket": over_socket, "event stream": over_event_stream}
