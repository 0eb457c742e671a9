"""Structured logs: readable in a terminal, JSON lines in production. One line an event, one schema."""

import io
import json
import logging
import sys
from contextlib import suppress
from typing import Any, TextIO

import orjson
import structlog


def configure(*, as_json: bool, level: str, stream: TextIO | None = None) -> None:
    """Send everything, also what libraries log by the standard library, to one stream (standard error)."""
    stream = stream or sys.stderr
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    # Tracebacks without the values of local variables: those may be secrets.
    last: list[Any] = (
        [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(_to_json)]
        if as_json
        else [
            _escape_event,
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(),
                exception_formatter=_escaped_traceback,
                repr_native_str=True,  # which escapes every value
            ),
        ]
    )
    # Our own lines do not pass through the standard library, which takes as long as a small request.
    structlog.configure(
        processors=[*shared, *last],
        logger_factory=lambda *names: Lines(stream, names[0] if names else ""),
        wrapper_class=structlog.make_filtering_bound_logger(level.lower()),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.ExtraAdder(), _without_color_message],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for library in ("uvicorn", "uvicorn.error"):
        logging.getLogger(library).handlers.clear()
        logging.getLogger(library).propagate = True
    # At this level the lines of its sockets hold what is in the frames.
    logging.getLogger("uvicorn.error").setLevel(max(logging.INFO, root.level))
    # The request log says the same and more, and never a query string.
    logging.getLogger("uvicorn.access").disabled = True
    # Statement text, parameters, and URLs with tokens are nobody's business in a log, whatever the level.
    for library in ("sqlalchemy", "aiosqlite", "asyncio", "alembic", "httpx2", "httpcore2"):
        logging.getLogger(library).setLevel(max(logging.WARNING, root.level))


def _without_color_message(_logger: Any, _method: str, event: Any) -> Any:
    """Drop uvicorn's second copy of its own message."""
    event.pop("color_message", None)
    return event


def _escape_event(_logger: Any, _method: str, event: Any) -> Any:
    """Escape the message: what somebody sent cannot forge a line, or steer the terminal."""
    return {**event, "event": _escaped(str(event["event"]))}


def _escaped_traceback(stream: TextIO, info: Any) -> None:
    buffer = io.StringIO()
    structlog.dev.plain_traceback(buffer, info)
    stream.write("\n".join(map(_escaped, buffer.getvalue().split("\n"))))


def _escaped(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)


def _to_json(event: Any, default: Any) -> str:
    text = orjson.dumps(event, default=default, option=orjson.OPT_NON_STR_KEYS).decode()
    if text.isprintable():
        return text
    # JSON itself escapes only what is below a space; terminals obey more characters than those.
    return "".join(one if one.isprintable() else json.dumps(one)[1:-1] for one in text)


class Lines:
    """Where the lines of one of our loggers go; structlog has decided by their level before."""

    def __init__(self, stream: TextIO, name: str) -> None:
        self.name = name
        self._stream = stream

    def info(self, line: str) -> None:
        """Write a line, in one piece: other threads write too."""
        with suppress(OSError):  # a disk that is full for logs fails no request
            self._stream.write(line + "\n")

    debug = warning = error = critical = exception = info
