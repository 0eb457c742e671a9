"""The hot statements, on the driver's own connection: one round trip, or on SQLite one hop to a thread.

What stands here has an ORM form elsewhere, which decides on every other path and is its oracle in
`tests/storage/test_direct.py`. A statement here writes all or nothing: where it would have to refuse, it
writes nothing, returns no row, and the other form says why.
"""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, TypedDict
from uuid import UUID

import orjson

from graphql_api.domain.platforms import Platform
from graphql_api.domain.secrets import Sealed
from graphql_api.storage import direct_sqlite
from graphql_api.storage.rows import FacebookAccountRow, SocialAccountRow


class HotStatement(Protocol):
    """A hot statement with what it is told, as each database takes it; rows of both have the same shape."""

    @property
    def sql(self) -> str:
        """PostgreSQL's statement."""

    def arguments(self) -> tuple[object, ...]:
        """The arguments of PostgreSQL's statement, in their order."""

    def on_sqlite(self, connection: sqlite3.Connection) -> list[Any]:
        """Run it on a connection in a transaction, which is committed unless there are no rows."""


class NewClaim(TypedDict):
    """What a social account becomes if it is free or ours; the columns of `claim` below."""

    external_id: str
    display_name: str
    profile_picture_url: str | None
    access_token: Sealed


@dataclass(frozen=True, slots=True)
class NewLogin:
    """What a user's Facebook account becomes; `new_id` is its id if it is new."""

    new_id: UUID
    facebook_user_id: str
    location: str | None
    access_token: Sealed


_PERSONAL = """
  -- The login's event comes before the accounts'.
  SELECT id AS user_id, NULL::uuid AS workspace_id, held_count, event_seq + 1 AS last_seq FROM viewer
"""
_PERSONAL_GOES_ON = """goes_on AS (
  UPDATE users SET
    event_seq = event_seq + 1 + checked.taken,
    held_count = users.held_count + checked.new,
    updated_at = $3
  FROM checked
  WHERE users.id = $1 AND checked.lost = 0
)"""
_WORKSPACE = """
  -- After the wait for a lock only what is locked is read anew, so the membership is locked as well.
  SELECT NULL::uuid AS user_id, workspaces.id AS workspace_id, workspaces.held_count,
    workspaces.event_seq AS last_seq
  FROM viewer
  JOIN memberships ON memberships.workspace_id = $11 AND memberships.user_id = viewer.id
  JOIN workspaces ON workspaces.id = memberships.workspace_id
  WHERE memberships.role = 'ADMIN'
  FOR NO KEY UPDATE OF workspaces FOR SHARE OF memberships
"""
_WORKSPACE_GOES_ON = """goes_on AS (
  UPDATE workspaces SET
    event_seq = event_seq + checked.taken,
    held_count = workspaces.held_count + checked.new,
    updated_at = $3
  FROM checked
  WHERE workspaces.id = checked.workspace_id AND checked.lost = 0 AND checked.taken > 0
), personal_goes_on AS (
  UPDATE users SET event_seq = event_seq + 1, updated_at = $3
  FROM checked
  WHERE users.id = $1 AND checked.lost = 0
)"""


