"""Reading what happened: pages of a place's history, and following it live.

A cursor is a place and the number of an event there. The numbers have no gaps, and are taken under the
place's lock: whoever has read up to one has missed nothing before it.
"""

import asyncio
import base64
import binascii
import random
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from graphql_api.domain.faults import BadUserInput, CursorExpired, Forbidden, TemporarilyUnavailable
from graphql_api.domain.holders import Holder, Personal, Role, columns_of
from graphql_api.services.calls import access
from graphql_api.services.calls.call import Call
from graphql_api.services.calls.live import Follower
from graphql_api.services.calls.pages import Page, PageRequest, PreparedList, write_cursor
from graphql_api.storage.rows import EventRow, columns
from graphql_api.storage.tables import Event

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


async def page(call: Call, request: PageRequest, holder: Holder) -> Page[EventRow]:
    """The events of a place that the viewer may see, the oldest first.

    Raises:
        BadUserInput: the page's arguments or cursors cannot be used.
        CursorExpired: events after the `after` are no longer kept.
    """
    before = None if request.before is None else read_cursor(holder, request.before, "before")
    after = None if request.after is None else read_cursor(holder, request.after)
    numbered = request._replace(
        after=None if after is None else write_cursor([after]),
        before=None if before is None else write_cursor([before]),
    )
    viewer_id = call.viewer.user_id
    if isinstance(holder, Personal):
        found = await _OWN.page(call, numbered, user_id=holder.user_id, viewer_id=viewer_id)
    else:
        found = await _A_WORKSPACES.page(
            call, numbered, workspace_id=holder.workspace_id, viewer_id=viewer_id
        )
    if after is not None:
        # Asked after the page was read: what is still kept now was kept then.
        await call.read(lambda session: _check_kept(session, call, holder, after))
    return replace(found, cursor=lambda index: cursor_of(holder, found.items[index].seq))


_OWN = PreparedList(
    sa.select(*columns(Event, EventRow)).where(col(Event.user_id) == access.SOMEBODY.user_id),
    EventRow,
    within={"user_id": col(Event.user_id)},
    order=[col(Event.seq)],
)
_A_WORKSPACES = PreparedList(
    sa.select(*columns(Event, EventRow)).where(access.sees_event(access.SOMEBODY, access.SOME_WORKSPACE)),
    EventRow,
    within={"workspace_id": col(Event.workspace_id)},
    order=[col(Event.seq)],
)


async def present_cursor(call: Call, holder: Holder) -> str | None:
    """The cursor after which come the events from now on; None for a place that is not the viewer's."""
    found = await call.read(lambda session: access.standing(session, call.viewer, holder))
    return None if found is None else cursor_of(holder, found[0])


async def follow(
    call: Call, holder: Holder, *, after: str | None, renew: Callable[[], None]
) -> AsyncGenerator[Event, None]:
    """The events of a place that the viewer may see, for ever: those after a cursor, then each as it happens.

    Holds no connection while it waits, and reads on only when what it read was taken. `renew` is called
    after each read: what was loaded for earlier events may have changed.

    Raises:
        BadUserInput: the cursor cannot be used.
        CursorExpired: events after the cursor are no longer kept.
        Forbidden: the viewer does not belong there, or does not any more.
    """
    live = call.services.live
    seq = None if after is None else read_cursor(holder, after)
    with live.following(call.viewer.user_id, holder) as follower:
        while True:
            follower.stirred.clear()  # before reading: what comes meanwhile is read the next time
            try:
                async with live.reading:
                    news = await _read_news(call, follower, seq)
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

    events: Sequence[Event]
    seq: int
    latest: int


async def _read_news(call: Call, follower: Follower, after: int | None) -> _News:
    holder = follower.holder

    async def read(session: AsyncSession) -> tuple[_News, Role | None]:
        standing = await access.standing(session, call.viewer, holder)
        if standing is None:
            raise Forbidden("There is no such Workspace, or you are not a member of it")
        latest, role = standing
        if after is None or after == latest:
            return _News((), latest, latest), role
        reach = min(latest, after + REACH)
        column, value = _list_of(holder)
        statement = (
            select(Event)
            .where(
                column == value,
                col(Event.seq) > after,
                col(Event.seq) <= reach,
                access.sees_event(call.viewer, holder),
            )
            .order_by(column, col(Event.seq))
            .limit(BATCH)
        )
        events = (await session.scalars(statement)).all()
        if not events or events[0].seq != after + 1:
            await _check_kept(session, call, holder, after)
        return _News(events, events[-1].seq if len(events) == BATCH else reach, latest), role

    news, role = await call.read(read)
    follower.know(news.latest, role)
    return news


async def _check_kept(session: AsyncSession, call: Call, holder: Holder, after: int) -> None:
    """Make sure that all events after this one are kept; a number that was never taken has none either."""
    column, value = _list_of(holder)
    oldest = select(sa.func.min(Event.seq)).where(column == value, col(Event.seq) > after)
    standing = await access.standing(session, call.viewer, holder)
    following = (await session.scalars(oldest)).one()
    if following != after + 1 and (standing is None or following is not None or standing[0] != after):
        raise CursorExpired


def _list_of(holder: Holder) -> tuple[Any, object]:
    user_id, workspace_id = columns_of(holder)
    if user_id is not None:
        return col(Event.user_id), user_id
    return col(Event.workspace_id), workspace_id
