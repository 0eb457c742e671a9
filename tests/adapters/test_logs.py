"""Logs in development are lines for a terminal: what was logged cannot forge one, or steer the terminal."""

import io
import logging
from collections.abc import Iterator

import pytest
import structlog

from graphql_api.adapters import logs

EVIL = "a\nlevel=info forged\r\x1b[2J\x9b1m\x7f\u202e\u2028"
ESCAPED = r"a\nlevel=info forged\r\x1b[2J\x9b1m\x7f\u202e\u2028"


def fail() -> None:
    raise ValueError(EVIL.replace("\n", ""))


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    before, level, config = logging.getLogger().handlers[:], logging.getLogger().level, structlog.get_config()
    stream = io.StringIO()
    logs.configure(as_json=False, level="INFO", stream=stream)
    yield stream
    structlog.configure(**config)
    logging.getLogger().handlers[:] = before
    logging.getLogger().setLevel(level)


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
