"""Requests for transfers as they are now: reading them, and writing what became of one.

The state of a request is worked out whenever it is read. What is stored lags behind until somebody acts, or
until `settle` writes down what time and Meta's answers have made of it, with its events and mails.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from graphql_api.domain.events import EventKind, NewEvent
from graphql_api.domain.holders import Holder, Personal, holder_of
from graphql_api.domain.mails import MailKind
from graphql_api.domain.platforms import SocialKey
from graphql_api.domain.proofs import AccessTokenProblem
from graphql_api.domain.transfers import (
    OPEN,
    HolderFacts,
    State,
    TransferRequestAction,
    TransferRequestStatus,
    actions,
    state_at,
)
from graphql_api.services.calls import access, mails
from graphql_api.services.calls.call import Call
from graphql_api.services.calls.pages import Page, PageRequest, PreparedList
from graphql_api.services.calls.retries import ReadRows
from graphql_api.services.history import recording
from graphql_api.storage.database import rows_within
from graphql_api.storage.faults import ChangedMeanwhile
from graphql_api.storage.prepared import Prepared, one_of
from graphql_api.storage.rows import TransferRequestRow, columns
from graphql_api.storage.tables import SocialAccount, TransferRequest, User


@dataclass(frozen=True, slots=True)
class Known:
    """A request as it was written last, and what is known of the account that it is for, and of the asker."""

    row: TransferRequestRow
    holder: Holder | None
    account: "Account"
    asker: tuple[str, str] | None  # name and e-mail address

    @property
    def key(self) -> SocialKey:
        """The account that was asked for."""
        return SocialKey(self.row.platform, self.row.external_id)

    @property
    def kept(self) -> State:
        """The state that was written last."""
        return State(self.row.status, self.row.since, self.row.decides_at, consented=self.row.consented)

    def state(self, call: Call) -> State:
        """The state now."""
        if self.row.requester_id is None and self.kept.is_open:
            return State(TransferRequestStatus.CLOSED, call.now, None)
        return state_at(
            self.kept,
            self.account.facts(call),
            hold_id=self.row.hold_id,
            login=self.row.facebook_user_id,
            now=call.now,
            times=call.services.rules.transfer_times,
        )


@dataclass(frozen=True, slots=True)
class Account:
    """The columns of the account that say who controls it."""

    hold_id: UUID | None
    proof_source: str | None
    proof_login: str | None
    proven_at: datetime | None
    health_problem: AccessTokenProblem | None
    health_since: datetime | None
    breaks_at: datetime | None
    asker_may_move: bool

    def facts(self, call: Call) -> HolderFacts:
        """What they say today: a proof of another source is none."""
        meta = call.services.meta
        counts = meta is not None and self.proof_source == meta.source
        ended = self.breaks_at if self.breaks_at is not None and self.breaks_at <= call.now else None
        broke_at = self.health_since if self.health_problem is not None else ended
        return HolderFacts(
            self.hold_id,
            proof_login=self.proof_login if counts else None,
            proven_at=self.proven_at if counts else None,
            broke_at=broke_at if counts else None,
            asker_may_move=bool(self.asker_may_move),
        )


@dataclass(frozen=True, slots=True)
class Shown:
    """A request as a viewer sees it: its state now, what they may do, and whom the holder answers."""

    known: Known
    state: State
    actions: Sequence[TransferRequestAction]
    requester: tuple[str, str] | None

    @property
    def is_granted(self) -> bool:
        """May the account be connected by the asker?"""
        return self.state.status is TransferRequestStatus.GRANTED


def shown(call: Call, request: Known) -> Shown:
    """A request that the viewer sees, as they see it."""
    state, is_asker = request.state(call), request.row.requester_id == call.viewer.user_id
    decides = state.status is TransferRequestStatus.HOLDER_DECIDES and not is_asker
    return Shown(request, state, actions(state, is_asker=is_asker), request.asker if decides else None)


async def page_of_viewer(call: Call, request: PageRequest) -> Page[Shown]:
    """What the viewer has asked for, the newest first."""
    found = await _OWN.page(call, request, requester_id=call.viewer.user_id)
    return _shown_page(call, found)


async def page_of_place(call: Call, request: PageRequest, place: Holder) -> Page[Shown]:
    """What this place was asked for, the newest first; nothing where the viewer may not decide."""
    viewer_id = call.viewer.user_id
    if isinstance(place, Personal):
        found = await _OF_PERSONAL.page(call, request, holder_user_id=place.user_id, viewer_id=viewer_id)
    else:
        found = await _OF_WORKSPACE.page(
            call, request, holder_workspace_id=place.workspace_id, viewer_id=viewer_id
        )
    return _shown_page(call, found)


def _shown_page(call: Call, page: Page[Known]) -> Page[Shown]:
    items = [shown(call, one) for one in page.items]
    return Page(items, page.cursor, page.has_next, page.has_previous, page.count)


async def seen(call: Call, ids: Collection[UUID]) -> dict[UUID, Shown]:
    """Those of the requests that the viewer may see."""
    found = await call.rows(_SEEN, ids=ids, viewer_id=call.viewer.user_id)
    return {one.row.id: shown(call, one) for one in found}


async def open_of_viewer(rows: ReadRows, call: Call, keys: Collection[SocialKey]) -> dict[SocialKey, Shown]:
    """The viewer's own open requests for these accounts; none where there are no transfers."""
    if not keys or call.services.meta is None:
        return {}
    found = await rows(
        _OPEN_OF_VIEWER,
        requester_id=call.viewer.user_id,
        platforms={key.platform for key in keys},
        external_ids=[key.external_id for key in keys],
    )
    seen_ones = {one.key: shown(call, one) for one in found if one.key in keys}
    return {key: one for key, one in seen_ones.items() if one.state.is_open}


