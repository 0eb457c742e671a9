"""Secrets that cannot be shown by accident.

Secret   a readable secret: a password, a bearer token, an access token, a code
Sealed   the same secret encrypted for one row; what the database keeps
"""

import hmac
from typing import NoReturn


class Secret:
    """A secret whose every accidental rendering is redacted; `reveal()` is the one way in."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The secret itself. A test lists the modules that may call this."""
        return self._value

    def __eq__(self, other: object) -> bool:
        """Whether two are the same secret, in a time that does not depend on where they differ."""
        return isinstance(other, Secret) and hmac.compare_digest(self._value.encode(), other._value.encode())

    def __hash__(self) -> int:
        return hash(self._value)

    def __repr__(self) -> str:
        return "Secret(***)"

    __str__ = __repr__

    def __format__(self, _spec: str) -> str:
        return repr(self)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not serialised")


class Sealed(str):
    """An encrypted envelope, bound to the row that it was sealed for (see `adapters.sealing`)."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "Sealed(***)"
