"""How a service says no: a refusal is data, and it means that nothing was written."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

ProblemT_co = TypeVar("ProblemT_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Refused(Generic[ProblemT_co]):
    """What stood in the way, in the order in which it is told. `storage.transact` rolls back."""

    problems: Sequence[ProblemT_co]
