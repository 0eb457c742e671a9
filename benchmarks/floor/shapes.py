"""Values in, values out: checks of the input, sealing, and the JSON that the GraphQL servers answer."""

import base64
import hashlib
import json
import os
import re
import zlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import orjson
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

MAX_ITEMS = 100
HOUR = timedelta(hours=1)
MAX_LOCATION = 200
_META_ID = re.compile(r"[1-9][0-9]{0,19}")
_USERNAME = re.compile(r"(?=.{1,30}\Z)[A-Za-z0-9_](?:\.?[A-Za-z0-9_])*")
_ACCESS_TOKEN = re.compile(r"[\x20-\x7e]{1,4096}")
_URL = re.compile(r"https://[A-Za-z0-9._~:/?#\[\]!$&()*+,;=%-]{1,2040}")
_BEARER_TOKEN = re.compile(r"sca_[0-9A-Za-z]{49}")
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

Json = dict[str, Any]


class Sealer:
    """Seals access tokens for their rows, as the server does."""

    def __init__(self, keys: str) -> None:
        self._key_id, _, key = keys.partition(":")
        self._cipher = AESGCM(base64.urlsafe_b64decode(key))

    def seal(self, secret: str, table: str, platform: str, external_id: str, holder: str) -> str:
        """The envelope of a secret."""
        bound = f"v1\x1f{self._key_id}\x1f{table}\x1faccess_token\x1f{platform}\x1f{external_id}\x1f{holder}"
        nonce = os.urandom(12)
        body = nonce + self._cipher.encrypt(nonce, secret.encode(), bound.encode())
        return f"v1.{self._key_id}.{base64.urlsafe_b64encode(body).decode()}"


def token_hash(authorization: str | None) -> bytes | None:
    """What the database knows a bearer token by; None if it cannot be one."""
    token = (authorization or "").removeprefix("Bearer ")
    if not _BEARER_TOKEN.fullmatch(token) or token[-6:] != _checksum(token[:-6]):
        return None
    return hashlib.sha256(token.encode()).digest()


def _checksum(body: str) -> str:
    number, digits = zlib.crc32(body.encode()), ""
    for _ in range(6):
        number, digit = divmod(number, 62)
        digits = _DIGITS[digit] + digits
    return digits


def problems_of(command: Json) -> list[Json]:
    """What is wrong with the input of connecting, each with its path."""
    found: list[Json] = []
    facebook, accounts = command["facebookAccount"], command["instagramAccounts"]
    at = ["input", "facebookAccount"]
    if not _META_ID.fullmatch(facebook["facebookUserId"]):
        found.append(_invalid([*at, "facebookUserId"]))
    if not _ACCESS_TOKEN.fullmatch(facebook["accessToken"]):
        found.append(_invalid([*at, "accessToken"]))
    location = facebook.get("location")
    if location is not None and not (len(location) <= MAX_LOCATION and location.isprintable()):
        found.append(_invalid([*at, "location"]))
    if len(accounts) > MAX_ITEMS:
        return [*found, _invalid(["input", "instagramAccounts"], "TOO_LONG")]
    seen: set[str] = set()
    for index, account in enumerate(accounts):
        if not _is_acceptable(account, seen):
            found += _problems_at(index, account, seen)
        seen.add(account["instagramUserId"])
    return found


def _is_acceptable(account: Json, seen: set[str]) -> bool:
    external_id, picture = account["instagramUserId"], account["profilePictureUrl"]
    return bool(
        external_id not in seen
        and _META_ID.fullmatch(external_id)
        and _USERNAME.fullmatch(account["username"])
        and (not picture or _is_url(picture))
        and _ACCESS_TOKEN.fullmatch(account["accessToken"])
    )


def _problems_at(index: int, account: Json, seen: set[str]) -> list[Json]:
    external_id, picture = account["instagramUserId"], account["profilePictureUrl"]
    found = []
    if not _META_ID.fullmatch(external_id):
        found.append(_invalid(path_of(index)))
    if external_id in seen:
        found.append(_invalid(path_of(index), "DUPLICATE"))
    if not _USERNAME.fullmatch(account["username"]):
        found.append(_invalid(path_of(index, "username")))
    if picture and not _is_url(picture):
        found.append(_invalid(path_of(index, "profilePictureUrl")))
    if not _ACCESS_TOKEN.fullmatch(account["accessToken"]):
        found.append(_invalid(path_of(index, "accessToken")))
    return found


def path_of(index: int, field: str = "instagramUserId") -> list[str]:
    """Where a problem with an account is told."""
    return ["input", "instagramAccounts", str(index), field]


def _invalid(path: Sequence[str], code: str = "INVALID_FORMAT") -> Json:
    return {"__typename": "InvalidInput", "path": path, "message": "This is not acceptable", "code": code}


def _is_url(text: str) -> bool:
    return bool(_URL.fullmatch(text)) and bool(urlsplit(text).hostname)


