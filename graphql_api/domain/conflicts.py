"""Who may hold what: the conflict rules, and the words in which a refusal is told.

A claim is "viewer V wants social account X in place P". What stands in its way is a conflict:

    Block
    ├── AccessTokenRejected       Meta does not say that V's login controls X
    └── Conflict
        ├── HeldByWorkspace       a Workspace that V belongs to holds X
        ├── HeldByPersonal        V's own Personal holds X
        ├── HeldElsewhere         somebody else holds X: nothing is said of whom
        └── AccountLimitReached   P is full

`docs/conflict-rules.md` shows the same rows to users; `tests/domain/test_conflicts.py` goes through them.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from graphql_api.domain.claims import Candidate, Claim
from graphql_api.domain.holders import Holder, Personal, Role, Workspace
from graphql_api.domain.permissions import Action, may
from graphql_api.domain.platforms import PLATFORMS, SocialKey
from graphql_api.domain.proofs import Trouble


class Resolution(StrEnum):
    """What the viewer can do about a conflict. What is offered works now."""

    MOVE = "MOVE"
    DISCONNECT = "DISCONNECT"
    REQUEST_ACCESS = "REQUEST_ACCESS"
    REQUEST_TRANSFER = "REQUEST_TRANSFER"
    OTHER = "OTHER"


class CheckStatus(StrEnum):
    """What connecting a social account would do."""

    AVAILABLE = "AVAILABLE"
    RECONNECT = "RECONNECT"
    CONFLICT = "CONFLICT"
    ROLE_TOO_WEAK = "ROLE_TOO_WEAK"
    NOT_GRANTED = "NOT_GRANTED"
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
    may_request: bool = False

    @property
    def message(self) -> str:
        """The sentence that the REST call answered, by what the viewer may do there."""
        return _not_connected(self.claim, self._sentence())

    @property
    def resolutions(self) -> tuple[Resolution, ...]:
        """An admin takes it from there; a creator asks, unless they see it already and may reconnect it."""
        if may(self.viewer_role, Action.MOVE):
            return (Resolution.MOVE, Resolution.DISCONNECT)
        if self.viewer_sees:
            return ()
        return (Resolution.REQUEST_ACCESS, *_transfer(self.may_request))

    def _sentence(self) -> str:
        if may(self.viewer_role, Action.MOVE):
            if isinstance(self.claimed_for, Personal):
                return (
                    "To connect this social media account to your Personal, "
                    "you must first remove it from your Workspace accounts"
                )
            return (
                "To connect this social media account to this Workspace, "
                "you must first remove it from your other Workspace accounts"
            )
        if self.viewer_sees:
            return "This social account is already connected to your Workspace, and you have access to it"
        return (
            "This social account is already connected to your Workspace! "
            f"Please ask {self.contact_email} for access"
        )


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
    may_request: bool = False

    @property
    def message(self) -> str:
        """The sentence for people."""
        return _not_connected(self.claim, "This social account is already connected elsewhere")

    @property
    def resolutions(self) -> tuple[Resolution, ...]:
        """Who manages the account at Meta may ask for it."""
        return _transfer(self.may_request)


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
            self.claim, f"This place holds {self.used} of at most {self.limit} social accounts"
        )


@dataclass(frozen=True, slots=True)
class AccessTokenRejected:
    """The login does not prove that it controls the account; `done` is what was asked for."""

    claim: Candidate
    trouble: Trouble
    done: str = "connected"

    @property
    def path(self) -> tuple[str, ...]:
        """Where it is told: at the access token, or where the account was asked for without one."""
        return (*self.claim.at, "accessToken") if isinstance(self.claim, Claim) else self.claim.at

    @property
    def message(self) -> str:
        """The sentence for people."""
        noun = PLATFORMS[self.claim.key.platform].noun
        return f"{noun} {self.claim.display_name} not {self.done}. {self.trouble.sentence}"


Conflict = HeldByWorkspace | HeldByPersonal | HeldElsewhere | AccountLimitReached
Block = Conflict | AccessTokenRejected


def _transfer(may_request: bool) -> tuple[Resolution, ...]:
    return (Resolution.REQUEST_TRANSFER,) if may_request else ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the rules say to a call, in input order: what blocks it, what is moved and what is taken over."""

    conflicts: Sequence[Conflict] = ()
    moves: Sequence[Candidate] = ()
    takes: Sequence[Candidate] = ()


@dataclass(frozen=True, slots=True)
class Reach:
    """What the viewer may do about accounts that others hold: ask for some, take over what was granted."""

    managed: Collection[SocialKey] = frozenset()
    granted: Collection[SocialKey] = frozenset()


NO_REACH = Reach()


def judge(
    claims: Sequence[Candidate],
    holdings: Mapping[SocialKey, Holding],
    *,
    viewer_id: UUID,
    place: Holder,
    limit: int,
    used: int,
    allow_move: bool = False,
    reach: Reach = NO_REACH,
) -> Verdict:
    """What do the rules say to holding these accounts in `place`?

    An account that is absent from `holdings` is free. `used` is how many social accounts the place holds
    now. What is free or granted, and with `allow_move` what is moved, fills it up in input order. Without it,
    an account that could be moved needs room after the rest of the call: whatever is offered works now.
    """
    found: dict[int, Conflict] = {}
    movable: list[HeldByWorkspace | HeldByPersonal | HeldElsewhere] = []
    moves: list[Candidate] = []
    takes: list[Candidate] = []
    room = limit - used
    for claim in claims:
        holding = holdings.get(claim.key)
        conflict = None
        if holding is not None:
            may_request = claim.key in reach.managed
            conflict = conflict_with(
                claim, holding, viewer_id=viewer_id, place=place, may_request=may_request
            )
            if conflict is None:
                continue  # the place itself holds it
        is_movable = conflict is not None and Resolution.MOVE in conflict.resolutions
        is_granted = not is_movable and claim.key in reach.granted
        if conflict is not None and not is_movable and not is_granted:
            found[claim.index] = conflict
        elif conflict is not None and is_movable and not allow_move:
            movable.append(conflict)
        elif room <= 0:
            found[claim.index] = AccountLimitReached(claim, limit=limit, used=used)
        else:
            room -= 1
            if conflict is not None:
                (takes if is_granted else moves).append(claim)
    for conflict in movable:
        full = AccountLimitReached(conflict.claim, limit=limit, used=used)
        found[conflict.claim.index] = conflict if room > 0 else full
        room -= 1
    return Verdict([found[index] for index in sorted(found)], moves, takes)


def strays(
    claims: Sequence[Candidate], holdings: Mapping[SocialKey, Holding], *, place: Holder
) -> list[Candidate]:
    """Which of these is more than a creator may do, who reconnects in `place` the accounts that they see?"""
    return [
        claim
        for claim in claims
        if (holding := holdings.get(claim.key)) is None or holding.holder != place or not holding.viewer_sees
    ]


def conflict_with(
    claim: Candidate, holding: Holding, *, viewer_id: UUID, place: Holder, may_request: bool = False
) -> HeldByWorkspace | HeldByPersonal | HeldElsewhere | None:
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
            may_request=may_request,
        )
    return HeldElsewhere(claim, may_request)


def _not_connected(claim: Candidate, sentence: str) -> str:
    return f"{PLATFORMS[claim.key.platform].noun} {claim.display_name} not connected. {sentence}"
