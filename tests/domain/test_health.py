"""What a check does to an account, and how its health reads: the rules of health."""

from datetime import UTC, datetime, timedelta

import pytest

from graphql_api.domain.health import (
    Change,
    after_check,
    details_of,
    earliest,
    read_trouble,
)
from graphql_api.domain.proofs import AccessTokenProblem, Trouble

NOW = datetime(2030, 1, 1, tzinfo=UTC)
FINAL = Trouble(AccessTokenProblem.REVOKED, final=True)
DOUBT = Trouble(AccessTokenProblem.WRONG_ACCOUNT)
UNCLEAR = Trouble(AccessTokenProblem.UNVERIFIABLE)


def ago(**duration: float) -> datetime:
    return NOW - timedelta(**duration)


@pytest.mark.parametrize(
    ("was_broken", "doubted_at", "trouble", "expected"),
    [
        (False, None, None, Change()),
        (False, ago(hours=5), None, Change()),
        (True, None, None, Change(recovered=True)),
        (False, None, FINAL, Change(FINAL, broke=True)),
        (True, None, FINAL, Change(FINAL)),
        (True, None, DOUBT, Change(DOUBT)),
        (False, None, DOUBT, Change(doubted_at=NOW)),
        (False, ago(minutes=59), DOUBT, Change(doubted_at=ago(minutes=59))),
        (False, ago(hours=1), DOUBT, Change(DOUBT, broke=True)),
        (False, ago(hours=5), UNCLEAR, None),
        (True, None, UNCLEAR, None),
    ],
)
def test_an_account_breaks_after_one_final_refusal_or_two_others_an_hour_apart(
    was_broken: bool, doubted_at: datetime | None, trouble: Trouble | None, expected: Change | None
) -> None:
    assert after_check(was_broken, doubted_at, trouble, now=NOW) == expected


def test_the_earliest_of_the_known_ends_counts() -> None:
    assert earliest(None, None) is None
    assert earliest(NOW, None) == NOW
    assert earliest(NOW, ago(days=1)) == ago(days=1)


@pytest.mark.parametrize(
    "trouble",
    [
        Trouble(AccessTokenProblem.MISSING_PERMISSION, final=True, missing=("a", "b")),
        Trouble(AccessTokenProblem.OTHER, final=True, words="Meta's words"),
        Trouble(AccessTokenProblem.REVOKED, final=True),
    ],
)
def test_what_is_kept_of_a_trouble_is_read_again(trouble: Trouble) -> None:
    again = read_trouble(trouble.problem, details_of(trouble))

    assert (again.problem, again.missing, again.words) == (trouble.problem, trouble.missing, trouble.words)
