"""How often somebody may do what costs little and serves nobody."""


class Pace:
    """So many a second, and a number at once before that counts."""

    def __init__(self, a_second: float, at_once: int) -> None:
        self._each = 1 / a_second
        self._at_once = at_once / a_second
        self._free = 0.0  # the time at which all that was done has been waited for

    def spend(self, now: float) -> None:
        """It was done once more."""
        self._free = max(self._free, now - self._at_once) + self._each

    def delay(self, now: float) -> float:
        """How many seconds to wait before it is done again."""
        return max(0.0, self._free - now)
