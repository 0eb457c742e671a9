"""Facebook accounts: the logins that vouch for social accounts."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Self

import strawberry

from graphql_api.schema.described import output
from graphql_api.schema.ids import write_id
from graphql_api.schema.nodes import Node
from graphql_api.storage.rows import FacebookAccountRow


@output
class FacebookAccount(Node):
    """A Facebook login that vouches for social accounts.

    It belongs to the user who logged in with it, and only they can see it. It is not a social account, and no
    place holds it.
    """

    facebook_user_id: str = strawberry.field(description="Facebook's id of the user: 1 to 20 digits.")
    location: str | None = strawberry.field(
        description="The `location` of the call that last connected it: the screen that the user started from. Null if that call "
        "had none."
    )
    created_at: datetime = strawberry.field(description="When it was first connected.")
    updated_at: datetime = strawberry.field(description="When it was last connected.")

    @classmethod
    def of(cls, row: FacebookAccountRow) -> Self:
        """Shape a row."""
        return cls(
            id=write_id("FacebookAccount", row.id),
            facebook_user_id=row.facebook_user_id,
            location=row.location,
            created_at=row.created_at,
            updated_at=row.updated_at,
        )

    @classmethod
    def partly(cls, values: Mapping[str, Any]) -> Self:
        """Shape what was read of a row, by column; the other attributes are not there."""
        account = cls.__new__(cls)
        account.__dict__.update(values, id=write_id("FacebookAccount", values["id"]))
        return account
