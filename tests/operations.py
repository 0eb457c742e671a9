"""The operations that tests send, written as clients write them: fragments on concrete members."""

_ERRORS = """
  __typename
  ... on InvalidInput { path message code }
"""

_CREDENTIAL_ERRORS = """
  __typename
  ... on InvalidInput { path message code }
  ... on CredentialsRejected { path message }
"""

_CONNECT_ERRORS = """
  __typename
  ... on InvalidInput { path message code }
  ... on HeldByWorkspace {
    path message platform externalId resolutions contactEmail
    socialAccount { id displayName }
    workspace { id name viewerRole }
  }
  ... on HeldByPersonal { path message platform externalId resolutions socialAccount { id displayName } }
  ... on HeldElsewhere {
    path message platform externalId resolutions pendingTransferRequest { id transferStatus }
  }
  ... on OtherConflict { path message platform externalId resolutions }
  ... on AccessTokenRejected { path message problem retryable retryAfter }
  ... on AccountLimitReached { path message limit used }
"""

ACCOUNT = """
fragment Account on SocialAccount {
  __typename id platform externalId displayName nickname profilePictureUrl createdAt updatedAt
  ... on InstagramAccount { username facebookPageId }
  holder { __typename ... on User { id } ... on Workspace { id name } }
  connectedBy { id }
  connectedTeams { name }
  facebookAccount { id facebookUserId }
}
"""

REGISTER = f"""
mutation Register($input: RegisterUserInput!) {{
  registerUser(input: $input) {{
    __typename
    ... on RegisterUserSuccess {{ user {{ id email name }} apiToken {{ id label scopes expiresAt }} bearerToken }}
    ... on RegisterUserFailure {{ message errors {{ {_ERRORS} }} }}
  }}
}}
"""

LOG_IN = f"""
mutation LogIn($input: CreateApiTokenInput!) {{
  createApiToken(input: $input) {{
    __typename
    ... on CreateApiTokenSuccess {{ apiToken {{ id label scopes }} bearerToken }}
    ... on CreateApiTokenFailure {{ message errors {{ {_CREDENTIAL_ERRORS} }} }}
  }}
}}
"""

REVOKE = f"""
mutation Revoke($input: RevokeApiTokenInput!) {{
  revokeApiToken(input: $input) {{
    __typename
    ... on RevokeApiTokenSuccess {{ apiToken {{ id revokedAt }} }}
    ... on RevokeApiTokenFailure {{ message errors {{ {_ERRORS} }} }}
  }}
}}
"""

CHANGE_PASSWORD = f"""
mutation ChangePassword($input: ChangePasswordInput!) {{
  changePassword(input: $input) {{
    __typename
    ... on ChangePasswordSuccess {{ user {{ id }} }}
    ... on ChangePasswordFailure {{ message errors {{ {_CREDENTIAL_ERRORS} }} }}
  }}
}}
"""

CREATE_WORKSPACE = f"""
mutation CreateWorkspace($input: CreateWorkspaceInput!) {{
  createWorkspace(input: $input) {{
    __typename
    ... on CreateWorkspaceSuccess {{ workspace {{ id name viewerRole }} }}
    ... on CreateWorkspaceFailure {{ message errors {{ {_ERRORS} }} }}
  }}
}}
"""

INVITE = f"""
mutation Invite($input: InviteToWorkspaceInput!) {{
  inviteToWorkspace(input: $input) {{
    __typename
    ... on InviteToWorkspaceSuccess {{ invitation {{ id email role workspace {{ id }} }} code }}
    ... on InviteToWorkspaceFailure {{ message errors {{ {_ERRORS} }} }}
  }}
}}
"""

ACCEPT = f"""
mutation Accept($input: AcceptInvitationInput!) {{
  acceptInvitation(input: $input) {{
    __typename
    ... on AcceptInvitationSuccess {{ workspace {{ id name viewerRole }} }}
    ... on AcceptInvitationFailure {{ message errors {{ {_ERRORS} }} }}
  }}
}}
"""

CONNECT = f"""
mutation Connect($input: ConnectSocialAccountsInput!) {{
  connectSocialAccounts(input: $input) {{
    __typename
    ... on ConnectSocialAccountsSuccess {{
      facebookAccount {{ id facebookUserId location }}
      connected {{ outcome socialAccount {{ ...Account }} }}
      notConnected {{ {_CONNECT_ERRORS} }}
    }}
    ... on ConnectSocialAccountsFailure {{ message errors {{ {_CONNECT_ERRORS} }} }}
  }}
}}
{ACCOUNT}
"""

DISCONNECT = f"""
mutation Disconnect($input: DisconnectSocialAccountsInput!) {{
  disconnectSocialAccounts(input: $input) {{
    __typename
    ... on DisconnectSocialAccountsSuccess {{ socialAccounts {{ id displayName holder {{ __typename }} }} }}
    ... on DisconnectSocialAccountsFailure {{ message errors {{ {_ERRORS} }} }}
  }}
}}
"""

DISCONNECT_FACEBOOK = f"""
mutation DisconnectFacebook($input: DisconnectFacebookAccountInput!) {{
  disconnectFacebookAccount(input: $input) {{
    __typename
    ... on DisconnectFacebookAccountSuccess {{ facebookAccount {{ id facebookUserId }} }}
    ... on DisconnectFacebookAccountFailure {{ message errors {{ {_ERRORS} }} }}
  }}
}}
"""

PERSONAL = f"""
query Personal($first: Int, $after: String, $last: Int, $before: String) {{
  viewer {{
    user {{ id name email }}
    facebookAccounts {{ nodes {{ id facebookUserId location }} }}
    socialAccounts(first: $first, after: $after, last: $last, before: $before) {{
      totalCount
      nodes {{ ...Account }}
      edges {{ cursor node {{ id }} }}
      pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }}
    }}
  }}
}}
{ACCOUNT}
"""

WORKSPACE = f"""
query Workspace($id: ID!) {{
  node(id: $id) {{
    ... on Workspace {{
      id name viewerRole
      members {{ nodes {{ role user {{ id email }} }} }}
      socialAccounts(first: 100) {{ totalCount nodes {{ ...Account }} }}
    }}
  }}
}}
{ACCOUNT}
"""

ACCESS_TOKENS = """
query AccessTokens {
  viewer { socialAccounts { nodes { externalId accessToken } } }
}
"""

NODE = """
query Node($id: ID!) { node(id: $id) { __typename id } }
"""
