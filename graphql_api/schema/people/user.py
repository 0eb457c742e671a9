"""Users, as others may see them."""

from typing import Self

import strawberry

from graphql_api.schema.described import output
from graphql_api.schema.ids import write_id
from graphql_api.schema.nodes import Node
from graphql_api.storage.rows import UserRow


@output
class User(Node):
    """A registered user, as others may see them.

    The viewer sees themself and the members of their Workspaces. As the holder of a social account, a user stands for
    their Personal.
    """

    name: str = strawberry.field(description="The name that other people see.")
    email: str = strawberry.field(description="The user's e-mail address.")

    @classmethod
    def of(cls, row: UserRow) -> Self:
        """Shape a row."""
        return cls(id=write_id("User", row.id), name=row.name, email=row.email)
