"""The search for secrets itself: it finds what is planted, wherever; and nothing renders a secret."""

import dataclasses
import importlib
import json
import pkgutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from graphql_api import schema
from graphql_api.adapters.sealing import new_key, parse_keys
from graphql_api.domain.claims import Claim, FacebookLogin
from graphql_api.domain.platforms import Platform, SocialKey
from graphql_api.domain.secrets import Secret
from graphql_api.settings import Settings, Unusable, read_settings
from tests.canaries import PASSWORD, Canaries
from tests.conftest import make_settings


@pytest.fixture
def own(tmp_path: Path) -> Canaries:
    """A search of our own, so that what is planted here is not found at the end of the suite."""
    return Canaries(tmp_path)


def in_a_log(canaries: Canaries, secret: str) -> None:
    canaries.logs.write_text(f'{{"event": "hello"}}\n{{"event": "oh {secret}"}}\n', encoding="utf-8")


def in_an_answer(canaries: Canaries, secret: str) -> None:
    canaries.heard(json.dumps({"data": {"viewer": {"name": secret}}}))


def in_an_answer_that_is_no_json(canaries: Canaries, secret: str) -> None:
    canaries.heard(f"<h1>{secret}</h1>")


def in_a_folder_below(canaries: Canaries, secret: str) -> None:
    path = canaries.directory / "a" / "b"
    path.mkdir(parents=True)
    (path / "server.log").write_bytes(b"\x00\xff" * 9000 + secret.encode())


def in_a_database_file(canaries: Canaries, secret: str) -> None:
    with sqlite3.connect(canaries.directory / "data.sqlite3") as connection:
        connection.execute("CREATE TABLE t (c TEXT)")
        connection.execute("INSERT INTO t VALUES (?)", (secret,))
    connection.close()


def in_a_write_ahead_log(canaries: Canaries, secret: str) -> None:
    path = canaries.directory / "data.sqlite3"
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("CREATE TABLE t (c TEXT)")
    connection.execute("INSERT INTO t VALUES (?)", (secret,))
    (canaries.directory / "kept-wal").write_bytes(path.with_name("data.sqlite3-wal").read_bytes())
    connection.close()
    path.unlink()


@pytest.mark.parametrize(
    "plant",
    [
        in_a_log,
        in_an_answer,
        in_an_answer_that_is_no_json,
        in_a_folder_below,
        in_a_database_file,
        in_a_write_ahead_log,
    ],
)
@pytest.mark.parametrize("secret", [PASSWORD, "CANARY-access-token-ig1"])
def test_a_planted_secret_is_found(
    own: Canaries, plant: Callable[[Canaries, str], None], secret: str
) -> None:
    assert own.found() == []
    plant(own, secret)
    assert len(own.found()) == 1


def test_a_bearer_token_that_was_handed_out_is_found_elsewhere(own: Canaries) -> None:
    handed_out = {"data": {"registerUser": {"bearerToken": "sca_abcdef", "user": {"id": "1"}}}}
    own.heard(json.dumps(handed_out))
    assert own.found() == [], "where it is shown on purpose, it is no find"
    in_a_log(own, "sca_abcdef")
    assert own.found() == ["logs.jsonl at byte 33"]


def test_the_code_of_an_invitation_is_noted_and_the_code_of_an_error_is_not(own: Canaries) -> None:
    own.heard(json.dumps({"a": {"code": "sci_abcdef"}, "errors": [{"code": "NOT_FOUND"}]}))
    assert "sci_abcdef" in own.secrets
    assert "NOT_FOUND" not in own.secrets


def test_a_secret_in_the_sentence_of_an_answer_is_found_beside_one_shown_on_purpose(own: Canaries) -> None:
    own.heard(
        json.dumps({"accessToken": "CANARY-access-token-ig1", "message": "not CANARY-access-token-ig1"})
    )
    assert len(own.found()) == 1


def renderings(value: object) -> str:
    """Every accidental way to text."""
    return f"{value} {value!r} {value!s} {[value]} { ({'key': value}) }"


def test_the_renderings_of_settings_hold_no_secret() -> None:
    key = new_key("k1")
    settings = make_settings("postgresql://ada:CANARY-password@db/app", sealing_keys=key)
    assert isinstance(settings, Settings)
    assert "CANARY" not in renderings(settings)
    assert key.partition(":")[2] not in renderings(settings)
    assert key.partition(":")[2] not in renderings(settings.keyring())


def test_what_is_wrong_with_settings_is_told_without_a_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "mysql://ada:CANARY-password@db/app")
    monkeypatch.setenv("PORT", "CANARY-port")
    with pytest.raises(Unusable) as caught:
        read_settings()
    assert "PORT" in str(caught.value)
    assert "CANARY" not in renderings(caught.value)
    monkeypatch.delenv("PORT")
    with pytest.raises(Unusable, match="DATABASE_URL") as caught:
        read_settings()
    assert "CANARY" not in renderings(caught.value)


def test_the_renderings_of_secrets_and_of_what_holds_them_show_nothing() -> None:
    secret = Secret(PASSWORD)
    holders = [
        secret,
        FacebookLogin(facebook_user_id="1", access_token=secret, location=None),
        Claim(
            0,
            SocialKey(Platform.INSTAGRAM, "1"),
            "ada",
            ("input",),
            profile_picture_url=None,
            access_token=secret,
        ),
    ]
    for holder in holders:
        assert "CANARY" not in renderings(holder)


def test_a_secret_is_not_serialised() -> None:
    with pytest.raises(TypeError):
        json.dumps({"secret": Secret(PASSWORD)})
    with pytest.raises(TypeError):
        Secret(PASSWORD).__reduce__()


def test_a_key_is_read_without_its_id() -> None:
    key = new_key("k1")
    assert list(parse_keys(key)) == ["k1"]


INPUTS: set[Any] = {
    kind
    for info in pkgutil.walk_packages(schema.__path__, f"{schema.__name__}.")
    for kind in vars(importlib.import_module(info.name)).values()
    if isinstance(kind, type) and getattr(getattr(kind, "__strawberry_definition__", None), "is_input", False)
}
SECRET_FIELDS = {"password", "current_password", "new_password", "access_token", "code"}


@pytest.mark.parametrize("kind", sorted(INPUTS, key=lambda kind: str(kind)), ids=lambda kind: kind.__name__)
def test_the_renderings_of_an_input_hold_no_secret(kind: Any) -> None:
    names = [field.name for field in dataclasses.fields(kind)]
    value = kind(**{name: PASSWORD if name in SECRET_FIELDS else "plain" for name in names})
    assert "CANARY" not in renderings(value)


def test_the_inputs_that_take_secrets_are_among_those() -> None:
    names = {field.name for kind in INPUTS for field in dataclasses.fields(kind)}
    assert names >= SECRET_FIELDS
