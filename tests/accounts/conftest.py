"""For tests of what Meta is asked: they take `meta`, and their servers ask the sandbox."""

from pathlib import Path

import pytest

from graphql_api.settings import MetaMode, Settings
from tests.accounts.proven import Meta
from tests.conftest import make_settings


@pytest.fixture
def meta(monkeypatch: pytest.MonkeyPatch) -> Meta:
    """The sandbox behind the server, which is started after this."""
    behind = Meta()
    behind.install(monkeypatch)
    return behind


@pytest.fixture
def settings(request: pytest.FixtureRequest, database_url: str, tmp_path: Path) -> Settings:
    """What the server is told: it asks the sandbox where a test takes `meta`, and believes claims elsewhere."""
    asks = MetaMode.SANDBOX if "meta" in request.fixturenames else MetaMode.OFF
    if asks is MetaMode.SANDBOX:
        request.getfixturevalue("meta")
    return make_settings(database_url, meta_mode=asks, mail_outbox=tmp_path / "outbox")
