"""Where mails go: to an SMTP server, or into files.

    Outlet
    ├── Smtp     hands a mail to an SMTP server
    └── Outbox   writes it into a file of a folder

Either takes the same mail twice as one: an outbox overwrites its file, and a mail server recognises the
Message-ID, which is made of the mail's own id.
"""

import asyncio
import os
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTPUTF8
from email.utils import parseaddr
from pathlib import Path
from urllib.parse import unquote, urlsplit
from uuid import UUID

import aiosmtplib

from graphql_api.domain.mails import Letter
from graphql_api.domain.secrets import Secret

SEND_WITHIN = 60.0  # seconds for a whole mail; whoever claims one does so for longer
_STEP_WITHIN = 20.0
_PERMANENT = range(500, 600)
_PORTS = {"smtps": 465, "smtp": 587, "smtp+plain": 25}


class UnusableMailSetting(ValueError):
    """Where mails should go cannot be used. The message never holds the value, which may hold a password."""


class NotSent(Exception):
    """A mail was not taken now; later it may be. The message is for the log, and names nobody."""


class Undeliverable(NotSent):
    """A mail will never be taken as it is."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A mail ready to be sent. Its id and time are its row's: the same in every attempt."""

    id: UUID
    recipient: str
    letter: Letter
    written_at: datetime


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """An SMTP server, as MAIL_URL names it."""

    host: str
    port: int
    scheme: str
    username: str | None
    password: Secret | None


def parse_mail_url(url: str) -> SmtpServer:
    """Read `smtp://user:password@host:587` (STARTTLS, always), `smtps://` or `smtp+plain://`.

    Raises:
        UnusableMailSetting: it is none of these.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise UnusableMailSetting(
            "it is not a URL; percent-encode special characters in the password, such as %2F for /"
        ) from None
    if parts.scheme not in _PORTS or not host or parts.path.strip("/") or parts.query or parts.fragment:
        raise UnusableMailSetting("it is written as smtp://USER:PASSWORD@HOST:PORT, or with smtps://")
    username = unquote(parts.username) if parts.username else None
    password = Secret(unquote(parts.password)) if parts.password else None
    if (username is None) != (password is None):
        raise UnusableMailSetting("a user needs a password, and a password a user")
    if username is not None and parts.scheme == "smtp+plain":
        raise UnusableMailSetting("smtp+plain:// sends no password: use smtp:// or smtps://")
    return SmtpServer(host, port or _PORTS[parts.scheme], parts.scheme, username, password)


def check_sender(sender: str) -> None:
    """Is this an address, or a name with one, that mails can come from?

    Raises:
        UnusableMailSetting: it is not.
    """
    try:
        usable = sender.isprintable() and bool(_from(sender).domain)
    except (MessageError, ValueError, IndexError):
        usable = False
    if not usable:
        raise UnusableMailSetting("it is written as address@example.com, or Name <address@example.com>")


class Smtp:
    """Hands each mail to an SMTP server, by a connection of its own."""

    def __init__(self, server: SmtpServer, *, sender: str) -> None:
        self._server = server
        self._sender = sender

    def __str__(self) -> str:
        return f"{self._server.scheme}://{self._server.host}:{self._server.port}"

    async def send(self, mail: Outgoing) -> None:
        """Hand over a mail.

        Raises:
            NotSent: the server could not be reached, or did not take it.
        """
        message, client = _message(mail, self._sender), self._client()
        try:
            async with asyncio.timeout(SEND_WITHIN):
                await client.connect()
                await client.send_message(
                    message, sender=_from(self._sender).addr_spec, recipients=mail.recipient
                )
        except aiosmtplib.SMTPRecipientsRefused as error:
            (refused,) = error.recipients
            raise _refusal(refused) from None
        except (aiosmtplib.SMTPDataError, aiosmtplib.SMTPSenderRefused) as error:
            raise _refusal(error) from None
        except (aiosmtplib.SMTPException, OSError) as error:
            code = getattr(error, "code", None)
            raise NotSent(f"{type(error).__name__} {code}" if code else type(error).__name__) from None
        else:
            # It is taken: what goes wrong with taking leave does not change that.
            with suppress(aiosmtplib.SMTPException, OSError):
                await client.quit(timeout=5)
        finally:
            client.close()

    def _client(self) -> aiosmtplib.SMTP:
        server = self._server
        return aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            username=server.username,
            password=None if server.password is None else server.password.reveal(),
            local_hostname=_from(self._sender).domain,  # what the library would find out says too much
            use_tls=server.scheme == "smtps",
            start_tls=server.scheme == "smtp",
            timeout=_STEP_WITHIN,
        )


class Outbox:
    """Writes each mail into a file that only its user may read."""

    def __init__(self, folder: Path, *, sender: str) -> None:
        self.folder = folder
        self._sender = sender

    def __str__(self) -> str:
        return f"files in {self.folder}"

    async def send(self, mail: Outgoing) -> None:
        """Write a mail; the same one again overwrites its file.

        Raises:
            NotSent: the file cannot be written.
        """
        content = _message(mail, self._sender).as_bytes(policy=SMTPUTF8.clone(linesep="\n"))
        path = self.folder / f"{mail.written_at:%Y%m%dT%H%M%S.%f}-{mail.id}.eml"
        try:
            await asyncio.to_thread(_write, path, content)
        except OSError as error:
            raise NotSent(f"{type(error).__name__} {error.strerror}") from None


Outlet = Smtp | Outbox


def _message(mail: Outgoing, sender: str) -> EmailMessage:
    """A mail as RFC 5322 has it. Headers refuse line ends, so nobody's name adds one."""
    body = mail.letter.body.reveal()
    message = EmailMessage(policy=SMTPUTF8)
    try:
        message["From"] = _from(sender)
        message["To"] = Address(addr_spec=mail.recipient)
        message["Subject"] = mail.letter.subject
        message["Date"] = mail.written_at
        message["Message-ID"] = f"<{mail.id}@{_from(sender).domain}>"
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no absence note is sent to us
        message.set_content(body, cte="7bit" if body.isascii() else "8bit")
    except (MessageError, ValueError, IndexError) as error:
        raise Undeliverable(type(error).__name__) from None
    return message


def _from(sender: str) -> Address:
    name, address = parseaddr(sender)
    return Address(name, addr_spec=address)


def _refusal(error: aiosmtplib.SMTPResponseException) -> NotSent:
    kind = Undeliverable if error.code in _PERMANENT else NotSent
    return kind(f"{type(error).__name__} {error.code}")


def _write(path: Path, content: bytes) -> None:
    """Write a file that is there as a whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    with open(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:  # noqa: PTH123 - a Path opens with no mode
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)
