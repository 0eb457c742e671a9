"""Listing the social accounts of a place, page by page, at a cost that does not grow with the list.

If the viewer sees all of them, an index is walked that has them in order. A creator's are found by what is
shared with their teams. If that is little, it is read and sorted. If it is much, the same index is walked,
and what is not shared is passed over, which is then less than half a hundred for each account that is shown.
"""

from collections.abc import Sequence
from enum import Enum
from functools import cache, lru_cache
from typing import Any, NamedTuple, cast
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col

from graphql_api.domain.holders import Holder, Personal, Role
from graphql_api.domain.listing import Listing, OrderDirection, SocialAccountOrderField
from graphql_api.domain.permissions import Action, may
from graphql_api.services.accounts import health
from graphql_api.services.calls import access, searching
from graphql_api.services.calls.call import Call
from graphql_api.services.calls.pages import Page, PageRequest, PreparedList
from graphql_api.storage.prepared import Prepared, one_of
from graphql_api.storage.tables import FacebookAccount, Share, SocialAccount

MOST_LISTS = 800  # prepared, of six views in four orders with 24 sets of columns, searched or filtered or not
FEW = 2000  # shared accounts that are read and sorted for each page
LOGIN = "login_"  # begins the names of the columns of the Facebook account behind a social account


class _View(Enum):
    """Which accounts of a place are listed, and how they are found."""

    PERSONAL = "PERSONAL"
    WORKSPACE = "WORKSPACE"
    FEW_SHARED = "FEW_SHARED"
    MANY_SHARED = "MANY_SHARED"


class _Form(NamedTuple):
    """What makes two lists take different statements. `of_team`: only what is shared with one team."""

    view: _View
    sees_all: bool
    of_team: bool
    is_searched: bool
    of_health: bool
    order: SocialAccountOrderField
    direction: OrderDirection
    columns: tuple[str, ...]


async def page(
    call: Call,
    request: PageRequest,
    holder: Holder,
    listing: Listing,
    columns: tuple[str, ...],
    *,
    role: Role | None = None,
) -> Page[Sequence[Any]]:
    """The social accounts of a place that the viewer may see; each item begins with the columns asked for.

    `columns` are names of `SocialAccountRow`, and, after `LOGIN`, of `FacebookAccountRow`: all None where
    that is not the viewer's own. `role` is what the viewer is known to be there; the statement makes sure
    of it.

    Raises:
        BadUserInput: the page's arguments, its cursors or the search cannot be used.
    """
    pattern = searching.pattern(listing.search)
    sees_all, of_team = may(role, Action.SEE_EVERY_ACCOUNT), listing.team_id is not None
    values: dict[str, object] = {"viewer_id": call.viewer.user_id, "platforms": listing.platforms}
    values |= {"pattern": pattern, "team_id": listing.team_id, **health.values(call, listing.health_states)}
    if isinstance(holder, Personal):
        view, values["user_id"] = _View.PERSONAL, holder.user_id
    else:
        view, values["workspace_id"] = _View.WORKSPACE, holder.workspace_id
        if of_team or not sees_all:
            shared = await call.rows(_some_shared(sees_all=sees_all, of_team=of_team), **values)
            view = _View.FEW_SHARED if len(shared) <= FEW else _View.MANY_SHARED
            values["shared"] = shared
    of_health = listing.health_states is not None
    form = _Form(view, sees_all, of_team, bool(pattern), of_health, listing.order, listing.direction, columns)
    return await _prepare(form).page(call, request, **values)


@lru_cache(MOST_LISTS)
def _prepare(form: _Form) -> PreparedList[Sequence[Any]]:
    """The list of a place in an order, with the columns that were asked for."""
    held: Any = _ACCOUNTS
    is_personal = form.view is _View.PERSONAL
    if is_personal:
        visible: Any = access.SOMEBODY.user_id == held.c.holder_user_id
    elif form.view is _View.WORKSPACE:
        visible = access.may_there(access.SOMEBODY, access.SOME_WORKSPACE, Action.SEE_EVERY_ACCOUNT)
    else:
        shared = access.shared_in_teams(sees_all=form.sees_all, of_team=form.of_team)
        visible = shared.where(col(Share.social_account_id) == held.c.id).correlate(held).exists()
    if form.view is _View.FEW_SHARED:
        # Named one by one, and fenced off: else a planner may walk the whole list in its order for them.
        few = sa.select(*(column for column in held.c if column.name != "access_token"))
        held = few.where(one_of(held.c.id, "shared"), visible).cte("few").prefix_with("MATERIALIZED")
        visible = sa.true()
    statement: Any = sa.select(*(_column(held, name) for name in form.columns)).select_from(held)
    if any(name.startswith(LOGIN) for name in form.columns):
        statement = statement.outerjoin(
            FacebookAccount,
            sa.and_(
                col(FacebookAccount.id) == held.c.facebook_account_id,
                col(FacebookAccount.user_id) == access.SOMEBODY.user_id,
            ),
        )
    if form.is_searched:
        names = (held.c.display_name_key, sa.func.lower(held.c.nickname))
        statement = statement.where(searching.matches(*names))
    if form.of_health:
        statement = statement.where(health.in_states(held.c))
    by_name = form.order is SocialAccountOrderField.DISPLAY_NAME
    return PreparedList(
        statement.where(one_of(held.c.platform, "platforms"), visible),
        within={"user_id": held.c.holder_user_id}
        if is_personal
        else {"workspace_id": held.c.holder_workspace_id},
        order=[held.c.display_name_key if by_name else held.c.created_at, held.c.hold_id],
        descending=form.direction is OrderDirection.DESC,
    )


_ACCOUNTS = cast("sa.Table", SocialAccount.__table__)  # type: ignore[attr-defined]  # SQLModel does not type it


def _column(held: Any, name: str) -> Any:
    if name.startswith(LOGIN):
        return col(getattr(FacebookAccount, name.removeprefix(LOGIN)))
    return held.c[name]


@cache
def _some_shared(*, sees_all: bool, of_team: bool) -> Prepared[UUID]:
    """The rows that are shared, as long as they are few, and one more."""
    shared = access.shared_in_teams(sees_all=sees_all, of_team=of_team)
    return Prepared(shared.limit(FEW + 1), lambda row_id: row_id)
