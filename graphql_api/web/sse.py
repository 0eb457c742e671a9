"""Operations over server-sent events: graphql-sse in its "distinct connections" mode.

https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md: each request is a stream of `next`
events, one per result, and a final `complete`. Queries and mutations are streams of one result.
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping

from starlette.types import Receive, Send

from graphql_api.domain.faults import Unauthenticated
from graphql_api.execution.documents import Operation
from graphql_api.execution.engine import Outcome, refused
from graphql_api.schema.context import Caller

from .callers import CallerContext
from .front import Front, told
from .quota import QuotaExceeded
from .responses import HttpRefusal

COMPLETE = b"event: complete\ndata:\n\n"
HEARTBEAT = b":\n\n"


async def serve_stream(
    front: Front,
    receive: Receive,
    send: Send,
    *,
    caller: Caller,
    operation: Operation,
    variables: Mapping[str, object],
) -> None:
    """Run an operation and send its results until it ends, the client goes, or the process stops."""
    context = await front.open_context(caller)
    try:
        with front.streams.hold(front.stream_key(context, caller)):
            outcomes = front.engine.outcomes(operation, variables, context)
            await _start(send)
            await _send_until_ended(front, outcomes, context, receive, send)
    except QuotaExceeded:
        raise HttpRefusal(429, "Too many streams are open", "TOO_MANY_STREAMS") from None
    await send({"type": "http.response.body", "body": COMPLETE})


async def send_refused_stream(send: Send, outcome: Outcome) -> None:
    """Send a stream that holds nothing but why there is none."""
    await _start(send)
    await _send_next(send, outcome.encode())
    await send({"type": "http.response.body", "body": COMPLETE})


async def _send_until_ended(
    front: Front,
    outcomes: AsyncGenerator[Outcome, None],
    context: CallerContext,
    receive: Receive,
    send: Send,
) -> None:
    following = asyncio.create_task(_next(outcomes))
    ended = asyncio.create_task(context.credentials_ended())
    gone = asyncio.create_task(_disconnected(receive))
    stopping = asyncio.create_task(front.shutdown.wait())
    try:
        while True:
            done, _pending = await asyncio.wait(
                {following, ended, gone, stopping},
                timeout=front.options.heartbeat,
                return_when=asyncio.FIRST_COMPLETED,
            )
            if following in done:
                outcome = following.result()
                if outcome is None:
                    return
                await _send_next(send, front.write(outcome)[1])
                following = asyncio.create_task(_next(outcomes))
            elif ended in done:
                await _send_next(send, refused(told(Unauthenticated())).encode())
                return
            elif done:
                return
            else:
                await send({"type": "http.response.body", "body": HEARTBEAT, "more_body": True})
    finally:
        tasks = {following, ended, gone, stopping}
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        await outcomes.aclose()


async def _next(outcomes: AsyncGenerator[Outcome, None]) -> Outcome | None:
    return await anext(outcomes, None)


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _start(send: Send) -> None:
    headers = [(b"content-type", b"text/event-stream; charset=utf-8"), (b"x-accel-buffering", b"no")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": HEARTBEAT, "more_body": True})


async def _send_next(send: Send, result: bytes) -> None:
    event = b"event: next\ndata: " + result + b"\n\n"
    await send({"type": "http.response.body", "body": event, "more_body": True})
