"""The hot statements on SQLite: each is a plain function over a connection in a transaction.

Whoever is in it is the only writer, so what was read stays true until the end, and is not looked at twice.
A thread waits for the interpreter after every row that it writes by itself: so lists go in as JSON.
"""

import json
import sqlite3
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects import sqlite

from graphql_api.domain.events import EventKind
from graphql_api.storage.columns import UtcDateTime
from graphql_api.storage.prepared import Prepared
from graphql_api.storage.rows import FacebookAccountRow, SocialAccountRow, columns
from graphql_api.storage.tables import FacebookAccount, SocialAccount

_VIEWER = """
SELECT users.held_count, users.event_seq FROM users JOIN api_tokens ON api_tokens.user_id = users.id
WHERE users.id = :user_id AND api_tokens.id = :api_token_id AND revoked_at IS NULL AND expires_at > :now"""
_WORKSPACE = """
SELECT workspaces.held_count, workspaces.event_seq
FROM memberships JOIN workspaces ON workspaces.id = memberships.workspace_id
WHERE memberships.workspace_id = :workspace_id AND memberships.user_id = :user_id AND role = 'ADMIN'"""
_LOGIN = """
INSERT INTO facebook_accounts
  (id, user_id, facebook_user_id, location, access_token, created_at, updated_at)
VALUES (:new_login_id, :user_id, :facebook_user_id, :location, :access_token, :now, :now)
ON CONFLICT (user_id, facebook_user_id) DO UPDATE SET
  location = excluded.location, access_token = excluded.access_token, updated_at = excluded.updated_at
RETURNING id, user_id, facebook_user_id, location, created_at, updated_at"""
# Without its WHERE, SQLite would take the select's ON CONFLICT for the condition of a join.
_CLAIM = """
INSERT INTO social_accounts AS held
  (id, platform, external_id, hold_id, holder_user_id, holder_workspace_id, username, username_key,
   profile_picture_url, facebook_account_id, connected_by_id, access_token, created_at, updated_at)
SELECT json_extract(value, '$.hold_id'), 'INSTAGRAM', json_extract(value, '$.external_id'),
  json_extract(value, '$.hold_id'), iif(:workspace_id IS NULL, :user_id, NULL), :workspace_id,
  json_extract(value, '$.username'), lower(json_extract(value, '$.username')),
  json_extract(value, '$.profile_picture_url'), :login_id, :user_id, json_extract(value, '$.access_token'),
  :now, :now
FROM json_each(:claims)
WHERE true
ON CONFLICT (platform, external_id) DO UPDATE SET
  hold_id = coalesce(held.hold_id, excluded.hold_id),
  holder_user_id = excluded.holder_user_id,
  holder_workspace_id = excluded.holder_workspace_id,
  username = excluded.username,
  username_key = excluded.username_key,
  profile_picture_url = excluded.profile_picture_url,
  facebook_account_id = excluded.facebook_account_id,
  connected_by_id = excluded.connected_by_id,
  access_token = excluded.access_token,
  created_at = coalesce(held.created_at, excluded.created_at),
  updated_at = excluded.updated_at
WHERE held.hold_id IS NULL OR (held.holder_user_id IS excluded.holder_user_id
  AND held.holder_workspace_id IS excluded.holder_workspace_id)
RETURNING id, platform, external_id, hold_id, holder_user_id, holder_workspace_id, username, nickname,
  profile_picture_url, facebook_page_id, facebook_account_id, connected_by_id, created_at, updated_at"""
_PERSONAL_GOES_ON = """
UPDATE users SET event_seq = event_seq + :events, held_count = held_count + :new, updated_at = :now
WHERE id = :user_id"""
_WORKSPACE_GOES_ON = """
UPDATE workspaces SET event_seq = event_seq + :events, held_count = held_count + :new, updated_at = :now
WHERE id = :workspace_id"""
_EVENTS = """
INSERT INTO events
  (id, user_id, workspace_id, seq, kind, actor_id, subject_id, request_id, details, created_at)
SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]'),
  json_extract(value, '$[3]'), json_extract(value, '$[4]'), :user_id, json_extract(value, '$[5]'),
  :request_id, json_extract(value, '$[6]'), :now
FROM json_each(:happened)"""

