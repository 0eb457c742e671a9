"""The authenticated caller."""

from dataclasses import dataclass
from uuid import UUID

from graphql_api.domain.permissions import Scope


@dataclass(frozen=True, slots=True)
class Viewer:
    """A registered user, acting through one of their API tokens."""

    user_id: UUID
    api_token_id: UUID
    scopes: frozenset[Scope]
