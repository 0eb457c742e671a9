"""Moving social accounts: what stands in the way of putting them into another place.

Obstacle
├── InvalidInput   it is there already
└── NoRoom         the place is full
"""

from collections.abc import Sequence
from dataclasses import dataclass

from graphql_api.domain.holders import Holder
from graphql_api.domain.inputs import InvalidInput, InvalidInputCode


@dataclass(frozen=True, slots=True)
class Move:
    """A social account that is to leave the place where it is held; `path` is where it was asked for."""

    path: tuple[str, ...]
    display_name: str
    held_by: Holder


@dataclass(frozen=True, slots=True)
class NoRoom:
    """The place would hold more than it may; `used` is how many social accounts it holds as this is said."""

    path: tuple[str, ...]
    display_name: str
    limit: int
    used: int

    @property
    def message(self) -> str:
        """The sentence for people."""
        return (
            f"Instagram account {self.display_name} not moved. "
            f"This place holds {self.used} social accounts, and may hold {self.limit}"
        )


def already_there(moves: Sequence[Move], target: Holder) -> list[InvalidInput]:
    """Which of these are in the place that they are to be moved to?"""
    return [
        InvalidInput(
            move.path, InvalidInputCode.DUPLICATE, "This social account is in the place that you move it to"
        )
        for move in moves
        if move.held_by == target
    ]


def without_room(moves: Sequence[Move], *, limit: int, used: int) -> list[NoRoom]:
    """Which of these does the place not have room for, when the others fill it up in their order?"""
    room = max(limit - used, 0)
    return [NoRoom(move.path, move.display_name, limit=limit, used=used) for move in moves[room:]]
