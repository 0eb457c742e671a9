"""Workspaces, their members and invitations."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Self
from uuid import UUID

import strawberry

from graphql_api.domain import holders
from graphql_api.domain.access_requests import AccessRequestStatus
from graphql_api.domain.holders import Role
from graphql_api.domain.invitations import InvitationStatus, status_of
from graphql_api.domain.permissions import Action, may
from graphql_api.schema.accounts.listing import PLATFORMS, OrderBy, Platforms, Search, TeamId, read_listing
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
from graphql_api.schema.ids import write_id
from graphql_api.schema.nodes import Connection, Node
from graphql_api.schema.people.user import User
from graphql_api.services.accounts import access_requests
from graphql_api.services.calls.pages import PageRequest
from graphql_api.services.history import events
from graphql_api.services.workspaces import invitations, teams, workspaces
from graphql_api.services.workspaces.invitations import Preview
from graphql_api.storage import tables
from graphql_api.storage.rows import AnyWorkspace

if TYPE_CHECKING:
    from graphql_api.schema.accounts.access_request import AccessRequest
    from graphql_api.schema.accounts.social_account import SocialAccount
    from graphql_api.schema.workspaces.team import Team

LazyAccessRequest = Annotated["AccessRequest", strawberry.lazy("graphql_api.schema.accounts.access_request")]
LazySocialAccount = Annotated["SocialAccount", strawberry.lazy("graphql_api.schema.accounts.social_account")]
LazyTeam = Annotated["Team", strawberry.lazy("graphql_api.schema.workspaces.team")]
StatusFilter = Annotated[
    AccessRequestStatus | None, strawberry.argument(description="Only those that stand like this.")
]


@output
class Member:
    """A user in a Workspace."""

    user: User = strawberry.field(description="Who it is.")
    role: Role = strawberry.field(description="What they may do in the Workspace.")
    joined_at: datetime = strawberry.field(description="Since when they are in it.")

    @classmethod
    def of(cls, row: tuple[tables.User, tables.Membership]) -> Self:
        """Shape a user and their membership."""
        user, membership = row
        return cls(user=User.of(user), role=membership.role, joined_at=membership.created_at)


@output
class Workspace(Node):
    """A place that members share, and that holds social accounts."""

    name: str = strawberry.field(description="The name that people see.")
    created_at: datetime = strawberry.field(description="When it was created.")
    viewer_role: Role | None = strawberry.field(
        description="What the viewer may do here: only an `ADMIN` connects social accounts into it. Null once "
        "the viewer is no member any more."
    )
    social_account_count: int | None = strawberry.field(
        description="How many social accounts it holds, whoever sees them; null for who may not connect into it."
    )
    key: strawberry.Private[UUID]

    @resolved
    def social_account_limit(self, info: Info) -> int:
        """How many social accounts it may hold."""
        return info.context.call.services.rules.max_accounts_per_holder

    @connection
    async def social_accounts(
        self,
        info: Info,
        request: PageRequest,
        platforms: Platforms = PLATFORMS,
        order_by: OrderBy = None,
        search: Search = None,
        team_id: TeamId = None,
    ) -> Connection[LazySocialAccount] | None:
        """The social accounts that it holds and that the viewer sees.

        An admin sees all of them, a creator those that are shared with a team they are in. Null, with an error, only if
        they could not be read.
        """
        from graphql_api.schema.accounts.pages import list_held  # noqa: PLC0415 - a cycle of types

        return await list_held(
            info,
            request,
            holders.Workspace(self.key),
            read_listing(platforms, order_by, search, team_id),
            role=self.viewer_role,
        )

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
    ) -> Connection[Event] | None:
        """What happened in this Workspace, oldest first: use `last` to show the newest.

        Admins see everything. Creators see what they did, what was done to them, and all about the social accounts
        that are shared with a team they are in. An `after` whose next events are no longer kept is a
        `CURSOR_EXPIRED` error.
        """
        asked = read_filter(kinds, platforms, actor_id, social_account_id, since, until)
        page = await events.page(info.context.call, request, holders.Workspace(self.key), asked)
        return Connection.of(page, lambda row: Event(row=row, asked=kinds))

    @strawberry.field(description=EVENTS_CURSOR)
    async def events_cursor(self, info: Info) -> str | None:
        """Where the history is now."""
        return await events.present_cursor(info.context.call, holders.Workspace(self.key))

    @connection
    async def members(
        self,
        info: Info,
        request: PageRequest,
    ) -> Connection[Member] | None:
        """Who is in it, the longest-serving first."""
        call = info.context.call
        page = await workspaces.members_page(call, request, self.key)
        return Connection.of(page, Member.of)

    @connection
    async def teams(
        self,
        info: Info,
        request: PageRequest,
    ) -> Connection[LazyTeam] | None:
        """Its teams, the oldest first; every member sees all of them."""
        from graphql_api.schema.workspaces.team import Team  # noqa: PLC0415 - a cycle of types

        page = await teams.page(info.context.call, request, self.key)
        return Connection.of(page, Team.of)

    @connection
    async def invitations(
        self,
        info: Info,
        request: PageRequest,
        status: Annotated[
            InvitationStatus | None, strawberry.argument(description="Only those that stand there now.")
        ] = None,
    ) -> Connection["Invitation"] | None:
        """The invitations into it, the newest first.

        Only its admins see any: to everybody else the list is empty.
        """
        page = await invitations.page(info.context.call, request, self.key, status=status)
        return Connection.of(page, lambda row: Invitation.of(row, self))

    @connection
    async def access_requests(
        self,
        info: Info,
        request: PageRequest,
        status: StatusFilter = None,
    ) -> Connection[LazyAccessRequest] | None:
        """Requests for access to social accounts that it holds, the newest first: an admin sees all of them, a creator their own."""
        from graphql_api.schema.accounts.access_request import AccessRequest  # noqa: PLC0415 - a cycle of types

        page = await access_requests.page(
            info.context.call,
            request,
            workspace_id=self.key,
            status=status,
        )
        return Connection.of(page, AccessRequest.of)

    @classmethod
    def of(cls, row: AnyWorkspace, role: Role | None) -> Self:
        """Shape a row, with the viewer's role there."""
        return cls(
            id=write_id("Workspace", row.id),
            name=row.name,
            created_at=row.created_at,
            viewer_role=role,
            social_account_count=row.held_count if may(role, Action.CONNECT) else None,
            key=row.id,
        )


