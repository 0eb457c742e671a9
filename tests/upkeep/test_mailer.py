"""The mailer: every mail once, whoever sends, whatever fails, whoever dies."""

import asyncio
import dataclasses
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from graphql_api.adapters.mail import NotSent, Outgoing, Undeliverable
from graphql_api.adapters.sealing import new_key
from graphql_api.app import build_services
from graphql_api.domain.mails import MAX_ATTEMPTS, MailKind
from graphql_api.domain.refusals import Refused
from graphql_api.domain.secrets import Secret
from graphql_api.services.calls import mails
from graphql_api.services.calls.call import Call, Services
from graphql_api.services.upkeep import mailer as mailer_module
from graphql_api.services.upkeep import sealing_keys
from graphql_api.services.upkeep.mailer import Mailer
from graphql_api.settings import Settings
from graphql_api.storage.tables import Mail
from tests.api import Api
from tests.canaries import Canaries
from tests.conftest import make_settings
from tests.serving import running
from tests.smtp import MailServer, mail_server

CODE = "sci_" + "0" * 49


class Kept:
    """An outlet that keeps what it gets, and fails when it is told to."""

    def __init__(self, fail: Callable[[], Exception | None] = lambda: None) -> None:
        self.sent: list[Outgoing] = []
        self.fail = fail
        self.entered = asyncio.Event()
        self.gate = asyncio.Event()
        self.gate.set()

    async def send(self, mail: Outgoing) -> None:
        self.entered.set()
        await self.gate.wait()
        error = self.fail()
        if error is not None:
            raise error
        self.sent.append(mail)


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = datetime(2030, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


def mailer(services: Services, outlet: Any) -> Mailer:
    return Mailer(services, outlet)


@asynccontextmanager
async def process(settings: Settings, clock: Clock | None = None) -> AsyncIterator[Services]:
    """What one process has."""
    services = build_services(settings)
    if clock is not None:
        services = dataclasses.replace(services, clock=clock)
    async with services.database:
        yield services


async def enqueue(services: Services, *recipients: str, code: bool = True) -> None:
    call = Call(services, None, "test")

    async def work(session: AsyncSession) -> None:
        for recipient in recipients:
            secret = Secret(CODE) if code else None
            await mails.enqueue(session, call, MailKind.INVITATION, recipient, {}, secret=secret)

    await call.transact(work)


async def rows(services: Services) -> list[Mail]:
    async def work(session: AsyncSession) -> list[Mail]:
        return list((await session.scalars(select(Mail).order_by(col(Mail.recipient)))).all())

    return await services.database.read(work)


async def test_two_mailers_send_each_mail_once(settings: Settings) -> None:
    # given
    people = {f"person.{number}@example.com" for number in range(40)}
    outlets = [Kept(), Kept()]
    async with process(settings) as one, process(settings) as other:
        await enqueue(one, *people)

        # when
        async def drain(services: Services, outlet: Kept) -> None:
            sender = mailer(services, outlet)
            while await sender.send_due():
                pass

        await asyncio.gather(drain(one, outlets[0]), drain(other, outlets[1]))

        # then
        sent = [mail.recipient for outlet in outlets for mail in outlet.sent]
        assert sorted(sent) == sorted(people)
        assert all(row.sent_at and row.secret is None and row.attempts == 1 for row in await rows(one))


async def test_a_mail_of_a_transaction_that_was_refused_is_never_sent(settings: Settings) -> None:
    outlet = Kept()
    async with process(settings) as services:
        call = Call(services, None, "test")

        async def work(session: AsyncSession) -> Refused[str]:
            await mails.enqueue(session, call, MailKind.ADDRESS_TAKEN, "ada@example.com", {})
            return Refused(["no"])

        await call.transact(work)

        assert await mailer(services, outlet).send_due() == 0
        assert await rows(services) == []


async def test_what_fails_is_tried_again_later_and_given_up_in_the_end(
    settings: Settings, canaries: Canaries
) -> None:
    logged_before = canaries.logs.stat().st_size
    clock, outlet = Clock(), Kept(lambda: NotSent("no route"))
    async with process(settings, clock) as services:
        await enqueue(services, "ada@example.com")
        sender = mailer(services, outlet)

        tries = []
        for _ in range(MAX_ATTEMPTS + 3):
            tries += [clock.now] * await sender.send_due()
            (row,) = await rows(services)
            clock.now = max(clock.now, row.due_at)

        assert len(tries) == MAX_ATTEMPTS
        assert tries[1] - tries[0] == timedelta(seconds=30)
        assert tries[-1] - tries[-2] == timedelta(hours=4)
        assert (row.sent_at, row.secret) == (None, None)
    logged = canaries.logs.read_bytes()[logged_before:].decode()
    assert "mail.given_up" in logged
    assert "ada@example.com" not in logged


async def test_what_is_refused_for_ever_is_not_tried_again(settings: Settings) -> None:
    clock, outlet = Clock(), Kept(lambda: Undeliverable("SMTPRecipientRefused 550"))
    async with process(settings, clock) as services:
        await enqueue(services, "ada@example.com", "no address")
        sender = mailer(services, outlet)

        assert await sender.send_due() == 2
        clock.now += timedelta(days=2)
        assert await sender.send_due() == 0
        assert [row.secret for row in await rows(services)] == [None, None]


async def test_one_that_fails_does_not_hold_up_the_others(settings: Settings) -> None:
    failing = iter([NotSent("no")])
    outlet = Kept(lambda: next(failing, None))
    async with process(settings) as services:
        await enqueue(services, "ada@example.com", "bea@example.com", "cleo@example.com")

        assert await mailer(services, outlet).send_due() == 3

        assert len(outlet.sent) == 2


async def test_who_dies_between_sending_and_marking_leaves_it_to_another_with_the_same_id(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, outlet = Clock(), Kept()
    async with process(settings, clock) as services:
        await enqueue(services, "ada@example.com")
        dying = mailer(services, outlet)

        async def die(*_: object, **__: object) -> None:
            raise asyncio.CancelledError

        with monkeypatch.context() as patched:
            patched.setattr(Mailer, "_mark", die)
            with pytest.raises(asyncio.CancelledError):
                await dying.send_due()

        sender = mailer(services, outlet)
        assert await sender.send_due() == 0, "it is claimed for a while"
        clock.now += mailer_module.CLAIMED_FOR
        assert await sender.send_due() == 1
        first, second = outlet.sent
        assert (first.id, first.written_at, first.letter.body.reveal()) == (
            second.id,
            second.written_at,
            second.letter.body.reveal(),
        )
        assert CODE in second.letter.body.reveal()


async def test_who_is_slower_than_the_claim_does_not_mark_what_another_took(settings: Settings) -> None:
    clock, slow, quick = Clock(), Kept(), Kept(lambda: NotSent("no"))
    slow.gate.clear()
    async with process(settings, clock) as services:
        await enqueue(services, "ada@example.com")
        task = asyncio.create_task(mailer(services, slow).send_due())
        await slow.entered.wait()
        clock.now += mailer_module.CLAIMED_FOR
        await mailer(services, quick).send_due()
        slow.gate.set()
        await task

        (row,) = await rows(services)
        assert (row.sent_at, row.attempts) == (None, 2)


async def test_no_connection_is_held_while_a_mail_is_sent(settings: Settings) -> None:
    outlet = Kept()
    outlet.gate.clear()
    async with process(settings.model_copy(update={"database_pool_size": 1})) as services:
        await enqueue(services, "ada@example.com")
        task = asyncio.create_task(mailer(services, outlet).send_due())
        await outlet.entered.wait()

        async with asyncio.timeout(2):
            await enqueue(services, "bea@example.com")
            assert len(await rows(services)) == 2

        outlet.gate.set()
        await task


async def test_a_mail_is_sent_at_once_and_the_end_waits_for_it(settings: Settings) -> None:
    outlet = Kept()
    outlet.gate.clear()
    async with process(settings) as services:
        async with mailer(services, outlet).running():
            await asyncio.sleep(0.2)  # it has looked, and found nothing
            await enqueue(services, "ada@example.com")
            async with asyncio.timeout(2):
                await outlet.entered.wait()
            asyncio.get_running_loop().call_later(0.3, outlet.gate.set)

        (row,) = await rows(services)
        assert row.sent_at is not None
        assert [mail.recipient for mail in outlet.sent] == ["ada@example.com"]


async def test_the_mailer_survives_what_nobody_planned(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mailer_module, "POLL_EVERY", 0.05)
    failing = iter([RuntimeError("planned by nobody")])
    clock, outlet = Clock(), Kept(lambda: next(failing, None))
    async with process(settings, clock) as services, mailer(services, outlet).running():
        await enqueue(services, "ada@example.com")
        await asyncio.wait_for(outlet.entered.wait(), 5)
        clock.now += mailer_module.CLAIMED_FOR
        for _ in range(100):
            if outlet.sent:
                break
            await asyncio.sleep(0.05)

    assert len(outlet.sent) == 1


async def test_an_international_address_is_sent_to_in_ascii(settings: Settings) -> None:
    outlet = Kept()
    async with process(settings) as services:
        await enqueue(services, "ada@zürich.example")
        await mailer(services, outlet).send_due()

    assert [mail.recipient for mail in outlet.sent] == ["ada@xn--zrich-kva.example"]


async def test_a_code_is_resealed_when_keys_change_and_still_reaches_its_reader(settings: Settings) -> None:
    outlet, both = Kept(), f"{new_key('k2')} {settings.sealing_keys}"
    rotated = settings.model_copy(update={"sealing_keys": both})
    only_new = settings.model_copy(update={"sealing_keys": both.split(maxsplit=1)[0]})
    async with process(settings) as services:
        await enqueue(services, "ada@example.com")
        await enqueue(services, "bea@example.com", code=False)
    async with process(rotated) as services:
        assert await sealing_keys.reseal(services, lambda *_: None) == sealing_keys.Resealed(1, 0)
        assert [(use.id, use.sealed) for use in await sealing_keys.uses(services)] == [("k2", 1), ("k1", 0)]
    async with process(only_new) as services:
        await mailer(services, outlet).send_due()

    assert sorted(CODE in mail.letter.body.reveal() for mail in outlet.sent) == [False, True]


async def test_a_code_whose_key_is_missing_waits_for_the_key(settings: Settings) -> None:
    outlet, clock = Kept(), Clock()
    async with process(settings, clock) as services:
        await enqueue(services, "ada@example.com")
    async with process(settings.model_copy(update={"sealing_keys": new_key("k1")}), clock) as services:
        assert await mailer(services, outlet).send_due() == 1
    assert outlet.sent == []
    clock.now += timedelta(minutes=1)
    async with process(settings, clock) as services:
        assert await mailer(services, outlet).send_due() == 1
    assert len(outlet.sent) == 1


class TestProcesses:
    """Servers as processes of their own, on one PostgreSQL, with one mail server."""

    @pytest.fixture
    async def server(self) -> AsyncIterator[MailServer]:
        async with mail_server() as server:
            yield server

    @staticmethod
    def environment(url: str, key: str, server: MailServer) -> dict[str, str]:
        return {
            "DATABASE_URL": url,
            "SEALING_KEYS": key,
            "MAIL_URL": f"smtp+plain://127.0.0.1:{server.port}",
            "MAIL_FROM": "mail@connections.example",
        }

    async def test_two_servers_send_each_mail_once_and_a_killed_ones_is_sent_by_the_other(
        self, postgresql_url: str, canaries: Canaries, server: MailServer, tmp_path: Path
    ) -> None:
        key = new_key("k1")
        environment = self.environment(postgresql_url, key, server)
        async with AsyncExitStack() as stack:
            servers = [
                await stack.enter_async_context(running(canaries.directory / f"mailer{one}", environment))
                for one in range(2)
            ]
            apis = [
                Api(
                    await stack.enter_async_context(httpx.AsyncClient(base_url=one.base_url, timeout=60)),
                    canaries,
                )
                for one in servers
            ]

            # when both write mails at once
            people = await asyncio.gather(*(apis[number % 2].register() for number in range(8)))

            # then each is sent once
            await self._arrived(server, 8)
            await asyncio.sleep(1)
            assert sorted(mail["To"] for mail in server.mails) == sorted(one.email for one in people)

            # when one is killed after the mail server took a mail, and before it heard so
            server.hangs = True
            server.mails.clear()
            last = await apis[0].register()
            await self._arrived(server, 1)
            await servers[0].stop(signal.SIGKILL)
            await servers[1].stop(signal.SIGKILL)
            server.hangs = False
            async with process(make_settings(postgresql_url, sealing_keys=key)) as services:
                await self._make_due(services)
            await stack.enter_async_context(running(canaries.directory / "mailer2", environment))

            # then it is sent again, as the same mail
            await self._arrived(server, 2)
            first, second = server.mails
            assert first["To"] == second["To"] == last.email
            assert first["Message-ID"] == second["Message-ID"]
            assert first.get_content() == second.get_content()

    async def _arrived(self, server: MailServer, count: int) -> None:
        for _ in range(400):
            if len(server.mails) >= count:
                break
            await asyncio.sleep(0.05)
        assert len(server.mails) == count

    async def _make_due(self, services: Services) -> None:
        async def work(session: AsyncSession) -> UUID:
            mail = (await session.scalars(select(Mail).where(col(Mail.sent_at).is_(None)))).one()
            mail.due_at = services.clock()
            return mail.id

        await services.database.transact(work)
