"""Reading access tokens: behind a scope, and every reading leaves an event."""

import pytest

from graphql_api.adapters.sealing import Binding, Keyring, parse_keys
from graphql_api.domain.secrets import Secret
from graphql_api.settings import Settings
from tests import operations
from tests.api import Api, Person
from tests.canaries import PASSWORD
from tests.database import Database, key_of, share


async def with_scope(person: Person) -> Person:
    """The same person, through an API token that may read access tokens."""
    result = await person.api.mutate(
        operations.LOG_IN,
        {"email": person.email, "password": PASSWORD, "label": "worker", "scopes": ["READ_ACCESS_TOKENS"]},
    )
    return Person(person.api, person.email, person.id, result["bearerToken"])


async def readings(database: Database) -> list[str]:
    rows = await database.rows("SELECT subject_id FROM events WHERE kind = 'ACCESS_TOKEN_READ' ORDER BY seq")
    return [str(row["subject_id"]).replace("-", "") for row in rows]


async def test_what_was_handed_over_is_read_with_the_scope_and_each_reading_is_an_event(
    api: Api, database: Database
) -> None:
    # given
    ada = await api.register("ada")
    connected = await ada.connect("1", "2")
    worker = await with_scope(ada)

    # when
    nodes = (await worker.execute(operations.ACCESS_TOKENS))["viewer"]["socialAccounts"]["nodes"]

    # then
    opened = {node["externalId"]: node["accessToken"] for node in nodes}
    assert opened == {one: api.canaries.access_token(f"ig{one}") for one in ("1", "2")}
    holds = [key_of(one["socialAccount"]["id"]).hex for one in connected["connected"]]
    assert sorted(await readings(database)) == sorted(holds)

    # when
    await worker.execute(operations.ACCESS_TOKENS)

    # then
    assert sorted(await readings(database)) == sorted(holds * 2)


async def test_without_the_scope_it_is_null_and_the_rest_of_the_page_stands(
    api: Api, database: Database
) -> None:
    # given
    ada = await api.register("ada")
    await ada.connect("1", "2")
    before = await database.everything()

    # when
    answer = (await api.post(operations.ACCESS_TOKENS, token=ada.token)).json()

    # then
    nodes = answer["data"]["viewer"]["socialAccounts"]["nodes"]
    assert sorted((node["externalId"], node["accessToken"]) for node in nodes) == [
        ("1", None),
        ("2", None),
    ]
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["FORBIDDEN"] * 2
    assert [error["path"] for error in answer["errors"]] == [
        ["viewer", "socialAccounts", "nodes", index, "accessToken"] for index in (0, 1)
    ]
    assert await database.everything() == before


async def test_an_access_token_is_kept_sealed(api: Api, database: Database) -> None:
    ada = await api.register("ada")

    await ada.connect("1")

    assert "CANARY-access-token" not in str(await database.everything())


async def test_the_latest_access_token_is_the_one_that_is_read(api: Api) -> None:
    # given
    ada = await api.register("ada")
    await ada.connect("1")
    account = {
        "instagramUserId": "1",
        "username": "a",
        "profilePictureUrl": "",
        "accessToken": "CANARY ~ {newer}",
    }

    # when
    await ada.mutate(
        operations.CONNECT,
        facebookAccount={"facebookUserId": "1", "accessToken": "CANARY-fb"},
        instagramAccounts=[account],
    )

    # then
    worker = await with_scope(ada)
    (node,) = (await worker.execute(operations.ACCESS_TOKENS))["viewer"]["socialAccounts"]["nodes"]
    assert node["accessToken"] == "CANARY ~ {newer}"


async def test_a_row_that_was_moved_by_hand_gives_nobody_a_token(api: Api, database: Database) -> None:
    # given
    ada, eve = await api.register("ada"), await api.register("eve")
    await ada.connect("1")
    thief = await with_scope(eve)

    # when
    await database.rows(f"UPDATE social_accounts SET holder_user_id = {database.literal(key_of(eve.id))}")
    answer = (await api.post(operations.ACCESS_TOKENS, token=thief.token)).json()

    # then
    (node,) = answer["data"]["viewer"]["socialAccounts"]["nodes"]
    assert node == {"externalId": "1", "accessToken": None}
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["INTERNAL_SERVER_ERROR"]
    assert await readings(database) == []


READ = "query Read($ids: [ID!]!) { nodes(ids: $ids) { ... on SocialAccount { externalId accessToken } } }"


