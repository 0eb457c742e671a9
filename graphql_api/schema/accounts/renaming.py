"""Giving social accounts nicknames."""

from typing import Annotated

import strawberry

from graphql_api.domain.refusals import Refused
from graphql_api.schema.accounts.social_account import InstagramAccount, SocialAccount
from graphql_api.schema.context import Info
from graphql_api.schema.errors import InvalidInput, invalid_inputs
from graphql_api.schema.ids import read_id
from graphql_api.services.accounts import renaming


@strawberry.input(description="What to call a social account.")
class RenameSocialAccountInput:
    """One call."""

    social_account_id: strawberry.ID = strawberry.field(description="The id of a social account.")
    nickname: str | None = strawberry.field(
        default=None,
        description="1 to 100 characters. Left out, null or empty: it has no nickname any more.",
    )


@strawberry.type(description="The account has the nickname now, or none.")
class RenameSocialAccountSuccess:
    """A success."""

    social_account: SocialAccount = strawberry.field(description="The account as it is now.")


RenameSocialAccountError = Annotated[
    InvalidInput,
    strawberry.union(
        "RenameSocialAccountError", description="What can stand in the way of renaming. Closed."
    ),
]


@strawberry.type(description="Nothing was renamed.")
class RenameSocialAccountFailure:
    """A failure."""

    message: str = strawberry.field(description="A sentence for people, over all errors.")
    errors: list[RenameSocialAccountError] = strawberry.field(
        description="What stood in the way, in the order of the input."
    )


RenameSocialAccountResult = Annotated[
    RenameSocialAccountSuccess | RenameSocialAccountFailure,
    strawberry.union("RenameSocialAccountResult", description="What came of renaming. Closed."),
]


@strawberry.type
class RenamingMutations:
    """The mutations of renaming."""

    @strawberry.mutation(
        description="Give a social account a nickname, or take it away: people their own, admins those of their "
        "Workspace. Its username on the platform stays."
    )
    async def rename_social_account(
        self,
        info: Info,
        input: Annotated[  # noqa: A002 - the argument's name in the schema
            RenameSocialAccountInput, strawberry.argument(description="Which one, and its nickname.")
        ],
    ) -> RenameSocialAccountResult:
        """A name that only its holders see."""
        hold_id = read_id("InstagramAccount", input.social_account_id)
        outcome = await renaming.rename(info.context.call, hold_id, input.nickname)
        if isinstance(outcome, Refused):
            return RenameSocialAccountFailure(
                message="Nothing was renamed.", errors=invalid_inputs(outcome.problems)
            )
        return RenameSocialAccountSuccess(social_account=InstagramAccount.of(outcome))
