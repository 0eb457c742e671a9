"""The demo: an empty database filled by the command, and its operations pasted as they are printed."""

import asyncio
import contextlib
import itertools
import json
import os
import shlex
import subprocess
import sys
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import httpx

from graphql_api.settings import Settings
from tests.database import Database
from tests.serving import running

REPOSITORY = Path(__file__).parent.parent.parent
SANDBOX = {"META_MODE": "sandbox"}


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


def said_in(answer: Any) -> set[str]:
    """Every text of an answer, wherever it stands."""
    if isinstance(answer, dict):
        return set().union(*map(said_in, answer.values()))
    if isinstance(answer, list):
        return set().union(*map(said_in, answer))
    return {answer} if isinstance(answer, str) else set()


async def answers_to(
    http: httpx.AsyncClient, headers: dict[str, str], body: str
) -> AsyncGenerator[Any, None]:
    """What comes back: one answer, or those of a stream, for as long as it is read."""
    async with http.stream("POST", "/graphql", content=body, headers=headers) as response:
        if "Accept" not in headers:
            yield json.loads(await response.aread())
            return
        async for line in response.aiter_lines():
            if line.startswith("data: "):
                yield json.loads(line.removeprefix("data: "))


async def test_every_printed_operation_gives_the_answer_it_is_printed_for(
    settings: Settings, tmp_path: Path
) -> None:
    given = {"DATABASE_URL": settings.database_url, "SEALING_KEYS": settings.sealing_keys}

    filled = await asyncio.to_thread(command, tmp_path, "demo", **given)

    assert filled.returncode == 0, filled.stderr
    answers: dict[str, list[str]] = {}
    async with (
        running(tmp_path, {**given, **SANDBOX, "MAIL_OUTBOX": str(settings.mail_outbox)}) as server,
        httpx.AsyncClient(base_url=server.base_url, timeout=30, trust_env=False) as http,
    ):
        for expected, headers, body in operations(filled.stdout):
            async with contextlib.aclosing(answers_to(http, headers, body)) as stream:
                async for answer in stream:
                    assert "errors" not in answer, answer
                    if expected in said_in(answer):
                        answers.setdefault(expected, []).append(json.dumps(answer, ensure_ascii=False))
                        break
                else:
                    raise AssertionError(f"{expected} is not in the answer: {answer}")
    assert {expected: len(given) for expected, given in answers.items()} == {
        "CONNECTED": 2,
        "RECONNECTED": 1,
        "HeldByWorkspace": 2,
        "HeldByPersonal": 1,
        "HeldElsewhere": 1,
        "InvalidInput": 1,
        "CONFLICT": 1,
        "PENDING": 2,
        "GRANTED": 2,
        "MoveSocialAccountsSuccess": 2,
        "ShareSocialAccountsSuccess": 1,
        "RenameSocialAccountSuccess": 1,
        "SocialAccountConnection": 1,
        "InviteToWorkspaceSuccess": 1,
        "RequestPasswordResetSuccess": 1,
        "SOCIAL_ACCOUNT_MOVED": 2,
    }
    to_admin, to_creator = answers["HeldByWorkspace"]
    assert "you must first remove it from your Workspace accounts" in to_admin
    assert "Please ask nora@example.com for access" in to_creator
    assert {"AVAILABLE", "RECONNECT"} <= said_in(json.loads(answers["CONFLICT"][0]))
    moved, again = answers["MoveSocialAccountsSuccess"]
    assert moved == again
    assert '"nora_on_the_road"' in answers["SocialAccountConnection"][0]
    everything, followed = answers["SOCIAL_ACCOUNT_MOVED"]
    assert everything.count('"SOCIAL_ACCOUNT_MOVED"') == followed.count('"SOCIAL_ACCOUNT_MOVED"') == 1


async def test_the_made_up_people_have_verified_addresses_and_no_mail_waits_for_them(
    settings: Settings, tmp_path: Path
) -> None:
    given = {"DATABASE_URL": settings.database_url, "SEALING_KEYS": settings.sealing_keys}

    filled = await asyncio.to_thread(command, tmp_path, "demo", **given)

    assert filled.returncode == 0, filled.stderr
    database = Database(settings.database_url)
    assert await database.rows("SELECT kind FROM mails") == []
    assert await database.rows("SELECT email FROM users WHERE email_verified_at IS NULL") == []


def test_a_filled_database_is_left_as_it_is(tmp_path: Path) -> None:
    command(tmp_path, "migrate")
    command(tmp_path, "demo")

    again = command(tmp_path, "demo")

    assert again.returncode == 1
    assert again.stdout == ""
    assert "left as it is" in again.stderr
    assert "What an earlier demo printed is in var/demo/operations.txt." in again.stderr
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
        META_APP_ID="1",
        META_APP_SECRET="secret",
    )

    assert refused.returncode == 78
    assert "does not fill a production database" in refused.stderr


def test_the_demo_is_refused_where_meta_itself_is_asked(tmp_path: Path) -> None:
    command(tmp_path, "migrate")
    refused = command(tmp_path, "demo", META_MODE="live", META_APP_ID="1", META_APP_SECRET="hush")

    assert refused.returncode == 78
    assert "the demo has test tokens, which Meta refuses" in refused.stderr
    assert "hush" not in refused.stderr


def modes(directory: Path) -> dict[str, int]:
    """Who may read a directory and the files in it."""
    return {path.name: path.stat().st_mode & 0o777 for path in (directory, *directory.iterdir())}


async def test_serve_demo_fills_an_empty_folder_and_leaves_a_filled_one_as_it_is(tmp_path: Path) -> None:
    serve = (sys.executable, "-m", "graphql_api", "serve", "--demo")
    whom = "Meta        a sandbox, with the test tokens of docs/sandbox.md (META_MODE=sandbox)\n"
    links = (whom, "Start page  {}/\n", "GraphiQL    {}/graphiql", "Schema      {}/schema.graphql\n")

    async with running(tmp_path, SANDBOX, *serve) as first:
        said = first.log.read_text()
    assert "The database is filled with the demo" in said
    assert all(link.format(first.base_url) in said for link in links)
    database = Database(f"sqlite:///{tmp_path}/var/graphql_api.sqlite3")
    filled = await database.everything()
    assert len(filled["users"]) == 3
    assert modes(tmp_path / "var" / "demo") == {"demo": 0o700, "people.json": 0o600, "operations.txt": 0o600}

    async with running(tmp_path, SANDBOX, *serve) as second:
        said = second.log.read_text()
    assert "filled" not in said
    assert all(link.format(second.base_url) in said for link in links)
    assert await database.everything() == filled


def test_serve_demo_is_refused_in_production_before_it_writes_anything(tmp_path: Path) -> None:
    refused = command(
        tmp_path,
        "serve",
        "--demo",
        ENVIRONMENT="production",
        MAIL_OUTBOX="outbox",
        DATABASE_URL="sqlite:///data.sqlite3",
        SEALING_KEYS="k1:" + "A" * 43 + "=",
        META_APP_ID="1",
        META_APP_SECRET="secret",
    )

    assert refused.returncode == 78
    assert "--demo is for development" in refused.stderr
    assert list(tmp_path.iterdir()) == []
