"""What a Facebook login offers to connect, and what to change where it offers less than a person expects."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum

from graphql_api.domain import proofs
from graphql_api.domain.claims import Candidate
from graphql_api.domain.platforms import PLATFORMS, Platform
from graphql_api.domain.proofs import AccessTokenProblem, Control, PageFacts, TokenFacts, Trouble


class DiscoveryHintCode(StrEnum):
    """Why something that a login has cannot be connected."""

    PAGE_NOT_LINKED = "PAGE_NOT_LINKED"
    OTHER = "OTHER"


@dataclass(frozen=True, slots=True)
class Hint:
    """Something that has no social account to show, with what a person can change."""

    code: DiscoveryHintCode
    message: str
    page_id: str | None
    display_name: str | None


@dataclass(frozen=True, slots=True)
class Offer:
    """A social account that a login shows, and whether it may connect it."""

    candidate: Candidate
    page_id: str
    profile_picture_url: str | None
    answer: Control | Trouble

    @property
    def control(self) -> Control | None:
        """What is proven of it; None if it is not."""
        return self.answer if isinstance(self.answer, Control) else None

    @property
    def trouble(self) -> Trouble | None:
        """Why it may not be connected."""
        return self.answer if isinstance(self.answer, Trouble) else None

    @property
    def message(self) -> str | None:
        """What a person can change; None if nothing has to be changed."""
        if self.trouble is None:
            return None
        noun = PLATFORMS[self.candidate.key.platform].noun
        return f"{noun} {self.candidate.display_name}: {self.trouble.sentence}"


def offers(
    login: TokenFacts, pages: Sequence[PageFacts], platforms: Collection[Platform]
) -> tuple[list[Offer], list[Hint]]:
    """What the login shows of these platforms, Page by Page, and the hints."""
    found: list[Offer] = []
    hints: list[Hint] = []
    for page in pages:
        for key in proofs.keys_of(page):
            if key.platform not in platforms:
                continue
            answer = proofs.control_of(key, login, [page])
            name, picture = page.name, page.profile_picture_url
            if key.platform is Platform.INSTAGRAM and page.instagram is not None:
                name, picture = page.instagram.username, page.instagram.profile_picture_url
            candidate = Candidate(len(found), key, name or key.external_id, ())
            found.append(Offer(candidate, page.page_id, picture, answer))
        if Platform.INSTAGRAM in platforms and page.instagram is None:
            hints.append(_not_linked(page))
    return found, hints


def is_too_weak(trouble: Trouble) -> bool:
    """Would a stronger role on the Page help? Else the login has to grant more."""
    return trouble.problem is AccessTokenProblem.ROLE_TOO_WEAK


def _not_linked(page: PageFacts) -> Hint:
    name = page.name or page.page_id
    return Hint(
        DiscoveryHintCode.PAGE_NOT_LINKED,
        f"The Facebook Page {name} has no Instagram account. "
        "To connect one, make it a professional account and link it to the Page",
        page.page_id,
        page.name,
    )
