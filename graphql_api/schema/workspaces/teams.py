"""Teams: making, renaming and deleting them, and who is in them."""

from typing import Annotated

import strawberry

from graphql_api.domain.refusals import Refused
from graphql_api.schema.context import Info
from graphql_api.schema.errors import InvalidInput, invalid_inputs
from graphql_api.schema.ids import read_id
from graphql_api.schema.people.user import User
from graphql_api.schema.workspaces.team import Team
from graphql_api.services.workspaces import teams


@strawberry.input(description="The new team.")
class CreateTeamInput:
    """One team."""

    workspace_id: strawberry.ID = strawberry.field(description="A Workspace that the viewer is an admin of.")
    name: str = strawberry.field(
        description="The name that people see: 1 to 100 characters, and no other team's of the Workspace, compared without case."
    )


@strawberry.type(description="The team is made.")
class CreateTeamSuccess:
    """A success."""

    team: Team = strawberry.field(description="The new team; nobody is in it yet.")


CreateTeamError = Annotated[
    InvalidInput,
    strawberry.union("CreateTeamError", description="What can stand in the way of making a team. Closed."),
]


@strawberry.type(description="No team was made.")
class CreateTeamFailure:
    """A failure."""

    message: str = strawberry.field(description="A sentence for people, over all errors.")
    errors: list[CreateTeamError] = strawberry.field(description="What stood in the way.")


CreateTeamResult = Annotated[
    CreateTeamSuccess | CreateTeamFailure,
    strawberry.union("CreateTeamResult", description="What came of making a team. Closed."),
]


@strawberry.input(description="Which team to rename, and how.")
class RenameTeamInput:
    """One new name."""

    team_id: strawberry.ID = strawberry.field(
        description="A team of a Workspace that the viewer is an admin of."
    )
    name: str = strawberry.field(
        description="The name that people see: 1 to 100 characters, and no other team's of the Workspace, compared without case."
    )


@strawberry.type(description="The team has this name now.")
class RenameTeamSuccess:
    """A success."""

    team: Team = strawberry.field(description="The team.")


RenameTeamError = Annotated[
    InvalidInput,
    strawberry.union("RenameTeamError", description="What can stand in the way of renaming a team. Closed."),
]


@strawberry.type(description="The team has the name that it had.")
class RenameTeamFailure:
    """A failure."""

    message: str = strawberry.field(description="A sentence for people, over all errors.")
    errors: list[RenameTeamError] = strawberry.field(description="What stood in the way.")


RenameTeamResult = Annotated[
    RenameTeamSuccess | RenameTeamFailure,
    strawberry.union("RenameTeamResult", description="What came of renaming a team. Closed."),
]


@strawberry.input(description="Which team to delete.")
class DeleteTeamInput:
    """One deletion."""

    team_id: strawberry.ID = strawberry.field(
        description="A team of a Workspace that the viewer is an admin of."
    )


@strawberry.type(
    description="The team is gone. Its members stay in the Workspace, and so do the social accounts; those in it no longer see them through it."
)
class DeleteTeamSuccess:
    """A success."""

    team: Team = strawberry.field(description="What was deleted.")


DeleteTeamError = Annotated[
    InvalidInput,
    strawberry.union("DeleteTeamError", description="What can stand in the way of deleting a team. Closed."),
]


@strawberry.type(description="Nothing was deleted.")
class DeleteTeamFailure:
    """A failure."""

    message: str = strawberry.field(description="A sentence for people, over all errors.")
    errors: list[DeleteTeamError] = strawberry.field(description="What stood in the way.")


DeleteTeamResult = Annotated[
    DeleteTeamSuccess | DeleteTeamFailure,
    strawberry.union("DeleteTeamResult", description="What came of deleting a team. Closed."),
]


@strawberry.input(description="Who comes into which team.")
class AddTeamMembersInput:
    """One list of people."""

    team_id: strawberry.ID = strawberry.field(
        description="A team of a Workspace that the viewer is an admin of."
    )
    user_ids: list[strawberry.ID] = strawberry.field(
        description="Members of the team's Workspace, at most 100, each once."
    )


@strawberry.type(description="All of them are in the team now.")
class AddTeamMembersSuccess:
    """A success."""

    team: Team = strawberry.field(description="The team.")
    users: list[User] = strawberry.field(description="Those who were named, in that order.")


AddTeamMembersError = Annotated[
    InvalidInput,
    strawberry.union(
        "AddTeamMembersError", description="What can stand in the way of adding to a team. Closed."
    ),
]


@strawberry.type(description="Nobody was added.")
class AddTeamMembersFailure:
    """A failure."""

    message: str = strawberry.field(description="A sentence for people, over all errors.")
    errors: list[AddTeamMembersError] = strawberry.field(description="What stood in the way.")


AddTeamMembersResult = Annotated[
    AddTeamMembersSuccess | AddTeamMembersFailure,
    strawberry.union("AddTeamMembersResult", description="What came of adding to a team. Closed."),
]


