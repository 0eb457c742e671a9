"""The form of the secrets that callers hold: a typed prefix, 256 random bits, a checksum.

The prefix lets a leaked one be recognised and found by scanners; the checksum (CRC-32, after GitHub's
token format) refuses a mistyped one without a look into the database.
"""

import hashlib
import zlib

from graphql_api.domain.secrets import Secret

BEARER_TOKEN = "sca"  # social connections, API token  # noqa: S105 - a prefix, not a secret
INVITATION_CODE = "sci"
VERIFICATION_CODE = "scv"
RESET_CODE = "scr"
CHANGE_CODE = "sce"  # of an e-mail address

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_RANDOM_DIGITS, _CHECK_DIGITS = 43, 6
RANDOM_BYTES = 32


def mint(prefix: str, random: bytes) -> Secret:
    """A new secret of 53 or so characters from 32 random bytes."""
    body = f"{prefix}_{_base62(int.from_bytes(random), _RANDOM_DIGITS)}"
    return Secret(body + _checksum(body))


def is_well_formed(prefix: str, secret: Secret) -> bool:
    """Whether this can be a secret that `mint` made."""
    text = secret.reveal()
    body, check = text[:-_CHECK_DIGITS], text[-_CHECK_DIGITS:]
    return (
        len(text) == len(prefix) + 1 + _RANDOM_DIGITS + _CHECK_DIGITS
        and text.isascii()
        and body.startswith(f"{prefix}_")
        and _checksum(body) == check
    )


def digest(secret: Secret) -> bytes:
    """What the database keeps: SHA-256, enough for 256 random bits, where a password needs more."""
    return hashlib.sha256(secret.reveal().encode()).digest()


def _checksum(body: str) -> str:
    return _base62(zlib.crc32(body.encode()), _CHECK_DIGITS)


def _base62(number: int, width: int) -> str:
    digits = ""
    while number:
        number, digit = divmod(number, 62)
        digits = _DIGITS[digit] + digits
    return digits.rjust(width, "0")
