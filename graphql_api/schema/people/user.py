"""Users, as others may see them."""

from typing import Self

import strawberry

from graphql_api.schema.described import output
from graphql_api.schema.ids import write_id
from graphql_api.schema.nodes import Node
from graphql_api.storage.rows import AnyUser


@output
class User(Node):
    """A registered person, as others may see them: themself, and whoever shares a Workspace with them.

    As a holder of social accounts it stands for their Personal.
    """

    name: str = strawberry.field(description="The name that people see.")
    email: str = strawberry.field(description="The e-mail address.")

    @classmethod
    def of(cls, row: AnyUser) -> Self:
        """Shape a row."""
        return cls(id=write_id("User", row.id), name=row.name, email=row.email)
