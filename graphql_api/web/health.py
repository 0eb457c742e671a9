"""Liveness and readiness, for whoever restarts the process and whoever sends it traffic."""

from collections.abc import Awaitable, Callable, Mapping

import orjson
import structlog
from starlette.types import ASGIApp, Receive, Scope, Send

from .responses import send_json
from .shutdown import Shutdown

log = structlog.get_logger(__name__)

Ready = Callable[[], Awaitable[bool]]
"""Can requests be served now? Asked at every readiness check."""


async def healthz(_scope: Scope, _receive: Receive, send: Send) -> None:
    """Answer that the process lives."""
    await send_json(send, 200, orjson.dumps({"status": "alive"}))


def make_readyz(ready: Ready, shutdown: Shutdown, notes: Mapping[str, str]) -> ASGIApp:
    """Return the readiness check: 503 while `ready` says no or fails, and from the start of a shutdown.

    The notes stand in every answer.
    """

    async def readyz(_scope: Scope, _receive: Receive, send: Send) -> None:
        if shutdown.begun:
            status = "stopping"
        else:
            try:
                status = "ready" if await ready() else "unready"
            except Exception as error:  # noqa: BLE001 - a check that fails is an answer
                log.warning("health.check_failed", exception=type(error).__name__)
                status = "unready"
        await send_json(send, 200 if status == "ready" else 503, orjson.dumps({"status": status, **notes}))

    return readyz