async def lock(session: AsyncSession, call: Call, request_id: UUID) -> Known | None:
    """Lock the viewer, the asker and the place that holds the account; the request then, if they see it.

    Raises:
        ChangedMeanwhile: the account went to another place while this waited.
    """

    async def read() -> Known | None:
        found = await rows_within(session, _SEEN, ids=[request_id], viewer_id=call.viewer.user_id)
        return found[0] if found else None

    before = await read()
    await access.lock_places(session, call, [] if before is None else both_sides(before))
    after = await read()
    if after is not None and (before is None or set(both_sides(after)) != set(both_sides(before))):
        raise ChangedMeanwhile
    return after


def both_sides(request: Known) -> list[Holder | None]:
    """The asker's Personal, and the place that holds the account."""
    asker = request.row.requester_id
    return [None if asker is None else Personal(asker), request.holder]


async def unsettled(call: Call, after: UUID | None, size: int) -> list[Known]:
    """Open requests in the order of their ids, to be settled."""
    return await call.rows(_ALL_OPEN, after=after or UUID(int=0), size=size)


async def known(session: AsyncSession, request_id: UUID) -> Known:
    """A request that is there."""
    (found,) = await rows_within(session, _ANY, ids=[request_id])
    return found


async def settle(session: AsyncSession, call: Call, request_id: UUID) -> bool:
    """Write down what became of a request without anybody's doing; False if nothing did.

    Raises:
        ChangedMeanwhile: the account went to another place while this waited.
    """
    found = await rows_within(session, _ANY, ids=[request_id])
    if not found:
        return False
    await access.lock_places(session, call, both_sides(found[0]))
    after = await known(session, request_id)
    if set(both_sides(after)) != set(both_sides(found[0])):
        raise ChangedMeanwhile
    state = after.state(call)
    if state == after.kept:
        return False
    await write(session, call, after, state)
    if after.row.requester_id is None:
        await session.execute(sa.delete(TransferRequest).where(col(TransferRequest.id) == request_id))
    return True


async def begin(session: AsyncSession, call: Call, request: TransferRequest) -> Known:
    """Keep a new request, with the events and the mail of it; both sides are locked."""
    session.add(request)
    await session.flush()
    new = await known(session, request.id)
    events = events_of(call, new, EventKind.TRANSFER_REQUESTED)
    if new.kept.status is not TransferRequestStatus.HOLDER_DECIDES:
        events += events_of(call, new, _EVENTS[new.kept.status])
    await recording.record(session, call, events)
    await _mail_holder(session, call, new, new.kept)
    return new


