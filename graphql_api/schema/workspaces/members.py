"""Members of Workspaces: their roles, and how they go."""

from typing import Annotated

import strawberry

from graphql_api.domain.holders import Role
from graphql_api.domain.refusals import Refused
from graphql_api.schema.context import Info
from graphql_api.schema.errors import InvalidInput, invalid_inputs
from graphql_api.schema.ids import read_id
from graphql_api.schema.people.user import User
from graphql_api.schema.workspaces.workspace import Member, Workspace
from graphql_api.services.workspaces import members


@strawberry.input(description="Whose role to change, and to what.")
class ChangeMemberRoleInput:
    """One change."""

    workspace_id: strawberry.ID = strawberry.field(description="A Workspace that the viewer is an admin of.")
    user_id: strawberry.ID = strawberry.field(description="A member of it, the viewer too.")
    role: Role = strawberry.field(description="The role that they get.")


@strawberry.type(description="The member has this role now.")
class ChangeMemberRoleSuccess:
    """A success."""

    workspace: Workspace = strawberry.field(description="The Workspace, with the viewer's role there.")
    member: Member = strawberry.field(description="The member.")


ChangeMemberRoleError = Annotated[
    InvalidInput,
    strawberry.union(
        "ChangeMemberRoleError", description="What can stand in the way of changing a role. Closed."
    ),
]


@strawberry.type(description="No role was changed.")
class ChangeMemberRoleFailure:
    """A failure."""

    message: str = strawberry.field(description="A sentence for people, over all errors.")
    errors: list[ChangeMemberRoleError] = strawberry.field(description="What stood in the way.")


ChangeMemberRoleResult = Annotated[
    ChangeMemberRoleSuccess | ChangeMemberRoleFailure,
    strawberry.union("ChangeMemberRoleResult", description="What came of changing a role. Closed."),
]


@strawberry.input(description="Whom to remove, and from where.")
class RemoveMemberInput:
    """One removal."""

    workspace_id: strawberry.ID = strawberry.field(description="A Workspace that the viewer is an admin of.")
    user_id: strawberry.ID = strawberry.field(description="A member of it, the viewer too.")


@strawberry.type(
    description="The person is no member any more: they are in none of its teams, and what they had asked for is withdrawn."
)
class RemoveMemberSuccess:
    """A success."""

    workspace: Workspace = strawberry.field(description="The Workspace, with the viewer's role there.")
    user: User = strawberry.field(description="Who was removed.")


RemoveMemberError = Annotated[
    InvalidInput,
    strawberry.union(
        "RemoveMemberError", description="What can stand in the way of removing a member. Closed."
    ),
]


@strawberry.type(description="Nobody was removed.")
class RemoveMemberFailure:
    """A failure."""

    message: str = strawberry.field(description="A sentence for people, over all errors.")
    errors: list[RemoveMemberError] = strawberry.field(description="What stood in the way.")


RemoveMemberResult = Annotated[
    RemoveMemberSuccess | RemoveMemberFailure,
    strawberry.union("RemoveMemberResult", description="What came of removing a member. Closed."),
]


@strawberry.input(description="Which Workspace to leave.")
class LeaveWorkspaceInput:
    """One departure."""

    workspace_id: strawberry.ID = strawberry.field(description="A Workspace that the viewer belongs to.")


@strawberry.type(
    description="The viewer is no member any more: they are in none of its teams, and what they had asked for is withdrawn."
)
class LeaveWorkspaceSuccess:
    """A success."""

    workspace: Workspace = strawberry.field(
        description="The Workspace that was left; its `viewerRole` is null."
    )


LeaveWorkspaceError = Annotated[
    InvalidInput,
    strawberry.union("LeaveWorkspaceError", description="What can stand in the way of leaving. Closed."),
]


@strawberry.type(description="The viewer is a member as before.")
class LeaveWorkspaceFailure:
    """A failure."""

    message: str = strawberry.field(description="A sentence for people, over all errors.")
    errors: list[LeaveWorkspaceError] = strawberry.field(description="What stood in the way.")


LeaveWorkspaceResult = Annotated[
    LeaveWorkspaceSuccess | LeaveWorkspaceFailure,
    strawberry.union("LeaveWorkspaceResult", description="What came of leaving. Closed."),
]


@strawberry.type
class MemberMutations:
    """The mutations of this noun."""

    @strawberry.mutation(
        description="Change the role of a member; for admins. The only admin stays one. A role that they have already is no error."
    )
    async def change_member_role(
        self,
        info: Info,
        input: Annotated[  # noqa: A002 - the argument's name in the schema
            ChangeMemberRoleInput, strawberry.argument(description="Whose role, and to what.")
        ],
    ) -> ChangeMemberRoleResult:
        """Admins only."""
        outcome = await members.change_role(
            info.context.call,
            workspace_id=read_id("Workspace", input.workspace_id),
            user_id=read_id("User", input.user_id),
            role=input.role,
        )
        if isinstance(outcome, Refused):
            return ChangeMemberRoleFailure(
                message="No role was changed.", errors=invalid_inputs(outcome.problems)
            )
        return ChangeMemberRoleSuccess(
            workspace=Workspace.of(outcome.workspace, outcome.viewer_role),
            member=Member.of((outcome.user, outcome.membership)),
        )

    @strawberry.mutation(
        description="Remove a member from a Workspace; for admins. The only admin stays. Social accounts that they connected stay in the Workspace."
    )
    async def remove_member(
        self,
        info: Info,
        input: Annotated[  # noqa: A002 - the argument's name in the schema
            RemoveMemberInput, strawberry.argument(description="Whom, and from where.")
        ],
    ) -> RemoveMemberResult:
        """Admins only."""
        outcome = await members.remove(
            info.context.call,
            workspace_id=read_id("Workspace", input.workspace_id),
            user_id=read_id("User", input.user_id),
        )
        if isinstance(outcome, Refused):
            return RemoveMemberFailure(message="Nobody was removed.", errors=invalid_inputs(outcome.problems))
        return RemoveMemberSuccess(
            workspace=Workspace.of(outcome.workspace, outcome.viewer_role), user=User.of(outcome.user)
        )

    @strawberry.mutation(
        description="Leave a Workspace. Its only admin cannot: they make somebody else an admin first, or delete it."
    )
    async def leave_workspace(
        self,
        info: Info,
        input: Annotated[  # noqa: A002 - the argument's name in the schema
            LeaveWorkspaceInput, strawberry.argument(description="Which Workspace.")
        ],
    ) -> LeaveWorkspaceResult:
        """Every member, but for the last admin."""
        outcome = await members.leave(
            info.context.call, workspace_id=read_id("Workspace", input.workspace_id)
        )
        if isinstance(outcome, Refused):
            return LeaveWorkspaceFailure(
                message="The viewer is a member as before.", errors=invalid_inputs(outcome.problems)
            )
        return LeaveWorkspaceSuccess(workspace=Workspace.of(outcome, None))
