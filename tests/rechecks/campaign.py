"""Fills a database with accounts of many logins, has them re-checked by a process, and counts what Meta is asked."""

import asyncio
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col
from starlette.types import ASGIApp, Receive, Scope, Send

from graphql_api.adapters.sealing import Binding, Keyring, parse_keys
from graphql_api.domain.holders import Personal
from graphql_api.domain.platforms import Platform
from graphql_api.domain.secrets import Secret
from graphql_api.sandbox import APP_ID, APP_SECRET
from graphql_api.sandbox.weather import Weather
from graphql_api.services.upkeep.rechecks import AT_ONCE as LEASED
from graphql_api.storage.database import Database
from graphql_api.storage.migrations import migrate
from graphql_api.storage.tables import FacebookAccount, SocialAccount, User
from tests.meta_faults.faults import sandbox_at_port

EACH = 5  # accounts of a login
_WRITTEN_AT_ONCE = 2000  # logins that are written in one transaction
_LONG_AGO = datetime.now(UTC) - timedelta(days=1)
_TIMES = {"created_at": _LONG_AGO, "updated_at": _LONG_AGO}
SOURCE = f"live:{APP_ID}"
Tell = Callable[[str], None]


@dataclass(slots=True)
class Seen:
    """What was seen: how often each login was asked about, and the memory of the process in MiB, by time."""

    logins: int
    looks: Counter[str] = field(default_factory=Counter)
    debugs: int = 0
    memory: list[float] = field(default_factory=list)
    seconds: float = 0.0
    checked: int = 0

    def problems(self) -> list[str]:
        """What broke a promise. What a killed process had leased, asked about or not, waits for an hour."""
        found = [f"{token} was asked {times} times" for token, times in self.looks.items() if times > 1]
        if len(self.looks) < self.logins - LEASED:
            found.append(f"{self.logins - len(self.looks)} logins were not asked about")
        if self.checked < (self.logins - LEASED) * EACH:
            found.append(f"only {self.checked} accounts were checked")
        middle = self.memory[len(self.memory) // 3]
        if self.memory[-1] > middle * 1.2 + 10:
            found.append(f"memory grew from {middle:.0f} to {self.memory[-1]:.0f} MiB")
        return found[:10]


async def campaign(directory: Path, settings: Mapping[str, str], logins: int, tell: Tell) -> Seen:
    """Fill, re-check, kill the process midway, and re-check the rest."""
    url = settings["DATABASE_URL"]
    await migrate(url)
    await _fill(url, Keyring(parse_keys(settings["SEALING_KEYS"])), logins, tell)
    seen = Seen(logins)
    async with AsyncExitStack() as stack:
        weather = Weather()
        meta = await stack.enter_async_context(
            sandbox_at_port(weather, around=lambda app: _counted(app, seen))
        )
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(Path(__file__).parent.parent.parent),
            "HOME": str(directory),
            **settings,
            "META_MODE": "live",
            "META_GRAPH_URL": meta,
            "META_APP_ID": APP_ID,
            "META_APP_SECRET": APP_SECRET,
        }
        started = time.monotonic()
        await _process(directory, environment, seen, until=lambda: len(seen.looks) > logins / 2, tell=tell)
        tell(f"killed after {len(seen.looks)} logins")
        await _process(directory, environment, seen, until=lambda: False, tell=tell)
        seen.seconds = time.monotonic() - started
    seen.checked = await _checked(url)
    return seen


