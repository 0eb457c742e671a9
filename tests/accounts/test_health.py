"""Health: what is told of our access to an account, and what a check by hand makes of it."""

import itertools
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from graphql_api import app as application
from graphql_api.settings import MetaMode, Settings
from tests import operations
from tests.accounts.meta_operations import DASHBOARD, KINDS, RECHECK
from tests.accounts.proven import STUDIO, Meta, connect, of_any, problems
from tests.api import Api, Person
from tests.database import Database
from tests.serving import in_process


async def connected(person: Person, token: str, *external_ids: str, **others: Any) -> list[str]:
    """Connect accounts; their ids."""
    result = await connect(person, token, *external_ids, **others)
    return [one["socialAccount"]["id"] for one in result["connected"]]


async def health(person: Person) -> Any:
    """The health of the first account of somebody's Personal."""
    return (await person.execute(DASHBOARD))["viewer"]["socialAccounts"]["nodes"][0]["health"]


async def recheck(person: Person, *ids: str) -> Any:
    return await person.mutate(RECHECK, socialAccountIds=list(ids))


async def kinds(person: Person) -> list[str]:
    """What happened to accounts of somebody's Personal."""
    events = (await person.execute(KINDS))["viewer"]["events"]["nodes"]
    return [one["kind"] for one in events if one["kind"].startswith("SOCIAL_ACCOUNT")]


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


async def test_a_connected_account_works_until_its_login_ends(meta: Meta, api: Api) -> None:
    ada = await api.register("ada")

    await connected(ada, "TEST-ann", STUDIO)

    told = await health(ada)
    assert (told["state"], told["problem"], told["missingPermissions"]) == ("WORKING", None, [])
    assert moment(told["since"]) == moment(told["checkedAt"]) == meta.now
    assert 85 < (moment(told["breaksAt"]) - meta.now).days <= 90, "Meta's data access ends after 90 days"


async def test_time_alone_makes_it_break_soon_and_break(meta: Meta, api: Api) -> None:
    # given
    ada = await api.register("ada")
    await connected(ada, f"TEST-ann-dies@{meta.at(days=20)}", STUDIO)
    seen = [await health(ada)]

    # when
    meta.wait(days=6, hours=1)
    seen.append(await health(ada))
    meta.wait(days=14)
    seen.append(await health(ada))

    # then
    assert [one["state"] for one in seen] == ["WORKING", "BREAKING_SOON", "BROKEN"]
    assert [one["problem"] for one in seen] == [None, None, "EXPIRED"]
    assert (moment(seen[2]["since"]) - moment(seen[0]["since"])).days == 20
    assert seen[1]["breaksAt"] == seen[0]["breaksAt"]
    assert seen[2]["breaksAt"] is None
    summary = (await ada.execute(DASHBOARD))["viewer"]["healthSummary"]
    assert summary == {"working": 0, "breakingSoon": 0, "broken": 1, "unverified": 0, "other": 0}


async def test_lists_filter_by_state_and_the_summary_counts_the_same(meta: Meta, api: Api) -> None:
    # given: one of each state
    ada = await api.register("ada")
    await connected(ada, of_any("1"), "1")
    await connected(ada, of_any("2", condition=f"-dies@{meta.at(days=3)}", fb="7002"), "2")
    (third,) = await connected(ada, of_any("3", condition=f"-revoked@{meta.at(hours=1)}", fb="7003"), "3")
    meta.wait(hours=2)
    await recheck(ada, third)

    # when
    of = {
        state: (await ada.execute(DASHBOARD, {"states": [state]}))["viewer"]["socialAccounts"]
        for state in ("WORKING", "BREAKING_SOON", "BROKEN", "UNVERIFIED", "OTHER")
    }
    two = (await ada.execute(DASHBOARD, {"states": ["BROKEN", "WORKING"]}))["viewer"]

    # then
    found = {state: [node["externalId"] for node in page["nodes"]] for state, page in of.items()}
    assert found == {"WORKING": ["1"], "BREAKING_SOON": ["2"], "BROKEN": ["3"], "UNVERIFIED": [], "OTHER": []}
    assert {state: page["totalCount"] for state, page in of.items()} == {
        state: len(ids) for state, ids in found.items()
    }
    assert {node["externalId"] for node in two["socialAccounts"]["nodes"]} == {"1", "3"}
    assert two["healthSummary"] == {
        "working": 1,
        "breakingSoon": 1,
        "broken": 1,
        "unverified": 0,
        "other": 0,
    }


