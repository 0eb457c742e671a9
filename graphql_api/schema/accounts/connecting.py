"""Connecting and disconnecting social accounts."""

from collections.abc import Sequence

import strawberry

from graphql_api.domain.claims import Claim, ConflictPolicy, ConnectOutcome, FacebookLogin
from graphql_api.domain.inputs import InvalidInput
from graphql_api.domain.platforms import Platform, SocialKey
from graphql_api.domain.refusals import Refused
from graphql_api.domain.secrets import Secret
from graphql_api.schema.accounts.facebook_account import FacebookAccount
from graphql_api.schema.accounts.social_account import SocialAccount, shape_social_account
from graphql_api.schema.context import Info
from graphql_api.schema.described import arguments, output
from graphql_api.schema.errors import ConnectSocialAccountsError, errors_of
from graphql_api.schema.ids import read_id, read_social_account_id
from graphql_api.schema.mutation import mutation
from graphql_api.services.accounts import connecting, social_accounts
from graphql_api.services.accounts.connecting import ConnectCommand, ConnectRefused

# The words of the REST call that this replaces.
NOT_SAVED = "Could not save the entity."
IDEMPOTENCY_KEY = (
    "A text of your own, new for each new call, 1 to 255 printable ASCII characters; a UUID serves well. Send the same "
    "call with the same key again, and it answers what it did the first time, for 24 hours at least. Only successes are "
    "remembered. The same key with another input is `InvalidInput` `DUPLICATE`, and `NOT_FOUND` when you cannot see the "
    "accounts of the first answer any more."
)


_FOR_THIS_ACCOUNT = (
    "The access token for this account: 1 to 4096 printable ASCII characters. It is kept encrypted, and shown only by "
    "`SocialAccount.accessToken`."
)
_AT_MOST = "All lists of a call together have at most 100 accounts, each once."


@arguments
class FacebookAccountInput:
    """The Facebook login that vouches for the social accounts of a call."""

    facebook_user_id: str = strawberry.field(
        description="Facebook's id of the user: 1 to 20 digits, as text. It does not begin with 0."
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
        description="Instagram's id of the account: 1 to 20 digits, as text. It does not begin with 0."
    )
    username: str = strawberry.field(
        description="1 to 30 letters, digits, dots and underscores; no dot first, last or doubled."
    )
    profile_picture_url: str = strawberry.field(
        description="An https URL of at most 2048 characters; it is never fetched. An empty string means none."
    )
    access_token: str = strawberry.field(description=_FOR_THIS_ACCOUNT)

    def __repr__(self) -> str:
        return "InstagramAccountInput(***)"

    def to_claim(self, index: int, at: tuple[str, ...]) -> Claim:
        """As the domain takes it."""
        return Claim(
            index,
            SocialKey(Platform.INSTAGRAM, self.instagram_user_id),
            self.username,
            at,
            "instagramUserId",
            "username",
            profile_picture_url=self.profile_picture_url or None,
            access_token=Secret(self.access_token),
        )


@arguments
class FacebookPageInput:
    """One Facebook Page to connect."""

    facebook_page_id: str = strawberry.field(
        description="Facebook's id of the Page: 1 to 20 digits, as text. It does not begin with 0."
    )
    name: str = strawberry.field(description="The name of the Page: 1 to 75 characters.")
    profile_picture_url: str | None = strawberry.field(
        default=None,
        description="An https URL of at most 2048 characters; it is never fetched. Null or an empty string means none.",
    )
    access_token: str = strawberry.field(description=_FOR_THIS_ACCOUNT)

    def __repr__(self) -> str:
        return "FacebookPageInput(***)"

    def to_claim(self, index: int, at: tuple[str, ...]) -> Claim:
        """As the domain takes it."""
        return Claim(
            index,
            SocialKey(Platform.FACEBOOK_PAGE, self.facebook_page_id),
            self.name,
            at,
            "facebookPageId",
            "name",
            profile_picture_url=self.profile_picture_url or None,
            access_token=Secret(self.access_token),
        )


def claims_of(
    instagram_accounts: Sequence[InstagramAccountInput], facebook_pages: Sequence[FacebookPageInput]
) -> list[Claim]:
    """The claims of a call, in input order."""
    asked: list[tuple[InstagramAccountInput | FacebookPageInput, str, int]] = [
        *((one, "instagramAccounts", position) for position, one in enumerate(instagram_accounts)),
        *((one, "facebookPages", position) for position, one in enumerate(facebook_pages)),
    ]
    return [
        one.to_claim(index, ("input", name, str(position)))
        for index, (one, name, position) in enumerate(asked)
    ]


