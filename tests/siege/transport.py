"""One server, attacked by anonymous clients while somebody else calls it: what each attack costs the others."""

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.serving import Process

ROOT = Path(__file__).parent.parent.parent
GONE_WITHIN = 30.0  # seconds after an attack in which its connections are cut off, and its memory is free
MORE_MEMORY = 100.0  # MiB
SLOWEST = 0.5  # seconds for 99 of 100 calls of somebody else
PAUSE = 0.02  # seconds between two of them
LOOK_EVERY = 0.2
SOMEBODY_ELSE = "127.0.0.2"
_SOMEBODY_ELSE = "0200007F"  # as Linux lists it
_OPEN = frozenset({"01", "04", "08"})  # established, and what one side has closed


@dataclass(slots=True)
class Seen:
    """What an attack did. Times in seconds, memory in MiB."""

    attack: str
    connections: int
    waits: list[float] = field(default_factory=list)
    failed: int = 0
    before: float = 0.0
    most: float = 0.0
    after: float = 0.0
    processor: float = 0.0
    gone_after: float | None = None

    @property
    def p50(self) -> float:
        """How long somebody else waited, usually."""
        return sorted(self.waits)[len(self.waits) // 2]

    @property
    def p99(self) -> float:
        """How long somebody else waited, at the worst one of a hundred times."""
        return sorted(self.waits)[len(self.waits) * 99 // 100]

    def problems(self, *, timed: bool) -> list[str]:
        """What broke a promise; without times where the machine does other things too."""
        found = []
        if self.failed:
            found.append(f"{self.failed} calls of somebody else failed")
        if self.most > self.before + MORE_MEMORY:
            found.append(f"memory grew from {self.before:.0f} to {self.most:.0f} MiB")
        if self.after > self.before + MORE_MEMORY / 2:
            found.append(f"memory stays at {self.after:.0f} MiB, from {self.before:.0f}")
        if self.gone_after is None:
            found.append(f"connections are open {GONE_WITHIN:.0f} s after the attack")
        if timed and self.p99 > SLOWEST:
            found.append(f"somebody else waited {self.p99 * 1000:.0f} ms")
        return [f"{self.attack}: {problem}" for problem in found]


async def besiege(server: Process, attack: str, connections: int, seconds: float) -> Seen:
    """Attack a server for so long, and watch it until the attackers are gone."""
    watched = server.process.pid
    seen = Seen(attack, connections)
    seen.before = seen.most = _memory(watched)
    processor = _processor(watched)
    port = int(server.base_url.rpartition(":")[2])
    async with _attackers(attack, port, connections, seconds), _somebody_else(server.base_url, seen):
        until = time.monotonic() + seconds
        while (now := time.monotonic()) < until + GONE_WITHIN and seen.gone_after is None:
            await asyncio.sleep(LOOK_EVERY)
            seen.most = max(seen.most, _memory(watched))
            if now < until:
                seen.processor = _processor(watched) - processor
            elif not _attacking(port):
                seen.gone_after = now - until
        seen.after = _memory(watched)
    return seen


@asynccontextmanager
async def _attackers(attack: str, port: int, connections: int, seconds: float) -> AsyncIterator[None]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.siege.attackers",
        *map(str, (attack, port, connections, seconds)),
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
    )
    try:
        yield
        if process.returncode is not None:
            raise AssertionError(f"the attackers of {attack} ended by themselves")
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


@asynccontextmanager
async def _somebody_else(base_url: str, seen: Seen) -> AsyncIterator[None]:
    """Somebody at another address who calls again and again."""
    transport = httpx.AsyncHTTPTransport(local_address=SOMEBODY_ELSE)
    async with httpx.AsyncClient(base_url=base_url, transport=transport, timeout=30) as http:

        async def call() -> None:
            while True:
                started = time.monotonic()
                try:
                    answer = await http.post("/graphql", json={"query": "{ viewer { __typename } }"})
                    seen.failed += answer.status_code >= httpx.codes.INTERNAL_SERVER_ERROR
                except httpx.TransportError:
                    seen.failed += 1
                seen.waits.append(time.monotonic() - started)
                await asyncio.sleep(PAUSE)

        calling = asyncio.create_task(call())
        try:
            yield
        finally:
            calling.cancel()
            await asyncio.wait({calling})


def _memory(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="utf-8").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def _processor(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _attacking(port: int) -> int:
    """How many connections of the attackers the server has open."""
    lines = Path("/proc/net/tcp").read_text(encoding="utf-8").splitlines()[1:]
    return sum(
        local.endswith(f":{port:04X}") and not remote.startswith(_SOMEBODY_ELSE) and state in _OPEN
        for _, local, remote, state, *_ in map(str.split, lines)
    )
