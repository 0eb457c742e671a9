"""How the sandbox is doing as a whole: slowness and faults for every caller, for tests and load."""

import random
from dataclasses import dataclass, field
from enum import Enum


class Fault(Enum):
    """How a call goes wrong."""

    FAIL = "HTTP 500 with an error of the Graph API"
    HANG = "no answer"
    GARBLE = "HTTP 200 with a page of HTML"


@dataclass(slots=True)
class Weather:
    """What happens to every call. A test may change it while the sandbox runs.

    `delay` and `silence` are seconds: how long each call takes, and how long a call without an answer hangs.
    `fail`, `hang` and `garble` are the shares of calls with each fault, from 0 to 1. While `down`, every call
    fails.
    """

    delay: float = 0
    fail: float = 0
    hang: float = 0
    garble: float = 0
    down: bool = False
    silence: float = 30
    dice: random.Random = field(default_factory=random.Random)

    def fault(self) -> Fault | None:
        """Return what goes wrong with the next call; None if nothing does."""
        if self.down:
            return Fault.FAIL
        if not (self.fail or self.hang or self.garble):
            return None
        thrown = self.dice.random()
        for fault, share in ((Fault.FAIL, self.fail), (Fault.HANG, self.hang), (Fault.GARBLE, self.garble)):
            if thrown < share:
                return fault
            thrown -= share
        return None

    def any_fault(self) -> Fault:
        """Return a fault at random: a token with the condition `down` always has one."""
        return self.dice.choice(list(Fault))
