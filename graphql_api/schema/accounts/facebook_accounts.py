"""Disconnecting a Facebook account."""

from typing import Annotated

import strawberry

from graphql_api.domain.refusals import Refused
from graphql_api.schema.accounts.facebook_account import FacebookAccount
from graphql_api.schema.context import Info
from graphql_api.schema.errors import InvalidInput, invalid_inputs
from graphql_api.schema.ids import read_id
from graphql_api.services.accounts import facebook_accounts


@strawberry.input(description="Which Facebook account to disconnect.")
class DisconnectFacebookAccountInput:
    """One call."""

    facebook_account_id: strawberry.ID = strawberry.field(description="One of the viewer's own.")


@strawberry.type(
    description="The Facebook account is forgotten and its access token destroyed. The Instagram accounts that it vouched "
    "for stay, with their own access tokens."
)
class DisconnectFacebookAccountSuccess:
    """A success."""

    facebook_account: FacebookAccount = strawberry.field(description="What it was.")


DisconnectFacebookAccountError = Annotated[
    InvalidInput,
    strawberry.union(
        "DisconnectFacebookAccountError",
        description="What can stand in the way of disconnecting a Facebook account. Closed.",
    ),
]


@strawberry.type(description="The Facebook account was not disconnected.")
class DisconnectFacebookAccountFailure:
    """A failure."""

    message: str = strawberry.field(description="A sentence for people, over all errors.")
    errors: list[DisconnectFacebookAccountError] = strawberry.field(description="What stood in the way.")


DisconnectFacebookAccountResult = Annotated[
    DisconnectFacebookAccountSuccess | DisconnectFacebookAccountFailure,
    strawberry.union(
        "DisconnectFacebookAccountResult",
        description="What came of disconnecting a Facebook account. Closed.",
    ),
]


@strawberry.type
class FacebookAccountMutations:
    """The mutations of this noun."""

    @strawberry.mutation(
        description="Forget one of the viewer's Facebook accounts and destroy its access token."
    )
    async def disconnect_facebook_account(
        self,
        info: Info,
        input: Annotated[  # noqa: A002 - the argument's name in the schema
            DisconnectFacebookAccountInput, strawberry.argument(description="Which one.")
        ],
    ) -> DisconnectFacebookAccountResult:
        """Its user only."""
        outcome = await facebook_accounts.disconnect(
            info.context.call, read_id("FacebookAccount", input.facebook_account_id)
        )
        if isinstance(outcome, Refused):
            return DisconnectFacebookAccountFailure(
                message="The Facebook account was not disconnected.", errors=invalid_inputs(outcome.problems)
            )
        return DisconnectFacebookAccountSuccess(facebook_account=FacebookAccount.of(outcome))
