"""Headers that tell browsers to trust an answer as little as possible."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADERS: tuple[tuple[bytes, bytes], ...] = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
)


_NAMES = frozenset(name for name, _value in HEADERS)


class SecurityHeaders:
    """Adds the headers that an answer does not set itself; a page may bring its own policy."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the application, adding headers to its answer."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_secured(message: Message) -> None:
            if message["type"] == "http.response.start":
                present = _NAMES.intersection([name for name, _value in message["headers"]])
                missing = [header for header in HEADERS if header[0] not in present] if present else HEADERS
                message["headers"] = [*message["headers"], *missing]
            await send(message)

        await self.app(scope, receive, send_secured)
