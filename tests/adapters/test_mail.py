"""Handing mails to an SMTP server, and writing them into files."""

import asyncio
import ssl
import stat
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from uuid import UUID

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from graphql_api.adapters import mail as adapter
from graphql_api.adapters.mail import (
    NotSent,
    Outbox,
    Outgoing,
    Smtp,
    Undeliverable,
    UnusableMailSetting,
    check_sender,
    parse_mail_url,
)
from graphql_api.domain.mails import Letter
from graphql_api.domain.secrets import Secret
from tests.smtp import mail_server

SENDER = "Connections <mail@connections.example>"
ID = UUID("11111111-2222-3333-4444-555555555555")


def outgoing(recipient: str = "ada@example.com", body: str = "Hello,\n\nan ümlaut.\n") -> Outgoing:
    return Outgoing(
        ID, recipient, Letter("Grüße", Secret(body)), datetime(2030, 1, 2, 3, 4, 5, 678, tzinfo=UTC)
    )


def smtp(url: str) -> Smtp:
    return Smtp(parse_mail_url(url), sender=SENDER)


@pytest.fixture
def certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """What a server at 127.0.0.1 shows, trusted by this process for as long as the test runs."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "certificate.pem"
    path.write_bytes(
        signed.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


async def test_a_mail_reaches_the_server_as_it_was_written() -> None:
    async with mail_server() as server:
        await smtp(f"smtp+plain://127.0.0.1:{server.port}").send(outgoing())

    (mail,) = server.mails
    assert (mail["From"], mail["To"], mail["Subject"]) == (SENDER, "ada@example.com", "Grüße")
    assert mail["Message-ID"] == f"<{ID}@connections.example>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail.get_content().splitlines() == ["Hello,", "", "an ümlaut."]


async def test_a_password_is_sent_once_the_connection_is_encrypted(certificate: ssl.SSLContext) -> None:
    async with mail_server(certificate) as server:
        await smtp(f"smtp://ada:p%40ss@localhost:{server.port}").send(outgoing())

    assert len(server.mails) == len(server.logins) == 1


async def test_a_server_that_does_not_encrypt_gets_neither_password_nor_mail() -> None:
    async with mail_server() as server:
        with pytest.raises(NotSent):
            await smtp(f"smtp://ada:secret@127.0.0.1:{server.port}").send(outgoing())

    assert (server.mails, server.logins) == ([], [])


async def test_a_server_with_a_certificate_that_nobody_knows_gets_nothing(
    certificate: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    async with mail_server(certificate) as server:
        with pytest.raises(NotSent):
            await smtp(f"smtp://ada:secret@localhost:{server.port}").send(outgoing())

    assert (server.mails, server.logins) == ([], [])


@pytest.mark.parametrize(
    ("command", "answer", "for_ever"),
    [
        ("RCPT", "550 no such user", True),
        ("RCPT", "450 try later", False),
        ("DATA", "554 spam", True),
        ("DATA", "451 try later", False),
        ("MAIL", "550 who are you", True),
        ("EHLO", "421 closing", False),
    ],
)
async def test_a_refusal_is_for_ever_or_for_now(command: str, answer: str, for_ever: bool) -> None:
    async with mail_server() as server:
        server.answers[command] = answer
        with pytest.raises(NotSent) as refused:
            await smtp(f"smtp+plain://127.0.0.1:{server.port}").send(outgoing())

    assert isinstance(refused.value, Undeliverable) is for_ever
    assert "ada" not in str(refused.value)


async def test_a_server_that_is_not_there_is_tried_again() -> None:
    async with mail_server() as server:
        port = server.port
    with pytest.raises(NotSent):
        await smtp(f"smtp+plain://127.0.0.1:{port}").send(outgoing())


async def test_a_server_that_does_not_answer_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapter, "SEND_WITHIN", 0.3)
    async with mail_server() as server:
        server.hangs = True
        async with asyncio.timeout(5):
            with pytest.raises(NotSent):
                await smtp(f"smtp+plain://127.0.0.1:{server.port}").send(outgoing())


async def test_a_server_that_fails_at_the_farewell_has_the_mail() -> None:
    async with mail_server() as server:
        server.answers["QUIT"] = "500 what"
        await smtp(f"smtp+plain://127.0.0.1:{server.port}").send(outgoing())

    assert len(server.mails) == 1


@pytest.mark.parametrize("recipient", ["a@b.example>\r\nRCPT TO:<c@d.example", "no address", ""])
async def test_what_is_no_address_is_never_sent(tmp_path: Path, recipient: str) -> None:
    with pytest.raises(Undeliverable):
        await Outbox(tmp_path, sender=SENDER).send(outgoing(recipient))

    assert list(tmp_path.iterdir()) == []


async def test_a_file_is_for_its_user_only_and_reads_as_it_is(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "outbox"

    await Outbox(folder, sender=SENDER).send(outgoing())

    (path,) = folder.iterdir()
    assert path.name == f"20300102T030405.000678-{ID}.eml"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert "Subject: Grüße\n" in path.read_text(encoding="utf-8")
    assert "an ümlaut." in path.read_text(encoding="utf-8")
    assert message_from_bytes(path.read_bytes(), policy=default)["To"] == "ada@example.com"


async def test_the_same_mail_twice_is_one_file(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path, sender=SENDER)

    await outbox.send(outgoing())
    await outbox.send(outgoing())

    assert len(list(tmp_path.iterdir())) == 1


async def test_a_folder_that_cannot_be_written_is_tried_again(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(NotSent):
        await Outbox(tmp_path / "file", sender=SENDER).send(outgoing())


@pytest.mark.parametrize(
    ("url", "port"),
    [
        ("smtp://mail.example", 587),
        ("smtps://mail.example", 465),
        ("smtp+plain://mail.example", 25),
        ("smtp://ada:x@mail.example:2525", 2525),
    ],
)
def test_a_url_names_a_server(url: str, port: int) -> None:
    server = parse_mail_url(url)

    assert (server.host, server.port) == ("mail.example", port)


@pytest.mark.parametrize(
    "url",
    [
        "mail.example",
        "http://mail.example",
        "smtp://",
        "smtp://mail.example/path",
        "smtp://mail.example?tls=no",
        "smtp://mail.example:CANARY",
        "smtp://CANARY@mail.example",
        "smtp+plain://ada:CANARY@mail.example",
    ],
)
def test_what_is_no_url_is_refused_without_being_repeated(url: str) -> None:
    with pytest.raises(UnusableMailSetting) as refused:
        parse_mail_url(url)

    assert "CANARY" not in str(refused.value)


@pytest.mark.parametrize("sender", ["nobody", "a@b\r\nBcc: c@d.example", "Name <>", "@example.com"])
def test_what_is_no_sender_is_refused(sender: str) -> None:
    with pytest.raises(UnusableMailSetting):
        check_sender(sender)


def test_the_server_shows_no_password() -> None:
    server = parse_mail_url("smtp://ada:CANARY-password@mail.example")
    outlet = Smtp(server, sender=SENDER)

    assert "CANARY" not in f"{server!r} {outlet} {outlet!r}"
    assert str(outlet) == "smtp://mail.example:587"
