"""GraphiQL at /graphiql: the page that `graphiql/` builds, its assets, and in development the demo's people.

The bundle is built (`make graphiql`) and never committed; the released wheel carries it. Where it is
absent, the page says how to get it. No other host is asked for anything.
"""

import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from string import Template
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from .loopback import is_own_page
from .options import GRAPHQL_PATH
from .responses import headers_of

BUNDLE = Path(__file__).parent / "graphiql_bundle"
PEOPLE_PATH = "/graphiql/people"

People = Callable[[], Awaitable[Sequence[Mapping[str, str]]]]
"""Whom the page may be logged in as: each with `name`, `role` and `bearerToken`."""

_HEADERS = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

# The editor's workers run under the policy that their own script came with.
_ASSET_HEADERS = _HEADERS | {
    "Cache-Control": "public, max-age=31536000, immutable",
    "Content-Security-Policy": "default-src 'none'; script-src 'self'",
}

_ABSENT = """\
<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width">
    <meta name="color-scheme" content="light dark">
    <title>GraphiQL is not built</title>
  </head>
  <body>
    <h1>GraphiQL is not built</h1>
    <p>The server is running, and GraphQL answers at <code>{endpoint}</code>. Only this page is missing.</p>
    <ul>
      <li>In a clone: run <code>make graphiql</code>, then reload this page. No restart is needed. The command
        downloads packages from the npm registry, so that has to be reachable. If this machine has no Node.js
        20.19 or later, the command also downloads Node.js, from PyPI.</li>
      <li>Without a clone: install the released wheel, which contains GraphiQL.</li>
    </ul>
  </body>
</html>
"""


def is_built(bundle: Path = BUNDLE) -> bool:
    """Is the page there?"""
    return (bundle / "index.html").is_file()


def graphiql_routes(bundle: Path = BUNDLE, people: People | None = None) -> list[BaseRoute]:
    """The routes of GraphiQL and its assets; with `people`, of whom the page is logged in as."""

    def page(_: Request) -> Response:
        nonce = secrets.token_urlsafe(16)
        policy = _content_security_policy(nonce)
        headers = _HEADERS | {"Cache-Control": "no-store", "Content-Security-Policy": policy}
        try:
            built = (bundle / "index.html").read_text(encoding="utf-8")
        except FileNotFoundError:
            return HTMLResponse(_ABSENT.format(endpoint=GRAPHQL_PATH), status_code=503, headers=headers)
        html = Template(built).substitute(
            nonce=nonce, endpoint=GRAPHQL_PATH, people="" if people is None else PEOPLE_PATH
        )
        return HTMLResponse(html, headers=headers)

    routes: list[BaseRoute] = [
        Route("/graphiql", page),
        Mount("/graphiql/assets", _Assets(directory=bundle / "assets", check_dir=False)),
    ]
    if people is not None:
        routes.append(_people_route(people))
    return routes


def _people_route(people: People) -> Route:
    """Bearer tokens of the demo's people, for the page alone: everybody else finds that there is nobody."""

    async def answer(request: Request) -> Response:
        own = is_own_page(request.scope, headers_of(request.scope))
        return JSONResponse(list(await people()) if own else [], headers={"Cache-Control": "no-store"})

    return Route(PEOPLE_PATH, answer)


def _content_security_policy(nonce: str) -> str:
    """Everything from this server, nothing inline but styles.

    Monaco, GraphiQL's editor, places each line of text by a `style` attribute; where that is refused, the
    lines lie on one another. Its `<style>` elements carry the nonce, and no other `<style>` gets in.
    """
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "worker-src 'self'",
            "connect-src 'self'",
            f"style-src-elem 'self' 'nonce-{nonce}'",
            "style-src-attr 'unsafe-inline'",
            "font-src 'self' data:",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        )
    )


class _Assets(StaticFiles):
    """Files whose names carry a hash of their content, so a browser never asks twice."""

    async def check_config(self) -> None:
        """Take an absent bundle for an empty one: its files are not found, which is no fault."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        response = super().file_response(*args, **kwargs)
        response.headers.update(_ASSET_HEADERS)
        return response
