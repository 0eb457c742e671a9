"""The history of a place, page by page: what it tells, to whom, and where it goes on."""

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from graphql_api.domain import events
from graphql_api.domain.events import EventKind
from tests import operations
from tests.api import Api, Person
from tests.canaries import PASSWORD
from tests.database import Database, key_of
from tests.people.operations import DELETE_USER, LEAVE

_PAGE = """
  eventsCursor
  events(
    first: $first, after: $after, last: $last, before: $before, kinds: $kinds, platforms: $platforms,
    actorId: $actorId, socialAccountId: $socialAccountId, since: $since, until: $until
  ) {
    totalCount
    nodes {
      id kind kindName occurredAt requestId subjectId subjectName socialAccountId platform nickname placeName role
      actor { id } actorName
      movedFrom { __typename ... on User { id } ... on Workspace { id } }
      movedTo { __typename ... on User { id } ... on Workspace { id } }
    }
    edges { cursor }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
"""
_ARGUMENTS = (
    "$first: Int, $after: String, $last: Int, $before: String, $kinds: [EventKind!], "
    "$platforms: [SocialPlatform!]! = [INSTAGRAM, FACEBOOK_PAGE], $actorId: ID, $socialAccountId: ID, "
    "$since: DateTime, $until: DateTime"
)
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
    assert last["socialAccountId"] == account["id"]
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
    assert moved["movedFrom"] == {"__typename": "User", "id": ada.id}
    assert moved["movedTo"] is None


async def test_disconnecting_is_told_with_the_id_that_it_ended(api: Api) -> None:
    ada = await api.register("ada")
    connected = await ada.connect("1")
    account = connected["connected"][0]["socialAccount"]["id"]
    await ada.mutate(operations.DISCONNECT, socialAccountIds=[account])
    last = (await personal(ada, last=1))["events"]["nodes"][0]
    assert (last["kind"], last["socialAccountId"]) == ("SOCIAL_ACCOUNT_DISCONNECTED", account)


async def test_a_filter_on_kinds_lists_and_counts_only_these(api: Api) -> None:
    ada = await api.register("ada")
    await ada.connect("1", "2")
    wanted = ["SOCIAL_ACCOUNT_CONNECTED", "USER_REGISTERED"]

    found = await personal(ada, kinds=wanted, first=2)
    rest = await personal(ada, kinds=wanted, after=found["events"]["pageInfo"]["endCursor"])

    assert kinds(found) == ["USER_REGISTERED", "SOCIAL_ACCOUNT_CONNECTED"]
    assert kinds(rest) == ["SOCIAL_ACCOUNT_CONNECTED"]
    assert (found["events"]["totalCount"], found["events"]["pageInfo"]["hasNextPage"]) == (3, True)
    assert rest["events"]["pageInfo"]["hasNextPage"] is False
    assert kinds(await personal(ada, kinds=["USER_REGISTERED"], last=20)) == ["USER_REGISTERED"]
    assert kinds(await personal(ada, kinds=["OTHER"])) == []


async def test_an_empty_list_of_kinds_is_bad_user_input(api: Api) -> None:
    ada = await api.register("ada")
    answer = (await api.post(PERSONAL, {"kinds": []}, token=ada.token)).json()
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["BAD_USER_INPUT"]


