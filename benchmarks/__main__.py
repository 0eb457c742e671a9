"""The benchmark: `make bench`, or `python -m benchmarks --quick --work W1,W2 --against floor`.

Everything runs on this machine and stops by itself, also on Ctrl-C. docs/performance.md holds the figures.
"""

import signal
import sys
import tempfile
from collections.abc import Container, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from benchmarks import report
from benchmarks.contestants import CONTESTANTS, Contestant, DidNotStart, Server
from benchmarks.databases import Database, PostgreSQL, SQLite
from benchmarks.measuring import (
    Cell,
    Pace,
    Progress,
    Results,
    WrongAnswer,
    ceiling,
    keyring,
    measure,
)
from benchmarks.population import Population
from benchmarks.work import WORKS

PEOPLE = 64  # as many as there are connections at most: so many connect, and so many others read
CONNECTORS_HOLD, READERS_HOLD = 100, 20
ACCOUNTS = 50_000
MAIN_CONNECTIONS, MAIN_SIZE = 16, 3
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


def main(
    *,
    work: Annotated[str, typer.Option(help="The kinds of work.")] = ",".join(WORKS),
    connections: Annotated[str, typer.Option(help="How many connections at once.")] = "1,16,64",
    accounts: Annotated[str, typer.Option(help="How many accounts W1 connects.")] = "1,3,30,100",
    against: Annotated[str, typer.Option(help="The others; this server is always measured.")] = ",".join(
        name for name in CONTESTANTS if name != "ours"
    ),
    databases: Annotated[str, typer.Option(help="postgresql, sqlite or both.")] = ",".join(DATABASES),
    rounds: Annotated[int, typer.Option(help="How often each contestant has its turn.")] = 5,
    seconds: Annotated[float, typer.Option(help="How long a turn is measured.")] = 2.0,
    pool: Annotated[int, typer.Option(help="Connections to the database that each contestant keeps.")] = 10,
    quick: Annotated[
        bool, typer.Option(help="Three rounds of short turns on PostgreSQL; W1 with 3 accounts.")
    ] = False,
    growth: Annotated[
        bool, typer.Option(help="Measure instead how the figures grow with the data (minutes).")
    ] = False,
    write: Annotated[Path | None, typer.Option(help="The Markdown page to write the figures into.")] = None,
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
        pace=Pace(rounds=3, seconds=1.0, warm_up=0.3) if quick else Pace(rounds, seconds, warm_up=0.5),
        pool=pool,
    )
    try:
        with tempfile.TemporaryDirectory() as name:
            directory = Path(name)
            directory.chmod(0o755)  # PostgreSQL's own user, where root runs this, goes through it
            section = _growth(choice, directory) if growth else _comparison(choice, directory)
    except (WrongAnswer, DidNotStart) as error:
        typer.echo(str(error), err=True)
        sys.exit(1)
    typer.echo(section)
    if write is not None:
        report.write(write, section, is_growth=growth)


def _chosen(text: str, known: Container[str]) -> list[str]:
    names = [name for name in text.split(",") if name]
    unknown = [name for name in names if name not in known]
    if unknown:
        raise typer.BadParameter(f"unknown: {', '.join(unknown)}")
    return names


def _comparison(choice: Choice, directory: Path) -> str:
    """Everybody on the same data."""
    population = Population(
        [CONNECTORS_HOLD] * PEOPLE + [READERS_HOLD] * PEOPLE, accounts=ACCOUNTS, workspaces=PEOPLE
    )
    cells = _cells(choice, population)
    turns = sum(len(_of(choice, name)) for name in choice.databases) * len(cells) * choice.pace.rounds
    progress = Progress(turns, _tell)
    parts = [report.load_ceiling(ceiling(directory, _ceiling_cell(population), choice.pace))]
    for name in choice.databases:
        with _started(name, directory) as database:
            database.fill(population, keyring())
            contestants = _of(choice, name)
            results, servers = _measured(choice, database, contestants, cells, directory, progress)
            parts.append(report.comparison(database.version(), contestants, cells, results, servers))
    return report.comparison_page(parts, choice.contestants, choice.pace, pool=choice.pool, accounts=ACCOUNTS)


