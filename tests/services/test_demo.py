"""The demo: an empty database filled by the command, and its operations pasted as they are printed."""

import asyncio
import itertools
import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import httpx

from graphql_api import app as application
from graphql_api.settings import Settings
from tests.serving import in_process

REPOSITORY = Path(__file__).parent.parent.parent


def command(directory: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `python -m graphql_api` in a directory of its own."""
    return subprocess.run(
        [sys.executable, "-m", "graphql_api", *arguments],
        cwd=directory,
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(REPOSITORY),
            "HOME": str(directory),
            **environment,
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def operations(printed: str) -> list[tuple[str, dict[str, str], str]]:
    """The printed commands as a shell reads them: the answer to expect, the headers, the body."""
    found = []
    lines = printed.splitlines()
    for comment, line in itertools.pairwise(lines):
        if not line.startswith("curl "):
            continue
        words = shlex.split(line)
        headers = [words[index + 1] for index, word in enumerate(words) if word == "-H"]
        expected = comment.removeprefix("# ").partition(":")[0]
        found.append(
            (expected, dict(header.split(": ", 1) for header in headers), words[words.index("-d") + 1])
        )
    return found


async def test_every_printed_operation_gives_the_answer_it_is_printed_for(
    settings: Settings, tmp_path: Path
) -> None:
    given = {"DATABASE_URL": settings.database_url, "SEALING_KEYS": settings.sealing_keys}

    filled = await asyncio.to_thread(command, tmp_path, "demo", **given)

    assert filled.returncode == 0, filled.stderr
    answers: dict[str, list[str]] = {}
    async with (
        in_process(application.create_app(settings)) as transport,
        httpx.AsyncClient(transport=transport, base_url="http://testserver") as http,
    ):
        for expected, headers, body in operations(filled.stdout):
            response = await http.post("/graphql", content=body, headers=headers)
            result = response.json()["data"]["connectSocialAccounts"]
            said = [item["outcome"] for item in result.get("instagramAccounts", [])]
            said += [error["__typename"] for error in result.get("errors", [])]
            assert set(said) == {expected}, response.text
            answers.setdefault(expected, []).append(json.dumps(result))
    assert list(answers) == [
        "CONNECTED",
        "RECONNECTED",
        "HeldByWorkspace",
        "HeldByPersonal",
        "HeldElsewhere",
        "InvalidInput",
    ]
    to_admin, to_creator = answers["HeldByWorkspace"]
    assert "you must first remove it from your Workspace accounts" in to_admin
    assert "Please ask nora@example.com for access" in to_creator


def test_a_filled_database_is_left_as_it_is(tmp_path: Path) -> None:
    command(tmp_path, "migrate")
    command(tmp_path, "demo")

    again = command(tmp_path, "demo")

    assert again.returncode == 1
    assert again.stdout == ""
    assert "left as it is" in again.stderr
    assert "Traceback" not in again.stderr


def test_a_database_that_is_not_migrated_is_said_to_be(tmp_path: Path) -> None:
    refused = command(tmp_path, "demo")

    assert refused.returncode == 1
    assert "run `python -m graphql_api migrate` first" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_production_is_not_filled_with_made_up_people(tmp_path: Path) -> None:
    refused = command(
        tmp_path,
        "demo",
        ENVIRONMENT="production",
        MAIL_OUTBOX="outbox",
        DATABASE_URL="sqlite:///data.sqlite3",
        SEALING_KEYS="k1:" + "A" * 43 + "=",
    )

    assert refused.returncode == 78
    assert "does not fill a production database" in refused.stderr
