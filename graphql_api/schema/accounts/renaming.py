"""Giving social accounts nicknames."""

import strawberry

from graphql_api.domain.inputs import InvalidInput
from graphql_api.domain.refusals import Refused
from graphql_api.schema.accounts.social_account import SocialAccount, shape_social_account
from graphql_api.schema.context import Info
from graphql_api.schema.described import arguments, output
from graphql_api.schema.ids import read_social_account_id
from graphql_api.schema.mutation import mutation
from graphql_api.services.accounts import renaming
from graphql_api.storage.rows import SocialAccountRow, row_of


@arguments
class RenameSocialAccountInput:
    """What to call a social account."""

    social_account_id: strawberry.ID = strawberry.field(description="The id of a social account.")
    nickname: str | None = strawberry.field(
        default=None,
        description="1 to 100 characters. Left out, null or empty: it has no nickname any more.",
    )


@output
class RenameSocialAccountSuccess:
    """The account has the nickname now, or none."""

    social_account: SocialAccount = strawberry.field(description="The account as it is now.")


@mutation("Nothing was renamed.")
async def rename_social_account(
    info: Info, input: RenameSocialAccountInput
) -> RenameSocialAccountSuccess | Refused[InvalidInput]:
    """Give a social account a nickname, or take it away: people their own, admins those of their Workspace.

    Its username on the platform stays.
    """
    hold_id = read_social_account_id(input.social_account_id)
    outcome = await renaming.rename(info.context.call, hold_id, input.nickname)
    if isinstance(outcome, Refused):
        return outcome
    return RenameSocialAccountSuccess(social_account=shape_social_account(row_of(outcome, SocialAccountRow)))
