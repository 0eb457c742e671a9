"""The GraphQL endpoint over HTTP: GET and POST, one operation a request.

Follows GraphQL over HTTP (https://graphql.github.io/graphql-over-http/draft/). The status is 200 whenever
an operation was executed. A request that was refused before has 400 as `application/graphql-response+json`
and, for the clients that know no better, 200 as `application/json`.
"""

from collections.abc import Mapping

import structlog
from graphql import OperationType
from starlette.types import Receive, Scope, Send

from graphql_api.domain.faults import Fault, RateLimited, TemporarilyUnavailable, Unauthenticated
from graphql_api.domain.networks import network_of
from graphql_api.execution.engine import OperationRequest, Outcome
from graphql_api.execution.errors import EXECUTION_TIMEOUT, INTERNAL, FormattedError

from .body import ClientGone, MalformedJson, bad_request, read_body, read_json
from .callers import caller_of, client_address
from .front import Front, told
from .negotiation import EVENT_STREAM, for_errors, is_json, negotiate
from .parameters import MalformedRequest, from_json, from_query_string
from .responses import (
    RESPONSE_JSON,
    HttpRefusal,
    RawHeaders,
    headers_of,
    retry_headers,
    send_errors,
    send_json,
)
from .sse import send_refused_stream, serve_stream

log = structlog.get_logger(__name__)

_FAULT_STATUS: Mapping[type[Fault], int] = {
    Unauthenticated: 401,
    RateLimited: 429,
    TemporarilyUnavailable: 503,
}


class GraphQLEndpoint:
    """An ASGI application that answers GraphQL requests over HTTP."""

    def __init__(self, front: Front) -> None:
        self.front = front

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; whatever happens, with JSON."""
        headers = headers_of(scope)
        accept = headers.get(b"accept")
        try:
            media_type = negotiate(accept)
            request = await self._read(scope, receive, headers)
            await self._answer(scope, receive, send, headers=headers, request=request, media_type=media_type)
        except HttpRefusal as refusal:
            log.info("http.refused", status=refusal.status, code=refusal.error["extensions"]["code"])
            await send_errors(send, refusal.status, [refusal.error], for_errors(accept), refusal.headers)
        except Fault as fault:
            status = _FAULT_STATUS.get(type(fault), 403)
            log.info("http.refused", status=status, code=fault.code)
            authenticate = [(b"www-authenticate", b"Bearer")] if isinstance(fault, Unauthenticated) else ()
            await send_errors(send, status, [told(fault)], for_errors(accept), authenticate)
        except ClientGone:
            log.info("http.client_gone")

    async def _read(self, scope: Scope, receive: Receive, headers: Mapping[bytes, bytes]) -> OperationRequest:
        """Return what the request asks for, when it is its turn; raises a refusal if that is not clear."""
        method = scope["method"]
        options = self.front.options
        network = network_of(client_address(scope, headers, options.trusted_proxies))
        try:
            if method == "POST":
                if not is_json(headers.get(b"content-type")):
                    raise HttpRefusal(
                        415, "The body must be application/json in UTF-8", "UNSUPPORTED_MEDIA_TYPE"
                    )
                body = await read_body(receive, headers, options)
                await self.front.turns.take(network)
                return from_json(
                    read_json(body, max_depth=options.max_json_depth, max_values=options.max_json_values)
                )
            if method == "GET":
                if headers.get(b"sec-fetch-site", b"none") not in {b"same-origin", b"none"}:
                    raise HttpRefusal(403, "Pages of other origins must use POST", "CROSS_SITE_GET")
                await self.front.turns.take(network)
                return from_query_string(scope["query_string"], options)
        except (MalformedJson, MalformedRequest) as error:
            raise bad_request(str(error)) from None
        raise HttpRefusal(405, "Use GET or POST", "METHOD_NOT_ALLOWED", [(b"allow", b"GET, POST")])

    async def _answer(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        *,
        headers: Mapping[bytes, bytes],
        request: OperationRequest,
        media_type: bytes,
    ) -> None:
        operation = self.front.engine.prepare(request)
        if isinstance(operation, Outcome):
            log.info("graphql.refused", codes=_codes(operation.errors))
            if media_type == EVENT_STREAM:
                await send_refused_stream(send, operation)
            else:
                await self._send(send, operation, media_type)
            return
        if scope["method"] == "GET" and operation.kind is OperationType.MUTATION:
            raise HttpRefusal(405, "Mutations must use POST", "METHOD_NOT_ALLOWED", [(b"allow", b"POST")])
        caller = caller_of(scope, headers, self.front.options.trusted_proxies)
        if media_type == EVENT_STREAM:
            await serve_stream(
                self.front, receive, send, caller=caller, operation=operation, variables=request.variables
            )
            return
        if operation.kind is OperationType.SUBSCRIPTION:
            message = "Subscriptions need a WebSocket (graphql-transport-ws) or Accept: text/event-stream"
            raise HttpRefusal(400, message, "SUBSCRIPTION_NEEDS_STREAM")
        context = await self.front.open_context(caller)
        outcome = await self.front.engine.run(operation, request.variables, context)
        if not outcome.executed:
            log.info("graphql.refused", codes=_codes(outcome.errors), operation=operation.name)
        await self._send(send, outcome, media_type)

    async def _send(self, send: Send, outcome: Outcome, media_type: bytes) -> None:
        outcome, body = self.front.write(outcome)
        headers: RawHeaders = retry_headers(outcome.errors) if outcome.errors else ()
        await send_json(send, _status(outcome, media_type), body, media_type, headers)


def _status(outcome: Outcome, media_type: bytes) -> int:
    if outcome.executed:
        return 200
    code = outcome.errors[0]["extensions"]["code"]
    if code == INTERNAL:
        return 500
    if code == EXECUTION_TIMEOUT:
        return 503
    return 400 if media_type == RESPONSE_JSON else 200


def _codes(errors: list[FormattedError]) -> list[str]:
    return sorted({error["extensions"]["code"] for error in errors})
