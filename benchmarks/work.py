"""The work: what each connection sends, to GraphQL servers and to the floor, and what must come back.

    W1   connectSocialAccounts, the same accounts again for each person, with a fresh idempotency key
    W1u  the same without a key
    W1r  the same without a key, refused: the last account is held elsewhere
    W1c  W1 with CONNECT_OTHERS: all but the last account are connected
    W2   the viewer with 20 accounts, their Facebook account and teams
    W3   { __typename }
    W4   a page of a workspace's events
    W5   a workspace with 20 accounts, their Facebook account and two teams each
    W6   W1u with test tokens, so that the server may ask the sandbox: `python -m benchmarks.meta` measures it

The floor answers with the same JSON as a GraphQL server, so one check serves all. `operations` has the texts
of the operations; the answers that they must get are here.
"""

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson

from benchmarks import population
from benchmarks.operations import CONNECT, EVENTS, PAGE, TYPENAME, VIEWER, WORKSPACE, WORKSPACE_EVENTS
from benchmarks.population import TEAM_NAMES, Person

FRESH_KEY = "00000000-0000-0000-0000-000000000000"
"""Stands in a request for an idempotency key: the load puts a new one of the same length in its place."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request in both forms."""

    operation: str
    variables: Mapping[str, Any]
    floor_path: str
    floor_body: Mapping[str, Any]
    bearer_token: str | None

    def to_bytes(self, dialect: str, host: str) -> bytes:
        """The whole HTTP/1.1 request."""
        if dialect == "graphql":
            path = "/graphql"
            document: Mapping[str, Any] = {"query": self.operation, "variables": self.variables}
        else:
            path, document = self.floor_path, self.floor_body
        body = orjson.dumps(document)
        lines = [
            f"POST {path} HTTP/1.1",
            f"Host: {host}",
            "Accept: application/json",
            "Content-Type: application/json",
            f"Content-Length: {len(body)}",
        ]
        if self.bearer_token is not None:
            lines.append(f"Authorization: Bearer {self.bearer_token}")
        return "\r\n".join([*lines, "", ""]).encode() + body


class Check:
    """Whether the answers to one connection's request are right."""

    def __init__(self, expected: Any) -> None:
        self._expected = expected
        self._seen: bytes | None = None

    def problem(self, body: bytes) -> str | None:
        """What is wrong with a body. What was found right once is then compared byte for byte."""
        if body == self._seen:
            return None
        answer = orjson.loads(body)
        if answer != {"data": self._expected}:
            return _difference(answer)
        self._seen = body
        return None


class ConnectCheck(Check):
    """For what is connected: `updatedAt` moves on with every answer, everything else stays."""

    def __init__(self, expected: Any) -> None:
        super().__init__(expected)
        self._updated_at = ""

    def problem(self, body: bytes) -> str | None:
        """What is wrong with a body."""
        answer = orjson.loads(body)
        try:
            accounts = answer["data"]["connectSocialAccounts"]["connected"]
            moments = {account["socialAccount"].pop("updatedAt") for account in accounts}
        except (KeyError, TypeError):
            return _difference(answer)
        if answer != {"data": self._expected} or len(moments) != 1:
            return _difference(answer)
        (moment,) = moments
        if not self._updated_at <= moment:
            return f"updatedAt went back from {self._updated_at} to {moment}"
        self._updated_at = moment
        return None


def _difference(answer: Any) -> str:
    return f"unexpected answer: {json.dumps(answer)[:2000]}"


@dataclass(frozen=True, slots=True)
class Work:
    """One kind of request."""

    name: str
    title: str
    request: Callable[[Person, int], Request]
    expected: Callable[[Person, int], Any]
    connects: Callable[[int], int] | None = None
    """How many accounts one call connects, by how many it names; None if it connects nothing."""

    def check(self, person: Person, size: int) -> Check:
        """How the answers for a person are checked; `size` is the number of accounts to connect."""
        kind = Check if self.connects is None else ConnectCheck
        return kind(self.expected(person, size))

    def events(self, size: int) -> int:
        """How many events each answer leaves behind: one for each account, one for the Facebook account."""
        return 0 if self.connects is None else self.connects(size) + 1


