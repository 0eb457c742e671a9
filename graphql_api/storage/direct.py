"""The hot statements, on the driver's own connection: PostgreSQL only, one statement a round trip.

What stands here has an ORM form elsewhere, which decides on every other path and is its oracle in
`tests/storage/test_direct.py`. A statement here writes all or nothing: where it would have to refuse, it
writes nothing, returns None, and the other form says why.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from graphql_api.domain.claims import Platform
from graphql_api.domain.secrets import Sealed
from graphql_api.storage.rows import FacebookAccountRow, SocialAccountRow


@dataclass(frozen=True, slots=True)
class NewClaim:
    """What a social account becomes if it is free or ours; the columns of `claim` below."""

    external_id: str
    username: str
    profile_picture_url: str | None
    access_token: Sealed


@dataclass(frozen=True, slots=True)
class NewLogin:
    """What a user's Facebook account becomes; `new_id` is its id if it is new."""

    new_id: UUID
    facebook_user_id: str
    location: str | None
    access_token: Sealed


CONNECT_TO_PERSONAL = """
WITH claim AS MATERIALIZED (
  -- As JSON: the driver takes three times as long to write arrays.
  SELECT gen_random_uuid() AS hold_id, claim.* FROM ROWS FROM (json_to_recordset($8::json) AS
      (external_id text, username text, profile_picture_url text, access_token text)
    ) WITH ORDINALITY
    AS claim (external_id, username, profile_picture_url, access_token, position)
), asked AS (
  SELECT count(*) AS number FROM claim
), viewer AS (
  SELECT users.id, users.held_count
  FROM users JOIN api_tokens ON api_tokens.user_id = users.id
  WHERE users.id = $1 AND api_tokens.id = $2 AND revoked_at IS NULL AND expires_at > $3
  FOR NO KEY UPDATE OF users
), known AS (
  SELECT social_accounts.holder_user_id, social_accounts.hold_id
  FROM claim JOIN social_accounts
    ON platform = 'INSTAGRAM' AND social_accounts.external_id = claim.external_id
  WHERE social_accounts.hold_id IS NOT NULL
), allowed AS (
  -- A look ahead, so that what is to be refused is not written first; the claim itself decides.
  SELECT viewer.id FROM viewer CROSS JOIN asked
  WHERE NOT EXISTS (SELECT FROM known WHERE holder_user_id IS DISTINCT FROM $1)
    AND (viewer.held_count + asked.number - (SELECT count(*) FROM known) <= $9
         OR (SELECT count(*) FROM known) = asked.number)
), login AS (
  INSERT INTO facebook_accounts
    (id, user_id, facebook_user_id, location, access_token, created_at, updated_at)
  SELECT $4, allowed.id, $5, $6, $7, $3, $3 FROM allowed
  ON CONFLICT (user_id, facebook_user_id) DO UPDATE SET
    location = excluded.location, access_token = excluded.access_token, updated_at = excluded.updated_at
  RETURNING id, user_id, facebook_user_id, location, created_at, updated_at
), taken AS (
  INSERT INTO social_accounts AS held
    (id, platform, external_id, hold_id, holder_user_id, username, username_key, profile_picture_url,
     facebook_account_id, connected_by_id, access_token, created_at, updated_at)
  SELECT hold_id, 'INSTAGRAM', external_id, hold_id, $1, username, lower(username COLLATE "C"),
    profile_picture_url, login.id, $1, access_token, $3, $3
  FROM claim CROSS JOIN login
  ORDER BY external_id COLLATE "C"
  ON CONFLICT (platform, external_id) DO UPDATE SET
    hold_id = coalesce(held.hold_id, excluded.hold_id),
    holder_user_id = excluded.holder_user_id,
    holder_workspace_id = NULL,
    username = excluded.username,
    username_key = excluded.username_key,
    profile_picture_url = excluded.profile_picture_url,
    facebook_account_id = excluded.facebook_account_id,
    connected_by_id = excluded.connected_by_id,
    access_token = excluded.access_token,
    created_at = coalesce(held.created_at, excluded.created_at),
    updated_at = excluded.updated_at
  WHERE held.hold_id IS NULL OR held.holder_user_id = $1
  RETURNING id, platform, external_id, hold_id, holder_user_id, holder_workspace_id, username, nickname,
    profile_picture_url, facebook_page_id, facebook_account_id, connected_by_id, created_at, updated_at
), outcome AS (
  SELECT taken.*, taken.hold_id = claim.hold_id AS is_new, claim.position
  FROM taken JOIN claim USING (external_id)
), counted AS (
  SELECT count(*) AS taken, count(*) FILTER (WHERE is_new) AS new FROM outcome
), place AS (
  UPDATE users SET
    event_seq = event_seq + 1 + counted.taken,
    held_count = held_count + counted.new,
    updated_at = $3
  FROM counted, asked, login
  WHERE users.id = login.user_id
  RETURNING users.event_seq - 1 - counted.taken AS last_seq,
    -- Somebody was faster between the look and the claim: an error undoes the whole statement.
    CASE WHEN counted.taken < asked.number OR (counted.new > 0 AND users.held_count > $9)
      THEN ('connecting lost a race and is run again, after ' || counted.taken)::integer ELSE 0 END AS checked
), told AS (
  INSERT INTO events (id, user_id, seq, kind, actor_id, subject_id, request_id, details, created_at)
  SELECT gen_random_uuid(), $1, place.last_seq + 1 + position, kind, $1, subject_id, $10, details, $3
  FROM place CROSS JOIN (
    SELECT 0 AS position, login.id AS subject_id, '{}'::json AS details,
      CASE WHEN login.id = $4 THEN 'FACEBOOK_ACCOUNT_CONNECTED'
        ELSE 'FACEBOOK_ACCOUNT_RECONNECTED' END AS kind
    FROM login
    UNION ALL
    SELECT position, hold_id, json_build_object('username', username),
      CASE WHEN is_new THEN 'SOCIAL_ACCOUNT_CONNECTED' ELSE 'SOCIAL_ACCOUNT_RECONNECTED' END
    FROM outcome
  ) AS happened
  WHERE place.checked = 0
)
SELECT login.id, login.user_id, login.facebook_user_id, login.location, login.created_at, login.updated_at,
  outcome.is_new, outcome.id, outcome.platform, outcome.external_id, outcome.hold_id,
  outcome.holder_user_id, outcome.holder_workspace_id, outcome.username, outcome.nickname,
  outcome.profile_picture_url, outcome.facebook_page_id, outcome.facebook_account_id,
  outcome.connected_by_id, outcome.created_at, outcome.updated_at
FROM place CROSS JOIN login LEFT JOIN outcome ON true
ORDER BY outcome.position
"""


