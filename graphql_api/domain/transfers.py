"""Requests for a transfer: who controls an account at Meta asks the place that holds it.

Meta says who controls an account; among those who control it, the holder decides. The state of a request
follows from what was written last, from what Meta has said of the holder's side since, and from time:

    HOLDER_DECIDES   the holder controls the account through another login, or Meta gave no answer
    NOTICE           the holder does not; they have some days to prove that they do
    GRANTED          the asker may connect the account, and has some days to do so
    final            DECLINED, WITHDRAWN, LAPSED, COMPLETED, CLOSED

A request that was granted moves nothing: the asker connects the account, with a fresh access token.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from graphql_api.domain.inputs import InvalidInput, InvalidInputCode


class TransferRequestStatus(StrEnum):
    """The state of a request for a transfer."""

    HOLDER_DECIDES = "HOLDER_DECIDES"
    NOTICE = "NOTICE"
    GRANTED = "GRANTED"
    DECLINED = "DECLINED"
    WITHDRAWN = "WITHDRAWN"
    LAPSED = "LAPSED"
    COMPLETED = "COMPLETED"
    CLOSED = "CLOSED"
    OTHER = "OTHER"


class TransferRequestAction(StrEnum):
    """What the viewer may do about a request now."""

    ACCEPT = "ACCEPT"
    DECLINE = "DECLINE"
    WITHDRAW = "WITHDRAW"
    CONNECT = "CONNECT"
    OTHER = "OTHER"


OPEN = (
    TransferRequestStatus.HOLDER_DECIDES,
    TransferRequestStatus.NOTICE,
    TransferRequestStatus.GRANTED,
)


class HolderSide(StrEnum):
    """What Meta says of the holder's control over the account."""

    CONTROLS = "CONTROLS"  # through another login than the asker's
    UNCLEAR = "UNCLEAR"  # Meta gave no answer
    GONE = "GONE"  # a definite no, or only through the asker's own login
    NEVER = "NEVER"  # it was never proven, and Meta does not know its access token as our app's


@dataclass(frozen=True, slots=True)
class TransferTimes:
    """How long each state lasts."""

    to_decide: timedelta = timedelta(days=30)
    notice: timedelta = timedelta(days=7)
    to_connect: timedelta = timedelta(days=7)
    until_repeated: timedelta = timedelta(days=30)


USUAL_TIMES = TransferTimes()


@dataclass(frozen=True, slots=True)
class State:
    """A request's status, since when, and when time changes it; `decides_at` is None in a final status.

    `consented`: the holder granted it, so that a later proof of theirs does not take it back.
    """

    status: TransferRequestStatus
    since: datetime
    decides_at: datetime | None
    consented: bool = False

    @property
    def is_open(self) -> bool:
        """Can it still change?"""
        return self.status in OPEN


@dataclass(frozen=True, slots=True)
class HolderFacts:
    """What is known of the account that a request is for, as it is now.

    `proof_login` and `proven_at` are the holder's latest proof, by a source that counts today; `broke_at` is
    since when Meta refuses the access token, None while it does not. `asker_may_move`: the asker is an
    admin of the place that holds it.
    """

    hold_id: UUID | None
    proof_login: str | None = None
    proven_at: datetime | None = None
    broke_at: datetime | None = None
    asker_may_move: bool = False


def opened(
    side: HolderSide, *, now: datetime, times: TransferTimes, notice_at: datetime | None = None
) -> State:
    """The state in which a request begins.

    `notice_at` is since when a notice ran for the same account and login, in a request that was closed: the
    holder does not start the time anew by disconnecting the account and connecting it again.
    """
    if side is HolderSide.NEVER:
        return _granted(now, times)
    if side is HolderSide.GONE:
        end = (notice_at or now) + times.notice
        return State(TransferRequestStatus.NOTICE, now, end) if end > now else _granted(now, times)
    return holder_decides(now, times)


def accepted(*, now: datetime, times: TransferTimes) -> State:
    """The state of a request that the holder accepts."""
    return replace(_granted(now, times), consented=True)


def ended(status: TransferRequestStatus, *, now: datetime) -> State:
    """A final state."""
    return State(status, now, None)


def state_at(
    kept: State, facts: HolderFacts, *, hold_id: UUID, login: str, now: datetime, times: TransferTimes
) -> State:
    """The state of a request now. `kept` is what was written last; `hold_id` and `login` are the request's.

    The login is the asker's: what the holder proves through it counts for nothing.
    """
    if not kept.is_open:
        return kept
    if facts.hold_id != hold_id or facts.asker_may_move:
        return ended(TransferRequestStatus.CLOSED, now=now)
    state = kept
    for when, proves in _answers(facts, login):
        state = _passed(state, now=min(when, now), times=times)
        if when > state.since:
            state = _answered(state, when, proves=proves, times=times)
    return _passed(state, now=now, times=times)


