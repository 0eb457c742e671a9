"""Operations of transfers, as docs/transfers.md shows them."""

from typing import Any

from tests.accounts.proven import instagram, login
from tests.api import Person

_REQUEST = "id platform externalId displayName transferStatus decidesAt createdAt viewerCan requesterName requesterEmail"
_ERRORS = """__typename
  ... on FieldError { path message }
  ... on InvalidInput { code }"""
ASK = f"""
mutation($input: RequestSocialAccountTransferInput!) {{
  requestSocialAccountTransfer(input: $input) {{
    __typename
    ... on RequestSocialAccountTransferSuccess {{ transferRequest {{ {_REQUEST} }} }}
    ... on RequestSocialAccountTransferFailure {{
      message errors {{ {_ERRORS} ... on AccessTokenRejected {{ problem }} ... on HeldByWorkspace {{ resolutions }} }}
    }}
  }}
}}
"""


def _answering(verb: str) -> str:
    name = f"{verb[0].upper()}{verb[1:]}TransferRequest"
    return f"""
mutation($input: {name}Input!) {{
  {verb}TransferRequest(input: $input) {{
    __typename
    ... on {name}Success {{ transferRequest {{ {_REQUEST} }} }}
    ... on {name}Failure {{ message errors {{ {_ERRORS} }} }}
  }}
}}
"""


ACCEPT, DECLINE, WITHDRAW = map(_answering, ("accept", "decline", "withdraw"))
MINE = f"""query {{ viewer {{
  transferRequests {{ totalCount nodes {{ {_REQUEST} }} }}
  incomingTransferRequests {{ nodes {{ {_REQUEST} }} }}
}} }}"""
OF_WORKSPACE = f"""query($id: ID!) {{ node(id: $id) {{ ... on Workspace {{
  incomingTransferRequests {{ nodes {{ {_REQUEST} }} }}
}} }} }}"""
NODE = f"query($id: ID!) {{ node(id: $id) {{ ... on TransferRequest {{ {_REQUEST} }} }} }}"
EVENTS = """query($id: ID!) {
  viewer { events(last: 30) { nodes { kind actor { name } subjectName } } }
  node(id: $id) { ... on Workspace { events(last: 30) { nodes { kind actor { name } subjectName } } } }
}"""


async def ask(person: Person, token: str, external_id: str, **others: Any) -> Any:
    """Ask for an Instagram account with a login that controls it."""
    return await person.mutate(
        ASK, facebookAccount=login(token, **others), instagramAccounts=[instagram(external_id, token)]
    )


async def asked(person: Person, token: str, external_id: str) -> Any:
    """Ask, and be answered with a request."""
    result = await ask(person, token, external_id)
    assert result["__typename"] == "RequestSocialAccountTransferSuccess", result
    return result["transferRequest"]


async def answer(person: Person, operation: str, request: Any) -> Any:
    """Accept, decline or withdraw a request."""
    return await person.mutate(operation, transferRequestId=request["id"])


async def mine(person: Person) -> Any:
    """The first request that somebody asked, as it is now."""
    return (await person.execute(MINE))["viewer"]["transferRequests"]["nodes"][0]


async def incoming(person: Person) -> list[Any]:
    """What somebody's Personal was asked for."""
    nodes: list[Any] = (await person.execute(MINE))["viewer"]["incomingTransferRequests"]["nodes"]
    return nodes
