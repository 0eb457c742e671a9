"""What `python -m graphql_api demo` prints: who there is now, and operations to paste into a shell."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from graphql_api.schema.ids import write_id
from graphql_api.services.demo import NORTH, OF_ADMIN, OF_CREATOR, SOUTH, Account, Demo, Person

_QUERY = (
    "mutation Connect($input: ConnectSocialAccountsInput!) { connectSocialAccounts(input: $input) { __typename "
    "... on ConnectSocialAccountsSuccess { instagramAccounts { outcome instagramAccount { id username } } } "
    "... on ConnectSocialAccountsFailure { message errors { __typename "
    "... on InvalidInput { path message code } "
    "... on HeldByWorkspace { path message resolutions contactEmail workspace { id name } } "
    "... on HeldByPersonal { path message resolutions } "
    "... on HeldElsewhere { path message } "
    "... on AccountLimitReached { path message limit used } } } } }"
)


@dataclass(frozen=True, slots=True)
class Sample:
    """One operation, by whom, and the answer to expect."""

    answer: str
    story: str
    by: Person
    accounts: Sequence[Account]
    workspace_id: UUID | None = None


def page(demo: Demo, base: str) -> str:
    """Everything that the command prints; `base` is the server's address."""
    lines = [
        "The database is filled. Made-up people, shown here only:",
        "",
        *_person(demo.admin, "admin of Studio North and of Agency South"),
        *_person(demo.creator, "creator in Studio North, where her team Films sees studio.north.films"),
        *_person(demo.other_creator, "creator in Agency South"),
        f"Studio North   {write_id('Workspace', demo.studio_north)}",
        f"Agency South   {write_id('Workspace', demo.agency_south)}",
        "",
        f"{demo.creator.name} has asked Studio North for access to {NORTH.username}; nobody has answered yet.",
        "",
        f"Start the server (python -m graphql_api serve) and paste. In GraphiQL ({base}/graphiql), paste",
        "a bearer token once, and run the tabs.",
    ]
    for sample in _samples(demo):
        lines += ["", f"# {sample.answer}: {sample.story}", _curl(sample, base)]
    lines += [
        "",
        "# AccountLimitReached: start the server with MAX_ACCOUNTS_PER_HOLDER=1, and paste the first one again",
        "# with another instagramUserId.",
    ]
    return "\n".join(lines)


def _samples(demo: Demo) -> Sequence[Sample]:
    new, wrong = Account("17841400000000050", "cleo.sketches"), Account("cleo", "cleo..paints")
    return (
        Sample("CONNECTED", "a creator connects an account that nobody holds", demo.creator, [new]),
        Sample("RECONNECTED", "and one again that her Personal holds", demo.creator, [OF_CREATOR]),
        Sample(
            "HeldByWorkspace",
            "an admin claims for her Personal what Studio North holds",
            demo.admin,
            [NORTH],
        ),
        Sample("HeldByWorkspace", "a creator does, and is told whom to ask", demo.creator, [NORTH]),
        Sample(
            "HeldByPersonal",
            "an admin claims for Studio North what her Personal holds",
            demo.admin,
            [OF_ADMIN],
            demo.studio_north,
        ),
        Sample("HeldElsewhere", "Agency South's, claimed by who is not in it", demo.creator, [SOUTH]),
        Sample("InvalidInput", "every mistake at once, each with its path", demo.creator, [wrong]),
    )


def _person(person: Person, who: str) -> Sequence[str]:
    return (
        f"{person.name}, {who}",
        f"  e-mail         {person.email}",
        f"  password       {person.password.reveal()}",
        f"  bearer token   {person.bearer_token.reveal()}",
        "",
    )


def _curl(sample: Sample, base: str) -> str:
    value: dict[str, object] = {
        "facebookAccount": {
            "facebookUserId": "10220000000000002",
            "accessToken": "made-up-facebook-access-token",
        },
        "instagramAccounts": [
            {
                "instagramUserId": account.instagram_user_id,
                "username": account.username,
                "profilePictureUrl": "",
                "accessToken": "made-up-instagram-access-token",
            }
            for account in sample.accounts
        ],
    }
    if sample.workspace_id is not None:
        value["workspaceId"] = write_id("Workspace", sample.workspace_id)
    # Within single quotes nothing is special to a shell, and no value here holds one.
    body = json.dumps({"query": _QUERY, "variables": {"input": value}})
    return (
        f"curl -sS {base}/graphql -H 'Content-Type: application/json' "
        f"-H 'Authorization: Bearer {sample.by.bearer_token.reveal()}' -d '{body}'"
    )
