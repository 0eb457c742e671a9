"""The floor on SQLite: one thread writes; reads, which take microseconds, run where they are asked for."""

import asyncio
import json
import os
import secrets
import sqlite3
from collections.abc import AsyncIterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from starlette.exceptions import HTTPException

from benchmarks.floor import shapes
from benchmarks.floor.shapes import Json, Sealer

_VIEWER = """
SELECT u.id, u.name, u.email, u.held_count FROM api_tokens t JOIN users u ON u.id = t.user_id
WHERE t.secret_hash = ? AND t.revoked_at IS NULL AND t.expires_at > ?"""
_MEMBER = """
SELECT u.id AS user_id, w.id, w.name, m.role
FROM api_tokens t JOIN users u ON u.id = t.user_id
LEFT JOIN memberships m ON m.user_id = u.id AND m.workspace_id = ?3
LEFT JOIN workspaces w ON w.id = m.workspace_id
WHERE t.secret_hash = ?1 AND t.revoked_at IS NULL AND t.expires_at > ?2"""
_HOLDINGS = """
SELECT s.external_id, s.holder_user_id, s.holder_workspace_id, m.role
FROM json_each(?2) c
JOIN social_accounts s ON s.platform = 'INSTAGRAM' AND s.external_id = c.value AND s.hold_id IS NOT NULL
LEFT JOIN memberships m ON m.workspace_id = s.holder_workspace_id AND m.user_id = ?1"""
_FACEBOOK = """
INSERT INTO facebook_accounts
  (id, user_id, facebook_user_id, location, access_token, created_at, updated_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6)
ON CONFLICT (user_id, facebook_user_id) DO UPDATE
SET location = excluded.location, access_token = excluded.access_token, updated_at = excluded.updated_at
RETURNING id"""
_CLAIM = """
INSERT INTO social_accounts AS held
  (id, platform, external_id, hold_id, holder_user_id, display_name, display_name_key,
   profile_picture_url, facebook_account_id, connected_by_id, access_token, created_at, updated_at)
VALUES (?1, 'INSTAGRAM', ?2, ?1, ?3, ?4, lower(?4), ?5, ?6, ?3, ?7, ?8, ?8)
ON CONFLICT (platform, external_id) DO UPDATE
SET hold_id = coalesce(held.hold_id, excluded.hold_id), holder_user_id = excluded.holder_user_id,
  display_name = excluded.display_name, display_name_key = excluded.display_name_key,
  profile_picture_url = excluded.profile_picture_url,
  facebook_account_id = excluded.facebook_account_id, connected_by_id = excluded.connected_by_id,
  access_token = excluded.access_token, created_at = coalesce(held.created_at, excluded.created_at),
  updated_at = excluded.updated_at
WHERE held.hold_id IS NULL OR held.holder_user_id = excluded.holder_user_id
RETURNING external_id, hold_id, display_name, nickname, profile_picture_url, created_at, updated_at"""
_ADVANCE = """
UPDATE users SET event_seq = event_seq + ?2, held_count = held_count + ?3, updated_at = ?4
WHERE id = ?1 RETURNING event_seq - ?2 + 1, name"""
_EVENT = """
INSERT INTO events
  (id, user_id, seq, kind, actor_id, actor_name, subject_id, subject_name, platform, request_id, details,
   created_at)
VALUES (?1, ?2, ?3, ?4, ?2, ?5, ?6, ?7, ?8, ?9, '{}', ?10)"""
_COUNT_LOOK_UPS = """
INSERT INTO attempts AS spent (key, count, window_ends_at) VALUES (?1, ?2, ?4)
ON CONFLICT (key) DO UPDATE SET
  count = iif(spent.window_ends_at <= ?3, 0, spent.count) + excluded.count,
  window_ends_at = iif(spent.window_ends_at <= ?3, excluded.window_ends_at, spent.window_ends_at)
WHERE spent.window_ends_at <= ?3 OR spent.count + excluded.count <= ?5
RETURNING count"""
_PAGE = """
SELECT s.hold_id, s.external_id, s.display_name, s.nickname, s.profile_picture_url, s.created_at,
  f.id AS facebook_account_id, f.facebook_user_id,
  (SELECT json_group_array(json_array(t.id, t.name)) FROM (
     SELECT t.id, t.name FROM shares h JOIN teams t ON t.id = h.team_id
     WHERE h.social_account_id = s.id ORDER BY t.name, t.id) t) AS teams
FROM social_accounts s LEFT JOIN facebook_accounts f ON f.id = s.facebook_account_id AND f.user_id = ?1
WHERE s.platform IN ('INSTAGRAM', 'FACEBOOK_PAGE') AND """
_PERSONAL_PAGE = f"""{_PAGE} s.holder_user_id = ?1
ORDER BY s.holder_user_id, s.created_at, s.hold_id LIMIT ?2"""
_WORKSPACE_PAGE = f"""{_PAGE} s.holder_workspace_id = ?3 AND (?4 OR s.id IN (
  SELECT h.social_account_id FROM shares h JOIN team_members p ON p.team_id = h.team_id WHERE p.user_id = ?1))
ORDER BY s.holder_workspace_id, s.created_at, s.hold_id LIMIT ?2"""  # noqa: S608 - a constant
_EVENTS_PAGE = """
SELECT id, kind, subject_id, created_at FROM events WHERE workspace_id = ? ORDER BY seq LIMIT ?"""


