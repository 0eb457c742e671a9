"""The figures as a page of the documentation: no path and no host name, but the machine and all versions."""

import os
import platform
import shlex
import statistics
import subprocess
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import orjson

from benchmarks.contestants import NODE, Contestant
from benchmarks.measuring import Cell, Measured, Pace, Results, Sample, Series
from benchmarks.work import WORKS

_GROWTH = "\n## Growth\n"
_PACKAGES = (
    *("strawberry-graphql", "graphql-core", "starlette", "uvicorn", "uvloop", "httptools"),
    *("sqlalchemy", "asyncpg", "aiosqlite", "orjson", "cryptography"),
)
_NODE_PACKAGES = ("@apollo/server", "mercurius", "graphql-jit", "fastify", "graphql", "pg")
_INTRODUCTION = """# Performance

This page compares this server with other servers that do the same work on the same data. Start with the first
table of each database: a ratio above 1 means that this server answers more requests a second than the other.

## How it is measured

`make bench` measures and writes this page. {run}

Each server is one process with {pool} connections to its own copy of a database with {accounts:,} social
accounts. No server writes an access log. The load compares every body with the right answer. At the end, the
events in each database are counted.

- **this server**: `python -m graphql_api serve` with `ENVIRONMENT=production` and `LOG_LEVEL=WARNING`.
- **floor**: the same requests written by hand, with Starlette, orjson and (on PostgreSQL) asyncpg, and one
  endpoint for each kind of request. It has the same checks, locks, events, sealing and count of look-ups, in
  as few statements as the checks between them allow (`benchmarks/statements`). W1u is one transaction with
  two statements. A page is two statements: who calls, then the page. The floor has no idempotency keys and no
  `CONNECT_OTHERS`, so it does not run W1 and W1c.
- **Apollo Server** and **mercurius-JIT**: this server's schema with the floor's statements, prepared, through
  `pg`. They have no idempotency keys and no `CONNECT_OTHERS` either, and run on PostgreSQL only.
- **stock Strawberry**: `strawberry.asgi.GraphQL` with this server's schema and services, and with the parser
  and validation caches on.

The kinds of work:

{works}

{machine}

Every figure is the median of {rounds} rounds. In a round, each server has a turn of {seconds:g} s for each
kind of work. The first round is not counted. Brackets hold the lowest and the highest round. "CPU" is the
time that the server's process takes for one request, and "database CPU" is the time of the database's
processes. SQLite runs inside the server's process.
"""


def write(path: Path, section: str, *, is_growth: bool) -> None:
    """Put a section into the page, and leave what the other kind of run wrote."""
    old = path.read_text(encoding="utf-8") if path.exists() else ""
    comparison, mark, growth_text = old.partition(_GROWTH)
    text = comparison + section if is_growth else section + mark + growth_text
    path.write_text(text, encoding="utf-8")


def comparison_page(parts: Sequence[str], pace: Pace, run: str, *, pool: int, accounts: int) -> str:
    """The page without its growth."""
    introduction = _INTRODUCTION.format(
        run=run,
        pool=pool,
        accounts=accounts,
        works="\n".join(f"- **{work.name}**: {work.title}" for work in WORKS.values()),
        machine=machine(),
        rounds=pace.rounds,
        seconds=pace.seconds,
    )
    return introduction + "".join(parts)


def run(arguments: Sequence[str], *, shared: bool) -> str:
    """How it was run."""
    told = f"These figures come from `{shlex.join(['python', '-m', 'benchmarks', *arguments])}`."
    if shared:
        told += (
            "\nOther programs used the machine at the same time. So requests a second are lower, latencies"
            "\nhigher and spreads wider than without them: compare the figures only with each other."
        )
    return told


def machine() -> str:
    """What it was measured on."""
    packages = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {_processor()}, {os.cpu_count()} cores, {_memory_gib():.0f} GiB of\n"
        f"memory, {platform.system()}; the load, the servers and the database share them.\n"
        f"{platform.python_implementation()} {platform.python_version()}, {packages}{_node()}."
    )


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.machine()


def _memory_gib() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30


def _node() -> str:
    """Node's version and those of its packages, where they are installed."""
    if not (NODE / "node_modules").exists():
        return ""
    node = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout.strip()
    packages = [
        f"{name} {orjson.loads((NODE / 'node_modules' / name / 'package.json').read_bytes())['version']}"
        for name in _NODE_PACKAGES
    ]
    return f".\nNode.js {node}, {', '.join(packages)}"


def load_ceiling(sample: Sample) -> str:
    """What the load could ask for."""
    return (
        f"\nThe load itself reaches {sample.rate:,.0f} requests a second against a server that does nothing "
        "(W3, 16 connections).\n"
    )


def comparison(
    database: str,
    contestants: Sequence[Contestant],
    cells: Sequence[Cell],
    measured: Measured,
) -> str:
    """All figures on one database: the ratios first."""
    results = measured.results
    others = [contestant for contestant in contestants if contestant.name != "ours"]
    costs = _costs(cells, results)
    heads = [*(f"against {contestant.title}" for contestant in others), "p99 by the floor's"]
    lines = [
        _line(_title(cell), *(_ratio(results, at, other) for other in others), _tail(results, at))
        for at, cell in enumerate(cells)
    ]
    starts = ", ".join(f"{s.contestant.title} {s.started_in:.2f} s" for s in measured.servers.values())
    ratios = f"\n{_table('work', heads, lines)}\n" if others else ""
    return f"""
## {database}

From start to the first answer: {starts}.{_repeated(measured)}
{ratios}{costs}{"".join(_figures(cell, at, contestants, results) for at, cell in enumerate(cells))}"""


