"""Random calls of connecting, to servers that must agree on the answer and on what is written."""

import difflib
import json
import pprint
import random
import sqlite3
from collections.abc import Collection, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import asyncpg

from graphql_api.storage.sqlite import sqlite_path
from tests import operations
from tests.api import Api, Person, facebook_account, facebook_page, instagram_account

IDS = [str(number) for number in range(1, 6)]

HOLDINGS = """
SELECT platform, external_id, holders.email, workspaces.name, hold_id IS NOT NULL AS held, social_accounts.display_name,
  display_name_key, profile_picture_url, facebook_user_id, connecting.email,
  social_accounts.access_token IS NOT NULL AS sealed, social_accounts.created_at IS NOT NULL AS since
FROM social_accounts
LEFT JOIN users AS holders ON holders.id = holder_user_id
LEFT JOIN workspaces ON workspaces.id = holder_workspace_id
LEFT JOIN users AS connecting ON connecting.id = connected_by_id
LEFT JOIN facebook_accounts ON facebook_accounts.id = facebook_account_id
ORDER BY platform, external_id
"""
LOGINS = """
SELECT email, facebook_user_id, location, facebook_accounts.created_at < facebook_accounts.updated_at AS again
FROM facebook_accounts JOIN users ON users.id = user_id ORDER BY email, facebook_user_id
"""
EVENTS = """
SELECT users.email, workspaces.name, seq, kind, actors.email, coalesce(external_id, facebook_user_id), actor_name,
  subject_name, events.platform, details
FROM events
LEFT JOIN users ON users.id = events.user_id
LEFT JOIN workspaces ON workspaces.id = events.workspace_id
LEFT JOIN users AS actors ON actors.id = actor_id
LEFT JOIN social_accounts ON hold_id = subject_id
LEFT JOIN facebook_accounts ON facebook_accounts.id = subject_id
ORDER BY users.email, workspaces.name, seq
"""
PLACES = """
SELECT email, held_count, event_seq, created_at < updated_at AS changed FROM users
UNION ALL SELECT name, held_count, event_seq, created_at < updated_at FROM workspaces ORDER BY 1
"""


@dataclass
class Server:
    """A server in this process, with a database of its own."""

    api: Api
    url: str

    async def ask(self, sql: str, *arguments: object) -> list[tuple[Any, ...]]:
        if self.url.startswith("sqlite"):
            with closing(sqlite3.connect(sqlite_path(self.url))) as connection:
                return connection.execute(sql, arguments).fetchall()
        connection = await asyncpg.connect(self.url)
        try:
            return [tuple(row) for row in await connection.fetch(sql, *arguments)]
        finally:
            await connection.close()

    async def written(self) -> list[list[tuple[object, ...]]]:
        """What the calls wrote, without the ids that differ from one database to the other."""
        holdings, logins, places = [await self.ask(sql) for sql in (HOLDINGS, LOGINS, PLACES)]
        events = [
            # Of the places that details name, what they are.
            (*event, {name: value.partition(":")[0] for name, value in json.loads(details).items()})
            for *event, details in await self.ask(EVENTS)
        ]
        return [holdings, logins, places, events]


@dataclass
class Scene:
    """Ada is an admin of One, where Bob is a creator; Two is Bob's, and Ada is no member."""

    server: Server
    people: list[Person]
    workspaces: list[str]


async def make_scene(server: Server) -> Scene:
    ada, bob = [await server.api.register(name, email=f"{name}@example.com") for name in ("ada", "bob")]
    one, two = await ada.create_workspace("One"), await bob.create_workspace("Two")
    await ada.bring_in(bob, one)
    return Scene(server, [ada, bob], [one, two])


async def connect(
    person: Person,
    ids: Collection[str],
    *,
    pages: Collection[str] = (),
    workspace: str | None = None,
    login: str = "1",
    **others: Any,
) -> Any:
    canaries = person.api.canaries
    return await person.mutate(
        operations.CONNECT,
        facebookAccount=facebook_account(canaries, login),
        instagramAccounts=[instagram_account(canaries, one, username=f"User.{one}") for one in ids],
        facebookPages=[facebook_page(canaries, one, name=f"Ümlaut {one}") for one in pages],
        workspaceId=workspace,
        **others,
    )


async def compare(scenes: Sequence[Scene], calls: random.Random) -> str:
    """Make one random call to all of these servers: they answer and have written the same. How it ended."""
    who, where = calls.randrange(2), calls.choice([None, 0, 1])
    ids, pages = [calls.sample(IDS, calls.randrange(3)) for _ in range(2)]
    asked: dict[str, Any] = {
        "login": str(calls.randrange(1, 3)),
        "onConflict": calls.choice(["REJECT_ALL", "CONNECT_OTHERS"]),
        "allowMove": calls.random() < 0.6,
    }
    gives_up = calls.random() < 0.5
    outcomes = []
    for scene in scenes:
        person, workspace = scene.people[who], None if where is None else scene.workspaces[where]
        if gives_up:
            await disconnect_one(person, workspace)
        answer = await connect(person, ids, pages=pages, workspace=workspace, **asked)
        outcomes.append((without_ids(answer), await scene.server.written()))
    first, *others = outcomes
    for other in others:
        assert other == first, "\n".join([str((who, where, ids, pages, asked)), *_difference(first, other)])
    answer, _ = first
    if answer["__typename"].endswith("Failure"):
        return "refused"
    if any(one["outcome"] == "MOVED" for one in answer["connected"]):
        return "moved"
    return "connected others" if answer["notConnected"] else "connected"


async def disconnect_one(person: Person, workspace: str | None) -> None:
    if workspace is None:
        place = (await person.execute(operations.PERSONAL))["viewer"]
    else:
        place = (await person.execute(operations.WORKSPACE, {"id": workspace}))["node"]
    nodes = place["socialAccounts"]["nodes"] if place else []
    ids = [node["id"] for node in sorted(nodes, key=lambda node: (node["platform"], int(node["externalId"])))]
    await person.mutate(operations.DISCONNECT, socialAccountIds=ids[:1])


def without_ids(answer: Any) -> Any:
    """An answer without what differs from one database to the other."""
    if isinstance(answer, dict):
        ignored = {"id", "createdAt", "updatedAt"}
        return {name: without_ids(value) for name, value in answer.items() if name not in ignored}
    return [without_ids(item) for item in answer] if isinstance(answer, list) else answer


def _difference(first: object, other: object) -> Iterator[str]:
    one, another = [pprint.pformat(outcome, width=150).splitlines() for outcome in (first, other)]
    return difflib.unified_diff(one, another, lineterm="", n=0)
