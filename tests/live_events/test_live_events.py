"""`Subscription.events` over both transports and on both databases: live, resumed, refused, ended."""

import asyncio
import functools
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from typing import Any, Protocol
from uuid import uuid4

import httpx
import pytest

from graphql_api import app as application
from graphql_api.adapters.passwords import Passwords
from graphql_api.services.history import events
from graphql_api.settings import Settings
from tests import operations
from tests.api import Api, Person
from tests.canaries import PASSWORD, Canaries
from tests.database import Database, key_of
from tests.live_events.streams import TRANSPORTS, Follower, StreamEnded, over_socket
from tests.web.sample import served

SOON = 5.0  # seconds; a machine that runs tests is busy

CURSORS = """
query Cursors($workspace: ID!) {
  viewer { eventsCursor }
  node(id: $workspace) { ... on Workspace { eventsCursor } }
}
"""


class Follow(Protocol):
    def __call__(
        self,
        token: str | None,
        *,
        workspace: str | None = None,
        after: str | None = None,
        **asked: list[str],
    ) -> AbstractAsyncContextManager[Follower]: ...


@pytest.fixture
async def api(settings: Settings, canaries: Canaries, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Api]:
    """The server behind a socket of its own, since streams need one."""
    cheap = functools.partial(Passwords, time_cost=1, memory_kib=8)
    monkeypatch.setattr(application, "Passwords", cheap)
    with served(application.create_app(settings)) as host:
        async with httpx.AsyncClient(base_url=f"http://{host}", trust_env=False, timeout=30) as http:
            yield Api(http, canaries)


@pytest.fixture
def database(settings: Settings) -> Database:
    return Database(settings.database)


@pytest.fixture(params=TRANSPORTS)
def follow(request: pytest.FixtureRequest, api: Api) -> Any:
    transport = TRANSPORTS[request.param]
    return functools.partial(transport, str(api.http.base_url).rstrip("/"))


def at(api: Api) -> str:
    return str(api.http.base_url).rstrip("/")


async def cursor_of(person: Person, workspace: str | None = None) -> str:
    """Where a history is now."""
    if workspace is None:
        return str((await person.execute("{ viewer { eventsCursor } }"))["viewer"]["eventsCursor"])
    return str((await person.execute(CURSORS, {"workspace": workspace}))["node"]["eventsCursor"])


def ids(edges: list[Any]) -> list[str]:
    return [edge["node"]["id"] for edge in edges]


async def listed(person: Person, **arguments: Any) -> list[str]:
    """The ids of the events that the Personal's list has."""
    query = "query ($after: String, $last: Int) { viewer { events(after: $after, last: $last) { nodes { id } } } }"
    nodes = (await person.execute(query, arguments))["viewer"]["events"]["nodes"]
    return [node["id"] for node in nodes]


async def end_of(follower: Follower) -> StreamEnded:
    """How a stream ends, soon."""
    with pytest.raises(StreamEnded) as ended:
        await _hear_all(follower)
    return ended.value


async def _hear_all(follower: Follower) -> None:
    async with asyncio.timeout(SOON):
        while True:
            await follower.hear()


async def test_what_happens_is_heard_as_it_happens(api: Api, follow: Follow) -> None:
    # given
    ada = await api.register("ada")
    workspace = await ada.create_workspace()
    now = await cursor_of(ada, workspace)
    async with follow(ada.token, workspace=workspace, after=now) as follower:
        hearing = asyncio.create_task(follower.hear())
        await asyncio.sleep(0.2)
        assert not hearing.done()

        # when
        connected = await ada.connect("1", workspace=workspace)

        # then
        async with asyncio.timeout(SOON):
            node = (await hearing)["node"]
    account = connected["connected"][0]["socialAccount"]
    assert node == {
        "id": node["id"],
        "kind": "SOCIAL_ACCOUNT_CONNECTED",
        "kindName": "SOCIAL_ACCOUNT_CONNECTED",
        "occurredAt": node["occurredAt"],
        "socialAccountId": account["id"],
        "subjectId": account["id"],
        "actor": {"id": ada.id},
    }


