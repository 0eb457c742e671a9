"""A Workspace with very many social accounts, filled by SQL, and the lists that are read from it."""

from dataclasses import dataclass
from typing import Any

import asyncpg

from graphql_api.services.calls.pages import write_cursor
from tests.api import Api, Person
from tests.database import key_of

LISTS = {
    "connected": {"orderBy": {"field": "CONNECTED_AT"}},
    "connected, newest first": {"orderBy": {"field": "CONNECTED_AT", "direction": "DESC"}},
    "display name": {"orderBy": {"field": "DISPLAY_NAME"}},
    "display name, Z to A": {"orderBy": {"field": "DISPLAY_NAME", "direction": "DESC"}},
}

PAGE = """
query Page(
  $id: ID!, $orderBy: SocialAccountOrder, $search: String, $teamId: ID,
  $first: Int, $after: String, $last: Int, $before: String
) {
  node(id: $id) {
    ... on Workspace {
      socialAccounts(
        orderBy: $orderBy, search: $search, teamId: $teamId,
        first: $first, after: $after, last: $last, before: $before
      ) {
        nodes { externalId displayName nickname }
        edges { cursor }
        pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
      }
    }
  }
}
"""

_FILL = """
INSERT INTO social_accounts (id, platform, external_id, hold_id, holder_workspace_id, display_name, display_name_key,
  nickname, access_token, created_at, updated_at)
SELECT gen_random_uuid(), 'INSTAGRAM', (1000000 + n)::text, gen_random_uuid(), $1, 'Name_' || mixed, 'name_' || mixed,
  CASE WHEN n % 1000 = 0 THEN 'Ärzte ' || n END, 'sealed', at, at
FROM (SELECT n, lpad(((n * 7919) % 1000003)::text, 7, '0') AS mixed, now() - interval '1 day' + n * interval '1 second' AS at
      FROM generate_series(1, $2::int) AS n) AS numbered
"""
_HAPPEN = """
INSERT INTO events (id, workspace_id, seq, kind, subject_id, platform, request_id, details, created_at)
SELECT gen_random_uuid(), $1, 100 + row_number() OVER (), 'SOCIAL_ACCOUNT_CONNECTED', hold_id, 'INSTAGRAM', 'filled',
  '{}', created_at
FROM social_accounts WHERE holder_workspace_id = $1 ORDER BY created_at
"""
_SHARE = """
INSERT INTO shares (team_id, social_account_id, created_at)
SELECT $1, id, now() FROM social_accounts WHERE holder_workspace_id = $2 AND external_id::int % $3 = 0
"""


@dataclass(frozen=True)
class Crowd:
    """A Workspace, and who lists its accounts: an admin, a creator who sees half of them, one who sees few."""

    id: str
    people: dict[str, Person]


async def gather(api: Api, url: str, accounts: int) -> Crowd:
    """Fill a Workspace on PostgreSQL; one in two accounts is shared with one team, one in 1000 with another."""
    people = {
        "admin": await api.register("ada"),
        "creator, half": await api.register("bob"),
        "creator, few": await api.register("cyd"),
    }
    admin, *creators = people.values()
    workspace = await admin.create_workspace()
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(_FILL, key_of(workspace), accounts)
        for person, every in zip(creators, (2, 1000), strict=True):
            await admin.bring_in(person, workspace)
            await _share(connection, person, workspace, every)
        await connection.execute(_HAPPEN, key_of(workspace))
        await connection.execute("UPDATE workspaces SET held_count = $1, event_seq = 100 + $1", accounts)
        await connection.execute("VACUUM ANALYZE")
    finally:
        await connection.close()
    return Crowd(workspace, people)


async def _share(connection: Any, person: Person, workspace: str, every: int) -> None:
    team = await connection.fetchval(
        "INSERT INTO teams (id, workspace_id, name, created_at, updated_at) "
        "VALUES (gen_random_uuid(), $1, $2, now(), now()) RETURNING id",
        key_of(workspace),
        f"one in {every}",
    )
    await connection.execute(
        "INSERT INTO team_members (team_id, user_id, workspace_id, created_at) VALUES ($1, $2, $3, now())",
        team,
        key_of(person.id),
        key_of(workspace),
    )
    await connection.execute(_SHARE, team, key_of(workspace), every)


async def read(person: Person, workspace: str, **arguments: Any) -> Any:
    """A page of the Workspace's list."""
    return (await person.execute(PAGE, {"id": workspace, **arguments}))["node"]["socialAccounts"]


EVENTS = """
query Events($id: ID!, $first: Int, $last: Int, $socialAccountId: ID, $since: DateTime, $until: DateTime) {
  node(id: $id) {
    ... on Workspace {
      events(first: $first, last: $last, socialAccountId: $socialAccountId, since: $since, until: $until) {
        nodes { socialAccountId occurredAt }
      }
    }
  }
}
"""


async def happened(person: Person, workspace: str, **arguments: Any) -> Any:
    """A page of the Workspace's history."""
    return (await person.execute(EVENTS, {"id": workspace, **arguments}))["node"]["events"]["nodes"]


async def deep_cursor(url: str, workspace: str, order: dict[str, str]) -> str:
    """A cursor in the middle of the whole list."""
    column = "display_name_key" if order["field"] == "DISPLAY_NAME" else "created_at"
    connection = await asyncpg.connect(url)
    try:
        key = await connection.fetchrow(
            f"SELECT {column}, hold_id FROM social_accounts WHERE holder_workspace_id = $1 "
            f"ORDER BY {column}, hold_id OFFSET (SELECT held_count / 2 FROM workspaces WHERE id = $1) LIMIT 1",
            key_of(workspace),
        )
    finally:
        await connection.close()
    return write_cursor(tuple(key))
