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


@arguments
class ShareSocialAccountsInput:
    """The social accounts to share, and the teams to share them with."""

    social_account_ids: list[strawberry.ID] = strawberry.field(
        description="1 to 100 social accounts that one Workspace holds, each once."
    )
    team_ids: list[strawberry.ID] = strawberry.field(
        description="1 to 100 teams of the same Workspace, each once."
    )


@output
class ShareSocialAccountsSuccess:
    """Each of the social accounts is now shared with each of the teams."""

    social_accounts: list[SocialAccount] = strawberry.field(
        description="The social accounts, in the order of the input."
    )
    teams: list[Team] = strawberry.field(description="The teams, in the order of the input.")


@mutation("Nothing was shared.")
async def share_social_accounts(
    info: Info, input: ShareSocialAccountsInput
) -> ShareSocialAccountsSuccess | Refused[InvalidInput]:
    """Share social accounts of a Workspace with its teams, all or none. Requires the role ADMIN.

    The creators in these teams can then see the accounts, and their pending requests for access to them are closed. Sharing
    an account that is already shared succeeds and changes nothing.
    """
    outcome = await sharing.share(
        info.context.call,
        hold_ids=[read_social_account_id(one) for one in input.social_account_ids],
        team_ids=[read_id("Team", one) for one in input.team_ids],
    )
    if isinstance(outcome, Refused):
        return outcome
    return ShareSocialAccountsSuccess(
        social_accounts=[shape_social_account(account) for account in outcome.accounts],
        teams=[Team.of(team) for team in outcome.teams],
    )


@arguments
class UnshareSocialAccountsInput:
    """The social accounts that teams should no longer see, and these teams."""

    social_account_ids: list[strawberry.ID] = strawberry.field(
        description="1 to 100 social accounts that one Workspace holds, each once."
    )
    team_ids: list[strawberry.ID] = strawberry.field(
        description="1 to 100 teams of the same Workspace, each once."
    )


@output
class UnshareSocialAccountsSuccess:
    """None of the social accounts is shared with any of the teams any longer."""

    social_accounts: list[SocialAccount] = strawberry.field(
        description="The social accounts, in the order of the input."
    )
    teams: list[Team] = strawberry.field(description="The teams, in the order of the input.")


@mutation("Nothing was unshared.")
async def unshare_social_accounts(
    info: Info, input: UnshareSocialAccountsInput
) -> UnshareSocialAccountsSuccess | Refused[InvalidInput]:
    """Stop sharing social accounts of a Workspace with its teams, all or none. Requires the role ADMIN.

    Unsharing an account that is not shared succeeds and changes nothing.
    """
    outcome = await sharing.unshare(
        info.context.call,
        hold_ids=[read_social_account_id(one) for one in input.social_account_ids],
        team_ids=[read_id("Team", one) for one in input.team_ids],
    )
    if isinstance(outcome, Refused):
        return outcome
    return UnshareSocialAccountsSuccess(
        social_accounts=[shape_social_account(account) for account in outcome.accounts],
        teams=[Team.of(team) for team in outcome.teams],
    )