async def test_statements_read_the_state_as_the_rules_do(meta: Meta, api: Api, database: Database) -> None:
    """Whatever is kept of an account, at the instants where its state changes, and beside them."""
    ada = await api.register("ada")
    await connected(ada, "TEST-ann", STUDIO)
    ends = [
        meta.now + days + seconds
        for days in (timedelta(), timedelta(days=14))
        for seconds in (timedelta(seconds=-1), timedelta(), timedelta(seconds=1))
    ]
    seen = set()
    for source, checked, problem, breaks_at in itertools.product(
        ("'sandbox'", "'live:1'", "NULL"), (True, False), ("NULL", "'REVOKED'"), [None, *ends]
    ):
        checked_at = database.literal(meta.now) if checked else "NULL"
        end = "NULL" if breaks_at is None else database.literal(breaks_at)
        await database.rows(
            f"UPDATE social_accounts SET proof_source = {source}, checked_at = {checked_at},"
            f" health_problem = {problem}, breaks_at = {end}"
        )

        viewer = (await ada.execute(DASHBOARD))["viewer"]

        state = viewer["socialAccounts"]["nodes"][0]["health"]["state"]
        counted = [name for name, number in viewer["healthSummary"].items() if number]
        assert [name.lower() for name in counted] == [state.replace("_", "").lower()]
        seen.add(state)
    assert seen == {"WORKING", "BREAKING_SOON", "BROKEN", "UNVERIFIED"}


async def test_nobody_asked_is_unverified_and_disconnected_is_null(api: Api) -> None:
    ada = await api.register("ada")
    (one,) = await connected(ada, of_any("1"), "1")

    told = await health(ada)
    gone = await ada.mutate(
        operations.DISCONNECT.replace("holder {", "health { state } holder {"), socialAccountIds=[one]
    )

    assert (told["state"], told["checkedAt"], told["breaksAt"]) == ("UNVERIFIED", None, None)
    assert gone["socialAccounts"][0]["health"] is None