@arguments
class ConnectSocialAccountsInput:
    """The social accounts to connect, and the place that is to hold them."""

    facebook_account: FacebookAccountInput = strawberry.field(
        description="The login that vouches for the accounts. It may be connected alone."
    )
    instagram_accounts: list[InstagramAccountInput] = strawberry.field(
        default_factory=list, description=f"The Instagram accounts to connect. {_AT_MOST}"
    )
    facebook_pages: list[FacebookPageInput] = strawberry.field(
        default_factory=list, description=f"The Facebook Pages to connect. {_AT_MOST}"
    )
    workspace_id: strawberry.ID | None = strawberry.field(
        default=None,
        description="The Workspace that is to hold them. Requires the role ADMIN there. Left out or null: the viewer's "
        "Personal.",
    )
    on_conflict: ConflictPolicy = strawberry.field(
        default=ConflictPolicy.REJECT_ALL,
        description="What happens to the others if some cannot be connected. Wrong input fails under both policies.",
    )
    allow_move: bool = strawberry.field(
        default=False,
        description="True to move every account here that the viewer may move: from their Personal, or from a Workspace "
        "where they are an admin. A moved account gets the new access token, and counts as a new one for the limit.",
    )
    idempotency_key: str | None = strawberry.field(default=None, description=IDEMPOTENCY_KEY)

    def to_command(self) -> ConnectCommand:
        """As the service takes it."""
        return ConnectCommand(
            login=self.facebook_account.to_login(),
            claims=claims_of(self.instagram_accounts, self.facebook_pages),
            workspace_id=None if self.workspace_id is None else read_id("Workspace", self.workspace_id),
            policy=self.on_conflict,
            allow_move=self.allow_move,
            idempotency_key=self.idempotency_key,
        )


@output
class ConnectedSocialAccount:
    """A social account that this call connected, reconnected, moved or took over."""

    outcome: ConnectOutcome = strawberry.field(description="What the call did to it.")
    social_account: SocialAccount = strawberry.field(description="The account as it is now.")


@output
class ConnectSocialAccountsSuccess:
    """The accounts are connected."""

    facebook_account: FacebookAccount = strawberry.field(description="The Facebook account as it is now.")
    connected: list[ConnectedSocialAccount] = strawberry.field(
        description="What was connected, in the order of the input."
    )
    not_connected: list[ConnectSocialAccountsError] = strawberry.field(
        description="Why the others were not connected, in the order of the input. Empty unless `onConflict` is "
        "`CONNECT_OTHERS`."
    )


@mutation(
    NOT_SAVED,
    errors="What blocks the call, in the order of the input: wrong input, or else conflicts.",
    union=ConnectSocialAccountsError,
)
async def connect_social_accounts(
    info: Info, input: ConnectSocialAccountsInput
) -> ConnectSocialAccountsSuccess | ConnectRefused:
    """Connect a Facebook account and any number of social accounts to the viewer's Personal or to a Workspace.

    An account that the place holds already is reconnected.
    """
    outcome = await connecting.connect(info.context.call, input.to_command())
    if isinstance(outcome, Refused):
        return outcome
    return ConnectSocialAccountsSuccess(
        facebook_account=FacebookAccount.of(outcome.facebook_account),
        connected=[
            ConnectedSocialAccount(outcome=how, social_account=shape_social_account(row))
            for how, row in outcome.accounts
        ],
        not_connected=errors_of(ConnectRefused(outcome.not_connected, outcome.facts)),
    )


@arguments
class DisconnectSocialAccountsInput:
    """The social accounts to disconnect."""

    social_account_ids: list[strawberry.ID] = strawberry.field(
        description="Ids of social accounts: 1 to 100, each once, of any platform."
    )


@output
class DisconnectSocialAccountsSuccess:
    """The accounts are disconnected: their access tokens are destroyed, and anyone may connect the accounts."""

    social_accounts: list[SocialAccount] = strawberry.field(
        description="The accounts as they were before, in the order of the input; `holder` is null."
    )


@mutation("Nothing was disconnected.")
async def disconnect_social_accounts(
    info: Info, input: DisconnectSocialAccountsInput
) -> DisconnectSocialAccountsSuccess | Refused[InvalidInput]:
    """Disconnect social accounts, all or none, and destroy their access tokens.

    Requires the role ADMIN in the Workspace that holds them, unless they are in the viewer's Personal.
    """
    hold_ids = [read_social_account_id(text) for text in input.social_account_ids]
    outcome = await social_accounts.disconnect(info.context.call, hold_ids)
    if isinstance(outcome, Refused):
        return outcome
    return DisconnectSocialAccountsSuccess(
        social_accounts=[shape_social_account(row, disconnected=True) for row in outcome]
    )
