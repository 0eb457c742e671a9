"""The conflict table, row by row, as pure rules: `docs/conflict-rules.md` shows the same rows to users."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

import pytest

from graphql_api.domain.claims import Candidate
from graphql_api.domain.conflicts import (
    AccountLimitReached,
    Conflict,
    HeldByPersonal,
    HeldByWorkspace,
    HeldElsewhere,
    Holding,
    Resolution,
    Verdict,
    judge,
)
from graphql_api.domain.holders import Holder, Personal, Role, Workspace
from graphql_api.domain.platforms import Platform, SocialKey

X = "17841405902213202"
NOUNS = {Platform.INSTAGRAM: "Instagram account", Platform.FACEBOOK_PAGE: "Facebook Page"}
VIEWER = UUID(int=1)
MY_PERSONAL, ANOTHER_PERSONAL = Personal(VIEWER), Personal(UUID(int=2))
CLAIMED, HOLDING, STRANGE = (Workspace(UUID(int=number)) for number in (11, 12, 13))
CONTACT = "example@mail.com"

ADMIN_TO_PERSONAL = (
    "{noun} jane.doe not connected. To connect this social media account to your Personal, "
    "you must first remove it from your Workspace accounts"
)
ADMIN_TO_WORKSPACE = (
    "{noun} jane.doe not connected. To connect this social media account to this Workspace, "
    "you must first remove it from your other Workspace accounts"
)
SEES_IT = (
    "{noun} jane.doe not connected. This social account is already connected to your Workspace, "
    "and you have access to it"
)
CREATOR = (
    "{noun} jane.doe not connected. This social account is already connected to your Workspace! "
    "Please ask example@mail.com for access"
)
FROM_PERSONAL = (
    "{noun} jane.doe not connected. To connect this social media account to this Workspace, "
    "you must first remove it from your Personal"
)
ELSEWHERE = "{noun} jane.doe not connected. This social account is already connected elsewhere"

TAKE_IT = (Resolution.MOVE, Resolution.DISCONNECT)
ASK = (Resolution.REQUEST_ACCESS,)


@dataclass(frozen=True)
class Row:
    """A row of the table; without `kind`, nothing stands in the way."""

    rule: str
    place: Holder
    held: Holding | None
    kind: type[Conflict] | None = None
    message: str = ""
    resolutions: tuple[Resolution, ...] = ()
    contact: str | None = None


def as_admin(holder: Holder) -> Holding:
    return Holding(holder, viewer_role=Role.ADMIN, viewer_sees=True)


def as_creator(holder: Holder, *, sees: bool = False) -> Holding:
    return Holding(holder, viewer_role=Role.CREATOR, viewer_sees=sees, contact_email=CONTACT)


TABLE = [
    Row("nobody holds it, for Personal", MY_PERSONAL, None),
    Row("nobody holds it, for a Workspace", CLAIMED, None),
    Row("Personal holds it already", MY_PERSONAL, Holding(MY_PERSONAL, viewer_sees=True)),
    Row("the Workspace holds it already", CLAIMED, as_admin(CLAIMED)),
    Row(
        "a Workspace holds it whose admin wants it for Personal",
        MY_PERSONAL,
        as_admin(HOLDING),
        HeldByWorkspace,
        ADMIN_TO_PERSONAL,
        TAKE_IT,
    ),
    Row(
        "a Workspace holds it whose creator wants it for Personal",
        MY_PERSONAL,
        as_creator(HOLDING),
        HeldByWorkspace,
        CREATOR,
        ASK,
        CONTACT,
    ),
    Row(
        "a Workspace holds it whose creator sees it already",
        MY_PERSONAL,
        as_creator(HOLDING, sees=True),
        HeldByWorkspace,
        SEES_IT,
        (),
        CONTACT,
    ),
    Row(
        "the viewer's Personal holds it, for a Workspace",
        CLAIMED,
        Holding(MY_PERSONAL, viewer_sees=True),
        HeldByPersonal,
        FROM_PERSONAL,
        TAKE_IT,
    ),
    Row(
        "another Workspace holds it whose admin the viewer is too",
        CLAIMED,
        as_admin(HOLDING),
        HeldByWorkspace,
        ADMIN_TO_WORKSPACE,
        TAKE_IT,
    ),
    Row(
        "another Workspace holds it whose creator the viewer is",
        CLAIMED,
        as_creator(HOLDING),
        HeldByWorkspace,
        CREATOR,
        ASK,
        CONTACT,
    ),
    Row(
        "another Workspace holds it whose creator sees it already",
        CLAIMED,
        as_creator(HOLDING, sees=True),
        HeldByWorkspace,
        SEES_IT,
        (),
        CONTACT,
    ),
    *(
        Row(f"{what}, for {where}", place, Holding(holder), HeldElsewhere, ELSEWHERE)
        for what, holder in (
            ("somebody else's Personal holds it", ANOTHER_PERSONAL),
            ("a strange Workspace holds it", STRANGE),
        )
        for where, place in (("Personal", MY_PERSONAL), ("a Workspace", CLAIMED))
    ),
]


def claim(index: int = 0, external_id: str = X, platform: Platform = Platform.INSTAGRAM) -> Candidate:
    return Candidate(
        index, SocialKey(platform, external_id), "jane.doe", ("input", "socialAccounts", str(index))
    )


def instagram(held: Mapping[str, Holding]) -> dict[SocialKey, Holding]:
    return {SocialKey(Platform.INSTAGRAM, external_id): holding for external_id, holding in held.items()}


def conflicts_of(
    *claims: Candidate,
    held: Mapping[str, Holding] | None = None,
    place: Holder = MY_PERSONAL,
    limit: int = 500,
    used: int = 0,
    allow_move: bool = False,
) -> list[Conflict]:
    return list(
        judged(*claims, held=held, place=place, limit=limit, used=used, allow_move=allow_move).conflicts
    )


def judged(
    *claims: Candidate,
    held: Mapping[str, Holding] | None = None,
    place: Holder = MY_PERSONAL,
    limit: int = 500,
    used: int = 0,
    allow_move: bool = False,
) -> Verdict:
    return judge(
        claims,
        instagram(held or {}),
        viewer_id=VIEWER,
        place=place,
        limit=limit,
        used=used,
        allow_move=allow_move,
    )


@pytest.mark.parametrize("platform", Platform)
@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.rule)
def test_each_row_of_the_conflict_table_is_answered_as_it_says(row: Row, platform: Platform) -> None:
    # given
    claimed = claim(platform=platform)
    held = {claimed.key: row.held} if row.held else {}

    # when
    found = judge([claimed], held, viewer_id=VIEWER, place=row.place, limit=500, used=0).conflicts

    # then
    if row.kind is None:
        assert found == []
        return
    (conflict,) = found
    assert type(conflict) is row.kind
    assert conflict.message == row.message.format(noun=NOUNS[platform])
    assert conflict.claim.path == ("input", "socialAccounts", "0", "externalId")
    assert not isinstance(conflict, AccountLimitReached)
    assert conflict.resolutions == row.resolutions
    if isinstance(conflict, HeldByWorkspace):
        assert conflict.workspace_id == HOLDING.workspace_id
        assert conflict.contact_email == row.contact


def test_one_id_on_two_platforms_is_two_accounts() -> None:
    # given
    on_instagram, page = claim(0, X), claim(1, X, Platform.FACEBOOK_PAGE)

    # when
    found = conflicts_of(on_instagram, page, held={X: Holding(ANOTHER_PERSONAL)})

    # then
    assert [one.claim for one in found] == [on_instagram]


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.rule)
def test_with_allow_move_exactly_what_offers_a_move_is_moved(row: Row) -> None:
    # when
    verdict = judged(claim(), held={X: row.held} if row.held else {}, place=row.place, allow_move=True)

    # then
    assert bool(verdict.moves) is (Resolution.MOVE in row.resolutions)
    assert bool(verdict.conflicts) is (row.kind is not None and Resolution.MOVE not in row.resolutions)


@pytest.mark.parametrize(("used", "kind"), [(3, HeldByWorkspace), (4, AccountLimitReached)])
def test_what_could_be_moved_needs_room_after_the_rest_of_the_call(used: int, kind: type[Conflict]) -> None:
    # when: the second account is free, and takes a place
    found = conflicts_of(claim(0, "1"), claim(1, "2"), held={"1": as_admin(HOLDING)}, limit=5, used=used)

    # then
    assert [(type(one), one.claim.index) for one in found] == [(kind, 0)]


def test_what_is_moved_and_what_is_free_fill_a_place_up_in_input_order() -> None:
    held = {"2": as_admin(HOLDING), "4": as_admin(HOLDING)}
    claims = [claim(index, str(index + 1)) for index in range(4)]

    verdict = judged(*claims, held=held, limit=5, used=3, allow_move=True)

    assert [one.index for one in verdict.moves] == [1]
    assert [(type(one), one.claim.index) for one in verdict.conflicts] == [
        (AccountLimitReached, 2),
        (AccountLimitReached, 3),
    ]


def test_held_elsewhere_is_the_same_value_whoever_the_holder_is() -> None:
    by_person = conflicts_of(claim(), held={X: Holding(ANOTHER_PERSONAL)})
    by_workspace = conflicts_of(claim(), held={X: Holding(STRANGE)})

    assert by_person[0].message == by_workspace[0].message
    assert repr(by_person) == repr(by_workspace)


def test_conflicts_come_in_the_order_of_the_claims_with_their_own_paths() -> None:
    # given
    held = {"3": Holding(ANOTHER_PERSONAL), "1": as_admin(HOLDING)}

    # when
    found = conflicts_of(claim(0, "3"), claim(1, "2"), claim(2, "1"), held=held)

    # then
    assert [(type(one), one.claim.path[2]) for one in found] == [(HeldElsewhere, "0"), (HeldByWorkspace, "2")]


def test_free_accounts_fill_a_place_up_in_input_order() -> None:
    found = conflicts_of(claim(0, "9"), claim(1, "5"), claim(2, "7"), claim(3, "1"), limit=5, used=3)

    assert [one.claim.key.external_id for one in found] == ["7", "1"]
    assert all(isinstance(one, AccountLimitReached) for one in found)
    assert found[0].message == (
        "Instagram account jane.doe not connected. This place holds 3 of at most 5 social accounts"
    )
    assert [(one.limit, one.used) for one in found if isinstance(one, AccountLimitReached)] == [(5, 3)] * 2


def test_reconnecting_does_not_count_towards_the_limit() -> None:
    assert conflicts_of(claim(), held={X: Holding(MY_PERSONAL)}, limit=5, used=5) == []


def test_an_account_that_is_held_by_another_takes_no_room() -> None:
    found = conflicts_of(claim(0, "1"), claim(1, "2"), held={"1": Holding(ANOTHER_PERSONAL)}, limit=5, used=4)

    assert [type(one) for one in found] == [HeldElsewhere]


def test_a_place_over_a_lowered_limit_takes_nothing_more() -> None:
    (conflict,) = conflicts_of(claim(), limit=2, used=3)

    assert isinstance(conflict, AccountLimitReached)
    assert (conflict.limit, conflict.used) == (2, 3)


def test_no_claims_have_no_conflicts_even_in_a_full_place() -> None:
    assert conflicts_of(limit=1, used=1) == []