async def test_what_another_source_said_counts_for_nothing(
    meta: Meta, api: Api, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given: connected while claims were believed
    off = settings.model_copy(update={"meta_mode": MetaMode.OFF})
    async with (
        in_process(application.create_app(off)) as transport,
        httpx.AsyncClient(transport=transport, base_url="http://testserver") as http,
    ):
        believing = Api(http, api.canaries)
        ada = await believing.register("ada")
        (one,) = await connected(ada, "TEST-ann", STUDIO)
    ada.api = api
    assert (await health(ada))["state"] == "UNVERIFIED"

    # when: its login is asked about
    result = await recheck(ada, one)

    # then
    assert result["socialAccounts"][0]["health"]["state"] == "WORKING"
    assert await kinds(ada) == ["SOCIAL_ACCOUNT_CONNECTED"], "nothing broke, and nothing recovered"
    assert meta.calls


# What ends the access of Ann's studio, what its health says then, and after how many checks.
ENDS = [
    ("expired", "EXPIRED", 1),
    ("revoked", "REVOKED", 1),
    ("password", "REVOKED", 1),
    ("checkpoint", "CHECKPOINT", 1),
    ("norole", "ROLE_TOO_WEAK", 1),
    ("unlinked", "WRONG_ACCOUNT", 2),
    ("blocked", "OTHER", 2),
]


@pytest.mark.parametrize(("condition", "problem", "checks"), ENDS, ids=[one[0] for one in ENDS])
async def test_a_check_says_what_ended_the_access_and_tells_it_once(
    meta: Meta, api: Api, condition: str, problem: str, checks: int
) -> None:
    # given
    ada = await api.register("ada")
    (one,) = await connected(ada, f"TEST-ann-{condition}@{meta.at(hours=1)}", STUDIO)
    meta.wait(hours=2)

    # when
    states = []
    for _ in range(checks):
        states.append((await recheck(ada, one))["socialAccounts"][0]["health"]["state"])
        meta.wait(hours=1, minutes=1)
    broken = (await recheck(ada, one))["socialAccounts"][0]["health"]

    # then
    assert states == ["WORKING"] * (checks - 1) + ["BROKEN"]
    assert (broken["state"], broken["problem"]) == ("BROKEN", problem)
    assert await kinds(ada) == ["SOCIAL_ACCOUNT_CONNECTED", "SOCIAL_ACCOUNT_BROKE"]


@pytest.mark.parametrize("condition", ["down", "limit"])
async def test_no_answer_of_meta_changes_nothing(meta: Meta, api: Api, condition: str) -> None:
    ada = await api.register("ada")
    (one,) = await connected(ada, f"TEST-ann-{condition}@{meta.at(hours=1)}", STUDIO)
    before = await health(ada)
    meta.wait(hours=2)

    for _ in range(3):
        after = (await recheck(ada, one))["socialAccounts"][0]["health"]
        meta.wait(hours=2)
        assert after == before
    assert await kinds(ada) == ["SOCIAL_ACCOUNT_CONNECTED"]


async def test_two_doubts_within_an_hour_are_one(meta: Meta, api: Api) -> None:
    ada = await api.register("ada")
    (one,) = await connected(ada, f"TEST-ann-unlinked@{meta.at(hours=1)}", STUDIO)
    meta.wait(hours=2)

    states = []
    for minutes in (0, 30, 29, 2):
        meta.wait(minutes=minutes)
        states.append((await recheck(ada, one))["socialAccounts"][0]["health"]["state"])

    assert states == ["WORKING", "WORKING", "WORKING", "BROKEN"]


async def test_a_good_answer_to_the_same_token_heals(meta: Meta, api: Api, database: Database) -> None:
    # given: it was called broken
    ada = await api.register("ada")
    (one,) = await connected(ada, "TEST-ann", STUDIO)
    await database.rows("UPDATE social_accounts SET health_problem = 'OTHER' WHERE hold_id IS NOT NULL")
    assert (await health(ada))["state"] == "BROKEN"
    meta.wait(hours=1)

    # when
    result = await recheck(ada, one)

    # then
    told = result["socialAccounts"][0]["health"]
    assert (told["state"], moment(told["since"])) == ("WORKING", meta.now)
    assert await kinds(ada) == ["SOCIAL_ACCOUNT_CONNECTED", "SOCIAL_ACCOUNT_RECOVERED"]


async def test_what_changes_while_meta_is_asked_is_left_as_it_is(
    meta: Meta, api: Api, database: Database
) -> None:
    # given: the account gets a new access token between the question and the answer
    ada = await api.register("ada")
    (one,) = await connected(ada, f"TEST-ann-revoked@{meta.at(hours=1)}", STUDIO)
    meta.wait(hours=2)
    raised: list[str] = []

    async def raise_version(path: str) -> None:
        if path == "debug_token" and not raised:
            raised.append(path)
            await database.rows("UPDATE social_accounts SET access_version = access_version + 1")

    meta.before = raise_version

    # when
    result = await recheck(ada, one)

    # then
    assert raised
    assert result["socialAccounts"][0]["health"]["state"] == "WORKING"


async def test_only_what_the_viewer_sees_is_checked(meta: Meta, api: Api) -> None:
    ada, mallory = await api.register("ada"), await api.register("mallory")
    (one,) = await connected(ada, "TEST-ann", STUDIO)
    meta.calls.clear()

    assert problems(await recheck(mallory, one)) == [("socialAccountIds.0", "NOT_FOUND")]
    assert problems(await recheck(ada, one, one)) == [("socialAccountIds.1", "DUPLICATE")]
    assert problems(await recheck(ada)) == [("socialAccountIds", "TOO_SHORT")]
    assert meta.calls == []


async def test_a_facebook_account_has_a_health_of_its_own(meta: Meta, api: Api) -> None:
    ada = await api.register("ada")
    (one,) = await connected(ada, f"TEST-ann-revoked@{meta.at(hours=1)}", STUDIO)
    meta.wait(hours=2)
    await recheck(ada, one)

    (login,) = (await ada.execute(DASHBOARD))["viewer"]["facebookAccounts"]["nodes"]

    assert (login["health"]["state"], login["health"]["problem"]) == ("BROKEN", "REVOKED")
