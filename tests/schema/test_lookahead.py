"""How many times the database is asked for a page, by what the operation asks of its items."""

import gc
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from graphql import GraphQLObjectType, build_ast_schema, parse

from graphql_api.app import create_app
from graphql_api.schema import build_schema, lookahead
from graphql_api.settings import Settings
from graphql_api.storage import database as storage
from graphql_api.storage.prepared import Prepared
from tests.api import Api, Person
from tests.database import Database, share
from tests.serving import in_process

LOGIN = "fragment Login on InstagramAccount { username facebookAccount { id facebookUserId } }"


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """The prepared reads that were run."""
    run: list[object] = []
    rows: Callable[..., Any] = storage.Database.rows

    async def noted(self: storage.Database, prepared: Prepared[Any], **values: object) -> Any:
        run.append(prepared)
        return await rows(self, prepared, **values)

    monkeypatch.setattr(storage.Database, "rows", noted)
    return run


@pytest.mark.parametrize(
    "asked",
    [
        "nodes { displayName }",
        "nodes { ...Login connectedTeams { id } }",
        "edges { node { ...Login } }",
        "nodes { ... on SocialAccount { ...Login } }",
    ],
)
async def test_a_page_and_its_facebook_accounts_are_one_read(
    api: Api, reads: list[object], asked: str
) -> None:
    # given
    ada = await api.register("ada")
    await ada.connect("1", "2")
    query = f"{{ viewer {{ socialAccounts {{ {asked} }} }} }}" + (LOGIN if "Login" in asked else "")
    reads.clear()

    # when
    answer = (await ada.execute(query))["viewer"]["socialAccounts"]

    # then: one for the bearer token, one for the page
    assert len(reads) == 2
    nodes = answer.get("nodes") or [edge["node"] for edge in answer["edges"]]
    logins = [node["facebookAccount"]["facebookUserId"] for node in nodes if "facebookAccount" in node]
    assert logins == (["100000000000001"] * 2 if "Login" in asked else [])


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("totalCount", 2),
        ("pageInfo { hasNextPage }", {"hasNextPage": True}),
        ("nodes { __typename }", [{"__typename": "InstagramAccount"}]),
        ("edges { node { __typename } }", [{"node": {"__typename": "InstagramAccount"}}]),
    ],
)
async def test_a_page_of_which_no_column_is_asked_is_read_all_the_same(
    api: Api, asked: str, expected: object
) -> None:
    ada = await api.register("ada")
    await ada.connect("1", "2")

    answer = await ada.execute(f"{{ viewer {{ socialAccounts(first: 1) {{ {asked} }} }} }}")

    assert list(answer["viewer"]["socialAccounts"].values()) == [expected]


async def test_a_page_with_its_facebook_accounts_is_counted_and_goes_on(api: Api) -> None:
    # given
    ada = await api.register("ada")
    for number in ("2", "3", "1"):
        await ada.connect(number)
    query = """
    query($after: String, $orderBy: SocialAccountOrder) {
      viewer {
        socialAccounts(first: 2, after: $after, orderBy: $orderBy) {
          totalCount nodes { ...Login } pageInfo { hasNextPage endCursor }
        }
      }
    }
    """
    for field, expected in (("CONNECTED_AT", "132"), ("DISPLAY_NAME", "321")):
        seen: list[str] = []
        after, more = None, True

        # when
        while more:
            variables = {"after": after, "orderBy": {"field": field, "direction": "DESC"}}
            page = (await ada.execute(query + LOGIN, variables))["viewer"]["socialAccounts"]
            assert page["totalCount"] == 3
            seen += [node["username"] for node in page["nodes"]]
            more, after = page["pageInfo"]["hasNextPage"], page["pageInfo"]["endCursor"]

        # then
        assert seen == [f"user_{number}" for number in expected]


async def test_what_one_operation_asks_is_not_taken_for_what_another_asks(
    api: Api, reads: list[object]
) -> None:
    # given: two operations of a document that share a fragment, to which the second adds something
    ada = await api.register("ada")
    await ada.connect("1")
    document = (
        "query A { viewer { ...Page } } query B { viewer { ...Page socialAccounts { nodes { ...Login } } } }"
        "fragment Page on Viewer { socialAccounts { nodes { id } } }" + LOGIN
    )
    for operation, expected in (("A", 2), ("B", 2), ("A", 2)):
        reads.clear()

        # when
        body = {"query": document, "operationName": operation}
        answer = await api.http.post("/graphql", json=body, headers={"Authorization": f"Bearer {ada.token}"})

        # then
        (node,) = answer.json()["data"]["viewer"]["socialAccounts"]["nodes"]
        assert ("facebookAccount" in node) is (operation == "B")
        assert len(reads) == expected


