"""The GraphQL surface: translate in, call one service, translate out."""

from collections.abc import Sequence
from datetime import datetime
from types import ModuleType

import strawberry
from strawberry.schema.config import StrawberryConfig
from strawberry.tools import create_type
from strawberry.types.field import StrawberryField

from graphql_api.schema import enums as _enums  # noqa: F401 - publishes the domain's enums before any type needs one
from graphql_api.schema.accounts import (
    access_requests,
    connecting,
    discovering,
    facebook_accounts,
    moving,
    reconnecting,
    renaming,
    sharing,
    transfer_requests,
)
from graphql_api.schema.accounts.social_account import TYPES
from graphql_api.schema.people import api_tokens, deletions, email_addresses, passwords, users
from graphql_api.schema.queries import Query
from graphql_api.schema.scalars import DATE_TIME
from graphql_api.schema.subscriptions import Subscription
from graphql_api.schema.workspaces import invitations, members, teams, workspaces
from graphql_api.schema.workspaces.team import Team

# Where a password is checked or hashed, or a mailbox filled: at most one of these stands in a document.
CREDENTIAL_FIELDS = frozenset(
    {
        "createApiToken",
        "changeEmailAddress",
        "changePassword",
        "deleteUser",
        "registerUser",
        "requestPasswordReset",
        "resetPassword",
    }
)


_MODULES: Sequence[ModuleType] = (
    users,
    email_addresses,
    passwords,
    api_tokens,
    workspaces,
    members,
    deletions,
    teams,
    sharing,
    invitations,
    connecting,
    discovering,
    reconnecting,
    moving,
    renaming,
    facebook_accounts,
    access_requests,
    transfer_requests,
)
Mutation = create_type(
    "Mutation",
    [value for module in _MODULES for value in vars(module).values() if isinstance(value, StrawberryField)],
    description="Everything that can be changed. Each field answers with its own `Success` or `Failure`; a failure has "
    "changed nothing.",
)


def build_schema(*, to_print: bool = False) -> strawberry.Schema:
    """The whole schema.

    Sorted only when it is printed: Strawberry sorts by copying the types, and the copies are not the ones
    that its unions look for when they run.
    """
    return strawberry.Schema(
        query=Query,
        mutation=Mutation,
        subscription=Subscription,
        types=[*TYPES.values(), Team],
        config=StrawberryConfig(sort_schema=to_print, scalar_map={datetime: DATE_TIME}),
    )


def schema_text() -> str:
    """The schema in GraphQL's schema language, as `schema.graphql` holds it."""
    return build_schema(to_print=True).as_str() + "\n"
