"""Creating and renaming Workspaces, inviting people, and accepting."""

from typing import Annotated

import strawberry

from graphql_api.domain.holders import Role
from graphql_api.domain.refusals import Refused
from graphql_api.domain.secrets import Secret
from graphql_api.schema.context import Info
from graphql_api.schema.errors import InvalidInput, invalid_inputs
from graphql_api.schema.ids import read_id
from graphql_api.schema.workspaces.workspace import Invitation, Workspace
from graphql_api.services.workspaces import invitations, workspaces


@strawberry.input(description="The new Workspace.")
class CreateWorkspaceInput:
    """One Workspace."""

    name: str = strawberry.field(description="The name that people see: 1 to 100 characters.")


@strawberry.type(description="The Workspace is created.")
class CreateWorkspaceSuccess:
    """A success."""

    workspace: Workspace = strawberry.field(description="The new Workspace; the viewer is its admin.")


CreateWorkspaceError = Annotated[
    InvalidInput,
    strawberry.union(
        "CreateWorkspaceError", description="What can stand in the way of creating one. Closed."
    ),
]


@strawberry.type(description="No Workspace was created.")
class CreateWorkspaceFailure:
    """A failure."""

    message: str = strawberry.field(description="A sentence for people, over all errors.")
    errors: list[CreateWorkspaceError] = strawberry.field(description="What stood in the way.")


CreateWorkspaceResult = Annotated[
    CreateWorkspaceSuccess | CreateWorkspaceFailure,
    strawberry.union("CreateWorkspaceResult", description="What came of creating a Workspace. Closed."),
]


@strawberry.input(description="Which Workspace to rename, and how.")
class RenameWorkspaceInput:
    """One new name."""

    workspace_id: strawberry.ID = strawberry.field(description="A Workspace that the viewer is an admin of.")
    name: str = strawberry.field(description="The name that people see: 1 to 100 characters.")


@strawberry.type(description="The Workspace has this name now.")
class RenameWorkspaceSuccess:
    """A success."""

    workspace: Workspace = strawberry.field(description="The Workspace, with the viewer's role there.")


RenameWorkspaceError = Annotated[
    InvalidInput,
    strawberry.union("RenameWorkspaceError", description="What can stand in the way of renaming. Closed."),
]


@strawberry.type(description="The Workspace has the name that it had.")
class RenameWorkspaceFailure:
    """A failure."""

    message: str = strawberry.field(description="A sentence for people, over all errors.")
    errors: list[RenameWorkspaceError] = strawberry.field(description="What stood in the way.")


RenameWorkspaceResult = Annotated[
    RenameWorkspaceSuccess | RenameWorkspaceFailure,
    strawberry.union("RenameWorkspaceResult", description="What came of renaming. Closed."),
]


@strawberry.input(description="Whom to invite, and where to.")
class InviteToWorkspaceInput:
    """One invitation."""

    workspace_id: strawberry.ID = strawberry.field(description="A Workspace that the viewer is an admin of.")
    email: str = strawberry.field(description="The e-mail address to invite; only its user can accept.")
    role: Role = strawberry.field(description="What the invited person will be allowed to do.")


@strawberry.type(description="The invitation is made.")
class InviteToWorkspaceSuccess:
    """A success."""

    invitation: Invitation = strawberry.field(description="The invitation.")
    code: str = strawberry.field(
        description="What the invited person needs for `acceptInvitation`; shown in this answer only."
    )


InviteToWorkspaceError = Annotated[
    InvalidInput,
    strawberry.union("InviteToWorkspaceError", description="What can stand in the way of inviting. Closed."),
]


@strawberry.type(description="Nobody was invited.")
class InviteToWorkspaceFailure:
    """A failure."""

    message: str = strawberry.field(description="A sentence for people, over all errors.")
    errors: list[InviteToWorkspaceError] = strawberry.field(description="What stood in the way.")


InviteToWorkspaceResult = Annotated[
    InviteToWorkspaceSuccess | InviteToWorkspaceFailure,
    strawberry.union("InviteToWorkspaceResult", description="What came of inviting. Closed."),
]


@strawberry.input(description="Which invitation to accept.")
class AcceptInvitationInput:
    """One acceptance."""

    code: str = strawberry.field(description="The code of an invitation to the viewer's own e-mail address.")

    def __repr__(self) -> str:
        return "AcceptInvitationInput(***)"


