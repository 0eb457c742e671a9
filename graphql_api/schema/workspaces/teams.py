"""Teams: making, renaming and deleting them, and who is in them."""

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
    """The new team."""

    workspace_id: strawberry.ID = strawberry.field(description="A Workspace that the viewer is an admin of.")
    name: str = strawberry.field(
        description="The name that people see: 1 to 100 characters, and no other team's of the Workspace, compared without case."
    )


@output
class CreateTeamSuccess:
    """The team is made."""

    team: Team = strawberry.field(description="The new team; nobody is in it yet.")


@mutation("No team was made.")
async def create_team(info: Info, input: CreateTeamInput) -> CreateTeamSuccess | Refused[InvalidInput]:
    """Make a team in a Workspace; for its admins."""
    outcome = await teams.create(
        info.context.call, workspace_id=read_id("Workspace", input.workspace_id), name=input.name
    )
    if isinstance(outcome, Refused):
        return outcome
    return CreateTeamSuccess(team=Team.of(outcome))


@arguments
class RenameTeamInput:
    """Which team to rename, and how."""

    team_id: strawberry.ID = strawberry.field(
        description="A team of a Workspace that the viewer is an admin of."
    )
    name: str = strawberry.field(
        description="The name that people see: 1 to 100 characters, and no other team's of the Workspace, compared without case."
    )


@output
class RenameTeamSuccess:
    """The team has this name now."""

    team: Team = strawberry.field(description="The team.")


@mutation("The team has the name that it had.")
async def rename_team(info: Info, input: RenameTeamInput) -> RenameTeamSuccess | Refused[InvalidInput]:
    """Rename a team; for admins of its Workspace."""
    outcome = await teams.rename(info.context.call, team_id=read_id("Team", input.team_id), name=input.name)
    if isinstance(outcome, Refused):
        return outcome
    return RenameTeamSuccess(team=Team.of(outcome))


@arguments
class DeleteTeamInput:
    """Which team to delete."""

    team_id: strawberry.ID = strawberry.field(
        description="A team of a Workspace that the viewer is an admin of."
    )


@output
class DeleteTeamSuccess:
    """The team is gone.

    Its members stay in the Workspace, and so do the social accounts; those in it no longer see them through
    it.
    """

    team: Team = strawberry.field(description="What was deleted.")


@mutation("Nothing was deleted.")
async def delete_team(info: Info, input: DeleteTeamInput) -> DeleteTeamSuccess | Refused[InvalidInput]:
    """Delete a team; for admins of its Workspace."""
    outcome = await teams.delete(info.context.call, read_id("Team", input.team_id))
    if isinstance(outcome, Refused):
        return outcome
    return DeleteTeamSuccess(team=Team.of(outcome))


@arguments
class AddTeamMembersInput:
    """Who comes into which team."""

    team_id: strawberry.ID = strawberry.field(
        description="A team of a Workspace that the viewer is an admin of."
    )
    user_ids: list[strawberry.ID] = strawberry.field(
        description="Members of the team's Workspace, at most 100, each once."
    )


@output
class AddTeamMembersSuccess:
    """All of them are in the team now."""

    team: Team = strawberry.field(description="The team.")
    users: list[User] = strawberry.field(description="Those who were named, in that order.")


@mutation("Nobody was added.")
async def add_team_members(
    info: Info, input: AddTeamMembersInput
) -> AddTeamMembersSuccess | Refused[InvalidInput]:
    """Put members of a Workspace into one of its teams, all or none; for admins.

    Who is in it already is no error.
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
    """Who goes out of which team."""

    team_id: strawberry.ID = strawberry.field(
        description="A team of a Workspace that the viewer is an admin of."
    )
    user_ids: list[strawberry.ID] = strawberry.field(
        description="Members of the team's Workspace, at most 100, each once."
    )


@output
class RemoveTeamMembersSuccess:
    """None of them is in the team now."""

    team: Team = strawberry.field(description="The team.")
    users: list[User] = strawberry.field(description="Those who were named, in that order.")


@mutation("Nobody was removed.")
async def remove_team_members(
    info: Info, input: RemoveTeamMembersInput
) -> RemoveTeamMembersSuccess | Refused[InvalidInput]:
    """Take members of a Workspace out of one of its teams, all or none; for admins.

    Who is not in it is no error.
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
