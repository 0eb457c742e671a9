"""Moving: all or none, nothing is lost on the way, and nobody slips in between."""

import asyncio
import json
from typing import Any

import pytest

from graphql_api.settings import Settings
from tests import operations
from tests.accounts.moving_operations import MOVE, RENAME
from tests.api import Api, Person, paths
from tests.conftest import make_settings
from tests.database import Database, Rows, key_of, share
from tests.mails import Mailbox

X = "17841405902213202"


async def move(person: Person, *ids: str, to: str | None = None, **changed: Any) -> Any:
    """Move social accounts to a Workspace, or to somebody's Personal."""
    return await person.mutate(MOVE, socialAccountIds=list(ids), workspaceId=to, **changed)


def hold_ids(connected: Any) -> list[str]:
    return [one["socialAccount"]["id"] for one in connected["connected"]]


async def counts_are_right(database: Database) -> bool:
    """Is every place's number of accounts the number of its rows?"""
    wrong = await database.rows(
        "SELECT id FROM users WHERE held_count <> "
        "(SELECT count(*) FROM social_accounts WHERE holder_user_id = users.id) "
        "UNION ALL SELECT id FROM workspaces WHERE held_count <> "
        "(SELECT count(*) FROM social_accounts WHERE holder_workspace_id = workspaces.id)"
    )
    return wrong == []


async def moves_told(database: Database) -> Rows:
    """The events of moving, in whose history they stand and what they say."""
    rows = await database.rows(
        "SELECT user_id, workspace_id, actor_id, subject_id, subject_name, platform, details FROM events "
        "WHERE kind = 'SOCIAL_ACCOUNT_MOVED' ORDER BY user_id, workspace_id"
    )
    return [{**row, "details": json.loads(row["details"])} for row in rows]


async def test_an_account_moves_from_the_personal_to_a_workspace_and_keeps_what_it_is(
    api: Api, database: Database
) -> None:
    # given
    ada = await api.register("ada")
    workspace = await ada.create_workspace()
    (held,) = hold_ids(await ada.connect(X))
    before = (await ada.mutate(RENAME, socialAccountId=held, nickname="Nick"))["socialAccount"]

    # when
    result = await move(ada, held, to=workspace)

    # then
    (after,) = result["socialAccounts"]
    assert after["holder"] == {"__typename": "Workspace", "id": workspace, "name": "Agency"}
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"holder", "updatedAt"}
    assert after["connectedBy"] == {"id": ada.id}
    assert after["facebookAccount"]["facebookUserId"] == "100000000000001"
    assert (await ada.held(), await ada.held(workspace)) == ([], [X])
    assert await counts_are_right(database)


async def test_its_access_token_opens_in_the_new_place(api: Api, database: Database) -> None:
    # given
    ada = await api.register("ada")
    workspace = await ada.create_workspace()
    held, page = hold_ids(await ada.connect(X, pages=["2001"], workspace=workspace))
    before = await database.rows("SELECT access_token FROM social_accounts ORDER BY id")
    log_in = {
        "email": ada.email,
        "password": "CANARY-password-Zq81x",
        "label": "reader",
        "scopes": ["READ_ACCESS_TOKENS"],
    }
    token = (await ada.mutate(operations.LOG_IN, **log_in))["bearerToken"]

    # when
    await move(ada, held, page)

    # then
    answer = await api.execute(operations.ACCESS_TOKENS, token=token)
    opened = {node["externalId"]: node["accessToken"] for node in answer["viewer"]["socialAccounts"]["nodes"]}
    assert opened == {
        X: api.canaries.access_token(f"ig{X}"),
        "2001": api.canaries.access_token("page2001"),
    }
    after = await database.rows("SELECT access_token FROM social_accounts ORDER BY id")
    assert all(one != other for one, other in zip(before, after, strict=True))


async def test_both_places_are_told_of_a_move(api: Api, database: Database) -> None:
    # given
    ada = await api.register("ada")
    source, target = await ada.create_workspace("One"), await ada.create_workspace("Two")
    (held,) = hold_ids(await ada.connect(X, workspace=source))

    # when
    await move(ada, held, to=target)

    # then
    told = await moves_told(database)
    assert {str(row["workspace_id"]).replace("-", "") for row in told} == {
        key_of(source).hex,
        key_of(target).hex,
    }
    details = {"from": f"workspace:{key_of(source)}", "to": f"workspace:{key_of(target)}"}
    assert [row["details"] for row in told] == [details, details]
    assert {(row["platform"], row["subject_name"]) for row in told} == {("INSTAGRAM", f"user_{X}")}
    assert {str(row["subject_id"]).replace("-", "") for row in told} == {key_of(held).hex}
    assert {str(row["actor_id"]).replace("-", "") for row in told} == {key_of(ada.id).hex}


