"""Sharing a Workspace's social accounts with its teams."""

from typing import Annotated

import strawberry

from graphql_api.domain.refusals import Refused
from graphql_api.schema.accounts.social_account import InstagramAccount, SocialAccount
from graphql_api.schema.context import Info
from graphql_api.schema.errors import InvalidInput, invalid_inputs
from graphql_api.schema.ids import read_id
from graphql_api.schema.workspaces.team import Team
from graphql_api.services.accounts import sharing


@strawberry.input(description="Which social accounts to share, and with which teams.")
class ShareSocialAccountsInput:
    """One list of accounts for one of teams."""

    social_account_ids: list[strawberry.ID] = strawberry.field(
        description="Social accounts that one Workspace holds, at most 100, each once."
    )
    team_ids: list[strawberry.ID] = strawberry.field(
        description="Teams of the same Workspace, at most 100, each once."
    )


@strawberry.type(description="Each of the social accounts is shared with each of the teams now.")
class ShareSocialAccountsSuccess:
    """A success."""

    social_accounts: list[SocialAccount] = strawberry.field(
        description="The social accounts, in the order of the input."
    )
    teams: list[Team] = strawberry.field(description="The teams, in the order of the input.")


ShareSocialAccountsError = Annotated[
    InvalidInput,
    strawberry.union("ShareSocialAccountsError", description="What can stand in the way of sharing. Closed."),
]


@strawberry.type(description="Nothing was shared.")
class ShareSocialAccountsFailure:
    """A failure."""

    message: str = strawberry.field(description="A sentence for people, over all errors.")
    errors: list[ShareSocialAccountsError] = strawberry.field(description="What stood in the way.")


ShareSocialAccountsResult = Annotated[
    ShareSocialAccountsSuccess | ShareSocialAccountsFailure,
    strawberry.union("ShareSocialAccountsResult", description="What came of sharing. Closed."),
]


@strawberry.input(description="Which social accounts to take back, and from which teams.")
class UnshareSocialAccountsInput:
    """One list of accounts for one of teams."""

    social_account_ids: list[strawberry.ID] = strawberry.field(
        description="Social accounts that one Workspace holds, at most 100, each once."
    )
    team_ids: list[strawberry.ID] = strawberry.field(
        description="Teams of the same Workspace, at most 100, each once."
    )


@strawberry.type(description="None of the social accounts is shared with any of the teams now.")
class UnshareSocialAccountsSuccess:
    """A success."""

    social_accounts: list[SocialAccount] = strawberry.field(
        description="The social accounts, in the order of the input."
    )
    teams: list[Team] = strawberry.field(description="The teams, in the order of the input.")


UnshareSocialAccountsError = Annotated[
    InvalidInput,
    strawberry.union(
        "UnshareSocialAccountsError", description="What can stand in the way of taking back. Closed."
    ),
]


@strawberry.type(description="Nothing was taken back.")
class UnshareSocialAccountsFailure:
    """A failure."""

    message: str = strawberry.field(description="A sentence for people, over all errors.")
    errors: list[UnshareSocialAccountsError] = strawberry.field(description="What stood in the way.")


UnshareSocialAccountsResult = Annotated[
    UnshareSocialAccountsSuccess | UnshareSocialAccountsFailure,
    strawberry.union("UnshareSocialAccountsResult", description="What came of taking back. Closed."),
]


@strawberry.type
class SharingMutations:
    """The mutations of sharing."""

    @strawberry.mutation(
        description="Share social accounts of a Workspace with teams of it, all or none; for its admins. The creators in these teams see them from now on. What is shared already is no error."
    )
    async def share_social_accounts(
        self,
        info: Info,
        input: Annotated[  # noqa: A002 - the argument's name in the schema
            ShareSocialAccountsInput, strawberry.argument(description="Which, and with whom.")
        ],
    ) -> ShareSocialAccountsResult:
        """Admins only."""
        outcome = await sharing.share(
            info.context.call,
            hold_ids=[read_id("InstagramAccount", one) for one in input.social_account_ids],
            team_ids=[read_id("Team", one) for one in input.team_ids],
        )
        if isinstance(outcome, Refused):
            return ShareSocialAccountsFailure(
                message="Nothing was shared.", errors=invalid_inputs(outcome.problems)
            )
        return ShareSocialAccountsSuccess(
            social_accounts=[InstagramAccount.of(account) for account in outcome.accounts],
            teams=[Team.of(team) for team in outcome.teams],
        )

    @strawberry.mutation(
        description="Take social accounts back from teams, all or none; for admins of the Workspace. What is not shared is no error."
    )
    async def unshare_social_accounts(
        self,
        info: Info,
        input: Annotated[  # noqa: A002 - the argument's name in the schema
            UnshareSocialAccountsInput, strawberry.argument(description="Which, and from whom.")
        ],
    ) -> UnshareSocialAccountsResult:
        """Admins only."""
        outcome = await sharing.unshare(
            info.context.call,
            hold_ids=[read_id("InstagramAccount", one) for one in input.social_account_ids],
            team_ids=[read_id("Team", one) for one in input.team_ids],
        )
        if isinstance(outcome, Refused):
            return UnshareSocialAccountsFailure(
                message="Nothing was taken back.", errors=invalid_inputs(outcome.problems)
            )
        return UnshareSocialAccountsSuccess(
            social_accounts=[InstagramAccount.of(account) for account in outcome.accounts],
            teams=[Team.of(team) for team in outcome.teams],
        )