def _connecting(place: str, goes_on: str) -> str:
    """PostgreSQL's statement: what differs is which row is the place, and whose histories go on."""
    return f"""
WITH claim AS MATERIALIZED (
  -- As JSON: the driver takes three times as long to write arrays.
  SELECT gen_random_uuid() AS hold_id, claim.* FROM ROWS FROM (json_to_recordset($8::json) AS
      (external_id text, display_name text, profile_picture_url text, access_token text)
    ) WITH ORDINALITY
    AS claim (external_id, display_name, profile_picture_url, access_token, position)
), asked AS (
  SELECT count(*) AS number FROM claim
), viewer AS (
  SELECT users.id, users.held_count, users.event_seq
  FROM users JOIN api_tokens ON api_tokens.user_id = users.id
  WHERE users.id = $1 AND api_tokens.id = $2 AND revoked_at IS NULL AND expires_at > $3
  -- After the wait for a lock only what is locked is read anew, so the API token is locked as well.
  FOR NO KEY UPDATE OF users FOR SHARE OF api_tokens
), place AS ({place}
), known AS (
  SELECT social_accounts.holder_user_id, social_accounts.holder_workspace_id
  FROM claim JOIN social_accounts
    ON platform = 'INSTAGRAM' AND social_accounts.external_id = claim.external_id
  WHERE social_accounts.hold_id IS NOT NULL
), allowed AS (
  -- A look ahead, so that what is to be refused is not written first; the claim itself decides.
  SELECT place.* FROM place CROSS JOIN asked
  WHERE NOT EXISTS (
      SELECT FROM known
      WHERE (holder_user_id, holder_workspace_id) IS DISTINCT FROM (place.user_id, place.workspace_id))
    AND (place.held_count + asked.number - (SELECT count(*) FROM known) <= $9
         OR (SELECT count(*) FROM known) = asked.number)
), login AS (
  INSERT INTO facebook_accounts
    (id, user_id, facebook_user_id, location, access_token, created_at, updated_at)
  SELECT $4, $1, $5, $6, $7, $3, $3 FROM allowed
  ON CONFLICT (user_id, facebook_user_id) DO UPDATE SET
    location = excluded.location, access_token = excluded.access_token, updated_at = excluded.updated_at
  RETURNING id, created_at
), taken AS (
  INSERT INTO social_accounts AS held
    (id, platform, external_id, hold_id, holder_user_id, holder_workspace_id, display_name, display_name_key,
     profile_picture_url, facebook_account_id, connected_by_id, access_token, created_at, updated_at)
  SELECT hold_id, 'INSTAGRAM', external_id, hold_id, allowed.user_id, allowed.workspace_id, display_name,
    lower(display_name COLLATE "C"), profile_picture_url, login.id, $1, access_token, $3, $3
  FROM claim CROSS JOIN login CROSS JOIN allowed
  ORDER BY external_id COLLATE "C"
  ON CONFLICT (platform, external_id) DO UPDATE SET
    hold_id = coalesce(held.hold_id, excluded.hold_id),
    holder_user_id = excluded.holder_user_id,
    holder_workspace_id = excluded.holder_workspace_id,
    display_name = excluded.display_name,
    display_name_key = excluded.display_name_key,
    profile_picture_url = excluded.profile_picture_url,
    facebook_account_id = excluded.facebook_account_id,
    connected_by_id = excluded.connected_by_id,
    access_token = excluded.access_token,
    created_at = coalesce(held.created_at, excluded.created_at),
    updated_at = excluded.updated_at
  WHERE held.hold_id IS NULL OR (held.holder_user_id, held.holder_workspace_id)
    IS NOT DISTINCT FROM (excluded.holder_user_id, excluded.holder_workspace_id)
  RETURNING external_id, id, hold_id, nickname, facebook_page_id, created_at
), outcome AS (
  SELECT taken.*, taken.hold_id = claim.hold_id AS is_new, claim.position, claim.display_name
  FROM taken JOIN claim USING (external_id)
), counted AS (
  SELECT count(*) AS taken, count(*) FILTER (WHERE is_new) AS new FROM outcome
), checked AS (
  SELECT allowed.*, counted.*,
    -- Somebody was faster between the look and the claim: an error undoes the whole statement.
    CASE WHEN counted.taken < asked.number OR (counted.new > 0 AND allowed.held_count + counted.new > $9)
      THEN ('connecting lost a race and is run again, after ' || counted.taken)::integer ELSE 0 END AS lost
  FROM allowed CROSS JOIN asked CROSS JOIN counted
), {goes_on}, told AS (
  INSERT INTO events
    (id, user_id, workspace_id, seq, kind, actor_id, subject_id, request_id, details, created_at)
  SELECT gen_random_uuid(), $1, NULL, viewer.event_seq + 1,
    CASE WHEN login.id = $4 THEN 'FACEBOOK_ACCOUNT_CONNECTED' ELSE 'FACEBOOK_ACCOUNT_RECONNECTED' END,
    $1, login.id, $10, '{{}}', $3
  FROM login CROSS JOIN viewer
  UNION ALL
  SELECT gen_random_uuid(), checked.user_id, checked.workspace_id, checked.last_seq + position,
    CASE WHEN is_new THEN 'SOCIAL_ACCOUNT_CONNECTED' ELSE 'SOCIAL_ACCOUNT_RECONNECTED' END,
    $1, hold_id, $10, json_build_object('display_name', display_name), $3
  FROM outcome CROSS JOIN checked
)
-- The login stands beside the first account only: the driver need not read it again for each.
SELECT login.id, login.created_at, outcome.is_new, outcome.id, outcome.hold_id, outcome.nickname,
  outcome.facebook_page_id, outcome.created_at
FROM (SELECT *, 1::bigint AS position FROM login) AS login FULL JOIN outcome USING (position)
ORDER BY position
"""  # noqa: S608 - constants


