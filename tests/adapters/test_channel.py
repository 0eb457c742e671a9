"""The event channel at its edges; that it carries events is seen in `tests/live_events`."""

import asyncio
from collections.abc import Callable, Collection
from typing import Any

import asyncpg
import pytest

from graphql_api.adapters.channel import Channel
from graphql_api.storage.postgresql import PostgreSQL
from tests.siege.faults import terminate_backends


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


async def test_a_channel_whose_connection_ends_listens_again_soon(postgresql_url: str) -> None:
    heard: asyncio.Queue[Any] = asyncio.Queue()
    channel = Channel(PostgreSQL(postgresql_url).connect)
    running = asyncio.ensure_future(channel.run(heard.put_nowait))
    assert await heard.get() is None

    for by_postgresql in (True, False):
        if by_postgresql:
            assert await terminate_backends(postgresql_url)
        else:
            channel.reconnect()
        assert await asyncio.wait_for(heard.get(), 5) is None  # whatever was announced meanwhile
        other = await asyncpg.connect(postgresql_url)
        await other.execute("SELECT pg_notify('graphql_api_events', 'user:1')")
        assert await asyncio.wait_for(heard.get(), 5) == ["user:1"]
        await other.close()

    running.cancel()
    await asyncio.wait([running])


async def test_a_server_that_cannot_be_listened_to_is_not_asked_again_without_a_pause() -> None:
    """As a standby, where to connect succeeds and LISTEN does not."""
    asked = 0

    class Standby:
        def get_server_pid(self) -> int:
            return 1

        async def execute(self, _statement: str) -> None:
            raise asyncpg.ReadOnlySQLTransactionError("cannot execute LISTEN during recovery")

        def terminate(self) -> None: ...

    async def connect() -> Any:
        nonlocal asked
        asked += 1
        return Standby()

    running = asyncio.ensure_future(Channel(connect).run(lambda _topics: None))
    await asyncio.sleep(0.5)
    running.cancel()
    await asyncio.wait([running])
    assert 1 <= asked < 10
