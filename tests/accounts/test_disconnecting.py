"""Disconnecting: all or none, and the next holder inherits nothing."""

from typing import Any

from tests import operations
from tests.api import Api, Person, paths
from tests.database import Database, share

X = "17841405902213202"


def ids(connected: Any) -> list[str]:
    return [one["socialAccount"]["id"] for one in connected["connected"]]


async def test_people_disconnect_their_own(api: Api) -> None:
    # given
    ada = await api.register("ada")
    first, second = ids(await ada.connect("1", "2"))

    # when
    result = await ada.mutate(operations.DISCONNECT, socialAccountIds=[second, first])

    # then
    assert result["__typename"] == "DisconnectSocialAccountsSuccess"
    assert result["socialAccounts"] == [
        {"id": second, "displayName": "user_2", "holder": None},
        {"id": first, "displayName": "user_1", "holder": None},
    ]
    assert await ada.held() == []
    assert (await ada.execute(operations.NODE, {"id": first}))["node"] is None


async def test_disconnecting_leaves_nothing_behind_in_the_row(api: Api, database: Database) -> None:
    # given
    ada = await api.register("ada")
    workspace = await ada.create_workspace()
    (held,) = ids(await ada.connect(X, workspace=workspace))
    await share(database, workspace, ada, "Team")
    await database.rows("UPDATE social_accounts SET nickname = 'nick', facebook_page_id = '1'")

    # when
    await ada.mutate(operations.DISCONNECT, socialAccountIds=[held])

    # then
    (row,) = await database.rows("SELECT * FROM social_accounts")
    kept = {name for name, value in row.items() if value is not None}
    assert kept == {"id", "platform", "external_id", "access_version", "updated_at"}
    assert await database.rows("SELECT * FROM shares") == []
    (place,) = await database.rows("SELECT held_count FROM workspaces")
    assert place["held_count"] == 0


async def test_who_connects_it_next_gets_another_id_and_inherits_nothing(api: Api) -> None:
    # given
    ada, eve = await api.register("ada"), await api.register("eve")
    (held,) = ids(await ada.connect(X))
    await ada.mutate(operations.DISCONNECT, socialAccountIds=[held])

    # when
    result = await eve.connect(X)

    # then
    (connected,) = result["connected"]
    assert connected["outcome"] == "CONNECTED"
    assert connected["socialAccount"]["id"] != held
    assert connected["socialAccount"]["nickname"] is None
    assert connected["socialAccount"]["connectedBy"] == {"id": eve.id}
    assert (await eve.execute(operations.NODE, {"id": held}))["node"] is None


async def test_the_same_holder_gets_another_id_too(api: Api) -> None:
    # given
    ada = await api.register("ada")
    (held,) = ids(await ada.connect(X))
    await ada.mutate(operations.DISCONNECT, socialAccountIds=[held])

    # when
    result = await ada.connect(X)

    # then
    assert result["connected"][0]["outcome"] == "CONNECTED"
    assert ids(result) != [held]


async def test_an_admin_follows_the_message_and_then_connects_to_their_personal(api: Api) -> None:
    # given
    ada = await api.register("ada")
    workspace = await ada.create_workspace()
    await ada.connect(X, workspace=workspace)
    (conflict,) = (await ada.connect(X))["errors"]

    # when
    await ada.mutate(operations.DISCONNECT, socialAccountIds=[conflict["socialAccount"]["id"]])
    result = await ada.connect(X)

    # then
    assert result["connected"][0]["outcome"] == "CONNECTED"
    assert await ada.held(workspace) == []
    assert await ada.held() == [X]


async def test_of_many_none_is_disconnected_when_one_cannot_be(api: Api, database: Database) -> None:
    # given
    ada, eve = await api.register("ada"), await api.register("eve")
    mine, other = ids(await ada.connect("1", "2"))
    (strange,) = ids(await eve.connect("3"))
    before = await database.everything()

    # when
    result = await ada.mutate(
        operations.DISCONNECT, socialAccountIds=[mine, strange, "nonsense", mine, ada.id, other, "\0"]
    )

    # then
    assert result["__typename"] == "DisconnectSocialAccountsFailure"
    assert paths(result["errors"]) == [
        ("socialAccountIds.1", "NOT_FOUND"),
        ("socialAccountIds.2", "NOT_FOUND"),
        ("socialAccountIds.3", "DUPLICATE"),
        ("socialAccountIds.4", "NOT_FOUND"),
        ("socialAccountIds.6", "NOT_FOUND"),
    ]
    assert await database.everything() == before


