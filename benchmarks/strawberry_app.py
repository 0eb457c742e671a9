"""Stock Strawberry over the server's own schema and services: its view, its executor, its caches.

python -m benchmarks.strawberry_app PORT, with the settings of the server
"""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.extensions import ParserCache, ValidationCache

from graphql_api.app import build_services
from graphql_api.schema import build_schema
from graphql_api.schema.context import Context
from graphql_api.services.calls.call import Call, Services
from graphql_api.services.people import api_tokens
from graphql_api.settings import read_settings


class Endpoint(GraphQL[Context, None]):
    """Strawberry's own view with the context that our resolvers need."""

    def __init__(self, services: Services) -> None:
        schema = build_schema()
        schema.extensions = (ParserCache, ValidationCache)
        super().__init__(schema)
        self._services = services

    async def get_context(self, request: Request | WebSocket, response: Response | WebSocket) -> Context:
        """Authenticate, as the server's edge does."""
        del response
        viewer, _ = await api_tokens.authenticate(self._services, request.headers.get("authorization"))
        return Context(Call(self._services, viewer, "benchmark"))


def create_app() -> Starlette:
    """The application as the environment describes it."""
    services = build_services(read_settings())

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        async with services.database, services.live.running():
            yield

    app = Starlette(lifespan=lifespan)
    app.router.routes.append(Route("/graphql", Endpoint(services)))
    return app


if __name__ == "__main__":
    uvicorn.run(
        create_app(), port=int(sys.argv[1]), access_log=False, log_level="warning", server_header=False
    )
