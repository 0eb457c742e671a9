"""Operations about what Meta says: discovering, reconnecting, health and re-checks."""

_ERRORS = """__typename
  ... on InvalidInput { path message code }
  ... on AccessTokenRejected { path message problem retryable retryAfter }"""
HEALTH = "health { state problem message since checkedAt breaksAt missingPermissions }"
DISCOVER = f"""
mutation($input: DiscoverSocialAccountsInput!) {{
  discoverSocialAccounts(input: $input) {{
    __typename
    ... on DiscoverSocialAccountsSuccess {{
      facebookUserId hasMore
      socialAccounts {{
        platform externalId displayName profilePictureUrl facebookPageId status message
        conflict {{
          __typename
          ... on HeldByWorkspace {{ path resolutions contactEmail pendingAccessRequest {{ id }} }}
          ... on HeldByPersonal {{ path resolutions }}
          ... on HeldElsewhere {{ path resolutions }}
          ... on AccountLimitReached {{ path limit used }}
        }}
      }}
      hints {{ code message facebookPageId displayName }}
    }}
    ... on DiscoverSocialAccountsFailure {{ message errors {{ {_ERRORS} }} }}
  }}
}}
"""
RECONNECT = f"""
mutation($input: ReconnectSocialAccountsInput!) {{
  reconnectSocialAccounts(input: $input) {{
    __typename
    ... on ReconnectSocialAccountsSuccess {{
      facebookAccount {{ id facebookUserId }}
      socialAccounts {{ id externalId displayName connectedBy {{ name }} {HEALTH} }}
      notReconnected {{ {_ERRORS} }}
    }}
    ... on ReconnectSocialAccountsFailure {{ message errors {{ {_ERRORS} }} }}
  }}
}}
"""
RECHECK = f"""
mutation($input: RecheckSocialAccountsInput!) {{
  recheckSocialAccounts(input: $input) {{
    __typename
    ... on RecheckSocialAccountsSuccess {{ socialAccounts {{ id externalId {HEALTH} }} }}
    ... on RecheckSocialAccountsFailure {{ message errors {{ ... on InvalidInput {{ path message code }} }} }}
  }}
}}
"""
DASHBOARD = f"""
query($states: [AccessHealthState!]) {{
  viewer {{
    healthSummary {{ working breakingSoon broken unverified other }}
    facebookAccounts {{ nodes {{ facebookUserId {HEALTH} }} }}
    socialAccounts(healthStates: $states) {{ totalCount nodes {{ id externalId {HEALTH} }} }}
  }}
}}
"""
KINDS = "query { viewer { events(last: 20) { nodes { kind subjectName } } } }"
