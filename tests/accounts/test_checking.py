"""Looking before leaping: what a check says is what connecting then does, and nothing is written."""

import random
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from graphql_api import app as application
from graphql_api.settings import MetaMode, Settings
from tests import operations
from tests.accounts import access_request_operations as asking
from tests.api import Api, Person, facebook_account, facebook_page, instagram_account
from tests.conftest import make_settings
from tests.database import Database, make_team, share
from tests.serving import in_process
from tests.statements import statements

X = "17841405902213202"


async def check(person: Person, *external_ids: str, workspace: str | None = None) -> Any:
    """Look accounts up for a place, with usable usernames."""
    return (
        await person.execute(
            asking.CHECK,
            {
                "input": {
                    "workspaceId": workspace,
                    "socialAccounts": [
                        {"platform": "INSTAGRAM", "externalId": one, "displayName": f"user_{one}"}
                        for one in external_ids
                    ],
                }
            },
        )
    )["checkSocialAccounts"]


async def connect(person: Person, *external_ids: str, workspace: str | None) -> Any:
    """Connect them, all or none, and be told as a check tells it."""
    canaries = person.api.canaries
    return await person.mutate(
        asking.CONFLICTS,
        facebookAccount=facebook_account(canaries),
        instagramAccounts=[instagram_account(canaries, one) for one in external_ids],
        workspaceId=workspace,
    )


async def test_a_check_says_what_stands_in_the_way_and_writes_nothing(api: Api, database: Database) -> None:
    # given
    ada, eve, mallory = [await api.register(name) for name in ("ada", "eve", "mallory")]
    workspace = await ada.create_workspace("Agency")
    await ada.bring_in(eve, workspace)
    await ada.connect("1", workspace=workspace)
    await eve.connect("2")
    await mallory.connect("3")
    before = await database.everything()

    # when
    found = await check(eve, "1", "2", "3", "4")

    # then
    assert found["errors"] == []
    assert [(one["externalId"], one["status"]) for one in found["checks"]] == [
        ("1", "CONFLICT"),
        ("2", "RECONNECT"),
        ("3", "CONFLICT"),
        ("4", "AVAILABLE"),
    ]
    assert [one["conflict"] for one in found["checks"]] == [
        {
            "__typename": "HeldByWorkspace",
            "path": ["input", "socialAccounts", "0", "externalId"],
            "message": "Instagram account user_1 not connected. This social account is already connected to "
            f"your Workspace! Please ask {ada.email} for access",
            "platform": "INSTAGRAM",
            "externalId": "1",
            "resolutions": ["REQUEST_ACCESS"],
            "contactEmail": ada.email,
            "socialAccount": None,
            "workspace": {"id": workspace, "name": "Agency", "viewerRole": "CREATOR"},
            "pendingAccessRequest": None,
        },
        None,
        {
            "__typename": "HeldElsewhere",
            "path": ["input", "socialAccounts", "2", "externalId"],
            "message": "Instagram account user_3 not connected. This social account is already connected "
            "elsewhere",
            "platform": "INSTAGRAM",
            "externalId": "3",
            "resolutions": [],
        },
        None,
    ]
    assert await database.everything() == before


async def test_wrong_input_is_told_as_connecting_tells_it_and_is_not_counted(
    api: Api, database: Database
) -> None:
    # given
    ada = await api.register("ada")
    before = await database.rows("SELECT count FROM attempts")

    for place, ids, codes in (
        (None, ["no", X, X], ["INVALID_FORMAT", "DUPLICATE"]),
        (None, [X] * 101, ["TOO_LONG"]),
        ("V29ya3NwYWNlOm5v", ["no"], ["INVALID_FORMAT", "NOT_FOUND"]),
    ):
        # when
        found = await check(ada, *ids, workspace=place)
        connected = await connect(ada, *ids, workspace=place)

        # then
        assert found["checks"] == []
        assert [(one["message"], one["code"]) for one in found["errors"]] == [
            (one["message"], one["code"]) for one in connected["errors"]
        ]
        assert [error["code"] for error in found["errors"]] == codes
    assert await database.rows("SELECT count FROM attempts") == before


