"""Reading what happened: pages of a place's history, and following it live.

A cursor is a place and the number of an event there. The numbers have no gaps, and are taken under the
place's lock: whoever has read up to one has missed nothing before it.
"""

import asyncio
import base64
import binascii
import random
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlmodel import col

from graphql_api.domain.events import EventFilter
from graphql_api.domain.faults import BadUserInput, CursorExpired, Forbidden, TemporarilyUnavailable
from graphql_api.domain.holders import Holder, Personal, columns_of
from graphql_api.domain.platforms import Platform
from graphql_api.services.calls import access
from graphql_api.services.calls.call import Call
from graphql_api.services.calls.live import Follower
from graphql_api.services.calls.pages import Page, PageRequest, PreparedList, write_cursor
from graphql_api.storage.columns import UtcDateTime
from graphql_api.storage.prepared import Prepared, one_of
from graphql_api.storage.rows import EventRow, columns
from graphql_api.storage.tables import Event

EVERY_EVENT = EventFilter()
BATCH = 100  # events that one read returns at most
REACH = 10_000  # events that one read looks at, most of which a creator may not see


def cursor_of(holder: Holder, seq: int) -> str:
    """Where an event stands: opaque to clients."""
    return base64.urlsafe_b64encode(f"{holder}:{seq}".encode()).decode().rstrip("=")


def read_cursor(holder: Holder, cursor: str, name: str = "after") -> int:
    """The number of the event that a cursor names.

    Raises:
        BadUserInput: it is no cursor, or one of another place.
    """
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
    except (binascii.Error, ValueError):
        text = ""
    place, _, seq = text.rpartition(":")
    # Only the form that we write.
    if place != str(holder) or not seq.isdecimal() or cursor_of(holder, int(seq[:18])) != cursor:
        raise BadUserInput(f"`{name}` is not a cursor of these events")
    return int(seq)


async def page(
    call: Call, request: PageRequest, holder: Holder, asked: EventFilter = EVERY_EVENT
) -> Page[EventRow]:
    """Those of the events of a place that are asked for and that the viewer may see, the oldest first.

    Raises:
        BadUserInput: the page's arguments, its cursors or the filter cannot be used.
        CursorExpired: events after the `after` are no longer kept.
    """
    before = None if request.before is None else read_cursor(holder, request.before, "before")
    after = None if request.after is None else read_cursor(holder, request.after)
    found = await _page(call, holder, request, _checked(asked), after=after, before=before)
    if after is not None:
        # Asked after the page was read: what is still kept now was kept then.
        await _check_kept(call, holder, after, found.items)
    return replace(found, cursor=lambda index: cursor_of(holder, found.items[index].seq))


async def present_cursor(call: Call, holder: Holder) -> str | None:
    """The cursor after which come the events from now on; None for a place that is not the viewer's."""
    found = await access.standing(call, holder)
    return None if found is None else cursor_of(holder, found[0])


async def follow(
    call: Call,
    holder: Holder,
    asked: EventFilter = EVERY_EVENT,
    *,
    after: str | None,
    renew: Callable[[], None],
) -> AsyncGenerator[EventRow, None]:
    """The events that `page` lists, for ever: those after a cursor, then each as it happens.

    Holds no connection while it waits, and reads on only when what it read was taken. `renew` is called
    after each read: what was loaded for earlier events may have changed.

    Raises:
        BadUserInput: the cursor or the filter cannot be used.
        CursorExpired: events after the cursor are no longer kept.
        Forbidden: the viewer does not belong there, or does not any more.
    """
    live = call.services.live
    asked = _checked(asked)
    seq = None if after is None else read_cursor(holder, after)
    with live.following(call.viewer.user_id, holder) as follower:
        while True:
            follower.stirred.clear()  # before reading: what comes meanwhile is read the next time
            try:
                async with live.reading:
                    news = await _read_news(call, follower, asked, seq)
            except TemporarilyUnavailable:
                await asyncio.sleep(random.uniform(0.5, 1.5))  # noqa: S311 - jitter
                continue
            renew()
            for event in news.events:
                if follower.role_changed:
                    break  # what was read may not be for them any more
                yield event
                seq = event.seq
                await asyncio.sleep(0)  # a hundred events in a row are not to keep everybody else waiting
            else:
                seq = news.seq
                if seq == news.latest:
                    await follower.stirred.wait()


@dataclass(frozen=True, slots=True)
class _News:
    """What one read brought: events up to the number `seq`, while `latest` is the place's last one."""

    events: Sequence[EventRow]
    seq: int
    latest: int


