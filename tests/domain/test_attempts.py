"""How long the next attempt waits, as a table."""

from datetime import timedelta

import pytest

from graphql_api.domain.attempts import Allowance, wait_after

FIVE = Allowance(free=5, window=timedelta(minutes=15))


@pytest.mark.parametrize(
    ("attempts", "seconds"),
    [(0, 0), (4, 0), (5, 1), (6, 2), (7, 4), (14, 512), (15, 900), (16, 900), (1_000_000, 900)],
)
def test_the_wait_grows_and_ends_growing(attempts: int, seconds: int) -> None:
    assert wait_after(attempts, FIVE) == timedelta(seconds=seconds)
