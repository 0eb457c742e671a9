"""How long somebody waits who tries passwords or registers again and again: longer, but never for ever."""

from dataclasses import dataclass
from datetime import timedelta

LONGEST_WAIT = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Allowance:
    """How many attempts a window has before the next one must wait: a while, or for the next window."""

    free: int
    window: timedelta
    strict: bool = False


def wait_after(attempts: int, allowance: Allowance) -> timedelta:
    """How long after this many attempts in a window does the next one wait?

    Not at all while attempts are free; then 1, 2, 4, ... seconds, up to 15 minutes. Where the allowance is
    strict, a window's length.
    """
    beyond = attempts - allowance.free
    if beyond < 0:
        return timedelta()
    if allowance.strict:
        return allowance.window
    return min(timedelta(seconds=2 ** min(beyond, 20)), LONGEST_WAIT)
