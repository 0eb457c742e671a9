"""Pages of social accounts, with what the operation asks of the accounts and not much more."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from typing import Any

from graphql_api.domain.faults import Fault
from graphql_api.domain.holders import Holder, Personal, Role, Workspace
from graphql_api.domain.listing import Listing
from graphql_api.schema.accounts.facebook_account import FacebookAccount
from graphql_api.schema.accounts.social_account import (
    ATTRIBUTES,
    NOT_READ,
    TYPES,
    SocialAccount,
    shape_social_account,
)
from graphql_api.schema.context import Info
from graphql_api.schema.ids import write_id
from graphql_api.schema.lookahead import Asked, asked_of_nodes
from graphql_api.schema.nodes import Connection, setter
from graphql_api.services.accounts import listing
from graphql_api.services.accounts.health import COLUMNS as HEALTH
from graphql_api.services.accounts.listing import LOGIN
from graphql_api.services.calls.pages import Page, PageRequest
from graphql_api.storage.rows import SocialAccountRow

# What every page reads of its accounts: texts, ids, and what it is sorted by. They are cheap, and who asks for
# each of them in turn would have a statement prepared for each choice.
_ALWAYS = frozenset(
    {
        *(
            "id",
            "hold_id",
            "platform",
            "external_id",
            "display_name",
            "nickname",
            "profile_picture_url",
            "facebook_page_id",
        ),
        "created_at",
    }
)
# What is read only where a field asks for it: points in time, and what has to be joined or converted.
_COLUMNS: Mapping[str, Sequence[str]] = {
    "updatedAt": ("updated_at",),
    "connectedBy": ("connected_by_id",),
    "health": HEALTH,
    "facebookAccount": (
        "facebook_account_id",
        *(LOGIN + column for column in ("id", "facebook_user_id", "location")),
    ),
}
_OF_LOGIN: Mapping[str, Sequence[str]] = {
    "createdAt": ("created_at", "updated_at"),
    "updatedAt": ("created_at", "updated_at"),
    "health": HEALTH,
}


async def list_held(
    info: Info, request: PageRequest, holder: Holder, asked: Listing, *, role: Role | None = None
) -> Connection[SocialAccount]:
    """A page of what a place holds, as far as the viewer sees it, and of that, what the operation asks for."""
    fields = asked_of_nodes(info)
    shape = _shape(fields)
    page = await listing.page(info.context.call, request, holder, asked, shape.columns, role=role)
    connection: Connection[SocialAccount] = Connection.of(page, shape.accounts(holder))
    await _prefetch(info, fields, connection.nodes)
    return connection


async def shape_page(info: Info, page: Page[SocialAccountRow]) -> Connection[SocialAccount]:
    """Shape a page of social accounts, with what the operation asks of them fetched for all at once."""
    connection: Connection[SocialAccount] = Connection.of(page, shape_social_account)
    await _prefetch(info, asked_of_nodes(info), connection.nodes)
    return connection


@lru_cache(1000)
def _shape(fields: Asked) -> "_Shape":
    """What makes accounts for these fields."""
    columns = _ALWAYS.union(*(_COLUMNS.get(field, ()) for field in fields.fields))
    for field in fields.fields.get("facebookAccount", frozenset()):
        columns |= {LOGIN + column for column in _OF_LOGIN.get(field, ())}
    # Those of the Facebook account come last.
    in_order = sorted(columns, key=lambda column: (column.startswith(LOGIN), column))
    return _shape_of(tuple(in_order), has_id="id" in fields)


@lru_cache(1000)
def _shape_of(columns: tuple[str, ...], *, has_id: bool) -> "_Shape":
    return _Shape(columns, has_id=has_id)


class _Shape:
    """Makes accounts of rows with these columns only: their other attributes are not there.

    An operation that does not ask for them does not read them either; if one did, it would fail loudly.
    """

    def __init__(self, columns: tuple[str, ...], *, has_id: bool) -> None:
        self.columns = columns
        names = [ATTRIBUTES.get(column, column) for column in columns if not column.startswith(LOGIN)]
        self._fill = setter(names)
        self._has_id = has_id
        self._platform_at = columns.index("platform")
        self._login = slice(len(names), len(columns))
        self._login_columns = [column.removeprefix(LOGIN) for column in columns[self._login]]
        self._login_at = columns.index(f"{LOGIN}id") if self._login_columns else None

    def accounts(self, holder: Holder) -> Callable[[Sequence[Any]], SocialAccount]:
        """What makes the accounts of one page."""
        make, fill, has_id, login_at = object.__new__, self._fill, self._has_id, self._login_at
        platform_at = self._platform_at
        logins: dict[object, FacebookAccount | None] = {None: None}  # twenty accounts have one and the same

        def account_of(row: Sequence[Any]) -> SocialAccount:
            kind = TYPES[row[platform_at]]
            account: SocialAccount = make(kind)
            fill(account, row)
            account.held_by = holder
            if has_id:
                account.id = write_id(kind.__name__, account.hold_id)
            if login_at is not None:
                login_id = row[login_at]
                if login_id not in logins:
                    logins[login_id] = self._facebook_account(row)
                account.login = logins[login_id]
            return account

        return account_of

    def _facebook_account(self, row: Sequence[Any]) -> FacebookAccount:
        return FacebookAccount.partly(dict(zip(self._login_columns, row[self._login], strict=True)))


async def _prefetch(info: Info, asked: Asked, accounts: Sequence[SocialAccount]) -> None:
    """Load what the fields of all these accounts will ask for, each kind in one statement.

    They are held by one place, and were read alike.
    """
    if not accounts:
        return
    loaders, place, login = info.context.loaders, accounts[0].held_by, accounts[0].login
    with suppress(Fault):  # each field that asks for it then tells of it
        if "facebookAccount" in asked and login is NOT_READ:
            await loaders.facebook_accounts.fetch(
                [a.facebook_account_id for a in accounts if a.facebook_account_id]
            )
        if "connectedTeams" in asked and isinstance(place, Workspace):
            await loaders.teams_of_social_accounts.fetch([a.row_id for a in accounts])
        if "connectedBy" in asked:
            await loaders.users.fetch([a.connected_by_id for a in accounts if a.connected_by_id])
        if "holder" in asked and isinstance(place, Personal):
            await loaders.users.fetch([place.user_id])
        elif "holder" in asked and isinstance(place, Workspace):
            await loaders.workspaces.fetch([place.workspace_id])
