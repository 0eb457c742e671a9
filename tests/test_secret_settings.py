"""A wrong setting shows no secret, and no file of ours can be read by others."""

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import structlog

from graphql_api.adapters.sealing import new_key
from graphql_api.settings import Settings, Unusable, read_settings
from graphql_api.storage.database import check_url
from graphql_api.storage.faults import NoConnection
from graphql_api.storage.postgresql import PostgreSQL
from graphql_api.storage.sqlite import create_file

ROOT = Path(__file__).parent.parent
UNUSABLE = [
    "postgresql://ada:hush/hush@localhost/app",
    "postgresql://ada:12/hush@localhost/app",
    "postgresql://ada:12?hush@localhost/app",
    "postgresql://ada:hush?hush@localhost/app",
    "postgresql://ada:12#hush@localhost/app",
    "postgresql://ada:hush[hush@localhost/app",
    "postgresql://ada:pw@localhost:12hush/app",
    "postgresql://ada:pw@localhost:70000/app",
    "postgresql://ada:pw@one:5432,two:hush/app",
    "postgresql://ada:pw@[::1]hush/app",
    "postgresql://ada:pw@localhost:0/app",
    "postgresql://ada:pw@localhost:-1/app",
    "postgresql://ada:pw@localhost:99999999/app",
    "postgresql://ada:hush%@localhost/app",
    "postgresql://ada:hush%zz@localhost/app",
    "postgresql://ada:hush%ff@localhost/app",
    "postgresql://ada:hush@localhost/%ff",
    "postgresql://ada:hush@[::1/app",
    "postgresql://ada:hush@::1]/app",
    "postgresql://ada:hush@[1:2]/app",
    "postgresql://ada:hush@[::g]/app",
    "postgresql://ada:hush@[]/app",
    "postgresql://ada:hush@localhost/app?sslmode",
    "postgresql://ada:hush@localhost/app?=hush",
    "postgresql://ada:hush@localhost/app?a=%ff",
    "postgresql:///app?user=ada&password=hush&port=12x",
    "postgresql:///app?host=one,two,three&port=1,2&password=hush",
    "postgresql://ada:hush @localhost/app",
    "postgresql://ada:hush@localhost/app\n",
    "postgresql://ada:hush@\u2100/app",
]
UNUSABLE_IN_OTHER_WORDS = [
    "postgresql://ada:hush@localhost/app?sslmode=hush",
    "postgresql://ada:hush@localhost/app?target_session_attrs=hush",
    "postgresql+asyncpg://ada:hush@localhost/app",
    "mysql://ada:hush@localhost/app",
    "hush",
    "sqlite:hush",
    "sqlite://hush/data.sqlite3",
    "sqlite:///data.sqlite3?key=hush",
    "sqlite:///:memory:",
]
USABLE = [
    "postgresql://ada:pa%2Fss@localhost/app",
    "postgresql://ada:p@ss:word@localhost:5432/app?sslmode=disable",
    "postgres://ada@[::1]:5432/app",
    "postgresql://ada:pw@one:5432,two:5433/app",
    "postgresql:///app?host=/run/postgresql",
    "postgresql://%2Frun%2Fpostgresql/app",
]


