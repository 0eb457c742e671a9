"""From the tables of the revision before, filled, to today's: nothing is lost, and what is new is filled in."""

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest

from graphql_api import app as application
from graphql_api.domain.secrets import Secret
from graphql_api.storage.migrations import migrate
from graphql_api.storage.sqlite import sqlite_path
from tests import operations
from tests.api import Api
from tests.canaries import PASSWORD, Canaries
from tests.conftest import DATABASES, make_settings
from tests.serving import in_process

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
ADA, BEA, GONE = (UUID(int=number) for number in (1, 2, 3))
STUDIO, TEAM, HELD, OF_ADA, INVITATION, REQUEST = (UUID(int=number) for number in range(11, 17))


@pytest.fixture(params=DATABASES)
def old_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database without any table."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'old.sqlite3'}"
    server = request.getfixturevalue("postgresql")
    name = f"old_{uuid4().hex}"
    server.psql(f"CREATE DATABASE {name}")
    return str(server.get_uri(name))


class Old:
    """The old database, written without any code of the server."""

    def __init__(self, url: str) -> None:
        self.url = url

    async def run(self, sql: str) -> list[dict[str, Any]]:
        if self.url.startswith("sqlite"):
            with closing(sqlite3.connect(sqlite_path(self.url))) as connection:
                connection.row_factory = sqlite3.Row
                found = [dict(row) for row in connection.execute(sql).fetchall()]
                connection.commit()
                return found
        postgresql = await asyncpg.connect(self.url)
        try:
            return [dict(row) for row in await postgresql.fetch(sql)]
        finally:
            await postgresql.close()

    async def insert(self, table: str, **values: object) -> None:
        written = ", ".join(self._literal(value) for value in values.values())
        await self.run(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({written})")

    def _literal(self, value: object) -> str:
        if value is None:
            return "NULL"
        if isinstance(value, int):
            return str(value)
        if isinstance(value, bytes):
            return f"x'{value.hex()}'" if self.url.startswith("sqlite") else f"'\\x{value.hex()}'"
        if isinstance(value, UUID):
            return f"'{value.hex if self.url.startswith('sqlite') else value}'"
        if isinstance(value, datetime):
            return f"'{value:%Y-%m-%d %H:%M:%S.%f}{'' if self.url.startswith('sqlite') else '+00'}'"
        return f"'{json.dumps(value) if isinstance(value, dict) else value}'"


EVENTS: list[tuple[Any, Any, str, UUID | None, UUID | None, dict[str, str]]] = [
    (ADA, None, "USER_REGISTERED", ADA, ADA, {}),
    (None, STUDIO, "WORKSPACE_CREATED", ADA, STUDIO, {"name": "First Name"}),
    (None, STUDIO, "WORKSPACE_RENAMED", ADA, STUDIO, {"from": "First Name", "to": "Studio"}),
    (None, STUDIO, "MEMBER_INVITED", ADA, INVITATION, {"role": "CREATOR"}),
    (None, STUDIO, "MEMBER_JOINED", BEA, BEA, {"role": "CREATOR"}),
    (None, STUDIO, "MEMBER_LEFT", None, GONE, {}),
    (None, STUDIO, "TEAM_CREATED", ADA, TEAM, {"name": "Films"}),
    (None, STUDIO, "TEAM_MEMBER_ADDED", ADA, BEA, {"team": "Films"}),
    (None, STUDIO, "SOCIAL_ACCOUNT_CONNECTED", ADA, HELD, {"username": "studio.north"}),
    (None, STUDIO, "SOCIAL_ACCOUNT_RENAMED", ADA, HELD, {"username": "studio.north", "nickname": "N"}),
    (None, STUDIO, "ACCESS_REQUESTED", BEA, REQUEST, {"username": "Studio.North"}),
]
NAMES = [
    ("Ada", "Ada", None),
    ("Ada", "First Name", None),
    ("Ada", "Studio", None),
    ("Ada", "bea@example.com", None),
    ("Bea", "Bea", None),
    (None, None, None),
    ("Ada", "Films", None),
    ("Ada", "Bea", None),
    ("Ada", "studio.north", "INSTAGRAM"),
    ("Ada", "studio.north", "INSTAGRAM"),
    ("Bea", "Studio.North", "INSTAGRAM"),
]


TABLES = (
    *("users", "workspaces", "memberships", "teams", "team_members", "social_accounts", "shares"),
    *("invitations", "access_requests", "email_codes", "mails", "events"),
)


async def fill(old: Old, password_hash: str) -> None:
    """One of everything, as the revision before keeps it."""
    made = {"created_at": NOW, "updated_at": NOW}
    for user_id, name in ((ADA, "Ada"), (BEA, "Bea")):
        email = f"{name.lower()}@example.com"
        await old.insert(
            "users", id=user_id, email=email, email_key=email, name=name, password_hash=password_hash,
            email_verified_at=NOW, held_count=int(user_id == ADA), event_seq=1, **made,
        )  # fmt: skip
    await old.insert("workspaces", id=STUDIO, name="Studio", held_count=1, event_seq=10, **made)
    for user_id, role in ((ADA, "ADMIN"), (BEA, "CREATOR")):
        await old.insert("memberships", workspace_id=STUDIO, user_id=user_id, role=role, created_at=NOW)
    await old.insert("teams", id=TEAM, workspace_id=STUDIO, name="Films", **made)
    await old.insert("team_members", team_id=TEAM, user_id=BEA, workspace_id=STUDIO, created_at=NOW)
    held: list[tuple[UUID, str, str, UUID | None, UUID | None]] = [
        (HELD, "1", "Studio.North", None, STUDIO),
        (OF_ADA, "2", "ada", ADA, None),
    ]
    for row_id, external_id, name, holder_id, workspace_id in held:
        await old.insert(
            "social_accounts", id=row_id, platform="INSTAGRAM", external_id=external_id, hold_id=row_id,
            holder_user_id=holder_id, holder_workspace_id=workspace_id, username=name, username_key=name.lower(),
            connected_by_id=ADA, access_token="v1.k1.sealed", **made,
        )  # fmt: skip
    await old.insert(
        "social_accounts", id=uuid4(), platform="INSTAGRAM", external_id="3", updated_at=NOW
    )  # nobody holds it
    await old.insert("shares", team_id=TEAM, social_account_id=HELD, created_at=NOW)
    await old.insert(
        "invitations", id=INVITATION, workspace_id=STUDIO, email="bea@example.com", email_key="bea@example.com",
        role="CREATOR", code_hash=b"c" * 32, invited_by_id=ADA, created_at=NOW,
        expires_at=NOW + timedelta(days=7), accepted_at=NOW,
    )  # fmt: skip
    await old.insert(
        "access_requests", id=REQUEST, workspace_id=STUDIO, requester_id=BEA, platform="INSTAGRAM",
        external_id="9", username="Studio.North", status="PENDING", **made,
    )  # fmt: skip
    await old.insert(
        "email_codes", id=uuid4(), user_id=ADA, purpose="RESET_PASSWORD", email_key="ada@example.com",
        code_hash=b"d" * 32, created_at=NOW, expires_at=NOW,
    )  # fmt: skip
    await old.insert(
        "mails", id=uuid4(), kind="ADDRESS_TAKEN", recipient="ada@example.com", details={"name": "Ada"},
        attempts=0, due_at=NOW, created_at=NOW, sent_at=NOW,
    )  # fmt: skip
    seqs = {ADA: 0, STUDIO: 0}
    for user_id, workspace_id, kind, actor_id, subject_id, details in EVENTS:
        place = workspace_id if user_id is None else user_id
        seqs[place] += 1
        await old.insert(
            "events", id=uuid4(), user_id=user_id, workspace_id=workspace_id, seq=seqs[place], kind=kind,
            actor_id=actor_id, subject_id=subject_id, request_id="r", details=details, created_at=NOW,
        )  # fmt: skip


async def test_a_filled_database_keeps_everything_and_names_are_filled_in(
    old_url: str, canaries: Canaries, tmp_path: Path
) -> None:
    # given
    await migrate(old_url, "0002")
    old = Old(old_url)
    settings = make_settings(old_url, mail_outbox=tmp_path / "outbox")
    await fill(old, await application.build_services(settings).passwords.hash(Secret(PASSWORD)))
    before = {table: await old.run(f"SELECT * FROM {table}") for table in TABLES}

    # when
    await migrate(old_url)

    # then
    renamed = {"username": "display_name", "username_key": "display_name_key"}
    for table, rows in before.items():
        after = await old.run(f"SELECT * FROM {table}")
        kept = [{renamed.get(name, name): value for name, value in row.items()} for row in rows]
        found = [{name: row[name] for name in kept[0]} for row in after]
        assert sorted(map(str, found)) == sorted(map(str, kept)), table
    ordered = "SELECT actor_name, subject_name, platform FROM events ORDER BY workspace_id IS NOT NULL, seq"
    assert [tuple(row.values()) for row in await old.run(ordered)] == NAMES
    members = await old.run("SELECT id FROM memberships")
    assert len({str(row["id"]) for row in members}) == 2

    # and the server works on it
    async with (
        in_process(application.create_app(settings)) as transport,
        httpx.AsyncClient(transport=transport, base_url="http://testserver") as http,
    ):
        api = Api(http, canaries)
        logged_in = await api.mutate(
            operations.LOG_IN, {"email": "ada@example.com", "password": PASSWORD, "label": "l"}
        )
        found_now = await api.execute(operations.PERSONAL, token=logged_in["bearerToken"])
        assert [node["displayName"] for node in found_now["viewer"]["socialAccounts"]["nodes"]] == ["ada"]


async def test_what_the_database_refused_before_it_still_refuses(old_url: str) -> None:
    # given
    await migrate(old_url, "0002")
    old = Old(old_url)
    await fill(old, "x")
    await migrate(old_url)

    # when, then
    for wrong in (
        "UPDATE social_accounts SET hold_id = NULL WHERE external_id = '1'",
        "UPDATE social_accounts SET platform = 'MYSPACE'",
        "UPDATE events SET kind = 'NONSENSE'",
        "UPDATE events SET user_id = NULL, workspace_id = NULL",
        "UPDATE memberships SET role = 'OWNER'",
        "UPDATE access_requests SET status = 'NONSENSE'",
        "UPDATE mails SET kind = 'NONSENSE'",
    ):
        with pytest.raises((sqlite3.IntegrityError, asyncpg.CheckViolationError)):
            await old.run(wrong)
    again = (await old.run("SELECT workspace_id, requester_id FROM access_requests"))[0]
    with pytest.raises((sqlite3.IntegrityError, asyncpg.UniqueViolationError)):
        await old.insert(
            "access_requests", id=uuid4(), platform="INSTAGRAM", external_id="9", display_name="x",
            status="PENDING", created_at=NOW, updated_at=NOW,
            **{name: UUID(str(value)) for name, value in again.items()},
        )  # fmt: skip
