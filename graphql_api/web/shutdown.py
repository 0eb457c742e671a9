"""The announcement that the process is about to end: readiness turns, streams end, requests finish."""

import asyncio
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Shutdown:
    """Begins once; whoever streams waits for it, whoever answers health checks asks."""

    def __init__(self) -> None:
        self.begun = False
        self._event = asyncio.Event()

    def begin(self) -> None:
        """Announce the end; to be called in the event loop's thread."""
        self.begun = True
        self._event.set()

    async def wait(self) -> None:
        """Return when the end is announced."""
        await self._event.wait()

    @contextmanager
    def on_signals(self) -> Iterator[None]:
        """Begin at SIGTERM or SIGINT, then let whoever handled the signal before do so.

        Does nothing outside the main thread, where Python cannot handle signals.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        loop = asyncio.get_running_loop()
        previous = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

        def announce(number: int, frame: FrameType | None) -> None:
            self.begun = True
            loop.call_soon_threadsafe(self._event.set)
            handler = previous[signal.Signals(number)]
            if callable(handler):
                handler(number, frame)

        for number, handler in previous.items():
            if callable(handler):
                signal.signal(number, announce)
        try:
            yield
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)