async def test_what_was_missed_comes_first_then_what_happens(api: Api, follow: Follow) -> None:
    # given
    ada = await api.register("ada")
    start = await cursor_of(ada)
    async with follow(ada.token, after=start) as follower:
        await ada.connect("1")
        heard = await follower.hear_many(2)

    # when
    await ada.connect("2", "3")
    async with follow(ada.token, after=heard[-1]["cursor"]) as follower:
        missed = await follower.hear_many(3)
        await ada.connect("4")  # the login is not told again so soon
        live = await follower.hear_many(1)

    # then
    assert ids(heard + missed + live) == await listed(ada, after=start)
    assert len({edge["cursor"] for edge in heard + missed + live}) == 6


async def test_without_a_cursor_only_what_happens_from_now_on_is_heard(api: Api, follow: Follow) -> None:
    ada = await api.register("ada")
    await ada.connect("1")
    async with follow(ada.token) as follower:
        hearing = asyncio.create_task(follower.hear_many(2))
        await asyncio.sleep(0.5)  # long enough for the server to have begun
        await ada.connect("2")
        async with asyncio.timeout(SOON):
            heard = await hearing
    assert ids(heard) == await listed(ada, last=2)


@pytest.mark.parametrize("who", ["stranger", "nobody there"])
async def test_a_workspace_that_is_not_yours_is_forbidden_as_one_that_is_not_there(
    api: Api, follow: Follow, who: str
) -> None:
    ada, eve = await api.register("ada"), await api.register("eve")
    workspace = await ada.create_workspace() if who == "stranger" else "V29ya3NwYWNlOm5vbmU="
    async with follow(eve.token, workspace=workspace) as follower:
        assert (await end_of(follower)).codes == ("FORBIDDEN",)


@pytest.mark.parametrize("cursor", ["", "nonsense", "é", "dXNlcjo6MQ", "another's"])
async def test_a_cursor_of_something_else_is_bad_user_input(api: Api, follow: Follow, cursor: str) -> None:
    ada, bob = await api.register("ada"), await api.register("bob")
    after = await cursor_of(bob) if cursor == "another's" else cursor
    async with follow(ada.token, after=after) as follower:
        assert (await end_of(follower)).codes == ("BAD_USER_INPUT",)


@pytest.mark.parametrize("deleted", ["some", "all"])
async def test_a_cursor_older_than_what_is_kept_says_so(
    api: Api, follow: Follow, database: Database, deleted: str
) -> None:
    # given
    ada = await api.register("ada")
    old = await cursor_of(ada)
    await ada.connect("1", "2")
    kept = await cursor_of(ada)

    # when
    await database.rows("DELETE FROM events" + (" WHERE seq <= 3" if deleted == "some" else ""))

    # then
    async with follow(ada.token, after=old) as follower:
        assert (await end_of(follower)).codes == ("CURSOR_EXPIRED",)
    async with follow(ada.token, after=kept) as follower:
        hearing = asyncio.create_task(follower.hear())
        await ada.connect("3")
        async with asyncio.timeout(SOON):
            assert (await hearing)["node"]["kind"] == "FACEBOOK_ACCOUNT_RECONNECTED"


async def test_a_cursor_of_a_number_that_was_never_taken_is_no_silence(
    api: Api, follow: Follow, database: Database
) -> None:
    """As after a restored backup: waiting would skip whatever comes."""
    ada = await api.register("ada")
    await ada.connect("1", "2")
    later = await cursor_of(ada)
    await database.rows("DELETE FROM events WHERE seq > 1")
    await database.rows("UPDATE users SET event_seq = 1")
    async with follow(ada.token, after=later) as follower:
        assert (await end_of(follower)).codes == ("CURSOR_EXPIRED",)


async def test_a_membership_that_ends_ends_the_subscription_and_not_the_socket(
    api: Api, follow: Follow, database: Database
) -> None:
    # given
    ada, bob = await api.register("ada"), await api.register("bob")
    workspace = await ada.create_workspace()
    await ada.bring_in(bob, workspace)
    async with follow(bob.token, workspace=workspace, after=await cursor_of(bob, workspace)) as follower:
        await ada.connect("1", workspace=workspace)  # not for bob's eyes

        # when
        await database.rows(f"DELETE FROM memberships WHERE user_id = {database.literal(key_of(bob.id))}")

        # then
        assert (await end_of(follower)).codes == ("FORBIDDEN",)


