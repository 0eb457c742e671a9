"""Tidying: what has expired goes, what is in use stays, and doing it again does no harm."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from graphql_api.app import build_services
from graphql_api.domain.events import EventKind
from graphql_api.domain.holders import Role
from graphql_api.domain.mails import MAX_ATTEMPTS, EmailCodePurpose, MailKind
from graphql_api.services.calls.call import Services
from graphql_api.services.upkeep import tidying
from graphql_api.settings import Settings
from graphql_api.storage.tables import (
    ApiToken,
    Attempts,
    CheckLease,
    EmailCode,
    Event,
    IdempotencyKey,
    Invitation,
    Mail,
    User,
    Workspace,
)
from tests.conftest import make_settings
from tests.upkeep.test_demo import command

NOW = datetime(2030, 6, 1, tzinfo=UTC)
SOON, LONG_AGO, LATELY = NOW + timedelta(hours=1), NOW - timedelta(days=31), NOW - timedelta(days=29)


@asynccontextmanager
async def process(settings: Settings) -> AsyncIterator[Services]:
    services = dataclasses.replace(build_services(settings), clock=lambda: NOW)
    async with services.database:
        yield services


async def write(services: Services, *rows: Any) -> None:
    async def work(session: AsyncSession) -> None:
        for row in rows:
            session.add(type(row)(**row.model_dump()))  # the same ones serve every test
            await session.flush()

    await services.database.transact(work)


async def count(services: Services, table: Any) -> int:
    async def work(session: AsyncSession) -> int:
        return int((await session.execute(sa.select(sa.func.count()).select_from(table))).scalar_one())

    return await services.database.read(work)


USER = User(
    email="a@example.com",
    email_key="a@example.com",
    name="A",
    password_hash="x",
    created_at=NOW,
    updated_at=NOW,
)
PLACE = Workspace(name="W", created_at=NOW, updated_at=NOW)


def idempotency_key(expires_at: datetime) -> IdempotencyKey:
    return IdempotencyKey(
        user_id=USER.id,
        operation="connect",
        key=uuid4().hex,
        input_hash=b"x" * 32,
        outcome={},
        created_at=LONG_AGO,
        expires_at=expires_at,
    )


def attempts(window_ends_at: datetime) -> Attempts:
    return Attempts(key=uuid4().bytes * 2, count=1, window_ends_at=window_ends_at)


def email_code(expires_at: datetime, used_at: datetime | None = None) -> EmailCode:
    return EmailCode(
        user_id=USER.id,
        purpose=EmailCodePurpose.VERIFY_EMAIL,
        email_key="a",
        code_hash=uuid4().bytes * 2,
        created_at=LONG_AGO,
        expires_at=expires_at,
        used_at=used_at,
    )


def invitation(
    expires_at: datetime,
    *,
    accepted_at: datetime | None = None,
    declined_at: datetime | None = None,
    revoked_at: datetime | None = None,
) -> Invitation:
    return Invitation(
        workspace_id=PLACE.id,
        email="e",
        email_key="e",
        role=Role.CREATOR,
        code_hash=uuid4().bytes * 2,
        invited_by_id=None,
        created_at=LONG_AGO,
        expires_at=expires_at,
        accepted_at=accepted_at,
        declined_at=declined_at,
        revoked_at=revoked_at,
    )


def api_token(expires_at: datetime, revoked_at: datetime | None = None) -> ApiToken:
    return ApiToken(
        user_id=USER.id,
        label="l",
        secret_hash=uuid4().bytes * 2,
        created_at=LONG_AGO,
        expires_at=expires_at,
        revoked_at=revoked_at,
    )


def mail(due_at: datetime, sent_at: datetime | None = None, tried: int = 1) -> Mail:
    return Mail(
        kind=MailKind.ADDRESS_TAKEN,
        recipient="a@example.com",
        details={},
        attempts=tried,
        due_at=due_at,
        created_at=due_at,
        sent_at=sent_at,
    )


def event(seq: int, created_at: datetime, *, of_user: bool = True) -> Event:
    return Event(
        user_id=USER.id if of_user else None,
        workspace_id=None if of_user else PLACE.id,
        seq=seq,
        kind=EventKind.API_TOKEN_CREATED,
        actor_id=None,
        subject_id=None,
        request_id="r",
        details={},
        created_at=created_at,
    )


CASES: Mapping[str, tuple[Any, list[Any], list[Any]]] = {
    "idempotency_keys": (IdempotencyKey, [idempotency_key(LATELY)], [idempotency_key(SOON)]),
    "attempts": (Attempts, [attempts(LATELY)], [attempts(SOON)]),
    "check_leases": (
        CheckLease,
        [CheckLease(key=uuid4(), until=LATELY)],
        [CheckLease(key=uuid4(), until=SOON)],
    ),
    "email_codes": (
        EmailCode,
        [email_code(LONG_AGO), email_code(SOON, LONG_AGO)],
        [email_code(LATELY), email_code(SOON, LATELY), email_code(SOON)],
    ),
    "invitations": (
        Invitation,
        [
            invitation(LONG_AGO),
            invitation(SOON, accepted_at=LONG_AGO),
            invitation(SOON, declined_at=LONG_AGO),
            invitation(SOON, revoked_at=LONG_AGO),
        ],
        [invitation(LATELY), invitation(SOON, accepted_at=LATELY), invitation(SOON)],
    ),
    "api_tokens": (
        ApiToken,
        [api_token(LONG_AGO), api_token(SOON, LONG_AGO)],
        [api_token(LATELY), api_token(SOON, LATELY), api_token(SOON)],
    ),
    "mails": (
        Mail,
        [mail(LONG_AGO, LONG_AGO), mail(LONG_AGO, tried=MAX_ATTEMPTS)],
        [mail(LONG_AGO, LATELY), mail(LATELY, tried=MAX_ATTEMPTS), mail(LONG_AGO, tried=3)],
    ),
}


@pytest.mark.parametrize("name", CASES)
async def test_what_is_over_goes_and_the_rest_stays(settings: Settings, name: str) -> None:
    table, over, kept = CASES[name]
    async with process(settings) as services:
        await write(services, USER, PLACE, *over, *kept)

        first = await tidying.tidy(services)
        again = await tidying.tidy(services)

        assert first is not None
        assert again is not None
        assert {table: rows for table, rows in first.items() if rows} == {name: len(over)}
        assert not any(again.values())
        assert await count(services, table) == len(kept)


async def test_every_table_is_named_in_what_is_told(settings: Settings) -> None:
    async with process(settings) as services:
        assert await tidying.tidy(services) == dict.fromkeys([*CASES, "events"], 0)


async def test_events_are_kept_for_ever_unless_there_is_a_retention(settings: Settings) -> None:
    async with process(settings) as services:
        await write(services, USER, PLACE, event(1, LONG_AGO), event(1, LONG_AGO, of_user=False))
        await tidying.tidy(services)
        assert await count(services, Event) == 2


async def test_events_go_from_the_front_of_a_history_and_leave_no_gap(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given two histories, in one of which the clocks of two servers disagreed
    monkeypatch.setattr(tidying, "BATCH", 2)
    mine = [event(seq, LONG_AGO) for seq in (1, 2)] + [event(3, LATELY), event(4, LONG_AGO), event(5, LATELY)]
    places = [event(seq, LONG_AGO, of_user=False) for seq in (1, 2, 3)] + [event(4, LATELY, of_user=False)]

    # when
    async with process(settings.model_copy(update={"event_retention_days": 30})) as services:
        await write(services, USER, PLACE, *mine, *places)
        removed = await tidying.tidy(services)

        async def left(session: AsyncSession) -> list[int]:
            return sorted(await session.scalars(sa.select(sa.column("seq")).select_from(sa.table("events"))))

        kept = await services.database.read(left)

    # then what is left of each begins where it begins, and is whole
    assert removed is not None
    assert (removed["events"], kept) == (7, [4, 5])


async def test_batches_are_bounded_and_go_on_until_nothing_is_left(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tidying, "BATCH", 3)
    async with process(settings) as services:
        await write(services, USER, *(idempotency_key(LATELY) for _ in range(10)))

        transactions = 0
        transact = services.database.transact

        async def counted(work: Any) -> Any:
            nonlocal transactions
            transactions += 1
            return await transact(work)

        monkeypatch.setattr(services.database, "transact", counted)
        removed = await tidying.tidy(services)

    assert removed is not None
    assert removed["idempotency_keys"] == 10
    assert transactions == len(CASES) + 1 + 4


async def test_one_process_tidies_at_a_time_and_what_is_locked_is_left(postgresql_url: str) -> None:
    settings = make_settings(postgresql_url)
    async with process(settings) as services, process(settings) as other:
        await write(services, USER, PLACE, invitation(LONG_AGO), invitation(LONG_AGO))
        entered, leave = asyncio.Event(), asyncio.Event()

        async def hold(session: AsyncSession) -> None:
            await session.execute(sa.text("SELECT id FROM invitations LIMIT 1 FOR UPDATE"))
            entered.set()
            await leave.wait()

        async def tidying_too(session: AsyncSession) -> None:
            await session.execute(sa.select(sa.func.pg_advisory_xact_lock(tidying.LOCK)))
            entered.set()
            await leave.wait()

        # when a row is in use
        task = asyncio.create_task(other.database.transact(hold))
        await entered.wait()
        removed = await tidying.tidy(services)
        leave.set()
        await task
        assert removed is not None
        assert removed["invitations"] == 1

        # when another process tidies
        entered.clear()
        leave.clear()
        task = asyncio.create_task(other.database.transact(tidying_too))
        await entered.wait()
        assert await tidying.tidy(services) is None
        leave.set()
        await task

        removed = await tidying.tidy(services)
        assert removed is not None
        assert removed["invitations"] == 1


async def test_the_server_tidies_by_itself(settings: Settings) -> None:
    async with process(settings) as services:
        await write(services, attempts(LATELY))
        async with tidying.running(services, timedelta(seconds=0.2)):
            for _ in range(100):
                if await count(services, Attempts) == 0:
                    break
                await asyncio.sleep(0.05)
        assert await count(services, Attempts) == 0


async def test_the_server_does_not_tidy_when_it_is_told_not_to(settings: Settings) -> None:
    async with process(settings) as services:
        await write(services, attempts(LATELY))
        async with tidying.running(services, timedelta()):
            await asyncio.sleep(0.2)
        assert await count(services, Attempts) == 1


def test_the_command_says_what_it_removed(tmp_path: Path) -> None:
    command(tmp_path, "migrate")

    told = command(tmp_path, "tidy")

    assert told.returncode == 0, told.stderr
    assert [line.split() for line in told.stdout.splitlines()] == [
        [table, "0", "removed"] for table in [*CASES, "events"]
    ]
