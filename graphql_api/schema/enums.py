"""The enums, with what each value means to a client."""

from enum import Enum

import strawberry

from graphql_api.domain.access_requests import AccessRequestStatus
from graphql_api.domain.claims import ConflictPolicy, ConnectOutcome
from graphql_api.domain.conflicts import CheckStatus, Resolution
from graphql_api.domain.discovery import DiscoveryHintCode
from graphql_api.domain.events import EventKind
from graphql_api.domain.health import AccessHealthState
from graphql_api.domain.holders import Role
from graphql_api.domain.inputs import InvalidInputCode
from graphql_api.domain.invitations import InvitationStatus
from graphql_api.domain.listing import OrderDirection, SocialAccountOrderField
from graphql_api.domain.permissions import Scope
from graphql_api.domain.platforms import Platform
from graphql_api.domain.proofs import AccessTokenProblem
from graphql_api.domain.transfers import TransferRequestAction, TransferRequestStatus


def _described(enum: type[Enum], name: str, description: str, **values: str) -> None:
    """Publish a domain enum; every value needs its description."""
    strawberry.enum(enum, name=name, description=description)
    definition = enum.__strawberry_definition__  # type: ignore[attr-defined]  # set by the line above
    for value in definition.values:
        value.description = values.pop(value.name)
    if values:
        raise ValueError(f"{name} has no {', '.join(values)}")