async def test_a_workspace_that_is_absent_or_not_yours_looks_the_same_and_a_creator_may_not(api: Api) -> None:
    # given
    ada, eve, mallory = [await api.register(name) for name in ("ada", "eve", "mallory")]
    workspace = await ada.create_workspace()
    await ada.bring_in(eve, workspace)

    # when
    not_hers, absent, as_creator = [
        await check(mallory, X, workspace=workspace),
        await check(mallory, X, workspace="V29ya3NwYWNlOm5v"),
        await check(eve, X, workspace=workspace),
    ]

    # then
    assert not_hers == absent
    assert [error["code"] for error in absent["errors"]] == ["NOT_FOUND"]
    assert [error["code"] for error in as_creator["errors"]] == ["NOT_ALLOWED"]


async def test_nobody_looks_up_without_a_bearer_token(api: Api) -> None:
    answer = await api.post(asking.CHECK, {"input": {"socialAccounts": []}})

    assert answer.json()["data"] == {"checkSocialAccounts": None}
    assert [error["extensions"]["code"] for error in answer.json()["errors"]] == ["UNAUTHENTICATED"]


@pytest.fixture
async def strict(api: Api, settings: Settings) -> AsyncIterator[Api]:
    """A server that reports three accounts an hour to a viewer as held elsewhere."""
    few = settings.model_copy(update={"look_ups_per_user": 3})
    async with (
        in_process(application.create_app(few)) as transport,
        httpx.AsyncClient(transport=transport, base_url="http://testserver") as http,
    ):
        yield Api(http, api.canaries)


class TestLookUps:
    """Each account that an answer reports as held elsewhere is one look-up, however it was asked for."""

    async def given(self, server: Api) -> tuple[Person, Person]:
        ada, mallory = await server.register("ada"), await server.register("mallory")
        await ada.connect("1", "2", pages=["1", "2"])
        return ada, mallory

    async def refused(self, person: Person, query: str, **asked: Any) -> Any:
        answer = (await person.api.post(query, {"input": asked}, token=person.token)).json()
        (error,) = answer["errors"]
        assert error["extensions"]["code"] == "RATE_LIMITED"
        assert 3590 <= error["extensions"]["retryAfter"] <= 3600
        return answer["data"]

    async def test_beyond_the_limit_neither_way_tells_any_more(self, strict: Api) -> None:
        # given
        ada, mallory = await self.given(strict)
        assert [one["status"] for one in (await check(mallory, "1"))["checks"]] == ["CONFLICT"]
        assert len((await mallory.connect("1", "2"))["errors"]) == 2

        # when, then
        assert await self.refused(mallory, asking.CHECK, **checking("1")) == {"checkSocialAccounts": None}
        assert await self.refused(mallory, operations.CONNECT, **connecting(mallory, "1")) is None
        assert len((await check(ada, "1"))["checks"]) == 1

    async def test_what_is_free_or_the_viewers_own_is_not_counted(self, strict: Api) -> None:
        # given
        ada, mallory = await self.given(strict)

        # when
        for _ in range(3):
            await check(mallory, *map(str, range(10, 100)))
            await ada.connect("1", "2", pages=["1", "2"])

        # then
        assert len((await mallory.connect("1", pages=["1", "2"]))["errors"]) == 3

    async def test_beyond_the_limit_the_others_are_not_connected_either(
        self, strict: Api, database: Database
    ) -> None:
        # given
        _, mallory = await self.given(strict)
        before = await database.everything()

        # when
        asked = {**connecting(mallory, "1", "2", "3"), "onConflict": "CONNECT_OTHERS"}
        pages = [facebook_page(strict.canaries, one) for one in ("1", "2")]
        await self.refused(mallory, operations.CONNECT, **asked, facebookPages=pages)

        # then
        assert await database.everything() == before


def checking(*external_ids: str) -> dict[str, Any]:
    named = {"platform": "INSTAGRAM", "displayName": "ada"}
    return {"socialAccounts": [{**named, "externalId": one} for one in external_ids]}


def connecting(person: Person, *external_ids: str) -> dict[str, Any]:
    canaries = person.api.canaries
    return {
        "facebookAccount": facebook_account(canaries),
        "instagramAccounts": [instagram_account(canaries, one) for one in external_ids],
    }


