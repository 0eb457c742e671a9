"""The load: a closed loop of raw HTTP/1.1 connections in a process of its own, every body checked.

    python -m benchmarks.load < plan.json > outcome.json

Each connection sends its request, waits for the whole answer, checks it, and sends the next. Only answers
that come within the measured window count.
"""

import asyncio
import gc
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from time import perf_counter, process_time
from typing import cast
from uuid import uuid4

import orjson
import uvloop

from benchmarks.population import Person
from benchmarks.processes import cpu_seconds, cpu_since, with_children
from benchmarks.work import FRESH_KEY, WORKS, Check

PATIENCE = 30.0  # seconds that an answer may take before the run is given up


@dataclass(frozen=True, slots=True)
class Plan:
    """What one run does. `people` has a person for each connection: number, first account, accounts."""

    port: int
    dialect: str
    work: str
    size: int
    people: Sequence[tuple[int, int, int]]
    warm_up: float
    seconds: float
    server_pid: int
    database_pid: int | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one run saw. Latencies in seconds; CPU in seconds over the window."""

    answers: int
    all_answers: int
    seconds: float
    latencies: Sequence[float]
    server_cpu: float
    database_cpu: float
    load_cpu: float
    problem: str | None


class Connection(asyncio.Protocol):
    """One keep-alive connection in a closed loop."""

    def __init__(self, run: "Run", request: bytes, check: Check) -> None:
        self._run = run
        self._request = request
        self._around_key = request.split(FRESH_KEY.encode())
        self._check = check
        self._buffer = b""
        self._length = -1  # of the whole answer, once its head is there
        self._body_at = 0
        self._sent_at = 0.0
        self.closed = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the first request."""
        self._transport = cast("asyncio.Transport", transport)
        self._send()

    def _send(self) -> None:
        if len(self._around_key) > 1:
            self._request = str(uuid4()).encode().join(self._around_key)
        self._sent_at = perf_counter()
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        """Take a piece of the answer, usually all of it."""
        buffer = self._buffer = self._buffer + data if self._buffer else data
        if self._length < 0 and not self._read_head(buffer):
            return
        if len(buffer) < self._length:
            return
        now = perf_counter()
        if buffer.startswith(b"HTTP/1.1 200 "):
            problem = self._check.problem(buffer[self._body_at : self._length])
        else:
            problem = buffer[:2000].decode("latin-1")
        if problem is None:
            self._run.answered(now, now - self._sent_at)
        else:
            self._run.fail(problem)
        self._buffer, self._length = b"", -1
        if self._run.over:
            self._transport.close()
        else:
            self._send()

    def _read_head(self, buffer: bytes) -> bool:
        end = buffer.find(b"\r\n\r\n")
        if end < 0:
            return False
        head = buffer[:end].lower()
        at = head.find(b"content-length:")
        if at < 0:
            self._run.fail(f"an answer without Content-Length: {head.decode('latin-1')}")
            self._transport.close()
            return False
        line_end = head.find(b"\r\n", at)
        self._body_at = end + 4
        self._length = self._body_at + int(head[at + 15 : line_end if line_end > 0 else end])
        return True

    def connection_lost(self, _error: Exception | None) -> None:
        """Note the end, which must not come before the run's."""
        if not self._run.over:
            self._run.fail("the server closed a connection")
        if not self.closed.done():
            self.closed.set_result(None)


class Run:
    """One measured window over all connections."""

    def __init__(self) -> None:
        self.over = False
        self.problem: str | None = None
        self.all_answers = 0
        self.latencies: list[float] = []
        self._measuring = False
        self._last = perf_counter()

    def answered(self, now: float, latency: float) -> None:
        """Count an answer that is right."""
        self.all_answers += 1
        self._last = now
        if self._measuring:
            self.latencies.append(latency)

    def fail(self, problem: str) -> None:
        """Give the run up; the first problem is the one told."""
        self.problem = self.problem or problem
        self.over = True

    async def measure(self, plan: Plan) -> Outcome:
        """Open the connections, warm up, measure, and close."""
        loop = asyncio.get_running_loop()
        work = WORKS[plan.work]
        connections = []
        for fields in plan.people:
            person = Person(*fields)
            request = work.request(person, plan.size).to_bytes(plan.dialect, f"127.0.0.1:{plan.port}")
            connection = Connection(self, request, work.check(person, plan.size))
            await loop.create_connection(lambda made=connection: made, "127.0.0.1", plan.port)  # type: ignore[misc]
            connections.append(connection)
        await self._pass(plan.warm_up)
        gc.collect()
        gc.freeze()
        gc.disable()
        servers = {plan.server_pid}
        databases = set() if plan.database_pid is None else with_children(plan.database_pid)
        server_cpu, database_cpu = cpu_seconds(servers), cpu_seconds(databases)
        load_cpu, started = process_time(), perf_counter()
        self._measuring = True
        await self._pass(plan.seconds)
        while not self.over and len(self.latencies) < len(connections):
            await self._pass(plan.seconds)  # on a machine that is busy with other things
        self._measuring = False
        seconds = perf_counter() - started
        outcome = Outcome(
            answers=len(self.latencies),
            all_answers=0,
            seconds=seconds,
            latencies=self.latencies,
            server_cpu=cpu_since(server_cpu),
            database_cpu=cpu_since(database_cpu),
            load_cpu=process_time() - load_cpu,
            problem=None,
        )
        self.over = True
        await asyncio.wait([connection.closed for connection in connections], timeout=PATIENCE)
        return Outcome(**{**asdict(outcome), "all_answers": self.all_answers, "problem": self.problem})

    async def _pass(self, seconds: float) -> None:
        """Let time go by, unless the run fails or the server falls silent."""
        end = perf_counter() + seconds
        while not self.over and (now := perf_counter()) < end:
            if now - self._last > PATIENCE:
                self.fail(f"no answer for {PATIENCE:.0f} seconds")
            await asyncio.sleep(min(0.5, end - now))


def main() -> None:
    """Run the plan on standard input, and write what was seen to standard output."""
    plan = Plan(**orjson.loads(sys.stdin.buffer.read()))
    outcome = uvloop.run(Run().measure(plan))
    sys.stdout.buffer.write(orjson.dumps(asdict(outcome)))


if __name__ == "__main__":
    main()
