"""Listing the social accounts of a place, page by page, at a cost that does not grow with the list.

Whoever sees all of them walks an index that has them in order. A creator's are found by what is shared
with their teams: if that is little, it is read and sorted; if it is much, the same index is walked, and
what is not shared is passed over, which is then less than half a hundred for each account that is shown.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col, select

from graphql_api.domain.faults import BadUserInput
from graphql_api.domain.holders import Holder, Personal, Role, columns_of
from graphql_api.domain.listing import LONGEST_SEARCH, Listing, OrderDirection, SocialAccountOrderField
from graphql_api.services.calls import access
from graphql_api.services.calls.call import Call
from graphql_api.services.calls.pages import Page, PageRequest, PreparedList, read_page
from graphql_api.storage.prepared import one_of
from graphql_api.storage.tables import FacebookAccount, Share, SocialAccount

MOST_LISTS = 200  # prepared: 24 sets of columns in four orders, for two kinds of places
FEW = 2000  # shared accounts that are read and sorted for each page
_SIZES = (20, 100, 500, FEW)


class NotRead(Enum):
    """In the place of a value that was not read along."""

    NOT_READ = "NOT_READ"


NOT_READ = NotRead.NOT_READ
LOGIN = "login_"  # begins the names of the columns of the Facebook account behind a social account


async def page(
    call: Call,
    request: PageRequest,
    holder: Holder,
    listing: Listing,
    columns: tuple[str, ...],
    *,
    role: Role | None = None,
) -> Page[Sequence[Any]]:
    """The social accounts of a place, those that the viewer may see; each begins with the columns asked for.

    `columns` are names of `SocialAccountRow`, and, after `LOGIN`, of `FacebookAccountRow`: all None where
    that is not the viewer's own, and all `NOT_READ` where it would take another statement. `role` is what
    the viewer is known to be there; the statement makes sure of it.

    Raises:
        BadUserInput: the page's arguments, its cursors or the search cannot be used.
    """
    if (
        listing.team_id is None
        and not listing.search
        and (role is Role.ADMIN or isinstance(holder, Personal))
    ):
        return await _whole_page(call, request, holder, listing, columns)
    held = await _visible(call, holder, role, listing.team_id)
    statement = held.statement.where(col(held.entity.platform).in_(listing.platforms))
    term = _search_term(listing.search)
    if term:
        statement = statement.where(
            sa.or_(
                col(held.entity.display_name_key).contains(term, autoescape=True),
                sa.func.lower(col(held.entity.nickname)).contains(term, autoescape=True),
            )
        )
    by_name = listing.order is SocialAccountOrderField.DISPLAY_NAME
    found = await read_page(
        call,
        statement,
        request,
        within=[_place(held.entity, holder)],
        order=[
            col(held.entity.display_name_key if by_name else held.entity.created_at),
            col(held.entity.hold_id),
        ],
        descending=listing.direction is OrderDirection.DESC,
    )
    return found.map(
        lambda account: [NOT_READ if name.startswith(LOGIN) else getattr(account, name) for name in columns]
    )


async def _whole_page(
    call: Call, request: PageRequest, holder: Holder, listing: Listing, columns: tuple[str, ...]
) -> Page[Sequence[Any]]:
    """A page for whoever sees everything that the place holds."""
    values = {"viewer_id": call.viewer.user_id, "platforms": listing.platforms}
    if isinstance(holder, Personal):
        values["user_id"] = holder.user_id
    else:
        values["workspace_id"] = holder.workspace_id
    in_order = _prepare(isinstance(holder, Personal), listing.order, listing.direction, columns)
    return await in_order.page(call, request, **values)


@lru_cache(MOST_LISTS)
def _prepare(
    is_personal: bool,
    order: SocialAccountOrderField,
    direction: OrderDirection,
    columns: tuple[str, ...],
) -> PreparedList[Sequence[Any]]:
    """The list of a place in an order, with the columns that were asked for."""
    if is_personal:
        visible: Any = access.SOMEBODY.user_id == col(SocialAccount.holder_user_id)
        within = {"user_id": col(SocialAccount.holder_user_id)}
    else:
        visible = access.is_admin(access.SOMEBODY, access.SOME_WORKSPACE)
        within = {"workspace_id": col(SocialAccount.holder_workspace_id)}
    held: Any = sa.select(*map(_column, columns)).select_from(SocialAccount)
    if any(name.startswith(LOGIN) for name in columns):
        held = held.outerjoin(
            FacebookAccount,
            sa.and_(
                col(FacebookAccount.id) == col(SocialAccount.facebook_account_id),
                col(FacebookAccount.user_id) == access.SOMEBODY.user_id,
            ),
        )
    return PreparedList(
        held.where(one_of(col(SocialAccount.platform), "platforms"), visible),
        within=within,
        order=[_SORTED_BY[order], col(SocialAccount.hold_id)],
        descending=direction is OrderDirection.DESC,
    )


def _column(name: str) -> Any:
    if name.startswith(LOGIN):
        return col(getattr(FacebookAccount, name.removeprefix(LOGIN)))
    return col(getattr(SocialAccount, name))


_SORTED_BY: Mapping[SocialAccountOrderField, Any] = {
    SocialAccountOrderField.CONNECTED_AT: col(SocialAccount.created_at),
    SocialAccountOrderField.DISPLAY_NAME: col(SocialAccount.display_name_key),
}


@dataclass(frozen=True, slots=True)
class _Visible:
    """A select of what the viewer may see, and the entity that its columns are of."""

    statement: Any
    entity: Any = SocialAccount


async def _visible(call: Call, holder: Holder, role: Role | None, team_id: UUID | None) -> _Visible:
    if isinstance(holder, Personal):
        return _Visible(select(SocialAccount).where(access.owns(call.viewer, holder)))
    if role is Role.ADMIN and team_id is None:
        return _Visible(select(SocialAccount).where(access.is_admin(call.viewer, holder)))
    shared = access.shared_with_teams(call.viewer, holder, role, team_id)
    is_shared = (
        shared.where(col(Share.social_account_id) == col(SocialAccount.id)).correlate(SocialAccount).exists()
    )
    ids = (await call.read(lambda session: session.scalars(shared.limit(FEW + 1)))).all()
    if len(ids) > FEW:
        return _Visible(select(SocialAccount).where(is_shared))
    # Named one by one, and fenced off: no planner then prefers to walk the whole list in its order for them.
    column, value = _place(SocialAccount, holder)
    few = (
        sa.select(SocialAccount)
        .where(col(SocialAccount.id).in_(_padded(ids)), column == value, is_shared)
        .cte("few")
        .prefix_with("MATERIALIZED")
    )
    entity = sa.orm.aliased(SocialAccount, few)
    return _Visible(select(entity), entity)


def _padded(ids: Sequence[UUID]) -> list[UUID]:
    """The ids, some of them repeated: so there are few statements to prepare, whatever their number is."""
    size = next(size for size in _SIZES if size >= len(ids))
    return [*ids, *[ids[0] if ids else UUID(int=0)] * (size - len(ids))]


def _place(entity: Any, holder: Holder) -> tuple[Any, object]:
    """The column that a place is in, and the place."""
    user_id, workspace_id = columns_of(holder)
    if user_id is not None:
        return col(entity.holder_user_id), user_id
    return col(entity.holder_workspace_id), workspace_id


def _search_term(search: str | None) -> str:
    term = (search or "").strip().lower()
    if len(term) > LONGEST_SEARCH or not term.isprintable():
        raise BadUserInput(f"`search` is at most {LONGEST_SEARCH} printable characters")
    return term
