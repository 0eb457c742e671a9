"""Sharing a Workspace's social accounts with its teams."""

import strawberry

from graphql_api.domain.inputs import InvalidInput
from graphql_api.domain.refusals import Refused
from graphql_api.schema.accounts.social_account import SocialAccount, shape_social_account
from graphql_api.schema.context import Info
from graphql_api.schema.described import arguments, output
from graphql_api.schema.ids import read_id, read_social_account_id
from graphql_api.schema.mutation import mutation
from graphql_api.schema.workspaces.team import Team
from graphql_api.services.accounts import sharing
from graphql_api.storage.rows import SocialAccountRow, row_of


@arguments
class ShareSocialAccountsInput:
    """Which social accounts to share, and with which teams."""

    social_account_ids: list[strawberry.ID] = strawberry.field(
        description="Social accounts that one Workspace holds, at most 100, each once."
    )
    team_ids: list[strawberry.ID] = strawberry.field(
        description="Teams of the same Workspace, at most 100, each once."
    )


@output
class ShareSocialAccountsSuccess:
    """Each of the social accounts is shared with each of the teams now."""

    social_accounts: list[SocialAccount] = strawberry.field(
        description="The social accounts, in the order of the input."
    )
    teams: list[Team] = strawberry.field(description="The teams, in the order of the input.")


@mutation("Nothing was shared.")
async def share_social_accounts(
    info: Info, input: ShareSocialAccountsInput
) -> ShareSocialAccountsSuccess | Refused[InvalidInput]:
    """Share social accounts of a Workspace with teams of it, all or none; for its admins.

    The creators in these teams see them from now on. What is shared already is no error.
    """
    outcome = await sharing.share(
        info.context.call,
        hold_ids=[read_social_account_id(one) for one in input.social_account_ids],
        team_ids=[read_id("Team", one) for one in input.team_ids],
    )
    if isinstance(outcome, Refused):
        return outcome
    return ShareSocialAccountsSuccess(
        social_accounts=[
            shape_social_account(row_of(account, SocialAccountRow)) for account in outcome.accounts
        ],
        teams=[Team.of(team) for team in outcome.teams],
    )


@arguments
class UnshareSocialAccountsInput:
    """Which social accounts to take back, and from which teams."""

    social_account_ids: list[strawberry.ID] = strawberry.field(
        description="Social accounts that one Workspace holds, at most 100, each once."
    )
    team_ids: list[strawberry.ID] = strawberry.field(
        description="Teams of the same Workspace, at most 100, each once."
    )


@output
class UnshareSocialAccountsSuccess:
    """None of the social accounts is shared with any of the teams now."""

    social_accounts: list[SocialAccount] = strawberry.field(
        description="The social accounts, in the order of the input."
    )
    teams: list[Team] = strawberry.field(description="The teams, in the order of the input.")


@mutation("Nothing was taken back.")
async def unshare_social_accounts(
    info: Info, input: UnshareSocialAccountsInput
) -> UnshareSocialAccountsSuccess | Refused[InvalidInput]:
    """Take social accounts back from teams, all or none; for admins of the Workspace.

    What is not shared is no error.
    """
    outcome = await sharing.unshare(
        info.context.call,
        hold_ids=[read_social_account_id(one) for one in input.social_account_ids],
        team_ids=[read_id("Team", one) for one in input.team_ids],
    )
    if isinstance(outcome, Refused):
        return outcome
    return UnshareSocialAccountsSuccess(
        social_accounts=[
            shape_social_account(row_of(account, SocialAccountRow)) for account in outcome.accounts
        ],
        teams=[Team.of(team) for team in outcome.teams],
    )
