"""Attempts are counted by account and network, with growing delays, and never lock anybody out."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from typing import Any

import httpx
import pytest

from graphql_api import app as application
from graphql_api.services.calls.call import Services
from graphql_api.settings import Settings
from tests import operations
from tests.api import Api
from tests.canaries import PASSWORD, Canaries
from tests.mails import Mailbox
from tests.people.mail_operations import CHANGE_EMAIL, REQUEST_RESET, RESET
from tests.serving import in_process


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = datetime(2030, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def wait(self, **duration: float) -> None:
        """Let time pass."""
        self.now += timedelta(**duration)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    build = application.build_services

    def with_clock(settings: Settings) -> Services:
        return dataclasses.replace(build(settings), clock=clock)

    monkeypatch.setattr(application, "build_services", with_clock)
    return clock


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """The server believes the tests where they come from."""
    return settings.model_copy(update={"trusted_proxies": (ip_network("127.0.0.1"),)})


@pytest.fixture
async def api(clock: Clock, api: Api) -> Api:
    """The server, by the test's clock."""
    return api


@asynccontextmanager
async def serving(settings: Settings, canaries: Canaries, **changed: int) -> AsyncIterator[Api]:
    """A second server on the same database, with other figures."""
    async with (
        in_process(application.create_app(settings.model_copy(update=changed))) as transport,
        httpx.AsyncClient(transport=transport, base_url="http://testserver") as http,
    ):
        yield Api(http, canaries)


async def log_in(
    api: Api, email: str, password: str = "not this one", *, by: str = "198.51.100.1"
) -> str | int:
    """Log in, from a network: what came of it, or for how many seconds to wait."""
    value = {"email": email, "password": password, "label": "test", "scopes": []}
    answer = await _answer(api, operations.LOG_IN, value, by=by)
    return answer if isinstance(answer, int) else str(answer["__typename"])


async def _answer(
    api: Api, query: str, value: dict[str, Any], token: str | None = None, by: str = "198.51.100.1"
) -> Any:
    headers = {"X-Forwarded-For": by}
    body = (await api.post(query, {"input": value}, token=token, headers=headers)).json()
    if "errors" in body:
        (error,) = body["errors"]
        assert error["extensions"]["code"] == "RATE_LIMITED", body
        return error["extensions"]["retryAfter"]
    (result,) = body["data"].values()
    return result


async def test_beyond_the_free_attempts_the_delay_grows(api: Api, clock: Clock) -> None:
    ada = await api.register()

    assert [await log_in(api, ada.email) for _ in range(5)] == ["CreateApiTokenFailure"] * 5
    for seconds in (1, 2, 4, 8):
        assert await log_in(api, ada.email) == seconds
        assert await log_in(api, ada.email.upper(), PASSWORD) == seconds
        clock.wait(seconds=seconds)
        assert await log_in(api, ada.email) == "CreateApiTokenFailure"


async def test_whoever_knows_the_password_gets_in_after_the_delay_and_starts_anew(
    api: Api, clock: Clock
) -> None:
    ada = await api.register()
    for _ in range(5):
        await log_in(api, ada.email)
    clock.wait(seconds=1)

    assert await log_in(api, ada.email, PASSWORD) == "CreateApiTokenSuccess"
    assert [await log_in(api, ada.email) for _ in range(6)] == ["CreateApiTokenFailure"] * 5 + [1]


async def test_a_quiet_window_makes_attempts_free_again(api: Api, clock: Clock) -> None:
    ada = await api.register()
    for _ in range(4):
        await log_in(api, ada.email)
    clock.wait(minutes=15)

    assert [await log_in(api, ada.email) for _ in range(5)] == ["CreateApiTokenFailure"] * 5


async def test_an_unknown_address_is_answered_as_a_known_one(api: Api) -> None:
    ada = await api.register()

    known = [await log_in(api, ada.email) for _ in range(7)]
    unknown = [await log_in(api, "nobody@example.com") for _ in range(7)]
    malformed = [await log_in(api, "no address") for _ in range(7)]

    assert known == unknown == malformed == ["CreateApiTokenFailure"] * 5 + [1, 1]


async def test_attempts_at_once_are_not_free(api: Api) -> None:
    ada = await api.register()

    answers = await asyncio.gather(*(log_in(api, ada.email) for _ in range(12)))

    assert sorted(map(str, answers)) == ["1"] * 7 + ["CreateApiTokenFailure"] * 5


async def test_an_address_that_tries_many_accounts_waits(
    api: Api, settings: Settings, canaries: Canaries
) -> None:
    async with serving(settings, canaries, free_log_ins_per_address=3) as strict:
        ada = await strict.register()
        assert await log_in(strict, ada.email, PASSWORD) == "CreateApiTokenSuccess"

        answers = [await log_in(strict, f"somebody.{number}@example.com") for number in range(4)]

    assert answers == ["CreateApiTokenFailure"] * 3 + [1]


