"""Meta's callbacks: a user removed our app, or asks for their data to be deleted; and how far that is."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from .body import ClientGone, read_body
from .loopback import is_loopback_host
from .options import Options
from .responses import BAD_REQUEST, HttpRefusal, headers_of

DEAUTHORIZE, DELETION = "/meta/deauthorize", "/meta/data-deletion"
_FORM = b"application/x-www-form-urlencoded"
_MAX_BYTES = 8192
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; frame-ancestors 'none'",
}
_PAGE = """\
<!doctype html>
<html lang="en">
  <head><meta charset="utf-8"><title>Data deletion</title></head>
  <body><h1>Data deletion</h1><p>{state}</p></body>
</html>
"""
_STATES = {
    True: "Your data is deleted.",
    False: "Your data is being deleted.",
    None: "There is no deletion with this code.",
}


@dataclass(frozen=True, slots=True)
class Callbacks:
    """What is done about callbacks. What Meta did not sign now gets False or None, and changes nothing."""

    deauthorize: Callable[[str], Awaitable[bool]]
    delete: Callable[[str], Awaitable[str | None]]
    state: Callable[[str], Awaitable[bool | None]]


def callback_paths(callbacks: Callbacks, options: Options) -> Mapping[str, ASGIApp]:
    """The applications of the callbacks by their paths."""
    options = replace(options, max_body_bytes=_MAX_BYTES)

    async def deauthorize(request: Request) -> Response:
        signed = await _signed(request, options)
        done = signed is not None and await callbacks.deauthorize(signed)
        return JSONResponse({"success": True}) if done else _refused()

    async def deletion(request: Request) -> Response:
        if request.method != "POST":
            return await _state(request, callbacks)
        signed = await _signed(request, options)
        code = None if signed is None else await callbacks.delete(signed)
        if code is None:
            return _refused()
        return JSONResponse({"url": f"{_origin(request)}{DELETION}?code={code}", "confirmation_code": code})

    return {
        DEAUTHORIZE: Route(DEAUTHORIZE, deauthorize, methods=["POST"]),
        DELETION: Route(DELETION, deletion, methods=["GET", "POST"]),
    }


async def _signed(request: Request, options: Options) -> str | None:
    """The one signed request of a form; None if this is none."""
    headers = headers_of(request.scope)
    if headers.get(b"content-type", b"").partition(b";")[0].strip().lower() != _FORM:
        return None
    try:
        body = await read_body(request.receive, headers, options)
        found = parse_qs(body.decode("ascii"), strict_parsing=True, max_num_fields=20).get("signed_request")
    except (ClientGone, HttpRefusal, ValueError):
        return None
    return found[0] if found is not None and len(found) == 1 else None


def _refused() -> Response:
    """One answer whatever was wrong, so that nothing is told."""
    error = {"message": "This is no request of Meta's", "extensions": {"code": BAD_REQUEST}}
    return JSONResponse({"errors": [error]}, status_code=400)


async def _state(request: Request, callbacks: Callbacks) -> Response:
    state = await callbacks.state(request.query_params.get("code", "")[:100])
    page = _PAGE.format(state=_STATES[state])
    return HTMLResponse(page, status_code=404 if state is None else 200, headers=_HEADERS)


def _origin(request: Request) -> str:
    """Where this server is reached: Meta calls over https, whatever a proxy does behind it."""
    host = request.headers.get("host", "localhost")
    return f"{'http' if is_loopback_host(host) else 'https'}://{host}"
