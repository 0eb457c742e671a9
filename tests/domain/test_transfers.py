"""The states of a request for a transfer, row by row, as docs/transfers.md shows them."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from graphql_api.domain.inputs import InvalidInputCode
from graphql_api.domain.transfers import (
    USUAL_TIMES,
    HolderFacts,
    HolderSide,
    State,
    TransferRequestAction,
    TransferRequestStatus,
    accepted,
    actions,
    ended,
    opened,
    state_at,
    why_not,
    why_not_again,
)

START = datetime(2030, 1, 1, tzinfo=UTC)
HOLD, ASKER, OTHER = UUID(int=1), "7001", "7002"
DECIDES, NOTICE, GRANTED, LAPSED, CLOSED = (
    TransferRequestStatus.HOLDER_DECIDES,
    TransferRequestStatus.NOTICE,
    TransferRequestStatus.GRANTED,
    TransferRequestStatus.LAPSED,
    TransferRequestStatus.CLOSED,
)


def day(number: float) -> datetime:
    return START + timedelta(days=number)


@pytest.mark.parametrize(
    ("side", "status", "days"),
    [
        (HolderSide.CONTROLS, DECIDES, 30),
        (HolderSide.UNCLEAR, DECIDES, 30),
        (HolderSide.GONE, NOTICE, 7),
        (HolderSide.NEVER, GRANTED, 7),
    ],
)
def test_what_meta_says_of_the_holder_decides_who_decides(
    side: HolderSide, status: TransferRequestStatus, days: int
) -> None:
    state = opened(side, now=START, times=USUAL_TIMES)

    assert state == State(status, START, day(days))


@pytest.mark.parametrize(("days", "status", "until"), [(2, NOTICE, 5), (7, GRANTED, 7), (12, GRANTED, 7)])
def test_a_notice_goes_on_where_a_closed_request_left_it(
    days: float, status: TransferRequestStatus, until: float
) -> None:
    state = opened(HolderSide.GONE, now=START, times=USUAL_TIMES, notice_at=day(-days))

    assert (state.status, state.decides_at) == (status, day(until))


@dataclass(frozen=True, slots=True)
class Row:
    """A request that began on day 0, what is known of the account, and its state on a day."""

    name: str
    began: State
    on: float
    status: TransferRequestStatus
    decides_on: float | None
    facts: HolderFacts = field(default_factory=lambda: HolderFacts(HOLD, OTHER, day(-9)))


BY_HOLDER = opened(HolderSide.CONTROLS, now=START, times=USUAL_TIMES)
IN_NOTICE = opened(HolderSide.GONE, now=START, times=USUAL_TIMES)
AT_ONCE = opened(HolderSide.NEVER, now=START, times=USUAL_TIMES)
CONSENTED = accepted(now=START, times=USUAL_TIMES)


def proven(on: float, login: str = OTHER) -> HolderFacts:
    return HolderFacts(HOLD, login, day(on))


def broke(on: float) -> HolderFacts:
    return HolderFacts(HOLD, OTHER, day(-9), broke_at=day(on))


ROWS = [
    Row("the holder has 30 days", BY_HOLDER, 29, DECIDES, 30),
    Row("then the request lapses", BY_HOLDER, 30, LAPSED, None),
    Row("a notice lasts 7 days", IN_NOTICE, 6, NOTICE, 7),
    Row("then it is granted", IN_NOTICE, 7, GRANTED, 14),
    Row("for 7 days", IN_NOTICE, 13, GRANTED, 14),
    Row("then it lapses", IN_NOTICE, 14, LAPSED, None),
    Row("a grant lapses after 7 days", CONSENTED, 7, LAPSED, None),
    Row("proven control ends a notice", IN_NOTICE, 4, DECIDES, 33, proven(3)),
    Row("and the holder has 30 days again", IN_NOTICE, 33, LAPSED, None, proven(3)),
    Row("it ends a grant that nobody consented to", IN_NOTICE, 10, DECIDES, 39, proven(9)),
    Row("also one that was immediate", AT_ONCE, 3, DECIDES, 32, proven(2)),
    Row("but not what the holder granted", CONSENTED, 3, GRANTED, 7, proven(2)),
    Row("nor what has lapsed", IN_NOTICE, 16, LAPSED, None, proven(15)),
    Row("the asker's own login proves nothing", IN_NOTICE, 4, NOTICE, 7, proven(3, ASKER)),
    Row("an older proof proves nothing", IN_NOTICE, 4, NOTICE, 7, proven(-1)),
    Row("a proof during the notice counts though nobody looked", IN_NOTICE, 20, DECIDES, 33, proven(3)),
    Row("lost control begins a notice", BY_HOLDER, 11, NOTICE, 17, broke(10)),
    Row("which is granted after its 7 days", BY_HOLDER, 17, GRANTED, 24, broke(10)),
    Row("not what broke before", BY_HOLDER, 11, DECIDES, 30, broke(-1)),
    Row("nor what has lapsed before it broke", BY_HOLDER, 40, LAPSED, None, broke(35)),
    Row("a grant stays one", CONSENTED, 3, GRANTED, 7, broke(2)),
    Row("an account that is free closes it", BY_HOLDER, 1, CLOSED, None, HolderFacts(None)),
    Row("and one that is another hold", BY_HOLDER, 1, CLOSED, None, HolderFacts(UUID(int=2))),
    Row("and an asker who may move it", IN_NOTICE, 1, CLOSED, None, HolderFacts(HOLD, asker_may_move=True)),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_request_is_in_the_state_of_its_row(row: Row) -> None:
    state = state_at(row.began, row.facts, hold_id=HOLD, login=ASKER, now=day(row.on), times=USUAL_TIMES)

    expected_end = None if row.decides_on is None else day(row.decides_on)
    assert (state.status, state.decides_at) == (row.status, expected_end)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
@pytest.mark.parametrize("looked_on", [0.5, 5, 12])
def test_whoever_looks_in_between_changes_nothing(row: Row, looked_on: float) -> None:
    """What was written on some day leads to the same state on the last day."""
    facts = HolderFacts(
        row.facts.hold_id,
        row.facts.proof_login,
        row.facts.proven_at if row.facts.proven_at and row.facts.proven_at <= day(looked_on) else None,
        row.facts.broke_at if row.facts.broke_at and row.facts.broke_at <= day(looked_on) else None,
    )
    if looked_on > row.on or row.facts.hold_id != HOLD or row.facts.asker_may_move:
        return
    written = state_at(row.began, facts, hold_id=HOLD, login=ASKER, now=day(looked_on), times=USUAL_TIMES)

    state = state_at(written, row.facts, hold_id=HOLD, login=ASKER, now=day(row.on), times=USUAL_TIMES)

    assert state.status is row.status


@pytest.mark.parametrize(
    "status", [one for one in TransferRequestStatus if one not in (DECIDES, NOTICE, GRANTED)]
)
def test_a_final_state_stays_whatever_happens(status: TransferRequestStatus) -> None:
    state = ended(status, now=START)

    assert (
        state_at(state, HolderFacts(None), hold_id=HOLD, login=ASKER, now=day(99), times=USUAL_TIMES) == state
    )
    assert actions(state, is_asker=True) == actions(state, is_asker=False) == ()


@pytest.mark.parametrize(
    ("state", "asker", "holder"),
    [
        (BY_HOLDER, ["WITHDRAW"], ["ACCEPT", "DECLINE"]),
        (IN_NOTICE, ["WITHDRAW"], []),
        (CONSENTED, ["CONNECT", "WITHDRAW"], []),
    ],
)
def test_each_side_has_its_actions(state: State, asker: list[str], holder: list[str]) -> None:
    assert list(actions(state, is_asker=True)) == asker
    assert list(actions(state, is_asker=False)) == holder
    for is_asker, mine in ((True, asker), (False, holder)):
        for action in (
            TransferRequestAction.ACCEPT,
            TransferRequestAction.DECLINE,
            TransferRequestAction.WITHDRAW,
        ):
            problem = why_not(action, state, is_asker=is_asker)
            assert (problem is None) is (action in mine)
            assert problem is None or problem.code is InvalidInputCode.NOT_ALLOWED


@pytest.mark.parametrize(
    ("side", "days", "refused"),
    [
        (HolderSide.CONTROLS, 29, True),
        (HolderSide.UNCLEAR, 29, True),
        (HolderSide.CONTROLS, 30, False),
        (HolderSide.GONE, 1, False),
        (HolderSide.NEVER, 1, False),
    ],
)
def test_a_declined_request_is_repeated_after_30_days_or_when_the_holders_control_is_gone(
    side: HolderSide, days: float, refused: bool
) -> None:
    problem = why_not_again(START, side, ("input",), now=day(days), times=USUAL_TIMES)

    assert (problem is not None) is refused
    assert why_not_again(None, side, ("input",), now=day(days), times=USUAL_TIMES) is None
