"""Running the server for a test: in this process, or as processes of their own."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
from starlette.types import ASGIApp


@asynccontextmanager
async def in_process(app: ASGIApp) -> AsyncIterator[httpx.ASGITransport]:
    """Start an application as a server would, and stop it at the end."""
    inbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    outbox: asyncio.Queue[Any] = asyncio.Queue()
    scope = {"type": "lifespan", "asgi": {"version": "3.0"}}
    task = asyncio.ensure_future(app(scope, inbox.get, outbox.put))
    await inbox.put({"type": "lifespan.startup"})
    started = asyncio.ensure_future(outbox.get())
    await asyncio.wait({task, started}, return_when=asyncio.FIRST_COMPLETED)
    if task.done():
        started.cancel()
        task.result()
    yield httpx.ASGITransport(app=app, raise_app_exceptions=False)
    await inbox.put({"type": "lifespan.shutdown"})
    await task


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


class Process:
    """A server started by a command, in a directory of its own."""

    def __init__(self, process: asyncio.subprocess.Process, base_url: str, log: Path) -> None:
        self.process = process
        self.base_url = base_url
        self.log = log

    async def ready(self) -> None:
        """Wait until requests are served."""
        async with httpx.AsyncClient(base_url=self.base_url, timeout=2) as http:
            for _ in range(600):
                if self.process.returncode is not None:
                    raise AssertionError(f"the server ended: {self.log.read_text()}")
                try:
                    if (await http.get("/readyz")).status_code == httpx.codes.OK:
                        return
                except httpx.TransportError:
                    pass
                await asyncio.sleep(0.05)
        raise AssertionError(f"the server does not get ready: {self.log.read_text()}")

    async def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """End the server; its exit code."""
        if self.process.returncode is None:
            self.process.send_signal(how)
        return await asyncio.wait_for(self.process.wait(), 30)


@asynccontextmanager
async def running(directory: Path, environment: Mapping[str, str], *command: str) -> AsyncIterator[Process]:
    """Run `python -m graphql_api serve` (or another command that serves) until the block ends.

    Whatever it prints goes to a file in the directory, which is searched for secrets at the end.
    """
    directory.mkdir(parents=True, exist_ok=True)
    port = free_port()
    log = directory / f"server-{port}.log"
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *(command or (sys.executable, "-m", "graphql_api", "serve")),
            cwd=directory,
            env={
                "PATH": os.environ["PATH"],
                "PYTHONPATH": str(Path(__file__).parent.parent),
                "HOME": str(directory),
                "PORT": str(port),
                "META_MODE": "off",  # most tests are about what follows a proof
                **environment,
            },
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    server = Process(process, f"http://127.0.0.1:{port}", log)
    try:
        await server.ready()
        yield server
    finally:
        await server.stop()
