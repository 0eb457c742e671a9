"""The event channel: tells every process that something happened, never what.

Whoever hears it looks into the tables. So nothing is lost with a message, and whoever listens also polls:
for SQLite, whose other processes cannot be told, and for the moments when the connection is away.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Collection
from typing import TypeAlias

import asyncpg
import structlog

log = structlog.get_logger(__name__)

NAME = "graphql_api_events"
GATHER = 0.02  # seconds in which announcements are gathered into one
SENDING = 5.0  # seconds that sending may take: the connection is then given up
LONGEST_PAUSE = 1.0  # seconds between two attempts to connect
TOPICS_IN_A_MESSAGE = 150  # of 47 characters at most; PostgreSQL takes messages below 8000 bytes
CONNECT_ERRORS = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
Connect: TypeAlias = Callable[[], Awaitable[asyncpg.Connection]]


class Channel:
    """Carries topics: in this process at once, and to others over one PostgreSQL connection, if there is one.

    PostgreSQL delivers a NOTIFY at commit under one lock for all databases; so it is sent after the commits,
    for many of them together, and no mutation waits for it.
    """

    def __init__(self, connect: Connect | None) -> None:
        self._connect = connect  # how the driver connects to PostgreSQL; None where there is none
        self._hear: Callable[[Collection[str] | None], None] = lambda _topics: None
        self._unsent: set[str] = set()
        self._to_send = asyncio.Event()
        self._connection: asyncpg.Connection | None = None

    def announce(self, topics: Collection[str]) -> None:
        """Wake whoever follows these topics; returns at once."""
        self._hear(topics)
        if self._connect is not None:
            self._unsent.update(topics)
            self._to_send.set()

    async def run(self, hear: Callable[[Collection[str] | None], None]) -> None:
        """Hand on what is announced, here and elsewhere, until cancelled; None stands for any topic."""
        self._hear = hear
        pause = 0.1
        while self._connect is not None:
            try:
                self._connection = await self._connect()
                await self._listen(self._connection)
                pause = 0.1
                await self._serve(self._connection)
            except CONNECT_ERRORS as error:
                log.info("channel.lost", reason=type(error).__name__, seconds=round(pause, 1))
            finally:
                self.reconnect()
            await asyncio.sleep(pause * random.uniform(0.5, 1))  # noqa: S311 - jitter
            pause = min(pause * 2, LONGEST_PAUSE)
        await asyncio.Event().wait()

    def reconnect(self) -> None:
        """End the connection, so that another one is made: it may lead to another server now."""
        if self._connection is not None:
            self._connection.terminate()
        self._to_send.set()

    async def _listen(self, connection: asyncpg.Connection) -> None:
        """Hear what is announced elsewhere, as long as the connection lasts."""
        own_pid = connection.get_server_pid()

        def on_message(_connection: object, pid: int, _name: str, message: str) -> None:
            # Also one that is delivered when the connection has ended meanwhile. Ours were heard at once.
            if pid != own_pid:
                self._hear(message.split())

        # A message is not worth a flush to the disk: it is lost with the server that would have to keep it.
        await connection.execute("SET synchronous_commit TO off")
        connection.add_termination_listener(lambda _connection: self._to_send.set())
        await connection.add_listener(NAME, on_message)
        self._hear(None)  # whatever was announced while nobody listened

    async def _serve(self, connection: asyncpg.Connection) -> None:
        """Send what is announced here, until the connection ends."""
        while not connection.is_closed():
            await self._to_send.wait()
            await asyncio.sleep(GATHER)
            self._to_send.clear()
            topics, self._unsent = sorted(self._unsent), set()
            for start in range(0, len(topics), TOPICS_IN_A_MESSAGE):
                message = " ".join(topics[start : start + TOPICS_IN_A_MESSAGE])
                await connection.execute("SELECT pg_notify($1, $2)", NAME, message, timeout=SENDING)
