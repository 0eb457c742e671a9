"""Signed requests: what Meta posts when a user removes our app, or asks for their data to be deleted.

A signature, a dot and a payload, both in base64url. The signature is over the payload as it came. Source:
https://developers.facebook.com/docs/development/create-an-app/app-dashboard/data-deletion-callback
"""

import base64
import binascii
import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

from graphql_api.domain.secrets import Secret

LONGEST = 4096  # characters
_PARTS = re.compile(r"([A-Za-z0-9_-]{43})={0,2}\.([A-Za-z0-9_-]{1,4000})={0,2}")
_META_ID = re.compile(r"[1-9][0-9]{0,19}")
_LATEST = 32_503_680_000  # the year 3000


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """What Meta signed: about which Facebook user, and when. `fingerprint` tells it from every other."""

    facebook_user_id: str
    issued_at: datetime
    fingerprint: bytes


def read_signed(text: str, secret: Secret) -> SignedRequest | None:
    """Read a signed request; None if our app's secret did not sign it, or if it is none."""
    parts = _PARTS.fullmatch(text) if len(text) <= LONGEST else None
    if parts is None:
        return None
    signature, payload = parts.groups()
    ours = hmac.digest(secret.reveal().encode(), payload.encode(), "sha256")
    theirs, document = _decoded(signature), _decoded(payload)
    if theirs is None or document is None or not hmac.compare_digest(ours, theirs):
        return None
    return _read(document, hashlib.sha256(payload.encode()).digest())


def _decoded(text: str) -> bytes | None:
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error:
        return None


def _read(document: bytes, fingerprint: bytes) -> SignedRequest | None:
    try:
        data: Any = orjson.loads(document)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(data, dict) or data.get("algorithm") != "HMAC-SHA256":
        return None
    user_id, issued_at = data.get("user_id"), data.get("issued_at")
    if not isinstance(user_id, str) or _META_ID.fullmatch(user_id) is None:
        return None
    if type(issued_at) is not int or not 0 < issued_at < _LATEST:
        return None
    return SignedRequest(user_id, datetime.fromtimestamp(issued_at, UTC), fingerprint)