def conflict(index: int, account: Json, user_id: Any, holding: Mapping[str, Any]) -> Json | None:
    """What stands in the way of an account that is claimed for a Personal; None if it is held there."""
    if holding["holder_user_id"] == user_id:
        return None
    kind, sentence = "HeldElsewhere", "This social account is already connected elsewhere"
    if holding["role"] == "ADMIN":
        kind, sentence = (
            "HeldByWorkspace",
            (
                "To connect this social media account to your Personal, "
                "you must first remove it from your Workspace accounts"
            ),
        )
    elif holding["role"] == "CREATOR":
        kind, sentence = "HeldByWorkspace", "This social account is already connected to your Workspace!"
    message = f"Instagram account {account['username']} not connected. {sentence}"
    return {
        "__typename": kind,
        "path": path_of(index),
        "message": message,
        "platform": "INSTAGRAM",
        "externalId": account["instagramUserId"],
        "resolutions": ["MOVE", "DISCONNECT"] if holding["role"] == "ADMIN" else [],
    }


def limit_reached(index: int, account: Json, used: int, limit: int) -> Json:
    """The place is full."""
    told = f"This place holds {used} of at most {limit} social accounts"
    return {
        "__typename": "AccountLimitReached",
        "path": path_of(index),
        "message": f"Instagram account {account['username']} not connected. {told}",
        "limit": limit,
        "used": used,
    }


def find_conflicts(
    accounts: Sequence[Json],
    user_id: Any,
    used: int,
    holdings: Mapping[str, Mapping[str, Any]],
    limit: int,
) -> list[Json]:
    """All conflicts, in the order of the input."""
    conflicts = []
    room = limit - used
    for index, account in enumerate(accounts):
        holding = holdings.get(account["instagramUserId"])
        if holding is not None:
            found = conflict(index, account, user_id, holding)
            if found is not None:
                conflicts.append(found)
        elif room > 0:
            room -= 1
        else:
            conflicts.append(limit_reached(index, account, used, limit))
    return conflicts


def elsewhere(conflicts: Sequence[Json]) -> int:
    """How many accounts an answer reports as held elsewhere."""
    return sum(conflict["__typename"] == "HeldElsewhere" for conflict in conflicts)


def look_ups_key(user_id: UUID) -> bytes:
    """What the look-ups of a user are counted under."""
    return hashlib.sha256(f"look-up\x1f{user_id}".encode()).digest()


def failure(errors: list[Json]) -> Json:
    """Nothing was connected."""
    return {
        "connectSocialAccounts": {
            "__typename": "ConnectSocialAccountsFailure",
            "message": "Could not save the entity.",
            "errors": errors,
        }
    }


def connected(rows: Sequence[Mapping[str, Any]]) -> Json:
    """What was connected; the first columns of every row are the Facebook account's."""
    first = rows[0]
    return {
        "connectSocialAccounts": {
            "__typename": "ConnectSocialAccountsSuccess",
            "facebookAccount": {
                "id": global_id("FacebookAccount", first["facebook_account_id"]),
                "facebookUserId": first["facebook_user_id"],
                "location": first["location"],
            },
            "connected": [
                {
                    "outcome": "CONNECTED" if row["is_new"] else "RECONNECTED",
                    "socialAccount": {**account_of(row), "updatedAt": moment(row["updated_at"])},
                }
                for row in rows
                if row["hold_id"] is not None
            ],
            "notConnected": [],
        }
    }


def account_of(row: Mapping[str, Any]) -> Json:
    """The fields that every work shows of an account."""
    return {
        "id": global_id("InstagramAccount", row["hold_id"]),
        "externalId": row["external_id"],
        "displayName": row["display_name"],
        "nickname": row["nickname"],
        "profilePictureUrl": row["profile_picture_url"],
        "createdAt": moment(row["created_at"]),
    }


def page_of(rows: Sequence[Mapping[str, Any]], size: int) -> Json:
    """A page of accounts, read with one row more than it shows."""
    shown = rows[:size]
    return {
        "nodes": [
            {
                **account_of(row),
                "facebookAccount": None
                if row["facebook_account_id"] is None
                else {
                    "id": global_id("FacebookAccount", row["facebook_account_id"]),
                    "facebookUserId": row["facebook_user_id"],
                },
                "connectedTeams": []
                if row["teams"] is None
                else [{"id": global_id("Team", key), "name": name} for key, name in json.loads(row["teams"])],
            }
            for row in shown
        ],
        "pageInfo": {
            "hasNextPage": len(rows) > size,
            "endCursor": cursor(shown[-1]["created_at"], shown[-1]["hold_id"]) if shown else None,
        },
    }


def events_of(rows: Sequence[Mapping[str, Any]], size: int) -> Json:
    """A page of a history."""
    return {
        "nodes": [
            {
                "id": global_id("Event", row["id"]),
                "kind": row["kind"],
                "occurredAt": moment(row["created_at"]),
                "socialAccountId": global_id("InstagramAccount", row["subject_id"]),
            }
            for row in rows[:size]
        ]
    }


def global_id(kind: str, key: UUID | str) -> str:
    """The id that clients see."""
    return base64.b64encode(f"{kind}:{key}".encode()).decode()


def cursor(created_at: datetime, hold_id: UUID | str) -> str:
    """Where an account stands in its list."""
    parts = orjson.dumps([created_at.isoformat(), str(hold_id)])
    return base64.urlsafe_b64encode(parts).decode().rstrip("=")


def moment(value: datetime) -> str:
    """A time as clients see it."""
    return value.isoformat(timespec="milliseconds")[:23] + "Z"
