"""What blocks a move, over plain values."""

import pytest

from graphql_api.domain.moves import Move, without_room
from graphql_api.domain.platforms import Platform


@pytest.mark.parametrize(
    ("limit", "used", "told"), [(3, 0, []), (3, 1, ["2"]), (3, 3, ["0", "1", "2"]), (3, 5, ["0", "1", "2"])]
)
def test_those_that_come_last_find_no_room(limit: int, used: int, told: list[str]) -> None:
    moves = [Move((str(index),), Platform.INSTAGRAM, f"user_{index}") for index in range(3)]
    found = without_room(moves, limit=limit, used=used)
    assert [one.path for one in found] == [(index,) for index in told]
    assert {(one.limit, one.used) for one in found} <= {(limit, used)}


def test_the_message_calls_an_account_what_its_platform_calls_it() -> None:
    moves = [Move((), Platform.INSTAGRAM, "ada"), Move((), Platform.FACEBOOK_PAGE, "Ada's Bakery")]
    assert [one.message for one in without_room(moves, limit=5, used=5)] == [
        "Instagram account ada not moved. This place holds 5 of at most 5 social accounts",
        "Facebook Page Ada's Bakery not moved. This place holds 5 of at most 5 social accounts",
    ]
