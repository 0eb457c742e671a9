"""What stands in the way of moving, over plain values."""

from uuid import UUID

import pytest

from graphql_api.domain.holders import Personal, Workspace
from graphql_api.domain.inputs import InvalidInputCode
from graphql_api.domain.moves import Move, already_there, without_room

HOME, OFFICE = Personal(UUID(int=1)), Workspace(UUID(int=1))


def moves(*held_by: Personal | Workspace) -> list[Move]:
    return [Move((str(index),), f"user_{index}", place) for index, place in enumerate(held_by)]


def test_what_is_there_already_is_told_at_its_path() -> None:
    found = already_there(moves(HOME, OFFICE, HOME), HOME)
    assert [(problem.path, problem.code) for problem in found] == [
        (("0",), InvalidInputCode.DUPLICATE),
        (("2",), InvalidInputCode.DUPLICATE),
    ]


@pytest.mark.parametrize(
    ("limit", "used", "told"), [(3, 0, []), (3, 1, ["2"]), (3, 3, ["0", "1", "2"]), (3, 5, ["0", "1", "2"])]
)
def test_those_that_come_last_find_no_room(limit: int, used: int, told: list[str]) -> None:
    found = without_room(moves(OFFICE, OFFICE, OFFICE), limit=limit, used=used)
    assert [one.path for one in found] == [(index,) for index in told]
    assert {(one.limit, one.used) for one in found} <= {(limit, used)}
