"""Taking an invitation back."""

import strawberry

from graphql_api.domain.inputs import InvalidInput
from graphql_api.domain.refusals import Refused
from graphql_api.schema.context import Info
from graphql_api.schema.described import arguments, output
from graphql_api.schema.ids import read_id
from graphql_api.schema.mutation import mutation
from graphql_api.schema.workspaces.workspace import Invitation, Workspace
from graphql_api.services.workspaces import invitations


@arguments
class RevokeInvitationInput:
    """Which invitation to take back."""

    invitation_id: strawberry.ID = strawberry.field(
        description="An invitation into a Workspace that the viewer is an admin of."
    )


@output
class RevokeInvitationSuccess:
    """The invitation cannot be accepted any more."""

    invitation: Invitation = strawberry.field(description="The invitation.")


@mutation(
    "The invitation was not revoked.",
    errors="What stood in the way. One that was accepted is `NOT_ALLOWED`: remove the member instead.",
)
async def revoke_invitation(
    info: Info, input: RevokeInvitationInput
) -> RevokeInvitationSuccess | Refused[InvalidInput]:
    """Take back an invitation that nobody has accepted; for the Workspace's admins.

    Doing it twice is no error.
    """
    outcome = await invitations.revoke(
        info.context.call, invitation_id=read_id("Invitation", input.invitation_id)
    )
    if isinstance(outcome, Refused):
        return outcome
    return RevokeInvitationSuccess(invitation=Invitation.of(outcome[0], Workspace.of(outcome[1], outcome[2])))
