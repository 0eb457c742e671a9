"""The GraphQL surface: translate in, call one service, translate out."""

from datetime import datetime

import strawberry
from strawberry.schema.config import StrawberryConfig

from graphql_api.schema import enums as _enums  # noqa: F401 - publishes the domain's enums before any type needs one
from graphql_api.schema.accounts.access_requests import AccessRequestMutations
from graphql_api.schema.accounts.connecting import SocialAccountMutations
from graphql_api.schema.accounts.facebook_accounts import FacebookAccountMutations
from graphql_api.schema.accounts.moving import MovingMutations
from graphql_api.schema.accounts.renaming import RenamingMutations
from graphql_api.schema.accounts.sharing import SharingMutations
from graphql_api.schema.accounts.social_account import InstagramAccount
from graphql_api.schema.people.api_tokens import ApiTokenMutations
from graphql_api.schema.people.deletions import DeletionMutations
from graphql_api.schema.people.email_addresses import EmailAddressMutations
from graphql_api.schema.people.passwords import PasswordMutations
from graphql_api.schema.people.users import UserMutations
from graphql_api.schema.queries import Query
from graphql_api.schema.scalars import DATE_TIME
from graphql_api.schema.subscriptions import Subscription
from graphql_api.schema.workspaces.invitations import InvitationMutations
from graphql_api.schema.workspaces.members import MemberMutations
from graphql_api.schema.workspaces.team import Team
from graphql_api.schema.workspaces.teams import TeamMutations
from graphql_api.schema.workspaces.workspaces import WorkspaceMutations

# Where a password is checked or hashed, or a mailbox filled: at most one of these stands in a document.
CREDENTIAL_FIELDS = frozenset(
    {
        "createApiToken",
        "changePassword",
        "deleteUser",
        "registerUser",
        "requestPasswordReset",
        "resetPassword",
    }
)


@strawberry.type(
    description="Everything that can be changed. Each field answers with its own `Success` or `Failure`; a failure has "
    "changed nothing."
)
class Mutation(
    UserMutations,
    EmailAddressMutations,
    PasswordMutations,
    ApiTokenMutations,
    WorkspaceMutations,
    MemberMutations,
    DeletionMutations,
    TeamMutations,
    SharingMutations,
    InvitationMutations,
    SocialAccountMutations,
    MovingMutations,
    RenamingMutations,
    FacebookAccountMutations,
    AccessRequestMutations,
):
    """The mutation root."""


def build_schema(*, to_print: bool = False) -> strawberry.Schema:
    """The whole schema.

    Sorted only when it is printed: Strawberry sorts by copying the types, and the copies are not the ones
    that its unions look for when they run.
    """
    return strawberry.Schema(
        query=Query,
        mutation=Mutation,
        subscription=Subscription,
        types=[InstagramAccount, Team],
        config=StrawberryConfig(sort_schema=to_print, scalar_map={datetime: DATE_TIME}),
    )


def schema_text() -> str:
    """The schema in GraphQL's schema language, as `schema.graphql` holds it."""
    return build_schema(to_print=True).as_str() + "\n"