async def test_the_other_admins_get_one_mail_when_accounts_leave_their_workspace(
    api: Api, database: Database, mailbox: Mailbox
) -> None:
    # given
    ada, eve, bob = [await api.register(name) for name in ("ada", "eve", "bob")]
    source = await ada.create_workspace("One")
    await ada.bring_in(eve, source, "ADMIN")
    await ada.bring_in(bob, source)
    first, second = hold_ids(await ada.connect("1", "2", workspace=source))
    about = "Social accounts were moved out of One"

    # when: what comes back tells nobody
    await move(ada, first, second)
    await move(ada, first, to=source)

    # then
    mail = await mailbox.wait(eve.email, about)
    assert '"user_1", "user_2"' in mail.body
    assert [one.to for one in mailbox.mails(about=about)] == [eve.email]


async def test_accounts_of_several_places_move_in_one_call_in_the_order_of_the_input(
    api: Api, database: Database
) -> None:
    # given
    ada = await api.register("ada")
    one, two, target = [await ada.create_workspace(name) for name in ("One", "Two", "Target")]
    first, second = hold_ids(await ada.connect("1", "2", workspace=one))
    (third,) = hold_ids(await ada.connect("3", workspace=two))
    (fourth,) = hold_ids(await ada.connect("4"))

    # when
    result = await move(ada, third, fourth, first, to=target)

    # then
    assert [account["id"] for account in result["socialAccounts"]] == [third, fourth, first]
    assert await ada.held(target) == ["1", "3", "4"]
    assert (await ada.held(one), await ada.held(two), await ada.held()) == (["2"], [], [])
    assert await counts_are_right(database)
    told = await moves_told(database)
    assert sorted(row["details"]["from"] for row in told) == sorted(
        2 * [f"user:{key_of(ada.id)}", f"workspace:{key_of(one)}", f"workspace:{key_of(two)}"]
    )
    assert second


async def test_it_leaves_the_teams_of_the_old_place(api: Api, database: Database) -> None:
    # given
    ada, eve = await api.register("ada"), await api.register("eve")
    source, target = await ada.create_workspace("One"), await ada.create_workspace("Two")
    await ada.bring_in(eve, source)
    (held,) = hold_ids(await ada.connect(X, workspace=source))
    await share(database, source, eve, "Team")
    assert await eve.held(source) == [X]

    # when
    result = await move(ada, held, to=target)

    # then
    assert result["socialAccounts"][0]["connectedTeams"] == []
    assert await database.rows("SELECT * FROM shares") == []
    assert (await eve.execute(operations.NODE, {"id": held}))["node"] is None


async def test_another_admin_takes_it_home_and_does_not_see_the_facebook_account_behind_it(api: Api) -> None:
    # given
    ada, eve = await api.register("ada"), await api.register("eve")
    workspace = await ada.create_workspace()
    await ada.bring_in(eve, workspace, "ADMIN")
    (held,) = hold_ids(await ada.connect(X, workspace=workspace))

    # when
    result = await move(eve, held)

    # then
    (account,) = result["socialAccounts"]
    assert account["holder"] == {"__typename": "User", "id": eve.id}
    assert account["connectedBy"] == {"id": ada.id}
    assert account["facebookAccount"] is None
    assert (await ada.execute(operations.NODE, {"id": held}))["node"] is None


async def test_an_admin_who_met_a_conflict_moves_the_account_to_where_it_was_claimed_for(api: Api) -> None:
    # given
    ada = await api.register("ada")
    workspace = await ada.create_workspace()
    await ada.connect(X, workspace=workspace)
    (conflict,) = (await ada.connect(X))["errors"]
    assert "MOVE" in conflict["resolutions"]

    # when
    await move(ada, conflict["socialAccount"]["id"])
    result = await ada.connect(X)

    # then
    assert result["connected"][0]["outcome"] == "RECONNECTED"
    assert hold_ids(result) == [conflict["socialAccount"]["id"]]