@strawberry.type(description="The viewer is a member now.")
class AcceptInvitationSuccess:
    """A success."""

    workspace: Workspace = strawberry.field(description="The Workspace, with the viewer's role there.")


AcceptInvitationError = Annotated[
    InvalidInput,
    strawberry.union("AcceptInvitationError", description="What can stand in the way of accepting. Closed."),
]


@strawberry.type(description="Nothing was accepted.")
class AcceptInvitationFailure:
    """A failure."""

    message: str = strawberry.field(description="A sentence for people, over all errors.")
    errors: list[AcceptInvitationError] = strawberry.field(
        description="What stood in the way. A code that is unknown, used up, revoked, expired or somebody else's is one answer."
    )


AcceptInvitationResult = Annotated[
    AcceptInvitationSuccess | AcceptInvitationFailure,
    strawberry.union("AcceptInvitationResult", description="What came of accepting. Closed."),
]


@strawberry.type
class WorkspaceMutations:
    """The mutations of this noun."""

    @strawberry.mutation(description="Create a Workspace; the viewer becomes its admin.")
    async def create_workspace(
        self,
        info: Info,
        input: Annotated[  # noqa: A002 - the argument's name in the schema
            CreateWorkspaceInput, strawberry.argument(description="The new Workspace.")
        ],
    ) -> CreateWorkspaceResult:
        """Anyone who is registered."""
        outcome = await workspaces.create(info.context.call, name=input.name)
        if isinstance(outcome, Refused):
            return CreateWorkspaceFailure(
                message="No Workspace was created.", errors=invalid_inputs(outcome.problems)
            )
        return CreateWorkspaceSuccess(workspace=Workspace.of(outcome, Role.ADMIN))

    @strawberry.mutation(description="Rename a Workspace; for its admins.")
    async def rename_workspace(
        self,
        info: Info,
        input: Annotated[  # noqa: A002 - the argument's name in the schema
            RenameWorkspaceInput, strawberry.argument(description="Which Workspace, and how.")
        ],
    ) -> RenameWorkspaceResult:
        """Admins only."""
        outcome = await workspaces.rename(
            info.context.call, workspace_id=read_id("Workspace", input.workspace_id), name=input.name
        )
        if isinstance(outcome, Refused):
            return RenameWorkspaceFailure(
                message="The Workspace has the name that it had.", errors=invalid_inputs(outcome.problems)
            )
        return RenameWorkspaceSuccess(workspace=Workspace.of(*outcome))

    @strawberry.mutation(
        description="Invite somebody into a Workspace; for its admins. The code is mailed to the address, and is in the answer, "
        "once. A pending invitation of the same address into this Workspace is revoked: the new one replaces it."
    )
    async def invite_to_workspace(
        self,
        info: Info,
        input: Annotated[  # noqa: A002 - the argument's name in the schema
            InviteToWorkspaceInput, strawberry.argument(description="Whom to invite, and where to.")
        ],
    ) -> InviteToWorkspaceResult:
        """By address, whether or not it is registered yet."""
        outcome = await invitations.invite(
            info.context.call,
            workspace_id=read_id("Workspace", input.workspace_id),
            email=input.email,
            role=input.role,
        )
        if isinstance(outcome, Refused):
            return InviteToWorkspaceFailure(
                message="Nobody was invited.", errors=invalid_inputs(outcome.problems)
            )
        return InviteToWorkspaceSuccess(
            invitation=Invitation.of(outcome.invitation, Workspace.of(outcome.workspace, outcome.role)),
            code=outcome.code.reveal(),
        )

    @strawberry.mutation(
        description="Join a Workspace by the code of an invitation to the viewer's e-mail address."
    )
    async def accept_invitation(
        self,
        info: Info,
        input: Annotated[  # noqa: A002 - the argument's name in the schema
            AcceptInvitationInput, strawberry.argument(description="Which invitation.")
        ],
    ) -> AcceptInvitationResult:
        """The invited person only."""
        outcome = await invitations.accept(info.context.call, code=Secret(input.code))
        if isinstance(outcome, Refused):
            return AcceptInvitationFailure(
                message="Nothing was accepted.", errors=invalid_inputs(outcome.problems)
            )
        return AcceptInvitationSuccess(workspace=Workspace.of(*outcome))
