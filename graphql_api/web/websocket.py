"""GraphQL over WebSocket: the graphql-transport-ws protocol, and no other.

https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md. The connection is authenticated once, by
the Authorization in connection_init, and closes when those credentials end. Each operation then opens a
context of its own with the same credentials, as an HTTP request would: what one operation has loaded is
never shown by the next, and a token that was revoked in between opens nothing.
"""

import asyncio
from contextlib import aclosing
from time import monotonic, perf_counter

import orjson
import structlog
from starlette.types import Receive, Scope, Send

from graphql_api.domain.faults import Fault, Forbidden, Unauthenticated
from graphql_api.domain.networks import network_of
from graphql_api.execution.engine import OperationRequest, Outcome
from graphql_api.execution.errors import FormattedError, masked, refusal
from graphql_api.schema.context import Caller

from .body import MalformedJson, read_json
from .callers import CallerContext, client_address
from .cors import is_allowed
from .front import Front, told
from .pace import Pace
from .parameters import MalformedRequest, from_json
from .quota import QuotaExceeded
from .responses import headers_of

log = structlog.get_logger(__name__)

PROTOCOL = "graphql-transport-ws"
MAX_ID_LENGTH = 128
IDLE_A_SECOND = 20.0
IDLE_AT_ONCE = 200
"""Of messages that run nothing: pings, pongs, and ends of operations that are not there."""


class Close(Exception):
    """The socket is to be closed with this code and reason."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class Gone(Exception):
    """The client has closed the socket."""


GOING_AWAY = (1001, "Going away")
TOO_BIG = (1009, "Message too big")
TRY_LATER = (1013, "Try again later")
BAD_MESSAGE = (4400, "Invalid message received")
UNAUTHORIZED = (4401, "Unauthorized")
FORBIDDEN = (4403, "Forbidden")
BAD_PROTOCOL = (4406, "Subprotocol not acceptable")
INIT_TIMEOUT = (4408, "Connection initialisation timeout")
ID_IN_USE = (4409, "Subscriber already exists")
TOO_MANY_INITS = (4429, "Too many initialisation requests")


class GraphQLSocket:
    """An ASGI application that serves GraphQL over WebSocket."""

    def __init__(self, front: Front) -> None:
        self.front = front
        self.allowed = frozenset(origin.lower().encode() for origin in front.options.allowed_origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one socket from its opening to its end."""
        await receive()  # websocket.connect
        headers = headers_of(scope)
        origin = headers.get(b"origin")
        if origin is not None and not is_allowed(origin.lower(), headers.get(b"host"), self.allowed):
            log.info("socket.refused", reason="origin")
            await send({"type": "websocket.close", "code": 1008})  # before accept: HTTP 403
            return
        if PROTOCOL not in scope["subprotocols"]:
            await send({"type": "websocket.accept"})
            await send({"type": "websocket.close", "code": BAD_PROTOCOL[0], "reason": BAD_PROTOCOL[1]})
            return
        await send({"type": "websocket.accept", "subprotocol": PROTOCOL})
        address = client_address(scope, headers, self.front.options.trusted_proxies)
        caller = Caller(None, address, scope["state"]["request_id"])
        started = perf_counter()
        code = await Connection(self.front, caller, receive, send).serve()
        log.info("socket.closed", code=code, seconds=round(perf_counter() - started, 1))


