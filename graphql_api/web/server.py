"""uvicorn, set up as this server needs it: the bounds of its connections, and how it ends."""

import asyncio
import time
from collections.abc import Callable
from socket import socket
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from .http_protocol import HttpProtocol
from .options import Options
from .socket_protocol import SocketProtocol
from .watch import Watch

GRACE = 1.0
"""Seconds in which answers still say that the connection ends, before idle connections are closed."""

FINISHING = 20
"""Seconds in which requests may come to their end after that."""


class Server(uvicorn.Server):
    """A server that ends in two steps, so that nobody who is about to send a request is cut off."""

    def __init__(self, config: uvicorn.Config, watch: Watch) -> None:
        super().__init__(config)
        self.watch = watch

    async def shutdown(self, sockets: list[socket] | None = None) -> None:
        """Say at every answer that the connection ends; after a while, close those that nobody uses."""
        self.watch.drain()
        until = time.monotonic() + GRACE
        while self.server_state.connections and time.monotonic() < until and not self.force_exit:  # noqa: ASYNC110 - uvicorn keeps a set, and no event
            await asyncio.sleep(GRACE / 20)
        await super().shutdown(sockets)


def build_server(
    app: Callable[[], ASGIApp], options: Options, *, host: str, port: int, finishing: int = FINISHING
) -> Server:
    """Return a server that runs what `app` returns once it starts."""
    watch = Watch(options)
    members: dict[str, Any] = {"watch": watch}
    config = uvicorn.Config(
        app,
        factory=True,
        host=host,
        port=port,
        lifespan="on",  # "auto" would serve on when the start is refused
        access_log=False,  # the request log says more, and never a query string
        log_config=None,
        server_header=False,
        proxy_headers=False,  # TRUSTED_PROXIES decides, in web/
        timeout_graceful_shutdown=finishing,
        http=type("HttpProtocol", (HttpProtocol,), members),
        ws=type("SocketProtocol", (SocketProtocol,), members),
        ws_ping_interval=options.heartbeat,
        ws_ping_timeout=options.heartbeat,
        ws_max_size=options.max_message_bytes,
        ws_per_message_deflate=False,
    )
    return Server(config, watch)
