"""Taking an invitation back."""

from typing import Annotated

import strawberry

from graphql_api.domain.refusals import Refused
from graphql_api.schema.context import Info
from graphql_api.schema.errors import InvalidInput, invalid_inputs
from graphql_api.schema.ids import read_id
from graphql_api.schema.workspaces.workspace import Invitation, Workspace
from graphql_api.services.workspaces import invitations


@strawberry.input(description="Which invitation to take back.")
class RevokeInvitationInput:
    """One invitation."""

    invitation_id: strawberry.ID = strawberry.field(
        description="An invitation into a Workspace that the viewer is an admin of."
    )


@strawberry.type(description="The invitation cannot be accepted any more.")
class RevokeInvitationSuccess:
    """A success."""

    invitation: Invitation = strawberry.field(description="The invitation.")


RevokeInvitationError = Annotated[
    InvalidInput,
    strawberry.union(
        "RevokeInvitationError", description="What can stand in the way of taking an invitation back. Closed."
    ),
]


@strawberry.type(description="The invitation is as it was.")
class RevokeInvitationFailure:
    """A failure."""

    message: str = strawberry.field(description="A sentence for people, over all errors.")
    errors: list[RevokeInvitationError] = strawberry.field(
        description="What stood in the way. One that was accepted is `NOT_ALLOWED`: remove the member instead."
    )


RevokeInvitationResult = Annotated[
    RevokeInvitationSuccess | RevokeInvitationFailure,
    strawberry.union("RevokeInvitationResult", description="What came of taking an invitation back. Closed."),
]


@strawberry.type
class InvitationMutations:
    """The mutations of this noun."""

    @strawberry.mutation(
        description="Take back an invitation that nobody has accepted; for the Workspace's admins. Doing it twice is no error."
    )
    async def revoke_invitation(
        self,
        info: Info,
        input: Annotated[  # noqa: A002 - the argument's name in the schema
            RevokeInvitationInput, strawberry.argument(description="Which invitation.")
        ],
    ) -> RevokeInvitationResult:
        """While nobody has accepted it."""
        outcome = await invitations.revoke(
            info.context.call, invitation_id=read_id("Invitation", input.invitation_id)
        )
        if isinstance(outcome, Refused):
            return RevokeInvitationFailure(
                message="The invitation was not revoked.", errors=invalid_inputs(outcome.problems)
            )
        return RevokeInvitationSuccess(
            invitation=Invitation.of(outcome[0], Workspace.of(outcome[1], outcome[2]))
        )