def _connect(person: Person, numbers: Sequence[int], **more: str) -> Request:
    command = {
        "facebookAccount": {
            "facebookUserId": person.facebook_user_id,
            "accessToken": population.FACEBOOK_ACCESS_TOKEN,
            "location": "progressMeter",
        },
        "instagramAccounts": [
            {
                "instagramUserId": population.instagram_user_id(number),
                "username": population.username(number),
                "profilePictureUrl": population.picture_url(number),
                "accessToken": population.ACCESS_TOKEN,
            }
            for number in numbers
        ],
        # graphql-jit does not fill in the defaults of input fields.
        "facebookPages": [],
        "onConflict": "REJECT_ALL",
        "allowMove": False,
        **more,
    }
    return Request(CONNECT, {"input": command}, "/connect", command, person.bearer_token)


def _keyed(person: Person, size: int) -> Request:
    return _connect(person, person.account_numbers[:size], idempotencyKey=FRESH_KEY)


def _unkeyed(person: Person, size: int) -> Request:
    return _connect(person, person.account_numbers[:size])


def _proven(person: Person, size: int) -> Request:
    request = _unkeyed(person, size)
    command = dict(request.variables["input"])
    accounts = command["instagramAccounts"]
    ids = ",".join(account["instagramUserId"] for account in accounts)
    token = f"TEST-any:fb={person.facebook_user_id};ig={ids}"
    command["facebookAccount"] = {**command["facebookAccount"], "accessToken": token}
    command["instagramAccounts"] = [{**account, "accessToken": token} for account in accounts]
    return replace(request, variables={"input": command}, floor_body=command)


def _conflicting(person: Person, size: int) -> Request:
    return _connect(person, _with_one_elsewhere(person, size))


def _others(person: Person, size: int) -> Request:
    numbers = _with_one_elsewhere(person, size)
    return _connect(person, numbers, onConflict="CONNECT_OTHERS", idempotencyKey=FRESH_KEY)


def _with_one_elsewhere(person: Person, size: int) -> Sequence[int]:
    return [*person.account_numbers[: size - 1], person.account_elsewhere]


def _refused(person: Person, size: int) -> Any:
    return {
        "connectSocialAccounts": {
            "__typename": "ConnectSocialAccountsFailure",
            "message": "Could not save the entity.",
            "errors": [_held_elsewhere(person, size - 1)],
        }
    }


def _others_connected(person: Person, size: int) -> Any:
    answer = _connected(person, size - 1)
    answer["connectSocialAccounts"]["notConnected"] = [_held_elsewhere(person, size - 1)]
    return answer


def _held_elsewhere(person: Person, index: int) -> Any:
    number = person.account_elsewhere
    return {
        "__typename": "HeldElsewhere",
        "path": ["input", "instagramAccounts", str(index), "instagramUserId"],
        "message": f"Instagram account {population.username(number)} not connected. "
        "This social account is already connected elsewhere",
        "platform": "INSTAGRAM",
        "externalId": population.instagram_user_id(number),
        "resolutions": [],
    }


def _connected(person: Person, size: int) -> Any:
    return {
        "connectSocialAccounts": {
            "__typename": "ConnectSocialAccountsSuccess",
            "facebookAccount": {
                "id": _global_id("FacebookAccount", person.facebook_account_id),
                "facebookUserId": person.facebook_user_id,
                "location": "progressMeter",
            },
            "connected": [
                {"outcome": "RECONNECTED", "socialAccount": _account(number)}
                for number in person.account_numbers[:size]
            ],
            "notConnected": [],
        }
    }


def _viewer(person: Person, _size: int) -> Request:
    return Request(VIEWER, {}, "/viewer", {"first": PAGE}, person.bearer_token)


def _viewed(person: Person, _size: int) -> Any:
    return {
        "viewer": {
            "user": {
                "id": _global_id("User", person.id),
                "name": population.name_of(person),
                "email": population.email_of(person),
            },
            "socialAccounts": _page(person, person.account_numbers, []),
        }
    }


