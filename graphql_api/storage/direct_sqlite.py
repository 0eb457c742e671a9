"""The hot statements on SQLite: each is a plain function over a connection in a transaction.

Whoever is in it is the only writer, so what was read stays true until the end, and is not looked at twice.
A thread waits for the interpreter after every row that it writes by itself: so lists go in as JSON.
"""

import json
import sqlite3
from collections.abc import Sequence
from datetime import datetime
from itertools import count
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects import sqlite
from sqlmodel import col

from graphql_api.domain.events import EventKind
from graphql_api.storage.columns import UtcDateTime
from graphql_api.storage.prepared import Prepared
from graphql_api.storage.tables import FacebookAccount, SocialAccount

if TYPE_CHECKING:
    from graphql_api.storage.direct import Connecting, NewClaim

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
RETURNING id, created_at"""
# Without its WHERE, SQLite would take the select's ON CONFLICT for the condition of a join.
_CLAIM = """
INSERT INTO social_accounts AS held
  (id, platform, external_id, hold_id, holder_user_id, holder_workspace_id, display_name, display_name_key,
   profile_picture_url, facebook_account_id, connected_by_id, access_token, created_at, updated_at)
SELECT json_extract(value, '$.hold_id'), 'INSTAGRAM', json_extract(value, '$.external_id'),
  json_extract(value, '$.hold_id'), iif(:workspace_id IS NULL, :user_id, NULL), :workspace_id,
  json_extract(value, '$.display_name'), lower(json_extract(value, '$.display_name')),
  json_extract(value, '$.profile_picture_url'), :login_id, :user_id, json_extract(value, '$.access_token'),
  :now, :now
FROM json_each(:claims)
WHERE true
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
WHERE held.hold_id IS NULL OR (held.holder_user_id IS excluded.holder_user_id
  AND held.holder_workspace_id IS excluded.holder_workspace_id)
RETURNING external_id, id, hold_id, nickname, facebook_page_id, created_at"""
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
_logins = Prepared[Any](sa.select(col(FacebookAccount.id), col(FacebookAccount.created_at)))
_taken = Prepared[Any](
    sa.select(
        col(SocialAccount.external_id),
        col(SocialAccount.id),
        col(SocialAccount.hold_id),
        col(SocialAccount.nickname),
        col(SocialAccount.facebook_page_id),
        col(SocialAccount.created_at),
    )
)


def connect(connection: sqlite3.Connection, asked: "Connecting") -> list[Any]:
    """Connect everything to the user's Personal, or to the Workspace; no rows if something is in the way.

    The rows are those of PostgreSQL's statement.
    """
    login, workspace_id = asked.login, asked.workspace_id
    values = {
        "user_id": _id(asked.user_id),
        "api_token_id": _id(asked.api_token_id),
        "now": _time(asked.now),
        "new_login_id": _id(login.new_id),
        "facebook_user_id": login.facebook_user_id,
        "location": login.location,
        "access_token": login.access_token,
        "request_id": asked.request_id,
        "workspace_id": _id(workspace_id),
    }
    place = viewer = connection.execute(_VIEWER, values).fetchone()
    if workspace_id is not None:
        place = connection.execute(_WORKSPACE, values).fetchone()
    if viewer is None or place is None:
        return []
    kept = connection.execute(_LOGIN, values).fetchall()
    ((login_id, login_since),) = _logins.form(is_sqlite=True).read(kept)
    outcome = _claim(connection, {**values, "login_id": login_id.hex}, asked.claims)
    if outcome is None:
        return []
    new = sum(is_new for is_new, *_ in outcome)
    if new and place[0] + new > asked.limit:
        return []
    if workspace_id is None:
        connection.execute(_PERSONAL_GOES_ON, {**values, "events": 1 + len(outcome), "new": new})
    else:
        connection.execute(_PERSONAL_GOES_ON, {**values, "events": 1, "new": 0})
        if outcome:
            connection.execute(_WORKSPACE_GOES_ON, {**values, "events": len(outcome), "new": new})
    personal_seq = viewer[1] + 1  # the login's event comes first
    history = [None, values["workspace_id"]] if workspace_id is not None else [values["user_id"], None]
    happened = [
        _event([values["user_id"], None], personal_seq, _LOGIN_KIND[login_id == login.new_id], login_id, {}),
        *(
            _event(history, seq, _ACCOUNT_KIND[is_new], hold_id, {"display_name": claim["display_name"]})
            for seq, claim, (is_new, _, hold_id, *_) in zip(
                count((personal_seq if workspace_id is None else place[1]) + 1), asked.claims, outcome
            )
        ),
    ]
    connection.execute(_EVENTS, {**values, "happened": orjson.dumps(happened).decode()})
    accounts: Sequence[Sequence[object]] = outcome or [(None,) * 6]
    return [(login_id, login_since, *account) for account in accounts]


def _claim(
    connection: sqlite3.Connection, values: dict[str, Any], claims: Sequence["NewClaim"]
) -> list[tuple[bool, UUID, UUID, str | None, str | None, datetime]] | None:
    """Take the accounts in their order, with True for those that were free; None if one is another's."""
    minted = [uuid4() for _ in claims]
    written = [{**claim, "hold_id": hold_id.hex} for claim, hold_id in zip(claims, minted, strict=True)]
    found = connection.execute(_CLAIM, {**values, "claims": orjson.dumps(written).decode()}).fetchall()
    taken = {external_id: account for external_id, *account in _taken.form(is_sqlite=True).read(found)}
    if len(taken) < len(claims):
        return None
    accounts = [taken[claim["external_id"]] for claim in claims]
    return [(account[1] == hold_id, *account) for account, hold_id in zip(accounts, minted, strict=True)]


_LOGIN_KIND = (EventKind.FACEBOOK_ACCOUNT_RECONNECTED, EventKind.FACEBOOK_ACCOUNT_CONNECTED)
_ACCOUNT_KIND = (EventKind.SOCIAL_ACCOUNT_RECONNECTED, EventKind.SOCIAL_ACCOUNT_CONNECTED)


def _event(
    history: Sequence[Any], seq: int, kind: EventKind, subject_id: UUID, details: dict[str, str]
) -> list[object]:
    return [uuid4().hex, *history, seq, kind, subject_id.hex, json.dumps(details)]