async def test_a_kind_younger_than_the_first_release_comes_by_its_name_only_if_it_is_asked_for(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A strict client fails on a value that its schema did not have."""
    # given
    ada = await api.register("ada")
    monkeypatch.setattr(events, "YOUNGER_KINDS", frozenset({EventKind.API_TOKEN_CREATED}))

    # when
    everything = await personal(ada)
    asked = await personal(ada, kinds=["API_TOKEN_CREATED"])

    # then
    assert kinds(everything) == ["USER_REGISTERED", "OTHER"]
    assert [node["kindName"] for node in everything["events"]["nodes"]] == [
        "USER_REGISTERED",
        "API_TOKEN_CREATED",
    ]
    assert kinds(asked) == ["API_TOKEN_CREATED"]


async def test_events_about_accounts_of_other_platforms_are_left_out(api: Api, database: Database) -> None:
    ada = await api.register("ada")
    await ada.connect("1", "2")
    await database.rows("UPDATE events SET platform = 'INSTAGRAM' WHERE seq = 4")
    await database.rows("UPDATE events SET platform = 'FACEBOOK_PAGE' WHERE seq = 5")
    everything = (await personal(ada))["events"]["nodes"]

    pages = (await personal(ada, platforms=["FACEBOOK_PAGE"]))["events"]["nodes"]
    none = (await personal(ada, platforms=[]))["events"]["nodes"]

    assert [node["platform"] for node in everything] == [None, None, None, "INSTAGRAM", "FACEBOOK_PAGE"]
    assert pages == [*everything[:3], everything[4]]
    assert none == everything[:3]
    assert key_of(pages[3]["socialAccountId"]) == key_of(pages[3]["subjectId"])
    assert type_of(pages[3]["socialAccountId"]) == "FacebookPage"
    assert type_of(everything[3]["socialAccountId"]) == "InstagramAccount"


def type_of(global_id: str) -> str:
    return base64.b64decode(global_id).decode().partition(":")[0]


async def test_a_history_is_filtered_by_who_did_it(api: Api) -> None:
    # given
    ada, bob, eve = await api.register("ada"), await api.register("bob"), await api.register("eve")
    workspace = await ada.create_workspace()
    await ada.bring_in(bob, workspace)

    # then
    assert kinds(await workspace_of(ada, workspace, actorId=bob.id)) == ["MEMBER_JOINED"]
    assert kinds(await workspace_of(bob, workspace, actorId=bob.id)) == ["MEMBER_JOINED"]
    assert kinds(await workspace_of(bob, workspace, actorId=ada.id)) == [], "a filter shows nothing new"
    for nobody in (eve.id, workspace, "nonsense"):
        assert kinds(await workspace_of(ada, workspace, actorId=nobody)) == []


async def test_a_history_is_filtered_by_the_social_account_it_is_about(api: Api) -> None:
    # given
    ada, bob = await api.register("ada"), await api.register("bob")
    workspace = await ada.create_workspace()
    await ada.bring_in(bob, workspace)
    await ada.connect("1", "2", workspace=workspace)
    await ada.connect("2", workspace=workspace)
    account = (await workspace_of(ada, workspace, last=1))["events"]["nodes"][0]["socialAccountId"]

    # when
    found = await workspace_of(ada, workspace, socialAccountId=account)

    # then
    assert kinds(found) == ["SOCIAL_ACCOUNT_CONNECTED", "SOCIAL_ACCOUNT_RECONNECTED"]
    assert found["events"]["totalCount"] == 2
    assert kinds(await workspace_of(bob, workspace, socialAccountId=account)) == [], "not shared with him"
    assert kinds(await workspace_of(ada, workspace, socialAccountId=ada.id)) == []


async def test_a_history_is_filtered_by_time(api: Api, database: Database) -> None:
    """The first moment is in, the last one is not."""
    ada = await api.register("ada")
    await ada.connect("1")
    for seq in range(1, 5):
        moment = database.literal(datetime(2026, 11, seq, tzinfo=UTC))
        await database.rows(f"UPDATE events SET created_at = {moment} WHERE seq = {seq}")

    async def sequence(**arguments: Any) -> list[str]:
        return [node["occurredAt"][:10] for node in (await personal(ada, **arguments))["events"]["nodes"]]

    assert await sequence(since="2026-11-02T00:00:00Z", until="2026-11-04T00:00:00Z") == [
        "2026-11-02",
        "2026-11-03",
    ]
    assert await sequence(since="2026-11-03T01:00:00+01:00", last=20) == ["2026-11-03", "2026-11-04"]
    assert await sequence(until="2026-11-01T00:00:00Z") == []


async def test_filters_together_leave_what_passes_all_of_them(api: Api) -> None:
    ada, bob = await api.register("ada"), await api.register("bob")
    workspace = await ada.create_workspace()
    await ada.bring_in(bob, workspace)
    arguments = {"since": "2020-01-01T00:00:00Z", "until": "2120-01-01T00:00:00Z", "platforms": ["INSTAGRAM"]}
    asked = ["MEMBER_INVITED", "MEMBER_JOINED"]
    found = await workspace_of(ada, workspace, kinds=asked, actorId=ada.id, **arguments)
    assert kinds(found) == ["MEMBER_INVITED"]


async def test_an_event_keeps_the_name_of_who_did_it(api: Api) -> None:
    """Also after they left, when the viewer cannot look them up any more."""
    # given
    ada, bob = await api.register("ada"), await api.register("bob")
    workspace = await ada.create_workspace()
    await ada.bring_in(bob, workspace)

    # when
    await bob.mutate(LEAVE, workspaceId=workspace)

    # then
    joined, left = (await workspace_of(ada, workspace, last=2))["events"]["nodes"]
    assert (left["kind"], left["actor"], left["actorName"]) == ("MEMBER_LEFT", None, "Bob")
    assert (joined["kind"], joined["actor"], joined["actorName"]) == ("MEMBER_JOINED", None, "Bob")


async def test_an_event_keeps_the_name_of_what_it_is_about(api: Api) -> None:
    # given
    ada, bob = await api.register("ada"), await api.register("bob")
    workspace = await ada.create_workspace()
    await ada.bring_in(bob, workspace)
    await ada.connect("1", workspace=workspace)

    # when
    await bob.mutate(LEAVE, workspaceId=workspace)

    # then
    nodes = (await workspace_of(ada, workspace))["events"]["nodes"]
    assert [(node["kind"], node["subjectName"], node["actorName"]) for node in nodes] == [
        ("WORKSPACE_CREATED", "Agency", "Ada"),
        ("MEMBER_INVITED", bob.email, "Ada"),
        ("MEMBER_JOINED", "Bob", "Bob"),
        ("SOCIAL_ACCOUNT_CONNECTED", "user_1", "Ada"),
        ("MEMBER_LEFT", "Bob", "Bob"),
    ]
    assert [node["platform"] for node in nodes] == [None, None, None, "INSTAGRAM", None]
    (own,) = (await personal(bob, last=1))["events"]["nodes"]
    assert (own["kind"], own["placeName"]) == ("MEMBER_LEFT", "Agency")


async def test_a_history_does_not_name_a_user_who_was_deleted(api: Api) -> None:
    # given
    ada, bob = await api.register("ada"), await api.register("bob")
    workspace = await ada.create_workspace()
    await ada.bring_in(bob, workspace)

    # when
    await bob.mutate(DELETE_USER, currentPassword=PASSWORD)

    # then
    last = (await workspace_of(ada, workspace, last=1))["events"]["nodes"][0]
    assert (last["kind"], last["subjectName"], last["actorName"]) == (
        "MEMBER_LEFT",
        "a deleted user",
        "a deleted user",
    )
