"""A short run of `python -m tests.fuzz`, which see."""

from tests.fuzz import run_against_sample


def test_nothing_made_up_makes_the_server_fail() -> None:
    figures = run_against_sample(documents=40, bodies=300, frames=100, number=1)
    assert figures["documents"]["executed"] > 0
    assert figures["bodies"]["200"] > 0
