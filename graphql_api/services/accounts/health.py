"""Health in statements: the state of an account as `domain.health` reads it, for filters and counts."""

from collections.abc import Collection, Mapping
from typing import Any

import sqlalchemy as sa
from sqlmodel import col

from graphql_api.domain.health import SOON, AccessHealthState
from graphql_api.domain.holders import Holder, Personal
from graphql_api.domain.platforms import Platform
from graphql_api.services.calls import access
from graphql_api.services.calls.call import Call
from graphql_api.storage.columns import UtcDateTime
from graphql_api.storage.prepared import Prepared, one_of
from graphql_api.storage.tables import SocialAccount

COLUMNS = ("proof_source", "checked_at", "health_since", "health_problem", "health_details", "breaks_at")


async def summary(
    call: Call, holder: Holder, platforms: Collection[Platform]
) -> Mapping[AccessHealthState, int]:
    """How many of the accounts of a place that the viewer sees are in each state."""
    place = (
        {"user_id": holder.user_id} if isinstance(holder, Personal) else {"workspace_id": holder.workspace_id}
    )
    statement = _IN_PERSONAL if isinstance(holder, Personal) else _IN_WORKSPACE
    viewer_id = call.viewer.user_id
    found = await call.rows(statement, viewer_id=viewer_id, platforms=platforms, **place, **values(call))
    return {AccessHealthState(state): number for state, number in found}


def values(call: Call, states: Collection[AccessHealthState] | None = None) -> dict[str, object]:
    """The parameters of `state_of`, and of `in_states`."""
    meta, now = call.services.meta, call.now
    return {
        "health_source": meta.source if meta else None,
        "health_now": now,
        "health_soon": now + SOON,
        "health_states": states,
    }


def in_states(table: Any) -> sa.ColumnElement[bool]:
    """Whether an account is in one of the states of the parameter `health_states`."""
    return one_of(state_of(table), "health_states")


def state_of(table: Any) -> sa.ColumnElement[str]:
    """The state of an account, whose columns these are. A test compares it with `domain.health.health_of`."""
    source, now, soon = (
        sa.bindparam("health_source", type_=sa.String()),
        sa.bindparam("health_now", type_=UtcDateTime()),
        sa.bindparam("health_soon", type_=UtcDateTime()),
    )
    return sa.case(
        (sa.and_(table.checked_at.is_not(None), table.proof_source == source), _known(table, now, soon)),
        else_=_text(AccessHealthState.UNVERIFIED),
    )


def _known(table: Any, now: Any, soon: Any) -> sa.ColumnElement[str]:
    broken = sa.or_(table.health_problem.is_not(None), table.breaks_at <= now)
    return sa.case(
        (broken, _text(AccessHealthState.BROKEN)),
        (table.breaks_at < soon, _text(AccessHealthState.BREAKING_SOON)),
        else_=_text(AccessHealthState.WORKING),
    )


def _text(state: AccessHealthState) -> sa.ColumnElement[str]:
    return sa.literal_column(f"'{state.value}'", sa.String())


def _summed(place: sa.ColumnElement[bool]) -> Prepared[Any]:
    state = state_of(SocialAccount)
    return Prepared(
        sa.select(state, sa.func.count())
        .where(
            place,
            one_of(col(SocialAccount.platform), "platforms"),
            access.sees_social_account(access.SOMEBODY),
        )
        .group_by(sa.literal_column("1"))
    )


_IN_PERSONAL = _summed(col(SocialAccount.holder_user_id) == sa.bindparam("user_id", type_=sa.Uuid()))
_IN_WORKSPACE = _summed(col(SocialAccount.holder_workspace_id) == access.SOME_WORKSPACE.workspace_id)
