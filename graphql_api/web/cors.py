"""Cross-origin requests from browsers: a list of origins, no cookies, errors included."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from graphql_api.execution.errors import refusal

from .responses import headers_of, send_errors

ALLOWED_METHODS = b"GET, POST"
ALLOWED_HEADERS = (
    b"authorization, content-type, accept, x-request-id, x-apollo-operation-name, apollo-require-preflight"
)
EXPOSED_HEADERS = b"retry-after, www-authenticate, x-request-id"
PREFLIGHT_SECONDS = b"600"


def is_allowed(origin: bytes, host: bytes | None, allowed: frozenset[bytes]) -> bool:
    """May pages of this origin talk to us? Our own may, and those on the list."""
    if origin in allowed or b"*" in allowed:
        return True
    scheme, _, authority = origin.partition(b"://")
    return scheme in {b"http", b"https"} and host is not None and authority == host.lower()


class Cors:
    """Answers preflights, and lets allowed origins read every answer, refusals too."""

    def __init__(self, app: ASGIApp, allowed_origins: tuple[str, ...]) -> None:
        self.app = app
        self.allowed = frozenset(origin.lower().encode() for origin in allowed_origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the application unless the request is a preflight."""
        headers = headers_of(scope)
        origin = headers.get(b"origin")
        if origin is None:
            await self.app(scope, receive, send)
            return
        allowed = is_allowed(origin.lower(), headers.get(b"host"), self.allowed)
        if scope["method"] == "OPTIONS" and b"access-control-request-method" in headers:
            await self._preflight(origin, send, allowed=allowed)
            return

        async def send_shared(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"vary", b"Origin")]
                if allowed:
                    message["headers"] += [
                        (b"access-control-allow-origin", origin),
                        (b"access-control-expose-headers", EXPOSED_HEADERS),
                    ]
            await send(message)

        await self.app(scope, receive, send_shared)

    async def _preflight(self, origin: bytes, send: Send, *, allowed: bool) -> None:
        vary = (b"vary", b"Origin")
        if not allowed:
            error = refusal("This origin is not allowed", "ORIGIN_NOT_ALLOWED")
            await send_errors(send, 403, [error], headers=[vary])
            return
        await send(
            {
                "type": "http.response.start",
                "status": 204,
                "headers": [
                    vary,
                    (b"access-control-allow-origin", origin),
                    (b"access-control-allow-methods", ALLOWED_METHODS),
                    (b"access-control-allow-headers", ALLOWED_HEADERS),
                    (b"access-control-max-age", PREFLIGHT_SECONDS),
                ],
            }
        )
        await send({"type": "http.response.body", "body": b""})
