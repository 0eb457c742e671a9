"""The words of mails, and when one is tried again."""

import re
from datetime import timedelta

import pytest

from graphql_api.domain.mails import MAX_ATTEMPTS, MailKind, compose, unlinked, wait_after
from graphql_api.domain.secrets import Secret

CODE = Secret("sci_" + "A" * 49)
EVERYTHING = {
    "name": "Ada",
    "expires": "2030-01-01 12:00 UTC",
    "workspace": "Studio {North}",
    "inviter": "Bea",
    "requester": "Cleo",
    "role": "CREATOR",
    "display_name": "studio.north",
    "message": "Please let me in. " * 20,
    "reason": "Not yet.",
    "actor": "Dora",
    "accounts": '"studio.north", "Café Nord"',
    "place": "your Personal",
    "requester_email": "cleo@example.com",
}


@pytest.mark.parametrize("kind", MailKind)
def test_no_mail_has_a_gap_in_its_words(kind: MailKind) -> None:
    letter = compose(kind, EVERYTHING, CODE)

    text = f"{letter.subject}\n\n{letter.body.reveal()}"
    assert "\n\n\n" not in text
    assert "  " not in text.replace("    sci_", "")
    assert "{" not in text.replace("{North}", "")


@pytest.mark.parametrize("kind", MailKind)
def test_a_mail_without_details_still_reads(kind: MailKind) -> None:
    letter = compose(kind, {}, None)

    assert "\n\n\n" not in letter.body.reveal()
    assert letter.body.reveal().startswith("Hello,\n")


@pytest.mark.parametrize("kind", MailKind)
def test_no_line_is_longer_than_mail_may_have(kind: MailKind) -> None:
    longest = dict.fromkeys(EVERYTHING, "ü" * 100) | dict.fromkeys(
        ("message", "reason", "accounts"), "ü" * 1000
    )

    letter = compose(kind, longest, CODE, front_end_url="https://app.example/" + "x" * 200)

    assert max(len(line.encode()) for line in letter.body.reveal().splitlines()) < 998


def test_a_subject_is_one_line_and_short_whatever_it_is_made_of() -> None:
    names = {"inviter": "Mallory\r\nBcc: everybody@example.com\u2028", "workspace": "x" * 500}

    subject = compose(MailKind.INVITATION, names, CODE).subject

    assert subject.splitlines() == [subject]
    assert len(subject) == 150


def test_what_somebody_wrote_stands_quoted() -> None:
    body = compose(MailKind.ACCESS_REQUESTED, {"message": "Hello Bob,\n\nlog in here"}, None).body.reveal()

    assert "\n> Hello Bob, log in here\n" in body


LINKS = re.compile(r"://|\w[.\u3002\uff0e\uff61]\w|@\w|\w:\w")


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("Ada", "Ada"),
        ("Ada B. Lovelace, Inc.", "Ada B. Lovelace, Inc."),
        ("Wait...", "Wait..."),
        ("evil.example", "evil. example"),
        ("https://www.evil.example/x?y=z", "https: //www. evil. example/x?y=z"),
        ("me@evil.example", "me@ evil. example"),
        ("mailto:me", "mailto: me"),
        ("1.2.3.4", "1. 2. 3. 4"),
        ("evil\u3002example", "evil\u3002 example"),
        ("\U0001f4a9.la", "\U0001f4a9. la"),
    ],
)
def test_what_somebody_wrote_is_no_link_and_can_be_read(written: str, read: str) -> None:
    assert unlinked(written) == read
    assert not LINKS.search(unlinked(written))
    assert unlinked(read) == read


@pytest.mark.parametrize("kind", MailKind)
def test_no_name_makes_a_link_in_any_mail(kind: MailKind) -> None:
    free = dict.fromkeys(EVERYTHING.keys() - {"expires", "role"}, "http://evil.example")

    letter = compose(kind, free, None)

    assert not LINKS.search(f"{letter.subject}\n{letter.body.reveal()}")


def test_the_inviters_words_are_quoted_and_cannot_end_the_quotation() -> None:
    words = {"inviter": 'Ada" writes:', "workspace": "Your bank\n\nlog in"}

    letter = compose(MailKind.INVITATION, words, CODE)

    assert letter.subject == '"Ada\' writes:" invites you to "Your bank log in"'
    assert '\n\n> Ada" writes:\n> Your bank log in\n\n' in letter.body.reveal()
    unquoted = [line for line in letter.body.reveal().splitlines() if not line.startswith("> ")]
    assert not any("bank" in line or "writes" in line for line in unquoted)


def test_the_requesters_words_are_quoted_and_cannot_end_the_quotation() -> None:
    words = {
        "workspace": "Studio North",
        "requester": 'Your bank" writes:',
        "display_name": "log.in",
        "message": "Open http://evil.example\nnow",
    }

    letter = compose(MailKind.ACCESS_REQUESTED, words, None)

    assert letter.subject == '"Your bank\' writes:" asks for access to "log. in"'
    quoted = '\n\n> Your bank" writes:\n> log. in\n> Open http: //evil. example now\n\n'
    assert quoted in letter.body.reveal()
    unquoted = [line for line in letter.body.reveal().splitlines() if not line.startswith("> ")]
    assert not any(word in line for line in unquoted for word in ("bank", "log", "evil"))


def test_with_a_front_end_the_code_comes_as_a_link_too() -> None:
    body = compose(MailKind.VERIFY_EMAIL, {}, CODE, front_end_url="https://app.example/").body.reveal()

    assert f"\n    https://app.example/verify-email#code={CODE.reveal()}\n" in body


def test_a_mail_is_tried_for_about_a_day() -> None:
    waits = [wait_after(attempt) for attempt in range(1, MAX_ATTEMPTS)]

    assert waits[:4] == [timedelta(seconds=seconds) for seconds in (30, 60, 120, 240)]
    assert waits[-1] == timedelta(hours=4)
    assert timedelta(hours=20) < sum(waits, timedelta()) < timedelta(hours=30)


def test_a_letter_shows_no_code() -> None:
    letter = compose(MailKind.VERIFY_EMAIL, {}, CODE)

    assert CODE.reveal() not in f"{letter} {letter!r}"
