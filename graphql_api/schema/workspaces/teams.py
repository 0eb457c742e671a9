"""Teams: creating, renaming and deleting them, and who is in them."""

import strawberry

from graphql_api.domain.inputs import InvalidInput
from graphql_api.domain.refusals import Refused
from graphql_api.schema.context import Info
from graphql_api.schema.described import arguments, output
from graphql_api.schema.ids import read_id
from graphql_api.schema.mutation import mutation
from graphql_api.schema.people.user import User
from graphql_api.schema.workspaces.team import Team
from graphql_api.services.workspaces import teams


@arguments
class CreateTeamInput:
    """Arguments of `createTeam`."""

    workspace_id: strawberry.ID = strawberry.field(description="A Workspace that the viewer is an admin of.")
    name: str = strawberry.field(
        description="The name that people see: 1 to 100 characters. It must be unique in the Workspace. Upper and lower case are the same."
    )


@output
class CreateTeamSuccess:
    """The team was created."""

    team: Team = strawberry.field(description="The new team. It has no members yet.")


@mutation("No team was created.")
async def create_team(info: Info, input: CreateTeamInput) -> CreateTeamSuccess | Refused[InvalidInput]:
    """Create a team in a Workspace. Requires the role ADMIN."""
    outcome = await teams.create(
        info.context.call, workspace_id=read_id("Workspace", input.workspace_id), name=input.name
    )
    if isinstance(outcome, Refused):
        return outcome
    return CreateTeamSuccess(team=Team.of(outcome))


@arguments
class RenameTeamInput:
    """Arguments of `renameTeam`."""

    team_id: strawberry.ID = strawberry.field(
        description="A team of a Workspace that the viewer is an admin of."
    )
    name: str = strawberry.field(
        description="The name that people see: 1 to 100 characters. It must be unique in the Workspace. Upper and lower case are the same."
    )


@output
class RenameTeamSuccess:
    """The team has its new name."""

    team: Team = strawberry.field(description="The team.")


@mutation("The team has the name that it had.")
async def rename_team(info: Info, input: RenameTeamInput) -> RenameTeamSuccess | Refused[InvalidInput]:
    """Rename a team. Requires the role ADMIN.

    The name that it has already is no error.
    """
    outcome = await teams.rename(info.context.call, team_id=read_id("Team", input.team_id), name=input.name)
    if isinstance(outcome, Refused):
        return outcome
    return RenameTeamSuccess(team=Team.of(outcome))


@arguments
class DeleteTeamInput:
    """Arguments of `deleteTeam`."""

    team_id: strawberry.ID = strawberry.field(
        description="A team of a Workspace that the viewer is an admin of."
    )


@output
class DeleteTeamSuccess:
    """The team was deleted.

    Its members and its social accounts stay in the Workspace. The members no longer see accounts that were shared
    with this team only.
    """

    team: Team = strawberry.field(description="The deleted team.")


@mutation("Nothing was deleted.")
async def delete_team(info: Info, input: DeleteTeamInput) -> DeleteTeamSuccess | Refused[InvalidInput]:
    """Delete a team. Requires the role ADMIN."""
    outcome = await teams.delete(info.context.call, read_id("Team", input.team_id))
    if isinstance(outcome, Refused):
        return outcome
    return DeleteTeamSuccess(team=Team.of(outcome))


@arguments
class AddTeamMembersInput:
    """Arguments of `addTeamMembers`."""

    team_id: strawberry.ID = strawberry.field(
        description="A team of a Workspace that the viewer is an admin of."
    )
    user_ids: list[strawberry.ID] = strawberry.field(
        description="Members of the team's Workspace: 1 to 100, each once."
    )


@output
class AddTeamMembersSuccess:
    """All of these users are in the team."""

    team: Team = strawberry.field(description="The team.")
    users: list[User] = strawberry.field(description="The users, in the order of the input.")


@mutation("Nobody was added.")
async def add_team_members(
    info: Info, input: AddTeamMembersInput
) -> AddTeamMembersSuccess | Refused[InvalidInput]:
    """Add members of a Workspace to one of its teams, all or none. Requires the role ADMIN.

    Adding a user who is already in the team succeeds and changes nothing. Pending requests of the new team members
    for social accounts that they see now end as `CLOSED`.
    """
    outcome = await teams.add_members(
        info.context.call,
        team_id=read_id("Team", input.team_id),
        user_ids=[read_id("User", one) for one in input.user_ids],
    )
    if isinstance(outcome, Refused):
        return outcome
    return AddTeamMembersSuccess(team=Team.of(outcome.team), users=[User.of(user) for user in outcome.users])


@arguments
class RemoveTeamMembersInput:
    """Arguments of `removeTeamMembers`."""

    team_id: strawberry.ID = strawberry.field(
        description="A team of a Workspace that the viewer is an admin of."
    )
    user_ids: list[strawberry.ID] = strawberry.field(
        description="Members of the team's Workspace: 1 to 100, each once."
    )


@output
class RemoveTeamMembersSuccess:
    """None of these users is in the team."""

    team: Team = strawberry.field(description="The team.")
    users: list[User] = strawberry.field(description="The users, in the order of the input.")


@mutation("Nobody was removed.")
async def remove_team_members(
    info: Info, input: RemoveTeamMembersInput
) -> RemoveTeamMembersSuccess | Refused[InvalidInput]:
    """Remove members of a Workspace from one of its teams, all or none. Requires the role ADMIN.

    Removing a user who is not in the team succeeds and changes nothing.
    """
    outcome = await teams.remove_members(
        info.context.call,
        team_id=read_id("Team", input.team_id),
        user_ids=[read_id("User", one) for one in input.user_ids],
    )
    if isinstance(outcome, Refused):
        return outcome
    return RemoveTeamMembersSuccess(
        team=Team.of(outcome.team), users=[User.of(user) for user in outcome.users]
    )
