"""The sandbox as an application: the calls of the Graph API, and the log-in dialog."""

import asyncio
import re
import time
from collections.abc import Callable, Mapping
from contextlib import suppress

from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from .dialog import Dialog
from .graph import Answer, Call, Graph, faulty, query_of, refused
from .refusals import BROKEN, invalid_parameter, unknown_path
from .weather import Weather

_VERSIONED = re.compile(r"/(v[0-9]{1,3}\.[0-9]{1,3})(/.*)?", re.ASCII | re.DOTALL)
_LARGEST_FORM = 1024 * 1024  # bytes


def create_sandbox(
    *,
    app_id: str,
    app_secret: str,
    delay: float = 0,
    weather: Weather | None = None,
    clock: Callable[[], float] = time.time,
) -> ASGIApp:
    """Return a stand-in for Meta, as an ASGI application.

    It knows one app. `delay` is how many seconds each call takes; `weather`, which you may change while the
    application runs, has this and more, and wins. `clock` gives Unix seconds.
    """
    weather = weather or Weather(delay=delay)
    graph = Graph(app_id=app_id, app_secret=app_secret, weather=weather, clock=clock)
    dialog = Dialog(app_id=app_id, clock=clock)
    app = Starlette(
        routes=[
            Route("/dialog/oauth", dialog.answer),
            Route("/{version}/dialog/oauth", dialog.answer),
            Route("/readyz", _ready),
        ]
    )
    app.router.redirect_slashes = False
    app.router.default = _Door(graph, weather)  # a route would not match a path with a line break
    return app


async def _ready(_: object) -> PlainTextResponse:
    return PlainTextResponse("ready\n")


class _Door:
    """Reads calls from HTTP, and writes their answers."""

    def __init__(self, graph: Graph, weather: Weather) -> None:
        self._graph = graph
        self._weather = weather

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        call = await _read(scope, receive)
        if call is None:  # the caller has gone
            return
        if self._weather.delay:
            await asyncio.sleep(self._weather.delay)
        fault = self._weather.fault()
        if isinstance(call, Answer):
            answer: Answer | None = call
        elif fault is not None:
            answer = faulty(fault)
        else:
            answer = await self._graph.answer(call)
        if answer is None:
            with suppress(TimeoutError):
                await asyncio.wait_for(_disconnected(receive), self._weather.silence)
                return
            answer = refused(BROKEN)
        await _write(answer, send)


async def _read(scope: Scope, receive: Receive) -> Call | Answer | None:
    """Return the call; an answer if there is no such call, and None if the caller has gone."""
    path = _VERSIONED.fullmatch(scope["path"])
    if path is None:
        return refused(unknown_path(scope["path"]))
    parameters = query_of(scope["query_string"].decode("latin-1"))
    if scope["method"] == "POST":
        form = await _form(receive)
        if form is None:
            return None
        if len(form) > _LARGEST_FORM:
            return refused(invalid_parameter("The body is too large"))
        parameters |= query_of(form.decode("latin-1"))
    headers: Mapping[bytes, bytes] = dict(scope["headers"])
    scheme, _, bearer = headers.get(b"authorization", b"").decode("latin-1").partition(" ")
    host = headers.get(b"host", b"localhost").decode("latin-1")
    return Call(
        method=scope["method"],
        path=path[2] or "/",
        parameters=parameters,
        bearer=bearer.strip() if scheme.lower() == "bearer" else "",
        base=f"{scope['scheme']}://{host}/{path[1]}",
    )


async def _form(receive: Receive) -> bytes | None:
    """Return the body, or as much of it as is too large; None if the caller has gone."""
    body = b""
    while len(body) <= _LARGEST_FORM:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        if not message.get("more_body", False):
            break
    return body


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _write(answer: Answer, send: Send) -> None:
    headers = [
        (b"content-length", str(len(answer.body)).encode()),
        *((name.encode(), value.encode()) for name, value in answer.headers),
    ]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})
