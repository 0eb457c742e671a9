"""The operations that the demo prints, each on one line, as a shell takes it."""

_INVALID = "... on InvalidInput { path message code }"

CONNECT = (
    "mutation Connect($input: ConnectSocialAccountsInput!) { connectSocialAccounts(input: $input) { __typename "
    "... on ConnectSocialAccountsSuccess { connected { outcome socialAccount { id displayName } } } "
    "... on ConnectSocialAccountsFailure { message errors { __typename "
    "... on InvalidInput { path message code } "
    "... on HeldByWorkspace { path message resolutions contactEmail workspace { id name } } "
    "... on HeldByPersonal { path message resolutions } "
    "... on HeldElsewhere { path message } "
    "... on AccountLimitReached { path message limit used } } } } }"
)

CHECK = (
    "query Check($input: CheckSocialAccountsInput!) { checkSocialAccounts(input: $input) { "
    "errors { path message code } checks { externalId status conflict { __typename "
    "... on HeldByWorkspace { message resolutions pendingAccessRequest { id } } "
    "... on HeldByPersonal { message resolutions } "
    "... on HeldElsewhere { message } "
    "... on AccountLimitReached { message limit used } } } } }"
)

ASK = (
    "mutation Ask($input: RequestSocialAccountAccessInput!) { requestSocialAccountAccess(input: $input) { "
    "__typename ... on RequestSocialAccountAccessSuccess { accessRequest { id status displayName message } } "
    "... on RequestSocialAccountAccessFailure { message errors { " + _INVALID + " } } } }"
)

INBOX = (
    "query Inbox($id: ID!) { node(id: $id) { ... on Workspace { accessRequests(status: PENDING, first: 20) { "
    "totalCount nodes { id status displayName message requester { name } } } teams(first: 20) { nodes { id name } } "
    "} } }"
)

GRANT = (
    "mutation Grant($input: GrantAccessRequestInput!) { grantAccessRequest(input: $input) { __typename "
    "... on GrantAccessRequestSuccess { accessRequest { id status grantedTeams { name } } } "
    "... on GrantAccessRequestFailure { message errors { " + _INVALID + " } } } }"
)

OUTCOME = (
    "query Outcome { viewer { accessRequests(first: 20) { nodes { status displayName decidedBy { name } "
    "grantedTeams { name } socialAccount { id } } } } }"
)

MOVE = (
    "mutation Move($input: MoveSocialAccountsInput!) { moveSocialAccounts(input: $input) { __typename "
    "... on MoveSocialAccountsSuccess { socialAccounts { id displayName holder { __typename } } } "
    "... on MoveSocialAccountsFailure { message errors { __typename " + _INVALID + " "
    "... on AccountLimitReached { path message limit used } } } } }"
)

SHARE = (
    "mutation Share($input: ShareSocialAccountsInput!) { shareSocialAccounts(input: $input) { __typename "
    "... on ShareSocialAccountsSuccess { socialAccounts { displayName connectedTeams { name } } } "
    "... on ShareSocialAccountsFailure { message errors { " + _INVALID + " } } } }"
)

RENAME = (
    "mutation Rename($input: RenameSocialAccountInput!) { renameSocialAccount(input: $input) { __typename "
    "... on RenameSocialAccountSuccess { socialAccount { id displayName nickname } } "
    "... on RenameSocialAccountFailure { message errors { " + _INVALID + " } } } }"
)

SEARCH = (
    "query Search($id: ID!, $search: String, $orderBy: SocialAccountOrder, $after: String) { node(id: $id) { "
    "... on Workspace { socialAccounts(search: $search, orderBy: $orderBy, first: 2, after: $after) { "
    "__typename totalCount nodes { id displayName nickname } pageInfo { hasNextPage endCursor } } } } }"
)

INVITE = (
    "mutation Invite($input: InviteToWorkspaceInput!) { inviteToWorkspace(input: $input) { __typename "
    "... on InviteToWorkspaceSuccess { code invitation { id email role status } } "
    "... on InviteToWorkspaceFailure { message errors { " + _INVALID + " } } } }"
)

FORGOT = (
    "mutation Forgot($input: RequestPasswordResetInput!) { requestPasswordReset(input: $input) { __typename "
    "... on RequestPasswordResetSuccess { email } "
    "... on RequestPasswordResetFailure { message errors { " + _INVALID + " } } } }"
)

EVENTS = (
    "query Events($id: ID!, $after: String) { node(id: $id) { ... on Workspace { eventsCursor "
    "events(first: 20, after: $after) { edges { cursor node { kind subjectName nickname actorName } } } } } }"
)

FOLLOW = (
    "subscription Follow($workspaceId: ID, $after: String) { events(workspaceId: $workspaceId, "
    "after: $after) { cursor node { kind subjectName nickname actorName } } }"
)
