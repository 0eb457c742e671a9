"""Documents that are named instead of sent, over HTTP and through the settings."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from graphql_api.app import create_app
from graphql_api.execution.persisted import hash_of
from graphql_api.settings import Settings, Unusable, read_settings
from tests.api import Api
from tests.conftest import make_settings

WHO = "query Who { viewer { user { name } } }"
TYPE = "{ __typename }"
FORMS = {
    "by id": {"who": WHO, "type": TYPE},
    "Apollo's": {
        "format": "apollo-persisted-query-manifest",
        "version": 1,
        "operations": [
            {"id": "who", "name": "Who", "type": "query", "body": WHO},
            {"id": "type", "name": "", "type": "query", "body": TYPE},
        ],
    },
}


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps({"who": WHO, "type": TYPE, hash_of(TYPE): TYPE}))
    return path


@pytest.fixture
def settings(database_url: str, manifest: Path, request: pytest.FixtureRequest) -> Settings:
    return make_settings(database_url, trusted_documents_file=manifest, **getattr(request, "param", {}))


only_trusted = pytest.mark.parametrize("settings", [{"only_trusted_documents": True}], indirect=True)


async def send(api: Api, **request: Any) -> httpx.Response:
    token = request.pop("token", None)
    headers = {"accept": "application/graphql-response+json"}
    if token:
        headers["authorization"] = f"Bearer {token}"
    return await api.http.post("/graphql", json=request, headers=headers)


def persisted(document: str) -> dict[str, Any]:
    return {"persistedQuery": {"version": 1, "sha256Hash": hash_of(document)}}


def code_of(response: httpx.Response) -> Any:
    assert response.status_code == 400
    return response.json()["errors"][0]["extensions"]["code"]


async def test_a_trusted_document_is_run_by_its_id(api: Api) -> None:
    ada = await api.register()
    response = await send(api, documentId="who", token=ada.token)
    assert response.json() == {"data": {"viewer": {"user": {"name": "Ada"}}}}
    assert (await api.http.get("/graphql", params={"documentId": "type"})).json() == {
        "data": {"__typename": "Query"}
    }


async def test_an_id_that_is_not_in_the_manifest_is_refused(api: Api) -> None:
    assert code_of(await send(api, documentId="nobody")) == "UNKNOWN_DOCUMENT_ID"
    assert code_of(await send(api, documentId="type", query=TYPE)) == "BAD_USER_INPUT"


async def test_other_documents_are_run_beside_trusted_ones(api: Api) -> None:
    assert (await send(api, query="{ a: __typename }")).json() == {"data": {"a": "Query"}}


@only_trusted
async def test_nothing_but_trusted_documents_can_be_run(api: Api) -> None:
    assert (await send(api, documentId="type")).json() == {"data": {"__typename": "Query"}}
    assert code_of(await send(api, query=TYPE)) == "DOCUMENT_ID_REQUIRED"
    other = "{ a: __typename }"
    assert (
        code_of(await send(api, query=other, extensions=persisted(other))) == "PERSISTED_QUERY_NOT_SUPPORTED"
    )
    assert code_of(await send(api, extensions=persisted(other))) == "PERSISTED_QUERY_NOT_SUPPORTED"


@only_trusted
async def test_apollo_client_names_trusted_documents_by_its_own_protocol(api: Api) -> None:
    assert (await send(api, extensions=persisted(TYPE))).json() == {"data": {"__typename": "Query"}}


async def test_a_document_persists_itself_once_it_was_sent_with_its_hash(api: Api) -> None:
    document = "query Mine { viewer { user { name } } }"
    assert code_of(await send(api, extensions=persisted(document))) == "PERSISTED_QUERY_NOT_FOUND"
    assert (await send(api, query=document, extensions=persisted(document))).status_code == 200
    assert (await send(api, extensions=persisted(document))).json() == {"data": {"viewer": None}}


@pytest.mark.parametrize("settings", [{"automatic_persisted_queries": False}], indirect=True)
async def test_documents_do_not_persist_themselves_where_that_is_off(api: Api) -> None:
    assert (
        code_of(await send(api, query=TYPE + " ", extensions=persisted(TYPE + " ")))
        == "PERSISTED_QUERY_NOT_SUPPORTED"
    )
    assert (await send(api, documentId="type")).status_code == 200


@pytest.mark.parametrize("settings", [{"max_cached_bytes": 120_000}], indirect=True)
async def test_the_documents_that_were_named_least_recently_make_room(api: Api) -> None:
    documents = [f"query Q{number} {{ __typename }} #{'x' * 35_000}" for number in range(3)]
    for document in documents:
        await send(api, query=document, extensions=persisted(document))
    answers = [(await send(api, extensions=persisted(document))).status_code for document in documents]
    assert answers == [400, 200, 200]


@pytest.mark.parametrize("form", FORMS)
def test_both_forms_of_manifest_start_the_server(form: str, settings: Settings, manifest: Path) -> None:
    manifest.write_text(json.dumps(FORMS[form]))
    create_app(settings)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "not in a known form"),
        ("{}", "holds no document"),
        ("[]", "not in a known form"),
        ('{"a": 5}', "must be a string"),
        ('{"format": "apollo-persisted-query-manifest"}', "not in a known form"),
        ("[" * 100_000, "not in a known form"),
        ('{"gone": "{ noSuchField }", "broken": "{"}', "document gone cannot be run: Cannot query field"),
        ('{"deep": "%s"}' % ("{ a" * 14 + "}" * 14), "Depth: 14, at most 12"),
    ],
)
def test_a_manifest_that_cannot_be_used_ends_the_start(
    text: str, reason: str, settings: Settings, manifest: Path
) -> None:
    manifest.write_text(text)
    with pytest.raises(Unusable, match=r"^TRUSTED_DOCUMENTS_FILE: ") as refused:
        create_app(settings)
    assert reason in str(refused.value)


def test_a_manifest_that_is_absent_ends_the_start(settings: Settings, manifest: Path) -> None:
    manifest.unlink()
    with pytest.raises(Unusable, match="cannot be read"):
        create_app(settings)


def test_nothing_but_trusted_documents_needs_some(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONLY_TRUSTED_DOCUMENTS", "true")
    with pytest.raises(Unusable, match="TRUSTED_DOCUMENTS_FILE"):
        read_settings()