@dataclass(frozen=True, slots=True)
class ConnectedRows:
    """What one statement connected, in input order; True beside the accounts that were free before."""

    facebook_account: FacebookAccountRow
    accounts: Sequence[tuple[bool, SocialAccountRow]]


def connect_arguments(
    *,
    user_id: UUID,
    api_token_id: UUID,
    now: datetime,
    login: NewLogin,
    claims: Sequence[NewClaim],
    limit: int,
    request_id: str,
) -> tuple[object, ...]:
    """The arguments of `CONNECT_TO_PERSONAL`, in their order."""
    return (
        user_id,
        api_token_id,
        now,
        login.new_id,
        login.facebook_user_id,
        login.location,
        login.access_token,
        orjson.dumps(list(claims)).decode(),
        limit,
        request_id,
    )


def read_connected(rows: Sequence[Any]) -> ConnectedRows | None:
    """What `CONNECT_TO_PERSONAL` returned; None when it wrote nothing."""
    if not rows:
        return None
    return ConnectedRows(
        FacebookAccountRow(*rows[0][:_LOGIN]),
        [(row[_LOGIN], _social_account(row[_LOGIN + 1 :])) for row in rows if row[_LOGIN] is not None],
    )


_LOGIN = len(FacebookAccountRow._fields)


def _social_account(values: Sequence[Any]) -> SocialAccountRow:
    return SocialAccountRow(values[0], Platform(values[1]), *values[2:])