class Store:
    """One process's access to an SQLite file."""

    def __init__(self, path: str, sealer: Sealer, limit: int, look_ups: int) -> None:
        self._sealer = sealer
        self._limit = limit
        self._look_ups = look_ups
        self._reader = _open(path)
        self._writer = _open(path)
        self._thread = ThreadPoolExecutor(1)

    def close(self) -> None:
        """End the writer, then the connections."""
        self._thread.shutdown()
        self._reader.close()
        self._writer.close()

    async def connect(self, token: bytes, command: Json) -> Json | None:
        """Connect accounts to the caller's Personal; None if the bearer token is not valid."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._connect, token, command)

    def _connect(self, token: bytes, command: Json) -> Json | None:
        self._writer.execute("BEGIN IMMEDIATE")
        try:
            answer, has_written = self._claim(token, command)
        except BaseException:
            self._writer.execute("ROLLBACK")
            raise
        self._writer.execute("COMMIT" if has_written else "ROLLBACK")
        return answer

    def _claim(self, token: bytes, command: Json) -> tuple[Json | None, bool]:
        execute, now = self._writer.execute, _now()
        accounts, facebook = command["instagramAccounts"], command["facebookAccount"]
        user = execute(_VIEWER, (token, now)).fetchone()
        if user is None:
            return None, False
        ids = [account["instagramUserId"] for account in accounts]
        holdings = {row["external_id"]: row for row in execute(_HOLDINGS, (user["id"], json.dumps(ids)))}
        conflicts = shapes.find_conflicts(accounts, user["id"], user["held_count"], holdings, self._limit)
        if conflicts:
            return shapes.failure(conflicts), self._count_look_ups(user["id"], shapes.elsewhere(conflicts))
        seal, holder = self._sealer.seal, f"user:{UUID(user['id'])}"
        sealed = seal(
            facebook["accessToken"], "facebook_accounts", "FACEBOOK", facebook["facebookUserId"], holder
        )
        new_id = uuid4().hex
        login = (user["id"], facebook["facebookUserId"], facebook["location"], sealed, now)
        ((facebook_id,),) = execute(_FACEBOOK, (new_id, *login)).fetchall()
        rows = []
        for account in accounts:
            minted, external_id = uuid4().hex, account["instagramUserId"]
            sealed = seal(account["accessToken"], "social_accounts", "INSTAGRAM", external_id, holder)
            picture = account["profilePictureUrl"] or None
            claim = (minted, external_id, user["id"], account["username"], picture, facebook_id, sealed, now)
            (row,) = execute(_CLAIM, claim).fetchall()
            rows.append({**_shown(row), "is_new": row["hold_id"] == minted})
        login_kind = _kind("FACEBOOK_ACCOUNT", is_new=facebook_id == new_id)
        happened = [
            (login_kind, facebook_id, facebook["facebookUserId"], None),
            *(
                (
                    *(_kind("SOCIAL_ACCOUNT", is_new=row["is_new"]), row["hold_id"].hex),
                    *(row["display_name"], "INSTAGRAM"),
                )
                for row in rows
            ),
        ]
        self._record(user["id"], now, happened, new=sum(row["is_new"] for row in rows))
        first = {
            "facebook_account_id": UUID(facebook_id),
            "facebook_user_id": facebook["facebookUserId"],
            "location": facebook["location"],
        }
        answered = [{**first, **row} for row in rows] or [{**first, "hold_id": None}]
        return shapes.connected(answered), True

    def _record(
        self, user_id: str, now: str, happened: Sequence[tuple[str, str, str, str | None]], *, new: int
    ) -> None:
        """Number and write events: of each the kind, the subject with its name, and the platform."""
        advanced = self._writer.execute(_ADVANCE, (user_id, len(happened), new, now)).fetchall()
        ((seq, name),) = advanced
        request_id = secrets.token_hex(16)
        self._writer.executemany(
            _EVENT,
            [
                (uuid4().hex, user_id, seq + index, kind, name, *subject, request_id, now)
                for index, (kind, *subject) in enumerate(happened)
            ],
        )

    def _count_look_ups(self, user_id: str, amount: int) -> bool:
        """Count what the answer says is held elsewhere; whether anything was."""
        if amount:
            now = datetime.now(UTC)
            times = _text(now), _text(now + shapes.HOUR)
            values = (shapes.look_ups_key(UUID(user_id)), amount, *times, self._look_ups)
            if not self._writer.execute(_COUNT_LOOK_UPS, values).fetchall():
                raise HTTPException(429)
        return bool(amount)

    async def viewer(self, token: bytes, size: int) -> Json | None:
        """The caller with a page of their Personal."""
        user = self._reader.execute(_VIEWER, (token, _now())).fetchone()
        if user is None:
            return None
        rows = [_shown(row) for row in self._reader.execute(_PERSONAL_PAGE, (user["id"], size + 1))]
        return {
            "viewer": {
                "user": {
                    "id": shapes.global_id("User", UUID(user["id"])),
                    "name": user["name"],
                    "email": user["email"],
                },
                "socialAccounts": shapes.page_of(rows, size),
            }
        }

    async def workspace(self, token: bytes, workspace_id: UUID, size: int) -> Json | None:
        """A workspace of the caller's with a page of its accounts."""
        found = self._reader.execute(_MEMBER, (token, _now(), workspace_id.hex)).fetchone()
        if found is None or found["id"] is None:
            return found and {"node": None}
        asked = (found["user_id"], size + 1, workspace_id.hex, found["role"] == "ADMIN")
        rows = [_shown(row) for row in self._reader.execute(_WORKSPACE_PAGE, asked)]
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
        found = self._reader.execute(_MEMBER, (token, _now(), workspace_id.hex)).fetchone()
        if found is None or found["id"] is None:
            return found and {"node": None}
        rows = [_shown(row) for row in self._reader.execute(_EVENTS_PAGE, (workspace_id.hex, size + 1))]
        return {
            "node": {
                "id": shapes.global_id("Workspace", workspace_id),
                "events": shapes.events_of(rows, size),
            }
        }


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Store]:
    """The connections of the process, as durable as the server's."""
    limits = int(os.environ["MAX_ACCOUNTS_PER_HOLDER"]), int(os.environ["LOOK_UPS_PER_USER"])
    store = Store(url.removeprefix("sqlite:///"), Sealer(os.environ["SEALING_KEYS"]), *limits)
    try:
        yield store
    finally:
        store.close()


def _open(path: str) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.row_factory = sqlite3.Row
    for pragma in ("busy_timeout=5000", "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")
    return connection


def _shown(row: Mapping[str, Any]) -> Json:
    """A row with its ids and times as the driver for PostgreSQL would hand them over."""
    shown = dict(row)
    for name in ("id", "hold_id", "subject_id", "facebook_account_id"):
        if shown.get(name) is not None:
            shown[name] = UUID(shown[name])
    for name in ("created_at", "updated_at"):
        if name in shown:
            shown[name] = datetime.fromisoformat(shown[name]).replace(tzinfo=UTC)
    if shown.get("teams") is not None:
        shown["teams"] = json.dumps([[str(UUID(key)), name] for key, name in json.loads(shown["teams"])])
    return shown


def _now() -> str:
    """The present time as the tables hold it."""
    return _text(datetime.now(UTC))


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S.%f")


def _kind(subject: str, *, is_new: bool) -> str:
    return f"{subject}_{'CONNECTED' if is_new else 'RECONNECTED'}"
