"""The README's examples are true: its operation is valid, its answers are a server's, its Python runs on them."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from graphql import build_schema, parse, validate

from graphql_api.schema import schema_text
from graphql_api.settings import MetaMode, Settings
from tests.api import Api
from tests.conftest import make_settings

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


(OPERATION,) = blocks("graphql")
VARIABLES, TO_THE_ADMIN, TO_THE_CREATOR = (json.loads(block) for block in blocks("json"))


def test_the_readme_is_short() -> None:
    assert len(README.splitlines()) <= 150


def test_the_operation_handles_every_error() -> None:
    schema = build_schema(schema_text())
    assert validate(schema, parse(OPERATION)) == []
    members = schema.type_map["ConnectSocialAccountsError"].types  # type: ignore[attr-defined]
    assert {f"... on {member.name} {{" in OPERATION for member in members} == {True}


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    """As `make run` has it: the examples use test tokens."""
    return make_settings(database_url, meta_mode=MetaMode.SANDBOX, mail_outbox=tmp_path / "outbox")


async def test_an_admin_and_a_creator_get_the_answers_that_the_readme_shows(api: Api) -> None:
    ada = await api.register("ada", email="ada@example.com")
    bea = await api.register("bea")
    workspace = await ada.create_workspace()
    await ada.bring_in(bea, workspace)

    async def connect(token: str, **others: Any) -> Any:
        sent = {"input": {**VARIABLES["input"], **others}}
        return (await api.execute(OPERATION, sent, token=token))["connectSocialAccounts"]

    connected = await connect(ada.token, workspaceId=workspace)
    assert connected["__typename"] == "ConnectSocialAccountsSuccess"

    assert await connect(ada.token) == TO_THE_ADMIN
    assert await connect(bea.token) == TO_THE_CREATOR
    assert await ada.held() == await bea.held() == []
    assert await ada.held(workspace) == ["17841400000000102"]


def test_the_python_example_finds_the_next_step() -> None:
    (snippet,) = blocks("python")
    names: dict[str, Any] = {}
    exec(snippet, names)
    next_step = names["next_step"]

    assert next_step(TO_THE_ADMIN["errors"][0]) == "MOVE or DISCONNECT"
    assert next_step(TO_THE_CREATOR["errors"][0]) == "Ask ada@example.com"
    assert next_step({"__typename": "AccessTokenRejected", "retryable": True}) == "Try again"
    others: list[dict[str, Any]] = [{"resolutions": []}, {"retryable": False}, {}]
    for fields in others:
        assert next_step({"__typename": "OtherConflict", "message": "No", **fields}) == "No"
