"""Whom GraphiQL is logged in as in development: people of the demo, in a file that only its owner reads.

docs/decisions/0013-graphiql-is-logged-in.md says why there is a file, and who gets what is in it.
"""

import asyncio
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from graphql_api.domain.faults import Unauthenticated
from graphql_api.domain.holders import Role
from graphql_api.domain.secrets import Secret
from graphql_api.services.calls.call import Services
from graphql_api.services.people import api_tokens
from graphql_api.services.upkeep.demo import Demo, Person


class DemoPerson(NamedTuple):
    """One of the demo's people, their role in its Workspace, and a bearer token of theirs."""

    name: str
    role: Role
    bearer_token: Secret


def keep(demo: Demo, file: Path) -> None:
    """Write down the creator and the admin, for the server that runs in this folder."""
    people: Sequence[tuple[Person, Role]] = ((demo.creator, Role.CREATOR), (demo.admin, Role.ADMIN))
    written = [
        {"name": person.name, "role": role, "bearerToken": person.bearer_token.reveal()}
        for person, role in people
    ]
    write_private(file, json.dumps(written, indent=2) + "\n")


async def recall(services: Services, file: Path) -> Sequence[DemoPerson]:
    """Read who was written down; without those whose bearer token is not valid in this database now."""
    people = await asyncio.to_thread(_read, file)
    return [person for person in people if await _is_valid(services, person)]


def _read(file: Path) -> Sequence[DemoPerson]:
    try:
        written = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return []
    return [DemoPerson(one["name"], Role(one["role"]), Secret(one["bearerToken"])) for one in written]


async def _is_valid(services: Services, person: DemoPerson) -> bool:
    try:
        await api_tokens.authenticate(services, f"Bearer {person.bearer_token.reveal()}")
    except Unauthenticated:
        return False
    return True


def write_private(file: Path, text: str) -> None:
    """Write a file anew that only its owner can read."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    file.unlink(missing_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
        out.write(text)
