"""Sealing of access tokens: AES-256-GCM, the key's id in the envelope, bound to the row and its holder.

An envelope is `v1.<key id>.<base64url of nonce, ciphertext and tag>`. The binding is associated data, so
an envelope that was copied to another row, or whose row was given to another holder by hand, does not
open. Keys rotate online: new envelopes are sealed with the first key, old ones open with theirs.

A fingerprint is an HMAC-SHA-256 under a key derived from a sealing key: it tells whether two inputs are the
same, and nothing about the secrets in them.
"""

import base64
import binascii
import hmac
import json
import os
import re
from collections.abc import Mapping
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from graphql_api.domain.secrets import Sealed, Secret

KEY_BYTES = 32
_NONCE_BYTES = 12
_URL_SAFE = bytes.maketrans(b"+/", b"-_")
_KEY_ID = re.compile(r"[A-Za-z0-9_-]{1,20}")


class UnusableKey(ValueError):
    """A configured sealing key cannot be used. The message never holds the key."""


class CannotOpen(Exception):
    """An envelope is damaged, of an unknown key, or stands in a row that it was not sealed for."""


class Binding(NamedTuple):
    """Where an envelope belongs: it opens nowhere else."""

    table: str
    column: str
    platform: str
    external_id: str
    holder: str

    def associated_data(self, key_id: str) -> bytes:
        """The binding as bytes; the unit separator cannot occur in any part."""
        return "\x1f".join(("v1", key_id, *self)).encode()


class Keyring:
    """The sealing keys by id; the first one seals, all of them open."""

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        if not keys:
            raise UnusableKey("there is no sealing key")
        for key_id, key in keys.items():
            if not _KEY_ID.fullmatch(key_id):
                raise UnusableKey("a sealing key's id has 1 to 20 letters, digits, - or _")
            if len(key) != KEY_BYTES:
                raise UnusableKey(f"sealing key {key_id} is not {KEY_BYTES} bytes long")
        self._ciphers = {key_id: AESGCM(key) for key_id, key in keys.items()}
        self._primary = next(iter(keys))
        self._fingerprint_keys = {key_id: _fingerprint_key(key) for key_id, key in keys.items()}

    def __repr__(self) -> str:
        return f"Keyring({', '.join(self._ciphers)})"

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of the keys, the sealing one first."""
        return tuple(self._ciphers)

    def seal(self, secret: Secret, binding: Binding, *, key_id: str | None = None) -> Sealed:
        """Encrypt a secret for the row that it is about to stand in; with the first key, if none is named."""
        key_id = key_id or self._primary
        nonce = os.urandom(_NONCE_BYTES)
        body = self._ciphers[key_id].encrypt(nonce, secret.reveal().encode(), binding.associated_data(key_id))
        encoded = binascii.b2a_base64(nonce + body, newline=False).translate(_URL_SAFE)
        return Sealed(envelope_prefix(key_id) + encoded.decode())

    def open(self, sealed: Sealed, binding: Binding) -> Secret:
        """Decrypt an envelope.

        Raises:
            CannotOpen: it does not belong to this row, or its key is not on the ring.
        """
        version, _, rest = sealed.partition(".")
        key_id, _, body = rest.partition(".")
        cipher = self._ciphers.get(key_id)
        if version != "v1" or cipher is None:
            raise CannotOpen("sealed with a key that is not configured")
        try:
            raw = base64.urlsafe_b64decode(body)
            plain = cipher.decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], binding.associated_data(key_id))
        except (InvalidTag, binascii.Error, ValueError) as error:
            raise CannotOpen("not sealed for this row") from error
        return Secret(plain.decode())

    def fingerprint(self, value: object) -> bytes:
        """32 bytes for a value of lists, dicts, texts, numbers and secrets; under the first key."""
        return _mac(self._fingerprint_keys[self._primary], value)

    def has_fingerprint(self, value: object, fingerprint: bytes) -> bool:
        """Was the fingerprint made of the same value, under any key of the ring?"""
        return any(
            hmac.compare_digest(_mac(key, value), fingerprint) for key in self._fingerprint_keys.values()
        )


def _fingerprint_key(key: bytes) -> bytes:
    """A key of its own for each purpose: nothing that one of them gives away helps against the other."""
    return HKDFExpand(algorithm=SHA256(), length=KEY_BYTES, info=b"graphql_api fingerprint v1").derive(key)


def _mac(key: bytes, value: object) -> bytes:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), default=_readable)
    return hmac.digest(key, text.encode(), "sha256")


def _readable(value: object) -> str:
    if isinstance(value, Secret):
        return value.reveal()
    raise TypeError(f"{type(value).__name__} has no fingerprint")


def envelope_prefix(key_id: str) -> str:
    """How every envelope begins that was sealed with this key, and no other."""
    return f"v1.{key_id}."


def parse_keys(text: str) -> dict[str, bytes]:
    """Read keys written as `id:base64 id:base64 …`, the sealing one first (white space or commas between).

    Raises:
        UnusableKey: something is no key; the message says which, without its value.
    """
    keys: dict[str, bytes] = {}
    for position, item in enumerate(re.split(r"[\s,]+", text.strip()), start=1):
        key_id, colon, encoded = item.partition(":")
        if not colon or key_id in keys:
            raise UnusableKey(f"sealing key {position} is not written as ID:BASE64 with an id of its own")
        try:
            keys[key_id] = base64.b64decode(encoded, altchars=b"-_", validate=False)
        except (binascii.Error, ValueError) as error:
            raise UnusableKey(f"sealing key {position} is not base64") from error
    return keys


def new_key(key_id: str) -> str:
    """A fresh random key, as `parse_keys` reads it."""
    return f"{key_id}:{base64.urlsafe_b64encode(os.urandom(KEY_BYTES)).decode()}"
