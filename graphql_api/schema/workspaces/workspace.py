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
from graphql_api.schema.accounts.health import HealthStates, HealthSummary
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
from graphql_api.schema.ids import read_id, write_id
from graphql_api.schema.nodes import Connection, Node
from graphql_api.schema.people.user import User
from graphql_api.services.accounts import access_requests, health, transfer_requests
from graphql_api.services.calls.pages import PageRequest
from graphql_api.services.history import events
from graphql_api.services.workspaces import invitations, members, teams
from graphql_api.services.workspaces.invitations import NamedInvitation
from graphql_api.storage.rows import TeamRow, WorkspaceRow

if TYPE_CHECKING:
    from graphql_api.schema.accounts.access_request import AccessRequest
    from graphql_api.schema.accounts.social_account import SocialAccount
    from graphql_api.schema.accounts.transfer_request import TransferRequest
    from graphql_api.schema.workspaces.team import Team

LazyAccessRequest = Annotated["AccessRequest", strawberry.lazy("graphql_api.schema.accounts.access_request")]
LazySocialAccount = Annotated["SocialAccount", strawberry.lazy("graphql_api.schema.accounts.social_account")]
LazyTeam = Annotated["Team", strawberry.lazy("graphql_api.schema.workspaces.team")]
LazyTransferRequest = Annotated[
    "TransferRequest", strawberry.lazy("graphql_api.schema.accounts.transfer_request")
]
StatusFilter = Annotated[
    AccessRequestStatus | None, strawberry.argument(description="Only requests with this status.")
]


InvitationStatusFilter = Annotated[
    InvitationStatus | None, strawberry.argument(description="Only invitations with this status now.")
]


@output
class Member:
    """A user in a Workspace. Every member of the Workspace sees its members."""

    id: strawberry.ID = strawberry.field(
        description="A global id, for client caches. `node` does not load members. A user who leaves and joins again "
        "gets another one."
    )
    user: User = strawberry.field(description="The user.")
    role: Role = strawberry.field(description="What the member may do in the Workspace.")
    joined_at: datetime = strawberry.field(description="When the user joined the Workspace.")
    key: strawberry.Private[UUID]

    @resolved
    def teams(self, info: Info) -> list[LazyTeam] | None:
        """The teams of the Workspace that the member is in, by name. Null, with an error, only if they could not be read."""
        return info.context.loaders.teams_of_members.get(self.key, _teams)

    @classmethod
    def of(cls, row: members.Member) -> Self:
        """Shape a user and their membership."""
        user, membership = row
        return cls(
            id=write_id("Member", membership.id),
            user=User.of(user),
            role=membership.role,
            joined_at=membership.created_at,
            key=membership.id,
        )


def _teams(rows: list[TeamRow] | None) -> list[LazyTeam]:
    from graphql_api.schema.workspaces.team import Team  # noqa: PLC0415 - a cycle of types

    return [Team.of(row) for row in rows or ()]


