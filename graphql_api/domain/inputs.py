"""What a caller may write: one check for each kind of value, all problems reported at once.

A check takes the problems found so far, the value's path, and the value; it appends what is wrong.
Messages name the rule and never repeat the value, which may be a secret or somebody's markup.
"""

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import urlsplit

from graphql_api.domain.secrets import Secret

MAX_ITEMS = 100
MAX_NAME = 100
MAX_ACCESS_TOKEN = 4096
MAX_URL = 2048
MAX_LOCATION = 200
MAX_NICKNAME = 100
MAX_PAGE_NAME = 75
MAX_IDEMPOTENCY_KEY = 255
MIN_PASSWORD, MAX_PASSWORD, MAX_PASSWORD_BYTES = 10, 256, 1024

_META_ID = re.compile(r"[1-9][0-9]{0,19}")
_USERNAME = re.compile(r"[A-Za-z0-9_]+(?:\.[A-Za-z0-9_]+)*")
_SURROGATES = re.compile("[\ud800-\udfff]")
_USUAL_HTTPS_URL = re.compile(r"https://[A-Za-z0-9.-]+(?:[/?#][A-Za-z0-9._~:/?#!$&()*+,;=%-]*)?")
_URL_CHARACTERS = re.compile(r"[A-Za-z0-9._~:/?#\[\]@!$&()*+,;=%-]+")
# Cc and Cs (surrogates) break databases and logs; Cf holds the bidi overrides and zero-width
# characters that make one name look like another; Zl and Zp break lines.
_REFUSED_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


class InvalidInputCode(StrEnum):
    """Why a value was not accepted. Clients branch on it, so it grows by OTHER first."""

    REQUIRED = "REQUIRED"
    TOO_SHORT = "TOO_SHORT"
    TOO_LONG = "TOO_LONG"
    INVALID_FORMAT = "INVALID_FORMAT"
    OUT_OF_RANGE = "OUT_OF_RANGE"
    DUPLICATE = "DUPLICATE"
    NOT_FOUND = "NOT_FOUND"
    NOT_ALLOWED = "NOT_ALLOWED"
    OTHER = "OTHER"


@dataclass(frozen=True, slots=True)
class InvalidInput:
    """A value that cannot be accepted as it is, and where it stands in the arguments."""

    path: tuple[str, ...]
    code: InvalidInputCode
    message: str


@dataclass(slots=True)
class Problems:
    """The problems of one input, in the order in which they were looked for."""

    found: list[InvalidInput] = field(default_factory=list)

    def add(self, path: tuple[str, ...], code: InvalidInputCode, message: str) -> None:
        """Note that the value at `path` is not acceptable."""
        self.found.append(InvalidInput(path, code, message))

    def __bool__(self) -> bool:
        return bool(self.found)


def check_meta_id(problems: Problems, path: tuple[str, ...], value: str) -> None:
    """An id that Meta gave: 1 to 20 digits, kept as text (17 digits do not fit a JavaScript number).

    A leading zero is refused, because it would give one account two keys.
    """
    if not value:
        problems.add(path, InvalidInputCode.REQUIRED, "An id is required")
    elif not _META_ID.fullmatch(value):
        problems.add(
            path, InvalidInputCode.INVALID_FORMAT, "An id has 1 to 20 digits and does not begin with 0"
        )


def check_username(problems: Problems, path: tuple[str, ...], value: str) -> str:
    """An Instagram username: 1 to 30 of letters, digits, `.` and `_`; no dot first, last or doubled."""
    if not value:
        problems.add(path, InvalidInputCode.REQUIRED, "A username is required")
    elif len(value) > 30:  # noqa: PLR2004 - Instagram's limit, as the docstring says
        problems.add(path, InvalidInputCode.TOO_LONG, "A username has at most 30 characters")
    elif not _USERNAME.fullmatch(value):
        problems.add(
            path,
            InvalidInputCode.INVALID_FORMAT,
            "A username has letters, digits, dots and underscores, and no dot first, last or doubled",
        )
    return value


def check_page_name(problems: Problems, path: tuple[str, ...], value: str) -> str:
    """A Facebook Page's name: 1 to 75 characters; returns it in its normal form."""
    return check_text(problems, path, value, longest=MAX_PAGE_NAME)


def check_access_token(problems: Problems, path: tuple[str, ...], value: Secret) -> None:
    """An access token: opaque, 1 to 4096 printable ASCII characters, no prefix demanded."""
    text = value.reveal()
    if not text:
        problems.add(path, InvalidInputCode.REQUIRED, "An access token is required")
    elif len(text) > MAX_ACCESS_TOKEN:
        problems.add(
            path, InvalidInputCode.TOO_LONG, f"An access token has at most {MAX_ACCESS_TOKEN} characters"
        )
    elif not _is_printable_ascii(text):
        problems.add(
            path, InvalidInputCode.INVALID_FORMAT, "An access token has printable ASCII characters only"
        )


