"""What asking Meta costs a connect: W6 with the sandbox on a port of its own, beside one that asks nobody.

    python -m benchmarks.meta

It stops by itself and prints a table; docs/meta-faults.md holds the figures. A connect is three accounts with
one login, so it takes two round trips to the sandbox.
"""

import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import click

from benchmarks import report
from benchmarks.contestants import CONTESTANTS, Contestant, DidNotStart, running
from benchmarks.databases import PostgreSQL
from benchmarks.measuring import Cell, Measured, Pace, Progress, Sample, WrongAnswer, keyring, measure
from benchmarks.population import Population

CONNECTIONS = (8, 64)
SIZE = 3
ROUND_TRIPS, ALLOWED = 3, 0.020  # a connect may take three round trips and 20 ms
FIGURES: Sequence[tuple[Callable[[Sample], float], str]] = (
    (lambda sample: sample.rate, "{:,.0f}"),
    (lambda sample: sample.p50 * 1000, "{:.1f}"),
    (lambda sample: sample.p99 * 1000, "{:.1f}"),
    (lambda sample: sample.server_cpu * 1000, "{:.2f}"),
    (lambda sample: sample.database_cpu * 1000, "{:.2f}"),
)
APP = {"META_APP_ID": "1000000000000001", "META_APP_SECRET": "sandbox"}


@click.command()
@click.option("--delay", default=0.15, help="Seconds that each call to the sandbox takes.")
@click.option("--rounds", default=5, help="How often each server has its turn.")
@click.option("--seconds", default=5.0, help="How long a turn is measured.")
def main(*, delay: float, rounds: int, seconds: float) -> None:
    """Measure connects that are proven; exit code 1 if they take longer than they may."""
    population = Population([20] * max(CONNECTIONS), accounts=10_000, workspaces=0)
    cells = [Cell("W6", SIZE, number, population.people) for number in CONNECTIONS]
    sandbox = Contestant(
        "sandbox",
        "the sandbox",
        (sys.executable, "-m", "graphql_api", "meta-sandbox", "--delay", str(delay), "--port"),
    )
    pace = Pace(rounds, seconds, warm_up=1.0, first_round=seconds)
    progress = Progress(2 * len(cells) * (pace.rounds + 1), lambda text: click.echo(text, err=True))
    try:
        with tempfile.TemporaryDirectory() as name:
            directory = Path(name)
            directory.chmod(0o755)  # PostgreSQL's own user, where root runs this, goes through it
            with (
                PostgreSQL.started(directory / "postgresql") as database,
                running(sandbox, directory, {}) as meta,
            ):
                database.fill(population, keyring())
                asked = {"META_MODE": "live", "META_GRAPH_URL": f"http://127.0.0.1:{meta.port}", **APP}
                ours = CONTESTANTS["ours"]
                asks = replace(ours, name="asks", title="asks the sandbox", settings=asked)
                servers = [asks, replace(ours, name="off", title="asks nobody")]
                measured = measure(
                    database, servers, cells, pace, directory=directory, pool=10, limit=500, progress=progress
                )
    except (WrongAnswer, DidNotStart) as error:
        click.echo(str(error), err=True)
        sys.exit(1)
    click.echo(_page(cells, servers, measured))
    if measured.results[0, "asks"].median(lambda sample: sample.p50) > ROUND_TRIPS * delay + ALLOWED:
        click.echo("a connect takes longer than it may", err=True)
        sys.exit(1)


def _page(cells: Sequence[Cell], servers: Sequence[Contestant], measured: Measured) -> str:
    """A Markdown table, with the machine and the versions."""
    lines = [
        report.machine(),
        "",
        "| connections | server | connects a second | p50, ms | p99, ms | CPU, ms | database CPU, ms |",
        "|--:|---|--:|--:|--:|--:|--:|",
    ]
    for at, cell in enumerate(cells):
        for server in servers:
            series = measured.results[at, server.name]
            figures = " | ".join(report.spread(series, of, form) for of, form in FIGURES)
            lines.append(f"| {cell.connections} | {server.title} | {figures} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