async def _read_news(call: Call, follower: Follower, asked: EventFilter, after: int | None) -> _News:
    holder = follower.holder
    standing = await access.standing(call, holder)
    if standing is None:
        raise Forbidden("There is no such Workspace, or you are not a member of it")
    follower.know(*standing)
    latest, _ = standing
    if after is None or after == latest:
        return _News((), latest, latest)
    reach = min(latest, after + REACH)
    found = await _page(call, holder, PageRequest(first=BATCH), asked, after=after, before=reach + 1)
    await _check_kept(call, holder, after, found.items)
    return _News(found.items, found.items[-1].seq if len(found.items) == BATCH else reach, latest)


def _checked(asked: EventFilter) -> EventFilter:
    """What is asked for, without what rules nothing out: so there are fewer statements to prepare.

    Raises:
        BadUserInput: it asks for no kind at all.
    """
    if asked.kinds is not None and not asked.kinds:
        raise BadUserInput("`kinds` is empty; leave it out to get events of every kind")
    everywhere = asked.platforms is not None and set(asked.platforms) == set(Platform)
    return asked._replace(platforms=None) if everywhere else asked


async def _page(
    call: Call,
    holder: Holder,
    request: PageRequest,
    asked: EventFilter,
    *,
    after: int | None,
    before: int | None,
) -> Page[EventRow]:
    """A page between two numbers."""
    numbered = request._replace(
        after=None if after is None else write_cursor([after]),
        before=None if before is None else write_cursor([before]),
    )
    given = {name: value for name, value in asked._asdict().items() if value is not None}
    listed = _listed(isinstance(holder, Personal), frozenset(given))
    return await listed.page(call, numbered, viewer_id=call.viewer.user_id, **_named(holder), **given)


@cache
def _listed(is_personal: bool, given: frozenset[str]) -> PreparedList[EventRow]:
    """The histories of Personals, or of Workspaces, as far as these filters let pass."""
    name, column = _PLACES[is_personal]
    place = Personal(access.SOMEBODY.user_id) if is_personal else access.SOME_WORKSPACE
    return PreparedList(
        sa.select(*columns(Event, EventRow)).where(
            access.sees_event(access.SOMEBODY, place),
            *(condition for name, condition in _FILTERS.items() if name in given),
        ),
        EventRow,
        within={name: column},
        order=[col(Event.seq)],
    )


async def _check_kept(call: Call, holder: Holder, after: int, found: Sequence[EventRow]) -> None:
    """Make sure that all events after this one are kept; a number that was never taken has none either.

    `found` are events after it, of which there may be more.
    """
    if found and found[0].seq == after + 1:
        return
    # Before the next statement: what is written in between was kept.
    standing = await access.standing(call, holder)
    oldest = _OLDEST[isinstance(holder, Personal)]
    (following,) = await call.rows(oldest, after=after, **_named(holder))
    if following != after + 1 and (standing is None or following is not None or standing[0] != after):
        raise CursorExpired


def _named(holder: Holder) -> dict[str, object]:
    user_id, workspace_id = columns_of(holder)
    return {"workspace_id": workspace_id} if user_id is None else {"user_id": user_id}


_FILTERS: Mapping[str, sa.ColumnElement[bool]] = {
    "kinds": one_of(col(Event.kind), "kinds"),
    "platforms": sa.or_(col(Event.platform).is_(None), one_of(col(Event.platform), "platforms")),
    "actor_id": col(Event.actor_id) == sa.bindparam("actor_id", type_=sa.Uuid()),
    "hold_id": col(Event.subject_id) == sa.bindparam("hold_id", type_=sa.Uuid()),
    "since": col(Event.created_at) >= sa.bindparam("since", type_=UtcDateTime()),
    "until": col(Event.created_at) < sa.bindparam("until", type_=UtcDateTime()),
}
# Is it a Personal? Then this column says whose events these are.
_PLACES: Mapping[bool, tuple[str, Any]] = {
    True: ("user_id", col(Event.user_id)),
    False: ("workspace_id", col(Event.workspace_id)),
}
_OLDEST = {
    is_personal: Prepared[int | None](
        sa.select(sa.func.min(col(Event.seq))).where(
            column == sa.bindparam(name, type_=sa.Uuid()),
            col(Event.seq) > sa.bindparam("after", type_=sa.BigInteger()),
        ),
        lambda seq: seq,
    )
    for is_personal, (name, column) in _PLACES.items()
}
