"""The events of users and their API tokens, in the user's own Personal."""

from collections.abc import Mapping
from uuid import UUID

from graphql_api.domain.events import EventKind, NewEvent
from graphql_api.domain.holders import Personal
from graphql_api.storage.tables import User


def about_user(user: User, kind: EventKind, details: Mapping[str, str] | None = None) -> NewEvent:
    """Something that happened to a user."""
    return NewEvent(Personal(user.id), kind, user.id, details or {}, subject_name=user.name)


def token_created(user_id: UUID, token_id: UUID, label: str) -> NewEvent:
    """A user has a new API token."""
    return NewEvent(Personal(user_id), EventKind.API_TOKEN_CREATED, token_id, subject_name=label)


def token_revoked(user_id: UUID, token_id: UUID, label: str) -> NewEvent:
    """An API token of a user ended."""
    return NewEvent(Personal(user_id), EventKind.API_TOKEN_REVOKED, token_id, subject_name=label)