def check_picture_url(problems: Problems, path: tuple[str, ...], value: str) -> None:
    """A profile picture's URL: https, at most 2048 characters, never fetched; empty means none."""
    if not value:
        return
    if len(value) > MAX_URL:
        problems.add(path, InvalidInputCode.TOO_LONG, f"A URL has at most {MAX_URL} characters")
    elif not _is_https_url(value):
        problems.add(path, InvalidInputCode.INVALID_FORMAT, "A profile picture URL starts with https://")


def check_text(
    problems: Problems,
    path: tuple[str, ...],
    value: str,
    *,
    longest: int,
    required: bool = True,
    lines: bool = False,
) -> str:
    """A line (or `lines`) of text for people: returns it NFC-normalised, without white space around it."""
    text = unicodedata.normalize("NFC", value).strip() if _encodable(value) else value
    if lines:
        text = text.replace("\r\n", "\n")
    if not text:
        if required:
            problems.add(path, InvalidInputCode.REQUIRED, "A value is required")
    elif len(text) > longest:
        problems.add(path, InvalidInputCode.TOO_LONG, f"This has at most {longest} characters")
    elif not text.isprintable() and any(
        unicodedata.category(character) in _REFUSED_CATEGORIES and not (lines and character == "\n")
        for character in text
    ):
        problems.add(path, InvalidInputCode.INVALID_FORMAT, "This holds characters that cannot be shown")
    return text


def check_password(
    problems: Problems,
    path: tuple[str, ...],
    value: Secret,
    *,
    is_common: Callable[[Secret], bool],
    email: str,
) -> Secret:
    """A new password: 10 to 256 characters, not a common one, not the user's address or its local part.

    Returns it in the normal form that is hashed (NFC): what one keyboard writes as composed characters,
    another may write as combining ones. More than 1024 bytes are refused before any hashing.
    """
    if not _encodable(value.reveal()):
        problems.add(path, InvalidInputCode.INVALID_FORMAT, "A password is Unicode text")
        return value
    normal = normal_password(value)
    password = normal.reveal()
    if not password:
        problems.add(path, InvalidInputCode.REQUIRED, "A password is required")
    elif len(password) < MIN_PASSWORD:
        problems.add(path, InvalidInputCode.TOO_SHORT, f"A password has at least {MIN_PASSWORD} characters")
    elif _is_too_long(password):
        problems.add(
            path,
            InvalidInputCode.TOO_LONG,
            f"A password has at most {MAX_PASSWORD} characters and {MAX_PASSWORD_BYTES} bytes",
        )
    elif email and password.strip().casefold() in {email.casefold(), email.casefold().rpartition("@")[0]}:
        problems.add(
            path, InvalidInputCode.NOT_ALLOWED, "A password cannot be the e-mail address or a part of it"
        )
    elif is_common(normal):
        problems.add(
            path, InvalidInputCode.NOT_ALLOWED, "Many people use this password. Please choose another one"
        )
    return normal


def normal_password(value: Secret) -> Secret:
    """The form of a password that is hashed and compared."""
    return Secret(unicodedata.normalize("NFC", value.reveal()))


def could_be_password(value: Secret) -> bool:
    """Is this worth hashing: could it be anybody's password, also one that was chosen by older rules?"""
    text = value.reveal()
    return bool(text) and _encodable(text) and not _is_too_long(normal_password(value).reveal())


def _is_too_long(password: str) -> bool:
    return len(password) > MAX_PASSWORD or len(password.encode()) > MAX_PASSWORD_BYTES


def check_idempotency_key(problems: Problems, path: tuple[str, ...], value: str | None) -> None:
    """A key that tells retries from new calls: 1 to 255 printable ASCII characters; None is no key."""
    if value is None:
        return
    if not value:
        problems.add(path, InvalidInputCode.REQUIRED, "An idempotency key has at least one character")
    elif len(value) > MAX_IDEMPOTENCY_KEY:
        problems.add(
            path,
            InvalidInputCode.TOO_LONG,
            f"An idempotency key has at most {MAX_IDEMPOTENCY_KEY} characters",
        )
    elif not _is_printable_ascii(value):
        problems.add(
            path, InvalidInputCode.INVALID_FORMAT, "An idempotency key has printable ASCII characters only"
        )


def check_item_count(
    problems: Problems, path: tuple[str, ...], items: Sequence[object], *, least: int = 0
) -> None:
    """A list that a call may hand over: at most 100 items, and where it must name something, at least one."""
    if len(items) > MAX_ITEMS:
        problems.add(path, InvalidInputCode.TOO_LONG, f"A list has at most {MAX_ITEMS} items")
    elif len(items) < least:
        problems.add(path, InvalidInputCode.TOO_SHORT, f"A list needs at least {least} item")


def _encodable(value: str) -> bool:
    """Whether the text has no lone surrogate, which no database, log or hash can take."""
    return value.isascii() or not _SURROGATES.search(value)


def _is_printable_ascii(value: str) -> bool:
    return value.isascii() and value.isprintable()


def _is_https_url(value: str) -> bool:
    if _USUAL_HTTPS_URL.fullmatch(value):
        return True  # the parser would say the same, and take ten times as long
    if not _URL_CHARACTERS.fullmatch(value):
        return False
    try:
        parts = urlsplit(value)
        return parts.scheme == "https" and bool(parts.hostname) and "@" not in parts.netloc
    except ValueError:
        return False