class TestWhereMetaIsAsked:
    """A check proves nothing there, so it tells only of places that the viewer belongs to."""

    @pytest.fixture
    def settings(self, database_url: str) -> Settings:
        return make_settings(database_url, meta_mode=MetaMode.SANDBOX)

    async def connected(self, person: Person, *external_ids: str, workspace: str | None = None) -> None:
        token = f"TEST-any:fb=7001;ig={','.join(external_ids)}"
        usable = {"profilePictureUrl": "", "accessToken": token}
        answer = await person.mutate(
            operations.CONNECT,
            facebookAccount={"facebookUserId": "7001", "accessToken": token},
            instagramAccounts=[
                {"instagramUserId": one, "username": f"user_{one}", **usable} for one in external_ids
            ],
            workspaceId=workspace,
        )
        assert answer["__typename"] == "ConnectSocialAccountsSuccess", answer

    async def test_held_elsewhere_looks_like_free_in_the_answer_and_in_the_statements(
        self, api: Api, database: Database
    ) -> None:
        # given
        ada, mallory = await api.register("ada"), await api.register("mallory")
        await self.connected(ada, "1")
        before = await database.everything()
        looked: list[tuple[Any, list[str]]] = []

        # when
        for external_id in ("1", "2"):
            with statements() as sent:
                (found,) = (await check(mallory, external_id))["checks"]
            looked.append(({**found, "externalId": "the same"}, sent))

        # then
        assert looked[0] == looked[1]
        assert (looked[0][0]["status"], looked[0][0]["conflict"]) == ("AVAILABLE", None)
        assert await database.everything() == before, "nothing is counted"

    async def test_the_viewers_own_places_are_told_as_ever(self, api: Api) -> None:
        # given
        ada, cleo = await api.register("ada"), await api.register("cleo")
        workspace = await ada.create_workspace()
        await ada.bring_in(cleo, workspace)
        await self.connected(ada, "1", workspace=workspace)
        await self.connected(ada, "2")

        # when
        of_ada = (await check(ada, "1", "2"))["checks"]
        of_cleo = (await check(cleo, "1", "2"))["checks"]

        # then
        assert [one["status"] for one in of_ada] == ["CONFLICT", "RECONNECT"]
        assert [one["status"] for one in of_cleo] == ["CONFLICT", "AVAILABLE"]
        assert of_cleo[0]["conflict"]["contactEmail"] == ada.email


class TestRandomScenes:
    """Whoever holds what, and whichever place is claimed: the check and connecting say the same."""

    @pytest.fixture
    def settings(self, database_url: str) -> Settings:
        return make_settings(database_url, max_accounts_per_holder=4)

    @pytest.mark.parametrize("seed", range(6))
    async def test_a_check_says_what_connecting_then_does(
        self, api: Api, database: Database, seed: int
    ) -> None:
        # given
        chance = random.Random(seed)
        viewer, other = await api.register("viewer"), await api.register("other")
        own, second = await viewer.create_workspace("Own"), await viewer.create_workspace("Second")
        theirs, strange = await other.create_workspace("Theirs"), await other.create_workspace("Strange")
        await other.bring_in(viewer, theirs)
        holders: list[tuple[Person, str | None]] = [
            (viewer, None),
            (viewer, own),
            (viewer, second),
            (other, theirs),
            (other, strange),
            (other, None),
        ]
        accounts = [str(number) for number in range(1, 15)]
        for account in accounts:
            if chance.random() < 0.7:
                person, place = chance.choice(holders)
                await person.connect(account, workspace=place)
        if chance.random() < 0.5:
            await share(database, theirs, viewer, "Sees all")
        else:
            await make_team(database, theirs, "Empty")
            for account in accounts:
                await viewer.mutate(
                    asking.REQUEST_ACCESS, workspaceId=theirs, socialAccount=asking.key(account)
                )

        for _ in range(6):
            place = chance.choice([None, own, second])
            asked = chance.sample(accounts, chance.randint(1, 6))

            # when
            found = await check(viewer, *asked, workspace=place)
            done = await connect(viewer, *asked, workspace=place)

            # then
            assert found["errors"] == []
            conflicts = [one["conflict"] for one in found["checks"] if one["conflict"]]
            assert {one["status"] for one in found["checks"] if one["conflict"]} <= {"CONFLICT"}
            if conflicts:
                assert [{**one, "path": None} for one in done["errors"]] == [
                    {**one, "path": None} for one in conflicts
                ]
            else:
                assert [one["status"] for one in found["checks"]] == [
                    {"CONNECTED": "AVAILABLE", "RECONNECTED": "RECONNECT"}[one["outcome"]]
                    for one in done["connected"]
                ]