def _workspace(person: Person, _size: int) -> Request:
    return Request(
        WORKSPACE,
        {"id": _global_id("Workspace", person.workspace_id)},
        "/workspace",
        {"id": str(person.workspace_id), "first": PAGE},
        person.bearer_token,
    )


def _workspace_viewed(person: Person, _size: int) -> Any:
    teams = [
        {"id": _global_id("Team", team_id), "name": name}
        for team_id, name in zip(person.team_ids, TEAM_NAMES, strict=True)
    ]
    return {
        "node": {
            "id": _global_id("Workspace", person.workspace_id),
            "name": "Agency",
            "viewerRole": "ADMIN",
            "socialAccounts": _page(person, person.workspace_account_numbers, teams),
        }
    }


def _page(person: Person, numbers: range, teams: list[Any]) -> Any:
    facebook_account = {
        "id": _global_id("FacebookAccount", person.facebook_account_id),
        "facebookUserId": person.facebook_user_id,
    }
    shown = numbers[:PAGE]
    return {
        "nodes": [
            {**_account(number), "facebookAccount": facebook_account, "connectedTeams": teams}
            for number in shown
        ],
        "pageInfo": {"hasNextPage": len(numbers) > PAGE, "endCursor": _cursor(shown[-1])},
    }


def _account(number: int) -> dict[str, Any]:
    return {
        "id": _global_id("InstagramAccount", population.made_id("hold", number)),
        "externalId": population.instagram_user_id(number),
        "displayName": population.username(number),
        "nickname": None,
        "profilePictureUrl": population.picture_url(number),
        "createdAt": _moment(population.connected_at(number)),
    }


def _cursor(number: int) -> str:
    parts = [population.connected_at(number).isoformat(), str(population.made_id("hold", number))]
    return base64.urlsafe_b64encode(orjson.dumps(parts)).decode().rstrip("=")


def _moment(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _global_id(kind: str, key: UUID) -> str:
    return base64.b64encode(f"{kind}:{key}".encode()).decode()


def _typename(_person: Person, _size: int) -> Request:
    return Request(TYPENAME, {}, "/typename", {}, None)


def _events(person: Person, _size: int) -> Request:
    return Request(
        WORKSPACE_EVENTS,
        {"id": _global_id("Workspace", person.workspace_id)},
        "/events",
        {"id": str(person.workspace_id), "first": EVENTS},
        person.bearer_token,
    )


def _events_viewed(person: Person, _size: int) -> Any:
    return {
        "node": {
            "id": _global_id("Workspace", person.workspace_id),
            "events": {
                "nodes": [
                    {
                        "id": _global_id("Event", population.event_id(person, seq)),
                        "kind": "SOCIAL_ACCOUNT_RECONNECTED",
                        "occurredAt": _moment(population.BEGINNING + timedelta(seconds=seq)),
                        "socialAccountId": _global_id(
                            "InstagramAccount",
                            population.made_id("hold", population.event_subject(person, seq)),
                        ),
                    }
                    for seq in range(1, EVENTS + 1)
                ]
            },
        }
    }


WORKS: Mapping[str, Work] = {
    work.name: work
    for work in (
        Work(
            "W1",
            "`connectSocialAccounts`, reconnecting, with a fresh idempotency key in each call",
            _keyed,
            _connected,
            connects=lambda size: size,
        ),
        Work("W1u", "W1 without a key", _unkeyed, _connected, connects=lambda size: size),
        Work("W1r", "W1u, refused: the last account is held elsewhere", _conflicting, _refused),
        Work(
            "W1c",
            "W1 with `onConflict: CONNECT_OTHERS`; the last account is held elsewhere",
            _others,
            _others_connected,
            connects=lambda size: size - 1,
        ),
        Work("W2", "the viewer with 20 accounts, their Facebook account and teams", _viewer, _viewed),
        Work("W3", "`{ __typename }`", _typename, lambda _person, _size: {"__typename": "Query"}),
        Work("W4", f"a page of {EVENTS} events of a workspace", _events, _events_viewed),
        Work(
            "W5",
            "a workspace with 20 accounts, their Facebook account and two teams each",
            _workspace,
            _workspace_viewed,
        ),
        Work("W6", "W1u with test tokens", _proven, _connected, connects=lambda size: size),
    )
}
