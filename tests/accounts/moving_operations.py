"""The operations of moving and renaming, written as clients write them."""

from tests.operations import ACCOUNT

MOVE = f"""
mutation Move($input: MoveSocialAccountsInput!) {{
  moveSocialAccounts(input: $input) {{
    __typename
    ... on MoveSocialAccountsSuccess {{ socialAccounts {{ ...Account }} }}
    ... on MoveSocialAccountsFailure {{
      message
      errors {{
        __typename
        ... on InvalidInput {{ path message code }}
        ... on AccountLimitReached {{ path message limit used }}
      }}
    }}
  }}
}}
{ACCOUNT}
"""

RENAME = f"""
mutation Rename($input: RenameSocialAccountInput!) {{
  renameSocialAccount(input: $input) {{
    __typename
    ... on RenameSocialAccountSuccess {{ socialAccount {{ ...Account }} }}
    ... on RenameSocialAccountFailure {{
      message
      errors {{ __typename ... on InvalidInput {{ path message code }} }}
    }}
  }}
}}
{ACCOUNT}
"""
