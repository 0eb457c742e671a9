"""The short form of the attacks on the transport, so that it does not rot."""

from pathlib import Path

import pytest

from graphql_api.adapters.sealing import new_key
from graphql_api.storage.migrations import migrate
from tests.serving import running
from tests.siege.attackers import ATTACKS
from tests.siege.transport import besiege

IMPATIENT = {"WRITE_TIMEOUT": "1", "HEARTBEAT": "1", "HEAD_TIMEOUT": "1", "BODY_TIMEOUT": "1"}
BROKEN_IN_THE_LOG = ("Traceback", "[error", "[critical")


@pytest.mark.parametrize("attack", ATTACKS)
async def test_an_attack_takes_no_memory_and_ends(tmp_path: Path, attack: str) -> None:
    settings = {"DATABASE_URL": f"sqlite:///{tmp_path}/siege.sqlite3", "SEALING_KEYS": new_key("k1")}
    await migrate(settings["DATABASE_URL"])
    async with running(tmp_path, {**settings, **IMPATIENT}) as server:
        seen = await besiege(server, attack, 10, 1.0)
        log = server.log.read_text(encoding="utf-8")
    assert seen.problems(timed=False) == []
    assert not any(word in log for word in BROKEN_IN_THE_LOG)
