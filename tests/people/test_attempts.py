"""Attempts are counted per account and per address, with growing delays, and never lock anybody out."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from graphql_api import app as application
from graphql_api.services.calls.call import Services
from graphql_api.settings import Settings
from tests import operations
from tests.api import Api
from tests.canaries import PASSWORD, Canaries
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


async def log_in(api: Api, email: str, password: str = "not this one") -> str | int:
    """Log in: what came of it, or for how many seconds to wait."""
    answer = await _answer(
        api, operations.LOG_IN, {"email": email, "password": password, "label": "test", "scopes": []}
    )
    return answer if isinstance(answer, int) else str(answer["__typename"])


async def _answer(api: Api, query: str, value: dict[str, Any], token: str | None = None) -> Any:
    body = (await api.post(query, {"input": value}, token=token)).json()
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


async def test_a_wrong_current_password_counts_as_a_log_in(api: Api) -> None:
    ada = await api.register()
    value = {"currentPassword": "not this one", "newPassword": PASSWORD}

    answers = [await _answer(api, operations.CHANGE_PASSWORD, value, ada.token) for _ in range(6)]

    assert [answer["__typename"] for answer in answers[:5]] == ["ChangePasswordFailure"] * 5
    assert answers[5] == 1
    assert await log_in(api, ada.email, PASSWORD) == 1


async def test_an_address_that_registers_many_people_waits(
    api: Api, settings: Settings, canaries: Canaries, clock: Clock
) -> None:
    value = {"email": "late@example.com", "password": PASSWORD, "name": "Late"}
    async with serving(settings, canaries, free_registrations_per_address=2) as strict:
        await strict.register()
        await strict.register()

        assert await _answer(strict, operations.REGISTER, value) == 1
        clock.wait(seconds=1)
        assert (await _answer(strict, operations.REGISTER, value))["__typename"] == "RegisterUserSuccess"