@output
class Invitation:
    """An invitation into a Workspace.

    Its code is mailed to the invited address, and shown once, to who invites.
    """

    id: strawberry.ID = strawberry.field(description="For `revokeInvitation`.")
    workspace: Workspace = strawberry.field(description="Where it leads.")
    email: str = strawberry.field(description="The address that was invited; only its user can accept.")
    role: Role = strawberry.field(description="What the invited person will be allowed to do.")
    created_at: datetime = strawberry.field(description="When it was made.")
    expires_at: datetime = strawberry.field(description="Until when it can be accepted.")
    accepted_at: datetime | None = strawberry.field(description="When it was accepted; null if it was not.")
    revoked_at: datetime | None = strawberry.field(description="When it was revoked; null if it was not.")
    inviter_key: strawberry.Private[UUID | None]

    @resolved
    def status(self, info: Info) -> InvitationStatus:
        """Where it stands now."""
        return status_of(
            accepted_at=self.accepted_at,
            revoked_at=self.revoked_at,
            expires_at=self.expires_at,
            now=info.context.call.now,
        )

    @resolved
    async def invited_by(self, info: Info) -> User | None:
        """The admin who invited; null once they share no Workspace with the viewer any more."""
        row = None if self.inviter_key is None else await info.context.loaders.users.load(self.inviter_key)
        return None if row is None else User.of(row)

    @classmethod
    def of(cls, row: tables.Invitation, workspace: Workspace) -> Self:
        """Shape a row."""
        return cls(
            id=write_id("Invitation", row.id),
            workspace=workspace,
            email=row.email,
            role=row.role,
            created_at=row.created_at,
            expires_at=row.expires_at,
            accepted_at=row.accepted_at,
            revoked_at=row.revoked_at,
            inviter_key=row.invited_by_id,
        )


@output
class InvitationPreview:
    """What an invitation says to whoever has its code, before they register, log in or accept."""

    workspace_name: str = strawberry.field(description="The Workspace that it leads into.")
    inviter_name: str | None = strawberry.field(
        description="Who invites; null if they are registered no more."
    )
    email: str = strawberry.field(
        description="The address that was invited: whoever accepts is registered with it."
    )
    role: Role = strawberry.field(description="What the invited person will be allowed to do.")
    expires_at: datetime = strawberry.field(description="Until when it can be accepted.")

    @classmethod
    def of(cls, preview: Preview) -> Self:
        """Shape a preview."""
        return cls(
            workspace_name=preview.workspace_name,
            inviter_name=preview.inviter_name,
            email=preview.email,
            role=preview.role,
            expires_at=preview.expires_at,
        )
