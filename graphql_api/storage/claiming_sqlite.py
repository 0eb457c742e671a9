"""The same on SQLite: a plain function over a connection in a transaction.

Nobody else writes meanwhile, so what was read stays true until the end and is not read twice. A thread
waits for the interpreter after every row that it writes by itself: so lists go in as JSON.
"""

import json
import sqlite3
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import orjson
import sqlalchemy as sa
from sqlmodel import col

from graphql_api.domain.claims import ConnectOutcome
from graphql_api.domain.events import EventKind
from graphql_api.storage.hot import written
from graphql_api.storage.prepared import Prepared
from graphql_api.storage.tables import FacebookAccount, SocialAccount

_VIEWER = """
SELECT users.held_count, users.event_seq, users.name
FROM users JOIN api_tokens ON api_tokens.user_id = users.id
WHERE users.id = :user_id AND api_tokens.id = :api_token_id AND revoked_at IS NULL AND expires_at > :now
  AND NOT EXISTS (
    SELECT 1 FROM idempotency_keys WHERE user_id = :user_id AND operation = :operation AND key = :key)"""
_WORKSPACE = """
SELECT workspaces.held_count, workspaces.event_seq
FROM memberships JOIN workspaces ON workspaces.id = memberships.workspace_id
WHERE memberships.workspace_id = :workspace_id AND memberships.user_id = :user_id
  AND role IN (SELECT value FROM json_each(:roles))"""
_LOGIN = """
INSERT INTO facebook_accounts
  (id, user_id, facebook_user_id, location, access_token, proof_source, checked_at, health_since, breaks_at,
   created_at, updated_at)
VALUES (:login_id, :user_id, :facebook_user_id, :location, :login_access_token, :proof_source, :proven_at,
  :now, :login_breaks_at, :now, :now)
ON CONFLICT (user_id, facebook_user_id) DO UPDATE SET
  location = excluded.location,
  access_token = excluded.access_token,
  proof_source = coalesce(excluded.proof_source, facebook_accounts.proof_source),
  checked_at = excluded.checked_at,
  health_since = excluded.health_since,
  health_problem = NULL,
  health_details = NULL,
  breaks_at = excluded.breaks_at,
  updated_at = excluded.updated_at
RETURNING id, proof_source, created_at"""
# Without its WHERE, SQLite would take the select's ON CONFLICT for the condition of a join.
_CLAIM = """
INSERT INTO social_accounts AS held
  (id, platform, external_id, hold_id, holder_user_id, holder_workspace_id, display_name, display_name_key,
   profile_picture_url, facebook_page_id, facebook_account_id, connected_by_id, access_token, access_version,
   proof_source, proof_login, proven_at, checked_at, health_since, breaks_at, next_check_at, created_at,
   updated_at)
SELECT value ->> 'hold_id', value ->> 'platform', value ->> 'external_id', value ->> 'hold_id',
  iif(:workspace_id IS NULL, :user_id, NULL), :workspace_id, value ->> 'display_name',
  value ->> 'display_name_key', value ->> 'profile_picture_url', value ->> 'facebook_page_id', :kept_login_id,
  :user_id, value ->> 'access_token', 1, :proof_source, :proof_login, :proven_at, :proven_at, :now,
  :breaks_at, :next_check_at, :now, :now
FROM json_each(:claims)
WHERE true
ON CONFLICT (platform, external_id) DO UPDATE SET
  hold_id = coalesce(held.hold_id, excluded.hold_id),
  holder_user_id = excluded.holder_user_id,
  holder_workspace_id = excluded.holder_workspace_id,
  display_name = excluded.display_name,
  display_name_key = excluded.display_name_key,
  profile_picture_url = excluded.profile_picture_url,
  facebook_page_id = coalesce(excluded.facebook_page_id, held.facebook_page_id),
  facebook_account_id = excluded.facebook_account_id,
  connected_by_id = excluded.connected_by_id,
  access_token = excluded.access_token,
  proof_source = coalesce(excluded.proof_source, held.proof_source),
  checked_at = excluded.checked_at,
  health_since = excluded.health_since,
  health_problem = NULL,
  health_details = NULL,
  breaks_at = excluded.breaks_at,
  proof_login = coalesce(excluded.proof_login, held.proof_login),
  proven_at = coalesce(excluded.proven_at, held.proven_at),
  access_version = held.access_version + 1,
  doubted_at = NULL,
  next_check_at = excluded.next_check_at,
  warned_days = NULL,
  created_at = coalesce(held.created_at, excluded.created_at),
  updated_at = excluded.updated_at
WHERE held.hold_id IS NULL OR (held.holder_user_id IS excluded.holder_user_id
  AND held.holder_workspace_id IS excluded.holder_workspace_id)
RETURNING platform, external_id, id, hold_id, nickname, facebook_page_id, proof_source, created_at"""
# What the same user reconnects again within the hour is not told again: a loop would fill the disk.
_QUIET = """
SELECT subject_id FROM events
WHERE subject_id IN (SELECT value FROM json_each(:subjects)) AND actor_id = :user_id
  AND kind IN ('FACEBOOK_ACCOUNT_RECONNECTED', 'SOCIAL_ACCOUNT_RECONNECTED') AND created_at > :told_since"""
_PERSONAL_GOES_ON = """
UPDATE users SET event_seq = event_seq + :events, held_count = held_count + :new, updated_at = :now
WHERE id = :user_id"""
_WORKSPACE_GOES_ON = """
UPDATE workspaces SET event_seq = event_seq + :events, held_count = held_count + :new, updated_at = :now
WHERE id = :workspace_id"""
_EVENTS = """
INSERT INTO events
  (id, user_id, workspace_id, seq, kind, actor_id, actor_name, subject_id, subject_name, platform,
   request_id, details, created_at)
SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, :user_id, :actor_name, value ->> 5,
  value ->> 6, value ->> 7, :request_id, '{}', :now
FROM json_each(:happened)"""
_KEEP = """
INSERT INTO idempotency_keys (user_id, operation, key, input_hash, outcome, created_at, expires_at)
VALUES (:user_id, :operation, :key, :input_hash, :outcome, :now, :expires_at)"""

