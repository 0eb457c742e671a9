# ruff: noqa: ARG002, D101, D102, D103 - a schema to measure with needs no descriptions
"""Compiled operations against graphql-core's `execute`, without HTTP or a database.

    python -m benchmarks.executor

Prints microseconds for one operation: the least and the median of several rounds, both executors in turn.
"""

import argparse
import asyncio
import json
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import strawberry
from graphql import DocumentNode, ExecutionResult, OperationDefinitionNode, execute, parse, validate
from strawberry import ID, UNSET, Info
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from graphql_api.execution.compiled import compile_operation


@strawberry.interface
class Node:
    id: ID


@strawberry.type
class FacebookAccount(Node):
    facebook_user_id: str


@strawberry.type
class Team(Node):
    name: str


@strawberry.interface
class SocialAccount(Node):
    display_name: str
    profile_picture_url: str | None
    nickname: str | None
    facebook_account: FacebookAccount | None
    connected_teams: list[Team]


@strawberry.type
class InstagramAccount(SocialAccount):
    username: str


@strawberry.type
class Edge:
    cursor: str
    node: SocialAccount


@strawberry.type
class PageInfo:
    has_next_page: bool
    end_cursor: str | None


@strawberry.type
class Connection:
    edges: list[Edge]
    page_info: PageInfo


def account(number: int) -> InstagramAccount:
    return InstagramAccount(
        id=ID(f"account-{number}"),
        display_name=f"user_{number}",
        username=f"user_{number}",
        profile_picture_url="https://example.com/p.png",
        nickname=None,
        facebook_account=FacebookAccount(id=ID("facebook-1"), facebook_user_id="17841400000000000"),
        connected_teams=[Team(id=ID(f"team-{team}"), name=f"Team {team}") for team in range(2)],
    )


CONNECTION = Connection(
    edges=[Edge(cursor=f"c{number}", node=account(number)) for number in range(20)],
    page_info=PageInfo(has_next_page=True, end_cursor="c19"),
)


@strawberry.type
class Viewer(Node):
    name: str

    @strawberry.field
    async def social_accounts(self, info: Info, first: int = 20, after: str | None = None) -> Connection:
        return CONNECTION


@strawberry.type
class Query:
    @strawberry.field
    async def viewer(self, info: Info) -> Viewer | None:
        return Viewer(id=ID("viewer"), name="Ada")


@strawberry.input
class FacebookAccountInput:
    facebook_user_id: str
    access_token: str
    location: str | None = None


@strawberry.input
class InstagramAccountInput:
    instagram_user_id: str
    username: str
    profile_picture_url: str
    access_token: str


@strawberry.input
class ConnectInput:
    facebook_account: FacebookAccountInput
    instagram_accounts: list[InstagramAccountInput] = strawberry.field(default_factory=list)
    workspace_id: ID | None = UNSET
    idempotency_key: str | None = None


@strawberry.type
class Connected:
    outcome: str
    social_account: SocialAccount


@strawberry.type
class Success:
    connected: list[Connected]


@strawberry.type
class Failure:
    message: str


CONNECTED = [Connected(outcome="CONNECTED", social_account=account(number)) for number in range(100)]


@strawberry.type
class Mutation:
    @strawberry.mutation
    async def connect(self, info: Info, input: ConnectInput) -> Success | Failure:  # noqa: A002
        return Success(connected=CONNECTED[: len(input.instagram_accounts)])


schema = strawberry.Schema(query=Query, mutation=Mutation, types=[InstagramAccount])._schema  # noqa: SLF001

VIEWER = """query ($first: Int!) { viewer { id name socialAccounts(first: $first) {
  edges { cursor node { id displayName profilePictureUrl nickname facebookAccount { id facebookUserId }
    connectedTeams { id name } } }
  pageInfo { hasNextPage endCursor } } } }"""
CONNECT = """mutation ($input: ConnectInput!) { connect(input: $input) { __typename
  ... on Success { connected { outcome socialAccount { id displayName } } }
  ... on Failure { message } } }"""
INPUT_ONLY = "mutation ($input: ConnectInput!) { connect(input: $input) { __typename } }"


def connect_input(count: int) -> dict[str, Any]:
    accounts = [
        {
            "instagramUserId": f"1784140000000{number:04}",
            "username": f"user_{number}",
            "profilePictureUrl": "https://example.com/p.png",
            "accessToken": "EAAB" + "x" * 180,
        }
        for number in range(count)
    ]
    facebook = {
        "facebookUserId": "1234567890",
        "accessToken": "EAAB" + "x" * 180,
        "location": "progressMeter",
    }
    return {"input": {"facebookAccount": facebook, "instagramAccounts": accounts}}


WORK: list[tuple[str, str, dict[str, Any]]] = [
    ("W1, 3 accounts", CONNECT, connect_input(3)),
    ("W1, 3 accounts, input only", INPUT_ONLY, connect_input(3)),
    ("W1, 100 accounts", CONNECT, connect_input(100)),
    ("W1, 100 accounts, input only", INPUT_ONLY, connect_input(100)),
    ("W2, 20 accounts", VIEWER, {"first": 20}),
    ("W3, __typename", "{ __typename }", {}),
]


async def microseconds(run: Callable[[], Any], seconds: float) -> float:
    """Time one round, with as many runs as fit in."""
    begun = time.perf_counter()
    runs = 0
    while (spent := time.perf_counter() - begun) < seconds:
        for _ in range(10):
            result = run()
            if not isinstance(result, ExecutionResult):
                await result
        runs += 10
    return spent / runs * 1e6


async def answer(run: Callable[[], Any]) -> str:
    result = run()
    if not isinstance(result, ExecutionResult):
        result = await result
    return json.dumps(result.formatted)


async def measure(
    text: str, variables: dict[str, Any], rounds: int
) -> tuple[list[float], list[float], float]:
    """Time both executors in turn, and the compilation, in microseconds."""
    document: DocumentNode = parse(text)
    if errors := validate(schema, document):
        raise errors[0]
    operation = document.definitions[0]
    if not isinstance(operation, OperationDefinitionNode):
        raise TypeError("The first definition is no operation")
    begun = time.perf_counter()
    compiled = compile_operation(schema, document, operation)
    compilation = (time.perf_counter() - begun) * 1e6
    if compiled is None:
        raise ValueError("Not covered")

    def ours() -> Any:
        return compiled.begin(None, {}, variables)

    def theirs() -> Any:
        return execute(
            schema, document, None, {}, variables, executor_class=StrawberryGraphQLCoreExecutionContext
        )

    if await answer(ours) != await answer(theirs):
        raise ValueError("The answers differ")
    fast, slow = [], []
    for _ in range(rounds):
        fast.append(await microseconds(ours, 0.15))
        slow.append(await microseconds(theirs, 0.15))
    return fast, slow, compilation


def main() -> None:
    """Measure all the work and print a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    out = sys.stdout
    out.write(
        f"{'us an operation, least / median':32} {'compiled':>18} {'graphql-core':>18}"
        f" {'ratio':>6} {'compile':>8}\n"
    )
    for name, text, variables in WORK:
        fast, slow, compilation = asyncio.run(measure(text, variables, rounds))
        ours = f"{min(fast):.1f} / {statistics.median(fast):.1f}"
        theirs = f"{min(slow):.1f} / {statistics.median(slow):.1f}"
        out.write(f"{name:32} {ours:>18} {theirs:>18} {min(slow) / min(fast):>6.1f} {compilation:>8.0f}\n")


if __name__ == "__main__":
    main()
