"""Secrets that are easy to find again, and the search for them after everything has stopped.

Whatever a test uses as a password or an access token begins with CANARY; whatever the server hands out as
a secret (bearer tokens, codes, also the mailed ones) is noted by the client. At the end none of them may stand in a log line,
an answer, or a file of a database.
"""

import hashlib
import json
import mmap
import re
from pathlib import Path
from typing import Any

PASSWORD = "CANARY-password-Zq81x"
LENGTH = 53  # of a bearer token or a code
_PASSWORDS = re.compile(b"CANARY")
_SECRETS = re.compile(b"CANARY|sc[aeirv]_[0-9A-Za-z]+")
# The three places of the schema that show a secret, once and on purpose.
SHOWN_ON_PURPOSE = frozenset({"bearerToken", "code", "accessToken"})


class Canaries:
    """Notes secrets and everything the server said, below one directory."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.answers = directory / "answers.jsonl"
        self.logs = directory / "logs.jsonl"
        self.secrets: set[str] = {"CANARY"}

    def access_token(self, of: str) -> str:
        """An access token for an account."""
        return f"CANARY-access-token-{of}"

    def heard(self, body: str) -> None:
        """Keep an answer, without what it shows on purpose."""
        try:
            answer = self._without_secrets(json.loads(body))
        except ValueError:
            answer = body
        with self.answers.open("a", encoding="utf-8") as file:
            file.write(json.dumps(answer) + "\n")

    def _without_secrets(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._without_secrets(item) for item in value]
        if not isinstance(value, dict):
            return value
        kept = {}
        for name, item in value.items():
            if name in SHOWN_ON_PURPOSE and isinstance(item, str):
                if item.startswith(("sca_", "sci_")):
                    self.secrets.add(item)
            else:
                kept[name] = self._without_secrets(item)
        return kept

    def found(self) -> list[str]:
        """Where secrets stand that should not: every file below the directory is searched.

        Of files with the same content, which fill most of a copied database, one is searched.
        """
        places = []
        searched: set[tuple[str, bytes]] = set()
        for path in sorted(self.directory.rglob("*")):
            if not path.is_file() or path.stat().st_size == 0:
                continue
            with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
                fingerprint = path.suffix, hashlib.sha1(content, usedforsecurity=False).digest()
                if fingerprint in searched:
                    continue
                # In a mail, the code that it is about stands on purpose.
                position = self._first(content, _PASSWORDS if path.suffix == ".eml" else _SECRETS)
                if position is None:
                    searched.add(fingerprint)
                else:
                    places.append(f"{path.relative_to(self.directory)} at byte {position}")
        return places

    def _first(self, content: mmap.mmap, pattern: re.Pattern[bytes]) -> int | None:
        """One pass over a file finds what has the form of a secret; a set tells whether it is one of ours."""
        for match in pattern.finditer(content):
            found = match.group().decode()
            if found in self.secrets or found[:LENGTH] in self.secrets:
                return match.start()
        return None