async def test_a_workspace_that_is_deleted_ends_the_subscription(
    api: Api, follow: Follow, database: Database
) -> None:
    ada = await api.register("ada")
    workspace = await ada.create_workspace()
    async with follow(ada.token, workspace=workspace, after=await cursor_of(ada, workspace)) as follower:
        await database.rows("PRAGMA foreign_keys=ON" if "sqlite" in database.url else "SELECT 1")
        await database.rows("DELETE FROM events WHERE workspace_id IS NOT NULL")
        await database.rows("DELETE FROM memberships")
        await database.rows("DELETE FROM workspaces")
        assert (await end_of(follower)).codes == ("FORBIDDEN",)


async def test_an_admin_who_becomes_a_creator_hears_less_from_then_on(
    api: Api, follow: Follow, database: Database
) -> None:
    # given
    ada, bob = await api.register("ada"), await api.register("bob")
    workspace = await ada.create_workspace()
    await ada.bring_in(bob, workspace, role="ADMIN")
    async with follow(bob.token, workspace=workspace, after=await cursor_of(bob, workspace)) as follower:
        await ada.connect("1", workspace=workspace)
        assert await follower.kinds(1) == ["SOCIAL_ACCOUNT_CONNECTED"]

        # when
        await database.rows(
            f"UPDATE memberships SET role = 'CREATOR' WHERE user_id = {database.literal(key_of(bob.id))}"
        )
        await ada.connect("2", workspace=workspace)

        # then
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await follower.hear()


async def test_a_revoked_token_closes_the_socket(api: Api) -> None:
    # given
    ada = await api.register("ada")
    token = (await api.mutate(operations.LOG_IN, log_in(ada)))["apiToken"]["id"]
    bearer = (await api.mutate(operations.LOG_IN, log_in(ada)))["bearerToken"]
    async with over_socket(at(api), ada.token, after=await cursor_of(ada)) as follower:
        tokens = await ada.execute("{ viewer { apiTokens { nodes { id } } } }")
        own = tokens["viewer"]["apiTokens"]["nodes"][-1]["id"]

        # when
        await api.mutate(operations.REVOKE, {"apiTokenId": token}, token=ada.token)
        assert (await follower.hear())["node"]["kind"] == "API_TOKEN_REVOKED"
        await api.mutate(operations.REVOKE, {"apiTokenId": own}, token=bearer)

        # then
        async with asyncio.timeout(SOON):
            assert (await end_of(follower)).close == 4401


async def test_a_revoked_token_ends_an_event_stream(api: Api) -> None:
    ada = await api.register("ada")
    own = (await ada.execute("{ viewer { apiTokens { nodes { id } } } }"))["viewer"]["apiTokens"]["nodes"]
    follow = functools.partial(TRANSPORTS["event stream"], at(api))
    async with follow(ada.token, after=await cursor_of(ada)) as follower:
        await ada.mutate(operations.REVOKE, apiTokenId=own[0]["id"])
        async with asyncio.timeout(SOON):
            assert (await end_of(follower)).codes == ("UNAUTHENTICATED",)


async def test_a_token_that_expires_or_is_gone_closes_the_socket_without_anybody_saying_so(
    api: Api, database: Database
) -> None:
    for change in ("UPDATE api_tokens SET expires_at = created_at", "DELETE FROM api_tokens"):
        ada = await api.register("ada")
        async with over_socket(at(api), ada.token, after=await cursor_of(ada)) as follower:
            await asyncio.sleep(0.1)
            await database.rows(change)
            async with asyncio.timeout(SOON):
                assert (await end_of(follower)).close == 4401


async def test_nobody_hears_anything_anonymously(api: Api, follow: Follow) -> None:
    async with follow(None) as follower:
        assert (await end_of(follower)).codes == ("UNAUTHENTICATED",)


