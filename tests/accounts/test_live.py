"""A server that asks Meta itself, with the stand-in on a port in Meta's place; and what happens at the same time."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from graphql_api import app as application
from graphql_api.sandbox import APP_ID
from graphql_api.sandbox.weather import Weather
from graphql_api.settings import MetaMode, Settings
from tests.accounts.meta_operations import DASHBOARD, DISCOVER, RECHECK, RECONNECT
from tests.accounts.proven import STUDIO, connect, login, of_any, problems
from tests.api import Api
from tests.canaries import Canaries
from tests.conftest import make_settings
from tests.database import Database
from tests.meta_faults.faults import sandbox_at_port
from tests.serving import in_process

LIVE_SECRET = "CANARY-app-secret"


@dataclass
class Live:
    """A server in live mode, and the weather at Meta."""

    api: Api
    weather: Weather
    settings: Settings


@pytest.fixture
async def live(database_url: str, tmp_path: Path, canaries: Canaries) -> AsyncIterator[Live]:
    canaries.secrets.add(LIVE_SECRET)
    weather = Weather(silence=0.5)
    async with sandbox_at_port(weather, app_secret=LIVE_SECRET) as url:
        settings = make_settings(
            database_url,
            meta_mode=MetaMode.LIVE,
            meta_app_id=APP_ID,
            meta_app_secret=LIVE_SECRET,
            meta_graph_url=url,
            mail_outbox=tmp_path / "outbox",
            log_level="DEBUG",
        )
        async with (
            in_process(application.create_app(settings)) as transport,
            httpx.AsyncClient(transport=transport, base_url="http://testserver", timeout=30) as http,
        ):
            yield Live(Api(http, canaries), weather, settings)


async def test_an_account_is_discovered_connected_checked_and_reconnected(
    live: Live, canaries: Canaries, database: Database
) -> None:
    """The access tokens of this test are searched for wherever the server writes."""
    ada = await live.api.register("ada")
    first, second = (
        of_any("101", pages=["201"], fb="7101"),
        of_any("101", pages=["201"], fb="7101", condition="@9"),
    )
    canaries.secrets |= {first, second}

    shown = await ada.mutate(DISCOVER, accessToken=first)
    connected = await connect(ada, first, "101", pages=["201"])
    ids = [one["socialAccount"]["id"] for one in connected["connected"]]
    checked = await ada.mutate(RECHECK, socialAccountIds=ids)
    renewed = await ada.mutate(RECONNECT, facebookAccount=login(second), socialAccountIds=ids)
    dashboard = (await ada.execute(DASHBOARD))["viewer"]

    assert [one["status"] for one in shown["socialAccounts"]] == ["AVAILABLE", "AVAILABLE"]
    assert [one["outcome"] for one in connected["connected"]] == ["CONNECTED", "CONNECTED"]
    assert {one["health"]["state"] for one in checked["socialAccounts"]} == {"WORKING"}
    assert [one["id"] for one in renewed["socialAccounts"]] == ids
    assert dashboard["healthSummary"]["working"] == 2
    proofs = await database.rows("SELECT proof_source, proof_login FROM social_accounts")
    assert {tuple(row.values()) for row in proofs} == {(f"live:{APP_ID}", "7101")}


async def test_refusals_of_meta_are_told_as_in_the_sandbox(live: Live) -> None:
    ada = await live.api.register("ada")

    assert problems(await connect(ada, "TEST-eve", STUDIO)) == [
        ("instagramAccounts.0.accessToken", "WRONG_ACCOUNT")
    ]
    assert problems(await connect(ada, "TEST-ann-revoked", STUDIO)) == [
        ("facebookAccount.accessToken", "REVOKED")
    ]


async def test_a_wrong_app_secret_is_our_own_fault_and_takes_nothing_away(
    live: Live,
) -> None:
    # given
    ada = await live.api.register("ada")
    connected = await connect(ada, of_any("5"), "5")
    (one,) = [held["socialAccount"]["id"] for held in connected["connected"]]
    wrong = live.settings.model_copy(update={"meta_app_secret": "another"})
    async with (
        in_process(application.create_app(wrong)) as transport,
        httpx.AsyncClient(transport=transport, base_url="http://testserver", timeout=30) as http,
    ):
        ada.api = Api(http, live.api.canaries)

        # when
        refused = await connect(ada, of_any("5"), "5")
        checked = await ada.mutate(RECHECK, socialAccountIds=[one])

    # then
    assert problems(refused) == [("facebookAccount.accessToken", "UNVERIFIABLE")]
    assert checked["socialAccounts"][0]["health"]["state"] == "WORKING"


async def test_two_who_control_a_free_account_connect_at_once_and_one_has_it(
    live: Live, database: Database
) -> None:
    # given: Meta is slow, so that all are proven before anybody writes
    live.weather.delay = 0.1
    people = [await live.api.register(f"racer{number}") for number in range(8)]

    for round_number in range(3):
        external_id = str(1000 + round_number)

        # when
        results = await asyncio.gather(
            *(
                connect(person, of_any(external_id, fb=str(7200 + number)), external_id)
                for number, person in enumerate(people)
            )
        )

        # then
        kinds = Counter(
            result["connected"][0]["outcome"] if "connected" in result else problems(result)[0][1]
            for result in results
        )
        assert kinds == {"CONNECTED": 1, "HeldElsewhere": 7}
        held = await database.rows(
            f"SELECT proof_login FROM social_accounts WHERE external_id = '{external_id}'"
        )
        (winner,) = [number for number, result in enumerate(results) if "connected" in result]
        assert held == [{"proof_login": str(7200 + winner)}]


async def test_the_same_call_twice_at_once_while_meta_is_slow_has_one_outcome(live: Live) -> None:
    live.weather.delay = 0.1
    ada = await live.api.register("ada")

    results = await asyncio.gather(*(connect(ada, of_any("7"), "7", idempotencyKey="once") for _ in range(5)))

    assert all(result == results[0] for result in results)
    assert results[0]["connected"][0]["outcome"] == "CONNECTED"
    assert await ada.held() == ["7"]


async def test_while_meta_is_silent_pages_are_read_with_two_database_connections(
    database_url: str, tmp_path: Path, canaries: Canaries
) -> None:
    # given
    weather = Weather(hang=1, silence=2)
    async with sandbox_at_port(weather) as url:
        settings = make_settings(
            database_url,
            meta_mode=MetaMode.LIVE,
            meta_app_id=APP_ID,
            meta_app_secret="sandbox",
            meta_graph_url=url,
            database_pool_size=2,
            mail_outbox=tmp_path / "outbox",
        )
        async with (
            in_process(application.create_app(settings)) as transport,
            httpx.AsyncClient(transport=transport, base_url="http://testserver", timeout=60) as http,
        ):
            api = Api(http, canaries)
            ada = await api.register("ada")
            waiting = [asyncio.ensure_future(connect(ada, of_any("7"), "7")) for _ in range(10)]
            await asyncio.sleep(0.3)

            # when
            async with asyncio.timeout(1):
                for _ in range(20):
                    await ada.execute(DASHBOARD)

            # then
            assert not any(task.done() for task in waiting)
            for result in await asyncio.gather(*waiting):
                assert problems(result) == [("facebookAccount.accessToken", "UNVERIFIABLE")]
