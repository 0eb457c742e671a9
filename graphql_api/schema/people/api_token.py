"""API tokens: the records of the credentials that callers have."""

from datetime import datetime
from typing import Self

import strawberry

from graphql_api.domain.permissions import Scope
from graphql_api.schema.described import output
from graphql_api.schema.ids import write_id
from graphql_api.storage.rows import ApiTokenRow


@output
class ApiToken:
    """The record of a credential that callers have.

    Its secret, the bearer token, is shown once, when it is made.
    """

    id: strawberry.ID = strawberry.field(description="For `revokeApiToken`.")
    label: str = strawberry.field(description="What its maker called it.")
    scopes: list[Scope] = strawberry.field(description="What it may do beyond acting as its user.")
    created_at: datetime = strawberry.field(description="When it was made.")
    expires_at: datetime = strawberry.field(description="When it stops working by itself.")
    revoked_at: datetime | None = strawberry.field(
        description="When it was revoked; null while it works or has merely expired."
    )

    @classmethod
    def of(cls, row: ApiTokenRow) -> Self:
        """Shape a row."""
        return cls(
            id=write_id("ApiToken", row.id),
            label=row.label,
            scopes=[Scope(scope) for scope in row.scopes.split()],
            created_at=row.created_at,
            expires_at=row.expires_at,
            revoked_at=row.revoked_at,
        )
