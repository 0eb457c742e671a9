"""Members of Workspaces: changing their roles, removing them, and leaving."""

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
class MemberRoleInput:
    """A member, and the role that they get."""

    user_id: strawberry.ID = strawberry.field(description="A member of the Workspace. It can be the viewer.")
    role: Role = strawberry.field(description="The new role.")


@arguments
class ChangeMemberRolesInput:
    """Arguments of `changeMemberRoles`."""

    workspace_id: strawberry.ID = strawberry.field(description="A Workspace that the viewer is an admin of.")
    members: list[MemberRoleInput] = strawberry.field(
        description="The members to change: 1 to 100, each once."
    )


@output
class ChangeMemberRolesSuccess:
    """All of these members have their new roles."""

    workspace: Workspace = strawberry.field(description="The Workspace, with the viewer's role there.")
    members: list[Member] = strawberry.field(description="The members, in the order of the input.")


@mutation("No role was changed.")
async def change_member_roles(
    info: Info, input: ChangeMemberRolesInput
) -> ChangeMemberRolesSuccess | Refused[InvalidInput]:
    """Change the roles of members, all or none. Requires the role ADMIN.

    The Workspace must keep an admin. A role that a member has already is no error.
    """
    outcome = await members.change_roles(
        info.context.call,
        workspace_id=read_id("Workspace", input.workspace_id),
        roles=[(read_id("User", one.user_id), one.role) for one in input.members],
    )
    if isinstance(outcome, Refused):
        return outcome
    return ChangeMemberRolesSuccess(
        workspace=Workspace.of(outcome.workspace, outcome.viewer_role),
        members=[Member.of(member) for member in outcome.members],
    )


@arguments
class RemoveMemberInput:
    """Arguments of `removeMember`."""

    workspace_id: strawberry.ID = strawberry.field(description="A Workspace that the viewer is an admin of.")
    user_id: strawberry.ID = strawberry.field(description="A member of the Workspace. It can be the viewer.")


@output
class RemoveMemberSuccess:
    """The user is no longer a member: they left all teams, and their pending requests were withdrawn."""

    workspace: Workspace = strawberry.field(description="The Workspace, with the viewer's role there.")
    user: User = strawberry.field(description="The user who was removed.")


@mutation("Nobody was removed.")
async def remove_member(info: Info, input: RemoveMemberInput) -> RemoveMemberSuccess | Refused[InvalidInput]:
    """Remove a member from a Workspace. Requires the role ADMIN.

    The only admin cannot be removed. Social accounts that the member connected stay in the Workspace.
    """
    outcome = await members.remove(
        info.context.call,
        workspace_id=read_id("Workspace", input.workspace_id),
        user_id=read_id("User", input.user_id),
    )
    if isinstance(outcome, Refused):
        return outcome
    ((user, _),) = outcome.members
    return RemoveMemberSuccess(
        workspace=Workspace.of(outcome.workspace, outcome.viewer_role), user=User.of(user)
    )


@arguments
class LeaveWorkspaceInput:
    """Arguments of `leaveWorkspace`."""

    workspace_id: strawberry.ID = strawberry.field(description="A Workspace that the viewer belongs to.")


@output
class LeaveWorkspaceSuccess:
    """The viewer is no longer a member: they left all teams, and their pending requests were withdrawn."""

    workspace: Workspace = strawberry.field(description="The Workspace. Its `viewerRole` is null.")


@mutation("The viewer is a member as before.")
async def leave_workspace(
    info: Info, input: LeaveWorkspaceInput
) -> LeaveWorkspaceSuccess | Refused[InvalidInput]:
    """Leave a Workspace.

    The only admin cannot leave: make another member an admin first, or delete the Workspace.
    """
    outcome = await members.leave(info.context.call, workspace_id=read_id("Workspace", input.workspace_id))
    if isinstance(outcome, Refused):
        return outcome
    return LeaveWorkspaceSuccess(workspace=Workspace.of(outcome, None))
