"""The database behind the API, looked at and changed without any code of the server."""

import asyncio
import base64
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import asyncpg

from tests.api import Person

TABLES = (
    "users",
    "api_tokens",
    "workspaces",
    "memberships",
    "invitations",
    "facebook_accounts",
    "social_accounts",
    "teams",
    "team_members",
    "shares",
    "access_requests",
    "access_request_teams",
    "events",
)
Rows = list[dict[str, Any]]


@dataclass
class Database:
    """A database by a connection of the driver's own."""

    url: str

    async def rows(self, sql: str) -> Rows:
        """Run a statement; what it returns."""
        if self.url.startswith("sqlite"):
            # In a thread: the server in this process may hold the lock that is waited for.
            return await asyncio.to_thread(self._rows_of_sqlite, sql)
        connection = await asyncpg.connect(self.url)
        try:
            return [dict(row) for row in await connection.fetch(sql)]
        finally:
            await connection.close()

    def _rows_of_sqlite(self, sql: str) -> Rows:
        with closing(sqlite3.connect(self.url.removeprefix("sqlite:///"))) as connection:
            connection.row_factory = sqlite3.Row
            found = [dict(row) for row in connection.execute(sql).fetchall()]
            connection.commit()
        return found

    async def everything(self) -> dict[str, Rows]:
        """Every row of every table, to compare before and after."""
        return {
            table: sorted(await self.rows(f"SELECT * FROM {table}"), key=lambda row: str(list(row.values())))
            for table in TABLES
        }

    async def insert(self, table: str, **values: object) -> None:
        """Write a row that the API cannot write yet."""
        written = ", ".join(self.literal(value) for value in values.values())
        await self.rows(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({written})")

    def literal(self, value: object) -> str:
        """A value as it stands in a statement."""
        if isinstance(value, UUID):
            return f"'{value.hex if self.url.startswith('sqlite') else value}'"
        if isinstance(value, datetime):
            return f"'{value:%Y-%m-%d %H:%M:%S.%f}{'' if self.url.startswith('sqlite') else '+00'}'"
        return f"'{value}'"


def key_of(global_id: str) -> UUID:
    """The UUID in a global id."""
    return UUID(base64.b64decode(global_id).decode().partition(":")[2])


async def share(database: Database, workspace: str, member: Person, name: str) -> None:
    """Share whatever the Workspace holds with a new team of one member."""
    team, now, place = uuid4(), datetime.now(UTC), key_of(workspace)
    await database.insert("teams", id=team, workspace_id=place, name=name, created_at=now, updated_at=now)
    await database.insert(
        "team_members", team_id=team, user_id=key_of(member.id), workspace_id=place, created_at=now
    )
    await database.rows(
        f"INSERT INTO shares (team_id, social_account_id, created_at) SELECT {database.literal(team)}, id, "
        f"{database.literal(now)} FROM social_accounts WHERE holder_workspace_id = {database.literal(place)}"
    )


async def make_team(database: Database, workspace: str, name: str) -> str:
    """A new team of a Workspace, without members; its global id."""
    team, now = uuid4(), datetime.now(UTC)
    await database.insert(
        "teams", id=team, workspace_id=key_of(workspace), name=name, created_at=now, updated_at=now
    )
    return base64.b64encode(f"Team:{team}".encode()).decode()