def _cells(choice: Choice, population: Population) -> list[Cell]:
    connectors, readers = population.people[:PEOPLE], population.people[PEOPLE:]
    cells = []
    for work in choice.works:
        if work == "W1":
            main = MAIN_CONNECTIONS if MAIN_CONNECTIONS in choice.connections else choice.connections[0]
            cells += [Cell(work, size, main, connectors) for size in choice.sizes]
            others = [number for number in choice.connections if number != main]
            cells += [Cell(work, MAIN_SIZE, number, connectors) for number in others]
        else:
            cells += [Cell(work, 0, number, readers) for number in choice.connections]
    return cells


def _ceiling_cell(population: Population) -> Cell:
    return Cell("W3", 0, MAIN_CONNECTIONS, population.people)


def _growth(choice: Choice, directory: Path) -> str:
    """This server and the floor (or whoever is asked for) as holders and tables grow."""
    contestants = [c for c in choice.contestants if c.name in {"ours", "floor"}]
    works = [work for work in choice.works if work in {"W1", "W2"}]
    turns = (len(GROWTH_HOLDINGS) + len(GROWTH_TABLES)) * len(works) * len(contestants)
    progress = Progress(turns * choice.pace.rounds, _tell)
    with _started("postgresql", directory) as database:
        sizes = [size for size in GROWTH_HOLDINGS for _ in range(GROWTH_PEOPLE)]
        population = Population(sizes, accounts=sum(sizes), workspaces=0)
        cells = [
            Cell(work, _size(work), GROWTH_PEOPLE, population.people[at : at + GROWTH_PEOPLE], f"{size:,} held")
            for work in works
            for at, size in zip(range(0, len(sizes), GROWTH_PEOPLE), GROWTH_HOLDINGS, strict=True)
        ]
        _tell(f"filling {sum(sizes):,} accounts")
        database.fill(population, keyring())
        results, _ = _measured(choice, database, contestants, cells, directory, progress)
        parts = [report.growth("Accounts of one holder", contestants, cells, results)]
        all_cells: list[Cell] = []
        all_results: dict[tuple[int, str], report.Series] = {}
        for accounts in GROWTH_TABLES:
            population = Population([READERS_HOLD] * GROWTH_PEOPLE, accounts=accounts, workspaces=0)
            cells = [
                Cell(work, _size(work), GROWTH_PEOPLE, population.people, f"{accounts:,} in the table")
                for work in works
            ]
            _tell(f"filling {accounts:,} accounts")
            database.fill(population, keyring())
            results, _ = _measured(choice, database, contestants, cells, directory, progress)
            all_results |= {(len(all_cells) + at, name): s for (at, name), s in results.items()}
            all_cells += cells
        parts.append(report.growth("Accounts in the table", contestants, all_cells, all_results))
        return report.growth_section(parts, database.version(), choice.pace, GROWTH_PEOPLE)


def _size(work: str) -> int:
    return MAIN_SIZE if work == "W1" else 0


def _started(name: str, directory: Path) -> AbstractContextManager[Database]:
    return DATABASES[name].started(directory / name)


def _of(choice: Choice, database: str) -> list[Contestant]:
    """Those who run on a database: the Node servers have no driver for SQLite here."""
    return [c for c in choice.contestants if DATABASES[database].name in c.databases]


def _measured(
    choice: Choice,
    database: Database,
    contestants: Sequence[Contestant],
    cells: Sequence[Cell],
    directory: Path,
    progress: Progress,
) -> tuple[Results, Mapping[str, Server]]:
    return measure(
        database,
        contestants,
        cells,
        choice.pace,
        directory=directory,
        pool=choice.pool,
        limit=LIMIT,
        progress=progress,
    )


def _tell(text: str) -> None:
    typer.echo(text, err=True)


if __name__ == "__main__":
    typer.run(main)
