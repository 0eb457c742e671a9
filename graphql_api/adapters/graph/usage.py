"""When to leave Meta alone: its rate limits, and while it does not answer.

    Gate     one breaker and one reading of the app's usage
    ├── Pause       no calls until a time, then one call to see
    └── Gates       one gate for the process, or one for each access token (sandbox)
    PageLimits      the Pages whose own limit is used up

Times are of the clock that is passed, in seconds. Waits are whole seconds, at least 1.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any

import orjson

from graphql_api.adapters.graph.problems import LIMIT_LASTS

FULL = 95  # percent of the app's calls: nothing new is begun
BUSY = 80  # percent: what can wait, waits
FULL_LASTS = 60.0
READING_LASTS = 300.0  # a reading that is older says nothing
FAILURES = 6  # in a row: two calls with all their retries
DOWN_LASTS = 10.0
PROBE_WITHIN = 8.0  # then another call may try
MOST_KEYS = 1000
MOST_PAGES = 10_000

APP_USAGE = "X-App-Usage"
PAGE_USAGE = "X-Business-Use-Case-Usage"

Clock = Callable[[], float]


class Pause:
    """No calls until a time. Then one call goes through; it decides, or the next one may try."""

    __slots__ = ("_probing", "_until")

    def __init__(self) -> None:
        self._until = -math.inf
        self._probing = True

    def wait(self, now: float) -> int | None:
        """Return how many seconds to wait; None lets this call through."""
        if self._until == -math.inf:
            return None
        if now < self._until:
            return whole(self._until - now)
        self._until, self._probing = now + PROBE_WITHIN, True
        return None

    def begin(self, now: float, seconds: float) -> None:
        """Let nothing through for so long."""
        self._until, self._probing = now + seconds, False

    def end(self) -> None:
        """Let everything through."""
        self._until, self._probing = -math.inf, True

    def succeed(self) -> None:
        """A call succeeded: it ends the pause unless it was on its way before the pause began."""
        if self._probing:
            self.end()


class Gate:
    """Whether calls may go to Meta now."""

    __slots__ = ("_blocked", "_clock", "_down", "_failures", "_full", "_percent", "_read_at")

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._down, self._blocked, self._full = Pause(), Pause(), Pause()
        self._failures = 0
        self._percent, self._read_at = 0.0, -math.inf

    def wait(self, *, begins: bool) -> int | None:
        """Return how many seconds a call has to wait; None if it may go.

        `begins`: it is the first call of a verification. None begins while the app's calls are used up.
        """
        now = self._clock()
        found = self._down.wait(now) or self._blocked.wait(now)
        return found or (self._full.wait(now) if begins else None)

    def succeed(self) -> None:
        """Meta answered."""
        self._failures = 0
        self._down.succeed()

    def fail(self) -> None:
        """Meta did not answer, or not as Meta."""
        self._failures += 1
        if self._failures >= FAILURES:
            self._failures = FAILURES - 1  # a probe that fails is enough
            self._down.begin(self._clock(), DOWN_LASTS)

    def block(self) -> None:
        """Meta refuses calls of the whole app."""
        self._blocked.begin(self._clock(), LIMIT_LASTS)

    def unblock(self) -> None:
        """Meta accepts calls of the app."""
        self._blocked.succeed()

    def read(self, header: str) -> None:
        """Take the app's usage from the header of an answer."""
        percent = _percent(_parse(header))
        if percent is None:
            return
        now = self._clock()
        self._percent, self._read_at = percent, now
        if percent >= FULL:
            self._full.begin(now, FULL_LASTS)
        else:
            self._full.end()

    @property
    def percent(self) -> float:
        """The last reading of the app's usage; 0 if it is old."""
        return self._percent if self._clock() - self._read_at < READING_LASTS else 0.0


class Gates:
    """One gate for the process, or one for each access token."""

    def __init__(self, clock: Clock, *, each_apart: bool) -> None:
        self.each_apart = each_apart
        self.of_app = Gate(clock)
        self._clock = clock
        self._by_key: dict[str, Gate] = {}

    def of(self, key: str) -> Gate:
        """Return the gate of calls about the access token with this key."""
        if not self.each_apart:
            return self.of_app
        gate = self._by_key.pop(key, None) or Gate(self._clock)
        while len(self._by_key) >= MOST_KEYS:
            del self._by_key[next(iter(self._by_key))]  # the one that was used least recently
        self._by_key[key] = gate
        return gate


class PageLimits:
    """Which Pages have used up their own calls, and until when."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._until: dict[str, float] = {}

    def wait(self, page_id: str) -> int | None:
        """Return how many seconds calls with this Page's token have to wait; None if they may go."""
        until = self._until.get(page_id)
        if until is None:
            return None
        now = self._clock()
        if now < until:
            return whole(until - now)
        del self._until[page_id]
        return None

    def block(self, page_id: str, seconds: float) -> None:
        """Let no calls of this Page through for so long, or longer if Meta said so before."""
        while len(self._until) >= MOST_PAGES:
            del self._until[next(iter(self._until))]
        self._until[page_id] = max(self._clock() + seconds, self._until.get(page_id, 0.0))

    def read(self, header: str) -> None:
        """Take the usage of Pages from the header of an answer. Meta names the time to wait in minutes."""
        usage = _parse(header)
        if not isinstance(usage, dict):
            return
        for page_id, entries in usage.items():
            for entry in entries if isinstance(entries, list) else ():
                if not isinstance(entry, dict):
                    continue
                minutes = _number(entry.get("estimated_time_to_regain_access"))
                percent = _percent(entry)
                if minutes:
                    self.block(page_id, minutes * 60)
                elif percent is not None and percent >= FULL:
                    self.block(page_id, FULL_LASTS)


def whole(seconds: float) -> int:
    """Round a wait up to whole seconds."""
    return max(1, math.ceil(seconds))


def _parse(header: str) -> Any:
    try:
        return orjson.loads(header)
    except orjson.JSONDecodeError:
        return None


def _percent(usage: Any) -> float | None:
    """The highest of the three measures; the call is refused for any of them."""
    if not isinstance(usage, Mapping):
        return None
    measures = [_number(usage.get(name)) for name in ("call_count", "total_cputime", "total_time")]
    return max((one for one in measures if one is not None), default=None)


def _number(value: Any) -> float | None:
    """A plausible number: more than a week of minutes is none."""
    return float(value) if type(value) in {int, float} and 0 <= value <= 10_080 else None  # noqa: PLR2004 - see above
