"""What `python -m graphql_api demo` prints: who there is now, and operations to paste into a shell."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from graphql_api.domain.platforms import Platform
from graphql_api.schema.demo_operations import (
    ASK,
    CHECK,
    CONNECT,
    EVENTS,
    FOLLOW,
    FORGOT,
    GRANT,
    INBOX,
    INVITE,
    MOVE,
    OUTCOME,
    RENAME,
    SEARCH,
    SHARE,
)
from graphql_api.schema.ids import write_id
from graphql_api.services.upkeep.demo import (
    FACEBOOK_USER_ID,
    NORTH,
    OF_ADMIN,
    OF_CREATOR,
    SOUTH,
    Account,
    Demo,
    Person,
    test_token,
)

EVENT_STREAM = "text/event-stream"


@dataclass(frozen=True, slots=True)
class Sample:
    """One operation, by whom, and what its answer holds."""

    answer: str
    story: str
    by: Person | None
    query: str
    variables: Mapping[str, object]
    accept: str = ""


def page(demo: Demo, base: str) -> str:
    """Everything that the command prints; `base` is the server's address."""
    lines = [
        "The database is filled. These people are made up:",
        "",
        *_person(demo.admin, "admin of Studio North and of Agency South"),
        *_person(demo.creator, "creator in Studio North, where her team Films sees studio.north.films"),
        *_person(demo.other_creator, "creator in Agency South"),
        f"Studio North   {write_id('Workspace', demo.studio_north)}",
        f"Agency South   {write_id('Workspace', demo.agency_south)}",
        "",
        f"{demo.creator.name} has asked Studio North for access to {NORTH.display_name}; nobody has answered yet.",
        "",
        "Start the server (python -m graphql_api serve), and paste in this order: later operations build on",
        "earlier ones. The words before the colon are in the answer. Or open GraphiQL, which is logged in:",
        f"{base}/graphiql",
    ]
    for title, samples in _flows(demo).items():
        lines += ["", f"## {title}"]
        for sample in samples:
            lines += ["", f"# {sample.answer}: {sample.story}", _curl(sample, base)]
    lines += [
        "",
        "# AccountLimitReached: start the server with MAX_ACCOUNTS_PER_HOLDER=1, and paste the first one again",
        "# with another instagramUserId.",
    ]
    return "\n".join(lines)


def _flows(demo: Demo) -> Mapping[str, Sequence[Sample]]:
    return {
        "Connecting": _connecting(demo),
        "Checking, and asking for access": _asking(demo),
        "Moving, retrying, sharing, renaming, searching": _settling(demo),
        "People and mail": _people(demo),
        "What happened, and what happens": _looking_back(demo),
    }


def _connecting(demo: Demo) -> Sequence[Sample]:
    admin, creator = demo.admin, demo.creator
    new, wrong = Account("cleo.sketches", "17841400000000050"), Account("cleo..paints", "cleo")
    page = Account("Cleo Paints", "102200000000050", Platform.FACEBOOK_PAGE)
    return (
        _connect("CONNECTED", "a creator connects an account that nobody holds", creator, new),
        _connect("CONNECTED", "and a Facebook Page", creator, page),
        _connect("RECONNECTED", "and one again that her Personal holds", creator, OF_CREATOR),
        _connect("HeldByWorkspace", "an admin claims for her Personal what Studio North holds", admin, NORTH),
        _connect("HeldByWorkspace", "a creator does, and is told whom to ask", creator, NORTH),
        _connect(
            "HeldByPersonal",
            "an admin claims for Studio North what her Personal holds",
            admin,
            OF_ADMIN,
            workspace_id=demo.studio_north,
        ),
        _connect("HeldElsewhere", "Agency South's, claimed by who is not in it", creator, SOUTH),
        _connect("InvalidInput", "every mistake at once, each with its path", creator, wrong),
    )


def _asking(demo: Demo) -> Sequence[Sample]:
    admin, creator = demo.admin, demo.creator
    free = Account("cleo.prints", "17841400000000060")
    to_check = [_named(account) for account in (free, OF_CREATOR, NORTH)]
    north = write_id("Workspace", demo.studio_north)
    ask = {"workspaceId": north, "socialAccount": _named(NORTH), "message": "I paint its sets."}
    grant = {
        "accessRequestId": write_id("AccessRequest", demo.access_request),
        "teamIds": [write_id("Team", demo.films)],
    }
    return (
        Sample(
            "CONFLICT",
            "a picker asks before it connects: one AVAILABLE, one RECONNECT, one taken",
            creator,
            CHECK,
            _input(socialAccounts=to_check),
        ),
        Sample(
            "PENDING",
            "the creator asks for access; a second time gives the same request",
            creator,
            ASK,
            _input(**ask),
        ),
        Sample("PENDING", "the admin sees it, with the teams to choose from", admin, INBOX, {"id": north}),
        Sample("GRANTED", "she grants it with a team", admin, GRANT, _input(**grant)),
        Sample("GRANTED", "the creator sees what came of it, and the account", creator, OUTCOME, {}),
    )


