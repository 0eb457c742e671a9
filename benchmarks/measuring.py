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
from benchmarks.work import WORKS
from graphql_api.adapters.sealing import Keyring, new_key, parse_keys

SETTINGS = {
    "ENVIRONMENT": "production",
    "LOG_LEVEL": "WARNING",
    "MAIL_OUTBOX": "outbox",
    "LOOK_UPS_PER_USER": "1000000000",  # each person is refused thousands of times in a row
    "VERIFICATIONS_PER_USER": "1000000000",  # and is proven as often
    "META_MODE": "off",  # the others ask nobody either
    "ALLOW_UNVERIFIED_CLAIMS": "true",
}
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
"""By the cell's position and the contestant's name; without those that skip the cell's work."""


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
    with ExitStack() as stack:
        field_of = []
        for contestant in contestants:
            url = database.copy(contestant.name)
            events = database.count_events(contestant.name)
            settings = environment(url, pool=pool, limit=limit)
            settings |= contestant.settings
            server = stack.enter_context(running(contestant, directory, settings))
            field_of.append(_Turns(server, database, pace, progress, events))
        for number in range(pace.rounds + 1):
            for position, cell in enumerate(cells):
                for turns in field_of:
                    if cell.work in turns.server.contestant.skips:
                        continue
                    sample = turns.take(cell, pace.seconds if number else pace.first_round)
                    if number:
                        results[position, turns.name].samples.append(sample)
        for turns in field_of:
            turns.check_events()
    servers = {turns.name: turns.server for turns in field_of}
    return Measured(dict(results), servers, [told for turns in field_of for told in turns.repeated])


@dataclass(slots=True)
class _Turns:
    """One contestant's turns, and how many events its database should hold by now."""

    server: Server
    database: Database
    pace: Pace
    progress: Progress
    events: int
    repeated: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.server.contestant.name

    def take(self, cell: Cell, seconds: float) -> Sample:
        """Measure once; a turn with a wrong answer is taken again, and told of."""
        for _ in range(_TURNS):
            outcome = _run(self.server, cell, seconds, self.pace.warm_up, self.database.pid)
            self.events += outcome.all_answers * WORKS[cell.work].events(cell.size)
            if outcome.problem is None:
                break
            self.repeated.append(f"{self.server.contestant.title}, {cell.work}: {outcome.problem}")
            self.progress.tell(f"a turn is repeated: {self.repeated[-1]}")
        sample = _sample(self.server, cell, outcome)
        what = (self.database.name, cell.work, cell.size or "", cell.scale or "", f"c={cell.connections}")
        self.progress.step(f"{' '.join(str(part) for part in what if part)} {self.name}: {sample.rate:.0f}/s")
        return sample

    def check_events(self) -> None:
        """Every right answer that connects left its events behind, and nothing else did.

        Raises:
            WrongAnswer: something was lost, or written twice.
        """
        found = self.database.count_events(self.name)
        if found != self.events:
            raise WrongAnswer(f"{self.name} has {found} events, and should have {self.events}")


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
