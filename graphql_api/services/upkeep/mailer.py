"""Sending the mails that are due, beside the requests of this process.

Several processes do this at once. A mail is claimed in a short transaction, for longer than sending may
take; it is sent while no connection is held; then it is marked. Who dies in between leaves it to whoever
finds it due again, and that one sends the same Message-ID.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
import structlog
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select
from sqlmodel.sql.expression import SelectOfScalar

from graphql_api.adapters.mail import NotSent, Outgoing, Outlet, Undeliverable
from graphql_api.adapters.sealing import CannotOpen
from graphql_api.domain.faults import TemporarilyUnavailable
from graphql_api.domain.mails import MAX_ATTEMPTS, MailKind, compose, wait_after
from graphql_api.services.calls import mails
from graphql_api.services.calls.call import Services
from graphql_api.services.calls.emails import deliverable
from graphql_api.services.people import email_codes
from graphql_api.storage.tables import Mail

POLL_EVERY = 5.0  # seconds; mails of this process's own requests are not waited for
BATCH = 10
CLAIMED_FOR = timedelta(minutes=5)
STOP_WITHIN = 15.0  # seconds for what is being sent when the process ends

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Mailer:
    """One process's mailer."""

    services: Services
    outlet: Outlet
    front_end_url: str = ""

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Send what is due until the block ends; what is being sent then is finished."""
        stopping = asyncio.Event()
        task = asyncio.create_task(self._run(stopping))
        try:
            yield
        finally:
            stopping.set()
            self.services.mail_waiting.set()
            await asyncio.wait({task}, timeout=STOP_WITHIN)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _run(self, stopping: asyncio.Event) -> None:
        waiting = self.services.mail_waiting
        while not stopping.is_set():
            waiting.clear()
            try:
                sent = await self.send_due()
            except TemporarilyUnavailable:
                sent = 0
            except Exception:
                # Nobody waits for this task: it goes on, and the log says what happened.
                log.exception("mailer.failed")
                sent = 0
            if sent == 0 and not stopping.is_set():
                await _wait(waiting, POLL_EVERY)

    async def send_due(self) -> int:
        """Send a batch of what is due; how many mails were tried."""
        if not await self.services.database.read(self._is_any_due):
            return 0
        claimed = await self.services.database.transact(self._claim)
        ends = await asyncio.gather(*(self._send(mail) for mail in claimed), return_exceptions=True)
        for error in ends:
            if error is not None:
                raise error
        return len(claimed)

    async def _is_any_due(self, session: AsyncSession) -> bool:
        return (await session.scalars(_due(self.services.clock()).limit(1))).first() is not None

    async def _claim(self, session: AsyncSession) -> Sequence[Mail]:
        """Take mails for a while. What another process takes just now is left to it."""
        now = self.services.clock()
        due = _due(now).order_by(col(Mail.due_at)).limit(BATCH).with_for_update(skip_locked=True)
        claimed = []
        for mail in (await session.scalars(due)).all():
            if mail.kind is MailKind.RESET_PASSWORD and not await email_codes.fill_reset(
                session, self.services, mail
            ):
                await session.delete(mail)  # there is nobody with this address
                continue
            if mail.kind is MailKind.CHANGE_EMAIL:
                await email_codes.divert_change(session, mail)
            mail.attempts += 1
            mail.due_at = now + CLAIMED_FOR
            claimed.append(mail)
        await session.flush()
        return claimed

    async def _send(self, mail: Mail) -> None:
        try:
            await self.outlet.send(self._outgoing(mail))
        except (NotSent, CannotOpen) as error:
            reason = str(error) if isinstance(error, NotSent) else "its code does not open"
            if isinstance(error, Undeliverable) or mail.attempts >= MAX_ATTEMPTS:
                log.error("mail.given_up", mail=str(mail.id), kind=mail.kind, reason=reason)  # noqa: TRY400 - the reason says it all
                await self._mark(mail, attempts=MAX_ATTEMPTS, secret=None)
                return
            wait = wait_after(mail.attempts)
            log.warning(
                "mail.not_sent",
                mail=str(mail.id),
                kind=mail.kind,
                attempt=mail.attempts,
                again_in=wait.total_seconds(),
                reason=reason,
            )
            await self._mark(mail, due_at=self.services.clock() + wait)
            return
        await self._mark(mail, sent_at=self.services.clock(), secret=None)
        log.info("mail.sent", mail=str(mail.id), kind=mail.kind)

    def _outgoing(self, mail: Mail) -> Outgoing:
        code = mails.open_code(self.services.keyring, mail)
        letter = compose(mail.kind, mail.details, code, front_end_url=self.front_end_url)
        try:
            recipient = deliverable(mail.recipient)
        except ValueError:
            raise Undeliverable("the address is none") from None
        return Outgoing(mail.id, recipient, letter, mail.created_at)

    async def _mark(self, mail: Mail, **values: object) -> None:
        """Note what came of it, unless the claim ran out and somebody else has taken the mail since."""

        async def work(session: AsyncSession) -> None:
            await session.execute(
                sa.update(Mail)
                .where(
                    col(Mail.id) == mail.id,
                    col(Mail.attempts) == mail.attempts,
                    col(Mail.sent_at).is_(None),
                )
                .values(**values)
                .execution_options(synchronize_session=False)
            )

        await self.services.database.transact(work)


def _due(now: datetime) -> SelectOfScalar[Mail]:
    return select(Mail).where(
        col(Mail.sent_at).is_(None), col(Mail.due_at) <= now, col(Mail.attempts) < MAX_ATTEMPTS
    )


async def _wait(event: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return