async def test_the_facebook_account_of_another_admin_is_null_in_one_read_too(
    api: Api, reads: list[object]
) -> None:
    # given
    ada, ben = await api.register("ada"), await api.register("ben")
    agency = await ada.create_workspace()
    await ada.bring_in(ben, agency, "ADMIN")
    await ada.connect("1", workspace=agency)
    await ben.connect("2", workspace=agency)
    query = "query($id: ID!) { node(id: $id) { ... on Workspace { socialAccounts { nodes { ...Login } } } } }"
    reads.clear()

    # when
    answer = await ben.execute(query + LOGIN, {"id": agency})

    # then: one each for the bearer token, the Workspace and the page
    assert len(reads) == 3
    nodes = answer["node"]["socialAccounts"]["nodes"]
    assert [node["username"] for node in nodes] == ["user_1", "user_2"]
    assert [node["facebookAccount"] is None for node in nodes] == [True, False]


HEALTH = "health { state since }"
FACEBOOK_ACCOUNT = ("__typename", "id", "facebookUserId", "location", "createdAt", "updatedAt", HEALTH)
ACCOUNT = (
    *("__typename", "id", "platform", "externalId", "displayName", "nickname", "profilePictureUrl"),
    *("createdAt", "updatedAt", HEALTH, "accessToken", "connectedBy { name }", "connectedTeams { name }"),
    "holder { ... on User { name } ... on Workspace { name } }",
    *(f"facebookAccount {{ {field} }}" for field in FACEBOOK_ACCOUNT),
)
OF_INSTAGRAM = ("username", "facebookPageId")


def test_every_field_of_an_account_is_asked_for_here() -> None:
    types = build_ast_schema(parse(build_schema().as_str())).type_map
    for name, asked in (
        ("InstagramAccount", ACCOUNT + OF_INSTAGRAM),
        ("FacebookPage", ACCOUNT),
        ("FacebookAccount", FACEBOOK_ACCOUNT),
    ):
        kind = types[name]
        assert isinstance(kind, GraphQLObjectType)
        assert {field.split()[0] for field in asked} == {"__typename", *kind.fields}


@pytest.mark.parametrize("place", ["personal", "admin", "creator"])
async def test_whatever_is_asked_is_what_it_is_when_everything_is_asked(
    api: Api, database: Database, place: str
) -> None:
    """Only what is asked for is read, so each field is asked for alone, and with each other one."""
    # given
    ada, ben = await api.register("ada"), await api.register("ben")
    agency = await ada.create_workspace()
    await ada.bring_in(ben, agency)
    workspace = None if place == "personal" else agency
    await ada.connect("1", pages=["2001"], workspace=workspace)
    reader = ada
    if place == "creator":
        await share(database, agency, ben, "Team")
        reader = ben
    fields = [f"f{index}: {field}" for index, field in enumerate(ACCOUNT)]
    for index, field in enumerate(OF_INSTAGRAM, start=len(fields)):
        fields.append(f"... on InstagramAccount {{ f{index}: {field} }}")
    whole = await accounts(reader, workspace, " ".join(fields))
    assert {account["f4"] for account in whole} == {"user_1", "Page 2001"}

    for index in range(len(fields)):
        # when
        asked = [index, (index * 7 + 3) % len(fields)]
        alone = await accounts(reader, workspace, fields[index])
        pair = await accounts(reader, workspace, " ".join(fields[one] for one in asked))

        # then
        assert alone == [only(account, [index]) for account in whole]
        assert pair == [only(account, asked) for account in whole]


def only(account: dict[str, Any], indices: list[int]) -> dict[str, Any]:
    return {f"f{one}": account[f"f{one}"] for one in indices if f"f{one}" in account}


async def accounts(person: Person, workspace: str | None, fields: str) -> list[Any]:
    """A page of accounts, whatever of it fails: access tokens are for those with the scope."""
    listed = f"socialAccounts {{ nodes {{ {fields} }} }}"
    query = (
        f"{{ place: viewer {{ {listed} }} }}"
        if workspace is None
        else f'{{ place: node(id: "{workspace}") {{ ... on Workspace {{ {listed} }} }} }}'
    )
    answer = (await person.api.post(query, token=person.token)).json()
    assert {error["extensions"]["code"] for error in answer.get("errors", [])} <= {"FORBIDDEN"}
    nodes: list[Any] = answer["data"]["place"]["socialAccounts"]["nodes"]
    return nodes


async def test_what_was_found_ahead_goes_with_its_document(api: Api, settings: Settings) -> None:
    little = settings.model_copy(update={"max_cached_bytes": 30_000})
    async with (
        in_process(create_app(little)) as transport,
        httpx.AsyncClient(transport=transport, base_url="http://testserver") as http,
    ):
        ada = await Api(http, api.canaries).register("ada")
        gc.collect()
        before = len(lookahead._known)  # noqa: SLF001 - nobody else can tell
        await ada.execute("{ viewer { socialAccounts { nodes { displayName } } } }")
        assert len(lookahead._known) == before + 1  # noqa: SLF001 - as above
        await ada.execute(f"{{ viewer {{ user {{ name }} }} }} #{'x' * 10_000}")  # makes the other one go
        gc.collect()
        assert len(lookahead._known) == before  # noqa: SLF001 - as above
