"""Who may begin next when there is more to do than fits: the networks take turns."""

import asyncio
import time
from collections import deque

BUSY = 0.005
"""Seconds of one round of the event loop after which requests begin in turns."""

FIRST_AT_ONCE = 4
MOST_AT_ONCE = 64
"""Requests of a network that begin in one round, at first and where rounds are short."""


class Turns:
    """Lets few requests of each network begin in one round of the event loop.

    What a request computes holds up all others. Without turns, a network that sends a hundred requests is
    served a hundred times before somebody else's single one. How many begin in a round follows from how long
    the rounds take: one, where each computes for long.
    """

    def __init__(self) -> None:
        self._is_on = False  # a round of which somebody asked
        self._busy_at = 0.0
        self._at_once = FIRST_AT_ONCE
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}

    async def take(self, network: str) -> None:
        """Wait for the network's turn; nobody waits as long as the round is short."""
        if not self._is_on:
            self._begin()
        elif network in self._waiting or time.monotonic() > self._busy_at:
            turn = asyncio.get_running_loop().create_future()
            self._waiting.setdefault(network, deque()).append(turn)
            await turn

    def _begin(self) -> None:
        self._is_on = True
        self._busy_at = time.monotonic() + BUSY
        asyncio.get_running_loop().call_soon(self._end)

    def _end(self) -> None:
        """End a round, and let those who wait begin in the next one."""
        was_short = time.monotonic() < self._busy_at
        self._is_on = False
        if not self._waiting:
            self._at_once = FIRST_AT_ONCE
            return
        self._at_once = min(2 * self._at_once, MOST_AT_ONCE) if was_short else max(1, self._at_once // 2)
        for network, turns in list(self._waiting.items()):
            for _ in range(min(self._at_once, len(turns))):
                turn = turns.popleft()
                if not turn.done():  # its request may have been given up
                    turn.set_result(None)
            if not turns:
                del self._waiting[network]
        self._begin()
