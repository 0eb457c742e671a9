"""Connecting and disconnecting social accounts."""

from typing import cast

import strawberry

from graphql_api.domain.claims import Claim, ConflictPolicy, ConnectOutcome, FacebookLogin
from graphql_api.domain.inputs import InvalidInput
from graphql_api.domain.refusals import Refused
from graphql_api.domain.secrets import Secret
from graphql_api.schema.accounts.facebook_account import FacebookAccount
from graphql_api.schema.accounts.social_account import InstagramAccount, SocialAccount, shape_social_account
from graphql_api.schema.context import Info
from graphql_api.schema.described import arguments, output
from graphql_api.schema.errors import ConnectSocialAccountsError, conflict_errors
from graphql_api.schema.ids import read_id, read_social_account_id
from graphql_api.schema.mutation import mutation
from graphql_api.services.accounts import connecting, social_accounts
from graphql_api.services.accounts.connecting import ConnectCommand, ConnectRefused
from graphql_api.storage.rows import FacebookAccountRow, SocialAccountRow, row_of

# The words of the REST call that this replaces.
NOT_SAVED = "Could not save the entity."
IDEMPOTENCY_KEY = (
    "A text of your own, new for each new call, 1 to 255 printable ASCII characters; a UUID serves well. Send the same "
    "call with the same key again, and it answers what it did the first time, for 24 hours at least. Only successes are "
    "remembered. The same key with another input is `InvalidInput` `DUPLICATE`, and `NOT_FOUND` when you cannot see the "
    "accounts of the first answer any more."
)


@arguments
class FacebookAccountInput:
    """The Facebook login that vouches for the social accounts of a call."""

    facebook_user_id: str = strawberry.field(
        description="Facebook's id of the user: 1 to 20 digits, as text."
    )
    access_token: str = strawberry.field(
        description="The access token that Facebook handed out: 1 to 4096 printable ASCII characters. "
        "It is kept encrypted and never shown."
    )
    location: str | None = strawberry.field(
        default=None,
        description="The screen that the user started from, for example `progressMeter`; at most 200 characters.",
    )

    def __repr__(self) -> str:
        return "FacebookAccountInput(***)"

    def to_login(self) -> FacebookLogin:
        """As the domain takes it."""
        return FacebookLogin(self.facebook_user_id, Secret(self.access_token), self.location)


@arguments
class InstagramAccountInput:
    """One Instagram account to connect."""

    instagram_user_id: str = strawberry.field(
        description="Instagram's id of the account: 1 to 20 digits, as text."
    )
    username: str = strawberry.field(
        description="1 to 30 letters, digits, dots and underscores; no dot first, last or doubled."
    )
    profile_picture_url: str = strawberry.field(
        description="An https URL of at most 2048 characters; it is never fetched. An empty string means none."
    )
    access_token: str = strawberry.field(
        description="The access token for this account: 1 to 4096 printable ASCII characters. It is kept encrypted, and "
        "shown only by `InstagramAccount.accessToken`."
    )

    def __repr__(self) -> str:
        return "InstagramAccountInput(***)"

    def to_claim(self, index: int) -> Claim:
        """As the domain takes it."""
        return Claim(
            index,
            self.instagram_user_id,
            self.username,
            self.profile_picture_url or None,
            Secret(self.access_token),
        )


@arguments
class ConnectSocialAccountsInput:
    """What to connect, and where."""

    facebook_account: FacebookAccountInput = strawberry.field(
        description="The login that vouches for the accounts. It may be connected alone."
    )
    instagram_accounts: list[InstagramAccountInput] = strawberry.field(
        default_factory=list, description="The Instagram accounts to connect: at most 100, each once."
    )
    workspace_id: strawberry.ID | None = strawberry.field(
        default=None,
        description="The Workspace that is to hold them; the viewer must be its admin. Left out or null: the viewer's "
        "Personal.",
    )
    on_conflict: ConflictPolicy = strawberry.field(
        default=ConflictPolicy.REJECT_ALL,
        description="What happens to the others when some cannot be connected. Wrong input fails under both policies.",
    )
    idempotency_key: str | None = strawberry.field(default=None, description=IDEMPOTENCY_KEY)

    def to_command(self) -> ConnectCommand:
        """As the service takes it."""
        return ConnectCommand(
            login=self.facebook_account.to_login(),
            claims=[item.to_claim(index) for index, item in enumerate(self.instagram_accounts)],
            workspace_id=None if self.workspace_id is None else read_id("Workspace", self.workspace_id),
            policy=self.on_conflict,
            idempotency_key=self.idempotency_key,
        )


@output
class ConnectedInstagramAccount:
    """An Instagram account that this call connected or reconnected."""

    outcome: ConnectOutcome = strawberry.field(description="Whether it is new here.")
    instagram_account: InstagramAccount = strawberry.field(description="The account as it is now.")


@output
class ConnectSocialAccountsSuccess:
    """The accounts are connected."""

    facebook_account: FacebookAccount = strawberry.field(description="The Facebook account as it is now.")
    instagram_accounts: list[ConnectedInstagramAccount] = strawberry.field(
        description="What was connected, in the order of the input."
    )
    not_connected: list[ConnectSocialAccountsError] = strawberry.field(
        description="What stood in the way of the rest, in the order of the input; empty unless `CONNECT_OTHERS`."
    )


@mutation(
    NOT_SAVED,
    errors="What stood in the way, in the order of the input: wrong input, or else conflicts.",
    union=ConnectSocialAccountsError,
)
async def connect_social_accounts(
    info: Info, input: ConnectSocialAccountsInput
) -> ConnectSocialAccountsSuccess | ConnectRefused:
    """Connect a Facebook account and any number of Instagram accounts to the viewer's Personal or to a Workspace.

    Connecting what is held there already reconnects it.
    """
    outcome = await connecting.connect(info.context.call, input.to_command())
    if isinstance(outcome, Refused):
        return outcome
    return ConnectSocialAccountsSuccess(
        facebook_account=FacebookAccount.of(row_of(outcome.facebook_account, FacebookAccountRow)),
        instagram_accounts=[
            ConnectedInstagramAccount(
                outcome=how,
                instagram_account=cast(
                    "InstagramAccount", shape_social_account(row_of(row, SocialAccountRow))
                ),
            )
            for how, row in outcome.accounts
        ],
        not_connected=conflict_errors(outcome.not_connected, outcome.surroundings),
    )


@arguments
class DisconnectSocialAccountsInput:
    """Which social accounts to disconnect."""

    social_account_ids: list[strawberry.ID] = strawberry.field(
        description="Ids of social accounts: at most 100, each once; all of them or none."
    )


@output
class DisconnectSocialAccountsSuccess:
    """The accounts are disconnected: their access tokens are destroyed, anyone may connect them."""

    social_accounts: list[SocialAccount] = strawberry.field(
        description="What they were, in the order of the input; their `holder` is null now."
    )


@mutation("Nothing was disconnected.")
async def disconnect_social_accounts(
    info: Info, input: DisconnectSocialAccountsInput
) -> DisconnectSocialAccountsSuccess | Refused[InvalidInput]:
    """Give social accounts up, all or none: the viewer's own, and (as an admin) those of a Workspace.

    Their access tokens are destroyed.
    """
    hold_ids = [read_social_account_id(text) for text in input.social_account_ids]
    outcome = await social_accounts.disconnect(info.context.call, hold_ids)
    if isinstance(outcome, Refused):
        return outcome
    return DisconnectSocialAccountsSuccess(
        social_accounts=[shape_social_account(row, disconnected=True) for row in outcome]
    )
