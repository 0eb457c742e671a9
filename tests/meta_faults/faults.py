"""People who connect and look while Meta's weather changes, and what is noted of it."""

import asyncio
import statistics
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import uvicorn
from starlette.types import ASGIApp

from graphql_api.sandbox import APP_ID, APP_SECRET
from graphql_api.sandbox.app import create_sandbox
from graphql_api.sandbox.weather import Weather
from graphql_api.services.accounts.proving import DEADLINE
from tests import operations
from tests.api import Api, Person
from tests.canaries import Canaries
from tests.serving import free_port, running

CONNECTORS, VIEWERS, POOL = 16, 4, 3
CALL = 0.150  # seconds that each call to Meta takes
LAST = 1.0  # seconds at the end of a phase
# Seconds: a call that gets no answer waits for five, so a transaction that is open meanwhile is as old.
HELD = 1.0
SLACK = 3.0  # seconds beside the deadline for Meta, on a busy machine
LOOK = "{ viewer { socialAccounts(first: 20) { nodes { id displayName health { state } } } } }"
BAD_DAY = {"fail": 0.1, "hang": 0.05, "garble": 0.01}
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Phase:
    """A time of one weather."""

    name: str
    seconds: float
    weather: Mapping[str, Any]
    must: frozenset[str]  # answers, of which each must come
    at_once: bool = False  # whether half of the connects must be answered within a second
    ends_with: str | None = None  # what alone may come in the last seconds


@dataclass(slots=True)
class Noted:
    """What was seen in a phase. Latencies in seconds."""

    phase: Phase
    answers: Counter[str] = field(default_factory=Counter)
    connects: list[float] = field(default_factory=list)
    last: list[str] = field(default_factory=list)
    looks: list[float] = field(default_factory=list)
    longest_transaction: float = 0.0
    most_busy: int = 0

    def problems(self) -> list[str]:
        """What broke a promise."""
        found = [f"{self.phase.name}: {kind}" for kind in self.answers if kind not in KINDS]
        found += [f"{self.phase.name}: never {kind}" for kind in self.phase.must - self.answers.keys()]
        if self.connects and max(self.connects) > DEADLINE + SLACK:
            found.append(f"{self.phase.name}: a connect took {max(self.connects):.1f} s")
        if self.phase.at_once and statistics.median(self.connects) > 1:
            found.append(f"{self.phase.name}: connects are not refused at once")
        if self.phase.ends_with is not None and set(self.last) != {self.phase.ends_with}:
            found.append(f"{self.phase.name}: it ends with {Counter(self.last)}")
        if self.longest_transaction > HELD:
            found.append(f"{self.phase.name}: a transaction was open for {self.longest_transaction:.1f} s")
        return found


KINDS = frozenset({"connected", "UNVERIFIABLE", "looked"})


def phases(calm: float, faults: float, down: float) -> Sequence[Phase]:
    """Calm, the faults of a bad day, down, and calm again."""
    quiet = {"fail": 0.0, "hang": 0.0, "garble": 0.0, "down": False}
    connected, refused = frozenset({"connected"}), frozenset({"UNVERIFIABLE"})
    return (
        Phase("calm", calm, quiet, connected),
        Phase("10 % fail, 5 % silent, 1 % no JSON", faults, {**quiet, **BAD_DAY}, connected),
        Phase("down", down, {**quiet, "down": True}, refused, at_once=True),
        Phase("back", calm + 12, quiet, connected, ends_with="connected"),
    )


async def campaign(
    directory: Path, database: Mapping[str, str], canaries: Canaries, plan: Sequence[Phase], tell: Tell
) -> list[Noted]:
    """Run one server against a sandbox whose weather changes, with people on it all the time."""
    weather = Weather(delay=CALL)
    async with AsyncExitStack() as stack:
        meta = await stack.enter_async_context(sandbox_at_port(weather))
        settings = {
            **database,
            "META_MODE": "live",
            "META_GRAPH_URL": meta,
            "META_APP_ID": APP_ID,
            "META_APP_SECRET": APP_SECRET,
            "DATABASE_POOL_SIZE": str(POOL),
            "VERIFICATIONS_PER_USER": "1000000",
        }
        server = await stack.enter_async_context(running(directory, settings))
        http = await stack.enter_async_context(
            httpx.AsyncClient(base_url=server.base_url, timeout=60, trust_env=False, limits=httpx.Limits())
        )
        api = Api(http, canaries)
        people = [await api.register(f"person{number}") for number in range(CONNECTORS + VIEWERS)]
        all_noted = []
        for phase in plan:
            for name, value in phase.weather.items():
                setattr(weather, name, value)
            noted = Noted(phase)
            await _phase(people, noted, database["DATABASE_URL"])
            tell(f"{phase.name}: {dict(noted.answers)}")
            all_noted.append(noted)
    return all_noted


