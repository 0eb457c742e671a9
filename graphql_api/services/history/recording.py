"""Writing what happened, in the same transaction as the change itself. `events` reads it."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from graphql_api.domain.events import NewEvent
from graphql_api.domain.holders import Holder, Personal, columns_of
from graphql_api.services.calls.call import Call
from graphql_api.storage.statements import keep_past_shares
from graphql_api.storage.tables import Event, User, Workspace


async def record(
    session: AsyncSession,
    call: Call,
    events: Sequence[NewEvent],
    *,
    held: Mapping[Holder, int] | None = None,
    actor_id: UUID | None = None,
) -> None:
    """Write events into the histories of their holders, whose rows the caller has locked.

    `held` is by how much the number of social accounts that a holder holds has changed.
    """
    now = call.now
    actor_id = actor_id or (call.caller.user_id if call.caller else None)
    # Whoever writes has locked the actor's row, so the session knows it.
    actor = None if actor_id is None else await session.get(User, actor_id)
    by_holder: dict[Holder, list[NewEvent]] = defaultdict(list)
    for event in events:
        by_holder[event.holder].append(event)
    # Holders of a kind with as much to count are one statement: a Workspace that goes tells many people.
    alike: dict[tuple[bool, int, int], list[Holder]] = defaultdict(list)
    for holder, its_events in by_holder.items():
        count = (held or {}).get(holder, 0)
        alike[isinstance(holder, Personal), len(its_events), count].append(holder)
    rows: list[dict[str, object]] = []
    ended: list[tuple[UUID, UUID, int]] = []
    for (_, events_each, held_each), holders in alike.items():
        last = await _advance(session, holders, events_each, held_each, now)
        for holder in holders:
            for seq, event in enumerate(by_holder[holder], start=last[holder] - events_each + 1):
                rows.append(_row(event, seq, actor, call.request_id, now))
                if event.subject_id is not None:
                    ended += [(event.subject_id, team_id, seq) for team_id in event.ends_shares_with]
    if rows:
        await session.execute(sa.insert(Event), rows)
    if ended:
        await keep_past_shares(session, ended)
    call.touched.update(by_holder)


async def _advance(
    session: AsyncSession, holders: Sequence[Holder], events: int, held: int, now: datetime
) -> dict[Holder, int]:
    """Take numbers for the next events of holders of one kind; returns the last one that each took."""
    by_id = {
        holder.user_id if isinstance(holder, Personal) else holder.workspace_id: holder for holder in holders
    }
    table = User if isinstance(holders[0], Personal) else Workspace
    taken = await session.execute(
        sa.update(table)
        .where(col(table.id).in_(by_id))
        .values(
            event_seq=col(table.event_seq) + events,
            held_count=col(table.held_count) + held,
            updated_at=now,
        )
        .returning(col(table.id), col(table.event_seq))
        .execution_options(synchronize_session=False)
    )
    return {by_id[holder_id]: last for holder_id, last in taken}


def _row(event: NewEvent, seq: int, actor: User | None, request_id: str, now: datetime) -> dict[str, object]:
    user_id, workspace_id = columns_of(event.holder)
    actor = None if event.hides_actor else actor
    return {
        "user_id": user_id,
        "workspace_id": workspace_id,
        "seq": seq,
        "kind": event.kind,
        "actor_id": None if actor is None else actor.id,
        "actor_name": None if actor is None else actor.name,
        "subject_id": event.subject_id,
        "subject_name": event.subject_name,
        "platform": event.platform,
        "request_id": request_id,
        "details": dict(event.details),
        "created_at": now,
    }
