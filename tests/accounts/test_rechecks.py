"""What the server does by itself: asking Meta again, telling what broke, and mailing before it does."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import pytest

from graphql_api import app as application
from graphql_api.services.accounts import watching
from graphql_api.services.calls.call import Services
from graphql_api.services.upkeep import rechecks, warnings
from graphql_api.settings import MetaMode, Settings
from tests import operations
from tests.accounts.meta_operations import DASHBOARD
from tests.accounts.proven import STUDIO, Meta, connect, of_any
from tests.accounts.test_health import health, kinds
from tests.api import Api, Person
from tests.database import Database
from tests.mails import Mailbox

T = TypeVar("T")


async def by_server(settings: Settings, work: Callable[[Services], Awaitable[T]]) -> T:
    """Do what a server process does beside its requests."""
    services = application.build_services(settings)
    async with services.database, application.asking(services):
        return await work(services)


async def recheck(settings: Settings, **how: Any) -> rechecks.Tally:
    tally = await by_server(
        settings, lambda services: rechecks.recheck(services, lambda _done, _due: None, **how)
    )
    assert tally is not None
    return tally


async def warn(settings: Settings) -> int:
    return await by_server(settings, warnings.warn)


async def states(person: Person) -> list[str]:
    nodes = (await person.execute(DASHBOARD))["viewer"]["socialAccounts"]["nodes"]
    return sorted(node["health"]["state"] for node in nodes)


async def test_an_account_is_due_an_hour_after_it_was_connected_and_then_once_a_day(
    meta: Meta, api: Api, settings: Settings
) -> None:
    # given
    ada = await api.register("ada")
    await connect(ada, of_any("1", "2", "3"), "1", "2", "3")
    meta.calls.clear()

    # when
    done = []
    for minutes in (59, 1, 1, 22 * 60, 2 * 60):
        meta.wait(minutes=minutes)
        done.append((await recheck(settings)).accounts)

    # then
    assert done == [0, 3, 0, 0, 3]
    assert meta.calls.count("accounts") == 2, "one look for all accounts of a login"
    assert await kinds(ada) == ["SOCIAL_ACCOUNT_CONNECTED"] * 3


async def test_what_the_token_is_is_asked_once_a_week(meta: Meta, api: Api, settings: Settings) -> None:
    ada = await api.register("ada")
    await connect(ada, of_any("1"), "1")
    meta.calls.clear()

    for _ in range(14):
        meta.wait(days=1)
        await recheck(settings)

    assert meta.calls.count("accounts") == 14
    assert meta.calls.count("debug_token") == 2


# What ends the access of Ann's studio, and what its health says then.
ENDS = {
    "expired": "EXPIRED",
    "revoked": "REVOKED",
    "password": "REVOKED",
    "checkpoint": "CHECKPOINT",
    "norole": "ROLE_TOO_WEAK",
    "unlinked": "WRONG_ACCOUNT",
    "blocked": "OTHER",
}


@pytest.mark.parametrize("condition", ENDS)
async def test_each_end_is_found_told_once_and_mailed_once(
    meta: Meta, api: Api, settings: Settings, mailbox: Mailbox, condition: str
) -> None:
    # given
    ada = await api.register("ada")
    await connect(ada, f"TEST-ann-{condition}@{meta.at(hours=1)}", STUDIO)

    # when
    for _ in range(8):
        meta.wait(hours=4)
        await recheck(settings)
    broken = await health(ada)
    mailed = [await warn(settings), await warn(settings)]
    meta.wait(days=2)
    await recheck(settings)
    mailed.append(await warn(settings))

    # then
    assert (broken["state"], broken["problem"]) == ("BROKEN", ENDS[condition])
    assert await kinds(ada) == ["SOCIAL_ACCOUNT_CONNECTED", "SOCIAL_ACCOUNT_BROKE"]
    assert mailed == [1, 0, 0]
    mail = await mailbox.wait(ada.email, "Log in to Facebook again for your Personal")
    assert '> "ann. studio"' in mail.body


@pytest.mark.parametrize("condition", ["down", "limit"])
async def test_no_answer_of_meta_breaks_nothing_and_is_asked_again_soon(
    meta: Meta, api: Api, settings: Settings, condition: str
) -> None:
    ada = await api.register("ada")
    await connect(ada, of_any("1", condition=f"-{condition}@{meta.at(hours=1)}"), "1")

    done = []
    for minutes in (120, 14, 2):
        meta.wait(minutes=minutes)
        done.append((await recheck(settings)).accounts)

    assert done == [1, 0, 1]
    assert await states(ada) == ["WORKING"]


async def test_a_place_is_mailed_14_7_and_1_day_before_and_when_it_broke(
    meta: Meta, api: Api, settings: Settings, mailbox: Mailbox
) -> None:
    # given
    ada = await api.register("ada")
    await connect(ada, of_any("1", condition=f"-dies@{meta.at(days=20)}"), "1")

    # when
    mailed_on = []
    for day in range(1, 24):
        meta.wait(days=1)
        await recheck(settings)
        if await warn(settings):
            mailed_on.append(day)

    # then
    assert mailed_on == [7, 13, 19, 20], "the first when less than 14 days are left"


async def test_all_accounts_of_a_place_are_in_one_mail_to_each_admin(
    meta: Meta, api: Api, settings: Settings, mailbox: Mailbox
) -> None:
    # given
    ada, ben, cleo = [await api.register(name) for name in ("ada", "ben", "cleo")]
    workspace = await ada.create_workspace("Agency")
    await ada.bring_in(ben, workspace, "ADMIN")
    await ada.bring_in(cleo, workspace)
    await connect(
        ada, of_any("1", "2", condition=f"-dies@{meta.at(days=10)}"), "1", "2", workspaceId=workspace
    )
    meta.wait(hours=1)

    # when
    mailed = await warn(settings)

    # then
    assert mailed == 1
    for admin in (ada, ben):
        mail = await mailbox.wait(admin.email, "Log in to Facebook again for the Workspace Agency")
        assert '> "user_1", "user_2"' in mail.body
    assert mailbox.mails(cleo.email, "again") == []


async def test_a_new_login_begins_the_warnings_anew(
    meta: Meta, api: Api, settings: Settings, database: Database
) -> None:
    ada = await api.register("ada")
    await connect(ada, of_any("1", condition=f"-dies@{meta.at(days=10)}"), "1")
    meta.wait(hours=1)
    assert await warn(settings) == 1

    await connect(ada, of_any("1"), "1")

    assert await database.rows("SELECT warned_days FROM social_accounts") == [{"warned_days": None}]
    meta.wait(days=77)
    assert await warn(settings) == 1, "the new one ends after 90 days"


class TestOneAtATime:
    """Several processes share the logins, and nothing is written that somebody has overtaken."""

    async def test_two_processes_ask_about_each_login_once(
        self, meta: Meta, api: Api, settings: Settings
    ) -> None:
        # given
        ada = await api.register("ada")
        for number in range(1, 21):
            await connect(ada, of_any(str(number), fb=str(7000 + number)), str(number))
        meta.wait(hours=2)
        meta.calls.clear()
        meta.weather.delay = 0.01

        # when
        tallies = await asyncio.gather(*(recheck(settings) for _ in range(2)))

        # then
        assert meta.calls.count("accounts") == 20
        assert sum(tally.accounts for tally in tallies) == 20

    async def test_what_was_asked_when_the_process_died_waits_for_an_hour_and_is_asked_again(
        self, meta: Meta, api: Api, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # given: a process dies between asking and writing
        ada = await api.register("ada")
        await connect(ada, of_any("1"), "1")
        meta.wait(hours=2)
        monkeypatch.setattr(watching, "write", _die)
        with pytest.raises(RuntimeError, match="dies"):
            await recheck(settings)
        monkeypatch.undo()
        meta.install(monkeypatch)

        # when
        done = []
        for minutes in (1, 58, 2):
            meta.wait(minutes=minutes)
            done.append((await recheck(settings)).accounts)

        # then
        assert done == [0, 0, 1]

    @pytest.mark.parametrize("change", ["disconnected", "reconnected", "moved"])
    async def test_what_changed_while_meta_was_asked_is_left_as_it_is(
        self, meta: Meta, api: Api, settings: Settings, change: str
    ) -> None:
        # given
        ada = await api.register("ada")
        workspace = await ada.create_workspace()
        token = of_any("1", condition=f"-revoked@{meta.at(hours=1)}")
        (one,) = [held["socialAccount"]["id"] for held in (await connect(ada, token, "1"))["connected"]]
        meta.wait(hours=2)
        seen: list[str] = []

        async def meanwhile(path: str) -> None:
            seen.append(path)
            if len(seen) > 1:
                return
            if change == "disconnected":
                await ada.mutate(operations.DISCONNECT, socialAccountIds=[one])
            elif change == "reconnected":
                await connect(ada, of_any("1"), "1")
            else:
                await connect(ada, of_any("1"), "1", workspaceId=workspace, allowMove=True)

        meta.before = meanwhile

        # when
        await recheck(settings)

        # then
        assert seen
        assert "SOCIAL_ACCOUNT_BROKE" not in await kinds(ada)
        assert await states(ada) == (["WORKING"] if change == "reconnected" else [])
        assert await ada.held(workspace) == (["1"] if change == "moved" else [])


class TestOurOwnFault:
    """It takes no account away."""

    async def test_if_too_many_fail_at_once_nothing_flips(
        self, meta: Meta, api: Api, settings: Settings, database: Database
    ) -> None:
        # given
        ada = await api.register("ada")
        condition = f"-revoked@{meta.at(hours=1)}"
        for number in range(1, 3):
            ids = [str(number * 1000 + one) for one in range(60)]
            await connect(ada, of_any(*ids, fb=str(7000 + number), condition=condition), *ids)
        meta.wait(hours=2)

        # when
        await recheck(settings)

        # then
        assert await states(ada) == ["WORKING"] * 20
        assert await database.rows("SELECT id FROM social_accounts WHERE health_problem IS NOT NULL") == []
        meta.wait(minutes=16)
        assert (await recheck(settings)).accounts == 120, "they are asked about again"

    def test_what_counts_as_too_many(self) -> None:
        now = datetime(2030, 1, 1, tzinfo=UTC)
        failures = rechecks.Failures()

        assert not failures.are_ours(1000, 49, now=now)
        assert not failures.are_ours(1000, 51, now=now + timedelta(minutes=1)), "5 %"
        assert failures.are_ours(0, 1, now=now + timedelta(minutes=2))
        assert not failures.are_ours(1, 1, now=now + timedelta(minutes=15)), "ten minutes later"


async def test_where_nobody_is_asked_nothing_is_checked(api: Api, settings: Settings) -> None:
    ada = await api.register("ada")
    await connect(ada, of_any("1"), "1")

    tally = await by_server(settings, lambda services: rechecks.recheck(services, lambda _done, _due: None))

    assert settings.meta_mode is MetaMode.OFF
    assert tally is None
    assert await warn(settings) == 0


async def _die(*_: object, **__: object) -> None:
    raise RuntimeError("the process dies")
