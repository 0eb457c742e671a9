"""The mails that a server wrote into its outbox, as the people who get them read them."""

import asyncio
import email
import re
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

from tests.canaries import Canaries

CODE = re.compile(r"\bsc[eirv]_[0-9A-Za-z]{49}\b")


@dataclass(frozen=True)
class Received:
    """One mail."""

    to: str
    subject: str
    body: str
    message: EmailMessage

    @property
    def code(self) -> str:
        """The code in it, wherever it stands."""
        (code,) = set(CODE.findall(self.body))
        return str(code)


class Mailbox:
    """Everybody's mails, in the order in which they were written."""

    def __init__(self, folder: Path, canaries: Canaries) -> None:
        self.folder = folder
        self.canaries = canaries

    def mails(self, to: str | None = None, about: str = "") -> list[Received]:
        """What is there now: to this address, with this in the subject."""
        found = [self._read(path) for path in sorted(self.folder.glob("*.eml"))]
        return [mail for mail in found if to in {None, mail.to} and about in mail.subject]

    async def wait(self, to: str, about: str, count: int = 1) -> Received:
        """Wait for mails: the last one, once there are as many."""
        for _ in range(400):
            found = self.mails(to, about)
            if len(found) >= count:
                assert len(found) == count, [mail.subject for mail in found]
                return found[-1]
            await asyncio.sleep(0.02)
        raise AssertionError(f"{len(self.mails(to, about))} mails to {to} about {about}, not {count}")

    def _read(self, path: Path) -> Received:
        message = email.message_from_bytes(path.read_bytes(), policy=default)
        assert isinstance(message, EmailMessage)
        body = message.get_content()
        self.canaries.secrets.update(CODE.findall(body))
        return Received(str(message["To"]), str(message["Subject"]), body, message)
