# ruff: noqa: SLF001 - Strawberry keeps its schema in a private attribute
"""Our own schema as a subject of the oracle: its resolvers, its services, and a filled SQLite database.

Each run begins with the same rows: what it writes is rolled back, a unit of work at a time. Times and random
bytes follow from the seed, and so do the failures of the database and of the services' own.
"""

import asyncio
import random
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar, cast
from unittest import mock

from graphql import DocumentNode, GraphQLSchema
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import select

from graphql_api.adapters.channel import Channel
from graphql_api.adapters.passwords import Passwords
from graphql_api.adapters.sealing import Keyring, new_key, parse_keys
from graphql_api.domain.faults import Forbidden, TemporarilyUnavailable
from graphql_api.domain.permissions import Scope
from graphql_api.domain.refusals import Refused
from graphql_api.domain.viewers import Viewer
from graphql_api.schema import build_schema
from graphql_api.schema.context import Context
from graphql_api.schema.ids import write_id
from graphql_api.services.calls.call import Call, Rules, Services
from graphql_api.services.calls.live import Live
from graphql_api.services.upkeep import demo
from graphql_api.storage import tables
from graphql_api.storage.database import Database
from graphql_api.storage.hot import HotStatement, run_within
from graphql_api.storage.migrations import migrate
from tests.execution.compiled.subject import Subject

T = TypeVar("T")
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
TURNS = 40
"""More turns of the event loop than resolvers need to come to rest: the order of work must not hang on how long
the database takes."""


class Undone(Refused[Any]):
    """A success that is rolled back all the same."""


class Fleeting:
    """Stands for the database in one run: notes what is asked of it, fails now and then, keeps nothing."""

    def __init__(self, database: Database, chance: random.Random, trouble: float, log: list[str]) -> None:
        self._database = database
        self._chance = chance
        self._trouble = trouble
        self._log = log

    async def read(self, work: Callable[[AsyncSession], Awaitable[T]]) -> T:
        await self._meet("read")
        return await self._database.read(work)

    async def transact(self, work: Callable[[AsyncSession], Awaitable[T]]) -> T:
        await self._meet("transact")
        return await self._undone(work)

    async def write_at_once(self, statement: HotStatement) -> list[Any]:
        await self._meet("write_at_once")
        return await self._undone(lambda session: run_within(session, statement))

    async def _undone(self, work: Callable[[AsyncSession], Awaitable[T]]) -> T:
        async def work_in_vain(session: AsyncSession) -> Undone:
            return Undone([await work(session)])

        undone = await self._database.transact(work_in_vain)
        return cast("T", undone.problems[0])

    async def _meet(self, what: str) -> None:
        for _ in range(TURNS):
            await asyncio.sleep(0)
        self._log.append(what)
        if self._chance.random() < self._trouble:
            raise self._chance.choice(
                [
                    TemporarilyUnavailable(retry_after=1),
                    Forbidden("Not for you"),
                    RuntimeError("broken"),
                    KeyError(),
                ]
            )

    def __getattr__(self, name: str) -> Any:
        return getattr(self._database, name)


class Ours:
    """Makes runs on one filled database."""

    def __init__(self, services: Services, viewers: list[Viewer | None]) -> None:
        self._services = services
        self._viewers = viewers

    def make_run(
        self, _schema: GraphQLSchema, _document: DocumentNode, seed: str, trouble: float
    ) -> tuple[Any, Any, list[str]]:
        _bytes.seed(seed)
        random.seed(seed)  # by which services decide when to sweep
        chance = random.Random(seed)
        log: list[str] = []
        database = cast("Database", Fleeting(self._services.database, chance, trouble, log))
        services = replace(self._services, database=database)
        call = Call(services, chance.choice(self._viewers), "oracle", "192.0.2.1")
        return None, Context(call), log


_bytes = random.Random()


@asynccontextmanager
async def our_subject(directory: Path) -> AsyncIterator[Subject]:
    """Fill a database in a directory, and give the subject for the time being."""
    url = f"sqlite:///{directory / 'oracle.sqlite3'}"
    await migrate(url)
    async with Database(url) as database:
        services = Services(
            database=database,
            live=Live(database, Channel(None), lambda: NOW, readers=1),
            keyring=Keyring(parse_keys(new_key("k1"))),
            passwords=Passwords(time_cost=1, memory_kib=8),
            rules=Rules(),
            clock=lambda: NOW,
        )
        filled = await demo.fill(services)
        if isinstance(filled, demo.NotFilled):
            raise TypeError(filled.message)
        people = (filled.admin, filled.creator, filled.other_creator)
        viewers = [replace(person.viewer, scopes=frozenset(Scope)) for person in people]
        texts = [
            *(person.email for person in people),
            "17841400000000010",
            "17841400000000099",
            "Ann",
            "",
            "x y",
        ]
        scalars = {"ID": await database.read(_ids), "String": texts, "Int": [1, 2, 20, 100, 0, -1]}
        subject = Subject("ours", build_schema()._schema, Ours(services, [*viewers, None]).make_run, scalars)
        with (
            mock.patch("os.urandom", _bytes.randbytes),
            mock.patch.object(secrets, "token_bytes", lambda count=32: _bytes.randbytes(count)),
        ):
            yield subject


async def _ids(session: AsyncSession) -> list[Any]:
    """The global ids of everything there is, and some of nothing."""
    ids = [
        write_id("InstagramAccount", hold)
        for hold in (await session.scalars(select(tables.SocialAccount.hold_id))).all()
        if hold is not None
    ]
    for table in (tables.User, tables.Workspace, tables.FacebookAccount, tables.ApiToken):
        ids += [write_id(table.__name__, key) for key in (await session.scalars(select(table.id))).all()]
    return [*sorted(ids), "", "VXNlcjox", 5]
