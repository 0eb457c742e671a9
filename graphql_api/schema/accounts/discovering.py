"""Discovering what a Facebook login could connect."""

import strawberry

from graphql_api.domain import discovery
from graphql_api.domain.conflicts import CheckStatus
from graphql_api.domain.discovery import DiscoveryHintCode
from graphql_api.domain.inputs import InvalidInput
from graphql_api.domain.platforms import Platform
from graphql_api.domain.proofs import LoginRejected
from graphql_api.domain.refusals import Refused
from graphql_api.domain.secrets import Secret
from graphql_api.schema.accounts.checking import SocialAccountConflict
from graphql_api.schema.accounts.listing import PLATFORMS
from graphql_api.schema.context import Info
from graphql_api.schema.described import arguments, output
from graphql_api.schema.errors import conflict_error
from graphql_api.schema.ids import read_id
from graphql_api.schema.mutation import mutation
from graphql_api.services.accounts import discovering


@arguments
class DiscoverSocialAccountsInput:
    """The Facebook login to ask about, and the place that is to hold its accounts."""

    access_token: str = strawberry.field(
        description="The access token of the Facebook login: 1 to 4096 printable ASCII characters. It is not kept."
    )
    workspace_id: strawberry.ID | None = strawberry.field(
        default=None,
        description="The Workspace that would hold the accounts. Requires the role ADMIN there. Left out or null: the "
        "viewer's Personal.",
    )
    platforms: list[Platform] = strawberry.field(
        default_factory=lambda: list(PLATFORMS),
        description="Only accounts of these platforms. Name a newer platform to get its accounts.",
    )

    def __repr__(self) -> str:
        return "DiscoverSocialAccountsInput(***)"


@output
class DiscoveredSocialAccount:
    """A social account that the Facebook login shows. It has what `connectSocialAccounts` needs."""

    platform: Platform = strawberry.field(description="Where the account lives.")
    external_id: str = strawberry.field(description="The platform's id of the account.")
    display_name: str = strawberry.field(
        description="What the platform calls it. If Meta does not tell, its id."
    )
    profile_picture_url: str | None = strawberry.field(
        description="The address of its picture. Null if Meta does not tell one."
    )
    facebook_page_id: str | None = strawberry.field(
        description="The Facebook Page that an Instagram account belongs to; of a Page, its own id."
    )
    status: CheckStatus = strawberry.field(description="What connecting it would do.")
    message: str | None = strawberry.field(
        description="A sentence for people: why it cannot be connected, and what to change. Null if it can."
    )
    conflict: SocialAccountConflict | None = strawberry.field(
        description="What blocks connecting it; its `path` is empty. Null unless `status` is `CONFLICT`."
    )


@output
class DiscoveryHint:
    """Something that the Facebook login has and that cannot be connected, with what a person can change."""

    code: DiscoveryHintCode = strawberry.field(description="Why, for programs.")
    message: str = strawberry.field(description="A sentence for people: what to change.")
    facebook_page_id: str | None = strawberry.field(
        description="The Facebook Page that the hint is about. Null if it is about none."
    )
    display_name: str | None = strawberry.field(
        description="What the Page is called. Null if Meta does not tell."
    )

    @classmethod
    def of(cls, hint: discovery.Hint) -> "DiscoveryHint":
        """Shape a hint."""
        return cls(
            code=hint.code,
            message=hint.message,
            facebook_page_id=hint.page_id,
            display_name=hint.display_name,
        )


@output
class DiscoverSocialAccountsSuccess:
    """What the Facebook login shows. Nothing was written."""

    facebook_user_id: str = strawberry.field(
        description="Facebook's id of the user who logged in: the `facebookUserId` of `connectSocialAccounts`."
    )
    social_accounts: list[DiscoveredSocialAccount] = strawberry.field(
        description="The accounts, Page by Page: at most 500. The login's access token serves as the `accessToken` of each."
    )
    has_more: bool = strawberry.field(description="True if the login has more accounts than are listed.")
    hints: list[DiscoveryHint] = strawberry.field(
        description="Why accounts may be missing that the person expects."
    )


@mutation("Nothing was discovered.")
async def discover_social_accounts(
    info: Info, input: DiscoverSocialAccountsInput
) -> DiscoverSocialAccountsSuccess | Refused[InvalidInput | LoginRejected]:
    """Ask Meta which social accounts a Facebook login controls, and what connecting each of them would do.

    Nothing is written. It is a mutation because clients keep the variables of queries in their caches, and these
    hold an access token.
    """
    outcome = await discovering.discover(
        info.context.call,
        Secret(input.access_token),
        None if input.workspace_id is None else read_id("Workspace", input.workspace_id),
        input.platforms,
    )
    if isinstance(outcome, Refused):
        return outcome
    return DiscoverSocialAccountsSuccess(
        facebook_user_id=outcome.facebook_user_id,
        social_accounts=[
            DiscoveredSocialAccount(
                platform=offer.candidate.key.platform,
                external_id=offer.candidate.key.external_id,
                display_name=offer.candidate.display_name,
                profile_picture_url=offer.profile_picture_url,
                facebook_page_id=offer.page_id,
                status=status,
                message=offer.message if conflict is None else conflict.message,
                conflict=None if conflict is None else conflict_error(conflict, outcome.facts),
            )
            for offer, status, conflict in outcome.accounts
        ],
        has_more=outcome.has_more,
        hints=[DiscoveryHint.of(hint) for hint in outcome.hints],
    )
