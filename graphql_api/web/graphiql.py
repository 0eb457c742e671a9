"""GraphiQL at /graphiql: the page that `graphiql/` builds, and its assets.

The bundle is built (`make graphiql`) and never committed; the released wheel carries it. Where it is
absent, the page says how to get it. No other host is asked for anything.
"""

import secrets
from pathlib import Path
from string import Template
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from .options import GRAPHQL_PATH

BUNDLE = Path(__file__).parent / "graphiql_bundle"

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
      <li>In a clone: install Node.js 20.19 or later with npm, run <code>make graphiql</code>, reload.</li>
      <li>Without Node.js: install the released wheel, which carries it.</li>
    </ul>
  </body>
</html>
"""


def graphiql_routes(bundle: Path = BUNDLE) -> list[BaseRoute]:
    """The routes of GraphiQL and its assets."""

    def page(_: Request) -> Response:
        nonce = secrets.token_urlsafe(16)
        policy = _content_security_policy(nonce)
        headers = _HEADERS | {"Cache-Control": "no-store", "Content-Security-Policy": policy}
        try:
            built = (bundle / "index.html").read_text(encoding="utf-8")
        except FileNotFoundError:
            return HTMLResponse(_ABSENT.format(endpoint=GRAPHQL_PATH), status_code=503, headers=headers)
        html = Template(built).substitute(nonce=nonce, endpoint=GRAPHQL_PATH)
        return HTMLResponse(html, headers=headers)

    return [
        Route("/graphiql", page),
        Mount("/graphiql/assets", _Assets(directory=bundle / "assets", check_dir=False)),
    ]


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
