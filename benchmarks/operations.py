"""What the benchmark asks of GraphQL servers: the text of each operation."""

PAGE = 20
EVENTS = 50

_CONNECT_ERRORS = """
        __typename
        ... on InvalidInput { path message code }
        ... on HeldByWorkspace {
          path message platform externalId resolutions contactEmail workspace { id name }
        }
        ... on HeldByPersonal { path message platform externalId resolutions }
        ... on HeldElsewhere { path message platform externalId resolutions }
        ... on AccessTokenRejected { path message problem retryable retryAfter }
        ... on AccountLimitReached { path message limit used }"""
CONNECT = f"""
mutation Connect($input: ConnectSocialAccountsInput!) {{
  connectSocialAccounts(input: $input) {{
    __typename
    ... on ConnectSocialAccountsSuccess {{
      facebookAccount {{ id facebookUserId location }}
      connected {{
        outcome
        socialAccount {{ id externalId displayName nickname profilePictureUrl createdAt updatedAt }}
      }}
      notConnected {{{_CONNECT_ERRORS}
      }}
    }}
    ... on ConnectSocialAccountsFailure {{
      message
      errors {{{_CONNECT_ERRORS}
      }}
    }}
  }}
}}
"""
_PAGE = f"""socialAccounts(first: {PAGE}) {{
      nodes {{
        id externalId displayName nickname profilePictureUrl createdAt
        facebookAccount {{ id facebookUserId }}
        connectedTeams {{ id name }}
      }}
      pageInfo {{ hasNextPage endCursor }}
    }}"""
VIEWER = f"""
query Viewer {{
  viewer {{
    user {{ id name email }}
    {_PAGE}
  }}
}}
"""
TYPENAME = "{ __typename }"
WORKSPACE_EVENTS = f"""
query Events($id: ID!) {{
  node(id: $id) {{
    ... on Workspace {{
      id
      events(first: {EVENTS}) {{ nodes {{ id kind occurredAt socialAccountId }} }}
    }}
  }}
}}
"""
WORKSPACE = f"""
query Workspace($id: ID!) {{
  node(id: $id) {{
    ... on Workspace {{
    id name viewerRole
    {_PAGE}
    }}
  }}
}}
"""
