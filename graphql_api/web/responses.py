"""Answers on the wire: JSON bodies, and the refusals that HTTP itself makes."""

from collections.abc import Iterable, Mapping

import orjson
from starlette.types import Receive, Scope, Send

from graphql_api.execution.errors import FormattedError, refusal, retry_after

JSON = b"application/json"
RESPONSE_JSON = b"application/graphql-response+json"

BAD_REQUEST = "BAD_REQUEST"

_HEADERS = "graphql_api.headers"  # in the scope: several layers ask for them

RawHeaders = Iterable[tuple[bytes, bytes]]


class HttpRefusal(Exception):
    """A request that HTTP alone suffices to refuse; ends as a JSON body with one error."""

    def __init__(self, status: int, message: str, code: str, headers: RawHeaders = ()) -> None:
        super().__init__(message)
        self.status = status
        self.error = refusal(message, code)
        self.headers = tuple(headers)


async def send_json(
    send: Send, status: int, body: bytes, media_type: bytes = JSON, headers: RawHeaders = ()
) -> None:
    """Send a whole answer."""
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [
                (b"content-type", media_type + b"; charset=utf-8"),
                (b"content-length", b"%d" % len(body)),
                *headers,
            ],
        }
    )
    await send({"type": "http.response.body", "body": body})


async def send_errors(
    send: Send, status: int, errors: list[FormattedError], media_type: bytes = JSON, headers: RawHeaders = ()
) -> None:
    """Send errors alone, with Retry-After where one of them says when."""
    await send_json(
        send, status, orjson.dumps({"errors": errors}), media_type, (*headers, *retry_headers(errors))
    )


def retry_headers(errors: list[FormattedError]) -> RawHeaders:
    """Return the Retry-After header that errors ask for."""
    seconds = retry_after(errors)
    return () if seconds is None else ((b"retry-after", b"%d" % seconds),)


def headers_of(scope: Scope) -> Mapping[bytes, bytes]:
    """Return a request's headers by lower-case name, those sent several times joined as HTTP says."""
    known: Mapping[bytes, bytes] | None = scope.get(_HEADERS)
    if known is None:
        known = scope[_HEADERS] = _joined(scope)
    return known


def _joined(scope: Scope) -> Mapping[bytes, bytes]:
    raw: list[tuple[bytes, bytes]] = scope["headers"]
    headers = dict(raw)
    if len(headers) != len(raw):
        headers = {}
        for name, value in raw:
            headers[name] = headers[name] + b", " + value if name in headers else value
    return headers


async def not_found(_scope: Scope, _receive: Receive, send: Send) -> None:
    """Answer for a path where nothing is."""
    await send_errors(send, 404, [refusal("There is nothing here", "NOT_FOUND")])
