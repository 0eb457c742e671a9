"""Writing what happened, in the same transaction as the change itself. `services.events` reads it."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from graphql_api.domain.events import NewEvent
from graphql_api.domain.holders import Holder, Personal, columns_of
from graphql_api.services.call import Call
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
    by_holder: dict[Holder, list[NewEvent]] = defaultdict(list)
    for event in events:
        by_holder[event.holder].append(event)
    rows: list[dict[str, object]] = []
    ended: list[tuple[UUID, UUID, int]] = []
    for holder, its_events in by_holder.items():
        last = await _advance(session, holder, len(its_events), (held or {}).get(holder, 0), now)
        for seq, event in enumerate(its_events, start=last - len(its_events) + 1):
            rows.append(_row(event, seq, actor_id, call.request_id, now))
            if event.subject_id is not None:
                ended += [(event.subject_id, team_id, seq) for team_id in event.ends_shares_with]
    if rows:
        await session.execute(sa.insert(Event), rows)
    if ended:
        await keep_past_shares(session, ended)
    call.touched.update(by_holder)


async def _advance(session: AsyncSession, holder: Holder, events: int, held: int, now: datetime) -> int:
    """Take numbers for the holder's next events; returns the last one taken."""
    table, holder_id = (
        (User, holder.user_id) if isinstance(holder, Personal) else (Workspace, holder.workspace_id)
    )
    last: int = (
        await session.execute(
            sa.update(table)
            .where(col(table.id) == holder_id)
            .values(
                event_seq=col(table.event_seq) + events,
                held_count=col(table.held_count) + held,
                updated_at=now,
            )
            .returning(col(table.event_seq))
            .execution_options(synchronize_session=False)
        )
    ).scalar_one()
    return last


def _row(
    event: NewEvent, seq: int, actor_id: UUID | None, request_id: str, now: datetime
) -> dict[str, object]:
    user_id, workspace_id = columns_of(event.holder)
    return {
        "user_id": user_id,
        "workspace_id": workspace_id,
        "seq": seq,
        "kind": event.kind,
        "actor_id": actor_id,
        "subject_id": event.subject_id,
        "request_id": request_id,
        "details": dict(event.details),
        "created_at": now,
    }