@pytest.mark.parametrize("url", UNUSABLE)
def test_a_database_url_that_cannot_be_read_is_refused_without_its_password(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", url)
    with pytest.raises(Unusable) as refused:
        read_settings()
    said = str(refused.value)
    assert "hush" not in said
    assert "ada" not in said
    assert said.startswith("DATABASE_URL: ")
    assert "percent-encode" in said
    assert "%2F" in said


@pytest.mark.parametrize("url", UNUSABLE_IN_OTHER_WORDS)
def test_a_database_url_that_is_of_no_use_is_refused_without_its_value(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", url)
    with pytest.raises(Unusable) as refused:
        read_settings()
    assert str(refused.value).startswith("DATABASE_URL: ")
    assert "hush" not in str(refused.value)


@pytest.mark.parametrize(
    ("url", "ways"),
    [
        (
            "postgresql://ada:p@ss:w%2Frd@localhost/app?sslmode=disable&connect_timeout=3",
            [{"user": "ada", "password": "p@ss:w/rd", "host": "localhost", "port": 5432, "database": "app"}],
        ),
        ("postgres://[::1]:5433", [{"host": "::1", "port": 5433}]),
        (
            "postgresql://%2Frun%2Fpostgresql/app",
            [{"host": "/run/postgresql", "port": 5432, "database": "app"}],
        ),
        ("postgresql:///app", [{"database": "app"}]),
        ("postgresql://one:1,two/app", [{"host": "one", "port": 1}, {"host": "two", "port": 5432}]),
        ("postgresql:///app?host=one,two&port=1,2", [{"host": "one", "port": 1}, {"host": "two", "port": 2}]),
        ("postgresql:///app?host=one,two&port=3", [{"host": "one", "port": 3}, {"host": "two", "port": 3}]),
    ],
)
async def test_the_driver_is_told_what_the_database_url_says(
    url: str, ways: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[dict[str, Any]] = []

    async def refuse(**told: Any) -> None:
        tried.append(told)
        raise ConnectionRefusedError

    monkeypatch.setattr(asyncpg, "connect", refuse)
    with pytest.raises(NoConnection):
        await PostgreSQL(url).connect()
    assert len(tried) == len(ways)
    for told, way in zip(tried, ways, strict=True):
        assert told.items() >= way.items()
        assert ("target_session_attrs=read-write" in told["dsn"]) == (len(ways) > 1)
        assert "connect_timeout" not in told["dsn"]


@pytest.mark.parametrize("url", USABLE)
def test_a_database_url_in_any_form_of_postgresql_is_taken(url: str) -> None:
    check_url(url)


@pytest.mark.parametrize("command", ["migrate", "serve", "tidy"])
def test_a_command_prints_nothing_of_the_password(command: str, tmp_path: Path) -> None:
    ended = run(command, tmp_path, DATABASE_URL=UNUSABLE[0])
    assert ended.returncode == 78
    assert "hush" not in ended.stdout + ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("command", ["migrate", "tidy"])
def test_a_database_that_cannot_be_reached_is_told_without_its_url(command: str, tmp_path: Path) -> None:
    ended = run(command, tmp_path, DATABASE_URL="postgresql://ada:hush@127.0.0.1:1/hush")
    assert ended.returncode == 1
    assert "The database cannot be reached." in ended.stderr
    assert "hush" not in ended.stdout + ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TRUSTED_PROXIES", "hush"),
        ("MAIL_URL", "smtp://ada:hush/hush@localhost"),
        ("MAIL_FROM", "hush"),
        ("SEALING_KEYS", "hush"),
        ("SEALING_KEYS_FILE", "hush"),
        ("PORT", "hush"),
        ("LOG_LEVEL", "hush"),
        ("META_MODE", "hush"),
        ("META_APP_ID", "hush"),
        ("META_GRAPH_URL", "https://ada:hush@graph.example"),
        ("META_API_VERSION", "hush"),
    ],
)
def test_no_wrong_setting_shows_its_value(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "sqlite:///var/data.sqlite3")
    monkeypatch.setenv("ENVIRONMENT", "production")
    if not name.startswith("MAIL"):
        monkeypatch.setenv("MAIL_OUTBOX", "var/outbox")
    if not name.startswith("SEALING"):
        monkeypatch.setenv("SEALING_KEYS", new_key("k1"))
    monkeypatch.setenv("META_APP_ID", "1")
    monkeypatch.setenv("META_APP_SECRET", "hush")
    monkeypatch.setenv(name, value)
    with pytest.raises(Unusable) as refused:
        read_settings().keyring()
    assert name in str(refused.value)
    assert "hush" not in str(refused.value)


def test_a_sealing_key_that_is_not_text_is_refused_without_its_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "keys"
    file.write_bytes(b"\xff\xfe\x00")
    monkeypatch.setenv("SEALING_KEYS_FILE", str(file))
    with pytest.raises(Unusable) as refused:
        read_settings().keyring()
    assert "0xff" not in str(refused.value)


def test_the_app_secret_is_in_no_rendering_of_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("META_MODE", "live")
    monkeypatch.setenv("META_APP_ID", "1")
    monkeypatch.setenv("META_APP_SECRET", "hush")

    settings = read_settings()

    assert "hush" not in f"{settings} {settings!r} {settings.graph_client()!r}"


@pytest.fixture
def open_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.mark.usefixtures("open_umask")
def test_the_sqlite_files_and_the_key_are_for_their_user_only(tmp_path: Path) -> None:
    # The demo writes, and the process ends without removing anything while another one reads.
    assert run("migrate", tmp_path).returncode == 0
    hold = "import sqlite3, sys; c = sqlite3.connect('var/graphql_api.sqlite3'); c.execute('SELECT 1 FROM users').fetchall(); print('', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", hold], cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as reader:
        assert reader.stdout is not None
        reader.stdout.readline()
        assert run("demo", tmp_path).returncode == 0
        files = [path for path in (tmp_path / "var").rglob("*") if path.is_file()]
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in files}
        reader.communicate()
    database = "graphql_api.sqlite3"
    assert {database, f"{database}-shm", f"{database}-wal", "sealing.keys"} <= set(modes)
    assert set(modes.values()) == {0o600}
    assert stat.S_IMODE((tmp_path / "var").stat().st_mode) == 0o700