async def test_a_creator_hears_of_what_is_shared_with_them_and_of_its_end(
    api: Api, follow: Follow, database: Database
) -> None:
    # given
    ada, bob = await api.register("ada"), await api.register("bob")
    workspace = await ada.create_workspace()
    await ada.bring_in(bob, workspace)
    start = await cursor_of(bob, workspace)
    connected = await ada.connect("1", "2", workspace=workspace)
    shared = connected["connected"][0]["socialAccount"]["id"]
    await share(database, shared, with_member=bob, workspace=workspace)

    async with follow(bob.token, workspace=workspace, after=start) as follower:
        # when
        await ada.connect("1", "2", workspace=workspace)
        both = [one["socialAccount"]["id"] for one in connected["connected"]]
        await ada.mutate(operations.DISCONNECT, socialAccountIds=both)

        # then
        heard = await follower.hear_many(3)
    expected = ["SOCIAL_ACCOUNT_CONNECTED", "SOCIAL_ACCOUNT_RECONNECTED", "SOCIAL_ACCOUNT_DISCONNECTED"]
    assert [edge["node"]["kind"] for edge in heard] == expected
    assert {edge["node"]["socialAccountId"] for edge in heard} == {shared}
    async with follow(bob.token, workspace=workspace, after=start) as follower:
        assert await follower.kinds(3) == expected, "whoever comes later hears the same"


async def test_only_the_kinds_that_are_asked_for_are_heard_and_nothing_is_missed(
    api: Api, follow: Follow
) -> None:
    # given
    ada = await api.register("ada")
    start = await cursor_of(ada)
    await ada.connect("1", "2")
    wanted = ["SOCIAL_ACCOUNT_CONNECTED"]

    # when
    async with follow(ada.token, after=start, kinds=wanted) as follower:
        missed = await follower.hear_many(2)
        await ada.connect("3", "4")
        live = await follower.hear_many(2)
    async with follow(ada.token, after=missed[0]["cursor"], kinds=wanted) as follower:
        again = await follower.hear_many(3)

    # then
    assert {edge["node"]["kind"] for edge in missed + live} == set(wanted)
    assert ids(again) == ids(missed + live)[1:]


async def test_what_is_far_behind_what_nobody_asked_for_is_heard_too(
    api: Api, follow: Follow, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One read looks at so many events at most, and the next one goes on."""
    # given
    monkeypatch.setattr(events, "REACH", 2)
    ada = await api.register("ada")
    start = await cursor_of(ada)
    await ada.connect(*map(str, range(1, 8)))
    await ada.mutate(operations.LOG_IN, **log_in(ada))

    # then
    async with follow(ada.token, after=start, kinds=["API_TOKEN_CREATED"]) as follower:
        async with asyncio.timeout(SOON):
            assert await follower.kinds(1) == ["API_TOKEN_CREATED"]
        await ada.mutate(operations.LOG_IN, **log_in(ada))
        async with asyncio.timeout(SOON):
            assert await follower.kinds(1) == ["API_TOKEN_CREATED"]


async def test_events_about_accounts_of_other_platforms_are_not_heard(
    api: Api, follow: Follow, database: Database
) -> None:
    # given
    ada = await api.register("ada")
    start = await cursor_of(ada)
    await ada.connect("1", "2")
    await database.rows("UPDATE events SET platform = 'FACEBOOK_PAGE' WHERE seq = 5")
    await database.rows("UPDATE events SET platform = 'INSTAGRAM' WHERE seq = 4")

    # when
    async with follow(ada.token, after=start, platforms=["FACEBOOK_PAGE"]) as follower:
        heard = await follower.hear_many(2)

    # then
    everything = await listed(ada, after=start)
    assert ids(heard) == [everything[0], everything[2]], "the login is about no social account"


async def test_an_empty_list_of_kinds_is_bad_user_input(api: Api, follow: Follow) -> None:
    ada = await api.register("ada")
    async with follow(ada.token, kinds=[]) as follower:
        assert (await end_of(follower)).codes == ("BAD_USER_INPUT",)


def log_in(person: Person) -> dict[str, Any]:
    return {"email": person.email, "password": PASSWORD, "label": "test", "scopes": []}


async def share(database: Database, account: str, *, with_member: Person, workspace: str) -> None:
    """Share a social account with a new team of one."""
    now, team = datetime.now(UTC), uuid4()
    (row,) = await database.rows(
        f"SELECT id FROM social_accounts WHERE hold_id = {database.literal(key_of(account))}"
    )
    place = key_of(workspace)
    await database.insert(
        "teams", id=team, workspace_id=place, name=f"team {team}", created_at=now, updated_at=now
    )
    await database.insert(
        "team_members", team_id=team, user_id=key_of(with_member.id), workspace_id=place, created_at=now
    )
    await database.rows(
        f"INSERT INTO shares (team_id, social_account_id, created_at) VALUES "
        f"({database.literal(team)}, '{row['id']}', {database.literal(now)})"
    )
