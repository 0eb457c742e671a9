"""Safe retries: the same call with the same key is answered alike, and changes nothing again."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from graphql_api.adapters.sealing import new_key
from graphql_api.app import create_app
from graphql_api.settings import Settings
from tests import operations
from tests.accounts.moving_operations import MOVE, RENAME
from tests.api import Api, Person, facebook_account, instagram_account, paths
from tests.canaries import Canaries
from tests.database import Database, key_of
from tests.serving import in_process

X = "17841405902213202"
KEY = "a key of the client's own"


async def connect(person: Person, *instagram_user_ids: str, key: str | None = KEY, **changed: Any) -> Any:
    """Connect with a key, and usable values for everything else."""
    return await person.mutate(
        operations.CONNECT,
        **{
            "facebookAccount": facebook_account(person.api.canaries),
            "instagramAccounts": [instagram_account(person.api.canaries, one) for one in instagram_user_ids],
            "idempotencyKey": key,
            **changed,
        },
    )


async def move(person: Person, *ids: str, to: str | None = None, key: str | None = KEY) -> Any:
    return await person.mutate(MOVE, socialAccountIds=list(ids), workspaceId=to, idempotencyKey=key)


def hold_ids(connected: Any) -> list[str]:
    return [one["socialAccount"]["id"] for one in connected["connected"]]


async def kept(database: Database) -> list[dict[str, Any]]:
    return await database.rows("SELECT * FROM idempotency_keys")


@pytest.mark.parametrize("key", [KEY, None])
async def test_only_a_call_with_a_key_is_answered_when_the_answer_to_its_commit_is_lost(
    api: Api, database: Database, monkeypatch: pytest.MonkeyPatch, key: str | None
) -> None:
    # given
    ada = await api.register("ada")
    workspace = await ada.create_workspace()
    (held,) = hold_ids(await ada.connect("1"))
    commit, breaks = AsyncSession.commit, iter([True])
    ours = ContextVar("ours", default=False)  # and not what runs beside requests

    async def commit_and_break(session: AsyncSession) -> None:
        await commit(session)
        if ours.get() and next(breaks, False):
            raise ConnectionResetError

    monkeypatch.setattr(AsyncSession, "commit", commit_and_break)
    ours.set(True)

    # when
    sent = {"input": {"socialAccountIds": [held], "workspaceId": workspace, "idempotencyKey": key}}
    answer = (await ada.api.post(MOVE, sent, token=ada.token)).json()

    # then
    if key is not None:
        assert answer["data"]["moveSocialAccounts"]["__typename"] == "MoveSocialAccountsSuccess"
    else:
        (error,) = answer["errors"]
        assert error["extensions"]["code"] == "TEMPORARILY_UNAVAILABLE"
        assert "look before you try again" in error["message"]
    moved = await database.rows("SELECT id FROM events WHERE kind = 'SOCIAL_ACCOUNT_MOVED'")
    assert len(moved) == 2, "each place is told once"


async def test_a_retry_of_connecting_gives_the_first_answer_and_changes_nothing(
    api: Api, database: Database
) -> None:
    # given
    ada = await api.register("ada")
    await ada.connect("1")
    first = await connect(ada, "2", "1")
    before = await database.everything()

    # when
    second = await connect(ada, "2", "1")

    # then
    assert second == first
    assert [one["outcome"] for one in second["connected"]] == ["CONNECTED", "RECONNECTED"]
    assert await database.everything() == before


async def test_without_a_key_the_same_call_is_a_new_one_and_nothing_is_kept(
    api: Api, database: Database
) -> None:
    ada = await api.register("ada")
    await connect(ada, X, key=None)

    second = await connect(ada, X, key=None)

    assert second["connected"][0]["outcome"] == "RECONNECTED"
    assert await kept(database) == []


async def test_an_answer_that_never_arrived_is_given_to_the_retry(api: Api, database: Database) -> None:
    # given
    ada = await api.register("ada")
    given_up = asyncio.create_task(connect(ada, X))
    for _ in range(1000):
        if await kept(database):
            break
        await asyncio.sleep(0.005)
    given_up.cancel()

    # when
    retried = await connect(ada, X)

    # then
    assert retried["connected"][0]["outcome"] == "CONNECTED"
    assert len(await kept(database)) == 1


async def test_both_of_two_at_once_get_the_one_answer(api: Api, database: Database) -> None:
    # given
    ada = await api.register("ada")
    workspace = await ada.create_workspace()

    # when
    connected = await asyncio.gather(*(connect(ada, "1", "2") for _ in range(4)))
    moved = await asyncio.gather(*(move(ada, *hold_ids(connected[0]), to=workspace) for _ in range(4)))

    # then
    assert [one["outcome"] for one in connected[0]["connected"]] == ["CONNECTED", "CONNECTED"]
    assert all(one == connected[0] for one in connected)
    assert [one["id"] for one in moved[0]["socialAccounts"]] == hold_ids(connected[0])
    assert all(one == moved[0] for one in moved)
    events = await database.rows("SELECT kind FROM events WHERE kind LIKE 'SOCIAL_ACCOUNT%'")
    kinds = sorted(row["kind"] for row in events)
    assert kinds == 2 * ["SOCIAL_ACCOUNT_CONNECTED"] + 4 * ["SOCIAL_ACCOUNT_MOVED"]


async def test_a_retry_of_moving_gives_the_accounts_as_they_are_now(api: Api, database: Database) -> None:
    # given
    ada = await api.register("ada")
    workspace = await ada.create_workspace()
    first, second = hold_ids(await ada.connect("1", "2"))
    await move(ada, second, first, to=workspace)
    await ada.mutate(RENAME, socialAccountId=first, nickname="Since then")
    before = await database.everything()

    # when
    retried = await move(ada, second, first, to=workspace)

    # then
    assert [one["id"] for one in retried["socialAccounts"]] == [second, first]
    assert [one["nickname"] for one in retried["socialAccounts"]] == [None, "Since then"]
    assert await database.everything() == before


@pytest.mark.parametrize(
    "change",
    [
        "instagramUserId",
        "username",
        "profilePictureUrl",
        "accessToken",
        "location",
        "fewer",
        "workspaceId",
        "onConflict",
    ],
)
async def test_the_same_key_with_another_input_is_refused(api: Api, database: Database, change: str) -> None:
    # given
    ada = await api.register("ada")
    workspace = await ada.create_workspace()
    await connect(ada, "1", "2")
    before = await database.everything()
    accounts = [instagram_account(api.canaries, one) for one in ("1", "2")]
    other: dict[str, dict[str, Any]] = {
        "fewer": {"instagramAccounts": accounts[:1]},
        "location": {"facebookAccount": {**facebook_account(api.canaries), "location": None}},
        "workspaceId": {"workspaceId": workspace},
        "onConflict": {"onConflict": "CONNECT_OTHERS"},
    }
    values = {
        "instagramUserId": "3",
        "username": "other",
        "profilePictureUrl": "",
        "accessToken": "CANARY-other",
    }
    by_item = {"instagramAccounts": [accounts[0], {**accounts[1], change: values.get(change)}]}

    # when
    result = await connect(ada, "1", "2", **other.get(change, by_item))

    # then
    assert result["__typename"] == "ConnectSocialAccountsFailure"
    assert paths(result["errors"]) == [("idempotencyKey", "DUPLICATE")]
    assert await database.everything() == before


async def test_a_key_is_of_one_person_and_one_operation(api: Api) -> None:
    # given
    ada, eve = await api.register("ada"), await api.register("eve")
    workspace = await ada.create_workspace()

    # when
    (held,) = hold_ids(await connect(ada, "1"))
    of_eve = await connect(eve, "2")
    moved = await move(ada, held, to=workspace)

    # then
    assert of_eve["connected"][0]["outcome"] == "CONNECTED"
    assert moved["__typename"] == "MoveSocialAccountsSuccess"


async def test_the_key_of_a_move_is_refused_for_another_move(api: Api, database: Database) -> None:
    # given
    ada = await api.register("ada")
    workspace = await ada.create_workspace()
    first, second = hold_ids(await ada.connect("1", "2"))
    await move(ada, first, to=workspace)
    before = await database.everything()

    # when
    result = await move(ada, second, "nonsense", to=workspace)

    # then
    assert paths(result["errors"]) == [
        ("socialAccountIds.1", "NOT_FOUND"),
        ("idempotencyKey", "DUPLICATE"),
    ]
    assert await database.everything() == before


@pytest.mark.parametrize(
    ("key", "code"),
    [("", "REQUIRED"), ("k" * 256, "TOO_LONG"), ("caf\u00e9", "INVALID_FORMAT"), ("a\nb", "INVALID_FORMAT")],
)
async def test_a_key_that_cannot_be_used_is_told_with_the_other_problems(
    api: Api, database: Database, key: str, code: str
) -> None:
    ada = await api.register("ada")
    before = await database.everything()

    connecting = await connect(ada, "x", key=key, workspaceId="nonsense")
    moving = await move(ada, "nonsense", key=key, to="nonsense")

    assert paths(connecting["errors"]) == [
        ("instagramAccounts.0.instagramUserId", "INVALID_FORMAT"),
        ("workspaceId", "NOT_FOUND"),
        ("idempotencyKey", code),
    ]
    assert paths(moving["errors"]) == [
        ("socialAccountIds.0", "NOT_FOUND"),
        ("workspaceId", "NOT_FOUND"),
        ("idempotencyKey", code),
    ]
    assert await database.everything() == before


async def test_the_longest_key_is_kept(api: Api, database: Database) -> None:
    ada = await api.register("ada")

    first, second = [await connect(ada, X, key="~" * 255) for _ in range(2)]

    assert first == second
    assert [row["key"] for row in await kept(database)] == ["~" * 255]


async def test_a_refusal_is_not_kept_and_the_call_succeeds_once_the_conflict_is_settled(
    api: Api, database: Database
) -> None:
    # given
    ada = await api.register("ada")
    workspace = await ada.create_workspace()
    await ada.connect(X, workspace=workspace)
    (conflict,) = (await connect(ada, X))["errors"]
    assert await kept(database) == []
    await ada.mutate(operations.DISCONNECT, socialAccountIds=[conflict["socialAccount"]["id"]])

    # when
    result = await connect(ada, X)

    # then
    assert result["connected"][0]["outcome"] == "CONNECTED"


async def test_a_replay_whose_account_is_gone_is_refused(api: Api, database: Database) -> None:
    # given
    ada = await api.register("ada")
    held, _ = hold_ids(await connect(ada, "1", "2"))
    await ada.mutate(operations.DISCONNECT, socialAccountIds=[held])
    await ada.connect("1")
    before = await database.everything()

    # when
    result = await connect(ada, "1", "2")

    # then
    assert paths(result["errors"]) == [("idempotencyKey", "NOT_FOUND")]
    assert await database.everything() == before


async def test_a_replay_whose_facebook_account_is_gone_is_refused(api: Api) -> None:
    ada = await api.register("ada")
    facebook = (await connect(ada))["facebookAccount"]["id"]
    await ada.mutate(operations.DISCONNECT_FACEBOOK, facebookAccountId=facebook)

    result = await connect(ada)

    assert paths(result["errors"]) == [("idempotencyKey", "NOT_FOUND")]


async def test_a_replay_tells_nothing_to_who_left_the_workspace(api: Api, database: Database) -> None:
    # given
    ada, eve = await api.register("ada"), await api.register("eve")
    workspace = await ada.create_workspace()
    await ada.bring_in(eve, workspace, "ADMIN")
    (held,) = hold_ids(await eve.connect("1"))
    moved = await move(eve, held, to=workspace)
    connected = await connect(eve, "2", workspaceId=workspace)
    assert (moved["__typename"], len(connected["connected"])) == ("MoveSocialAccountsSuccess", 1)
    await database.rows(f"DELETE FROM memberships WHERE user_id = {database.literal(key_of(eve.id))}")

    # when
    answers = [await move(eve, held, to=workspace), await connect(eve, "2", workspaceId=workspace)]

    # then
    assert [paths(one["errors"]) for one in answers] == 2 * [[("idempotencyKey", "NOT_FOUND")]]


class TestSomeConnected:
    """`CONNECT_OTHERS`: what was not connected is told again, as far as the viewer may know it now."""

    async def given(self, api: Api) -> tuple[Person, Person, str, Any]:
        ada, eve = await api.register("ada"), await api.register("eve")
        workspace = await eve.create_workspace()
        await eve.bring_in(ada, workspace)
        await eve.connect("1", workspace=workspace)
        await eve.connect("2")
        return ada, eve, workspace, await self.connect(ada)

    async def connect(self, ada: Person) -> Any:
        return await connect(ada, "1", "2", "3", onConflict="CONNECT_OTHERS")

    async def test_the_same_conflicts_come_again(self, api: Api, database: Database) -> None:
        # given
        ada, eve, _, first = await self.given(api)
        before = await database.everything()

        # when
        second = await self.connect(ada)

        # then
        assert [one["__typename"] for one in first["notConnected"]] == ["HeldByWorkspace", "HeldElsewhere"]
        assert first["notConnected"][0]["contactEmail"] == eve.email
        assert second == first
        assert await database.everything() == before

    async def test_who_has_left_the_workspace_is_told_nothing_of_it_any_more(
        self, api: Api, database: Database
    ) -> None:
        # given
        ada, _, workspace, first = await self.given(api)
        await database.rows(
            f"DELETE FROM memberships WHERE user_id = {database.literal(key_of(ada.id))}"
            f" AND workspace_id = {database.literal(key_of(workspace))}"
        )

        # when
        second = await self.connect(ada)

        # then
        assert second["connected"] == first["connected"]
        assert [one["__typename"] for one in second["notConnected"]] == ["HeldElsewhere", "HeldElsewhere"]

    async def test_what_has_become_free_is_still_not_connected(self, api: Api) -> None:
        # given
        ada, eve, _, first = await self.given(api)
        held = (await eve.execute(operations.PERSONAL))["viewer"]["socialAccounts"]["nodes"][0]["id"]
        await eve.mutate(operations.DISCONNECT, socialAccountIds=[held])

        # when
        second = await self.connect(ada)

        # then
        assert second == first
        assert await ada.held() == ["3"]


async def test_an_expired_key_is_as_good_as_new(api: Api, database: Database) -> None:
    # given
    ada = await api.register("ada")
    await connect(ada, "1")
    (row,) = await kept(database)
    assert await lifetime(database) == timedelta(hours=24)
    past = database.literal(datetime.now(UTC) - timedelta(seconds=1))
    await database.rows(f"UPDATE idempotency_keys SET expires_at = {past}")

    # when
    result = await connect(ada, "2")

    # then
    assert result["connected"][0]["outcome"] == "CONNECTED"
    (after,) = await kept(database)
    assert after["input_hash"] != row["input_hash"]


async def lifetime(database: Database) -> timedelta:
    (row,) = await kept(database)
    times = [row["created_at"], row["expires_at"]]
    created, expires = [datetime.fromisoformat(str(one)) for one in times]
    return expires - created


async def test_no_access_token_and_no_address_stands_in_what_is_kept(api: Api, database: Database) -> None:
    ada = await api.register("ada")
    await connect(ada, X)

    (row,) = await kept(database)

    assert "CANARY" not in str(row)
    assert "@" not in str(row["outcome"])
    assert len(bytes(row["input_hash"])) == 32


@asynccontextmanager
async def served(settings: Settings, canaries: Canaries) -> AsyncIterator[Api]:
    """Another server on the same database."""
    async with (
        in_process(create_app(settings)) as transport,
        httpx.AsyncClient(transport=transport, base_url="http://testserver") as http,
    ):
        yield Api(http, canaries)


async def test_a_retry_is_known_after_the_sealing_key_was_rotated(
    api: Api, settings: Settings, canaries: Canaries
) -> None:
    # given
    ada = await api.register("ada")
    first = await connect(ada, X)
    rotated = settings.model_copy(update={"sealing_keys": f"{new_key('k2')} {settings.sealing_keys}"})

    # when
    async with served(rotated, canaries) as other:
        second = await connect(Person(other, ada.email, ada.id, ada.token), X)

    # then
    assert second == first
