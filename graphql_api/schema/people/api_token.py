"""API tokens: the records of the credentials that callers have."""

from datetime import datetime
from typing import Self
from uuid import UUID

import strawberry

from graphql_api.domain.permissions import Scope
from graphql_api.schema.context import Info
from graphql_api.schema.described import output, resolved
from graphql_api.schema.ids import write_id
from graphql_api.storage.rows import ApiTokenRow


@output
class ApiToken:
    """The record of a credential that callers have.

    Its secret, the bearer token, is shown once, when it is created.
    """

    key: strawberry.Private[UUID]
    id: strawberry.ID = strawberry.field(description="The API token's id, for `revokeApiToken`.")
    label: str = strawberry.field(description="The name that its user gave it.")
    scopes: list[Scope] = strawberry.field(
        description="What the API token may do beyond acting as its user. Empty if nothing."
    )
    created_at: datetime = strawberry.field(description="When the API token was created.")
    expires_at: datetime = strawberry.field(description="When the API token stops working by itself.")
    revoked_at: datetime | None = strawberry.field(
        description="When the API token was revoked. Null if it was not: it works until `expiresAt`."
    )

    @resolved
    def is_current(self, info: Info) -> bool:
        """True if this request was sent with this API token's bearer token."""
        caller = info.context.call.caller
        return caller is not None and caller.api_token_id == self.key

    @classmethod
    def of(cls, row: ApiTokenRow) -> Self:
        """Shape a row."""
        return cls(
            key=row.id,
            id=write_id("ApiToken", row.id),
            label=row.label,
            scopes=[Scope(scope) for scope in row.scopes.split()],
            created_at=row.created_at,
            expires_at=row.expires_at,
            revoked_at=row.revoked_at,
        )
