"""What only a person in a browser asks for: the endpoint's address, typed in to see what is there."""

from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from .responses import headers_of


class ToGraphiQL:
    """In development in front of the endpoint: a browser that opens its address goes on to GraphiQL."""

    def __init__(self, endpoint: ASGIApp) -> None:
        self.endpoint = endpoint

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a browser that sends no operation; everything else is the endpoint's."""
        opened = scope["method"] == "GET" and not scope["query_string"]
        if opened and b"text/html" in headers_of(scope).get(b"accept", b"").lower():
            await RedirectResponse("/graphiql", 302, {"Vary": "Accept"})(scope, receive, send)
        else:
            await self.endpoint(scope, receive, send)
