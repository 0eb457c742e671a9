"""Creating and renaming Workspaces."""

import strawberry

from graphql_api.domain.holders import Role
from graphql_api.domain.inputs import InvalidInput
from graphql_api.domain.refusals import Refused
from graphql_api.schema.context import Info
from graphql_api.schema.described import arguments, output
from graphql_api.schema.ids import read_id
from graphql_api.schema.mutation import mutation
from graphql_api.schema.workspaces.workspace import Workspace
from graphql_api.services.workspaces import workspaces


@arguments
class CreateWorkspaceInput:
    """Arguments of `createWorkspace`."""

    name: str = strawberry.field(description="The name that people see: 1 to 100 characters.")


@output
class CreateWorkspaceSuccess:
    """The Workspace was created."""

    workspace: Workspace = strawberry.field(
        description="The new Workspace. The viewer is its only member, and an admin."
    )


@mutation("No Workspace was created.")
async def create_workspace(
    info: Info, input: CreateWorkspaceInput
) -> CreateWorkspaceSuccess | Refused[InvalidInput]:
    """Create a Workspace. The viewer becomes its first admin."""
    outcome = await workspaces.create(info.context.call, name=input.name)
    if isinstance(outcome, Refused):
        return outcome
    return CreateWorkspaceSuccess(workspace=Workspace.of(outcome, Role.ADMIN))


@arguments
class RenameWorkspaceInput:
    """Arguments of `renameWorkspace`."""

    workspace_id: strawberry.ID = strawberry.field(description="A Workspace that the viewer is an admin of.")
    name: str = strawberry.field(description="The name that people see: 1 to 100 characters.")


@output
class RenameWorkspaceSuccess:
    """The Workspace has its new name."""

    workspace: Workspace = strawberry.field(description="The Workspace, with the viewer's role there.")


@mutation("The Workspace has the name that it had.")
async def rename_workspace(
    info: Info, input: RenameWorkspaceInput
) -> RenameWorkspaceSuccess | Refused[InvalidInput]:
    """Rename a Workspace. Requires the role ADMIN.

    The name that it has already is no error.
    """
    outcome = await workspaces.rename(
        info.context.call, workspace_id=read_id("Workspace", input.workspace_id), name=input.name
    )
    if isinstance(outcome, Refused):
        return outcome
    return RenameWorkspaceSuccess(workspace=Workspace.of(*outcome))
