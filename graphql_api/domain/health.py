"""Whether our access to an account still works: the state as it is read, at a time.

What is stored is what Meta said last. Time alone changes the state: access that ends in less than two weeks
is breaking soon, and once it has ended it is broken.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from graphql_api.domain.proofs import AccessTokenProblem, Trouble

SOON = timedelta(days=14)
DOUBT = timedelta(hours=1)
FIRST_CHECK_AFTER = timedelta(hours=1)
WARNED_BEFORE = (14, 7, 1)  # days
BROKE = 0  # what stands in the place of days once it broke
BETWEEN_MAILS = timedelta(days=1)


class AccessHealthState(StrEnum):
    """Whether our access works."""

    WORKING = "WORKING"
    BREAKING_SOON = "BREAKING_SOON"
    BROKEN = "BROKEN"
    UNVERIFIED = "UNVERIFIED"
    OTHER = "OTHER"


class Watched(Protocol):
    """What is kept of an account's health.

    `proof_source` is whom we asked: a proof of another source is none. `health_details` are the missing
    permissions, or Meta's own words. `checked_at` is empty while nobody was asked about the access token.
    """

    @property
    def proof_source(self) -> str | None: ...  # noqa: D102 - said above
    @property
    def checked_at(self) -> datetime | None: ...  # noqa: D102 - said above
    @property
    def health_since(self) -> datetime | None: ...  # noqa: D102 - said above
    @property
    def health_problem(self) -> AccessTokenProblem | None: ...  # noqa: D102 - said above
    @property
    def health_details(self) -> str | None: ...  # noqa: D102 - said above
    @property
    def breaks_at(self) -> datetime | None: ...  # noqa: D102 - said above


@dataclass(frozen=True, slots=True)
class Health:
    """Whether our access to an account works, as it is now.

    `breaks_at` is when it ends if nobody logs in again; None where that is not known.
    """

    state: AccessHealthState
    since: datetime | None
    checked_at: datetime | None
    breaks_at: datetime | None
    trouble: Trouble | None = None

    @property
    def message(self) -> str:
        """The sentence for people."""
        if self.trouble is not None:
            return self.trouble.sentence
        return _SENTENCES[self.state]


_SENTENCES = {
    AccessHealthState.WORKING: "Access works",
    AccessHealthState.BREAKING_SOON: "Access ends soon. Log in to Facebook again to renew it",
    AccessHealthState.UNVERIFIED: "Nobody has asked Facebook about this access token yet",
}


def health_of(kept: Watched, *, source: str | None, now: datetime) -> Health:
    """The health of an account that somebody has; `source` is whom we ask today, None if nobody."""
    since, checked_at, breaks_at = kept.health_since, kept.checked_at, kept.breaks_at
    if checked_at is None or source is None or kept.proof_source != source:
        return Health(AccessHealthState.UNVERIFIED, since, None, None)
    if kept.health_problem is not None:
        trouble = read_trouble(kept.health_problem, kept.health_details)
        return Health(AccessHealthState.BROKEN, since, checked_at, None, trouble)
    if breaks_at is not None and breaks_at <= now:
        trouble = Trouble(AccessTokenProblem.EXPIRED, final=True)
        return Health(AccessHealthState.BROKEN, breaks_at, checked_at, None, trouble)
    if breaks_at is not None and breaks_at < now + SOON:
        began = breaks_at - SOON if since is None else max(since, breaks_at - SOON)
        return Health(AccessHealthState.BREAKING_SOON, began, checked_at, breaks_at)
    return Health(AccessHealthState.WORKING, since, checked_at, breaks_at)


@dataclass(frozen=True, slots=True)
class Change:
    """What a check does to an account: the problem and the doubt that are kept from now on.

    `broke` and `recovered` are what people are told; both are False where the state stays.
    """

    trouble: Trouble | None = None
    doubted_at: datetime | None = None
    broke: bool = False
    recovered: bool = False


def after_check(
    was_broken: bool, doubted_at: datetime | None, trouble: Trouble | None, *, now: datetime
) -> Change | None:
    """What does Meta's answer do to an account? None if it says nothing.

    An account breaks after one final refusal, or after two others at least an hour apart. A good answer to
    the same access token heals it.
    """
    if trouble is None:
        return Change(recovered=was_broken)
    if trouble.problem is AccessTokenProblem.UNVERIFIABLE:
        return None
    if was_broken or trouble.final:
        return Change(trouble, broke=not was_broken)
    if doubted_at is None or now - doubted_at < DOUBT:
        return Change(doubted_at=doubted_at or now)
    return Change(trouble, broke=True)


def warning_due(kept: Watched, warned: int | None, *, source: str, now: datetime) -> int | None:
    """Which warning is an account's place due: 14, 7 or 1 day before the end, 0 once it broke, or none?

    `warned` is the last one that was mailed.
    """
    health = health_of(kept, source=source, now=now)
    if health.state is AccessHealthState.BROKEN:
        stage = BROKE
    elif health.state is AccessHealthState.BREAKING_SOON and health.breaks_at is not None:
        stage = min(days for days in WARNED_BEFORE if health.breaks_at <= now + timedelta(days=days))
    else:
        return None
    return stage if warned is None or stage < warned else None


def earliest(*ends: datetime | None) -> datetime | None:
    """The earliest of these ends; None if none of them is known."""
    known: Sequence[datetime] = [end for end in ends if end is not None]
    return min(known, default=None)


def details_of(trouble: Trouble) -> str | None:
    """What is kept of a trouble beside its problem, as a text."""
    if trouble.problem is AccessTokenProblem.MISSING_PERMISSION:
        return " ".join(trouble.missing) or None
    return trouble.words


def read_trouble(problem: AccessTokenProblem, details: str | None) -> Trouble:
    """The trouble that was kept."""
    if problem is AccessTokenProblem.MISSING_PERMISSION:
        return Trouble(problem, final=True, missing=tuple((details or "").split()))
    return Trouble(problem, final=True, words=details)
