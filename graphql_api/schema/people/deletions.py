"""Deleting Workspaces and users."""

from typing import Annotated

import strawberry

from graphql_api.domain.refusals import Refused
from graphql_api.domain.secrets import Secret
from graphql_api.schema.context import Info
from graphql_api.schema.errors import (
    CredentialsRejected,
    InvalidInput,
    credential_errors,
    invalid_inputs,
)
from graphql_api.schema.ids import read_id
from graphql_api.schema.people.user import User
from graphql_api.schema.workspaces.workspace import Workspace
from graphql_api.services.people import deletions


@strawberry.input(description="Which Workspace to delete.")
class DeleteWorkspaceInput:
    """One deletion."""

    workspace_id: strawberry.ID = strawberry.field(description="A Workspace that the viewer is an admin of.")


@strawberry.type(
    description="The Workspace is gone, with its teams, invitations and history. Its social accounts are free, their access tokens destroyed."
)
class DeleteWorkspaceSuccess:
    """A success."""

    workspace: Workspace = strawberry.field(description="What was deleted; its `viewerRole` is null.")


DeleteWorkspaceError = Annotated[
    InvalidInput,
    strawberry.union(
        "DeleteWorkspaceError", description="What can stand in the way of deleting a Workspace. Closed."
    ),
]


@strawberry.type(description="Nothing was deleted.")
class DeleteWorkspaceFailure:
    """A failure."""

    message: str = strawberry.field(description="A sentence for people, over all errors.")
    errors: list[DeleteWorkspaceError] = strawberry.field(description="What stood in the way.")


DeleteWorkspaceResult = Annotated[
    DeleteWorkspaceSuccess | DeleteWorkspaceFailure,
    strawberry.union("DeleteWorkspaceResult", description="What came of deleting a Workspace. Closed."),
]


@strawberry.input(description="The viewer's password, so that nobody else deletes them.")
class DeleteUserInput:
    """One deletion."""

    current_password: str = strawberry.field(description="The viewer's password.")

    def __repr__(self) -> str:
        return "DeleteUserInput(***)"


@strawberry.type(
    description="The viewer is gone, with their API tokens, Facebook accounts, history, and the Workspaces whose only member they were. Social accounts of these and of their Personal are free, the access tokens destroyed."
)
class DeleteUserSuccess:
    """A success."""

    user: User = strawberry.field(description="Who was deleted.")


DeleteUserError = Annotated[
    InvalidInput | CredentialsRejected,
    strawberry.union(
        "DeleteUserError", description="What can stand in the way of deleting the viewer. Closed."
    ),
]


@strawberry.type(description="Nothing was deleted.")
class DeleteUserFailure:
    """A failure."""

    message: str = strawberry.field(description="A sentence for people, over all errors.")
    errors: list[DeleteUserError] = strawberry.field(description="What stood in the way.")


DeleteUserResult = Annotated[
    DeleteUserSuccess | DeleteUserFailure,
    strawberry.union("DeleteUserResult", description="What came of deleting the viewer. Closed."),
]


@strawberry.type
class DeletionMutations:
    """The mutations that delete."""

    @strawberry.mutation(
        description="Delete a Workspace for good; for its admins. Every member finds it in their own history."
    )
    async def delete_workspace(
        self,
        info: Info,
        input: Annotated[  # noqa: A002 - the argument's name in the schema
            DeleteWorkspaceInput, strawberry.argument(description="Which Workspace.")
        ],
    ) -> DeleteWorkspaceResult:
        """Admins only."""
        outcome = await deletions.delete_workspace(
            info.context.call, read_id("Workspace", input.workspace_id)
        )
        if isinstance(outcome, Refused):
            return DeleteWorkspaceFailure(
                message="Nothing was deleted.", errors=invalid_inputs(outcome.problems)
            )
        return DeleteWorkspaceSuccess(workspace=Workspace.of(outcome, None))

    @strawberry.mutation(
        description="Delete the viewer for good. Their bearer tokens end at once. Not while they are the only admin of a Workspace that has other members."
    )
    async def delete_user(
        self,
        info: Info,
        input: Annotated[  # noqa: A002 - the argument's name in the schema
            DeleteUserInput, strawberry.argument(description="The viewer's password.")
        ],
    ) -> DeleteUserResult:
        """Whoever knows the password."""
        outcome = await deletions.delete_user(
            info.context.call, current_password=Secret(input.current_password)
        )
        if isinstance(outcome, Refused):
            return DeleteUserFailure(
                message="Nothing was deleted.", errors=credential_errors(outcome.problems)
            )
        return DeleteUserSuccess(user=User.of(outcome))