@output
class Workspace(Node):
    """A place that members share, and that holds social accounts. Only members see it."""

    name: str = strawberry.field(description="The name that people see.")
    created_at: datetime = strawberry.field(description="When the Workspace was created.")
    viewer_role: Role | None = strawberry.field(
        description="The viewer's role here: only an `ADMIN` can connect social accounts into the Workspace. "
        "Null if the viewer is no longer a member."
    )
    social_account_count: int | None = strawberry.field(
        description="How many social accounts of any platform the Workspace holds, including those that the viewer does not see. "
        "Null if the viewer may not connect social accounts into it."
    )
    key: strawberry.Private[UUID]

    @resolved
    def social_account_limit(self, info: Info) -> int:
        """How many social accounts of any platform the Workspace may hold."""
        return info.context.call.services.rules.max_accounts_per_holder

    @resolved
    async def health_summary(self, info: Info, platforms: Platforms = PLATFORMS) -> HealthSummary | None:
        """How many of its social accounts that the viewer sees are in each state of health.

        Null, with an error, only if they could not be counted.
        """
        place = holders.Workspace(self.key)
        return HealthSummary.of(await health.summary(info.context.call, place, platforms))

    @connection
    async def social_accounts(
        self,
        info: Info,
        request: PageRequest,
        platforms: Platforms = PLATFORMS,
        order_by: OrderBy = None,
        search: Search = None,
        team_id: TeamId = None,
        health_states: HealthStates = None,
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
            read_listing(platforms, order_by, search, health_states, team_id),
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
        roles: Annotated[
            list[Role] | None, strawberry.argument(description="Only members with one of these roles.")
        ] = None,
        search: Annotated[
            str | None,
            strawberry.argument(
                description="Only members with this in their name or e-mail address, at most 100 characters. "
                "Upper and lower case are the same."
            ),
        ] = None,
        team_id: Annotated[
            strawberry.ID | None,
            strawberry.argument(description="Only members who are in this team of the Workspace."),
        ] = None,
    ) -> Connection[Member] | None:
        """The members, the longest-serving first. Null, with an error, only if they could not be read."""
        page = await members.page(
            info.context.call,
            request,
            self.key,
            roles=roles,
            search=search,
            team_id=None if team_id is None else read_id("Team", team_id),
        )
        return Connection.of(page, Member.of)

    @connection
    async def teams(
        self,
        info: Info,
        request: PageRequest,
    ) -> Connection[LazyTeam] | None:
        """The Workspace's teams, oldest first. Every member sees all of them. Null, with an error, only if they could not be read."""
        from graphql_api.schema.workspaces.team import Team  # noqa: PLC0415 - a cycle of types

        page = await teams.page(info.context.call, request, self.key)
        return Connection.of(page, Team.of)

    @connection
    async def invitations(
        self,
        info: Info,
        request: PageRequest,
        status: InvitationStatusFilter = None,
        search: Annotated[
            str | None,
            strawberry.argument(
                description="Only invitations to an e-mail address with this in it, at most 100 characters. "
                "Upper and lower case are the same."
            ),
        ] = None,
    ) -> Connection["Invitation"] | None:
        """The invitations into the Workspace, newest first.

        Requires the role ADMIN. For other members the list is empty. Null, with an error, only if they could not be read.
        """
        page = await invitations.page(info.context.call, request, self.key, status=status, search=search)
        return Connection.of(page, Invitation.of)

    @connection
    async def access_requests(
        self,
        info: Info,
        request: PageRequest,
        status: StatusFilter = None,
        platforms: Platforms = PLATFORMS,
    ) -> Connection[LazyAccessRequest] | None:
        """Requests for access to social accounts of the Workspace, newest first.

        Admins see all of them. Creators see their own. Null, with an error, only if they could not be read.
        """
        from graphql_api.schema.accounts.access_request import AccessRequest  # noqa: PLC0415 - a cycle of types

        page = await access_requests.page(
            info.context.call,
            request,
            workspace_id=self.key,
            status=status,
            platforms=platforms,
        )
        return Connection.of(page, AccessRequest.of)

    @connection
    async def incoming_transfer_requests(
        self, info: Info, request: PageRequest
    ) -> Connection[LazyTransferRequest] | None:
        """Requests of others for social accounts that the Workspace holds, newest first.

        Requires the role ADMIN. For other members the list is empty. Null, with an error, only if they could not be read.
        """
        from graphql_api.schema.accounts.transfer_request import (  # noqa: PLC0415 - a cycle of types
            TransferRequest,
        )

        place = holders.Workspace(self.key)
        page = await transfer_requests.page_of_place(info.context.call, request, place)
        return Connection.of(page, TransferRequest.of)

    @classmethod
    def of(cls, row: WorkspaceRow, role: Role | None) -> Self:
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
    """An invitation into a Workspace. The Workspace's admins see it, and the user with the invited address.

    Its code is sent to that address, and returned once to the admin who invites.
    """

    id: strawberry.ID = strawberry.field(
        description="The id for `acceptInvitation`, `declineInvitation` and `revokeInvitation`."
    )
    workspace_name: str = strawberry.field(
        description="The name of the Workspace that the invitation is for."
    )
    inviter_name: str | None = strawberry.field(
        description="The name of the admin who sent the invitation. Null if that user was deleted."
    )
    email: str = strawberry.field(description="The invited e-mail address. Only its user can accept.")
    role: Role = strawberry.field(description="The role that the invited person gets by accepting.")
    created_at: datetime = strawberry.field(description="When the invitation was sent.")
    expires_at: datetime = strawberry.field(description="The invitation can be accepted until then.")
    accepted_at: datetime | None = strawberry.field(
        description="When the invited person accepted. Null if they did not."
    )
    declined_at: datetime | None = strawberry.field(
        description="When the invited person declined. Null if they did not."
    )
    revoked_at: datetime | None = strawberry.field(
        description="When an admin revoked the invitation, or a newer one replaced it. Null if it was not revoked."
    )
    workspace_key: strawberry.Private[UUID]
    inviter_key: strawberry.Private[UUID | None]

    @resolved
    def status(self, info: Info) -> InvitationStatus:
        """The status now."""
        return status_of(
            accepted_at=self.accepted_at,
            declined_at=self.declined_at,
            revoked_at=self.revoked_at,
            expires_at=self.expires_at,
            now=info.context.call.now,
        )

    @resolved
    async def invited_by(self, info: Info) -> User | None:
        """The admin who sent the invitation. Null if the viewer shares no Workspace with them."""
        row = None if self.inviter_key is None else await info.context.loaders.users.load(self.inviter_key)
        return None if row is None else User.of(row)

    @resolved
    async def workspace(self, info: Info) -> Workspace | None:
        """The Workspace that the invitation is for. Null if the viewer is not a member of it."""
        found = await info.context.loaders.workspaces.load(self.workspace_key)
        return None if found is None else Workspace.of(*found)

    @classmethod
    def of(cls, invitation: NamedInvitation) -> Self:
        """Shape an invitation."""
        row = invitation.row
        return cls(
            id=write_id("Invitation", row.id),
            workspace_name=invitation.workspace_name,
            inviter_name=invitation.inviter_name,
            email=row.email,
            role=row.role,
            created_at=row.created_at,
            expires_at=row.expires_at,
            accepted_at=row.accepted_at,
            declined_at=row.declined_at,
            revoked_at=row.revoked_at,
            workspace_key=row.workspace_id,
            inviter_key=row.invited_by_id,
        )


@output
class InvitationPreview:
    """A pending invitation, as anybody with its code sees it before they register, log in or accept."""

    workspace_name: str = strawberry.field(
        description="The name of the Workspace that the invitation is for."
    )
    inviter_name: str | None = strawberry.field(
        description="The name of the admin who sent the invitation. Null if that user was deleted."
    )
    email: str = strawberry.field(
        description="The invited e-mail address. To accept, the user must be registered with it."
    )
    role: Role = strawberry.field(description="The role that the invited person gets by accepting.")
    expires_at: datetime = strawberry.field(description="The invitation can be accepted until then.")

    @classmethod
    def of(cls, invitation: NamedInvitation) -> Self:
        """Shape an invitation."""
        return cls(
            workspace_name=invitation.workspace_name,
            inviter_name=invitation.inviter_name,
            email=invitation.row.email,
            role=invitation.row.role,
            expires_at=invitation.row.expires_at,
        )
