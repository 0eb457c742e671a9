"""Counts what one user, or one address, keeps open."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager


class QuotaExceeded(Exception):
    """This user or address keeps as many streams open as one may."""


class Quota:
    """How many streams each key keeps open in this process; keys with none take no memory."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._open: Counter[str] = Counter()

    @contextmanager
    def hold(self, key: str) -> Iterator[None]:
        """Count one more while the block runs; raises QuotaExceeded if that is too many."""
        if self._open[key] >= self.limit:
            raise QuotaExceeded
        self._open[key] += 1
        try:
            yield
        finally:
            self._open[key] -= 1
            if not self._open[key]:
                del self._open[key]
