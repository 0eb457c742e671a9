"""`python -m graphql_api meta-sandbox` serves the sandbox, and stops when told to."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import httpx

from tests.sandbox.caller import proof_of
from tests.serving import Process, free_port

ROOT = Path(__file__).parent.parent.parent


@asynccontextmanager
async def served(directory: Path, *options: str) -> AsyncIterator[Process]:
    """Run the command with no setting at all."""
    port = free_port()
    log = directory / "sandbox.log"
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "graphql_api", "meta-sandbox", "--port", str(port), *options),
            cwd=directory,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
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


async def test_the_command_says_where_the_dialog_is_and_what_to_set(tmp_path: Path) -> None:
    async with served(tmp_path, "--app-id", "77", "--app-secret", "quiet") as server:
        said = server.log.read_text()
        query = {
            "client_id": "77",
            "response_type": "token",
            "redirect_uri": "http://localhost/",
            "person": "ann",
        }
        async with httpx.AsyncClient(base_url=server.base_url) as http:
            answer = await http.get("/dialog/oauth", params=query)
            unsigned = await http.get("/v27.0/me", headers={"authorization": "Bearer TEST-ann"})
    assert f"{server.base_url}/dialog/oauth?client_id=77" in said
    assert f"META_MODE=live META_GRAPH_URL={server.base_url} META_APP_ID=77 META_APP_SECRET=quiet" in said
    assert answer.headers["location"].startswith("http://localhost/#access_token=TEST-ann&")
    assert unsigned.json()["error"]["code"] == 100
    assert "TEST-ann" not in server.log.read_text()  # addresses hold tokens


async def test_a_call_without_an_answer_does_not_keep_the_command_from_stopping(tmp_path: Path) -> None:
    async with served(tmp_path) as server, httpx.AsyncClient(base_url=server.base_url, timeout=30) as http:
        token = "TEST-ann-down"
        query = {"access_token": token, "appsecret_proof": proof_of(token)}
        calls = [asyncio.ensure_future(http.get("/v27.0/me", params=query)) for _ in range(40)]
        await asyncio.wait(calls, timeout=2)
        assert any(not call.done() for call in calls)
        start = time.monotonic()
        await server.stop(signal.SIGTERM)
        assert time.monotonic() - start < 10
        with suppress(httpx.HTTPError):
            await asyncio.gather(*calls)
