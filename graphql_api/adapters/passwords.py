"""Hashing of passwords: argon2id, in threads, a bounded number at a time. And the list of common ones.

A hash holds its memory while it is made, so unbounded log-ins would take all of the machine's.
"""

import asyncio
import gzip
from base64 import b64encode
from functools import cache
from pathlib import Path
from secrets import token_bytes

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from graphql_api.domain.secrets import Secret

COMMON = Path(__file__).with_name("common_passwords.txt.gz")


class Passwords:
    """Makes and checks hashes. `time_cost`, `memory_kib` and `parallelism` are argon2id's."""

    def __init__(
        self, *, time_cost: int = 2, memory_kib: int = 19_456, parallelism: int = 1, at_once: int = 2
    ) -> None:
        # OWASP's minimum for argon2id (19 MiB, 2 passes, 1 lane): 28 ms on a shared core.
        self._hasher = PasswordHasher(time_cost, memory_kib, parallelism)
        self._at_once = asyncio.Semaphore(at_once)
        # Compared with when nobody has the address, so that the work is the same.
        self._nobody = _hash_of_nothing(self._hasher)

    async def hash(self, password: Secret) -> str:
        """A salted hash with its own parameters in it."""
        async with self._at_once:
            return await asyncio.to_thread(self._hasher.hash, password.reveal())

    async def matches(self, password: Secret, password_hash: str | None) -> bool:
        """Whether this is the password; as much work when there is no such user (None)."""
        async with self._at_once:
            same = await asyncio.to_thread(self._verify, password.reveal(), password_hash or self._nobody)
        return same and password_hash is not None

    def is_common(self, password: Secret) -> bool:
        """Is this one of the most common passwords, in whatever case?"""
        return password.reveal().strip().lower() in _common()

    def _verify(self, password: str, password_hash: str) -> bool:
        try:
            return self._hasher.verify(password_hash, password)
        except (VerificationError, InvalidHashError):
            return False


@cache
def _common() -> frozenset[str]:
    """Read when the first password is chosen: many processes never need it."""
    return frozenset(gzip.decompress(COMMON.read_bytes()).decode().split())


def _hash_of_nothing(hasher: PasswordHasher) -> str:
    """What looks like one of this hasher's hashes. It was made of no password, which took no time either."""
    salt, tag = (b64encode(token_bytes(n)).decode().rstrip("=") for n in (hasher.salt_len, hasher.hash_len))
    return f"$argon2id$v=19$m={hasher.memory_cost},t={hasher.time_cost},p={hasher.parallelism}${salt}${tag}"
