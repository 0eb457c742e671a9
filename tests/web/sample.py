"""A small schema and server to knock at: what the front door's tests talk to."""

import asyncio
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from enum import Enum

import strawberry
from starlette.types import ASGIApp

from graphql_api.domain.faults import Forbidden, TemporarilyUnavailable, Unauthenticated
from graphql_api.execution.engine import Engine
from graphql_api.execution.errors import ErrorReport
from graphql_api.execution.limits import Limits
from graphql_api.execution.persisted import PersistedDocuments
from graphql_api.schema.context import Caller
from graphql_api.web.options import Options
from graphql_api.web.routes import Lifespan, build
from graphql_api.web.server import build_server

Info = strawberry.Info["Context", None]
CANARY = "CANARY_secret_of_a_caller"


@strawberry.enum
class Mood(Enum):
    CALM = "calm"
    WILD = "wild"


@strawberry.type
class Friend:
    id: strawberry.ID
    name: str

    @strawberry.field
    def friends(self, first: int = 20) -> "FriendConnection":
        return FriendConnection(edges=[FriendEdge(node=Friend(id=strawberry.ID("1"), name="Ann"))])

    @strawberry.field
    def groups(self) -> list["Friend"]:
        return []


@strawberry.type
class FriendEdge:
    node: Friend


@strawberry.type
class FriendConnection:
    edges: list[FriendEdge]


@strawberry.input
class Credentials:
    access_token: str
    lucky_numbers: list[int] = strawberry.field(default_factory=list)
    mood: Mood = Mood.CALM


@strawberry.type
class CalmQuery:
    @strawberry.field
    def hello(self, name: str = "world") -> str:
        return f"Hello {name}"

    @strawberry.field
    def caller(self, info: Info) -> str | None:
        return info.context.caller.client_address

    @strawberry.field
    def me(self, info: Info) -> str | None:
        return info.context.viewer_id

    @strawberry.field
    def number(self, value: int = 0) -> int:
        return value

    @strawberry.field
    def friend(self, id: strawberry.ID) -> Friend | None:  # noqa: A002 - the argument's name
        return Friend(id=id, name="Ann")

    @strawberry.field
    def nodes(self, ids: list[strawberry.ID]) -> list[Friend]:
        return [Friend(id=one, name="Ann") for one in ids]

    @strawberry.field
    def forbidden(self) -> str | None:
        raise Forbidden("Not for you")

    @strawberry.field
    def busy(self) -> str | None:
        raise TemporarilyUnavailable(retry_after=7)


@strawberry.type
class Query(CalmQuery):
    @strawberry.field
    def broken(self) -> str | None:
        raise RuntimeError(CANARY)

    @strawberry.field
    async def slow(self, info: Info, seconds: float = 5.0) -> str:
        with info.context.server.counted():
            await asyncio.sleep(seconds)
        return "slow"

    @strawberry.field
    def running(self, info: Info) -> int:
        return info.context.server.running


@strawberry.type
class Mutation:
    @strawberry.mutation
    def connect(self, input: Credentials) -> str:  # noqa: A002 - the argument's name
        return f"connected {len(input.access_token)}"

    @strawberry.mutation
    def log_in(self, email: str, password: str) -> str:
        return "token"


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def count(self, info: Info, to: int = 3, pause: float = 0.0) -> AsyncGenerator[int, None]:
        with info.context.server.counted():
            for number in range(1, to + 1):
                yield number
                await asyncio.sleep(pause)

    @strawberry.subscription
    async def expelled(self) -> AsyncGenerator[int, None]:
        yield 1
        raise Forbidden("You are no longer a member")

    @strawberry.subscription
    async def failing(self) -> AsyncGenerator[int, None]:
        yield 1
        raise RuntimeError(CANARY)


@dataclass
class Context:
    """Stands in for the real context: any bearer token that starts with `good` is a user's."""

    caller: Caller
    server: "Sample"
    viewer_id: str | None

    async def credentials_ended(self) -> None:
        if self.viewer_id is None:
            await asyncio.Event().wait()
        await self.server.revoked.wait()


@dataclass
class Sample:
    """One front door over the sample schema, and what happened behind it."""

    query: type = Query
    limits: Limits = field(default_factory=Limits)
    options: Options = field(default_factory=lambda: Options(access_log=False))
    persisted: PersistedDocuments = field(default_factory=PersistedDocuments)
    introspection: bool = True
    show_suggestions: bool = False
    reports: list[ErrorReport] = field(default_factory=list)
    running: int = 0
    opened: int = 0
    is_ready: bool = True
    lifespan: Lifespan | None = None

    def __post_init__(self) -> None:
        self.revoked = asyncio.Event()
        self.schema = strawberry.Schema(query=self.query, mutation=Mutation, subscription=Subscription)
        self.engine = Engine(
            self.schema,
            limits=self.limits,
            report_error=self.reports.append,
            show_suggestions=self.show_suggestions,
            introspection=self.introspection,
            credential_fields=frozenset({"logIn"}),
            persisted=self.persisted,
        )
        self.app = build(
            self.engine,
            open_context=self.open_context,
            notes={},
            ready=self.ready,
            lifespan=self.lifespan or self._lifespan,
            options=self.options,
        )
        self.shutdown = self.app.shutdown

    async def open_context(self, caller: Caller) -> Context:
        self.opened += 1
        user = None
        if caller.authorization is not None:
            scheme, _, token = caller.authorization.partition(" ")
            if scheme != "Bearer" or not token.startswith("good") or self.revoked.is_set():
                raise Unauthenticated
            user = token
        return Context(caller, self, user)

    @contextmanager
    def counted(self) -> Iterator[None]:
        """Count what runs for a while."""
        self.running += 1
        try:
            yield
        finally:
            self.running -= 1

    async def ready(self) -> bool:
        return self.is_ready

    @asynccontextmanager
    async def _lifespan(self) -> AsyncIterator[None]:
        self.loop = asyncio.get_running_loop()
        yield


@contextmanager
def served(app: ASGIApp, options: Options | None = None) -> Iterator[str]:
    """Serve an application as `serve` does on a free loopback port; gives `127.0.0.1:<port>`."""
    server = build_server(lambda: app, options or Options(), host="127.0.0.1", port=0, finishing=3)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started and thread.is_alive():
        threading.Event().wait(0.01)
    try:
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(10)
