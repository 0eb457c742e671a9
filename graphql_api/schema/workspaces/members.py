"""Members of Workspaces: their roles, and how they go."""

import strawberry

from graphql_api.domain.holders import Role
from graphql_api.domain.inputs import InvalidInput
from graphql_api.domain.refusals import Refused
from graphql_api.schema.context import Info
from graphql_api.schema.described import arguments, output
from graphql_api.schema.ids import read_id
from graphql_api.schema.mutation import mutation
from graphql_api.schema.people.user import User
from graphql_api.schema.workspaces.workspace import Member, Workspace
from graphql_api.services.workspaces import members


@arguments
class ChangeMemberRoleInput:
    """Whose role to change, and to what."""

    workspace_id: strawberry.ID = strawberry.field(description="A Workspace that the viewer is an admin of.")
    user_id: strawberry.ID = strawberry.field(description="A member of it, the viewer too.")
    role: Role = strawberry.field(description="The role that they get.")


@output
class ChangeMemberRoleSuccess:
    """The member has this role now."""

    workspace: Workspace = strawberry.field(description="The Workspace, with the viewer's role there.")
    member: Member = strawberry.field(description="The member.")


@mutation("No role was changed.")
async def change_member_role(
    info: Info, input: ChangeMemberRoleInput
) -> ChangeMemberRoleSuccess | Refused[InvalidInput]:
    """Change the role of a member; for admins.

    The only admin stays one. A role that they have already is no error.
    """
    outcome = await members.change_role(
        info.context.call,
        workspace_id=read_id("Workspace", input.workspace_id),
        user_id=read_id("User", input.user_id),
        role=input.role,
    )
    if isinstance(outcome, Refused):
        return outcome
    return ChangeMemberRoleSuccess(
        workspace=Workspace.of(outcome.workspace, outcome.viewer_role),
        member=Member.of((outcome.user, outcome.membership)),
    )


@arguments
class RemoveMemberInput:
    """Whom to remove, and from where."""

    workspace_id: strawberry.ID = strawberry.field(description="A Workspace that the viewer is an admin of.")
    user_id: strawberry.ID = strawberry.field(description="A member of it, the viewer too.")


@output
class RemoveMemberSuccess:
    """The person is no member any more: they are in none of its teams, and what they had asked for is withdrawn."""

    workspace: Workspace = strawberry.field(description="The Workspace, with the viewer's role there.")
    user: User = strawberry.field(description="Who was removed.")


@mutation("Nobody was removed.")
async def remove_member(info: Info, input: RemoveMemberInput) -> RemoveMemberSuccess | Refused[InvalidInput]:
    """Remove a member from a Workspace; for admins.

    The only admin stays. Social accounts that they connected stay in the Workspace.
    """
    outcome = await members.remove(
        info.context.call,
        workspace_id=read_id("Workspace", input.workspace_id),
        user_id=read_id("User", input.user_id),
    )
    if isinstance(outcome, Refused):
        return outcome
    return RemoveMemberSuccess(
        workspace=Workspace.of(outcome.workspace, outcome.viewer_role), user=User.of(outcome.user)
    )


@arguments
class LeaveWorkspaceInput:
    """Which Workspace to leave."""

    workspace_id: strawberry.ID = strawberry.field(description="A Workspace that the viewer belongs to.")


@output
class LeaveWorkspaceSuccess:
    """The viewer is no member any more: they are in none of its teams, and what they had asked for is withdrawn."""

    workspace: Workspace = strawberry.field(
        description="The Workspace that was left; its `viewerRole` is null."
    )


@mutation("The viewer is a member as before.")
async def leave_workspace(
    info: Info, input: LeaveWorkspaceInput
) -> LeaveWorkspaceSuccess | Refused[InvalidInput]:
    """Leave a Workspace.

    Its only admin cannot: they make somebody else an admin first, or delete it.
    """
    outcome = await members.leave(info.context.call, workspace_id=read_id("Workspace", input.workspace_id))
    if isinstance(outcome, Refused):
        return outcome
    return LeaveWorkspaceSuccess(workspace=Workspace.of(outcome, None))
