"""The operations about mail, codes and invitations, written as clients write them."""

_ERRORS = """
  __typename
  ... on InvalidInput { path message code }
"""

EMAIL_VERIFIED = "query EmailVerified { viewer { emailVerified } }"

SEND_VERIFICATION = f"""
mutation SendVerification($input: SendVerificationEmailInput!) {{
  sendVerificationEmail(input: $input) {{
    __typename
    ... on SendVerificationEmailSuccess {{ email }}
    ... on SendVerificationEmailFailure {{ message errors {{ {_ERRORS} }} }}
  }}
}}
"""

VERIFY = f"""
mutation Verify($input: VerifyEmailInput!) {{
  verifyEmail(input: $input) {{
    __typename
    ... on VerifyEmailSuccess {{ user {{ id email }} }}
    ... on VerifyEmailFailure {{ message errors {{ {_ERRORS} }} }}
  }}
}}
"""

CHANGE_EMAIL = f"""
mutation ChangeEmail($input: ChangeEmailAddressInput!) {{
  changeEmailAddress(input: $input) {{
    __typename
    ... on ChangeEmailAddressSuccess {{ email }}
    ... on ChangeEmailAddressFailure {{
      message errors {{ {_ERRORS} ... on CredentialsRejected {{ path message }} }}
    }}
  }}
}}
"""

REQUEST_RESET = f"""
mutation RequestReset($input: RequestPasswordResetInput!) {{
  requestPasswordReset(input: $input) {{
    __typename
    ... on RequestPasswordResetSuccess {{ email }}
    ... on RequestPasswordResetFailure {{ message errors {{ {_ERRORS} }} }}
  }}
}}
"""

RESET = f"""
mutation Reset($input: ResetPasswordInput!) {{
  resetPassword(input: $input) {{
    __typename
    ... on ResetPasswordSuccess {{ user {{ id }} }}
    ... on ResetPasswordFailure {{ message errors {{ {_ERRORS} }} }}
  }}
}}
"""

REVOKE_INVITATION = f"""
mutation RevokeInvitation($input: RevokeInvitationInput!) {{
  revokeInvitation(input: $input) {{
    __typename
    ... on RevokeInvitationSuccess {{ invitation {{ id status revokedAt workspace {{ id }} }} }}
    ... on RevokeInvitationFailure {{ message errors {{ {_ERRORS} }} }}
  }}
}}
"""

INVITATIONS = """
query Invitations($id: ID!, $status: InvitationStatus, $search: String, $first: Int, $after: String) {
  node(id: $id) {
    ... on Workspace {
      invitations(status: $status, search: $search, first: $first, after: $after) {
        totalCount
        nodes {
          id email role status createdAt expiresAt acceptedAt declinedAt revokedAt
          workspaceName inviterName invitedBy { id } workspace { id }
        }
        pageInfo { hasNextPage endCursor }
      }
    }
  }
}
"""

DECLINE_INVITATION = f"""
mutation DeclineInvitation($input: DeclineInvitationInput!) {{
  declineInvitation(input: $input) {{
    __typename
    ... on DeclineInvitationSuccess {{ invitation {{ id status declinedAt workspaceName workspace {{ id }} }} }}
    ... on DeclineInvitationFailure {{ message errors {{ {_ERRORS} }} }}
  }}
}}
"""

MY_INVITATIONS = """
query MyInvitations($status: InvitationStatus, $first: Int, $after: String) {
  viewer {
    invitations(status: $status, first: $first, after: $after) {
      totalCount
      nodes { id email role status workspaceName inviterName invitedBy { id } workspace { id } }
      pageInfo { hasNextPage endCursor }
    }
  }
}
"""

PREVIEW = """
query Preview($code: String!) {
  invitationPreview(code: $code) { workspaceName inviterName email role expiresAt }
}
"""