_logins = Prepared[Any](
    sa.select(col(FacebookAccount.id), col(FacebookAccount.proof_source), col(FacebookAccount.created_at))
)
_taken = Prepared[Any](
    sa.select(
        col(SocialAccount.platform),
        col(SocialAccount.external_id),
        col(SocialAccount.id),
        col(SocialAccount.hold_id),
        col(SocialAccount.nickname),
        col(SocialAccount.facebook_page_id),
        col(SocialAccount.proof_source),
        col(SocialAccount.created_at),
    )
)
Account = tuple[bool, UUID, UUID, str | None, str | None, str | None, datetime]


def claim(
    connection: sqlite3.Connection, told: Mapping[str, Any], claims: Sequence[Mapping[str, Any]]
) -> list[Any]:
    """Connect everything to the user's Personal, or to the Workspace; no rows if something is in the way.

    `told` are the parameters of PostgreSQL's statement, and the rows are its rows.
    """
    values = {name: written(value) for name, value in told.items()} | {"roles": json.dumps(told["roles"])}
    into_workspace = values["workspace_id"] is not None
    place = viewer = connection.execute(_VIEWER, values).fetchone()
    if into_workspace:
        place = connection.execute(_WORKSPACE, values).fetchone()
    if viewer is None or place is None:
        return []
    kept = connection.execute(_LOGIN, values).fetchall()
    ((login_id, *login),) = _logins.form(is_sqlite=True).read(kept)
    accounts = _take(connection, {**values, "kept_login_id": login_id.hex}, claims)
    if accounts is None:
        return []
    new = sum(is_new for is_new, *_ in accounts)
    if new and place[0] + new > told["limit"]:
        return []
    subjects = orjson.dumps([login_id.hex, *(hold_id.hex for _, _, hold_id, *_ in accounts)]).decode()
    quiet = {subject for (subject,) in connection.execute(_QUIET, {**values, "subjects": subjects})}
    tells_login = login_id.hex not in quiet
    telling = [pair for pair in zip(claims, accounts, strict=True) if pair[1][2].hex not in quiet]
    personal_events = tells_login if into_workspace else tells_login + len(telling)
    counted = {"events": personal_events, "new": 0 if into_workspace else new}
    connection.execute(_PERSONAL_GOES_ON, {**values, **counted})
    if into_workspace and accounts:
        connection.execute(_WORKSPACE_GOES_ON, {**values, "events": len(telling), "new": new})
    personal, history = [values["user_id"], None], [None, values["workspace_id"]]
    happened: list[list[object]] = []
    if tells_login:  # its event comes first
        kind = _LOGIN_KIND[login_id == told["login_id"]]
        subject = [login_id.hex, told["facebook_user_id"], None]
        happened.append([uuid4().hex, *personal, viewer[1] + 1, kind, *subject])
    first = (place[1] if into_workspace else viewer[1] + tells_login) + 1
    for seq, (one, (is_new, _, hold_id, *_)) in enumerate(telling, first):
        subject = [hold_id.hex, one["display_name"], one["platform"]]
        where = history if into_workspace else personal
        happened.append([uuid4().hex, *where, seq, _ACCOUNT_KIND[is_new], *subject])
    connection.execute(
        _EVENTS, {**values, "actor_name": viewer[2], "happened": orjson.dumps(happened).decode()}
    )
    if told["key"] is not None:
        connection.execute(_KEEP, {**values, "outcome": _outcome(login_id, accounts, told["not_connected"])})
    rows: Sequence[Sequence[object]] = accounts or [(None,) * 7]
    return [(login_id, *login, *account) for account in rows]


def _take(
    connection: sqlite3.Connection, values: Mapping[str, Any], claims: Sequence[Mapping[str, Any]]
) -> list[Account] | None:
    """Take the accounts in their order, with True for those that were free; None if one is another's."""
    minted = [uuid4() for _ in claims]
    written = [{**one, "hold_id": hold_id.hex} for one, hold_id in zip(claims, minted, strict=True)]
    found = connection.execute(_CLAIM, {**values, "claims": orjson.dumps(written).decode()}).fetchall()
    taken = {(row[0], row[1]): row[2:] for row in _taken.form(is_sqlite=True).read(found)}
    if len(taken) < len(claims):
        return None
    accounts = [taken[one["platform"], one["external_id"]] for one in claims]
    return [(account[1] == hold_id, *account) for account, hold_id in zip(accounts, minted, strict=True)]


def _outcome(login_id: UUID, accounts: Sequence[Account], not_connected: str) -> str:
    """What is kept for retries."""
    outcomes = [
        [ConnectOutcome.CONNECTED if is_new else ConnectOutcome.RECONNECTED, str(hold_id)]
        for is_new, _, hold_id, *_ in accounts
    ]
    kept = {
        "facebookAccount": str(login_id),
        "accounts": outcomes,
        "notConnected": orjson.loads(not_connected),
    }
    return json.dumps(kept)


_LOGIN_KIND = (EventKind.FACEBOOK_ACCOUNT_RECONNECTED, EventKind.FACEBOOK_ACCOUNT_CONNECTED)
_ACCOUNT_KIND = (EventKind.SOCIAL_ACCOUNT_RECONNECTED, EventKind.SOCIAL_ACCOUNT_CONNECTED)
