"""The benchmark: `make bench`, or `python -m benchmarks --quick --work W1u,W2 --against floor`.

Everything runs on this machine and stops by itself, also on Ctrl-C. docs/performance.md holds the figures.
"""

import signal
import sys
import tempfile
from collections.abc import Container, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import click

from benchmarks import report
from benchmarks.contestants import CONTESTANTS, Contestant, DidNotStart
from benchmarks.databases import Database, PostgreSQL, SQLite
from benchmarks.measuring import (
    Cell,
    Measured,
    Pace,
    Progress,
    Results,
    Series,
    WrongAnswer,
    ceiling,
    keyring,
    measure,
)
from benchmarks.population import Population
from benchmarks.work import WORKS

PEOPLE = 64  # as many as there are connections at most: so many connect, and so many others read
CONNECTORS_HOLD, READERS_HOLD = 100, 20
ACCOUNTS, ACCOUNTS_IF_QUICK = 50_000, 10_000
MAIN_CONNECTIONS, MAIN_SIZE, LARGE_SIZE = 16, 3, 100
OTHERS = [name for name in CONTESTANTS if name != "ours"]
DATABASES: Mapping[str, type[PostgreSQL | SQLite]] = {"postgresql": PostgreSQL, "sqlite": SQLite}

GROWTH_HOLDINGS = (10, 100, 1_000, 10_000, 100_000)
GROWTH_TABLES = (10_000, 100_000, 1_000_000)
GROWTH_PEOPLE = 4
LIMIT = 200_000  # accounts that a holder may have, so that growth can go on


@dataclass(frozen=True, slots=True)
class Choice:
    """What the command line asks for."""

    works: Sequence[str]
    connections: Sequence[int]
    sizes: Sequence[int]
    contestants: Sequence[Contestant]
    databases: Sequence[str]
    pace: Pace
    pool: int
    accounts: int
    run: str


