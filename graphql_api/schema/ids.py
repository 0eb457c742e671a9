"""Global ids: opaque to clients, unique over all types, as Relay asks for."""

import base64
import binascii
from uuid import UUID

from strawberry import ID

from graphql_api.domain.platforms import PLATFORMS

# What a malformed id is read as: nothing has it, so it takes the same way as an id that is merely absent.
NO_ID = UUID(int=0)
_SOCIAL_ACCOUNTS = frozenset(facts.graphql_type for facts in PLATFORMS.values())


def write_id(type_name: str, key: UUID) -> ID:
    """The global id of an object."""
    # An ID is a str; to call it, for each object of a page, would change nothing and take its time.
    return binascii.b2a_base64(f"{type_name}:{key!s}".encode(), newline=False).decode()  # type: ignore[return-value]


def read_id(type_name: str, text: str) -> UUID:
    """The key in a global id of this type; `NO_ID` when it is none."""
    found, key = split_id(text)
    return key if found == type_name else NO_ID


def read_social_account_id(text: str) -> UUID:
    """The key in the global id of a social account of any platform; `NO_ID` when it is none."""
    found, key = split_id(text)
    return key if found in _SOCIAL_ACCOUNTS else NO_ID


def split_id(text: str) -> tuple[str, UUID]:
    """The type and key of any global id; an empty type and `NO_ID` when it is none."""
    try:
        type_name, _, key = base64.b64decode(text, validate=True).decode("ascii").partition(":")
        parsed = UUID(key)
    except (binascii.Error, ValueError):
        return "", NO_ID
    # Only the form that we write: an object has one id, or client caches would hold it twice.
    return (type_name, parsed) if write_id(type_name, parsed) == text else ("", NO_ID)
