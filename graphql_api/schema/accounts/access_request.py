"""Requests for access to social accounts of a Workspace."""

from datetime import datetime
from typing import Self
from uuid import UUID

import strawberry

from graphql_api.domain.access_requests import AccessRequestStatus
from graphql_api.domain.platforms import Platform, SocialKey
from graphql_api.schema.accounts.social_account import SocialAccount, shape_social_account
from graphql_api.schema.context import Info
from graphql_api.schema.described import output, resolved
from graphql_api.schema.ids import write_id
from graphql_api.schema.nodes import Node
from graphql_api.schema.people.user import User
from graphql_api.schema.workspaces.team import Team
from graphql_api.schema.workspaces.workspace import Workspace
from graphql_api.storage.rows import AccessRequestRow


@output
class AccessRequest(Node):
    """A creator's request to see a social account that their Workspace holds.

    The requester sees it, and the admins of the Workspace.
    """

    platform: Platform = strawberry.field(description="The platform that the social account is on.")
    external_id: str = strawberry.field(description="The platform's id of the social account.")
    display_name: str = strawberry.field(
        description="The social account's name as the requester wrote it. An admin sees its own name in `socialAccount`."
    )
    status: AccessRequestStatus = strawberry.field(description="The state of the request.")
    message: str | None = strawberry.field(
        description="The requester's words to the admins, of one line or several. Null if they wrote none."
    )
    decided_at: datetime | None = strawberry.field(
        description="When an admin answered it, or when it was closed. Null while it is pending, and if it was withdrawn."
    )
    reason: str | None = strawberry.field(
        description="The admin's words to the requester, why it was declined. Null if they wrote none."
    )
    created_at: datetime = strawberry.field(description="When the requester asked.")
    row_id: strawberry.Private[UUID]
    workspace_id: strawberry.Private[UUID]
    requester_id: strawberry.Private[UUID]
    decided_by_id: strawberry.Private[UUID | None]

    @resolved
    async def requester(self, info: Info) -> User | None:
        """The user who asked. Null if the viewer shares no Workspace with them any longer."""
        user = await info.context.loaders.users.load(self.requester_id)
        return None if user is None else User.of(user)

    @resolved
    async def decided_by(self, info: Info) -> User | None:
        """The admin who answered it. Null if no admin did, and if the viewer shares no Workspace with them any longer."""
        if self.decided_by_id is None:
            return None
        user = await info.context.loaders.users.load(self.decided_by_id)
        return None if user is None else User.of(user)

    @resolved
    async def granted_teams(self, info: Info) -> list[Team] | None:
        """The teams that it was granted for, by name: the social account was shared with them, and the requester added to them.

        Empty unless the status is `GRANTED`. Teams that were deleted since are left out.
        """
        if self.status is not AccessRequestStatus.GRANTED:
            return []
        teams = await info.context.loaders.teams_of_access_requests.load(self.row_id)
        return [Team.of(team) for team in teams or ()]

    @resolved
    async def workspace(self, info: Info) -> Workspace | None:
        """The Workspace that holds the social account. Null if the viewer is no longer a member of it."""
        found = await info.context.loaders.workspaces.load(self.workspace_id)
        return None if found is None else Workspace.of(*found)

    @resolved
    async def social_account(self, info: Info) -> SocialAccount | None:
        """The social account itself. Null if the viewer may not see it, or the Workspace no longer holds it."""
        asked = self.workspace_id, SocialKey(self.platform, self.external_id)
        account = await info.context.loaders.accounts_of_access_requests.load(asked)
        return None if account is None else shape_social_account(account)

    @classmethod
    def of(cls, row: AccessRequestRow) -> Self:
        """Shape a row."""
        return cls(
            id=write_id("AccessRequest", row.id),
            platform=row.platform,
            external_id=row.external_id,
            display_name=row.display_name,
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
