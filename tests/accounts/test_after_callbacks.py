"""What goes on around Meta's callbacks: re-checks in flight, accounts without access tokens, other apps, requests."""

from typing import Any

import pytest
from starlette.types import Message

from graphql_api import app as application
from graphql_api.settings import Settings
from tests.accounts.meta_operations import DASHBOARD, RECHECK
from tests.accounts.moving_operations import MOVE
from tests.accounts.proven import Meta, connect, of_any
from tests.accounts.test_callbacks import LOGIN, MINE, about, post, signed
from tests.accounts.test_holds import Run, run
from tests.accounts.test_transfers import verified
from tests.accounts.transfer_operations import asked, incoming
from tests.api import Api, Person
from tests.database import Database
from tests.mails import Mailbox
from tests.serving import in_process

__all__ = ["run"]
EVENTS = "{ viewer { events(last: 20) { nodes { kind subjectId socialAccountId subjectName } } } }"
ACCESS_TOKEN = (
    "query($id: ID!) { node(id: $id) { ... on InstagramAccount { accessToken health { problem } } } }"
)


async def last_event(person: Person) -> Any:
    return (await person.execute(EVENTS))["viewer"]["events"]["nodes"][-1]


async def connected(person: Person) -> str:
    """Connect an account with the login that the callbacks are about; its id."""
    return str((await connect(person, MINE, "1"))["connected"][0]["socialAccount"]["id"])


async def removed(meta: Meta, api: Api, path: str = "deauthorize") -> None:
    """The user of the login removes our app, or asks for their data to be deleted."""
    meta.wait(minutes=1)
    assert (await post(api, path, signed(about(meta)))).status_code == 200


async def test_a_re_check_that_was_asked_before_does_not_bring_the_access_back(meta: Meta, api: Api) -> None:
    # given: the callback comes between the question and the answer
    ada = await api.register("ada")
    account = await connected(ada)
    fired: list[str] = []

    async def meanwhile(path: str) -> None:
        if not fired:
            fired.append(path)
            await removed(meta, api)

    meta.before = meanwhile

    # when
    await ada.mutate(RECHECK, socialAccountIds=[account])

    # then
    viewer = (await ada.execute(DASHBOARD))["viewer"]
    assert fired
    assert [one["health"]["state"] for one in viewer["facebookAccounts"]["nodes"]] == ["BROKEN"]
    assert [one["health"]["state"] for one in viewer["socialAccounts"]["nodes"]] == ["BROKEN"]


async def test_an_account_without_its_access_token_moves_and_is_reconnected_there(
    meta: Meta, api: Api
) -> None:
    ada = await api.register("ada")
    workspace = await ada.create_workspace()
    account = await connected(ada)
    await removed(meta, api)

    moved = await ada.mutate(MOVE, socialAccountIds=[account], workspaceId=workspace)
    again = await connect(ada, of_any("1", fb="7009"), "1", workspaceId=workspace)

    assert moved["__typename"] == "MoveSocialAccountsSuccess"
    assert again["connected"][0]["outcome"] == "RECONNECTED"


async def test_an_access_token_that_was_destroyed_reads_as_null_without_an_error(
    meta: Meta, api: Api, database: Database
) -> None:
    ada = await api.register("ada")
    account = await connected(ada)
    await database.rows("UPDATE api_tokens SET scopes = 'READ_ACCESS_TOKENS'")
    await removed(meta, api)

    answer = (await api.post(ACCESS_TOKEN, {"id": account}, token=ada.token)).json()

    assert answer == {"data": {"node": {"accessToken": None, "health": {"problem": "REVOKED"}}}}
    assert (await last_event(ada))["kind"] == "SOCIAL_ACCOUNT_BROKE", "nothing was read"


async def test_what_another_app_has_proven_stays(meta: Meta, api: Api, database: Database) -> None:
    ada = await api.register("ada")
    await connected(ada)
    for table in ("facebook_accounts", "social_accounts"):
        await database.rows(f"UPDATE {table} SET proof_source = 'live:1'")

    await removed(meta, api, "data-deletion")

    logins = await database.rows("SELECT facebook_user_id FROM facebook_accounts")
    accounts = await database.rows("SELECT display_name FROM social_accounts")
    assert logins == [{"facebook_user_id": LOGIN}]
    assert accounts == [{"display_name": "user_1"}]


async def test_a_request_of_a_deleted_login_is_withdrawn_and_its_name_is_gone(
    meta: Meta, api: Api, database: Database, mailbox: Mailbox
) -> None:
    ben, ada = await verified(api, database, "ben", "ada")
    await connect(ben, of_any("1", fb="7002"), "1")
    request = await asked(ada, MINE, "1")
    assert (await last_event(ben))["subjectId"] == request["id"]

    await removed(meta, api, "data-deletion")

    assert await incoming(ben) == []
    for person in (ben, ada):
        event = await last_event(person)
        assert (event["kind"], event["subjectName"]) == ("TRANSFER_WITHDRAWN", "1")
    await mailbox.wait(ben.email, "was withdrawn")


async def test_the_events_of_an_operator_are_about_the_account(meta: Meta, api: Api, run: Run) -> None:
    ada = await api.register("ada")
    account = await connected(ada)

    await run("holds", "show", "INSTAGRAM:1")

    event = await last_event(ada)
    assert (event["kind"], event["subjectId"], event["socialAccountId"]) == ("HOLD_SHOWN", account, account)


@pytest.mark.usefixtures("meta")
async def test_a_client_that_goes_away_is_no_fault_of_ours(settings: Settings) -> None:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [(b"content-type", b"application/x-www-form-urlencoded"), (b"content-length", b"50")]
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/meta/deauthorize",
        "raw_path": b"/meta/deauthorize",
        "root_path": "",
        "query_string": b"",
        "headers": headers,
        "client": ("127.0.0.1", 1),
        "server": ("testserver", 80),
    }
    app = application.create_app(settings)
    async with in_process(app):
        await app(scope, receive, send)

    assert [message["status"] for message in sent if "status" in message] == [400]
