"""The siege in full: `make siege`. It takes minutes, prints a table, and fails where a promise breaks."""

import asyncio
import sys
import tempfile
import time
from pathlib import Path

import click

from graphql_api.adapters.sealing import new_key
from graphql_api.storage.migrations import migrate
from tests.serving import running
from tests.siege.attackers import ATTACKS
from tests.siege.transport import Seen, besiege

BROKEN_IN_THE_LOG = ("Traceback", "ERROR", "CRITICAL", "[error", "[critical")


@click.command()
@click.option("--attack", "names", multiple=True, type=click.Choice(list(ATTACKS)), help="Only these.")
@click.option("--connections", default=100)
@click.option("--seconds", default=60.0)
def main(names: tuple[str, ...], connections: int, seconds: float) -> None:
    """Attack one server by anonymous clients, one attack after the other."""
    with tempfile.TemporaryDirectory(prefix="onehold-siege-") as name:
        sys.exit(asyncio.run(_siege(Path(name), names or tuple(ATTACKS), connections, seconds)))


async def _siege(directory: Path, names: tuple[str, ...], connections: int, seconds: float) -> int:
    settings = {"DATABASE_URL": f"sqlite:///{directory}/siege.sqlite3", "SEALING_KEYS": new_key("k1")}
    await migrate(settings["DATABASE_URL"])
    problems: list[str] = []
    click.echo(HEAD)
    async with running(directory, settings) as server:
        for number, name in enumerate(names, 1):
            _tell(f"{number} of {len(names)}: {name}")
            seen = await besiege(server, name, connections, seconds)
            click.echo(_row(seen))
            problems += seen.problems(timed=True)
        log = server.log.read_text(encoding="utf-8")
    problems += [f"the log holds {word}" for word in BROKEN_IN_THE_LOG if word in log]
    click.echo("\n".join(problems), err=True)
    return 1 if problems else 0


HEAD = (
    "| attack | connections | others wait, p50 | p99, ms | memory before | at most | after, MiB | processor, s"
    " | attackers gone after, s |\n|---|---|---|---|---|---|---|---|---|"
)


def _row(seen: Seen) -> str:
    gone = "never" if seen.gone_after is None else f"{seen.gone_after:.0f}"
    return (
        f"| {seen.attack.replace('_', ' ')} | {seen.connections} | {seen.p50 * 1000:.0f} | {seen.p99 * 1000:.0f}"
        f" | {seen.before:.0f} | {seen.most:.0f} | {seen.after:.0f} | {seen.processor:.1f} | {gone} |"
    )


_started = time.monotonic()


def _tell(text: str) -> None:
    click.echo(f"{time.monotonic() - _started:6.0f} s  {text}", err=True)


if __name__ == "__main__":
    main()