async def test_of_many_none_is_moved_and_each_problem_is_told_at_its_place(
    api: Api, database: Database
) -> None:
    # given
    ada, eve = await api.register("ada"), await api.register("eve")
    target, other = await ada.create_workspace("Target"), await eve.create_workspace("Eve's")
    await eve.bring_in(ada, other)
    mine, also_mine = hold_ids(await ada.connect("1", "2"))
    (there,) = hold_ids(await ada.connect("3", workspace=target))
    (of_eve,) = hold_ids(await eve.connect("4"))
    (shared,) = hold_ids(await eve.connect("5", workspace=other))
    await share(database, other, ada, "Team")
    (unshared,) = hold_ids(await eve.connect("6", workspace=other))
    before = await database.everything()

    # when
    result = await move(
        ada, mine, there, of_eve, "nonsense", mine, shared, unshared, also_mine, "\0", to=target
    )

    # then
    assert result["__typename"] == "MoveSocialAccountsFailure"
    assert paths(result["errors"]) == [
        ("socialAccountIds.1", "DUPLICATE"),
        ("socialAccountIds.2", "NOT_FOUND"),
        ("socialAccountIds.3", "NOT_FOUND"),
        ("socialAccountIds.4", "DUPLICATE"),
        ("socialAccountIds.5", "NOT_ALLOWED"),
        ("socialAccountIds.6", "NOT_FOUND"),
        ("socialAccountIds.8", "NOT_FOUND"),
    ]
    assert await database.everything() == before


async def test_moving_to_the_personal_where_it_is_already_is_refused(api: Api, database: Database) -> None:
    ada = await api.register("ada")
    (held,) = hold_ids(await ada.connect(X))
    before = await database.everything()

    result = await move(ada, held)

    assert paths(result["errors"]) == [("socialAccountIds.0", "DUPLICATE")]
    assert await database.everything() == before


async def test_only_an_admin_moves_into_a_workspace_and_a_strange_one_is_not_found(
    api: Api, database: Database
) -> None:
    # given
    ada, eve = await api.register("ada"), await api.register("eve")
    (held,) = hold_ids(await ada.connect(X))
    creators, strange = await eve.create_workspace("Creators"), await eve.create_workspace("Strange")
    await eve.bring_in(ada, creators)
    before = await database.everything()

    # when
    answers = [await move(ada, held, "nonsense", to=to) for to in (creators, strange, "nonsense", ada.id)]

    # then
    at = [("socialAccountIds.1", "NOT_FOUND")]
    assert [paths(one["errors"]) for one in answers] == [
        [*at, ("workspaceId", "NOT_ALLOWED")],
        [*at, ("workspaceId", "NOT_FOUND")],
        [*at, ("workspaceId", "NOT_FOUND")],
        [*at, ("workspaceId", "NOT_FOUND")],
    ]
    assert await database.everything() == before


async def test_who_was_an_admin_there_moves_nothing_any_more(api: Api, database: Database) -> None:
    # given
    ada, eve = await api.register("ada"), await api.register("eve")
    workspace = await ada.create_workspace()
    await ada.bring_in(eve, workspace, "ADMIN")
    (held,) = hold_ids(await ada.connect(X, workspace=workspace))
    await database.rows(f"DELETE FROM memberships WHERE user_id = {database.literal(key_of(eve.id))}")
    before = await database.everything()

    # when
    result = await move(eve, held)

    # then
    assert paths(result["errors"]) == [("socialAccountIds.0", "NOT_FOUND")]
    assert await database.everything() == before


async def test_more_than_a_hundred_at_once_are_refused(api: Api) -> None:
    ada = await api.register("ada")

    result = await move(ada, *["x"] * 101, to="nonsense")

    assert paths(result["errors"]) == [("socialAccountIds", "TOO_LONG"), ("workspaceId", "NOT_FOUND")]


async def test_an_empty_list_is_refused(api: Api, database: Database) -> None:
    ada = await api.register("ada")
    before = await database.everything()

    result = await move(ada)

    assert paths(result["errors"]) == [("socialAccountIds", "TOO_SHORT")]
    assert await database.everything() == before


async def test_an_access_token_that_cannot_be_opened_is_told_and_stays_where_it_is(
    api: Api, database: Database
) -> None:
    # given
    ada = await api.register("ada")
    workspace = await ada.create_workspace()
    first, second = hold_ids(await ada.connect("1", "2"))
    await database.rows("UPDATE social_accounts SET access_token = 'v1.k1.AAAA' WHERE external_id = '2'")
    before = await database.everything()

    # when
    result = await move(ada, first, second, to=workspace)

    # then
    assert paths(result["errors"]) == [("socialAccountIds.1", "OTHER")]
    assert await database.everything() == before


async def test_accounts_of_two_platforms_with_one_id_move_alike(api: Api, database: Database) -> None:
    # given
    ada, eve = await api.register("ada"), await api.register("eve")
    workspace = await ada.create_workspace()
    (of_eve,) = hold_ids(await eve.connect("2001"))
    (page,) = hold_ids(await ada.connect(pages=["2001"]))

    # when
    result = await move(ada, page, to=workspace)

    # then
    (moved,) = result["socialAccounts"]
    assert (moved["__typename"], moved["id"], moved["externalId"]) == ("FacebookPage", page, "2001")
    assert (await ada.held(), await ada.held(workspace), await eve.held()) == ([], ["2001"], ["2001"])
    told = await moves_told(database)
    assert {(row["platform"], row["subject_name"]) for row in told} == {("FACEBOOK_PAGE", "Page 2001")}
    assert paths((await move(ada, of_eve))["errors"]) == [("socialAccountIds.0", "NOT_FOUND")]
    assert await counts_are_right(database)


