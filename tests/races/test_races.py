"""The short form of the races, on two server processes (PostgreSQL) and on one (SQLite)."""

import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from graphql_api.adapters.sealing import new_key
from tests.api import Person
from tests.canaries import Canaries
from tests.conftest import DATABASES
from tests.races.races import LIMIT, RACES, Figures, field_of, kills
from tests.serving import running

CLIENTS = 5


@pytest.fixture(scope="module", params=DATABASES)
def environment(request: pytest.FixtureRequest, canaries: Canaries) -> dict[str, str]:
    """What the raced servers are told."""
    if request.param == "sqlite":
        path = canaries.directory / "races.sqlite3"
        shutil.copyfile(request.getfixturevalue("sqlite_template"), path)
        url = f"sqlite:///{path}"
    else:
        postgresql = request.getfixturevalue("postgresql")
        postgresql.psql("CREATE DATABASE races TEMPLATE template_migrated STRATEGY file_copy")
        url = postgresql.get_uri("races")
    return {"DATABASE_URL": url, "SEALING_KEYS": new_key("k1"), "MAX_ACCOUNTS_PER_HOLDER": str(LIMIT)}


@pytest.fixture(scope="module")
async def people(environment: dict[str, str], canaries: Canaries) -> AsyncIterator[Sequence[Person]]:
    """Registered people, who speak to the servers in turn."""
    processes = 1 if environment["DATABASE_URL"].startswith("sqlite") else 2
    async with AsyncExitStack() as stack:
        servers = [
            await stack.enter_async_context(running(_directory(canaries), environment))
            for _ in range(processes)
        ]
        urls = [server.base_url for server in servers]
        yield await stack.enter_async_context(field_of(urls, CLIENTS, canaries))


def _directory(canaries: Canaries) -> Path:
    return canaries.directory / "races"


@pytest.mark.parametrize("race", RACES, ids=lambda race: race.__name__)
async def test_every_promise_holds_while_everybody_hurries(
    people: Sequence[Person], race: Callable[[Sequence[Person], int, Figures], Awaitable[None]]
) -> None:
    await race(people, 2, Figures(race.__name__))


async def test_a_killed_server_has_lost_nothing_that_it_acknowledged(
    environment: dict[str, str], canaries: Canaries
) -> None:
    figures = Figures("kills")
    await kills(_directory(canaries), environment, canaries, times=2, clients=4, figures=figures)
    assert figures.answers["acknowledged"] > 0
