"""The settings: read from the environment, checked before anything starts, and obeyed by the server."""

import re
from dataclasses import fields
from pathlib import Path
from typing import Any, cast

import pytest

from graphql_api.adapters.sealing import new_key
from graphql_api.execution.limits import Limits
from graphql_api.settings import MetaMode, Settings, Unusable, read_settings
from graphql_api.web.options import Options
from tests.api import Api
from tests.conftest import make_settings

OPTIONS = {field.name for field in fields(Options)}
FIGURES = {
    name: field
    for name, field in Settings.model_fields.items()
    if name in OPTIONS | {field.name for field in fields(Limits)} and isinstance(field.default, int | float)
}
TEXT = (Path(__file__).parent.parent / "docs/settings.md").read_text(encoding="utf-8")
# Each limit that a document can be over: a low figure, a document over it, and what the refusal counts.
OVER: dict[str, tuple[int, str, str]] = {
    "max_source_length": (1000, "{__typename" + " " * 1000 + "}", "Characters"),
    "max_tokens": (100, "{" + "__typename " * 120 + "}", ""),
    "max_comments": (2, "#\n#\n#\n{__typename}", ""),
    "max_operations": (1, "query A{__typename} query B{__typename}", "Operations"),
    "max_depth": (3, "{viewer{socialAccounts{nodes{id}}}}", "Depth"),
    "max_root_fields": (1, "{a:__typename b:__typename}", "Root fields"),
    "max_aliases": (1, "{a:__typename b:__typename}", "Aliases"),
    "max_repeated_selections": (1, "{__typename __typename __typename}", "Repeated selections"),
    "max_directives": (1, "{__typename@skip(if:false) a:__typename@skip(if:false)}", "Directives"),
    "max_cost": (100, "{viewer{socialAccounts(first:100){nodes{id}}}}", "Cost"),
    "max_introspection_fields": (2, "{__schema{types{name kind}}}", "Introspection fields"),
}


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture
def settings(database_url: str, request: pytest.FixtureRequest) -> Settings:
    return make_settings(database_url, **getattr(request, "param", {}))


@pytest.mark.parametrize(
    ("settings", "limit", "document", "counted"),
    [pytest.param({name: case[0]}, *case, id=name) for name, case in OVER.items()],
    indirect=["settings"],
)
async def test_a_document_over_a_set_limit_is_refused_with_the_number(
    api: Api, limit: int, document: str, counted: str
) -> None:
    (error,) = (await api.post(document)).json()["errors"]
    assert error["extensions"]["code"] == "OPERATION_TOO_COMPLEX"
    assert str(limit) in error["message"]
    assert error["message"].startswith(counted)
    assert (await api.execute("{__typename}")) == {"__typename": "Query"}


@pytest.mark.parametrize("settings", [{"max_body_bytes": 1000}], indirect=True)
async def test_a_body_over_the_set_length_is_refused(api: Api) -> None:
    response = await api.post("{__typename}", {"long": "a" * 1000})
    assert (response.status_code, code_of(response.json())) == (413, "CONTENT_TOO_LARGE")


@pytest.mark.parametrize("settings", [{"execution_timeout": 0.001}], indirect=True)
async def test_an_operation_over_the_set_time_is_ended(api: Api) -> None:
    register = 'mutation{registerUser(input:{email:"a@example.com",password:"CANARY-password",name:"A"}){__typename}}'
    response = await api.post(register)
    assert (response.status_code, code_of(response.json())) == (503, "EXECUTION_TIMEOUT")


def test_every_figure_is_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    changed = {name: FIGURES[name].default + 1 for name in FIGURES}
    for name, figure in changed.items():
        monkeypatch.setenv(name.upper(), str(figure))
    settings = read_settings()
    for name, figure in changed.items():
        place = settings.options if name in OPTIONS else settings.limits
        assert getattr(place, name) == figure


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_says_its_range_and_default(name: str) -> None:
    section = TEXT.split(f"## {name.upper()}\n", 1)[1].split("\n## ", 1)[0]
    said = {float(one) for one in re.findall(r"\d+(?:\.\d+)?", section.replace(",", ""))}
    bounds = {getattr(one, bound) for one in FIGURES[name].metadata for bound in vars_of(one)}
    assert len(bounds) == 2
    assert bounds | {FIGURES[name].default} <= said


def vars_of(bound: Any) -> list[str]:
    return [name for name in ("ge", "gt", "le") if hasattr(bound, name)]


def test_a_figure_out_of_its_range_is_told_without_its_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAX_DEPTH", "987654")
    monkeypatch.setenv("INIT_TIMEOUT", "0")
    with pytest.raises(Unusable) as refused:
        read_settings()
    assert "MAX_DEPTH" in str(refused.value)
    assert "INIT_TIMEOUT" in str(refused.value)
    assert "987654" not in str(refused.value)


PRODUCTION = {
    "environment": "production",
    "database_url": "postgresql://db/app",
    "sealing_keys": new_key("k1"),
    "mail_outbox": "out",
}
APP = {"meta_app_id": "1", "meta_app_secret": "hush"}


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, ["META_APP_ID: META_MODE=live needs it", "META_APP_SECRET: META_MODE=live needs it"]),
        ({"meta_app_id": "1"}, ["META_APP_SECRET: META_MODE=live needs it"]),
        ({**APP, "meta_mode": "sandbox"}, ["META_MODE: production asks Meta itself (live)"]),
        ({"meta_mode": "off"}, ["META_MODE: off believes every claim"]),
        ({**APP, "meta_graph_url": "http://graph.example"}, ["META_GRAPH_URL: "]),
    ],
)
def test_production_refuses_to_start_without_metas_word(given: dict[str, Any], told: list[str]) -> None:
    with pytest.raises(Unusable) as refused:
        read_settings(**PRODUCTION, **given)

    lines = str(refused.value).splitlines()
    assert len(lines) == len(told)
    assert all(line.startswith(start) for line, start in zip(lines, told, strict=True))
    assert "hush" not in str(refused.value)


@pytest.mark.parametrize(
    ("given", "asks"),
    [
        ({**PRODUCTION, **APP}, MetaMode.LIVE),
        ({**PRODUCTION, "meta_mode": "off", "allow_unverified_claims": True}, MetaMode.OFF),
        ({}, MetaMode.SANDBOX),
        ({"meta_mode": "off"}, MetaMode.OFF),
        ({"meta_mode": "live", **APP}, MetaMode.LIVE),
    ],
)
def test_whom_the_server_asks_unless_it_is_told(given: dict[str, Any], asks: MetaMode) -> None:
    assert read_settings(**given).asks is asks


def code_of(answer: Any) -> str:
    return cast("str", answer["errors"][0]["extensions"]["code"])