COSTS = (
    ("a key", "W1", "W1u", 3, 1.3),
    ("a refusal", "W1r", "W1u", 3, 1.5),
    ("a conflict that is left out", "W1c", "W1", 100, 2.0),
)
"""What costs more: the work, the one it is compared with, the accounts of both, and the ratio at most."""


def _costs(cells: Sequence[Cell], results: Results) -> str:
    """Compare the calls of this server in pairs, where both works of a pair were measured."""
    rows = []
    for what, dear, cheap, size, target in COSTS:
        found = [_find(cells, work, size) for work in (dear, cheap)]
        if None in found:
            continue
        of_dear, of_cheap = (results[at, "ours"].samples for at in found if at is not None)
        ratios = [
            [of(one) / of(other) for one, other in zip(of_dear, of_cheap, strict=True)]
            for of in (_server_cpu, _both_cpu)
        ]
        rows.append(
            _line(
                f"{what}: {dear} by {cheap}, {_counted(size, 'account')}",
                *(f"{statistics.median(each):.2f} ({min(each):.2f}-{max(each):.2f})" for each in ratios),
                f"{target:g}",
            )
        )
    if not rows:
        return ""
    return f"""
The CPU time of one call of this server, divided by that of another in the same round:

{_table("cost of", ("the server", "with the database", "to be at most"), rows)}
"""


def _find(cells: Sequence[Cell], work: str, size: int) -> int | None:
    """Return the position of a work's first cell of a size: the one over the main number of connections."""
    fitting = (at for at, cell in enumerate(cells) if (cell.work, cell.size) == (work, size))
    return next(fitting, None)


def _repeated(measured: Measured) -> str:
    if not measured.repeated:
        return ""
    told = "\n".join(f"- {text[:200]}" for text in measured.repeated)
    return (
        f"\n\n{_counted(len(measured.repeated), 'turn')} had a wrong answer and were taken again:\n\n{told}"
    )


def _figures(cell: Cell, at: int, contestants: Sequence[Contestant], results: Results) -> str:
    heads = ("requests/s", "p50 ms", "p99 ms", "CPU ms", "database CPU ms")
    rows = [
        _line(
            contestant.title,
            spread(series, _rate, "{:,.0f}"),
            spread(series, _p50, "{:.1f}"),
            spread(series, _p99, "{:.1f}"),
            spread(series, _server_cpu, "{:.3f}"),
            spread(series, _database_cpu, "{:.3f}"),
        )
        for contestant in contestants
        if (at, contestant.name) in results
        for series in [results[at, contestant.name]]
    ]
    return f"""
### {_title(cell)}

{_table("", heads, rows)}
"""


def growth(title: str, contestants: Sequence[Contestant], cells: Sequence[Cell], results: Results) -> str:
    """How the figures move with the data."""
    kinds = ("requests/s", "p50 ms", "p99 ms", "database CPU ms")
    heads = ["accounts", *(f"{contestant.title}: {kind}" for contestant in contestants for kind in kinds)]
    rows = [
        _line(
            f"{cell.work}, {cell.size} accounts" if cell.size else cell.work,
            f"{cell.scale:,}",
            *(text for contestant in contestants for text in _short(results[at, contestant.name])),
        )
        for at, cell in enumerate(cells)
    ]
    return f"""
### {title}

{_table("work", heads, rows)}
"""


def growth_section(parts: Sequence[str], database: str, pace: Pace, run: str, *, connections: int) -> str:
    """The last section of the page."""
    return f"""{_GROWTH}
`make growth`: {connections} connections on {database},
{pace.rounds} rounds of {pace.seconds:g} seconds. `MAX_ACCOUNTS_PER_HOLDER` is raised for it. {run}

{machine()}
{"".join(parts)}"""


def _table(first: str, heads: Sequence[str], rows: Sequence[str]) -> str:
    return "\n".join([_line(first, *heads), f"|---|{'--:|' * len(heads)}", *rows])


def _line(*texts: str) -> str:
    return f"| {' | '.join(texts)} |"


def _title(cell: Cell) -> str:
    size = f", {_counted(cell.size, 'account')}" if cell.size else ""
    return f"{cell.work}{size}, {_counted(cell.connections, 'connection')}"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def spread(series: Series, of: Callable[[Sample], float], form: str) -> str:
    """The median of the rounds, and the lowest and the highest."""
    values = series.values(of)
    return f"{form.format(series.median(of))} ({form.format(min(values))}-{form.format(max(values))})"


def _short(series: Series) -> tuple[str, ...]:
    return (
        spread(series, _rate, "{:,.0f}"),
        f"{series.median(_p50):.2f}",
        f"{series.median(_p99):.2f}",
        f"{series.median(_database_cpu):.3f}",
    )


def _ratio(results: Results, at: int, other: Contestant) -> str:
    if (at, other.name) not in results:
        return ""
    ratios = [
        ours.rate / others.rate
        for ours, others in zip(results[at, "ours"].samples, results[at, other.name].samples, strict=True)
    ]
    return f"{statistics.median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f})"


def _tail(results: Results, at: int) -> str:
    if (at, "floor") not in results:
        return ""
    return f"{results[at, 'ours'].median(_p99) / results[at, 'floor'].median(_p99):.2f}"


def _rate(sample: Sample) -> float:
    return sample.rate


def _p50(sample: Sample) -> float:
    return sample.p50 * 1000


def _p99(sample: Sample) -> float:
    return sample.p99 * 1000


def _server_cpu(sample: Sample) -> float:
    return sample.server_cpu * 1000


def _database_cpu(sample: Sample) -> float:
    return sample.database_cpu * 1000


def _both_cpu(sample: Sample) -> float:
    return _server_cpu(sample) + _database_cpu(sample)
