"""Renaming: a nickname by those who may change the account, and nobody else."""

import json

import pytest

from tests.accounts.moving_operations import RENAME
from tests.api import Api, paths
from tests.database import Database, share

X = "17841405902213202"


@pytest.mark.parametrize(
    ("accounts", "name", "platform"),
    [
        pytest.param([X], f"user_{X}", "INSTAGRAM", id="instagram"),
        pytest.param([], f"Page {X}", "FACEBOOK_PAGE", id="page"),
    ],
)
async def test_people_name_their_own_and_take_the_name_away_again(
    api: Api, database: Database, accounts: list[str], name: str, platform: str
) -> None:
    # given
    ada = await api.register("ada")
    pages = [] if accounts else [X]
    connected = (await ada.connect(*accounts, pages=pages))["connected"][0]["socialAccount"]

    # when
    named = await ada.mutate(RENAME, socialAccountId=connected["id"], nickname="  Studio Cafe\u0301 ")
    emptied = await ada.mutate(RENAME, socialAccountId=connected["id"], nickname="")
    await ada.mutate(RENAME, socialAccountId=connected["id"], nickname="Two")
    nulled = await ada.mutate(RENAME, socialAccountId=connected["id"], nickname=None)

    # then
    assert named["socialAccount"]["nickname"] == "Studio Caf\u00e9"
    assert named["socialAccount"]["updatedAt"] > connected["updatedAt"]
    changed = {one for one in connected if connected[one] != named["socialAccount"][one]}
    assert changed == {"nickname", "updatedAt"}
    assert emptied["socialAccount"]["nickname"] is None
    assert nulled["socialAccount"]["nickname"] is None
    told = await database.rows(
        "SELECT subject_name, platform, details FROM events WHERE kind = 'SOCIAL_ACCOUNT_RENAMED' ORDER BY seq"
    )
    assert [(row["subject_name"], row["platform"], json.loads(row["details"])) for row in told] == [
        (name, platform, {"nickname": nickname}) for nickname in ("Studio Caf\u00e9", "", "Two", "")
    ]


async def test_the_name_that_it_has_already_changes_nothing(api: Api, database: Database) -> None:
    # given
    ada = await api.register("ada")
    held = (await ada.connect(X))["connected"][0]["socialAccount"]["id"]
    first = await ada.mutate(RENAME, socialAccountId=held, nickname="Nick")
    before = await database.everything()

    # when
    again = await ada.mutate(RENAME, socialAccountId=held, nickname="Nick ")

    # then
    assert again == first
    assert await database.everything() == before


async def test_only_an_admin_names_a_workspaces_accounts(api: Api, database: Database) -> None:
    # given
    ada, eve, bob, cleo = [await api.register(name) for name in ("ada", "eve", "bob", "cleo")]
    workspace = await ada.create_workspace()
    await ada.bring_in(eve, workspace)
    await ada.bring_in(bob, workspace, "ADMIN")
    held = (await ada.connect(X, workspace=workspace))["connected"][0]["socialAccount"]["id"]
    before = await database.everything()

    # when
    unseen = await eve.mutate(RENAME, socialAccountId=held, nickname="Mine")
    strange = await cleo.mutate(RENAME, socialAccountId=held, nickname="Mine")

    # then
    assert paths(unseen["errors"]) == paths(strange["errors"]) == [("socialAccountId", "NOT_FOUND")]
    assert await database.everything() == before

    # and when
    await share(database, workspace, eve, "Team")
    before = await database.everything()
    seen = await eve.mutate(RENAME, socialAccountId=held, nickname="Mine")

    # then
    assert paths(seen["errors"]) == [("socialAccountId", "NOT_ALLOWED")]
    assert await database.everything() == before
    assert (await bob.mutate(RENAME, socialAccountId=held, nickname="Ours"))["socialAccount"][
        "nickname"
    ] == "Ours"


@pytest.mark.parametrize(
    ("nickname", "code"),
    [("x" * 101, "TOO_LONG"), ("a\u202eb", "INVALID_FORMAT"), ("a\0b", "INVALID_FORMAT")],
)
async def test_what_is_wrong_is_told_all_at_once(
    api: Api, database: Database, nickname: str, code: str
) -> None:
    ada = await api.register("ada")
    before = await database.everything()

    result = await ada.mutate(RENAME, socialAccountId="nonsense", nickname=nickname)

    assert paths(result["errors"]) == [("socialAccountId", "NOT_FOUND"), ("nickname", code)]
    assert await database.everything() == before