async def test_a_creator_reads_no_access_token_of_a_workspace(api: Api, database: Database) -> None:
    # given
    ada, eve = await api.register("ada"), await api.register("eve")
    workspace = await ada.create_workspace()
    await ada.bring_in(eve, workspace)
    shared = (await ada.connect("1", workspace=workspace))["connected"][0]["socialAccount"]["id"]
    await share(database, workspace, eve, "Team")
    own = (await eve.connect("2"))["connected"][0]["socialAccount"]["id"]
    worker = await with_scope(eve)

    # when
    answer = (await api.post(READ, {"ids": [shared, own]}, token=worker.token)).json()

    # then: their own is read all the same
    assert answer["data"]["nodes"] == [
        {"externalId": "1", "accessToken": None},
        {"externalId": "2", "accessToken": api.canaries.access_token("ig2")},
    ]
    assert [(error["path"], error["extensions"]["code"]) for error in answer["errors"]] == [
        (["nodes", 0, "accessToken"], "FORBIDDEN")
    ]
    assert await readings(database) == [key_of(own).hex]


async def test_an_admin_reads_the_access_tokens_of_a_workspace_until_they_are_a_creator(
    api: Api, database: Database
) -> None:
    # given
    ada, eve = await api.register("ada"), await api.register("eve")
    workspace = await ada.create_workspace()
    await ada.bring_in(eve, workspace, "ADMIN")
    connected = await ada.connect(pages=["2001"], workspace=workspace)
    page = connected["connected"][0]["socialAccount"]["id"]
    await share(database, workspace, eve, "Team")
    worker = await with_scope(eve)

    # when
    (read,) = (await worker.execute(READ, {"ids": [page]}))["nodes"]
    await database.rows(
        f"UPDATE memberships SET role = 'CREATOR' WHERE user_id = {database.literal(key_of(eve.id))}"
    )
    answer = (await api.post(READ, {"ids": [page]}, token=worker.token)).json()

    # then
    assert read == {"externalId": "2001", "accessToken": api.canaries.access_token("page2001")}
    assert answer["data"]["nodes"] == [{"externalId": "2001", "accessToken": None}]
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["FORBIDDEN"]
    (event,) = await database.rows(
        "SELECT workspace_id, platform, subject_name FROM events WHERE kind = 'ACCESS_TOKEN_READ'"
    )
    assert str(event.pop("workspace_id")).replace("-", "") == key_of(workspace).hex
    assert event == {"platform": "FACEBOOK_PAGE", "subject_name": "Page 2001"}


async def test_the_envelope_of_a_page_opens_for_no_account_of_another_platform(
    api: Api, database: Database
) -> None:
    # given
    ada = await api.register("ada")
    page = (await ada.connect(pages=["2001"]))["connected"][0]["socialAccount"]["id"]
    worker = await with_scope(ada)

    # when
    await database.rows("UPDATE social_accounts SET platform = 'INSTAGRAM'")
    answer = (await api.post(READ, {"ids": [page]}, token=worker.token)).json()

    # then
    assert answer["data"]["nodes"] == [{"externalId": "2001", "accessToken": None}]
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["INTERNAL_SERVER_ERROR"]


@pytest.mark.parametrize("platform", ["INSTAGRAM", "FACEBOOK_PAGE"])
async def test_an_envelope_is_bound_to_its_column_platform_id_and_holder_and_to_nothing_else(
    api: Api, database: Database, settings: Settings, platform: str
) -> None:
    """Envelopes are kept for years: one that was sealed for exactly this opens."""
    # given
    ada = await api.register("ada")
    connected = (await ada.connect("1", pages=["1"]))["connected"]
    (account,) = [one["socialAccount"] for one in connected if one["socialAccount"]["platform"] == platform]
    binding = Binding("social_accounts", "access_token", platform, "1", f"user:{key_of(ada.id)}")
    sealed = Keyring(parse_keys(settings.sealing_keys)).seal(Secret("CANARY-old"), binding)
    await database.rows(
        f"UPDATE social_accounts SET access_token = '{sealed!s}' WHERE platform = '{platform}'"
    )

    # when
    worker = await with_scope(ada)
    (node,) = (await worker.execute(READ, {"ids": [account["id"]]}))["nodes"]

    # then
    assert node == {"externalId": "1", "accessToken": "CANARY-old"}
