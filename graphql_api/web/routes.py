"""The front door as one ASGI application: which path is whose, and what wraps them all.

Envelope                  an id, security headers, a line in the log
└── Cors
    └── Failures          masks what nobody planned
        └── Paths         /, /graphql, /schema.graphql, /healthz, /readyz, /graphiql
"""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager

from starlette.types import ASGIApp, Receive, Scope, Send

from graphql_api.execution.engine import Engine
from graphql_api.execution.errors import refusal

from .browsers import ToGraphiQL
from .callbacks import Callbacks, callback_paths
from .callers import OpenContext
from .cors import Cors
from .envelope import Envelope
from .failures import Failures
from .front import Front
from .graphql import GraphQLEndpoint
from .health import Ready, healthz, make_readyz
from .options import GRAPHQL_PATH, Options
from .responses import BAD_REQUEST, headers_of, not_found, send_errors
from .shutdown import Shutdown
from .start import schema_file, start_page
from .websocket import GraphQLSocket

Lifespan = Callable[[], AbstractAsyncContextManager[None]]
"""Entered when the process starts to serve, left after its last request."""


def build(
    engine: Engine,
    *,
    open_context: OpenContext,
    ready: Ready,
    notes: Mapping[str, str],
    lifespan: Lifespan,
    options: Options,
    schema_text: Callable[[], str] | None = None,
    graphiql: ASGIApp | None = None,
    browsers_to_graphiql: bool = False,
    callbacks: Callbacks | None = None,
) -> "Server":
    """Return the whole application; without `schema_text` and `graphiql` there is nothing at their paths."""
    shutdown = Shutdown()
    front = Front(engine, open_context, options, shutdown)
    endpoint = GraphQLEndpoint(front)
    exact: dict[str, ASGIApp] = {
        GRAPHQL_PATH: ToGraphiQL(endpoint) if browsers_to_graphiql else endpoint,
        "/": start_page(graphiql=graphiql is not None, schema=schema_text is not None),
        "/healthz": healthz,
        "/readyz": make_readyz(ready, shutdown, notes),
    }
    if callbacks is not None:
        exact |= callback_paths(callbacks, options)
    if schema_text is not None:
        exact["/schema.graphql"] = schema_file(schema_text)
    app = Failures(Paths(exact, graphiql), engine.report_error)
    sockets = Failures(Paths({GRAPHQL_PATH: GraphQLSocket(front)}), engine.report_error)
    return Server(
        Envelope(Cors(app, options.allowed_origins), access_log=options.access_log),
        Envelope(sockets, access_log=False),
        lifespan,
        shutdown,
    )


class Paths:
    """Hands a request to the application of its path."""

    def __init__(self, exact: Mapping[str, ASGIApp], graphiql: ASGIApp | None = None) -> None:
        self.exact = exact
        self.graphiql = graphiql

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Run the application that the path names; a socket that nobody serves is refused."""
        host = headers_of(scope).get(b"host")
        if (host is None and scope["http_version"] != "1.0") or (host is not None and b"," in host):
            return _no_host(scope, send)
        path = scope["path"]
        app = self.exact.get(path)
        if app is None and (path == "/graphiql" or path.startswith("/graphiql/")):
            app = self.graphiql
        if app is not None:
            return app(scope, receive, send)
        if scope["type"] == "http":
            return not_found(scope, receive, send)
        return send({"type": "websocket.close", "code": 1008})


async def _no_host(scope: Scope, send: Send) -> None:
    """Refuse a request that does not say to which host it goes, or says it twice (RFC 9112, section 3.2).

    Only HTTP/1.0, as in health checks of proxies, knows no Host. Several are joined by commas before.
    """
    if scope["type"] == "http":
        await send_errors(send, 400, [refusal("Send one Host header", BAD_REQUEST)])
    else:
        await send({"type": "websocket.http.response.start", "status": 400, "headers": []})
        await send({"type": "websocket.http.response.body", "body": b""})


class Server:
    """Tells requests, sockets and the process's own beginning and end apart."""

    def __init__(self, http: ASGIApp, sockets: ASGIApp, lifespan: Lifespan, shutdown: Shutdown) -> None:
        self.http = http
        self.sockets = sockets
        self.lifespan = lifespan
        self.shutdown = shutdown

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one scope of ASGI."""
        if scope["type"] == "http":
            await self.http(scope, receive, send)
        elif scope["type"] == "websocket":
            await self.sockets(scope, receive, send)
        else:
            await self._live(receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        """Follow ASGI's lifespan protocol: a server that hears of no failure would serve all the same."""
        await receive()  # lifespan.startup
        phase = "startup"
        try:
            with self.shutdown.on_signals():
                async with self.lifespan():
                    await send({"type": "lifespan.startup.complete"})
                    phase = "shutdown"
                    await receive()  # lifespan.shutdown
                    self.shutdown.begin()
        except Exception as error:
            await send({"type": f"lifespan.{phase}.failed", "message": f"{type(error).__name__}: {error}"})
            raise
        await send({"type": "lifespan.shutdown.complete"})
