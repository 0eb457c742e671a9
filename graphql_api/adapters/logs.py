"""Structured logs: readable in a terminal, JSON lines in production. One line an event, one schema."""

import logging
import sys
from typing import Any

import structlog


def configure(*, as_json: bool, level: str) -> None:
    """Send everything, also what libraries log by the standard library, through one pipeline."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _without_color_message,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    # Tracebacks without the values of local variables: those may be secrets.
    last: list[Any] = (
        [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
        if as_json
        else [
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
            )
        ]
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for library in ("uvicorn", "uvicorn.error"):
        logging.getLogger(library).handlers.clear()
        logging.getLogger(library).propagate = True
    # The request log says the same and more, and never a query string.
    logging.getLogger("uvicorn.access").disabled = True
    # Statement text and parameters are nobody's business in a log, whatever the level.
    for library in ("sqlalchemy", "aiosqlite", "asyncio", "alembic"):
        logging.getLogger(library).setLevel(max(logging.WARNING, root.level))


def _without_color_message(_logger: Any, _method: str, event: Any) -> Any:
    """Drop uvicorn's second copy of its own message."""
    event.pop("color_message", None)
    return event