_described(
    Platform,
    "SocialPlatform",
    "Where a social account lives. Lists return only the platforms that you ask for, so a new one never "
    "reaches a client that does not know it.",
    INSTAGRAM="Instagram professional accounts.",
    FACEBOOK_PAGE="Facebook Pages.",
)
_described(
    Role,
    "WorkspaceRole",
    "What a member may do in a Workspace. This enum is closed.",
    ADMIN="Sees every social account of the Workspace, connects, disconnects and shares them, and manages members and teams.",
    CREATOR="Sees the social accounts that are shared with a team they are in.",
)
_described(
    InvitationStatus,
    "InvitationStatus",
    "The status of an invitation. Everything but `PENDING` is final.",
    PENDING="The invited person can accept or decline it.",
    ACCEPTED="The invited person accepted it.",
    DECLINED="The invited person declined it. An admin can invite them again.",
    REVOKED="An admin revoked it, or a newer invitation of the same address replaced it.",
    EXPIRED="Nobody accepted it in time. An admin can invite the person again.",
    OTHER="Something that this version of the schema has no word for.",
)
_described(
    Scope,
    "ApiTokenScope",
    "What an API token may do beyond acting as its user.",
    READ_ACCESS_TOKENS="Read Meta's access tokens of the social accounts in the user's Personal, and in Workspaces "
    "where the user is an admin. Each read is an event.",
)
_described(
    ConflictPolicy,
    "ConflictPolicy",
    "What happens to the rest of a call when some of its social accounts cannot be connected.",
    REJECT_ALL="Nothing is connected, not even the Facebook account.",
    CONNECT_OTHERS="The others are connected, and `notConnected` has the conflicts. If none could be "
    "connected, the call fails and nothing is written.",
)
_described(
    ConnectOutcome,
    "ConnectOutcome",
    "What connecting did to a social account.",
    CONNECTED="Nobody held the account. This place holds it now.",
    RECONNECTED="This place already held the account. Its access token, display name, picture and Facebook account were "
    "replaced; its id, nickname, teams and `createdAt` stayed.",
    MOVED="The viewer moved it here from another place of theirs (`allowMove`), with the new access token. Its id, "
    "nickname and `createdAt` stayed; the teams of the old place no longer see it.",
    TAKEN_OVER="A transfer request was granted, and the viewer took the account over. It is a new hold: nothing of the "
    "old one came along.",
    OTHER="Something that this version of the schema has no word for.",
)
_described(
    Resolution,
    "ConflictResolution",
    "What the viewer can do about a conflict. What is offered works now.",
    MOVE="Send the same call with `allowMove: true`: the account is moved here and gets the new access token. To move it "
    "without a new access token, use `moveSocialAccounts`. Nobody else can take it in between.",
    DISCONNECT="Disconnect it where it is held (`disconnectSocialAccounts`), then connect it again.",
    REQUEST_ACCESS="Ask the admins of the Workspace that holds it (`requestSocialAccountAccess`); `contactEmail` names "
    "one.",
    REQUEST_TRANSFER="Ask for the account (`requestSocialAccountTransfer`), with the same login, which has the task MANAGE.",
    OTHER="Something that this version of the schema has no word for.",
)
_described(
    CheckStatus,
    "SocialAccountCheckStatus",
    "What connecting a social account would do.",
    AVAILABLE="No place that the viewer belongs to holds it. If nobody else does either, it would be connected.",
    RECONNECT="The place holds it already: it would be reconnected.",
    CONFLICT="It could not be connected; `conflict` says why.",
    ROLE_TOO_WEAK="The Facebook login's role on the account is too weak. Only `discoverSocialAccounts` returns this value.",
    NOT_GRANTED="The Facebook login did not grant access to the account. Only `discoverSocialAccounts` returns this value.",
    OTHER="Something that this version of the schema has no word for.",
)
_described(
    AccessRequestStatus,
    "AccessRequestStatus",
    "The state of a request for access. All but `PENDING` are final.",
    PENDING="No admin has answered it yet.",
    GRANTED="An admin shared the social account with teams, and added the requester to them.",
    DECLINED="An admin declined it; `reason` may say why. The requester can ask again.",
    WITHDRAWN="The requester withdrew it, or left the Workspace.",
    CLOSED="The requester can see the social account in another way: it was shared with a team of theirs, they were added to "
    "a team that sees it, or they became an admin.",
    OTHER="Something that this version of the schema has no word for.",
)
_described(
    TransferRequestStatus,
    "TransferRequestStatus",
    "The state of a request for a transfer. `HOLDER_DECIDES`, `NOTICE` and `GRANTED` are open, the others final.",
    HOLDER_DECIDES="The holder controls the account too, or Meta gave no answer: they accept or decline it.",
    NOTICE="Meta does not confirm that the holder controls the account. They have until `decidesAt` to prove it.",
    GRANTED="The person who asked can connect the account until `decidesAt`.",
    DECLINED="The holder declined it.",
    WITHDRAWN="The person who asked withdrew it.",
    LAPSED="Nobody answered it, or it was not used, in time. It can be asked again at once.",
    COMPLETED="The person who asked connected the account.",
    CLOSED="It is not needed any more: the account is free, or the person who asked can move it.",
    OTHER="Something that this version of the schema has no word for.",
)
_described(
    TransferRequestAction,
    "TransferRequestAction",
    "What the viewer can do about a request for a transfer.",
    ACCEPT="`acceptTransferRequest`: let the person who asked connect the account.",
    DECLINE="`declineTransferRequest`: keep the account.",
    WITHDRAW="`withdrawTransferRequest`: take the request back.",
    CONNECT="`connectSocialAccounts`: connect the account, with a fresh access token.",
    OTHER="Something that this version of the schema has no word for.",
)
_described(
    InvalidInputCode,
    "InvalidInputCode",
    "Why a value was not accepted.",
    REQUIRED="The value is missing or empty.",
    TOO_SHORT="A text or a list is too short.",
    TOO_LONG="A text or a list is too long.",
    INVALID_FORMAT="The value has the wrong format.",
    OUT_OF_RANGE="A number is too large or too small.",
    DUPLICATE="The value appears twice in this call, or it already exists.",
    NOT_FOUND="There is no such object, or the viewer cannot see it.",
    NOT_ALLOWED="A rule forbids this: the viewer sees the object and may not do this with it, or the value is one that nobody may use, such as a very common password.",
    OTHER="Something that this version of the schema has no word for; see the message.",
)
_described(
    EventKind,
    "EventKind",
    "What happened.",
    USER_REGISTERED="Somebody registered; the first event of their Personal.",
    PROFILE_UPDATED="The user changed their name.",
    PASSWORD_CHANGED="The password was changed.",  # noqa: S106 - a description
    API_TOKEN_CREATED="An API token was made, by logging in or registering.",  # noqa: S106 - a description
    API_TOKEN_REVOKED="An API token was revoked.",  # noqa: S106 - a description
    EMAIL_VERIFIED="The e-mail address was verified.",
    EMAIL_ADDRESS_CHANGED="The user has another e-mail address.",
    PASSWORD_RESET="The password was reset by a code that was mailed.",  # noqa: S106 - a description
    WORKSPACE_CREATED="The Workspace was created.",
    WORKSPACE_RENAMED="The Workspace got another name.",
    WORKSPACE_DELETED="A Workspace was deleted.",
    MEMBER_INVITED="An address was invited into the Workspace.",
    INVITATION_REVOKED="An invitation was revoked.",
    INVITATION_DECLINED="The invited person declined an invitation.",
    MEMBER_JOINED="Somebody accepted an invitation.",
    MEMBER_ROLE_CHANGED="A member got another role.",
    MEMBER_REMOVED="A member was removed from the Workspace.",
    MEMBER_LEFT="A member left the Workspace.",
    TEAM_CREATED="A team was created.",
    TEAM_RENAMED="A team got another name.",
    TEAM_DELETED="A team was deleted.",
    TEAM_MEMBER_ADDED="A member was added to a team.",
    TEAM_MEMBER_REMOVED="A member was removed from a team.",
    FACEBOOK_ACCOUNT_CONNECTED="A Facebook account was connected.",
    FACEBOOK_ACCOUNT_RECONNECTED="A Facebook account was connected again. If the same user does so again within an hour, no event follows.",
    FACEBOOK_ACCOUNT_DISCONNECTED="A Facebook account was disconnected.",
    SOCIAL_ACCOUNT_CONNECTED="A social account was connected. This place holds it now.",
    SOCIAL_ACCOUNT_RECONNECTED="A social account that this place holds was connected again. If the same user does so again within an hour, no event follows.",
    SOCIAL_ACCOUNT_DISCONNECTED="A social account was disconnected. This place no longer holds it.",
    SOCIAL_ACCOUNT_MOVED="A social account was moved: see `movedFrom` and `movedTo`.",
    SOCIAL_ACCOUNT_RENAMED="A social account got another nickname.",
    SOCIAL_ACCOUNT_SHARED="A social account was shared with a team.",
    SOCIAL_ACCOUNT_UNSHARED="A social account is no longer shared with a team.",
    SOCIAL_ACCOUNT_BROKE="Our access to a social account no longer works: see its `health`.",
    SOCIAL_ACCOUNT_RECOVERED="Our access to a social account works again.",
    SOCIAL_ACCOUNT_TAKEN_OVER="Somebody who controls a social account connected it elsewhere, after a transfer was granted. This place no "
    "longer holds it.",
    TRANSFER_REQUESTED="Somebody who controls a social account asked for it.",
    TRANSFER_NOTICE_GIVEN="Meta does not confirm that the holder controls the social account. They have a few days to prove it.",
    TRANSFER_CONTROL_PROVEN="The holder proved that they control the social account, so they decide about the transfer.",
    TRANSFER_GRANTED="A transfer was granted: the person who asked can connect the social account now.",
    TRANSFER_DECLINED="The holder declined a transfer.",
    TRANSFER_WITHDRAWN="A request for a transfer was withdrawn.",
    TRANSFER_LAPSED="A request for a transfer ended, because nobody answered or used it in time.",
    TRANSFER_COMPLETED="The person who asked connected the social account: the transfer is complete.",
    TRANSFER_CLOSED="A request for a transfer ended, because it is not needed any more.",
    HOLD_SHOWN="The operator of this server looked up who holds a social account.",
    HOLD_RELEASED="The operator of this server disconnected a social account: see `reason`.",
    ACCESS_REQUESTED="A creator asked to see a social account.",
    ACCESS_REQUEST_WITHDRAWN="A request for access was withdrawn.",
    ACCESS_REQUEST_GRANTED="A request for access was granted.",
    ACCESS_REQUEST_DECLINED="A request for access was declined.",
    ACCESS_REQUEST_CLOSED="A request for access ended, because its requester can see the social account in another way.",
    ACCESS_TOKEN_READ="Meta's access token of a social account was read.",  # noqa: S106 - a description
    OTHER="Something that this version of the schema has no word for.",
)
_described(
    AccessHealthState,
    "AccessHealthState",
    "Whether our access to an account works.",
    WORKING="The access token works.",
    BREAKING_SOON="The access token works, and its access ends in less than 14 days: see `breaksAt`. Let the user log in again.",
    BROKEN="The access token no longer works: see `problem`. Connect the account again, or use `reconnectSocialAccounts`.",
    UNVERIFIED="Meta was never asked about this access token, or this server does not ask Meta now.",
    OTHER="Something that this version of the schema has no word for; see `message`.",
)
_described(
    DiscoveryHintCode,
    "DiscoveryHintCode",
    "Why something that the Facebook login has cannot be connected.",
    PAGE_NOT_LINKED="The Facebook Page has no Instagram professional account. Link one to it on Facebook or in the Instagram app.",
    OTHER="Something that this version of the schema has no word for; see `message`.",
)
_described(
    SocialAccountOrderField,
    "SocialAccountOrderField",
    "The value that a list of social accounts is ordered by.",
    CONNECTED_AT="The time when they were connected.",
    DISPLAY_NAME="The display name, without regard to case.",
)
_described(
    OrderDirection,
    "OrderDirection",
    "Which end of an order comes first.",
    ASC="From the oldest to the newest, from A to Z.",
    DESC="From the newest to the oldest, from Z to A.",
)


_described(
    AccessTokenProblem,
    "AccessTokenProblem",
    "Why Meta does not accept an access token, or why our access broke.",
    EXPIRED="The access token has expired, or Meta's data access has. Let the user log in to Facebook again.",
    REVOKED="The user or Meta revoked the access token. Let the user log in to Facebook again.",
    CHECKPOINT="Meta asks the user to confirm something on facebook.com first. Then let them log in again.",
    MISSING_PERMISSION="The user did not grant a permission or an account that is needed. Let them log in again and grant it.",
    ROLE_TOO_WEAK="The user's role on the account is too weak. Somebody with full control must change it on Facebook.",
    WRONG_ACCOUNT="The login does not control this account.",
    WRONG_LOGIN="The access token is not of the Facebook user that the call names. At an account it may be the login's own "
    "access token or the Page's. At the login it must be a user's: a Page's proves nothing.",
    WRONG_APP="The access token was made for another app.",
    MALFORMED="This is not an access token.",
    UNVERIFIABLE="Meta could not be asked now. Send the same call again later: `retryable` is true.",
    OTHER="Something that this version of the schema has no word for; see `message`.",
)
