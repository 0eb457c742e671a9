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
from graphql_api.services.people.passwords import CredentialsRejected


@arguments
class DeleteWorkspaceInput:
    """The Workspace to delete."""

    workspace_id: strawberry.ID = strawberry.field(
        description="A Workspace in which the viewer has the role ADMIN."
    )


@output
class DeleteWorkspaceSuccess:
    """The Workspace was deleted, with its teams, invitations and history.

    Its social accounts are free, and their access tokens were destroyed.
    """

    workspace: Workspace = strawberry.field(
        description="The Workspace that was deleted. Its `viewerRole` is null."
    )


@mutation("Nothing was deleted.")
async def delete_workspace(
    info: Info, input: DeleteWorkspaceInput
) -> DeleteWorkspaceSuccess | Refused[InvalidInput]:
    """Delete a Workspace for good.

    Requires the role ADMIN. Every member gets an event in their Personal.
    """
    outcome = await deletions.delete_workspace(info.context.call, read_id("Workspace", input.workspace_id))
    if isinstance(outcome, Refused):
        return outcome
    return DeleteWorkspaceSuccess(workspace=Workspace.of(outcome, None))


@arguments
class DeleteUserInput:
    """The confirmation that the viewer wants to be deleted."""

    current_password: str = strawberry.field(
        description="The viewer's password. Wrong ones are limited for each user."
    )

    def __repr__(self) -> str:
        return "DeleteUserInput(***)"


@output
class DeleteUserSuccess:
    """The viewer was deleted, with their API tokens, Facebook accounts and history, and each Workspace that had no other member.

    The social accounts that these places held are free, and their access tokens were destroyed. Events in other
    places show "a deleted user" instead of the viewer's name.
    """

    user: User = strawberry.field(description="The user who was deleted.")


@mutation("Nothing was deleted.")
async def delete_user(
    info: Info, input: DeleteUserInput
) -> DeleteUserSuccess | Refused[InvalidInput | CredentialsRejected]:
    """Delete the viewer for good.

    Their bearer tokens end immediately. Refused while the viewer is the only admin of a Workspace that has other
    members: `NOT_ALLOWED` for each such Workspace.
    """
    outcome = await deletions.delete_user(info.context.call, current_password=Secret(input.current_password))
    if isinstance(outcome, Refused):
        return outcome
    return DeleteUserSuccess(user=User.of(outcome))
