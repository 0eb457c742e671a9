"""The floor's HTTP: Starlette and orjson, an endpoint for each kind of work.

python -m benchmarks.floor.app PORT, with DATABASE_URL, DATABASE_POOL_SIZE and SEALING_KEYS set
"""

import gc
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Protocol
from uuid import UUID

import orjson
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from benchmarks.floor import postgresql, shapes, sqlite
from benchmarks.floor.shapes import Json


class Store(Protocol):
    """What both databases offer; each answers None to a bearer token that is not valid."""

    async def connect(self, token: bytes, command: Json) -> Json | None:
        """Connect accounts to the caller's Personal."""

    async def viewer(self, token: bytes, size: int) -> Json | None:
        """The caller with a page of their Personal."""

    async def workspace(self, token: bytes, workspace_id: UUID, size: int) -> Json | None:
        """A workspace of the caller's with a page of its accounts."""

    async def events(self, token: bytes, workspace_id: UUID, size: int) -> Json | None:
        """The first events of a workspace of the caller's."""


def create_app(url: str) -> Starlette:
    """The endpoints over a database."""
    opened: AbstractAsyncContextManager[Store] = (
        sqlite.opened(url) if url.startswith("sqlite:") else postgresql.opened(url)
    )

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with opened as store:
            app.state.store = store
            gc.freeze()
            yield

    return Starlette(
        routes=[
            Route("/connect", connect, methods=["POST"]),
            Route("/viewer", viewer, methods=["POST"]),
            Route("/workspace", workspace, methods=["POST"]),
            Route("/events", events, methods=["POST"]),
            Route("/typename", typename, methods=["POST"]),
        ],
        lifespan=lifespan,
    )


async def connect(request: Request) -> Response:
    """W1."""
    token = shapes.token_hash(request.headers.get("authorization"))
    command = orjson.loads(await request.body())
    problems = shapes.problems_of(command)
    if problems:
        return _json(200, {"data": shapes.failure(problems)})
    return _answer(token and await request.app.state.store.connect(token, command))


async def viewer(request: Request) -> Response:
    """W2."""
    token = shapes.token_hash(request.headers.get("authorization"))
    asked = orjson.loads(await request.body())
    return _answer(token and await request.app.state.store.viewer(token, _size(asked)))


async def workspace(request: Request) -> Response:
    """W5."""
    token = shapes.token_hash(request.headers.get("authorization"))
    asked = orjson.loads(await request.body())
    return _answer(token and await request.app.state.store.workspace(token, UUID(asked["id"]), _size(asked)))


async def events(request: Request) -> Response:
    """W4."""
    token = shapes.token_hash(request.headers.get("authorization"))
    asked = orjson.loads(await request.body())
    return _answer(token and await request.app.state.store.events(token, UUID(asked["id"]), _size(asked)))


async def typename(request: Request) -> Response:
    """W3."""
    orjson.loads(await request.body())
    return _json(200, {"data": {"__typename": "Query"}})


def _size(asked: Mapping[str, Any]) -> int:
    size = asked["first"]
    if not (isinstance(size, int) and 0 <= size <= shapes.MAX_ITEMS):
        raise ValueError("a page has at most 100 items")
    return size


def _answer(data: Json | bytes | None) -> Response:
    if not data:
        return _json(401, {"errors": [{"message": "Only registered user can perform this action"}]})
    return _json(200, {"data": data})


def _json(status: int, document: object) -> Response:
    return Response(orjson.dumps(document), status, media_type="application/json")


if __name__ == "__main__":
    uvicorn.run(
        create_app(os.environ["DATABASE_URL"]),
        port=int(sys.argv[1]),
        loop="uvloop",
        http="httptools",
        access_log=False,
        log_level="warning",
        server_header=False,
    )
