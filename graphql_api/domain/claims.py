"""What a caller asks for when connecting: claims, one for each social account, and the login behind them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from graphql_api.domain import inputs
from graphql_api.domain.inputs import InvalidInputCode, Problems
from graphql_api.domain.platforms import PLATFORMS, SocialKey
from graphql_api.domain.secrets import Secret


class ConflictPolicy(StrEnum):
    """What happens to the rest of a call when one of its claims conflicts."""

    REJECT_ALL = "REJECT_ALL"
    CONNECT_OTHERS = "CONNECT_OTHERS"


class ConnectOutcome(StrEnum):
    """What connecting did to a social account."""

    CONNECTED = "CONNECTED"
    RECONNECTED = "RECONNECTED"
    MOVED = "MOVED"
    TAKEN_OVER = "TAKEN_OVER"
    OTHER = "OTHER"


@dataclass(frozen=True, slots=True)
class FacebookLogin:
    """The Facebook account that vouches for the social accounts of a call."""

    facebook_user_id: str
    access_token: Secret
    location: str | None


@dataclass(slots=True)  # not frozen, which takes five times as long: a call makes a hundred
class Candidate:
    """A social account that somebody would hold or see; `index` is its position in the whole call.

    `at` is where it stands in the arguments, for example `("input", "instagramAccounts", "0")`, and the two
    fields are what its id and its display name are called there.
    """

    index: int
    key: SocialKey
    display_name: str
    at: tuple[str, ...]
    id_field: str = "externalId"
    name_field: str = "displayName"

    @property
    def path(self) -> tuple[str, ...]:
        """Where a conflict about this account is told: at its id. Empty if it stands in no input."""
        return (*self.at, self.id_field) if self.at else ()


@dataclass(slots=True, kw_only=True)
class Claim(Candidate):
    """A request to hold one social account."""

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


def check_one_claim(problems: Problems, claims: Sequence["Claim"]) -> None:
    """Check a call that is about exactly one account."""
    if not claims:
        message = "Name the social account that you ask for"
        problems.add(("input", "instagramAccounts"), InvalidInputCode.TOO_SHORT, message)
    elif len(claims) > 1:
        message = "Ask for one social account at a time"
        problems.add(claims[1].at[:-1], InvalidInputCode.TOO_LONG, message)
    else:
        check_claims(problems, claims)


def check_claims(problems: Problems, claims: Sequence[Claim]) -> None:
    """Are the claims acceptable, each by itself and all together?"""
    for claim in _check_candidates(problems, claims):
        picture = claim.profile_picture_url or ""
        inputs.check_picture_url(problems, (*claim.at, "profilePictureUrl"), picture)
        inputs.check_access_token(problems, (*claim.at, "accessToken"), claim.access_token)


def check_candidates(problems: Problems, candidates: Sequence[Candidate]) -> None:
    """Could these be accounts, as far as they are told? Their display names take their normal form."""
    for _ in _check_candidates(problems, candidates):
        pass


def _check_candidates(problems: Problems, candidates: Sequence[CandidateT]) -> Iterator[CandidateT]:
    """Check what every candidate has, and hand each on for the rest, so that problems stay in input order.

    Too many are one problem, at the list that holds the first one too many: no items are looked at.
    """
    if len(candidates) > inputs.MAX_ITEMS:
        *path, _ = candidates[inputs.MAX_ITEMS].at
        problems.add(
            tuple(path), InvalidInputCode.TOO_LONG, f"A call has at most {inputs.MAX_ITEMS} social accounts"
        )
        return
    seen: set[SocialKey] = set()
    for candidate in candidates:
        key = candidate.key
        inputs.check_meta_id(problems, candidate.path, key.external_id)
        if key.external_id and key in seen:
            problems.add(
                candidate.path, InvalidInputCode.DUPLICATE, "This social account is in this call already"
            )
        seen.add(key)
        check_name = PLATFORMS[key.platform].check_display_name
        name_path = (*candidate.at, candidate.name_field)
        candidate.display_name = check_name(problems, name_path, candidate.display_name)
        yield candidate
