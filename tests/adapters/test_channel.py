"""The event channel at its edges; that it carries events is seen in `tests/live_events`."""

import asyncio
from collections.abc import Callable, Collection
from typing import Any

import asyncpg
import pytest

from graphql_api.adapters.channel import Channel
from graphql_api.storage.postgresql import PostgreSQL


async def test_a_message_that_arrives_as_the_connection_ends_is_handed_on(
    postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given a channel that listens
    listening: asyncio.Queue[tuple[asyncpg.Connection, Callable[..., None]]] = asyncio.Queue()
    add_listener = asyncpg.Connection.add_listener

    async def noted(connection: asyncpg.Connection, name: str, listener: Callable[..., None]) -> Any:
        await add_listener(connection, name, listener)
        listening.put_nowait((connection, listener))

    monkeypatch.setattr(asyncpg.Connection, "add_listener", noted)
    heard: list[Collection[str] | None] = []
    running = asyncio.ensure_future(Channel(PostgreSQL(postgresql_url).connect).run(heard.append))
    connection, listener = await listening.get()
    own_pid = connection.get_server_pid()

    # when its connection has ended
    running.cancel()
    await asyncio.wait([running])
    heard.clear()

    # then what the driver still delivers is heard, if it is not its own
    assert connection.is_closed()
    listener(connection, own_pid, "graphql_api_events", "user:1")
    listener(connection, own_pid + 1, "graphql_api_events", "user:2 user:3")
    assert heard == [["user:2", "user:3"]]