@pytest.mark.usefixtures("open_umask")
def test_a_server_that_finds_no_sqlite_file_makes_none_that_others_can_read(tmp_path: Path) -> None:
    (tmp_path / "var").mkdir(mode=0o755)
    assert run("serve", tmp_path).returncode != 0
    assert {
        path.name: stat.S_IMODE(path.stat().st_mode) & 0o077 for path in (tmp_path / "var").iterdir()
    } == {
        "graphql_api.sqlite3": 0,
        "sealing.keys": 0,
    }


def test_a_tight_umask_takes_nothing_from_their_user(tmp_path: Path) -> None:
    before = os.umask(0o377)
    try:
        create_file(tmp_path / "data.sqlite3")
        Settings(sealing_keys="", sealing_keys_file=tmp_path / "keys").keyring()
    finally:
        os.umask(before)
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}


def test_files_of_ours_that_others_may_read_are_tightened(tmp_path: Path) -> None:
    # given files as `cp` leaves them
    database = tmp_path / "var" / "graphql_api.sqlite3"
    database.parent.mkdir()
    names = [database.name, f"{database.name}-wal", f"{database.name}-shm", "sealing.keys"]
    for name in names:
        (database.parent / name).touch(mode=0o644)
    (database.parent / "sealing.keys").write_text(new_key("mine"), encoding="utf-8")
    # when
    run("serve", tmp_path)
    # then
    left = {path.name: stat.S_IMODE(path.stat().st_mode) for path in database.parent.iterdir()}
    assert left[database.name] == left["sealing.keys"] == 0o600
    assert set(left.values()) == {0o600}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_files_of_others_that_everybody_may_read_are_told_of(tmp_path: Path) -> None:
    file = tmp_path / "data.sqlite3"
    file.touch(mode=0o644)
    os.chown(file, 12345, 12345)
    with structlog.testing.capture_logs() as logged:
        create_file(file)
    assert [(line["event"], line["file"]) for line in logged] == [("storage.file_open_to_others", file.name)]
    assert stat.S_IMODE(file.stat().st_mode) == 0o644


@pytest.mark.parametrize(
    ("host", "environment", "warned"),
    [
        ("127.0.0.1", "development", False),
        ("127.8.8.8", "development", False),
        ("localhost", "development", False),
        ("::1", "development", False),
        ("0.0.0.0", "development", True),
        ("::", "development", True),
        ("", "development", True),
        ("192.0.2.1", "development", True),
        ("api.example.com", "development", True),
        ("0.0.0.0", "production", False),
    ],
)
def test_a_developers_server_that_others_can_reach_is_warned_of(
    host: str, environment: Any, *, warned: bool
) -> None:
    warning = Settings(environment=environment).exposure(host)
    assert (warning is not None) == warned
    if warning is not None:
        assert "\n" not in warning
        assert "ENVIRONMENT=production" in warning


def test_serve_warns_in_one_line_before_it_starts(tmp_path: Path) -> None:
    said = run("serve", tmp_path, HOST="0.0.0.0").stderr.splitlines()
    assert len([line for line in said if "HOST lets other machines reach this server" in line]) == 1


def run(command: str, folder: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "graphql_api", command],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "SEALING_KEYS": "", **environment},
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_a_key_file_that_is_there_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "keys"
    file.write_text(new_key("mine"), encoding="utf-8")
    monkeypatch.setenv("SEALING_KEYS_FILE", str(file))
    assert read_settings().keyring().ids == ("mine",)