async def write(session: AsyncSession, call: Call, request: Known, state: State) -> Known:
    """Give a request its next state, with the events and mails of that; both sides are locked.

    Raises:
        ChangedMeanwhile: somebody else has written it.
    """
    row = request.row
    closes_notice = (
        row.status is TransferRequestStatus.NOTICE and state.status is TransferRequestStatus.CLOSED
    )
    written: Any = await session.execute(
        sa.update(TransferRequest)
        .where(
            col(TransferRequest.id) == row.id,
            col(TransferRequest.status) == row.status,
            col(TransferRequest.since) == row.since,
        )
        .values(
            status=state.status,
            since=state.since,
            decides_at=state.decides_at,
            consented=state.consented,
            notice_at=row.since if closes_notice else None,
            updated_at=call.now,
        )
        .execution_options(synchronize_session=False)
    )
    if written.rowcount == 0:
        raise ChangedMeanwhile
    await recording.record(session, call, events_of(call, request, _EVENTS[state.status]))
    await _mail_asker(session, call, request, state)
    await _mail_holder(session, call, request, state)
    return await known(session, row.id)


def events_of(call: Call, request: Known, kind: EventKind) -> list[NewEvent]:
    """What happened to a request, in the histories of both sides. Neither learns who acted on the other."""
    asker = request.row.requester_id
    by_asker = call.caller is not None and call.caller.user_id == asker
    events = []
    for place in dict.fromkeys(both_sides(request)):
        if place is not None:
            is_askers = asker is not None and place == Personal(asker)
            events.append(
                NewEvent(
                    place,
                    kind,
                    request.row.id,
                    subject_name=request.row.display_name,
                    platform=request.row.platform,
                    hides_actor=is_askers is not by_asker,
                )
            )
    return events


async def _mail_asker(session: AsyncSession, call: Call, request: Known, state: State) -> None:
    kind = _TO_ASKER.get(state.status)
    if kind is not None and request.asker is not None:
        name, email = request.asker
        await mails.enqueue(session, call, kind, email, {"name": name, **_details(request, state)})


async def _mail_holder(session: AsyncSession, call: Call, request: Known, state: State) -> None:
    """Only the holder who decides is told who asks."""
    kind = _TO_HOLDER.get(state.status)
    details = _details(request, state)
    if request.row.requester_id is None:
        kind = MailKind.TRANSFER_WITHDRAWN
    elif kind is MailKind.TRANSFER_REQUESTED and request.asker is not None:
        details |= {"requester": request.asker[0], "requester_email": request.asker[1]}
    if kind is not None and request.holder is not None:
        await mails.tell_place(session, call, kind, request.holder, details)


def _details(request: Known, state: State) -> dict[str, str]:
    until = {} if state.decides_at is None else {"expires": mails.moment(state.decides_at)}
    return {"display_name": request.row.display_name, **until}


_EVENTS = {
    TransferRequestStatus.HOLDER_DECIDES: EventKind.TRANSFER_CONTROL_PROVEN,
    TransferRequestStatus.NOTICE: EventKind.TRANSFER_NOTICE_GIVEN,
    TransferRequestStatus.GRANTED: EventKind.TRANSFER_GRANTED,
    TransferRequestStatus.DECLINED: EventKind.TRANSFER_DECLINED,
    TransferRequestStatus.WITHDRAWN: EventKind.TRANSFER_WITHDRAWN,
    TransferRequestStatus.LAPSED: EventKind.TRANSFER_LAPSED,
    TransferRequestStatus.COMPLETED: EventKind.TRANSFER_COMPLETED,
    TransferRequestStatus.CLOSED: EventKind.TRANSFER_CLOSED,
}
_TO_ASKER = {
    TransferRequestStatus.HOLDER_DECIDES: MailKind.TRANSFER_PENDING,
    TransferRequestStatus.GRANTED: MailKind.TRANSFER_GRANTED,
    TransferRequestStatus.DECLINED: MailKind.TRANSFER_DECLINED,
    TransferRequestStatus.LAPSED: MailKind.TRANSFER_LAPSED,
    TransferRequestStatus.CLOSED: MailKind.TRANSFER_CLOSED,
}
_TO_HOLDER = {
    TransferRequestStatus.HOLDER_DECIDES: MailKind.TRANSFER_REQUESTED,
    TransferRequestStatus.NOTICE: MailKind.TRANSFER_NOTICE,
    TransferRequestStatus.WITHDRAWN: MailKind.TRANSFER_WITHDRAWN,
    TransferRequestStatus.COMPLETED: MailKind.SOCIAL_ACCOUNT_TAKEN_OVER,
}
_WIDTH = len(TransferRequestRow._fields)


