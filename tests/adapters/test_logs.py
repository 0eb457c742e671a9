"""Logs in development are lines for a terminal: what was logged cannot forge one, or steer the terminal."""

import errno
import io
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import structlog

from graphql_api.adapters import logs

EVIL = "a\nlevel=info forged\r\x1b[2J\x9b1m\x7f\u202e\u2028"
ESCAPED = r"a\nlevel=info forged\r\x1b[2J\x9b1m\x7f\u202e\u2028"


def fail() -> None:
    raise ValueError(EVIL.replace("\n", ""))


@contextmanager
def configured(*, as_json: bool) -> Iterator[io.StringIO]:
    before, level, config = logging.getLogger().handlers[:], logging.getLogger().level, structlog.get_config()
    stream = io.StringIO()
    logs.configure(as_json=as_json, level="INFO", stream=stream)
    yield stream
    structlog.configure(**config)
    logging.getLogger().handlers[:] = before
    logging.getLogger().setLevel(level)


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    with configured(as_json=False) as stream:
        yield stream


def test_control_characters_are_escaped_in_json_too_and_nothing_is_lost() -> None:
    evil = "a\u009b2Jb\u202e\U000e0001\x1b\x7f é 日本"
    with configured(as_json=True) as stream:
        structlog.get_logger("ours").info("http.request", path=evil)
        logging.getLogger("library").warning("got %s", evil)
    ours, library = stream.getvalue().splitlines()
    assert ours.isprintable()
    assert library.isprintable()
    assert "é 日本" in ours
    assert json.loads(ours)["path"] == evil
    assert json.loads(library)["event"] == f"got {evil}"


def test_control_characters_of_a_value_are_escaped(stream: io.StringIO) -> None:
    structlog.get_logger("ours").info(
        "http.request", path=EVIL, raw="\x1b[2J", lone="\ud800", nested=[EVIL], kept="é 日本"
    )
    (line,) = stream.getvalue().splitlines()
    assert f"path={ESCAPED}" in line.replace("'", "")
    assert r"raw='\x1b[2J'" in line
    assert r"lone='\ud800'" in line
    assert "é 日本" in line
    assert line.isprintable()


def test_control_characters_of_a_librarys_message_are_escaped(stream: io.StringIO) -> None:
    logging.getLogger("library").warning("got %s", EVIL)
    (line,) = stream.getvalue().splitlines()
    assert f"got {ESCAPED}" in line


def test_control_characters_of_an_exception_are_escaped(stream: io.StringIO) -> None:
    try:
        fail()
    except ValueError:
        structlog.get_logger("ours").exception("failed")
        logging.getLogger("library").exception("failed")
    text = stream.getvalue()
    assert text.count("Traceback (most recent call last):") == 2
    assert text.count("\n") > 8
    assert text.replace("\n", "").isprintable()


def test_a_line_that_cannot_be_written_fails_nobody() -> None:
    logs.Lines(Full(), "ours").info("a line")


class Full(io.StringIO):
    """A stream on a disk that is full."""

    def write(self, _line: str) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")
