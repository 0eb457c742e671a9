"""Facebook accounts: the logins that vouch for social accounts."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Self

import strawberry

from graphql_api.domain.proofs import AccessTokenProblem
from graphql_api.schema.accounts.health import AccessHealth
from graphql_api.schema.context import Info
from graphql_api.schema.described import output, resolved
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
    is_connected: strawberry.Private[bool] = True
    proof_source: strawberry.Private[str | None]
    checked_at: strawberry.Private[datetime | None]
    health_since: strawberry.Private[datetime | None]
    health_problem: strawberry.Private[AccessTokenProblem | None]
    health_details: strawberry.Private[str | None]
    breaks_at: strawberry.Private[datetime | None]

    @resolved
    def health(self, info: Info) -> AccessHealth | None:
        """Whether the access token of this login still works. Null once it is disconnected."""
        return AccessHealth.of(self, info) if self.is_connected else None

    @classmethod
    def of(cls, row: FacebookAccountRow, *, disconnected: bool = False) -> Self:
        """Shape a row, or (disconnected) one that was there until a moment ago."""
        return cls.partly({**row._asdict(), "is_connected": not disconnected})

    @classmethod
    def partly(cls, values: Mapping[str, Any]) -> Self:
        """Shape what was read of a row, by column; the other attributes are not there."""
        account = cls.__new__(cls)
        account.__dict__.update(values, id=write_id("FacebookAccount", values["id"]))
        return account
