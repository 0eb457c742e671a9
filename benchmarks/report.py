"""The figures as a page of the documentation: no path and no host name, but the machine and all versions."""

import os
import platform
import statistics
import subprocess
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import orjson

from benchmarks.contestants import NODE, Contestant, Server
from benchmarks.measuring import Cell, Pace, Results, Sample, Series
from benchmarks.work import WORKS

__all__ = ["Series"]

_GROWTH = "\n## Growth\n"
_PACKAGES = (
    *("strawberry-graphql", "graphql-core", "starlette", "uvicorn", "uvloop", "httptools"),
    *("sqlalchemy", "asyncpg", "aiosqlite", "orjson", "cryptography"),
)
_NODE_PACKAGES = ("@apollo/server", "mercurius", "graphql-jit", "fastify", "graphql", "pg")


def write(path: Path, section: str, *, is_growth: bool) -> None:
    """Put a section into the page, and leave what the other kind of run wrote."""
    old = path.read_text(encoding="utf-8") if path.exists() else ""
    comparison, mark, growth_text = old.partition(_GROWTH)
    page = comparison + section if is_growth else section + mark + growth_text
    path.write_text(page, encoding="utf-8")


def comparison_page(
    parts: Sequence[str], contestants: Sequence[Contestant], pace: Pace, *, pool: int, accounts: int
) -> str:
    """The page without its growth."""
    works = "\n".join(f"- **{work.name}**: {work.title}" for work in WORKS.values())
    return f"""# Performance

`make bench` measures this server against others that do the same work on the same rows, and writes this page. Every
body is compared with what it should be, and after each run the events in the database are counted. Each
contestant is one process with {pool} connections to a database of its own, a copy of the same
{accounts:,} social accounts; none writes an access log.

- **this server**: `python -m graphql_api serve` with `ENVIRONMENT=production`.
- **floor**: what one would write by hand for just these requests: an endpoint for each, Starlette and orjson, on
  PostgreSQL asyncpg. The same checks, locks, events and sealing, in as few statements as the checks between
  them allow ({_linked("statements")}). Reads: who calls, then the page. W1: one transaction of two statements.
- **Apollo Server** and **mercurius-JIT**: the same schema, the same statements, `pg` with prepared statements.
- **stock Strawberry**: `strawberry.asgi.GraphQL` over this server's schema and services, with the parser and
  validation caches on.

The work:

{works}

{_machine(pace)}

Every figure is the median of {pace.rounds} rounds, in which the contestants take turns of {pace.seconds:g} seconds; what stands in
brackets is the lowest and the highest round. CPU is that of the server's process for each request; that of
the database's processes stands beside it. Ratios are of requests a second, this server's by the other's, within
the same round: above 1, this server is faster.
{"".join(parts)}"""


def _linked(folder: str) -> str:
    return f"`benchmarks/{folder}`"


def _machine(pace: Pace) -> str:
    del pace
    packages = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {_processor()}, {os.cpu_count()} cores, {_memory_gib():.0f} GiB of memory, "
        f"{platform.system()}; the load, the servers and the database share them. "
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
    if not (NODE / "node_modules").exists():
        return ""
    node = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout.strip()
    packages = ", ".join(
        f"{name} {orjson.loads((NODE / 'node_modules' / name / 'package.json').read_bytes())['version']}"
        for name in _NODE_PACKAGES
    )
    return f"; Node.js {node}, {packages}"


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
    results: Results,
    servers: Mapping[str, Server],
) -> str:
    """All figures on one database: the ratios first."""
    others = [contestant for contestant in contestants if contestant.name != "ours"]
    head = " | ".join(f"against {contestant.title}" for contestant in others)
    ratios = [
        f"| {_title(cell)} | " + " | ".join(_ratio(results, at, other) for other in others) + f" | {_tail(results, at)} |"
        for at, cell in enumerate(cells)
    ]
    starts = ", ".join(f"{s.contestant.title} {s.started_in:.2f} s" for s in servers.values())
    tables = "".join(_table(cell, at, contestants, results) for at, cell in enumerate(cells))
    return f"""
## {database}

From start to the first answer: {starts}.

| work | {head} | p99 by the floor's |
|---|{"--:|" * (len(others) + 1)}
{chr(10).join(ratios)}
{tables}"""


def _table(cell: Cell, at: int, contestants: Sequence[Contestant], results: Results) -> str:
    rows = [_row(contestant, results[at, contestant.name]) for contestant in contestants]
    return f"""
### {_title(cell)}

| | requests/s | p50 ms | p99 ms | CPU ms | database CPU ms |
|---|--:|--:|--:|--:|--:|
{chr(10).join(rows)}
"""


def _row(contestant: Contestant, series: Series) -> str:
    figures = (
        _spread(series, lambda s: s.rate, "{:,.0f}"),
        _spread(series, lambda s: s.p50 * 1000, "{:.1f}"),
        _spread(series, lambda s: s.p99 * 1000, "{:.1f}"),
        _spread(series, lambda s: s.server_cpu * 1000, "{:.3f}"),
        _spread(series, lambda s: s.database_cpu * 1000, "{:.3f}"),
    )
    return f"| {contestant.title} | " + " | ".join(figures) + " |"


def _spread(series: Series, of: Callable[[Sample], float], form: str) -> str:
    values = series.values(of)
    return f"{form.format(series.median(of))} ({form.format(min(values))}-{form.format(max(values))})"


def _title(cell: Cell) -> str:
    size = f", {cell.size} account{'s' if cell.size > 1 else ''}" if cell.size else ""
    return f"{cell.work}{size}, {cell.connections} connection{'s' if cell.connections > 1 else ''}"


def _ratio(results: Results, at: int, other: Contestant) -> str:
    ratios = [
        ours.rate / others.rate
        for ours, others in zip(results[at, "ours"].samples, results[at, other.name].samples, strict=True)
    ]
    return f"{statistics.median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f})"


def _tail(results: Results, at: int) -> str:
    if (at, "floor") not in results:
        return ""
    ours, floor = results[at, "ours"], results[at, "floor"]
    return f"{ours.median(lambda s: s.p99) / floor.median(lambda s: s.p99):.2f}"


def growth(title: str, contestants: Sequence[Contestant], cells: Sequence[Cell], results: Results) -> str:
    """How the figures move with the data."""
    head = " | ".join(
        f"{c.title} requests/s | p50 ms | p99 ms | database CPU ms" for c in contestants
    )
    rows = [
        f"| {_work(cell)} | {cell.label} | " + " | ".join(_short(results[at, c.name]) for c in contestants) + " |"
        for at, cell in enumerate(cells)
    ]
    return f"""
### {title}

| work | | {head} |
|---|--:|{"--:|" * 4 * len(contestants)}
{chr(10).join(rows)}
"""


def _work(cell: Cell) -> str:
    return f"{cell.work}, {cell.size} accounts" if cell.size else cell.work


def _short(series: Series) -> str:
    return (
        f"{_spread(series, lambda s: s.rate, '{:,.0f}')} | {series.median(lambda s: s.p50) * 1000:.2f} "
        f"| {series.median(lambda s: s.p99) * 1000:.2f} | {series.median(lambda s: s.database_cpu) * 1000:.3f}"
    )


def growth_section(parts: Sequence[str], database: str, pace: Pace, connections: int) -> str:
    """The last section of the page."""
    return f"""{_GROWTH}
`python -m benchmarks --growth`: {connections} connections on {database}, {pace.rounds} rounds of {pace.seconds:g} seconds; `MAX_ACCOUNTS_PER_HOLDER`
is raised for it. {_machine(pace)}
{"".join(parts)}"""