class TestFullPlaces:
    """A place that holds as many as it may."""

    @pytest.fixture
    def settings(self, database_url: str) -> Settings:
        return make_settings(database_url, max_accounts_per_holder=2)

    async def test_those_without_room_are_told_and_none_is_moved(self, api: Api, database: Database) -> None:
        # given
        ada = await api.register("ada")
        source, target = await ada.create_workspace("One"), await ada.create_workspace("Two")
        first, second = hold_ids(await ada.connect("1", "2", workspace=source))
        await ada.connect("3", workspace=target)
        before = await database.everything()

        # when
        result = await move(ada, second, first, to=target)

        # then
        assert result["errors"] == [
            {
                "__typename": "AccountLimitReached",
                "path": ["input", "socialAccountIds", "1"],
                "message": "Instagram account user_1 not moved. "
                "This place holds 1 of at most 2 social accounts",
                "limit": 2,
                "used": 1,
            }
        ]
        assert await database.everything() == before

        # and then
        (page,) = hold_ids(await ada.connect(pages=["2001"]))
        full = await move(ada, second, page, to=target)
        assert [one["message"] for one in full["errors"]] == [
            "Facebook Page Page 2001 not moved. This place holds 1 of at most 2 social accounts"
        ]
        assert (await move(ada, second, to=target))["__typename"] == "MoveSocialAccountsSuccess"
        assert await ada.held(target) == ["2", "3"]


async def together(*calls: Any) -> list[Any]:
    return list(await asyncio.gather(*calls))


async def test_of_two_who_move_it_to_different_places_one_after_the_other_wins(
    api: Api, database: Database
) -> None:
    # given
    ada, eve = await api.register("ada"), await api.register("eve")
    workspace = await ada.create_workspace()
    await ada.bring_in(eve, workspace, "ADMIN")

    for number in range(1, 6):
        (held,) = hold_ids(await ada.connect(str(number), workspace=workspace))

        # when
        answers = await together(move(ada, held), move(eve, held))

        # then
        kinds = [one["__typename"] for one in answers]
        assert sorted(kinds) == ["MoveSocialAccountsFailure", "MoveSocialAccountsSuccess"]
        refused = answers[kinds.index("MoveSocialAccountsFailure")]
        assert paths(refused["errors"]) == [("socialAccountIds.0", "NOT_FOUND")]
        winner = (ada, eve)[kinds.index("MoveSocialAccountsSuccess")]
        assert str(number) in await winner.held()
        assert await counts_are_right(database)


async def test_who_sees_both_places_finds_an_account_that_is_moved_at_the_same_moment(
    api: Api, database: Database
) -> None:
    """One moves it to a second place, the other out of wherever it is: neither is told that it is gone."""
    # given
    ada, eve = await api.register("ada"), await api.register("eve")
    one, two = await ada.create_workspace("One"), await ada.create_workspace("Two")
    await ada.bring_in(eve, one, "ADMIN")
    await ada.bring_in(eve, two, "ADMIN")

    for number in range(1, 6):
        (held,) = hold_ids(await ada.connect(str(number), workspace=one))

        # when
        moved, disconnected = await together(
            move(ada, held, to=two), eve.mutate(operations.DISCONNECT, socialAccountIds=[held])
        )

        # then
        assert disconnected["__typename"] == "DisconnectSocialAccountsSuccess", disconnected
        if moved["__typename"] == "MoveSocialAccountsFailure":
            assert paths(moved["errors"]) == [("socialAccountIds.0", "NOT_FOUND")]
        assert (await ada.held(one), await ada.held(two)) == ([], [])
        assert await counts_are_right(database)


async def test_nobody_slips_in_while_it_moves(api: Api, database: Database) -> None:
    # given
    ada, eve, bob = [await api.register(name) for name in ("ada", "eve", "bob")]
    workspace = await ada.create_workspace()

    for number in range(1, 6):
        (held,) = hold_ids(await ada.connect(str(number)))

        # when
        moved, *claims = await together(
            move(ada, held, to=workspace), *(one.connect(str(number)) for one in (eve, bob) * 3)
        )

        # then
        assert [account["id"] for account in moved["socialAccounts"]] == [held]
        assert all(one["errors"][0]["__typename"] == "HeldElsewhere" for one in claims)
        assert str(number) in await ada.held(workspace)
        assert await counts_are_right(database)