async def test_wrong_current_passwords_are_limited_and_delay_no_log_in(api: Api, clock: Clock) -> None:
    ada = await api.register()
    value = {"currentPassword": "not this one", "newPassword": PASSWORD}

    answers = [await _answer(api, operations.CHANGE_PASSWORD, value, ada.token) for _ in range(6)]

    assert [answer["__typename"] for answer in answers[:5]] == ["ChangePasswordFailure"] * 5
    assert answers[5] == 1
    assert await log_in(api, ada.email, PASSWORD) == "CreateApiTokenSuccess"
    # and from any network, by any of the mutations
    value = {"currentPassword": PASSWORD, "newEmail": "new@example.com"}
    assert await _answer(api, CHANGE_EMAIL, value, ada.token, by="203.0.113.9") == 1
    # and the right one begins anew
    clock.wait(seconds=1)
    changed = await _answer(api, CHANGE_EMAIL, value, ada.token)
    assert changed["__typename"] == "ChangeEmailAddressSuccess"
    value = {"currentPassword": "not this one", "newPassword": PASSWORD}
    answers = [await _answer(api, operations.CHANGE_PASSWORD, value, ada.token) for _ in range(6)]
    assert [isinstance(answer, int) for answer in answers] == [False] * 5 + [True]


STRANGER, HOME = "203.0.113.7", "2001:db8:1:1::1"


async def test_a_strangers_wrong_passwords_do_not_delay_the_owner(api: Api) -> None:
    # given
    ada = await api.register()
    answers = [await log_in(api, ada.email, by=STRANGER) for _ in range(8)]
    assert answers == ["CreateApiTokenFailure"] * 5 + [1] * 3

    # then
    assert await log_in(api, ada.email, PASSWORD, by=HOME) == "CreateApiTokenSuccess"
    assert await log_in(api, ada.email, PASSWORD, by=STRANGER) == 1
    value = {"currentPassword": PASSWORD, "newPassword": "CANARY-quite-another"}
    changed = await _answer(api, operations.CHANGE_PASSWORD, value, ada.token, by=HOME)
    assert changed["__typename"] == "ChangePasswordSuccess"


async def test_addresses_of_one_network_wait_together(api: Api) -> None:
    ada = await api.register()

    answers = [await log_in(api, ada.email, by=f"2001:db8:1:1::{number}") for number in range(1, 8)]

    assert answers == ["CreateApiTokenFailure"] * 5 + [1] * 2
    assert await log_in(api, ada.email, by="2001:db8:1:2::1") == "CreateApiTokenFailure"


async def test_many_networks_together_have_a_ceiling_that_spares_the_owners(
    api: Api, settings: Settings, canaries: Canaries, clock: Clock
) -> None:
    async with serving(settings, canaries, free_log_ins_from_new_networks=10) as strict:
        # given
        ada = await strict.register()
        assert await log_in(strict, ada.email, PASSWORD, by=HOME) == "CreateApiTokenSuccess"

        # when
        answers = [await log_in(strict, ada.email, by=f"203.0.113.{number}") for number in range(12)]

        # then
        assert answers == ["CreateApiTokenFailure"] * 10 + [1] * 2
        assert await log_in(strict, ada.email, PASSWORD, by="203.0.113.99") == 1
        assert await log_in(strict, ada.email, PASSWORD, by=HOME) == "CreateApiTokenSuccess"
        assert await log_in(strict, ada.email, by="203.0.113.98") == 1, "the owner lifts nothing for others"
        # and a network is known for a while only
        clock.wait(days=31)
        answers = [await log_in(strict, ada.email, by=f"203.0.113.{number}") for number in range(10)]
        assert answers == ["CreateApiTokenFailure"] * 10
        assert await log_in(strict, ada.email, PASSWORD, by=HOME) == 1


async def test_a_reset_by_mail_lifts_every_delay_of_the_account(
    api: Api, settings: Settings, canaries: Canaries, mailbox: Mailbox
) -> None:
    async with serving(settings, canaries, free_log_ins_from_new_networks=10) as strict:
        # given
        ada = await strict.register()
        for network in (HOME, STRANGER):
            for _ in range(6):
                await log_in(strict, ada.email, by=network)
        value = {"currentPassword": "not this one", "newPassword": PASSWORD}
        for _ in range(6):
            await _answer(strict, operations.CHANGE_PASSWORD, value, ada.token)
        assert await log_in(strict, ada.email, PASSWORD, by=HOME) == 1
        assert await log_in(strict, ada.email, PASSWORD, by="203.0.113.50") == 1

        # when
        await _answer(strict, REQUEST_RESET, {"email": ada.email})
        code = (await mailbox.wait(ada.email, "Choose a new password")).code
        new = "CANARY-quite-another"
        await _answer(strict, RESET, {"code": code, "newPassword": new}, by="203.0.113.50")

        # then
        for network in (HOME, "203.0.113.50", "203.0.113.51"):
            assert await log_in(strict, ada.email, new, by=network) == "CreateApiTokenSuccess"


async def test_an_address_that_registers_many_people_waits(
    api: Api, settings: Settings, canaries: Canaries, clock: Clock
) -> None:
    value = {"email": "late@example.com", "password": PASSWORD, "name": "Late"}
    async with serving(settings, canaries, free_registrations_per_address=2) as strict:
        await strict.register()
        await strict.register()

        assert await _answer(strict, operations.REGISTER, value, by="127.0.0.1") == 1
        clock.wait(seconds=1)
        registered = await _answer(strict, operations.REGISTER, value, by="127.0.0.1")
        assert registered["__typename"] == "RegisterUserSuccess"