@click.command()
@click.option("--work", default=",".join(name for name in WORKS if name != "W6"), help="The kinds of work.")
@click.option("--connections", default="1,16,64", help="How many connections at once.")
@click.option("--accounts", default="1,3,30,100", help="How many accounts W1 and W1u connect.")
@click.option("--against", default=",".join(OTHERS), help="The others; this server is always measured.")
@click.option("--databases", default=",".join(DATABASES), help="postgresql, sqlite or both.")
@click.option("--rounds", default=5, help="How often each contestant has its turn.")
@click.option("--seconds", default=2.0, help="How long a turn is measured.")
@click.option("--pool", default=10, help="Database connections of each contestant.")
@click.option("--quick", is_flag=True, help="Three rounds of short turns on PostgreSQL; W1 with 3 accounts.")
@click.option("--shared", is_flag=True, help="Say on the page that other programs used the machine.")
@click.option("--growth", is_flag=True, help="Measure instead how the figures grow with the data (minutes).")
@click.option("--write", type=click.Path(path_type=Path), help="The Markdown page to write the figures into.")
def main(
    *,
    work: str,
    connections: str,
    accounts: str,
    against: str,
    databases: str,
    rounds: int,
    seconds: float,
    pool: int,
    quick: bool,
    shared: bool,
    growth: bool,
    write: Path | None,
) -> None:
    """Measure this server against the others, in turn, with every body checked."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the servers are ended too
    names = [name for name in _chosen(against, CONTESTANTS) if name != "ours"]
    choice = Choice(
        works=_chosen(work, WORKS),
        connections=[int(number) for number in connections.split(",")],
        sizes=[MAIN_SIZE] if quick else [int(number) for number in accounts.split(",")],
        contestants=[CONTESTANTS[name] for name in ("ours", *names)],
        databases=["postgresql"] if quick else _chosen(databases.lower(), DATABASES),
        pace=Pace(rounds=3, seconds=0.7, warm_up=0.2, first_round=0.3)
        if quick
        else Pace(rounds, seconds, warm_up=0.5, first_round=seconds),
        pool=pool,
        accounts=ACCOUNTS_IF_QUICK if quick else ACCOUNTS,
        run=report.run(sys.argv[1:], shared=shared),
    )
    try:
        with tempfile.TemporaryDirectory() as name:
            directory = Path(name)
            directory.chmod(0o755)  # PostgreSQL's own user, where root runs this, goes through it
            bench = Bench(choice, directory)
            section = bench.growth() if growth else bench.comparison()
    except (WrongAnswer, DidNotStart) as error:
        click.echo(str(error), err=True)
        sys.exit(1)
    click.echo(section)
    if write is not None:
        report.write(write, section, is_growth=growth)


def _chosen(text: str, known: Container[str]) -> list[str]:
    names = [name for name in text.split(",") if name]
    unknown = [name for name in names if name not in known]
    if unknown:
        raise click.BadParameter(f"unknown: {', '.join(unknown)}")
    return names


class Bench:
    """One run, in a directory that is gone afterwards."""

    def __init__(self, choice: Choice, directory: Path) -> None:
        self._choice = choice
        self._directory = directory
        self._progress = Progress(0, _tell)

    def comparison(self) -> str:
        """Everybody on the same data."""
        choice = self._choice
        population = Population(
            [CONNECTORS_HOLD] * PEOPLE + [READERS_HOLD] * PEOPLE, accounts=choice.accounts, workspaces=PEOPLE
        )
        cells = self._cells(population)
        turns = sum(
            cell.work not in contestant.skips
            for name in choice.databases
            for contestant in self._contestants_on(name)
            for cell in cells
        )
        self._progress = Progress(turns * (choice.pace.rounds + 1), _tell)
        idle = Cell("W3", 0, MAIN_CONNECTIONS, population.people)
        parts = [report.load_ceiling(ceiling(self._directory, idle, choice.pace))]
        for name in choice.databases:
            with self._started(name) as database:
                _tell(f"filling {database.name}")
                database.fill(population, keyring())
                contestants = self._contestants_on(name)
                measured = self._measure(database, contestants, cells)
                parts.append(report.comparison(database.version(), contestants, cells, measured))
        return report.comparison_page(
            parts, choice.pace, choice.run, pool=choice.pool, accounts=choice.accounts
        )

    def _cells(self, population: Population) -> list[Cell]:
        """Connecting in every size over the main number of connections; all else over every number."""
        connectors, readers = population.people[:PEOPLE], population.people[PEOPLE:]
        numbers = self._choice.connections
        main_number = MAIN_CONNECTIONS if MAIN_CONNECTIONS in numbers else numbers[0]
        cells = []
        for work in self._choice.works:
            if work == "W1r":
                cells.append(Cell(work, MAIN_SIZE, main_number, connectors))
            elif work == "W1c":
                sizes = {LARGE_SIZE} & {*self._choice.sizes}
                cells += [Cell(work, size, main_number, connectors) for size in sizes]
            elif work in {"W1", "W1u"}:
                cells += [Cell(work, size, main_number, connectors) for size in self._choice.sizes]
                others = [number for number in numbers if number != main_number]
                cells += [Cell(work, MAIN_SIZE, number, connectors) for number in others]
            else:
                cells += [Cell(work, 0, number, readers) for number in numbers]
        return cells

    def growth(self) -> str:
        """This server and the floor as holders and tables grow."""
        contestants = [c for c in self._choice.contestants if c.name in {"ours", "floor"}]
        asked = [work for work in self._choice.works if work in {"W1u", "W2"}]
        works = {work: MAIN_SIZE if work == "W1u" else 0 for work in asked}
        turns = (len(GROWTH_HOLDINGS) + len(GROWTH_TABLES)) * len(works) * len(contestants)
        self._progress = Progress(turns * (self._choice.pace.rounds + 1), _tell)
        with self._started("postgresql") as database:
            holdings = self._holdings(database, contestants, works)
            tables = self._tables(database, contestants, works)
            parts = [
                report.growth("Accounts of one holder", contestants, *holdings),
                report.growth("Accounts in the table", contestants, *tables),
            ]
            return report.growth_section(
                parts,
                database.version(),
                self._choice.pace,
                self._choice.run,
                connections=GROWTH_PEOPLE,
            )

    def _holdings(
        self, database: Database, contestants: Sequence[Contestant], works: Mapping[str, int]
    ) -> tuple[Sequence[Cell], Results]:
        """Holders of every size in one table."""
        sizes = [size for size in GROWTH_HOLDINGS for _ in range(GROWTH_PEOPLE)]
        population = Population(sizes, accounts=sum(sizes), workspaces=0)
        _tell(f"filling {sum(sizes):,} accounts")
        database.fill(population, keyring())
        cells = [
            Cell(work, size, GROWTH_PEOPLE, population.people[at : at + GROWTH_PEOPLE], scale)
            for work, size in works.items()
            for at, scale in zip(range(0, len(sizes), GROWTH_PEOPLE), GROWTH_HOLDINGS, strict=True)
        ]
        return cells, self._measure(database, contestants, cells).results

    def _tables(
        self, database: Database, contestants: Sequence[Contestant], works: Mapping[str, int]
    ) -> tuple[Sequence[Cell], Results]:
        """Small holders in tables of every size, one after the other."""
        all_cells: list[Cell] = []
        all_results: dict[tuple[int, str], Series] = {}
        for scale in GROWTH_TABLES:
            population = Population([READERS_HOLD] * GROWTH_PEOPLE, accounts=scale, workspaces=0)
            _tell(f"filling {scale:,} accounts")
            database.fill(population, keyring())
            cells = [
                Cell(work, size, GROWTH_PEOPLE, population.people, scale) for work, size in works.items()
            ]
            results = self._measure(database, contestants, cells).results
            all_results |= {(len(all_cells) + at, name): series for (at, name), series in results.items()}
            all_cells += cells
        return all_cells, all_results

    def _started(self, name: str) -> AbstractContextManager[Database]:
        return DATABASES[name].started(self._directory / name)

    def _contestants_on(self, name: str) -> list[Contestant]:
        """Those who run on a database: the Node servers have no SQLite here."""
        return [c for c in self._choice.contestants if DATABASES[name].name in c.databases]

    def _measure(
        self, database: Database, contestants: Sequence[Contestant], cells: Sequence[Cell]
    ) -> Measured:
        return measure(
            database,
            contestants,
            cells,
            self._choice.pace,
            directory=self._directory,
            pool=self._choice.pool,
            limit=LIMIT,
            progress=self._progress,
        )


def _tell(text: str) -> None:
    click.echo(text, err=True)


if __name__ == "__main__":
    main()
