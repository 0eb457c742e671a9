"""Inviting people into a Workspace, revoking that, and the invited person's answer."""

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
from graphql_api.services.workspaces import invitations


@arguments
class InviteToWorkspaceInput:
    """Arguments of `inviteToWorkspace`."""

    workspace_id: strawberry.ID = strawberry.field(description="A Workspace that the viewer is an admin of.")
    email: str = strawberry.field(description="The e-mail address to invite. Only its user can accept.")
    role: Role = strawberry.field(description="The role that the invited person gets by accepting.")


@output
class InviteToWorkspaceSuccess:
    """The address was invited, and an e-mail with the code is on its way."""

    invitation: Invitation = strawberry.field(description="The new invitation.")
    code: str = strawberry.field(
        description="The code for `acceptInvitation`. Only this response shows it, and the e-mail."
    )


@mutation("Nobody was invited.")
async def invite_to_workspace(
    info: Info, input: InviteToWorkspaceInput
) -> InviteToWorkspaceSuccess | Refused[InvalidInput]:
    """Invite a person into a Workspace by e-mail. Requires the role ADMIN.

    A pending invitation of the same address into this Workspace is revoked: the new one replaces it. A user or a
    Workspace that invites too often gets `RATE_LIMITED`.
    """
    outcome = await invitations.invite(
        info.context.call,
        workspace_id=read_id("Workspace", input.workspace_id),
        email=input.email,
        role=input.role,
    )
    if isinstance(outcome, Refused):
        return outcome
    return InviteToWorkspaceSuccess(invitation=Invitation.of(outcome.invitation), code=outcome.code.reveal())


@arguments
class AcceptInvitationInput:
    """Arguments of `acceptInvitation`: exactly one of the two fields."""

    code: str | None = strawberry.field(
        default=None,
        description="The code from the e-mail. The viewer's e-mail address need not be verified. Cannot be "
        "combined with `invitationId`.",
    )
    invitation_id: strawberry.ID | None = strawberry.field(
        default=None,
        description="An invitation from `Viewer.invitations`. Requires a verified e-mail address. Cannot be "
        "combined with `code`.",
    )

    def __repr__(self) -> str:
        return "AcceptInvitationInput(***)"


@output
class AcceptInvitationSuccess:
    """The viewer is a member of the Workspace."""

    workspace: Workspace = strawberry.field(description="The Workspace, with the viewer's role there.")


@mutation(
    "Nothing was accepted.",
    errors="What blocks the call, in the order of the input. A code that is unknown, used up, revoked, expired or "
    "somebody else's is `NOT_FOUND` at `code`. Without `code` and `invitationId`, the error is `REQUIRED` at "
    '`["input"]`, and with both it is `INVALID_FORMAT` there.',
)
async def accept_invitation(
    info: Info, input: AcceptInvitationInput
) -> AcceptInvitationSuccess | Refused[InvalidInput]:
    """Accept an invitation to the viewer's e-mail address, and join its Workspace."""
    outcome = await invitations.accept(
        info.context.call,
        code=None if input.code is None else Secret(input.code),
        invitation_id=None if input.invitation_id is None else read_id("Invitation", input.invitation_id),
    )
    if isinstance(outcome, Refused):
        return outcome
    return AcceptInvitationSuccess(workspace=Workspace.of(*outcome))


@arguments
class DeclineInvitationInput:
    """Arguments of `declineInvitation`."""

    invitation_id: strawberry.ID = strawberry.field(
        description="An invitation from `Viewer.invitations`. Requires a verified e-mail address."
    )


@output
class DeclineInvitationSuccess:
    """The invitation can no longer be accepted. An admin can invite the viewer again."""

    invitation: Invitation = strawberry.field(description="The declined invitation.")


@mutation(
    "The invitation was not declined.",
    errors="What blocks the call. An invitation that is accepted, revoked or expired is `NOT_ALLOWED`.",
)
async def decline_invitation(
    info: Info, input: DeclineInvitationInput
) -> DeclineInvitationSuccess | Refused[InvalidInput]:
    """Decline an invitation to the viewer's e-mail address.

    Declining twice is no error.
    """
    outcome = await invitations.decline(
        info.context.call, invitation_id=read_id("Invitation", input.invitation_id)
    )
    if isinstance(outcome, Refused):
        return outcome
    return DeclineInvitationSuccess(invitation=Invitation.of(outcome))


@arguments
class RevokeInvitationInput:
    """Arguments of `revokeInvitation`."""

    invitation_id: strawberry.ID = strawberry.field(
        description="An invitation into a Workspace that the viewer is an admin of."
    )


@output
class RevokeInvitationSuccess:
    """The invitation can no longer be accepted."""

    invitation: Invitation = strawberry.field(description="The revoked invitation.")


@mutation(
    "The invitation was not revoked.",
    errors="What blocks the call. An invitation that was accepted or declined is `NOT_ALLOWED`: after accepting, "
    "remove the member instead.",
)
async def revoke_invitation(
    info: Info, input: RevokeInvitationInput
) -> RevokeInvitationSuccess | Refused[InvalidInput]:
    """Take back an invitation that nobody has answered. Requires the role ADMIN.

    Revoking an invitation that is revoked or expired already succeeds and changes nothing.
    """
    outcome = await invitations.revoke(
        info.context.call, invitation_id=read_id("Invitation", input.invitation_id)
    )
    if isinstance(outcome, Refused):
        return outcome
    return RevokeInvitationSuccess(invitation=Invitation.of(outcome))
