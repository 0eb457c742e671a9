"""The last resort: whatever nobody planned ends as a masked 500, and its traceback in the log."""

from starlette.types import ASGIApp, Receive, Scope, Send

from graphql_api.execution.errors import Reporter, masked

from .negotiation import for_errors
from .responses import headers_of, send_errors


class Failures:
    """Catches what escapes an application, before the server would log it with its message."""

    def __init__(self, app: ASGIApp, report_error: Reporter) -> None:
        self.app = app
        self.report_error = report_error

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the application."""
        try:
            await self.app(scope, receive, send)
        except Exception as exception:  # noqa: BLE001 - this is where the unplanned ends
            error = masked(self.report_error, exception, None)
            if scope["type"] == "http" and not scope["state"]["status"]:
                await send_errors(send, 500, [error], for_errors(headers_of(scope).get(b"accept")))