def _counted(app: ASGIApp, seen: Seen) -> ASGIApp:
    async def counted(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"].endswith("/me/accounts"):
            seen.looks[dict(scope["headers"])[b"authorization"].decode().removeprefix("Bearer ")] += 1
        elif scope["path"].endswith("/debug_token"):
            seen.debugs += 1
        await app(scope, receive, send)

    return counted


async def _process(
    directory: Path, environment: Mapping[str, str], seen: Seen, *, until: Callable[[], bool], tell: Tell
) -> None:
    """Run the command until it ends, or kill it when it has come so far."""
    with (directory / "recheck.log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "graphql_api",
            "recheck",
            cwd=directory,
            env=environment,
            stdout=log,
            stderr=log,
        )
    told = time.monotonic()
    while process.returncode is None:
        if until():
            process.send_signal(signal.SIGKILL)
        try:
            await asyncio.wait_for(process.wait(), 0.2)
        except TimeoutError:
            seen.memory.append(_memory(process.pid))
        if time.monotonic() > told + 10:
            told = time.monotonic()
            tell(f"{len(seen.looks)} of {seen.logins} logins, {seen.memory[-1]:.0f} MiB")
    if process.returncode not in (0, -signal.SIGKILL):
        raise AssertionError((directory / "recheck.log").read_text(encoding="utf-8")[-2000:])


def _memory(pid: int) -> float:
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="utf-8").split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


async def _fill(url: str, keyring: Keyring, logins: int, tell: Tell) -> None:
    """One user whose Personal holds five accounts of each login, all of them due."""
    user_id = UUID(int=1)
    holder = Personal(user_id)
    async with Database(url) as database:

        async def begin(session: AsyncSession) -> None:
            address = "ada@example.com"
            user = User(
                id=user_id,
                email=address,
                email_key=address,
                name="Ada",
                password_hash="-",
                created_at=_LONG_AGO,
                updated_at=_LONG_AGO,
            )
            user.held_count = logins * EACH
            session.add(user)

        async def some(session: AsyncSession, first: int) -> None:
            rows = [
                _rows(keyring, holder, number)
                for number in range(first, min(first + _WRITTEN_AT_ONCE, logins))
            ]
            await session.execute(sa.insert(FacebookAccount), [login for login, _ in rows])
            await session.execute(sa.insert(SocialAccount), [one for _, accounts in rows for one in accounts])

        await database.transact(begin)
        for first in range(0, logins, _WRITTEN_AT_ONCE):
            await database.transact(lambda session, first=first: some(session, first))  # type: ignore[misc]
            tell(f"filled {min(first + _WRITTEN_AT_ONCE, logins) * EACH} accounts")


def _rows(keyring: Keyring, holder: Personal, number: int) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """A login, and the Pages that it proved."""
    login_id, facebook_user_id = UUID(int=number + 10**9), str(10**9 + number)
    pages = [str(10**10 + number * EACH + one) for one in range(EACH)]
    token = f"TEST-any:fb={facebook_user_id};page={','.join(pages)}"
    checked = {"proof_source": SOURCE, "checked_at": _LONG_AGO, "health_since": _LONG_AGO, **_TIMES}
    login = {
        "id": login_id,
        "user_id": holder.user_id,
        "facebook_user_id": facebook_user_id,
        "access_token": keyring.seal(
            Secret(token),
            Binding("facebook_accounts", "access_token", "FACEBOOK", facebook_user_id, str(holder)),
        ),
        **checked,
    }
    accounts = [
        {
            "id": UUID(int=int(page)),
            "platform": Platform.FACEBOOK_PAGE,
            "external_id": page,
            "hold_id": UUID(int=int(page)),
            "holder_user_id": holder.user_id,
            "display_name": f"Page {page}",
            "display_name_key": f"page {page}",
            "facebook_page_id": page,
            "facebook_account_id": login_id,
            "connected_by_id": holder.user_id,
            "access_token": keyring.seal(
                Secret(f"TEST-page-{page}-of-{token}"),
                Binding("social_accounts", "access_token", "FACEBOOK_PAGE", page, str(holder)),
            ),
            "access_version": 1,
            "proof_login": facebook_user_id,
            "proven_at": _LONG_AGO,
            "next_check_at": _LONG_AGO,
            **checked,
        }
        for page in pages
    ]
    return login, accounts


async def _checked(url: str) -> int:
    """How many accounts were checked and work."""
    good = sa.select(sa.func.count()).where(
        col(SocialAccount.checked_at) > _LONG_AGO, col(SocialAccount.health_problem).is_(None)
    )

    async def count(session: AsyncSession) -> int:
        return int((await session.execute(good)).scalar_one())

    async with Database(url) as database:
        return await database.read(count)
