"""A mail server as tests need one: it keeps what it gets, and refuses when it is told to."""

import asyncio
import email
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import default


@dataclass
class MailServer:
    """One listening server. `answers` replaces its answer to a command, by the command's first word."""

    tls: ssl.SSLContext | None = None
    answers: dict[str, str] = field(default_factory=dict)
    mails: list[EmailMessage] = field(default_factory=list)
    logins: list[str] = field(default_factory=list)
    hangs: bool = False
    port: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Talk to one client."""
        try:
            await self._talk(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 test\r\n")
        encrypted = False
        while line := (await reader.readline()).decode().strip():
            word, _, rest = line.partition(" ")
            word = word.upper()
            if word == "AUTH":
                self.logins.append(rest)
            starts_tls = word == "STARTTLS" and self.tls is not None
            for said in self._answer(word, encrypted):
                writer.write(said.encode() + b"\r\n")
            await writer.drain()
            if starts_tls and self.tls is not None:
                await writer.start_tls(self.tls)
                encrypted = True
            elif word == "DATA" and word not in self.answers:
                await self._receive(reader)
                if self.hangs:
                    await asyncio.sleep(3600)
                writer.write(b"250 taken\r\n")
            elif word == "QUIT":
                return

    def _answer(self, word: str, encrypted: bool) -> list[str]:
        if word in self.answers:
            return [self.answers[word]]
        if word == "EHLO":
            upgrade = ["250-STARTTLS"] if self.tls is not None and not encrypted else []
            return ["250-test", *upgrade, "250-AUTH PLAIN", "250 8BITMIME"]
        known = {"STARTTLS": "220 go ahead", "AUTH": "235 welcome", "DATA": "354 go ahead", "QUIT": "221 bye"}
        return [known.get(word, "250 ok")]

    async def _receive(self, reader: asyncio.StreamReader) -> None:
        content = (await reader.readuntil(b"\r\n.\r\n")).removesuffix(b".\r\n")
        message = email.message_from_bytes(content, policy=default)
        assert isinstance(message, EmailMessage)
        self.mails.append(message)


@asynccontextmanager
async def mail_server(tls: ssl.SSLContext | None = None) -> AsyncIterator[MailServer]:
    """A mail server on a free port of this machine."""
    kept = MailServer(tls)
    server = await asyncio.start_server(kept.serve, "127.0.0.1", 0)
    kept.port = server.sockets[0].getsockname()[1]
    try:
        yield kept
    finally:
        server.close()
