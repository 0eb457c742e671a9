"""What a caller asks for when connecting: claims, one for each social account, and the login behind them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from graphql_api.domain import inputs
from graphql_api.domain.inputs import InvalidInputCode, Problems
from graphql_api.domain.secrets import Secret

INSTAGRAM_ACCOUNTS = ("input", "instagramAccounts")


class ConflictPolicy(StrEnum):
    """What happens to the rest of a call when one of its claims conflicts."""

    REJECT_ALL = "REJECT_ALL"
    CONNECT_OTHERS = "CONNECT_OTHERS"


class ConnectOutcome(StrEnum):
    """What connecting did to a social account."""

    CONNECTED = "CONNECTED"
    RECONNECTED = "RECONNECTED"
    OTHER = "OTHER"


@dataclass(frozen=True, slots=True)
class FacebookLogin:
    """The Facebook account that vouches for the social accounts of a call."""

    facebook_user_id: str
    access_token: Secret
    location: str | None


@dataclass(slots=True)  # not frozen, which takes five times as long: a call makes a hundred
class Candidate:
    """An Instagram account that somebody would hold; `index` is its position in the caller's list."""

    index: int
    instagram_user_id: str
    display_name: str

    @property
    def path(self) -> tuple[str, ...]:
        """Where a conflict about this account is told: at its id."""
        return (*INSTAGRAM_ACCOUNTS, str(self.index), "instagramUserId")


@dataclass(slots=True)
class Claim(Candidate):
    """A request to hold one Instagram account."""

    profile_picture_url: str | None
    access_token: Secret


CandidateT = TypeVar("CandidateT", bound=Candidate)


def check_login(problems: Problems, login: FacebookLogin) -> None:
    """Are the values of the Facebook account acceptable?"""
    path = ("input", "facebookAccount")
    inputs.check_meta_id(problems, (*path, "facebookUserId"), login.facebook_user_id)
    inputs.check_access_token(problems, (*path, "accessToken"), login.access_token)
    if login.location is not None:
        inputs.check_text(
            problems, (*path, "location"), login.location, longest=inputs.MAX_LOCATION, required=False
        )


def check_claims(problems: Problems, claims: Sequence[Claim]) -> None:
    """Are the claims acceptable, each by itself and all together?"""
    for claim, path in _check_candidates(problems, claims):
        inputs.check_picture_url(problems, (*path, "profilePictureUrl"), claim.profile_picture_url or "")
        inputs.check_access_token(problems, (*path, "accessToken"), claim.access_token)


def check_candidates(problems: Problems, candidates: Sequence[Candidate]) -> None:
    """Could these be claimed, as far as they are told?"""
    for _ in _check_candidates(problems, candidates):
        pass


def _check_candidates(
    problems: Problems, candidates: Sequence[CandidateT]
) -> Iterator[tuple[CandidateT, tuple[str, ...]]]:
    """Check what every candidate has, and hand each on for the rest, so that problems stay in input order.

    Beside it is where it stands in the arguments.

    A list that is too long is one problem: its items are not looked at.
    """
    before = len(problems.found)
    inputs.check_item_count(problems, INSTAGRAM_ACCOUNTS, candidates)
    if len(problems.found) > before:
        return
    seen: set[str] = set()
    for candidate in candidates:
        path = (*INSTAGRAM_ACCOUNTS, str(candidate.index))
        id_path, external_id = (*path, "instagramUserId"), candidate.instagram_user_id
        inputs.check_meta_id(problems, id_path, external_id)
        if external_id and external_id in seen:
            problems.add(
                id_path, InvalidInputCode.DUPLICATE, "This Instagram account stands in the list already"
            )
        seen.add(external_id)
        inputs.check_username(problems, (*path, "username"), candidate.display_name)
        yield candidate, path