def _answers(facts: HolderFacts, login: str) -> list[tuple[datetime, bool]]:
    """When Meta answered for the holder's side last, and whether that proved their control; oldest first."""
    found = []
    if facts.proven_at is not None and facts.proof_login != login:
        found.append((facts.proven_at, True))
    if facts.broke_at is not None:
        found.append((facts.broke_at, False))
    return sorted(found)


def _answered(state: State, when: datetime, *, proves: bool, times: TransferTimes) -> State:
    """What a definite answer of Meta makes of a state."""
    status = state.status
    if proves and (
        status is TransferRequestStatus.NOTICE
        or (status is TransferRequestStatus.GRANTED and not state.consented)
    ):
        return holder_decides(when, times)
    if not proves and status is TransferRequestStatus.HOLDER_DECIDES:
        return _notice(when, times)
    return state


def _passed(state: State, *, now: datetime, times: TransferTimes) -> State:
    """What time alone makes of a state."""
    while (end := state.decides_at) is not None and end <= now:
        is_notice = state.status is TransferRequestStatus.NOTICE
        state = _granted(end, times) if is_notice else ended(TransferRequestStatus.LAPSED, now=end)
    return state


def holder_decides(now: datetime, times: TransferTimes) -> State:
    """The state of a request whose holder controls the account."""
    return State(TransferRequestStatus.HOLDER_DECIDES, now, now + times.to_decide)


def _notice(now: datetime, times: TransferTimes) -> State:
    return State(TransferRequestStatus.NOTICE, now, now + times.notice)


def _granted(now: datetime, times: TransferTimes) -> State:
    return State(TransferRequestStatus.GRANTED, now, now + times.to_connect)


def actions(state: State, *, is_asker: bool) -> tuple[TransferRequestAction, ...]:
    """What may a viewer who sees the request do about it now? The asker never answers it."""
    if is_asker:
        if state.status is TransferRequestStatus.GRANTED:
            return (TransferRequestAction.CONNECT, TransferRequestAction.WITHDRAW)
        return (TransferRequestAction.WITHDRAW,) if state.is_open else ()
    if state.status is TransferRequestStatus.HOLDER_DECIDES:
        return (TransferRequestAction.ACCEPT, TransferRequestAction.DECLINE)
    return ()


_REQUEST = ("input", "transferRequestId")


def no_such_request() -> InvalidInput:
    """The answer to an id that names no request, or one that the viewer cannot see."""
    return InvalidInput(_REQUEST, InvalidInputCode.NOT_FOUND, "There is no such request")


def why_not(action: TransferRequestAction, state: State, *, is_asker: bool) -> InvalidInput | None:
    """What keeps a viewer who sees the request from doing this?"""
    if action in actions(state, is_asker=is_asker):
        return None
    if is_asker and action is not TransferRequestAction.WITHDRAW:
        message = "You cannot answer your own request; you can withdraw it"
        return InvalidInput(_REQUEST, InvalidInputCode.NOT_ALLOWED, message)
    if not is_asker and action is TransferRequestAction.WITHDRAW:
        message = "Only the person who asked can withdraw this request; you can decline it instead"
        return InvalidInput(_REQUEST, InvalidInputCode.NOT_ALLOWED, message)
    if state.is_open:
        message = "Meta does not confirm that you control this account: reconnect it to keep it"
        return InvalidInput(_REQUEST, InvalidInputCode.NOT_ALLOWED, message)
    message = f"This request is no longer open: it was {state.status.lower()}"
    return InvalidInput(_REQUEST, InvalidInputCode.OTHER, message)


def why_not_again(
    declined_at: datetime | None,
    side: HolderSide,
    path: tuple[str, ...],
    *,
    now: datetime,
    times: TransferTimes,
) -> InvalidInput | None:
    """What keeps a declined request from being repeated? Nothing, if the holder's control is gone."""
    if declined_at is None or side in (HolderSide.GONE, HolderSide.NEVER):
        return None
    again_at = declined_at + times.until_repeated
    if again_at <= now:
        return None
    message = f"Your last request for this account was declined. You can ask again on {again_at:%Y-%m-%d}"
    return InvalidInput(path, InvalidInputCode.NOT_ALLOWED, message)
