"""The short form of the campaign, on a PostgreSQL of its own, and on SQLite."""

from pathlib import Path

import pytest

from tests.canaries import Canaries
from tests.siege.faults import UNAVAILABLE, Size, besiege_postgresql, besiege_sqlite, problems

SHORT = Size(backends=5, kills=1, lasting=0.7, away=0.5, calm=0.7)


@pytest.fixture
def directory(canaries: Canaries) -> Path:
    """Where the servers and the databases are, and secrets are searched."""
    directory = canaries.directory / "siege"
    directory.mkdir(exist_ok=True)
    return directory


async def test_postgresql_may_fail_in_every_way_that_we_know(directory: Path, canaries: Canaries) -> None:
    siege = await besiege_postgresql(directory, canaries, SHORT, lambda _: None)
    assert problems(siege) == []
    read_only = next(row for row in siege.rows if "failover" in row.name)
    assert read_only.codes[UNAVAILABLE], "the fault did nothing"


async def test_sqlite_may_fail_in_every_way_that_we_know(directory: Path, canaries: Canaries) -> None:
    siege = await besiege_sqlite(directory, canaries, SHORT, lambda _: None)
    assert problems(siege) == []
    assert all(row.codes[UNAVAILABLE] for row in siege.rows if row.name == "disk full"), (
        "the fault did nothing"
    )
