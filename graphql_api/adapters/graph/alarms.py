"""Alarms: what an operator must look at, one log line at level error a minute for each kind."""

from collections.abc import Callable

import structlog

log = structlog.get_logger(__name__)

EVERY = 60.0  # seconds between two alarms of one kind


class Alarms:
    """Rings at most once a minute for each event."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._last: dict[str, float] = {}

    def ring(self, event: str, **facts: str | int | None) -> None:
        """Log the event, unless it was logged within the last minute. `facts` must hold nothing secret."""
        now = self._clock()
        last = self._last.get(event)
        if last is None or now - last >= EVERY:
            self._last[event] = now
            log.error(event, **facts)
