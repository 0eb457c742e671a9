"""What an operator does: who holds an account, releasing it, and the lists of Meta."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from graphql_api.settings import Settings
from tests.accounts.proven import Meta, connect, of_any
from tests.api import Api, Person
from tests.database import Database
from tests.mails import Mailbox
from tests.upkeep.test_demo import command

EVENTS = "{ viewer { events(last: 5) { nodes { kind reason actor { name } } } } }"


Run = Callable[..., Awaitable["CompletedProcess[str]"]]


@pytest.fixture
def run(settings: Settings, tmp_path: Path) -> Run:
    """Runs a command on the database of the server under test."""

    async def run(*arguments: str) -> "CompletedProcess[str]":
        given = {"DATABASE_URL": settings.database_url, "SEALING_KEYS": settings.sealing_keys}
        return await asyncio.to_thread(command, tmp_path, *arguments, **given, META_MODE="sandbox")

    return run


async def happened(person: Person) -> list[tuple[str, str | None]]:
    nodes = (await person.execute(EVENTS))["viewer"]["events"]["nodes"]
    assert all(node["actor"] is None for node in nodes if node["kind"].startswith("HOLD"))
    return [(node["kind"], node["reason"]) for node in nodes if node["kind"].startswith("HOLD")]


async def test_a_hold_is_shown_and_released_and_its_place_sees_both(
    meta: Meta, api: Api, run: Run, mailbox: Mailbox, database: Database
) -> None:
    # given
    ada = await api.register("ada")
    await connect(ada, of_any("11", fb="7001"), "11")

    # when
    shown = await run("holds", "show", "INSTAGRAM:11")
    released = await run("holds", "release", "INSTAGRAM:11", "--reason", "A stranger took it")
    again = await run("holds", "show", "INSTAGRAM:11")

    # then
    assert shown.returncode == released.returncode == 0, shown.stderr + released.stderr
    assert f"the Personal of Ada <{ada.email}>" in shown.stdout
    assert "Facebook user 7001, sandbox" in shown.stdout
    assert (again.returncode, again.stderr) == (1, "Nobody holds INSTAGRAM:11.\n")
    assert await ada.held() == []
    assert await happened(ada) == [("HOLD_SHOWN", None), ("HOLD_RELEASED", "A stranger took it")]
    assert "> A stranger took it" in (await mailbox.wait(ada.email, "was disconnected")).body


async def test_without_an_account_or_a_reason_nothing_is_done(meta: Meta, api: Api, run: Run) -> None:
    ada = await api.register("ada")
    await connect(ada, of_any("11"), "11")

    no_reason = await run("holds", "release", "INSTAGRAM:11")
    no_key = await run("holds", "show", "MYSPACE:11")

    assert no_reason.returncode == 2
    assert no_key.returncode == 1
    assert "An account is written as" in no_key.stderr
    assert await ada.held() == ["11"]


async def test_a_list_of_meta_deletes_each_login_and_a_wrong_line_deletes_nothing(
    meta: Meta, api: Api, run: Run, tmp_path: Path, database: Database
) -> None:
    # given
    meta.now = meta.now.replace(year=2020)
    ada, ben = await api.register("ada"), await api.register("ben")
    await connect(ada, of_any("11", fb="7001"), "11")
    await connect(ben, of_any("12", fb="7002"), "12")
    file = tmp_path / "list.txt"

    # when
    file.write_text("7001\nnobody\n", encoding="utf-8")
    wrong = await run("meta", "delete", str(file))
    between = await database.rows("SELECT facebook_user_id FROM facebook_accounts ORDER BY 1")
    file.write_text("7001\n7003\n", encoding="utf-8")
    right = await run("meta", "delete", str(file))

    # then
    assert wrong.returncode == 1
    assert "number 2 of 2. Nothing was deleted." in wrong.stderr
    assert [row["facebook_user_id"] for row in between] == ["7001", "7002"]
    assert right.returncode == 0, right.stderr
    assert "Deleted 2 accounts of 2 Facebook users." in right.stdout
    after = await database.rows("SELECT facebook_user_id FROM facebook_accounts")
    assert [row["facebook_user_id"] for row in after] == ["7002"]