async def test_a_creator_of_the_workspace_cannot_even_find_it(api: Api, database: Database) -> None:
    # given
    ada, eve = await api.register("ada"), await api.register("eve")
    workspace = await ada.create_workspace()
    await ada.bring_in(eve, workspace)
    (held,) = ids(await ada.connect(X, workspace=workspace))
    before = await database.everything()

    # when
    result = await eve.mutate(operations.DISCONNECT, socialAccountIds=[held])

    # then
    assert paths(result["errors"]) == [("socialAccountIds.0", "NOT_FOUND")]
    assert await database.everything() == before


async def test_more_than_a_hundred_at_once_are_refused(api: Api) -> None:
    ada = await api.register("ada")

    result = await ada.mutate(operations.DISCONNECT, socialAccountIds=["x"] * 101)

    assert paths(result["errors"]) == [("socialAccountIds", "TOO_LONG")]


async def test_an_empty_list_is_refused(api: Api, database: Database) -> None:
    ada = await api.register("ada")
    before = await database.everything()

    result = await ada.mutate(operations.DISCONNECT, socialAccountIds=[])

    assert paths(result["errors"]) == [("socialAccountIds", "TOO_SHORT")]
    assert await database.everything() == before


async def test_a_page_is_disconnected_and_an_account_of_another_platform_with_its_id_stays(
    api: Api, database: Database
) -> None:
    # given
    ada = await api.register("ada")
    kept, page = ids(await ada.connect("2001", pages=["2001"]))

    # when
    result = await ada.mutate(operations.DISCONNECT, socialAccountIds=[page])

    # then
    assert result["socialAccounts"] == [{"id": page, "displayName": "Page 2001", "holder": None}]
    assert (await ada.execute(operations.NODE, {"id": kept}))["node"]["id"] == kept
    assert (await ada.execute(operations.NODE, {"id": page}))["node"] is None
    (event,) = await database.rows(
        "SELECT platform, subject_name FROM events WHERE kind = 'SOCIAL_ACCOUNT_DISCONNECTED'"
    )
    assert event == {"platform": "FACEBOOK_PAGE", "subject_name": "Page 2001"}


async def facebook_account_of(person: Person) -> str:
    return str((await person.connect(X))["facebookAccount"]["id"])


async def test_a_facebook_account_is_forgotten_and_its_instagram_accounts_stay(
    api: Api, database: Database
) -> None:
    # given
    ada = await api.register("ada")
    facebook_account = await facebook_account_of(ada)
    (before,) = await database.rows("SELECT access_token FROM social_accounts")

    # when
    result = await ada.mutate(operations.DISCONNECT_FACEBOOK, facebookAccountId=facebook_account)

    # then
    assert result["facebookAccount"]["id"] == facebook_account
    assert await database.rows("SELECT * FROM facebook_accounts") == []
    assert await database.rows("SELECT access_token FROM social_accounts") == [before]
    (account,) = (await ada.execute(operations.PERSONAL))["viewer"]["socialAccounts"]["nodes"]
    assert account["facebookAccount"] is None


async def test_a_facebook_account_is_its_users_only(api: Api, database: Database) -> None:
    # given
    ada, eve = await api.register("ada"), await api.register("eve")
    facebook_account = await facebook_account_of(ada)
    before = await database.everything()

    # when
    answers = [
        await eve.mutate(operations.DISCONNECT_FACEBOOK, facebookAccountId=one)
        for one in (facebook_account, "nonsense", eve.id)
    ]

    # then
    assert all(paths(one["errors"]) == [("facebookAccountId", "NOT_FOUND")] for one in answers)
    assert await database.everything() == before
