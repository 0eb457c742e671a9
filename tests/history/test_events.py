"""The history of a place, page by page: what it tells, to whom, and where it goes on."""

import base64
import json
from typing import Any

import pytest

from tests import operations
from tests.api import Api, Person
from tests.database import Database, key_of

_PAGE = """
  eventsCursor
  events(first: $first, after: $after, last: $last, before: $before) {
    totalCount
    nodes {
      id kind occurredAt requestId subjectId socialAccountId username nickname teamName workspaceName role
      actor { id }
      from { __typename ... on User { id } ... on Workspace { id } }
      to { __typename ... on User { id } ... on Workspace { id } }
    }
    edges { cursor }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
"""
_ARGUMENTS = "$first: Int, $after: String, $last: Int, $before: String"
PERSONAL = f"query Personal({_ARGUMENTS}) {{ viewer {{ {_PAGE} }} }}"
WORKSPACE = (
    f"query Workspace($id: ID!, {_ARGUMENTS}) {{ node(id: $id) {{ ... on Workspace {{ {_PAGE} }} }} }}"
)


async def personal(person: Person, **arguments: Any) -> Any:
    return (await person.execute(PERSONAL, arguments))["viewer"]


async def workspace_of(person: Person, workspace: str, **arguments: Any) -> Any:
    return (await person.execute(WORKSPACE, {"id": workspace, **arguments}))["node"]


def kinds(place: Any) -> list[str]:
    return [node["kind"] for node in place["events"]["nodes"]]


async def test_a_history_begins_with_its_first_event_and_counts_itself(api: Api) -> None:
    ada = await api.register("ada")
    connected = await ada.connect("1")

    found = await personal(ada)

    assert kinds(found) == [
        "USER_REGISTERED",
        "API_TOKEN_CREATED",
        "FACEBOOK_ACCOUNT_CONNECTED",
        "SOCIAL_ACCOUNT_CONNECTED",
    ]
    assert found["events"]["totalCount"] == 4
    assert found["eventsCursor"] == found["events"]["pageInfo"]["endCursor"]
    last = found["events"]["nodes"][-1]
    account = connected["connected"][0]["socialAccount"]
    assert (last["socialAccountId"], last["username"]) == (account["id"], account["username"])
    assert last["actor"] == {"id": ada.id}
    assert found["events"]["nodes"][2]["socialAccountId"] is None
    assert found["events"]["nodes"][2]["subjectId"] == connected["facebookAccount"]["id"]


async def test_pages_of_a_history_are_the_whole_of_it_in_both_directions(api: Api) -> None:
    ada = await api.register("ada")
    await ada.connect("1", "2", "3")
    whole = [node["id"] for node in (await personal(ada))["events"]["nodes"]]

    forwards: list[str] = []
    backwards: list[str] = []
    after = before = None
    for _ in range(3):
        page = (await personal(ada, first=2, after=after))["events"]
        forwards += [node["id"] for node in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
        page = (await personal(ada, last=2, before=before))["events"]
        backwards = [node["id"] for node in page["nodes"]] + backwards
        before = page["pageInfo"]["startCursor"]

    assert len(whole) == 6
    assert forwards == backwards == whole


@pytest.mark.parametrize("argument", ["after", "before"])
@pytest.mark.parametrize("kind", ["nonsense", "of another place", "of another list"])
async def test_a_cursor_of_something_else_is_bad_user_input(api: Api, argument: str, kind: str) -> None:
    ada, bob = await api.register("ada"), await api.register("bob")
    cursor = {
        "nonsense": "é",
        "of another place": (await personal(bob))["eventsCursor"],
        "of another list": base64.urlsafe_b64encode(json.dumps(["1"]).encode()).decode(),
    }[kind]
    answer = (await api.post(PERSONAL, {argument: cursor}, token=ada.token)).json()
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["BAD_USER_INPUT"]


async def test_an_after_that_is_older_than_what_is_kept_says_so(api: Api, database: Database) -> None:
    # given
    ada = await api.register("ada")
    old = (await personal(ada, first=1))["events"]["pageInfo"]["endCursor"]
    await ada.connect("1", "2")

    # when
    await database.rows("DELETE FROM events WHERE seq <= 3")

    # then
    answer = (await api.post(PERSONAL, {"after": old}, token=ada.token)).json()
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["CURSOR_EXPIRED"]
    assert kinds(await personal(ada)) == ["SOCIAL_ACCOUNT_CONNECTED"] * 2
    assert kinds(await personal(ada, before=old)) == []


async def test_admins_see_everything_and_creators_what_is_theirs(api: Api) -> None:
    # given
    ada, bob = await api.register("ada"), await api.register("bob")
    workspace = await ada.create_workspace()
    await ada.bring_in(bob, workspace)
    await ada.connect("1", workspace=workspace)

    # when
    as_admin, as_creator = await workspace_of(ada, workspace), await workspace_of(bob, workspace)

    # then
    assert kinds(as_admin) == [
        "WORKSPACE_CREATED",
        "MEMBER_INVITED",
        "MEMBER_JOINED",
        "SOCIAL_ACCOUNT_CONNECTED",
    ]
    assert kinds(as_creator) == ["MEMBER_JOINED"]
    assert as_creator["events"]["totalCount"] == 1
    assert as_creator["events"]["nodes"][0]["role"] == "CREATOR"
    assert as_admin["events"]["nodes"][0]["workspaceName"] == "Agency"
    assert as_admin["eventsCursor"] == as_creator["eventsCursor"]


async def test_who_left_sees_nothing_any_more(api: Api, database: Database) -> None:
    ada, bob = await api.register("ada"), await api.register("bob")
    workspace = await ada.create_workspace()
    await ada.bring_in(bob, workspace)
    await database.rows(f"DELETE FROM memberships WHERE user_id = {database.literal(key_of(bob.id))}")
    assert await workspace_of(bob, workspace) is None


async def test_a_move_names_only_the_places_that_the_viewer_sees(api: Api, database: Database) -> None:
    # given
    ada, eve = await api.register("ada"), await api.register("eve")
    hers = await eve.create_workspace()
    await ada.connect("1")
    details = json.dumps({"from": f"user:{key_of(ada.id)}", "to": f"workspace:{key_of(hers)}"})
    await database.rows(
        f"UPDATE events SET kind = 'SOCIAL_ACCOUNT_MOVED', details = '{details}' "
        "WHERE kind = 'SOCIAL_ACCOUNT_CONNECTED'"
    )

    # when
    moved = (await personal(ada))["events"]["nodes"][-1]

    # then
    assert moved["from"] == {"__typename": "User", "id": ada.id}
    assert moved["to"] is None


async def test_disconnecting_is_told_with_the_id_that_it_ended(api: Api) -> None:
    ada = await api.register("ada")
    connected = await ada.connect("1")
    account = connected["connected"][0]["socialAccount"]["id"]
    await ada.mutate(operations.DISCONNECT, socialAccountIds=[account])
    last = (await personal(ada, last=1))["events"]["nodes"][0]
    assert (last["kind"], last["socialAccountId"]) == ("SOCIAL_ACCOUNT_DISCONNECTED", account)
