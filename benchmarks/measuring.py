"""Rounds: every contestant in turn, again and again, so that what else the machine does hits all alike."""

import statistics
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path

import orjson

from benchmarks.contestants import CEILING, ROOT, Contestant, Server, running
from benchmarks.databases import Database
from benchmarks.load import PATIENCE, Outcome, Plan
from benchmarks.population import Person
from graphql_api.adapters.sealing import Keyring, new_key, parse_keys

SETTINGS = {"ENVIRONMENT": "production", "LOG_LEVEL": "WARNING"}
KEYS = new_key("k1")


_TURNS = 3  # a contestant that answers wrongly in as many turns ends the run


class WrongAnswer(Exception):
    """A contestant answered something else than it should, or wrote something else."""


@dataclass(frozen=True, slots=True)
class Cell:
    """What is measured: some work, of a size, over so many connections, for these people.

    `scale` is how much data there is, where that is what changes.
    """

    work: str
    size: int
    connections: int
    people: Sequence[Person]
    scale: int = 0


@dataclass(frozen=True, slots=True)
class Sample:
    """One run: seconds for latencies, CPU seconds for each answer."""

    rate: float
    p50: float
    p99: float
    server_cpu: float
    database_cpu: float
    load_share: float


@dataclass(frozen=True, slots=True)
class Series:
    """All rounds of one contestant on one cell."""

    samples: list[Sample] = field(default_factory=list)

    def values(self, of: Callable[[Sample], float]) -> list[float]:
        """One figure of every round."""
        return [of(sample) for sample in self.samples]

    def median(self, of: Callable[[Sample], float]) -> float:
        """The middle of the rounds."""
        return statistics.median(self.values(of))


Results = Mapping[tuple[int, str], Series]
"""By the cell's position and the contestant's name."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What came of measuring; `repeated` tells of turns that had a wrong answer and were taken again."""

    results: Results
    servers: Mapping[str, Server]
    repeated: Sequence[str]


@dataclass(frozen=True, slots=True)
class Pace:
    """How long everything takes, in seconds.

    Each turn has its own warm-up, and there is one unmeasured round before all: what compiles itself while
    it runs gets the time to.
    """

    rounds: int
    seconds: float
    warm_up: float
    first_round: float


@dataclass(slots=True)
class Progress:
    """What is told while it takes long."""

    total: int
    tell: Callable[[str], None]
    done: int = 0
    started: float = field(default_factory=time.monotonic)

    def step(self, what: str) -> None:
        """One run is over."""
        self.done += 1
        gone = time.monotonic() - self.started
        left = gone / self.done * (self.total - self.done)
        self.tell(f"{self.done:4}/{self.total}  {left:5.0f} s left  {what}")


def keyring() -> Keyring:
    """What the population's access tokens are sealed with."""
    return Keyring(parse_keys(KEYS))


def environment(url: str, *, pool: int, limit: int) -> dict[str, str]:
    """The settings that all contestants read."""
    return {
        **SETTINGS,
        "DATABASE_URL": url,
        "DATABASE_POOL_SIZE": str(pool),
        "SEALING_KEYS": KEYS,
        "MAX_ACCOUNTS_PER_HOLDER": str(limit),
    }


def measure(
    database: Database,
    contestants: Sequence[Contestant],
    cells: Sequence[Cell],
    pace: Pace,
    *,
    directory: Path,
    pool: int,
    limit: int,
    progress: Progress,
) -> Measured:
    """Start all contestants on copies of the filled template, and measure them in turn."""
    results: dict[tuple[int, str], Series] = defaultdict(Series)
    events: dict[str, int] = defaultdict(int)
    repeated: list[str] = []
    with ExitStack() as stack:
        servers = {}
        before = {}
        for contestant in contestants:
            url = database.copy(contestant.name)
            before[contestant.name] = database.count_events(contestant.name)
            servers[contestant.name] = stack.enter_context(
                running(contestant, directory, environment(url, pool=pool, limit=limit))
            )
        for number in range(pace.rounds + 1):
            for position, cell in enumerate(cells):
                for name, server in servers.items():
                    seconds = pace.seconds if number else pace.first_round
                    for _ in range(_TURNS):
                        outcome = _run(server, cell, seconds, pace.warm_up, database.pid)
                        events[name] += outcome.all_answers * (1 + cell.size) if cell.work == "W1" else 0
                        if outcome.problem is None:
                            break
                        repeated.append(f"{server.contestant.title}, {cell.work}: {outcome.problem}")
                        progress.tell(f"a turn is repeated: {repeated[-1]}")
                    sample = _sample(server, cell, outcome)
                    if number:
                        results[position, name].samples.append(sample)
                    progress.step(
                        f"{database.name} {cell.work} {cell.size or ''} {cell.scale or ''} "
                        f"c={cell.connections} {name}: {sample.rate:.0f}/s"
                    )
        for name in servers:
            written = database.count_events(name) - before[name]
            if written != events[name]:
                raise WrongAnswer(f"{name} wrote {written} events, and should have written {events[name]}")
    return Measured(results, servers, repeated)


def ceiling(directory: Path, cell: Cell, pace: Pace) -> Sample:
    """What the load itself reaches."""
    with running(CEILING, directory, {}) as server:
        return _sample(server, cell, _run(server, cell, pace.seconds, pace.warm_up, None))


def _run(server: Server, cell: Cell, seconds: float, warm_up: float, database_pid: int | None) -> Outcome:
    plan = Plan(
        port=server.port,
        dialect=server.contestant.dialect,
        work=cell.work,
        size=cell.size,
        people=[
            (person.number, person.first_account, person.accounts)
            for person in cell.people[: cell.connections]
        ],
        warm_up=warm_up,
        seconds=seconds,
        server_pid=server.pid,
        database_pid=database_pid,
    )
    process = subprocess.run(
        [sys.executable, "-m", "benchmarks.load"],
        cwd=ROOT,
        input=orjson.dumps(asdict(plan)),
        stdout=subprocess.PIPE,
        check=True,
        timeout=60 + 4 * PATIENCE,
    )
    return Outcome(**orjson.loads(process.stdout))


def _sample(server: Server, cell: Cell, outcome: Outcome) -> Sample:
    latencies = sorted(outcome.latencies)
    if outcome.problem is not None or not latencies:
        raise WrongAnswer(f"{server.contestant.title}, {cell.work}: {outcome.problem}")
    return Sample(
        rate=outcome.answers / outcome.seconds,
        p50=latencies[len(latencies) // 2],
        p99=latencies[min(len(latencies) - 1, len(latencies) * 99 // 100)],
        server_cpu=outcome.server_cpu / outcome.answers,
        database_cpu=outcome.database_cpu / outcome.answers,
        load_share=outcome.load_cpu / outcome.seconds,
    )
