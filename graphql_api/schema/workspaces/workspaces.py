"""Creating and renaming Workspaces, inviting people, and accepting."""

import strawberry

from graphql_api.domain.holders import Role
from graphql_api.domain.inputs import InvalidInput
from graphql_api.domain.refusals import Refused
from graphql_api.domain.secrets import Secret
from graphql_api.schema.context import Info
from graphql_api.schema.described import arguments, output
from graphql_api.schema.ids import read_id
from graphql_api.schema.mutation import mutation
from graphql_api.schema.workspaces.workspace import Invitation, Workspace
from graphql_api.services.workspaces import invitations, workspaces


@arguments
class CreateWorkspaceInput:
    """The new Workspace."""

    name: str = strawberry.field(description="The name that people see: 1 to 100 characters.")


@output
class CreateWorkspaceSuccess:
    """The Workspace is created."""

    workspace: Workspace = strawberry.field(description="The new Workspace; the viewer is its admin.")


@mutation("No Workspace was created.")
async def create_workspace(
    info: Info, input: CreateWorkspaceInput
) -> CreateWorkspaceSuccess | Refused[InvalidInput]:
    """Create a Workspace; the viewer becomes its admin."""
    outcome = await workspaces.create(info.context.call, name=input.name)
    if isinstance(outcome, Refused):
        return outcome
    return CreateWorkspaceSuccess(workspace=Workspace.of(outcome, Role.ADMIN))


@arguments
class RenameWorkspaceInput:
    """Which Workspace to rename, and how."""

    workspace_id: strawberry.ID = strawberry.field(description="A Workspace that the viewer is an admin of.")
    name: str = strawberry.field(description="The name that people see: 1 to 100 characters.")


@output
class RenameWorkspaceSuccess:
    """The Workspace has this name now."""

    workspace: Workspace = strawberry.field(description="The Workspace, with the viewer's role there.")


@mutation("The Workspace has the name that it had.")
async def rename_workspace(
    info: Info, input: RenameWorkspaceInput
) -> RenameWorkspaceSuccess | Refused[InvalidInput]:
    """Rename a Workspace; for its admins."""
    outcome = await workspaces.rename(
        info.context.call, workspace_id=read_id("Workspace", input.workspace_id), name=input.name
    )
    if isinstance(outcome, Refused):
        return outcome
    return RenameWorkspaceSuccess(workspace=Workspace.of(*outcome))


@arguments
class InviteToWorkspaceInput:
    """Whom to invite, and where to."""

    workspace_id: strawberry.ID = strawberry.field(description="A Workspace that the viewer is an admin of.")
    email: str = strawberry.field(description="The e-mail address to invite; only its user can accept.")
    role: Role = strawberry.field(description="What the invited person will be allowed to do.")


@output
class InviteToWorkspaceSuccess:
    """The invitation is made."""

    invitation: Invitation = strawberry.field(description="The invitation.")
    code: str = strawberry.field(
        description="What the invited person needs for `acceptInvitation`; shown in this answer only."
    )


@mutation("Nobody was invited.")
async def invite_to_workspace(
    info: Info, input: InviteToWorkspaceInput
) -> InviteToWorkspaceSuccess | Refused[InvalidInput]:
    """Invite somebody into a Workspace; for its admins.

    The code is mailed to the address, and is in the answer, once. A pending invitation of the same address
    into this Workspace is revoked: the new one replaces it.
    """
    outcome = await invitations.invite(
        info.context.call,
        workspace_id=read_id("Workspace", input.workspace_id),
        email=input.email,
        role=input.role,
    )
    if isinstance(outcome, Refused):
        return outcome
    return InviteToWorkspaceSuccess(
        invitation=Invitation.of(outcome.invitation, Workspace.of(outcome.workspace, outcome.role)),
        code=outcome.code.reveal(),
    )


@arguments
class AcceptInvitationInput:
    """Which invitation to accept."""

    code: str = strawberry.field(description="The code of an invitation to the viewer's own e-mail address.")

    def __repr__(self) -> str:
        return "AcceptInvitationInput(***)"


@output
class AcceptInvitationSuccess:
    """The viewer is a member now."""

    workspace: Workspace = strawberry.field(description="The Workspace, with the viewer's role there.")


@mutation(
    "Nothing was accepted.",
    errors="What stood in the way. A code that is unknown, used up, revoked, expired or somebody else's is one answer.",
)
async def accept_invitation(
    info: Info, input: AcceptInvitationInput
) -> AcceptInvitationSuccess | Refused[InvalidInput]:
    """Join a Workspace by the code of an invitation to the viewer's e-mail address."""
    outcome = await invitations.accept(info.context.call, code=Secret(input.code))
    if isinstance(outcome, Refused):
        return outcome
    return AcceptInvitationSuccess(workspace=Workspace.of(*outcome))
