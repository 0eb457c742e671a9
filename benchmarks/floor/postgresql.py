"""The floor on PostgreSQL: asyncpg, one transaction, as few statements as the checks between them allow."""

import os
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
from starlette.exceptions import HTTPException

from benchmarks.floor import shapes
from benchmarks.floor.shapes import Json, Sealer

STATEMENTS = {
    path.stem: path.read_text(encoding="utf-8")
    for path in (Path(__file__).parent.parent / "statements").glob("*.sql")
}


class Conflicted(Exception):
    """Somebody was faster between the check and the claim."""


class Store:
    """One process's access to PostgreSQL."""

    def __init__(self, pool: asyncpg.Pool, sealer: Sealer, limit: int, look_ups: int) -> None:
        self._pool = pool
        self._sealer = sealer
        self._limit = limit
        self._look_ups = look_ups

    async def connect(self, token: bytes, command: Json) -> Json | None:
        """Connect accounts to the caller's Personal; None if the bearer token is not valid."""
        async with self._pool.acquire() as connection:
            for _ in range(5):
                try:
                    async with connection.transaction():
                        return await self._connect(connection, token, command)
                except Conflicted:
                    continue
        raise Conflicted

    async def _connect(self, connection: Any, token: bytes, command: Json) -> Json | None:
        now = datetime.now(UTC)
        accounts, facebook = command["instagramAccounts"], command["facebookAccount"]
        ids = [account["instagramUserId"] for account in accounts]
        found = await connection.fetch(STATEMENTS["lock"], token, now, ids)
        if not found:
            return None
        user_id, used = found[0]["id"], found[0]["held_count"]
        holdings = {row["external_id"]: row for row in found}
        conflicts = shapes.find_conflicts(accounts, user_id, used, holdings, self._limit)
        if conflicts:
            await self._count_look_ups(connection, user_id, now, shapes.elsewhere(conflicts))
            return shapes.failure(conflicts)
        seal, holder = self._sealer.seal, f"user:{user_id}"
        rows = await connection.fetch(
            STATEMENTS["connect"],
            user_id,
            now,
            secrets.token_hex(16),
            facebook["facebookUserId"],
            facebook["location"],
            seal(
                facebook["accessToken"], "facebook_accounts", "FACEBOOK", facebook["facebookUserId"], holder
            ),
            ids,
            [account["username"] for account in accounts],
            [account["profilePictureUrl"] or None for account in accounts],
            [
                seal(account["accessToken"], "social_accounts", "INSTAGRAM", external_id, holder)
                for external_id, account in zip(ids, accounts, strict=True)
            ],
            found[0]["name"],
        )
        if ids and (len(rows) != len(ids) or rows[0]["hold_id"] is None):
            raise Conflicted
        return shapes.connected(rows)

    async def _count_look_ups(self, connection: Any, user_id: UUID, now: datetime, amount: int) -> None:
        """Count what the answer says is held elsewhere, in the transaction that wrote nothing else."""
        if amount:
            values = (shapes.look_ups_key(user_id), amount, now, now + shapes.HOUR, self._look_ups)
            if await connection.fetchrow(STATEMENTS["count_look_ups"], *values) is None:
                raise HTTPException(429)

    async def viewer(self, token: bytes, size: int) -> Json | None:
        """The caller with a page of their Personal."""
        async with self._pool.acquire() as connection:
            user = await connection.fetchrow(STATEMENTS["authenticate"], token, datetime.now(UTC))
            if user is None:
                return None
            rows = await connection.fetch(STATEMENTS["personal_page"], user["id"], size + 1)
        return {
            "viewer": {
                "user": {
                    "id": shapes.global_id("User", user["id"]),
                    "name": user["name"],
                    "email": user["email"],
                },
                "socialAccounts": shapes.page_of(rows, size),
            }
        }

    async def workspace(self, token: bytes, workspace_id: UUID, size: int) -> Json | None:
        """A workspace of the caller's with a page of its accounts."""
        async with self._pool.acquire() as connection:
            found = await connection.fetchrow(
                STATEMENTS["authenticate_member"], token, datetime.now(UTC), workspace_id
            )
            if found is None:
                return None
            if found["id"] is None:
                return {"node": None}
            is_admin = found["role"] == "ADMIN"
            rows = await connection.fetch(
                STATEMENTS["workspace_page"], found["user_id"], size + 1, workspace_id, is_admin
            )
        return {
            "node": {
                "id": shapes.global_id("Workspace", workspace_id),
                "name": found["name"],
                "viewerRole": found["role"],
                "socialAccounts": shapes.page_of(rows, size),
            }
        }

    async def events(self, token: bytes, workspace_id: UUID, size: int) -> Json | None:
        """The first events of a workspace of the caller's."""
        async with self._pool.acquire() as connection:
            found = await connection.fetchrow(
                STATEMENTS["authenticate_member"], token, datetime.now(UTC), workspace_id
            )
            if found is None:
                return None
            if found["id"] is None:
                return {"node": None}
            rows = await connection.fetch(STATEMENTS["events_page"], workspace_id, size + 1)
        return {
            "node": {
                "id": shapes.global_id("Workspace", workspace_id),
                "events": shapes.events_of(rows, size),
            }
        }


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Store]:
    """A pool for the process, without the round trip that asyncpg resets a connection with."""
    size = int(os.environ["DATABASE_POOL_SIZE"])
    limits = int(os.environ["MAX_ACCOUNTS_PER_HOLDER"]), int(os.environ["LOOK_UPS_PER_USER"])
    async with asyncpg.create_pool(url, min_size=size, max_size=size, reset=_keep) as pool:
        yield Store(pool, Sealer(os.environ["SEALING_KEYS"]), *limits)


async def _keep(_connection: object) -> None:
    """Nothing here leaves anything behind in a session."""
