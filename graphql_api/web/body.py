"""Reads a request's bytes: whole, in time, within bounds, and as JSON that means one thing only."""

import asyncio
import json
import re
import types
from collections.abc import Callable, Coroutine, Generator, Mapping
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar, cast

import orjson
from starlette.types import Receive

from .options import Options
from .responses import BAD_REQUEST, HttpRefusal

MAX_NUMBER_LENGTH = 64
"""Characters of a number: longer ones would be rounded, and are slow to read."""

MAX_DISCARDED = 16_777_216
DISCARD_SECONDS = 2.0
"""How much of a body that is too long is still read, and not kept."""

T = TypeVar("T")

_LARGE = 65_536
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
"""A JSON string, closed or not: never gives back what it took, so that hostile bytes cost linear time."""


class ClientGone(Exception):
    """The client went away before its body was complete; there is nobody to answer."""


class MalformedJson(Exception):
    """These bytes are not the strict JSON that is read here."""


async def read_body(receive: Receive, headers: Mapping[bytes, bytes], options: Options) -> bytes:
    """Return the whole body; raises a refusal when it is too long, too slow or compressed."""
    if headers.get(b"content-encoding", b"identity").lower() != b"identity":
        raise HttpRefusal(415, "The body must not be compressed", "UNSUPPORTED_MEDIA_TYPE")
    length = headers.get(b"content-length", b"0")
    too_large = not length.isdigit() or len(length) > 18 or int(length) > options.max_body_bytes  # noqa: PLR2004 - digits
    if too_large:
        if b"expect" not in headers:  # else the client waits for a word before it sends anything
            await _discard_rest(receive)
        raise _too_large(options.max_body_bytes)
    try:
        body = await _at_once_or_within(options.body_timeout, _receive_all(receive, options.max_body_bytes))
    except TimeoutError:
        message = f"The body did not arrive within {options.body_timeout:g} seconds"
        raise HttpRefusal(408, message, "REQUEST_TIMEOUT", [(b"connection", b"close")]) from None
    if body is None:
        raise _too_large(options.max_body_bytes)
    return body


async def _at_once_or_within(seconds: float, work: Coroutine[Any, Any, T]) -> T:
    """Await work, with a time-out only where it has to wait.

    Nearly every body is there when it is asked for, and to set up a time-out takes as long as to read it.
    """
    try:
        awaited = work.send(None)
    except StopIteration as done:
        return cast("T", done.value)
    async with asyncio.timeout(seconds):
        return cast("T", await _go_on(work, awaited))


@types.coroutine
def _go_on(work: Coroutine[Any, Any, Any], awaited: object) -> Generator[object, object, object]:
    """Await the rest of work that began, and waits for something: what `await` does, from its second step."""
    while True:
        go_on: Callable[[], object]
        try:
            go_on = partial(work.send, (yield awaited))
        except BaseException as error:  # noqa: BLE001 - a cancellation, too, is the work's to handle
            go_on = partial(work.throw, error)
        try:
            awaited = go_on()
        except StopIteration as done:
            return cast("object", done.value)


async def _receive_all(receive: Receive, limit: int) -> bytes | None:
    """Return the body, or None when it is too long."""
    message = await receive()
    chunks: list[bytes] = []
    received = 0
    while message["type"] == "http.request":
        chunk: bytes = message.get("body", b"")
        received += len(chunk)
        if received > limit:
            chunks.clear()
        else:
            chunks.append(chunk)
        if not message.get("more_body", False) or received > limit + MAX_DISCARDED:
            return b"".join(chunks) if received <= limit else None
        message = await receive()
    raise ClientGone


async def _discard_rest(receive: Receive) -> None:
    """Read on for a while and keep nothing: whoever is cut off while sending never sees the answer."""
    received, more = 0, True
    with suppress(TimeoutError):
        async with asyncio.timeout(DISCARD_SECONDS):
            while more and received < MAX_DISCARDED:
                message = await receive()
                received += len(message.get("body", b""))
                more = message.get("more_body", False)


def _too_large(limit: int) -> HttpRefusal:
    return HttpRefusal(
        413, f"The body is longer than {limit} bytes", "CONTENT_TOO_LARGE", [(b"connection", b"close")]
    )


def read_json(data: bytes, *, max_depth: int, max_values: int) -> object:
    """Return the value of strict JSON; raises MalformedJson for anything that readers disagree about.

    Refused are: invalid UTF-8, a byte order mark, lone surrogates, NaN and infinities, keys that appear
    twice, numbers of more than `MAX_NUMBER_LENGTH` characters, and more depth or values than allowed.

    orjson refuses most of it. What it accepts and we do not (duplicate keys, long numbers) cannot survive
    being written again, so a text that comes out as it went in is clean; clients that write compact JSON,
    as browsers do, get by with this. Others are read a second time, slowly and carefully. The values of a
    large text are counted by its commas first, since a megabyte of them takes a tenth of a second to build.
    """
    if len(data) > _LARGE and _STRING.sub(b"", data).count(b",") > max_values:
        raise _too_many_values(max_values)
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError:
        raise MalformedJson("The body is not valid JSON in UTF-8") from None
    brackets = data.count(b"{") + data.count(b"[")
    if brackets > max_depth or brackets + data.count(b",") > max_values:
        _check_bounds(value, max_depth, max_values)
    return value if _write(value) == data else _read_carefully(data)


def _write(value: object) -> bytes | None:
    try:
        return orjson.dumps(value)
    except TypeError:
        return None


def _check_bounds(value: object, max_depth: int, max_values: int) -> None:
    """Walk the containers level by level, without recursion."""
    level = [value] if isinstance(value, dict | list) else []
    depth = values = 0
    while level:
        depth += 1
        values += sum(map(len, level))
        if depth > max_depth:
            raise MalformedJson(f"The body is nested deeper than {max_depth} levels")
        if values > max_values:
            raise _too_many_values(max_values)
        level = [
            item
            for container in level
            for item in (container.values() if type(container) is dict else container)
            if type(item) is dict or type(item) is list
        ]


def _too_many_values(max_values: int) -> MalformedJson:
    return MalformedJson(f"The body holds more than {max_values} values")


def _read_carefully(data: bytes) -> object:
    try:
        return json.loads(
            data.decode(),
            object_pairs_hook=_unique,
            parse_int=partial(_bounded, int),
            parse_float=partial(_bounded, float),
        )
    except (ValueError, RecursionError):
        raise MalformedJson("The body is not valid JSON in UTF-8") from None


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise MalformedJson("The body has an object in which a key appears twice")
    return result


def _bounded(kind: type[int | float], digits: str) -> int | float:
    if len(digits) > MAX_NUMBER_LENGTH:
        raise MalformedJson(f"The body has a number of more than {MAX_NUMBER_LENGTH} characters")
    return kind(digits)


def bad_request(message: str) -> HttpRefusal:
    """Return the refusal of a request that is not well-formed."""
    return HttpRefusal(400, message, BAD_REQUEST)
