"""Deleting Workspaces and users."""

import strawberry

from graphql_api.domain.inputs import InvalidInput
from graphql_api.domain.refusals import Refused
from graphql_api.domain.secrets import Secret
from graphql_api.schema.context import Info
from graphql_api.schema.described import arguments, output
from graphql_api.schema.ids import read_id
from graphql_api.schema.mutation import mutation
from graphql_api.schema.people.user import User
from graphql_api.schema.workspaces.workspace import Workspace
from graphql_api.services.people import deletions
from graphql_api.services.people.api_tokens import CredentialsRejected


@arguments
class DeleteWorkspaceInput:
    """Which Workspace to delete."""

    workspace_id: strawberry.ID = strawberry.field(description="A Workspace that the viewer is an admin of.")


@output
class DeleteWorkspaceSuccess:
    """The Workspace is gone, with its teams, invitations and history.

    Its social accounts are free, their access tokens destroyed.
    """

    workspace: Workspace = strawberry.field(description="What was deleted; its `viewerRole` is null.")


@mutation("Nothing was deleted.")
async def delete_workspace(
    info: Info, input: DeleteWorkspaceInput
) -> DeleteWorkspaceSuccess | Refused[InvalidInput]:
    """Delete a Workspace for good; for its admins.

    Every member finds it in their own history.
    """
    outcome = await deletions.delete_workspace(info.context.call, read_id("Workspace", input.workspace_id))
    if isinstance(outcome, Refused):
        return outcome
    return DeleteWorkspaceSuccess(workspace=Workspace.of(outcome, None))


@arguments
class DeleteUserInput:
    """The viewer's password, so that nobody else deletes them."""

    current_password: str = strawberry.field(description="The viewer's password.")

    def __repr__(self) -> str:
        return "DeleteUserInput(***)"


@output
class DeleteUserSuccess:
    """The viewer is gone, with their API tokens, Facebook accounts, history, and the Workspaces whose only member they were.

    Social accounts of these and of their Personal are free, the access tokens destroyed.
    """

    user: User = strawberry.field(description="Who was deleted.")


@mutation("Nothing was deleted.")
async def delete_user(
    info: Info, input: DeleteUserInput
) -> DeleteUserSuccess | Refused[InvalidInput | CredentialsRejected]:
    """Delete the viewer for good.

    Their bearer tokens end at once. Not while they are the only admin of a Workspace that has other
    members.
    """
    outcome = await deletions.delete_user(info.context.call, current_password=Secret(input.current_password))
    if isinstance(outcome, Refused):
        return outcome
    return DeleteUserSuccess(user=User.of(outcome))
