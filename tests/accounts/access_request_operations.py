"""The operations about requests for access, and looking before leaping, as clients write them."""

ACCESS_REQUEST = """
fragment Request on AccessRequest {
  id platform externalId displayName status message reason createdAt decidedAt
  requester { id }
  decidedBy { id }
  grantedTeams { id name }
  workspace { id name }
  socialAccount { __typename id displayName }
}
"""


def key(external_id: str, display_name: str | None = None, platform: str = "INSTAGRAM") -> dict[str, str]:
    """A usable SocialAccountKeyInput."""
    return {
        "platform": platform,
        "externalId": external_id,
        "displayName": f"user_{external_id}" if display_name is None else display_name,
    }


REQUEST_ACCESS = f"""
mutation RequestAccess($input: RequestSocialAccountAccessInput!) {{
  requestSocialAccountAccess(input: $input) {{
    __typename
    ... on RequestSocialAccountAccessSuccess {{ accessRequest {{ ...Request }} }}
    ... on RequestSocialAccountAccessFailure {{
      message errors {{ __typename ... on InvalidInput {{ path message code }} }}
    }}
  }}
}}
{ACCESS_REQUEST}
"""

WITHDRAW = f"""
mutation Withdraw($input: WithdrawAccessRequestInput!) {{
  withdrawAccessRequest(input: $input) {{
    __typename
    ... on WithdrawAccessRequestSuccess {{ accessRequest {{ ...Request }} }}
    ... on WithdrawAccessRequestFailure {{
      message errors {{ __typename ... on InvalidInput {{ path message code }} }}
    }}
  }}
}}
{ACCESS_REQUEST}
"""

GRANT = f"""
mutation Grant($input: GrantAccessRequestInput!) {{
  grantAccessRequest(input: $input) {{
    __typename
    ... on GrantAccessRequestSuccess {{ accessRequest {{ ...Request }} }}
    ... on GrantAccessRequestFailure {{
      message errors {{ __typename ... on InvalidInput {{ path message code }} }}
    }}
  }}
}}
{ACCESS_REQUEST}
"""

DECLINE = f"""
mutation Decline($input: DeclineAccessRequestInput!) {{
  declineAccessRequest(input: $input) {{
    __typename
    ... on DeclineAccessRequestSuccess {{ accessRequest {{ ...Request }} }}
    ... on DeclineAccessRequestFailure {{
      message errors {{ __typename ... on InvalidInput {{ path message code }} }}
    }}
  }}
}}
{ACCESS_REQUEST}
"""

MY_REQUESTS = f"""
query MyRequests($status: AccessRequestStatus, $first: Int, $after: String) {{
  viewer {{
    accessRequests(status: $status, first: $first, after: $after) {{
      totalCount nodes {{ ...Request }} pageInfo {{ hasNextPage endCursor }}
    }}
  }}
}}
{ACCESS_REQUEST}
"""

REQUESTS_TO = f"""
query RequestsTo($id: ID!, $status: AccessRequestStatus, $first: Int, $after: String) {{
  node(id: $id) {{
    ... on Workspace {{
      accessRequests(status: $status, first: $first, after: $after) {{
        totalCount nodes {{ ...Request }} pageInfo {{ hasNextPage endCursor }}
      }}
    }}
  }}
}}
{ACCESS_REQUEST}
"""

CHECK = """
query Check($input: CheckSocialAccountsInput!) {
  checkSocialAccounts(input: $input) {
    errors { path message code }
    checks {
      platform externalId status
      conflict {
        __typename
        ... on HeldByWorkspace {
          path message platform externalId resolutions contactEmail
          socialAccount { id displayName }
          workspace { id name viewerRole }
          pendingAccessRequest { id status }
        }
        ... on HeldByPersonal { path message platform externalId resolutions socialAccount { id displayName } }
        ... on HeldElsewhere { path message platform externalId resolutions }
        ... on AccountLimitReached { path message limit used }
      }
    }
  }
}
"""

CONFLICTS = """
mutation Conflicts($input: ConnectSocialAccountsInput!) {
  connectSocialAccounts(input: $input) {
    __typename
    ... on ConnectSocialAccountsSuccess { connected { outcome socialAccount { externalId } } }
    ... on ConnectSocialAccountsFailure {
      errors {
        __typename
        ... on InvalidInput { path message code }
        ... on HeldByWorkspace {
          path message platform externalId resolutions contactEmail
          socialAccount { id displayName }
          workspace { id name viewerRole }
          pendingAccessRequest { id status }
        }
        ... on HeldByPersonal { path message platform externalId resolutions socialAccount { id displayName } }
        ... on HeldElsewhere { path message platform externalId resolutions }
        ... on AccountLimitReached { path message limit used }
      }
    }
  }
}
"""
