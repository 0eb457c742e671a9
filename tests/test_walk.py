"""docs/walk.md does what it says: its commands are run as they stand, its answers are compared."""

import asyncio
import json
import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.canaries import Canaries
from tests.serving import running

ROOT = Path(__file__).parent.parent
BASE = "http://127.0.0.1:8000"
BETWEEN = "\n---- the next block ----\n"


@dataclass(frozen=True, slots=True)
class Block:
    """Commands of the walk, and the answer that the page shows for them."""

    commands: str
    answer: Any


def the_walk() -> list[Block]:
    """The shell blocks of the walk, each with the JSON block that follows it."""
    walk = (ROOT / "docs" / "walk.md").read_text(encoding="utf-8")
    fences = re.findall(r"^```(sh|json)\n(.*?)^```$", walk, re.MULTILINE | re.DOTALL)
    kinds = [kind for kind, _ in fences]
    assert kinds == ["sh", "json"] * (len(fences) // 2), "every block of commands is followed by its answer"
    return [
        Block(commands, json.loads(answer))
        for (_, commands), (_, answer) in zip(fences[::2], fences[1::2], strict=True)
    ]


def like(shown: Any, real: Any) -> Any:
    """The real answer, shortened where the page shortens it with an ellipsis."""
    if isinstance(shown, dict) and isinstance(real, dict):
        return {name: like(shown.get(name), value) for name, value in real.items()}
    if isinstance(shown, list) and isinstance(real, list) and len(shown) == len(real):
        return [like(*pair) for pair in zip(shown, real, strict=True)]
    if isinstance(shown, str) and isinstance(real, str) and shown.endswith("…"):
        return shown if real.startswith(shown[:-1]) else real
    return real


async def test_the_walk_answers_what_the_page_shows(canaries: Canaries) -> None:
    if shutil.which("curl") is None:
        pytest.skip("the walk is made of curl commands, and there is no curl")
    clone = canaries.directory / "walk" / "clone"
    shutil.copytree(ROOT / "graphql_api", clone / "graphql_api")
    for name in ("Makefile", "requirements.txt"):
        shutil.copy(ROOT / name, clone)
    blocks = the_walk()

    # The packages are here already: what is run is the recipe, not the installation before it.
    command = ("make", "run", f"VENV={sys.prefix}", f"--old-file={sys.prefix}/.run")
    async with running(clone, {"META_MODE": "sandbox"}, *command) as server:
        script = "".join(f"{block.commands}\nprintf '%s' '{BETWEEN}'\n" for block in blocks)
        shell = await asyncio.create_subprocess_exec(
            "bash",
            "-eu",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await shell.communicate(script.replace(BASE, server.base_url).encode())

    answers = output.decode().split(BETWEEN)
    canaries.secrets.update(re.findall(r"sc[ai]_\w{49}", output.decode()))
    assert shell.returncode == 0, output.decode()
    assert len(answers) == len(blocks) + 1
    for block, answer in zip(blocks, answers, strict=False):
        assert like(block.answer, json.loads(answer)) == block.answer
    assert (clone / "var" / "sealing.keys").stat().st_mode & 0o777 == 0o600


def test_the_walk_shows_what_it_promises() -> None:
    shown = json.dumps([block.answer for block in the_walk()])
    for words in (
        "RegisterUserSuccess",
        "ConnectSocialAccountsSuccess",
        "you must first remove it from your Workspace accounts",
        "Please ask ada@example.com for access",
        "Only registered user can perform this action",
    ):
        assert words in shown