def _settling(demo: Demo) -> Sequence[Sample]:
    admin = demo.admin
    account, north = write_id("InstagramAccount", demo.of_admin), write_id("Workspace", demo.studio_north)
    move = _input(socialAccountIds=[account], workspaceId=north, idempotencyKey="demo-move-1")
    share = _input(socialAccountIds=[account], teamIds=[write_id("Team", demo.films)])
    by_name = {"field": "DISPLAY_NAME", "direction": "ASC"}
    return (
        Sample(
            "MoveSocialAccountsSuccess",
            "what her Personal holds moves to Studio North, and keeps its id",
            admin,
            MOVE,
            move,
        ),
        Sample(
            "MoveSocialAccountsSuccess",
            "the answer got lost: the same idempotency key gives it again, and nothing happens twice",
            admin,
            MOVE,
            move,
        ),
        Sample("ShareSocialAccountsSuccess", "it is shared with the team Films", admin, SHARE, share),
        Sample(
            "RenameSocialAccountSuccess",
            "it gets a nickname, for the people here",
            admin,
            RENAME,
            _input(socialAccountId=account, nickname="North on the road"),
        ),
        Sample(
            "SocialAccountConnection",
            "a search in username and nickname, ordered; endCursor is the next page's after",
            admin,
            SEARCH,
            {"id": north, "search": "NORTH", "orderBy": by_name},
        ),
    )


def _people(demo: Demo) -> Sequence[Sample]:
    invite = {
        "workspaceId": write_id("Workspace", demo.studio_north),
        "email": "zoe@example.com",
        "role": "CREATOR",
    }
    return (
        Sample(
            "InviteToWorkspaceSuccess",
            "the code is for the user who registers with this address; an e-mail has it, too",
            demo.admin,
            INVITE,
            _input(**invite),
        ),
        Sample(
            "RequestPasswordResetSuccess",
            "mails are files under var/outbox unless you set MAIL_URL",
            None,
            FORGOT,
            _input(email=demo.creator.email),
        ),
    )


def _looking_back(demo: Demo) -> Sequence[Sample]:
    north, after = write_id("Workspace", demo.studio_north), demo.events_cursor
    return (
        Sample(
            "SOCIAL_ACCOUNT_MOVED",
            "what happened in Studio North since the demo was filled",
            demo.admin,
            EVENTS,
            {"id": north, "after": after},
        ),
        Sample(
            "SOCIAL_ACCOUNT_MOVED",
            "the same, then live until Ctrl-C: paste others in a second terminal meanwhile",
            demo.admin,
            FOLLOW,
            {"workspaceId": north, "after": after},
            accept=EVENT_STREAM,
        ),
    )


def _connect(
    answer: str, story: str, by: Person, account: Account, *, workspace_id: UUID | None = None
) -> Sample:
    into = {} if workspace_id is None else {"workspaceId": write_id("Workspace", workspace_id)}
    token = test_token(account)
    login = {"facebookUserId": FACEBOOK_USER_ID, "accessToken": token}
    claim = {"profilePictureUrl": "", "accessToken": token}
    accounts: dict[str, object]
    if account.platform is Platform.INSTAGRAM:
        named = {"instagramUserId": account.external_id, "username": account.display_name}
        accounts = {"instagramAccounts": [{**named, **claim}]}
    else:
        named = {"facebookPageId": account.external_id, "name": account.display_name}
        accounts = {"facebookPages": [{**named, **claim}]}
    return Sample(answer, story, by, CONNECT, _input(facebookAccount=login, **accounts, **into))


def _input(**value: object) -> Mapping[str, object]:
    return {"input": value}


def _named(account: Account) -> Mapping[str, str]:
    return {
        "platform": account.platform,
        "externalId": account.external_id,
        "displayName": account.display_name,
    }


def _person(person: Person, who: str) -> Sequence[str]:
    return (
        f"{person.name}, {who}",
        f"  e-mail         {person.email}",
        f"  password       {person.password.reveal()}",
        f"  bearer token   {person.bearer_token.reveal()}",
        "",
    )


def _curl(sample: Sample, base: str) -> str:
    # Within single quotes nothing is special to a shell, and no value here holds one.
    body = json.dumps({"query": sample.query, "variables": sample.variables})
    headers = ["Content-Type: application/json"]
    if sample.by is not None:
        headers.append(f"Authorization: Bearer {sample.by.bearer_token.reveal()}")
    if sample.accept:
        headers.append(f"Accept: {sample.accept}")
    sent = " ".join(f"-H '{header}'" for header in headers)
    return f"curl -sS{'N' if sample.accept else ''} {base}/graphql {sent} -d '{body}'"