class Connection:
    """One accepted socket: reads its messages in order, runs its operations side by side."""

    def __init__(self, front: Front, caller: Caller, receive: Receive, send: Send) -> None:
        self.front = front
        self.caller = caller
        self.operations: dict[str, asyncio.Task[None]] = {}
        self._pace = Pace(IDLE_A_SECOND, IDLE_AT_ONCE)
        self._receive = receive
        self._send = send

    async def serve(self) -> int:
        """Talk until one side ends it; returns the code the socket was closed with."""
        closed = 1000
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._end_at_shutdown())
                await self._converse(tasks)
        except* Gone:
            closed = 1005
        except* Close as group:
            close = _first(group)
            closed = close.code
            await self._close(close)
        return closed

    async def _converse(self, tasks: asyncio.TaskGroup) -> None:
        self.caller = await self._await_init()
        try:
            context = await self.front.open_context(self.caller)
            with self.front.streams.hold(self.front.stream_key(context, self.caller)):
                await self._write({"type": "connection_ack"})
                tasks.create_task(self._end_with_credentials(context))
                while True:
                    await self._take(await self._read(), tasks)
        except Fault as fault:
            raise _close_for(fault) from None
        except QuotaExceeded:
            raise Close(*TRY_LATER) from None

    async def _await_init(self) -> Caller:
        """Return who calls, from connection_init; only pings may come before it."""
        try:
            async with asyncio.timeout(self.front.options.init_timeout):
                while True:
                    message = await self._read()
                    if message["type"] == "connection_init":
                        break
                    if message["type"] not in {"ping", "pong"}:
                        raise Close(*UNAUTHORIZED)
                    await self._answer_ping(message)
        except TimeoutError:
            raise Close(*INIT_TIMEOUT) from None
        payload = message.get("payload")
        if payload is not None and not isinstance(payload, dict):
            raise Close(*BAD_MESSAGE)
        authorization = None
        for name, value in (payload or {}).items():
            if name.lower() == "authorization":
                authorization = value
        if authorization is not None and not isinstance(authorization, str):
            raise Close(*BAD_MESSAGE)
        return Caller(authorization, self.caller.client_address, self.caller.request_id)

    async def _take(self, message: dict[str, object], tasks: asyncio.TaskGroup) -> None:
        """Do what one message asks for."""
        kind = message["type"]
        if kind == "subscribe":
            await self._subscribe(message, tasks)
        elif kind == "complete":
            task = self.operations.get(_id_of(message))
            if task is None:
                await self._slow_down()
            else:
                task.cancel()
                await asyncio.wait({task})
        elif kind in {"ping", "pong"}:
            await self._answer_ping(message)
        elif kind == "connection_init":
            raise Close(*TOO_MANY_INITS)
        else:
            raise Close(*BAD_MESSAGE)

    async def _subscribe(self, message: dict[str, object], tasks: asyncio.TaskGroup) -> None:
        operation_id = _id_of(message)
        try:
            request = from_json(message.get("payload"))
        except MalformedRequest:
            raise Close(*BAD_MESSAGE) from None
        if operation_id in self.operations:
            raise Close(*ID_IN_USE)
        limit = self.front.options.max_operations_per_socket
        if len(self.operations) >= limit:
            error = refusal(f"At most {limit} operations run on one socket", "TOO_MANY_OPERATIONS")
            await self._write_errors(operation_id, [error])
            return
        self.operations[operation_id] = tasks.create_task(self._operate(operation_id, request))

    async def _operate(self, operation_id: str, request: OperationRequest) -> None:
        """Run one operation and send its results; nothing but the protocol's endings leaves here."""
        try:
            outcome = await self._run(operation_id, request)
            if outcome is None:
                await self._write({"id": operation_id, "type": "complete"})
            else:
                log.info("graphql.refused", codes=[error["extensions"]["code"] for error in outcome.errors])
                await self._write_errors(operation_id, outcome.errors)
        except (Close, Gone):
            raise
        except Unauthenticated:
            raise Close(*UNAUTHORIZED) from None
        except Fault as fault:
            await self._write_errors(operation_id, [told(fault)])
        except Exception as error:  # noqa: BLE001 - the other operations go on
            failure = masked(self.front.engine.report_error, error, request.operation_name)
            await self._write_errors(operation_id, [failure])
        finally:
            del self.operations[operation_id]

    async def _run(self, operation_id: str, request: OperationRequest) -> Outcome | None:
        """Send the results of an operation; returns the refusal that ended it, if one did."""
        engine = self.front.engine
        await self.front.turns.take(network_of(self.caller.client_address))
        operation = engine.prepare(request)
        if isinstance(operation, Outcome):
            return operation
        context = await self.front.open_context(self.caller)
        async with aclosing(engine.outcomes(operation, request.variables, context)) as outcomes:
            async for result in outcomes:
                outcome, body = self.front.write(result)
                if not outcome.executed:
                    return outcome
                await self._write({"id": operation_id, "type": "next", "payload": orjson.Fragment(body)})
        return None

    async def _end_at_shutdown(self) -> None:
        await self.front.shutdown.wait()
        raise Close(*GOING_AWAY)

    async def _end_with_credentials(self, context: CallerContext) -> None:
        await context.credentials_ended()
        raise Close(*UNAUTHORIZED)

    async def _read(self) -> dict[str, object]:
        """Return the next message; raises Gone when there will be none, and closes on what is no message."""
        event = await self._receive()
        if event["type"] == "websocket.disconnect":
            raise Gone
        text = event.get("text")
        if text is None:
            raise Close(*BAD_MESSAGE)
        options = self.front.options
        data = text.encode()
        if len(data) > options.max_message_bytes:
            raise Close(*TOO_BIG)
        try:
            message = read_json(data, max_depth=options.max_json_depth, max_values=options.max_json_values)
        except MalformedJson:
            raise Close(*BAD_MESSAGE) from None
        if not isinstance(message, dict) or not isinstance(message.get("type"), str):
            raise Close(*BAD_MESSAGE)
        return message

    async def _slow_down(self) -> None:
        """Take messages that run nothing no faster than anybody has use for."""
        now = monotonic()
        self._pace.spend(now)
        if delay := self._pace.delay(now):
            await asyncio.sleep(delay)

    async def _answer_ping(self, message: dict[str, object]) -> None:
        await self._slow_down()
        if message["type"] == "ping":
            await self._write({"type": "pong"})

    async def _write_errors(self, operation_id: str, errors: list[FormattedError]) -> None:
        await self._write({"id": operation_id, "type": "error", "payload": errors})

    async def _write(self, message: dict[str, object]) -> None:
        try:
            await self._send({"type": "websocket.send", "text": orjson.dumps(message).decode()})
        except OSError:
            raise Gone from None

    async def _close(self, close: Close) -> None:
        try:
            await self._send({"type": "websocket.close", "code": close.code, "reason": close.reason})
        except OSError:
            log.debug("socket.gone_before_close")


def _id_of(message: dict[str, object]) -> str:
    operation_id = message.get("id")
    if not isinstance(operation_id, str) or not 0 < len(operation_id) <= MAX_ID_LENGTH:
        raise Close(*BAD_MESSAGE)
    return operation_id


def _close_for(fault: Fault) -> Close:
    """Return how a socket ends whose caller cannot be served."""
    if isinstance(fault, Unauthenticated):
        return Close(*UNAUTHORIZED)
    return Close(*(FORBIDDEN if isinstance(fault, Forbidden) else TRY_LATER))


def _first(group: BaseExceptionGroup[Close]) -> Close:
    """Return one of the endings that came together."""
    first = group.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first
