"""The start page at `/`, and the schema as a file: where somebody arrives who knows only the address."""

import base64
import hashlib
from collections.abc import Callable
from functools import cache

from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from .options import GRAPHQL_PATH

_STYLE = """
body { font: 1rem/1.5 system-ui, sans-serif; margin: 4rem auto; max-width: 40rem; padding: 0 1rem; }
dt { font-weight: 600; margin-top: 1rem; }
dd { margin: 0; }
"""
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()

_POLICY = "; ".join(
    (
        "default-src 'none'",
        f"style-src 'sha256-{_STYLE_HASH}'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)

_PAGE = """\
<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <title>onehold</title>
    <style>{style}</style>
  </head>
  <body>
    <h1>onehold</h1>
    <p>This server connects creators' Facebook and Instagram accounts. Each account is held in exactly one
      place: somebody's Personal, or one Workspace.</p>
    <dl>
      <dt>GraphQL</dt>
      <dd>Send operations to <code>{endpoint}</code>, and subscriptions there over a WebSocket.</dd>
{entries}
      <dt>Documentation</dt>
      <dd>Begin with <code>docs/index.md</code> in the repository.</dd>
      <dt>Health</dt>
      <dd><a href="/healthz">/healthz</a>: the process lives.
        <a href="/readyz">/readyz</a>: it can serve requests.</dd>
    </dl>
  </body>
</html>
"""
_GRAPHIQL = """\
      <dt><a href="/graphiql">GraphiQL</a></dt>
      <dd>Write and run operations here in the browser.</dd>"""
_SCHEMA = """\
      <dt><a href="/schema.graphql">Schema</a></dt>
      <dd>All types, fields and their descriptions.</dd>"""


def start_page(*, graphiql: bool, schema: bool) -> ASGIApp:
    """Return the page at `/`; it links GraphiQL and the schema if they are served."""
    entries = "\n".join(entry for entry, served in ((_GRAPHIQL, graphiql), (_SCHEMA, schema)) if served)
    html = _PAGE.format(style=_STYLE, endpoint=GRAPHQL_PATH, entries=entries)

    async def page(_: Request) -> Response:
        return HTMLResponse(html, headers={"Content-Security-Policy": _POLICY})

    return Route("/", page)


def schema_file(schema_text: Callable[[], str]) -> ASGIApp:
    """Return the schema at `/schema.graphql`, in GraphQL's schema language; printed when first asked for."""
    text = cache(schema_text)

    def file(_: Request) -> Response:  # in a thread, since printing takes long
        return PlainTextResponse(text())

    return Route("/schema.graphql", file)