CONNECT_TO_PERSONAL = _connecting(_PERSONAL, _PERSONAL_GOES_ON)
CONNECT_TO_WORKSPACE = _connecting(_WORKSPACE, _WORKSPACE_GOES_ON)


@dataclass(frozen=True, slots=True)
class ConnectedRows:
    """What one statement connected, in input order; True beside the accounts that were free before."""

    facebook_account: FacebookAccountRow
    accounts: Sequence[tuple[bool, SocialAccountRow]]


@dataclass(frozen=True, slots=True)
class Connecting:
    """What is to be connected: to a Workspace if there is one, else to the user's Personal."""

    user_id: UUID
    workspace_id: UUID | None
    api_token_id: UUID
    now: datetime
    login: NewLogin
    claims: Sequence[NewClaim]
    limit: int
    request_id: str

    @property
    def sql(self) -> str:
        """The statement for its place."""
        return CONNECT_TO_PERSONAL if self.workspace_id is None else CONNECT_TO_WORKSPACE

    def arguments(self) -> tuple[object, ...]:
        """In the order of the statement; the Personal's is not told of a Workspace."""
        place = () if self.workspace_id is None else (self.workspace_id,)
        return (
            self.user_id,
            self.api_token_id,
            self.now,
            self.login.new_id,
            self.login.facebook_user_id,
            self.login.location,
            self.login.access_token,
            orjson.dumps(self.claims).decode(),
            self.limit,
            self.request_id,
            *place,
        )

    def on_sqlite(self, connection: sqlite3.Connection) -> list[Any]:
        """The same in one transaction."""
        return direct_sqlite.connect(connection, self)

    def read(self, rows: Sequence[Any]) -> ConnectedRows | None:
        """What the statement returned, with what it was told; None when it wrote nothing."""
        if not rows:
            return None
        login, now, user_id, workspace_id = self.login, self.now, self.user_id, self.workspace_id
        login_id, login_since = rows[0][:2]
        holder_user_id = user_id if workspace_id is None else None
        accounts = [
            (
                is_new,
                SocialAccountRow(
                    row_id,
                    Platform.INSTAGRAM,
                    claim["external_id"],
                    hold_id,
                    holder_user_id,
                    workspace_id,
                    claim["display_name"],
                    nickname,
                    claim["profile_picture_url"],
                    facebook_page_id,
                    login_id,
                    user_id,
                    since,
                    now,
                ),
            )
            for claim, (_, _, is_new, row_id, hold_id, nickname, facebook_page_id, since) in zip(
                self.claims, rows, strict=bool(self.claims)
            )
        ]
        return ConnectedRows(
            FacebookAccountRow(login_id, user_id, login.facebook_user_id, login.location, login_since, now),
            accounts,
        )