# Values are written and read as the columns' own types do it.
_DIALECT = sqlite.dialect()
_id: Any = sa.Uuid().dialect_impl(_DIALECT).bind_processor(_DIALECT)
_time: Any = UtcDateTime().dialect_impl(_DIALECT).bind_processor(_DIALECT)
_logins = Prepared(sa.select(*columns(FacebookAccount, FacebookAccountRow)), FacebookAccountRow)
_accounts = Prepared(sa.select(*columns(SocialAccount, SocialAccountRow)), SocialAccountRow)


def connect(  # noqa: PLR0917 - as PostgreSQL's statement takes them
    connection: sqlite3.Connection,
    user_id: UUID,
    api_token_id: UUID,
    now: datetime,
    new_login_id: UUID,
    facebook_user_id: str,
    location: str | None,
    access_token: str,
    claims: str,
    limit: int,
    request_id: str,
    workspace_id: UUID | None = None,
) -> list[Any]:
    """Connect everything to the user's Personal, or to the Workspace; no rows if something is in the way.

    A row has the columns of the login, True if the account was free, and the account's; where no account
    was claimed there is one row, and None after the login.
    """
    values = {
        "user_id": _id(user_id),
        "api_token_id": _id(api_token_id),
        "now": _time(now),
        "new_login_id": _id(new_login_id),
        "facebook_user_id": facebook_user_id,
        "location": location,
        "access_token": access_token,
        "request_id": request_id,
        "workspace_id": _id(workspace_id),
    }
    place = viewer = connection.execute(_VIEWER, values).fetchone()
    if workspace_id is not None:
        place = connection.execute(_WORKSPACE, values).fetchone()
    if viewer is None or place is None:
        return []
    found = connection.execute(_LOGIN, values).fetchall()
    (login,) = _logins.form(is_sqlite=True).read(found)
    outcome = _claim(connection, {**values, "login_id": login.id.hex}, orjson.loads(claims))
    if outcome is None:
        return []
    new = sum(is_new for is_new, _ in outcome)
    if new and place[0] + new > limit:
        return []
    if workspace_id is None:
        connection.execute(_PERSONAL_GOES_ON, {**values, "events": 1 + len(outcome), "new": new})
    else:
        connection.execute(_PERSONAL_GOES_ON, {**values, "events": 1, "new": 0})
        if outcome:
            connection.execute(_WORKSPACE_GOES_ON, {**values, "events": len(outcome), "new": new})
    last_seq = place[1] if workspace_id is not None else viewer[1] + 1  # the login's event comes first
    happened = [
        _login_event(login, viewer[1] + 1, is_new=login.id == new_login_id),
        *(
            _account_event(account, seq, is_new=is_new)
            for seq, (is_new, account) in enumerate(outcome, start=last_seq + 1)
        ),
    ]
    connection.execute(_EVENTS, {**values, "happened": orjson.dumps(happened).decode()})
    return [(*login, is_new, *account) for is_new, account in outcome] or [(*login, None)]


def _claim(
    connection: sqlite3.Connection, values: dict[str, Any], claims: Sequence[dict[str, Any]]
) -> list[tuple[bool, SocialAccountRow]] | None:
    """Take the accounts in their order, with True for those that were free; None if one is another's."""
    minted = [uuid4() for _ in claims]
    written = [{**claim, "hold_id": hold_id.hex} for claim, hold_id in zip(claims, minted, strict=True)]
    found = connection.execute(_CLAIM, {**values, "claims": orjson.dumps(written).decode()}).fetchall()
    taken = {account.external_id: account for account in _accounts.form(is_sqlite=True).read(found)}
    if len(taken) < len(claims):
        return None
    accounts = [taken[claim["external_id"]] for claim in claims]
    return [(account.hold_id == hold_id, account) for account, hold_id in zip(accounts, minted, strict=True)]


def _login_event(login: FacebookAccountRow, seq: int, *, is_new: bool) -> list[object]:
    kind = EventKind.FACEBOOK_ACCOUNT_CONNECTED if is_new else EventKind.FACEBOOK_ACCOUNT_RECONNECTED
    return [uuid4().hex, login.user_id.hex, None, seq, kind, login.id.hex, "{}"]


def _account_event(account: SocialAccountRow, seq: int, *, is_new: bool) -> list[object]:
    kind = EventKind.SOCIAL_ACCOUNT_CONNECTED if is_new else EventKind.SOCIAL_ACCOUNT_RECONNECTED
    history = (_id(account.holder_user_id), _id(account.holder_workspace_id))
    details = json.dumps({"username": account.username})
    return [uuid4().hex, *history, seq, kind, account.hold_id.hex, details]
