"""Who may hold what: the conflict rules, and the words in which a refusal is told.

A claim is "viewer V wants Instagram account X in place P". What stands in its way is a conflict:

    Conflict
    ├── HeldByWorkspace       a Workspace that V belongs to holds X
    ├── HeldByPersonal        V's own Personal holds X
    ├── HeldElsewhere         somebody else holds X: nothing is said of whom
    └── AccountLimitReached   P is full

`docs/conflict-rules.md` shows the same rows to users; `tests/domain/test_conflicts.py` goes through them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from graphql_api.domain.claims import Candidate
from graphql_api.domain.holders import Holder, Personal, Role, Workspace


class Resolution(StrEnum):
    """What the viewer can do about a conflict."""

    MOVE = "MOVE"
    DISCONNECT = "DISCONNECT"
    REQUEST_ACCESS = "REQUEST_ACCESS"
    OTHER = "OTHER"


class CheckStatus(StrEnum):
    """What connecting a social account would come to."""

    AVAILABLE = "AVAILABLE"
    RECONNECT = "RECONNECT"
    CONFLICT = "CONFLICT"
    OTHER = "OTHER"


@dataclass(frozen=True, slots=True)
class Holding:
    """Who holds a social account now, and what of it the viewer may know.

    `viewer_role` is the viewer's role in the holding Workspace, None outside it. `viewer_sees` is whether
    the account itself is visible to the viewer, `contact_email` whom a creator may ask.
    """

    holder: Holder
    viewer_role: Role | None = None
    viewer_sees: bool = False
    contact_email: str | None = None


@dataclass(frozen=True, slots=True)
class HeldByWorkspace:
    """A Workspace that the viewer belongs to holds it."""

    claim: Candidate
    workspace_id: UUID
    viewer_role: Role
    viewer_sees: bool
    contact_email: str | None
    claimed_for: Holder

    @property
    def message(self) -> str:
        """The sentence that the REST call answered, by the viewer's role there."""
        if self.viewer_role is Role.CREATOR:
            return _not_connected(
                self.claim,
                "This social account is already connected to your Workspace! "
                f"Please ask {self.contact_email} for access",
            )
        if isinstance(self.claimed_for, Personal):
            return _not_connected(
                self.claim,
                "To connect this social media account to your Personal, "
                "you must first remove it from your Workspace accounts",
            )
        return _not_connected(
            self.claim,
            "To connect this social media account to this Workspace, "
            "you must first remove it from your other Workspace accounts",
        )

    @property
    def resolutions(self) -> tuple[Resolution, ...]:
        """An admin takes it from there; a creator asks, unless it is visible to them already."""
        if self.viewer_role is Role.ADMIN:
            return (Resolution.MOVE, Resolution.DISCONNECT)
        return () if self.viewer_sees else (Resolution.REQUEST_ACCESS,)


@dataclass(frozen=True, slots=True)
class HeldByPersonal:
    """The viewer's own Personal holds it, and it was claimed for a Workspace."""

    claim: Candidate

    @property
    def message(self) -> str:
        """The sentence for people."""
        return _not_connected(
            self.claim,
            "To connect this social media account to this Workspace, "
            "you must first remove it from your Personal",
        )

    @property
    def resolutions(self) -> tuple[Resolution, ...]:
        """It is the viewer's own to move or disconnect."""
        return (Resolution.MOVE, Resolution.DISCONNECT)


@dataclass(frozen=True, slots=True)
class HeldElsewhere:
    """A place that the viewer is not in holds it; the answer is the same whatever that place is."""

    claim: Candidate

    @property
    def message(self) -> str:
        """The sentence for people."""
        return _not_connected(self.claim, "This social account is already connected elsewhere")

    @property
    def resolutions(self) -> tuple[Resolution, ...]:
        """There is nothing that the viewer could do here."""
        return ()


@dataclass(frozen=True, slots=True)
class AccountLimitReached:
    """The place is full; `used` is how many social accounts it holds as this is said."""

    claim: Candidate
    limit: int
    used: int

    @property
    def message(self) -> str:
        """The sentence for people."""
        return _not_connected(
            self.claim, f"This place already holds {self.limit} social accounts, the most it may"
        )


Conflict = HeldByWorkspace | HeldByPersonal | HeldElsewhere | AccountLimitReached


def find_conflicts(
    claims: Sequence[Candidate],
    holdings: Mapping[str, Holding],
    *,
    viewer_id: UUID,
    place: Holder,
    limit: int,
    used: int,
) -> list[Conflict]:
    """What stands in the way of holding these accounts in `place`, in the claims' order.

    `holdings` are the present ones by Instagram id; an account that is absent from it is free. `used` is
    how many social accounts the place holds now: claims that are free fill it up in input order.
    """
    conflicts: list[Conflict] = []
    room = limit - used
    for claim in claims:
        holding = holdings.get(claim.instagram_user_id)
        if holding is not None:
            conflict = conflict_with(claim, holding, viewer_id=viewer_id, place=place)
            if conflict is not None:
                conflicts.append(conflict)
        elif room > 0:
            room -= 1
        else:
            conflicts.append(AccountLimitReached(claim, limit=limit, used=used))
    return conflicts


def conflict_with(claim: Candidate, holding: Holding, *, viewer_id: UUID, place: Holder) -> Conflict | None:
    """What the present holding refuses the claim with; None when it is the claimed place itself."""
    if holding.holder == place:
        return None
    if holding.holder == Personal(viewer_id):
        return HeldByPersonal(claim)
    if isinstance(holding.holder, Workspace) and holding.viewer_role is not None:
        return HeldByWorkspace(
            claim,
            workspace_id=holding.holder.workspace_id,
            viewer_role=holding.viewer_role,
            viewer_sees=holding.viewer_sees,
            contact_email=holding.contact_email,
            claimed_for=place,
        )
    return HeldElsewhere(claim)


def _not_connected(claim: Candidate, sentence: str) -> str:
    return f"Instagram account {claim.display_name} not connected. {sentence}"
