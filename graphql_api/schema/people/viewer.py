"""The viewer: what is private to the authenticated caller."""

from typing import Annotated

import strawberry

from graphql_api.domain.claims import Platform
from graphql_api.domain.faults import Unauthenticated
from graphql_api.domain.holders import Personal, Role
from graphql_api.schema.accounts.access_request import AccessRequest
from graphql_api.schema.accounts.facebook_account import FacebookAccount
from graphql_api.schema.accounts.listing import OrderBy, Platforms, Search, read_listing
from graphql_api.schema.accounts.pages import list_held
from graphql_api.schema.accounts.social_account import SocialAccount
from graphql_api.schema.context import Info
from graphql_api.schema.history.event import EVENTS, EVENTS_CURSOR, Event
from graphql_api.schema.nodes import After, Before, Connection, First, Last, page_request
from graphql_api.schema.people.api_token import ApiToken
from graphql_api.schema.people.user import User
from graphql_api.schema.workspaces.workspace import StatusFilter, Workspace
from graphql_api.services.accounts import access_requests, facebook_accounts
from graphql_api.services.history import events
from graphql_api.services.people import api_tokens
from graphql_api.services.workspaces import workspaces
from graphql_api.storage.rows import AnyUser


@strawberry.type(description="The authenticated caller, with what is private to them.")
class Viewer:
    """Whoever the bearer token stands for."""

    @strawberry.field(description="The viewer as others see them.")
    def user(self, info: Info) -> User:
        """The viewer's own row, which is there already."""
        return info.context.loaders.users.get(info.context.call.viewer.user_id, _user)

    @strawberry.field(
        description="Whether the viewer has shown, by a code that was mailed there, that their e-mail address is theirs: "
        "see `verifyEmail`."
    )
    def email_verified(self, info: Info) -> bool:
        """By the viewer's own row."""
        return info.context.loaders.users.get(info.context.call.viewer.user_id, _is_verified)

    @strawberry.field(description="How many social accounts the viewer's Personal may hold.")
    def account_limit(self, info: Info) -> int:
        """As the operator has set it."""
        return info.context.call.services.rules.max_accounts_per_holder

    @strawberry.field(description="How many social accounts the viewer's Personal holds.")
    def accounts_used(self, info: Info) -> int | None:
        """Looked up, and so nullable."""
        return info.context.loaders.users.get(info.context.call.viewer.user_id, _held_count)

    @strawberry.field(description="The viewer's API tokens that work now, the newest first.")
    async def api_tokens(
        self, info: Info, first: First = None, after: After = None, last: Last = None, before: Before = None
    ) -> Connection[ApiToken]:
        """A page of them."""
        call = info.context.call
        page = await api_tokens.page(call, page_request(first, after, last, before))
        return Connection.of(page, ApiToken.of)

    @strawberry.field(description="The viewer's Facebook accounts, in the order of connecting.")
    async def facebook_accounts(
        self, info: Info, first: First = None, after: After = None, last: Last = None, before: Before = None
    ) -> Connection[FacebookAccount]:
        """A page of them."""
        call = info.context.call
        page = await facebook_accounts.page(call, page_request(first, after, last, before))
        return Connection.of(page, FacebookAccount.of)

    @strawberry.field(description="The Workspaces that the viewer belongs to, in the order of joining.")
    async def workspaces(
        self,
        info: Info,
        role: Annotated[
            Role | None, strawberry.argument(description="Only those where the viewer has this role.")
        ] = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[Workspace]:
        """A page of them."""
        call = info.context.call
        page = await workspaces.page(call, page_request(first, after, last, before), role=role)
        return Connection.of(page, lambda row: Workspace.of(*row))

    @strawberry.field(description=EVENTS)
    async def events(
        self, info: Info, first: First = None, after: After = None, last: Last = None, before: Before = None
    ) -> Connection[Event]:
        """A page of them."""
        call = info.context.call
        holder = Personal(call.viewer.user_id)
        page = await events.page(call, page_request(first, after, last, before), holder)
        return Connection.of(page, lambda row: Event(row=row))

    @strawberry.field(description=EVENTS_CURSOR)
    async def events_cursor(self, info: Info) -> str | None:
        """Where the history is now."""
        call = info.context.call
        return await events.present_cursor(call, Personal(call.viewer.user_id))

    @strawberry.field(description="The social accounts that the viewer's Personal holds.")
    async def social_accounts(
        self,
        info: Info,
        platforms: Platforms = [Platform.INSTAGRAM],  # noqa: B006 - Strawberry prints it as the default
        order_by: OrderBy = None,
        search: Search = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[SocialAccount]:
        """A page of them."""
        return await list_held(
            info,
            page_request(first, after, last, before),
            Personal(info.context.call.viewer.user_id),
            read_listing(platforms, order_by, search),
        )

    @strawberry.field(
        description="The viewer's own requests for access to social accounts, the newest first, with what came of them."
    )
    async def access_requests(
        self,
        info: Info,
        status: StatusFilter = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[AccessRequest]:
        """A page of them."""
        call = info.context.call
        page = await access_requests.page(call, page_request(first, after, last, before), status=status)
        return Connection.of(page, AccessRequest.of)


def _user(row: AnyUser | None) -> User:
    return User.of(_own(row))


def _is_verified(row: AnyUser | None) -> bool:
    return _own(row).email_verified_at is not None


def _held_count(row: AnyUser | None) -> int:
    return _own(row).held_count


def _own(row: AnyUser | None) -> AnyUser:
    if row is None:
        raise Unauthenticated
    return row
