"""Requests for access to social accounts of a Workspace."""

from datetime import datetime
from typing import Self, cast
from uuid import UUID

import strawberry

from graphql_api.domain.access_requests import AccessRequestStatus
from graphql_api.schema.accounts.social_account import InstagramAccount, shape_social_account
from graphql_api.schema.context import Info
from graphql_api.schema.described import output, resolved
from graphql_api.schema.ids import write_id
from graphql_api.schema.nodes import Node
from graphql_api.schema.people.user import User
from graphql_api.schema.workspaces.team import Team
from graphql_api.schema.workspaces.workspace import Workspace
from graphql_api.storage import tables
from graphql_api.storage.rows import SocialAccountRow, row_of


@output
class AccessRequest(Node):
    """A creator's request to see an Instagram account that their Workspace holds.

    The requester sees it, and the admins of the Workspace; it tells enough for both without the account
    being visible.
    """

    instagram_user_id: str = strawberry.field(description="Instagram's id of the account.")
    username: str = strawberry.field(
        description="The account's username as the requester wrote it. An admin sees the account's own in "
        "`instagramAccount`."
    )
    status: AccessRequestStatus = strawberry.field(description="Where it stands.")
    message: str | None = strawberry.field(
        description="What the requester wrote to the admins; it may have several lines."
    )
    decided_at: datetime | None = strawberry.field(
        description="When an admin answered it; null while it is pending, and when it was withdrawn."
    )
    reason: str | None = strawberry.field(description="Why it was declined, if the admin said so.")
    created_at: datetime = strawberry.field(description="When it was asked.")
    row_id: strawberry.Private[UUID]
    workspace_id: strawberry.Private[UUID]
    requester_id: strawberry.Private[UUID]
    decided_by_id: strawberry.Private[UUID | None]

    @resolved
    async def requester(self, info: Info) -> User | None:
        """Who asked; null when the viewer cannot see them any more."""
        user = await info.context.loaders.users.load(self.requester_id)
        return None if user is None else User.of(user)

    @resolved
    async def decided_by(self, info: Info) -> User | None:
        """The admin who answered it; null until then, and when the viewer cannot see them any more."""
        if self.decided_by_id is None:
            return None
        user = await info.context.loaders.users.load(self.decided_by_id)
        return None if user is None else User.of(user)

    @resolved
    async def teams(self, info: Info) -> list[Team] | None:
        """The teams that it was granted for, by name; empty unless it is granted.

        Teams that are gone since are left out.
        """
        if self.status is not AccessRequestStatus.GRANTED:
            return []
        teams = await info.context.loaders.teams_of_access_requests.load(self.row_id)
        return [Team.of(team) for team in teams or ()]

    @resolved
    async def workspace(self, info: Info) -> Workspace | None:
        """The Workspace that was asked; null when the viewer is no member any more."""
        found = await info.context.loaders.workspaces.load(self.workspace_id)
        return None if found is None else Workspace.of(*found)

    @resolved
    async def instagram_account(self, info: Info) -> InstagramAccount | None:
        """The account itself; null where the viewer may not see it, and once the Workspace does not hold it any more."""
        key = (self.workspace_id, self.instagram_user_id)
        account = await info.context.loaders.accounts_of_access_requests.load(key)
        return (
            None
            if account is None
            else cast("InstagramAccount", shape_social_account(row_of(account, SocialAccountRow)))
        )

    @classmethod
    def of(cls, row: tables.AccessRequest) -> Self:
        """Shape a row."""
        return cls(
            id=write_id("AccessRequest", row.id),
            instagram_user_id=row.external_id,
            username=row.display_name,
            status=row.status,
            message=row.message,
            decided_at=row.decided_at,
            reason=row.reason,
            created_at=row.created_at,
            row_id=row.id,
            workspace_id=row.workspace_id,
            requester_id=row.requester_id,
            decided_by_id=row.decided_by_id,
        )
