"""Renewing our access to social accounts, and asking Meta whether it works."""

from typing import Annotated

import strawberry

from graphql_api.domain import inputs
from graphql_api.domain.refusals import Refused
from graphql_api.schema.accounts.connecting import FacebookAccountInput
from graphql_api.schema.accounts.facebook_account import FacebookAccount
from graphql_api.schema.accounts.social_account import SocialAccount, shape_social_account
from graphql_api.schema.context import Info
from graphql_api.schema.described import arguments, output
from graphql_api.schema.errors import AccessTokenRejected, InvalidInput, errors_of
from graphql_api.schema.ids import read_social_account_id
from graphql_api.schema.mutation import mutation
from graphql_api.services.accounts import rechecking, reconnecting
from graphql_api.services.accounts.reconnecting import ReconnectRefused

ReconnectSocialAccountsError = Annotated[
    InvalidInput | AccessTokenRejected,
    strawberry.union(
        "ReconnectSocialAccountsError",
        description="The errors of `reconnectSocialAccounts`. The list of types is closed.",
    ),
]


@arguments
class ReconnectSocialAccountsInput:
    """A Facebook login, and the social accounts that it is to renew."""

    facebook_account: FacebookAccountInput = strawberry.field(
        description="The login that controls the accounts now."
    )
    social_account_ids: list[strawberry.ID] = strawberry.field(
        description="Ids of social accounts: 1 to 100, each once, of any platform, in any places."
    )


@output
class ReconnectSocialAccountsSuccess:
    """At least one of the accounts was reconnected."""

    facebook_account: FacebookAccount = strawberry.field(description="The Facebook account as it is now.")
    social_accounts: list[SocialAccount] = strawberry.field(
        description="The accounts that were reconnected, in the order of the input."
    )
    not_reconnected: list[ReconnectSocialAccountsError] = strawberry.field(
        description="Why the others were not reconnected, in the order of the input. Their access tokens are as they were."
    )


@mutation(
    "Nothing was reconnected.",
    errors="What blocks the call, in the order of the input: wrong input, the login's refused access token, or why none of "
    "the accounts could be reconnected.",
    union=ReconnectSocialAccountsError,
)
async def reconnect_social_accounts(
    info: Info, input: ReconnectSocialAccountsInput
) -> ReconnectSocialAccountsSuccess | ReconnectRefused:
    """Renew our access to social accounts with one Facebook login, wherever they are held.

    Each account that the login controls gets a new access token and stays where it is. The viewer may renew every
    account that they see. Use it for accounts that are `BROKEN` or `BREAKING_SOON`: Meta's data access ends 90 days after
    a login.
    """
    hold_ids = [read_social_account_id(text) for text in input.social_account_ids]
    outcome = await reconnecting.reconnect(info.context.call, input.facebook_account.to_login(), hold_ids)
    if isinstance(outcome, Refused):
        return outcome
    return ReconnectSocialAccountsSuccess(
        facebook_account=FacebookAccount.of(outcome.facebook_account),
        social_accounts=[shape_social_account(row) for row in outcome.accounts],
        not_reconnected=errors_of(Refused(outcome.not_reconnected)),
    )


@arguments
class RecheckSocialAccountsInput:
    """The social accounts to ask Meta about."""

    social_account_ids: list[strawberry.ID] = strawberry.field(
        description="Ids of social accounts: 1 to 100, each once, of any platform."
    )


@output
class RecheckSocialAccountsSuccess:
    """Meta was asked."""

    social_accounts: list[SocialAccount] = strawberry.field(
        description="The accounts in the order of the input, with their `health` as it is now. If Meta did not answer, or "
        "this server does not ask Meta, it is as it was."
    )


@mutation("Nothing was re-checked.")
async def recheck_social_accounts(
    info: Info, input: RecheckSocialAccountsInput
) -> RecheckSocialAccountsSuccess | Refused[inputs.InvalidInput]:
    """Ask Meta now whether our access to social accounts works. The viewer may ask about every account that they see.

    An account becomes `BROKEN` after one final refusal from Meta, or after two others at least an hour apart.
    """
    hold_ids = [read_social_account_id(text) for text in input.social_account_ids]
    outcome = await rechecking.recheck(info.context.call, hold_ids)
    if isinstance(outcome, Refused):
        return outcome
    return RecheckSocialAccountsSuccess(social_accounts=[shape_social_account(row) for row in outcome])