def _known(*found: Any) -> Known:
    row, rest = TransferRequestRow(*found[:_WIDTH]), found[_WIDTH:]
    name, email, user_id, workspace_id, *account = rest
    facts = Account(*account)
    holder = holder_of(user_id, workspace_id) if facts.hold_id == row.hold_id else None
    return Known(row, holder, facts, None if email is None else (name, email))


_READ = (
    sa.select(
        *columns(TransferRequest, TransferRequestRow),
        col(User.name),
        col(User.email),
        col(SocialAccount.holder_user_id),
        col(SocialAccount.holder_workspace_id),
        col(SocialAccount.hold_id).label("account_hold_id"),
        col(SocialAccount.proof_source).label("account_proof_source"),
        col(SocialAccount.proof_login),
        col(SocialAccount.proven_at),
        col(SocialAccount.health_problem),
        col(SocialAccount.health_since),
        col(SocialAccount.breaks_at),
        access.asker_may_move().label("asker_may_move"),
    )
    .join(
        SocialAccount,
        sa.and_(
            col(SocialAccount.platform) == col(TransferRequest.platform),
            col(SocialAccount.external_id) == col(TransferRequest.external_id),
        ),
    )
    .outerjoin(User, col(User.id) == col(TransferRequest.requester_id))
)
_IS_HELD = col(SocialAccount.hold_id) == col(TransferRequest.hold_id)
_IS_OPEN = sa.or_(*(col(TransferRequest.status) == status for status in OPEN))
_ORDER = [col(TransferRequest.created_at), col(TransferRequest.id)]
_OWN = PreparedList(
    _READ, _known, within={"requester_id": col(TransferRequest.requester_id)}, order=_ORDER, descending=True
)
_OF_PERSONAL = PreparedList(
    _READ.where(_IS_HELD, access.decides_transfer(access.SOMEBODY)),
    _known,
    within={"holder_user_id": col(SocialAccount.holder_user_id)},
    order=_ORDER,
    descending=True,
)
_OF_WORKSPACE = PreparedList(
    _READ.where(_IS_HELD, access.decides_transfer(access.SOMEBODY)),
    _known,
    within={"holder_workspace_id": col(SocialAccount.holder_workspace_id)},
    order=_ORDER,
    descending=True,
)
_ANY = Prepared(_READ.where(one_of(col(TransferRequest.id), "ids")), _known)
_SEEN = Prepared(
    _READ.where(one_of(col(TransferRequest.id), "ids"), access.sees_transfer_request(access.SOMEBODY)),
    _known,
)
_OPEN_OF_VIEWER = Prepared(
    _READ.where(
        col(TransferRequest.requester_id) == sa.bindparam("requester_id", type_=sa.Uuid()),
        one_of(col(TransferRequest.platform), "platforms"),
        one_of(col(TransferRequest.external_id), "external_ids"),
        _IS_OPEN,
    ),
    _known,
)
_ALL_OPEN = Prepared(
    _READ.where(_IS_OPEN, col(TransferRequest.id) > sa.bindparam("after", type_=sa.Uuid()))
    .order_by(col(TransferRequest.id))
    .limit(sa.bindparam("size", type_=sa.Integer())),
    _known,
)
