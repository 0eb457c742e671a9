"""The contestants: one process each, with the same pool and the same settings, on a database of their own."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
NODE = Path(__file__).parent / "node"
_PATIENCE = 30.0


@dataclass(frozen=True, slots=True)
class Contestant:
    """A server to be measured; `skips` are the kinds of work that it does not do.

    `settings` are its own, beside those that all have.
    """

    name: str
    title: str
    command: Sequence[str]
    dialect: str = "graphql"
    databases: Sequence[str] = ("PostgreSQL", "SQLite")
    skips: frozenset[str] = frozenset()
    settings: Mapping[str, str] = field(default_factory=dict)


_PYTHON = sys.executable
_KEYED = frozenset({"W1", "W1c"})
_ON_NODE: dict[str, Any] = {"databases": ("PostgreSQL",), "skips": _KEYED}
CONTESTANTS: Mapping[str, Contestant] = {
    contestant.name: contestant
    for contestant in (
        Contestant("ours", "this server", (_PYTHON, "-m", "graphql_api", "serve", "--port")),
        Contestant("floor", "floor", (_PYTHON, "-m", "benchmarks.floor.app"), dialect="floor", skips=_KEYED),
        Contestant("apollo", "Apollo Server", ("node", str(NODE / "apollo.js")), **_ON_NODE),
        Contestant("mercurius", "mercurius-JIT", ("node", str(NODE / "mercurius.js")), **_ON_NODE),
        Contestant("strawberry", "stock Strawberry", (_PYTHON, "-m", "benchmarks.strawberry_app")),
    )
}
CEILING = Contestant("ceiling", "the load's own ceiling", (_PYTHON, "-m", "benchmarks.ceiling"))


class DidNotStart(Exception):
    """A server ended, or did not listen in time."""


@dataclass(frozen=True, slots=True)
class Server:
    """A contestant's running process; `started_in` are the seconds until it answered for the first time."""

    contestant: Contestant
    pid: int
    port: int
    started_in: float


@contextmanager
def running(contestant: Contestant, directory: Path, environment: Mapping[str, str]) -> Iterator[Server]:
    """Run a contestant until the block ends, whatever ends it."""
    port = _free_port()
    log = directory / f"{contestant.name}-{port}.log"
    started = time.monotonic()
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*contestant.command, str(port)],
            cwd=directory,
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(directory),
                "PYTHONPATH": str(ROOT),
                "NODE_ENV": "production",
                **environment,
            },
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,  # Ctrl-C is ours to handle: servers end after the load
        )
    try:
        _wait(process, port, started, log)
        yield Server(contestant, process.pid, port, time.monotonic() - started)
    finally:
        _end(process)


def _wait(process: subprocess.Popen[bytes], port: int, started: float, log: Path) -> None:
    while not _answers(port):
        if process.poll() is not None or time.monotonic() - started > _PATIENCE:
            raise DidNotStart(log.read_text(encoding="utf-8")[-4000:])
        time.sleep(0.005)


def _answers(port: int) -> bool:
    """Whether a whole answer comes, be it a refusal."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            connection.sendall(b"GET /graphql?query=%7B__typename%7D HTTP/1.1\r\nHost: localhost\r\n\r\n")
            return connection.recv(12).startswith(b"HTTP/1.1 ")
    except OSError:
        return False


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a server and whatever it started."""
    for how, patience in ((signal.SIGTERM, 10), (signal.SIGKILL, 10)):
        if process.poll() is not None:
            return
        os.killpg(process.pid, how)
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            continue


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
