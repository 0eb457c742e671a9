"""Teams of a Workspace."""

from datetime import datetime
from typing import Self
from uuid import UUID

import strawberry

from graphql_api.schema.accounts.listing import PLATFORMS, Platforms
from graphql_api.schema.context import Info
from graphql_api.schema.described import connection, output, resolved
from graphql_api.schema.ids import write_id
from graphql_api.schema.nodes import Connection, Node
from graphql_api.schema.people.user import User
from graphql_api.schema.workspaces.workspace import LazySocialAccount, Workspace
from graphql_api.services.calls.pages import PageRequest
from graphql_api.services.workspaces import teams
from graphql_api.storage.rows import TeamRow


@output
class Team(Node):
    """Members of a Workspace who see the social accounts that are shared with the team.

    Every member of the Workspace sees its teams and who is in them.
    """

    name: str = strawberry.field(description="The name that people see. It is unique in the Workspace.")
    created_at: datetime = strawberry.field(description="When the team was created.")
    key: strawberry.Private[UUID]
    workspace_key: strawberry.Private[UUID]

    @resolved
    async def workspace(self, info: Info) -> Workspace | None:
        """The Workspace that the team belongs to. Null if the viewer is no longer a member of it."""
        found = await info.context.loaders.workspaces.load(self.workspace_key)
        return None if found is None else Workspace.of(*found)

    @connection
    async def members(self, info: Info, request: PageRequest) -> Connection[User] | None:
        """The people in the team, in the order of joining it. Null, with an error, only if they could not be read."""
        page = await teams.members_page(info.context.call, request, self.key)
        return Connection.of(page, User.of)

    @connection
    async def social_accounts(
        self,
        info: Info,
        request: PageRequest,
        platforms: Platforms = PLATFORMS,
    ) -> Connection[LazySocialAccount] | None:
        """The social accounts that are shared with the team, in the order of sharing.

        Admins and members of the team see all of them, others those that they see through a team of their own. Null,
        with an error, only if they could not be read.
        """
        from graphql_api.schema.accounts.pages import shape_page  # noqa: PLC0415 - a cycle of types

        page = await teams.social_accounts_page(info.context.call, request, self.key, platforms=platforms)
        return await shape_page(info, page)

    @classmethod
    def of(cls, row: TeamRow) -> Self:
        """Shape a row."""
        return cls(
            id=write_id("Team", row.id),
            name=row.name,
            created_at=row.created_at,
            key=row.id,
            workspace_key=row.workspace_id,
        )