@strawberry.input(description="Who goes out of which team.")
class RemoveTeamMembersInput:
    """One list of people."""

    team_id: strawberry.ID = strawberry.field(
        description="A team of a Workspace that the viewer is an admin of."
    )
    user_ids: list[strawberry.ID] = strawberry.field(
        description="Members of the team's Workspace, at most 100, each once."
    )


@strawberry.type(description="None of them is in the team now.")
class RemoveTeamMembersSuccess:
    """A success."""

    team: Team = strawberry.field(description="The team.")
    users: list[User] = strawberry.field(description="Those who were named, in that order.")


RemoveTeamMembersError = Annotated[
    InvalidInput,
    strawberry.union(
        "RemoveTeamMembersError", description="What can stand in the way of removing from a team. Closed."
    ),
]


@strawberry.type(description="Nobody was removed.")
class RemoveTeamMembersFailure:
    """A failure."""

    message: str = strawberry.field(description="A sentence for people, over all errors.")
    errors: list[RemoveTeamMembersError] = strawberry.field(description="What stood in the way.")


RemoveTeamMembersResult = Annotated[
    RemoveTeamMembersSuccess | RemoveTeamMembersFailure,
    strawberry.union("RemoveTeamMembersResult", description="What came of removing from a team. Closed."),
]


@strawberry.type
class TeamMutations:
    """The mutations of this noun."""

    @strawberry.mutation(description="Make a team in a Workspace; for its admins.")
    async def create_team(
        self,
        info: Info,
        input: Annotated[  # noqa: A002 - the argument's name in the schema
            CreateTeamInput, strawberry.argument(description="The new team.")
        ],
    ) -> CreateTeamResult:
        """Admins only."""
        outcome = await teams.create(
            info.context.call, workspace_id=read_id("Workspace", input.workspace_id), name=input.name
        )
        if isinstance(outcome, Refused):
            return CreateTeamFailure(message="No team was made.", errors=invalid_inputs(outcome.problems))
        return CreateTeamSuccess(team=Team.of(outcome))

    @strawberry.mutation(description="Rename a team; for admins of its Workspace.")
    async def rename_team(
        self,
        info: Info,
        input: Annotated[  # noqa: A002 - the argument's name in the schema
            RenameTeamInput, strawberry.argument(description="Which team, and how.")
        ],
    ) -> RenameTeamResult:
        """Admins only."""
        outcome = await teams.rename(
            info.context.call, team_id=read_id("Team", input.team_id), name=input.name
        )
        if isinstance(outcome, Refused):
            return RenameTeamFailure(
                message="The team has the name that it had.", errors=invalid_inputs(outcome.problems)
            )
        return RenameTeamSuccess(team=Team.of(outcome))

    @strawberry.mutation(description="Delete a team; for admins of its Workspace.")
    async def delete_team(
        self,
        info: Info,
        input: Annotated[  # noqa: A002 - the argument's name in the schema
            DeleteTeamInput, strawberry.argument(description="Which team.")
        ],
    ) -> DeleteTeamResult:
        """Admins only."""
        outcome = await teams.delete(info.context.call, read_id("Team", input.team_id))
        if isinstance(outcome, Refused):
            return DeleteTeamFailure(message="Nothing was deleted.", errors=invalid_inputs(outcome.problems))
        return DeleteTeamSuccess(team=Team.of(outcome))

    @strawberry.mutation(
        description="Put members of a Workspace into one of its teams, all or none; for admins. Who is in it already is no error."
    )
    async def add_team_members(
        self,
        info: Info,
        input: Annotated[  # noqa: A002 - the argument's name in the schema
            AddTeamMembersInput, strawberry.argument(description="Who, and into which team.")
        ],
    ) -> AddTeamMembersResult:
        """Admins only."""
        outcome = await teams.add_members(
            info.context.call,
            team_id=read_id("Team", input.team_id),
            user_ids=[read_id("User", one) for one in input.user_ids],
        )
        if isinstance(outcome, Refused):
            return AddTeamMembersFailure(message="Nobody was added.", errors=invalid_inputs(outcome.problems))
        return AddTeamMembersSuccess(
            team=Team.of(outcome.team), users=[User.of(user) for user in outcome.users]
        )

    @strawberry.mutation(
        description="Take members of a Workspace out of one of its teams, all or none; for admins. Who is not in it is no error."
    )
    async def remove_team_members(
        self,
        info: Info,
        input: Annotated[  # noqa: A002 - the argument's name in the schema
            RemoveTeamMembersInput, strawberry.argument(description="Who, and out of which team.")
        ],
    ) -> RemoveTeamMembersResult:
        """Admins only."""
        outcome = await teams.remove_members(
            info.context.call,
            team_id=read_id("Team", input.team_id),
            user_ids=[read_id("User", one) for one in input.user_ids],
        )
        if isinstance(outcome, Refused):
            return RemoveTeamMembersFailure(
                message="Nobody was removed.", errors=invalid_inputs(outcome.problems)
            )
        return RemoveTeamMembersSuccess(
            team=Team.of(outcome.team), users=[User.of(user) for user in outcome.users]
        )
