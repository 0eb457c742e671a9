"""Disconnecting a Facebook account."""

import strawberry

from graphql_api.domain.inputs import InvalidInput
from graphql_api.domain.refusals import Refused
from graphql_api.schema.accounts.facebook_account import FacebookAccount
from graphql_api.schema.context import Info
from graphql_api.schema.described import arguments, output
from graphql_api.schema.ids import read_id
from graphql_api.schema.mutation import mutation
from graphql_api.services.accounts import facebook_accounts


@arguments
class DisconnectFacebookAccountInput:
    """The Facebook account to disconnect."""

    facebook_account_id: strawberry.ID = strawberry.field(
        description="One of the viewer's Facebook accounts."
    )


@output
class DisconnectFacebookAccountSuccess:
    """The Facebook account was forgotten, and its access token destroyed.

    The social accounts that it vouched for stay connected, with their own access tokens.
    """

    facebook_account: FacebookAccount = strawberry.field(description="The Facebook account as it was.")


@mutation("The Facebook account was not disconnected.")
async def disconnect_facebook_account(
    info: Info, input: DisconnectFacebookAccountInput
) -> DisconnectFacebookAccountSuccess | Refused[InvalidInput]:
    """Forget one of the viewer's Facebook accounts, and destroy its access token.

    The social accounts that it vouched for stay connected.
    """
    outcome = await facebook_accounts.disconnect(
        info.context.call, read_id("FacebookAccount", input.facebook_account_id)
    )
    if isinstance(outcome, Refused):
        return outcome
    return DisconnectFacebookAccountSuccess(facebook_account=FacebookAccount.of(outcome, disconnected=True))
