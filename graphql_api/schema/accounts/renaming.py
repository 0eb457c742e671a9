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


@arguments
class RenameSocialAccountInput:
    """The social account, and its new nickname."""

    social_account_id: strawberry.ID = strawberry.field(
        description="A social account in the viewer's Personal, or in a Workspace where the viewer is an admin."
    )
    nickname: str | None = strawberry.field(
        default=None,
        description="1 to 100 characters. If it is left out, null or empty, the nickname is removed.",
    )


@output
class RenameSocialAccountSuccess:
    """The social account has the new nickname, or none."""

    social_account: SocialAccount = strawberry.field(description="The social account after the change.")


@mutation("Nothing was renamed.")
async def rename_social_account(
    info: Info, input: RenameSocialAccountInput
) -> RenameSocialAccountSuccess | Refused[InvalidInput]:
    """Give a social account a nickname, or remove it. In a Workspace, this requires the role ADMIN.

    The display name, which is the platform's, stays.
    """
    hold_id = read_social_account_id(input.social_account_id)
    outcome = await renaming.rename(info.context.call, hold_id, input.nickname)
    if isinstance(outcome, Refused):
        return outcome
    return RenameSocialAccountSuccess(social_account=shape_social_account(outcome))
