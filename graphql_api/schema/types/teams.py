"""Teams of a Workspace."""

from typing import Self

import strawberry

from graphql_api.schema.ids import write_id
from graphql_api.schema.types.nodes import Node
from graphql_api.storage.rows import AnyTeam


@strawberry.type(
    description="Members of a Workspace who see the social accounts that are shared with the team."
)
class Team(Node):
    """A team."""

    name: str = strawberry.field(description="The name that people see.")

    @classmethod
    def of(cls, row: AnyTeam) -> Self:
        """Shape a row."""
        return cls(id=strawberry.ID(write_id("Team", row.id)), name=row.name)