async def _phase(people: Sequence[Person], noted: Noted, database_url: str) -> None:
    ends_at = time.monotonic() + noted.phase.seconds
    watch = asyncio.ensure_future(_watch(database_url, noted)) if "postgresql" in database_url else None
    await asyncio.gather(
        *(_connect(person, number, noted, ends_at) for number, person in enumerate(people[:CONNECTORS], 1)),
        *(_look(person, noted, ends_at) for person in people[CONNECTORS:]),
    )
    if watch is not None:
        watch.cancel()
        await asyncio.gather(watch, return_exceptions=True)


async def _connect(person: Person, number: int, noted: Noted, ends_at: float) -> None:
    """Reconnect the same three accounts again and again."""
    ids = [str(number * 10 + one) for one in range(3)]
    token = f"TEST-any:fb={9000 + number};ig={','.join(ids)}"
    usable = {"username": "somebody", "profilePictureUrl": "", "accessToken": token}
    asked = {
        "facebookAccount": {"facebookUserId": str(9000 + number), "accessToken": token},
        "instagramAccounts": [{"instagramUserId": one, **usable} for one in ids],
    }
    while time.monotonic() < ends_at:
        started = time.monotonic()
        response = await person.api.post(operations.CONNECT, {"input": asked}, token=person.token)
        noted.connects.append(time.monotonic() - started)
        kind = _kind(response)
        noted.answers[kind] += 1
        if started > ends_at - LAST:
            noted.last.append(kind)
        if kind == "UNVERIFIABLE":
            await asyncio.sleep(0.2)  # as a front end would wait, if not as long


def _kind(response: httpx.Response) -> str:
    if response.status_code != httpx.codes.OK or "errors" in response.json():
        return f"{response.status_code} {response.text[:200]}"
    answer = response.json()["data"]["connectSocialAccounts"]
    if answer["__typename"] == "ConnectSocialAccountsSuccess":
        return "connected"
    kinds = {(error.get("problem"), error.get("retryable")) for error in answer["errors"]}
    return "UNVERIFIABLE" if kinds == {("UNVERIFIABLE", True)} else str(answer["errors"])


async def _look(person: Person, noted: Noted, ends_at: float) -> None:
    """Read a page that needs no Meta, ten times a second."""
    while time.monotonic() < ends_at:
        started = time.monotonic()
        response = await person.api.post(LOOK, token=person.token)
        noted.looks.append(time.monotonic() - started)
        good = response.status_code == httpx.codes.OK and "errors" not in response.json()
        noted.answers["looked" if good else f"look: {response.status_code}"] += 1
        await asyncio.sleep(0.1)


async def _watch(database_url: str, noted: Noted) -> None:
    """Look at the server's connections to PostgreSQL: is one kept busy while Meta is asked?"""
    connection = await asyncpg.connect(database_url)
    try:
        while True:
            busy, age = await connection.fetchrow(
                "SELECT count(*), coalesce(max(extract(epoch FROM clock_timestamp() - xact_start)), 0)"
                " FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
                " AND xact_start IS NOT NULL AND backend_type = 'client backend'"
            )
            noted.most_busy = max(noted.most_busy, busy)
            noted.longest_transaction = max(noted.longest_transaction, float(age))
            await asyncio.sleep(0.02)
    finally:
        await connection.close()


@asynccontextmanager
async def sandbox_at_port(
    weather: Weather, *, app_secret: str = APP_SECRET, around: Callable[[ASGIApp], ASGIApp] = lambda app: app
) -> AsyncIterator[str]:
    """The stand-in for Meta on a port, with what a test puts around it; its URL."""
    app = around(create_sandbox(app_id=APP_ID, app_secret=app_secret, weather=weather))
    config = uvicorn.Config(
        app, port=free_port(), log_level="critical", access_log=False, timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    # Ctrl-C is the campaign's to handle.
    server.capture_signals = nullcontext  # type: ignore[method-assign, assignment]
    task = asyncio.ensure_future(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{config.port}"
    finally:
        server.should_exit = True
        await task


def percentile(values: Sequence[float], percent: int) -> float:
    """Of at least two values."""
    return statistics.quantiles(values, n=100)[percent - 1]
