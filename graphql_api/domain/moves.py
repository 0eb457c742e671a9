"""Moving social accounts: which of them the place has no room for."""

from collections.abc import Sequence
from dataclasses import dataclass

from graphql_api.domain.platforms import PLATFORMS, Platform


@dataclass(frozen=True, slots=True)
class Move:
    """A social account that is to be moved; `path` is where it was asked for."""

    path: tuple[str, ...]
    platform: Platform
    display_name: str


@dataclass(frozen=True, slots=True)
class NoRoom:
    """The place would hold more than it may; `used` is how many social accounts it holds as this is said."""

    move: Move
    limit: int
    used: int

    @property
    def path(self) -> tuple[str, ...]:
        """Where the account was asked for."""
        return self.move.path

    @property
    def message(self) -> str:
        """The sentence for people."""
        noun = PLATFORMS[self.move.platform].noun
        return (
            f"{noun} {self.move.display_name} not moved. "
            f"This place holds {self.used} of at most {self.limit} social accounts"
        )


def without_room(moves: Sequence[Move], *, limit: int, used: int) -> list[NoRoom]:
    """Which of these does the place not have room for, when the others fill it up in their order?"""
    room = max(limit - used, 0)
    return [NoRoom(move, limit=limit, used=used) for move in moves[room:]]
