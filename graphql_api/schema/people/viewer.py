"""The viewer: what is private to the authenticated caller."""

from typing import Annotated

import strawberry

from graphql_api.domain.faults import Unauthenticated
from graphql_api.domain.holders import Personal, Role
from graphql_api.schema.accounts.access_request import AccessRequest
from graphql_api.schema.accounts.facebook_account import FacebookAccount
from graphql_api.schema.accounts.health import HealthStates, HealthSummary
from graphql_api.schema.accounts.listing import PLATFORMS, OrderBy, Platforms, Search, read_listing
from graphql_api.schema.accounts.pages import list_held
from graphql_api.schema.accounts.social_account import SocialAccount
from graphql_api.schema.accounts.transfer_request import TransferRequest
from graphql_api.schema.context import Info
from graphql_api.schema.described import connection, output, resolved
from graphql_api.schema.history.event import EVENTS_CURSOR, Event
from graphql_api.schema.history.filtering import (
    ActorId,
    EventPlatforms,
    Kinds,
    Since,
    SocialAccountId,
    Until,
    read_filter,
)
from graphql_api.schema.nodes import Connection
from graphql_api.schema.people.api_token import ApiToken
from graphql_api.schema.people.user import User
from graphql_api.schema.workspaces.workspace import (
    Invitation,
    InvitationStatusFilter,
    StatusFilter,
    Workspace,
)
from graphql_api.services.accounts import access_requests, facebook_accounts, health, transfer_requests
from graphql_api.services.calls.pages import PageRequest
from graphql_api.services.history import events
from graphql_api.services.people import api_tokens
from graphql_api.services.workspaces import invitations, workspaces
from graphql_api.storage.rows import UserRow


@output
class Viewer:
    """The user that the bearer token belongs to, with everything that is private to them."""

    @resolved
    def user(self, info: Info) -> User:
        """The viewer, as other users see them."""
        return info.context.loaders.users.get(info.context.call.viewer.user_id, _user)

    @resolved
    def email_verified(self, info: Info) -> bool:
        """True if the viewer has verified their e-mail address. See `verifyEmail`."""
        return info.context.loaders.users.get(info.context.call.viewer.user_id, _is_verified)

    @resolved
    def social_account_limit(self, info: Info) -> int:
        """How many social accounts of any platform the viewer's Personal may hold."""
        return info.context.call.services.rules.max_accounts_per_holder

    @resolved
    def social_account_count(self, info: Info) -> int:
        """How many social accounts of any platform the viewer's Personal holds."""
        return info.context.loaders.users.get(info.context.call.viewer.user_id, _held_count)

    @resolved
    async def health_summary(self, info: Info, platforms: Platforms = PLATFORMS) -> HealthSummary:
        """How many of the social accounts in the viewer's Personal are in each state of health."""
        call = info.context.call
        return HealthSummary.of(await health.summary(call, Personal(call.viewer.user_id), platforms))

    @connection
    async def api_tokens(self, info: Info, request: PageRequest) -> Connection[ApiToken]:
        """The viewer's API tokens that work now, newest first."""
        call = info.context.call
        page = await api_tokens.page(call, request)
        return Connection.of(page, ApiToken.of)

    @connection
    async def facebook_accounts(self, info: Info, request: PageRequest) -> Connection[FacebookAccount]:
        """The viewer's Facebook accounts, in the order of connecting."""
        call = info.context.call
        page = await facebook_accounts.page(call, request)
        return Connection.of(page, FacebookAccount.of)

    @connection
    async def workspaces(
        self,
        info: Info,
        request: PageRequest,
        role: Annotated[
            Role | None, strawberry.argument(description="Only those where the viewer has this role.")
        ] = None,
    ) -> Connection[Workspace]:
        """The Workspaces that the viewer belongs to, in the order of joining."""
        call = info.context.call
        page = await workspaces.page(call, request, role=role)
        return Connection.of(page, lambda row: Workspace.of(*row))

    @connection
    async def invitations(
        self, info: Info, request: PageRequest, status: InvitationStatusFilter = None
    ) -> Connection[Invitation]:
        """The invitations to the viewer's verified e-mail address, newest first. Empty while it is not verified."""
        page = await invitations.page_of_viewer(info.context.call, request, status=status)
        return Connection.of(page, Invitation.of)

    @connection
    async def events(
        self,
        info: Info,
        request: PageRequest,
        kinds: Kinds = None,
        platforms: EventPlatforms = PLATFORMS,
        actor_id: ActorId = None,
        social_account_id: SocialAccountId = None,
        since: Since = None,
        until: Until = None,
    ) -> Connection[Event]:
        """What happened in the viewer's Personal, oldest first: use `last` to show the newest.

        An `after` whose next events are no longer kept is a `CURSOR_EXPIRED` error.
        """
        asked = read_filter(kinds, platforms, actor_id, social_account_id, since, until)
        call = info.context.call
        page = await events.page(call, request, Personal(call.viewer.user_id), asked)
        return Connection.of(page, lambda row: Event(row=row, asked=kinds))

    @strawberry.field(description=EVENTS_CURSOR)
    async def events_cursor(self, info: Info) -> str | None:
        """Where the history is now."""
        call = info.context.call
        return await events.present_cursor(call, Personal(call.viewer.user_id))

    @connection
    async def social_accounts(
        self,
        info: Info,
        request: PageRequest,
        platforms: Platforms = PLATFORMS,
        order_by: OrderBy = None,
        search: Search = None,
        health_states: HealthStates = None,
    ) -> Connection[SocialAccount]:
        """The social accounts that the viewer's Personal holds."""
        return await list_held(
            info,
            request,
            Personal(info.context.call.viewer.user_id),
            read_listing(platforms, order_by, search, health_states),
        )

    @connection
    async def access_requests(
        self,
        info: Info,
        request: PageRequest,
        status: StatusFilter = None,
        platforms: Platforms = PLATFORMS,
    ) -> Connection[AccessRequest]:
        """The viewer's own requests for access to social accounts, newest first."""
        call = info.context.call
        page = await access_requests.page(call, request, status=status, platforms=platforms)
        return Connection.of(page, AccessRequest.of)

    @connection
    async def transfer_requests(self, info: Info, request: PageRequest) -> Connection[TransferRequest]:
        """The viewer's own requests for transfers, newest first."""
        page = await transfer_requests.page_of_viewer(info.context.call, request)
        return Connection.of(page, TransferRequest.of)

    @connection
    async def incoming_transfer_requests(
        self, info: Info, request: PageRequest
    ) -> Connection[TransferRequest]:
        """Requests of others for social accounts that the viewer's Personal holds, newest first."""
        call = info.context.call
        page = await transfer_requests.page_of_place(call, request, Personal(call.viewer.user_id))
        return Connection.of(page, TransferRequest.of)


def _user(row: UserRow | None) -> User:
    return User.of(_own(row))


def _is_verified(row: UserRow | None) -> bool:
    return _own(row).email_verified_at is not None


def _held_count(row: UserRow | None) -> int:
    return _own(row).held_count


def _own(row: UserRow | None) -> UserRow:
    if row is None:
        raise Unauthenticated
    return row
