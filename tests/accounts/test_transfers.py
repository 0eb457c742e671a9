"""An account finds its way to who controls it: the four holds, each to its end, and who may do what."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from graphql_api import app as application
from graphql_api.services.upkeep import transfers
from graphql_api.settings import MetaMode, Settings
from tests import operations
from tests.accounts.moving_operations import MOVE, RENAME
from tests.accounts.proven import Meta, connect, instagram, login, of_any, problems
from tests.accounts.transfer_operations import (
    ACCEPT,
    ASK,
    DECLINE,
    EVENTS,
    NODE,
    OF_WORKSPACE,
    WITHDRAW,
    answer,
    ask,
    asked,
    incoming,
    mine,
)
from tests.api import Api, Person
from tests.database import Database
from tests.mails import Mailbox
from tests.serving import in_process

X = "17841400000000555"
MINE, THEIRS = of_any(X, fb="7001"), of_any(X, fb="7002")


async def settle(settings: Settings) -> int:
    """Do what the server does every minute."""
    services = application.build_services(settings)
    async with services.database:
        return await transfers.settle(services)


async def verified(api: Api, database: Database, *names: str) -> list[Person]:
    """Registered people with verified addresses."""
    people = [await api.register(name) for name in names]
    await database.rows("UPDATE users SET email_verified_at = created_at")
    return people


@asynccontextmanager
async def believing(settings: Settings, api: Api) -> AsyncIterator[Api]:
    """A server on the same database that asks nobody."""
    off = settings.model_copy(update={"meta_mode": MetaMode.OFF})
    async with (
        in_process(application.create_app(off)) as transport,
        httpx.AsyncClient(transport=transport, base_url="http://testserver") as http,
    ):
        yield Api(http, api.canaries)


async def taken_without_proof(settings: Settings, person: Person, token: str) -> None:
    """Connect X while claims are believed."""
    asking = person.api
    async with believing(settings, asking) as api:
        person.api = api
        assert (await connect(person, token, X))["connected"]
    person.api = asking


async def events(person: Person) -> list[tuple[str, str | None]]:
    """What happened in somebody's Personal about transfers, and who did it."""
    nodes = (await person.execute(EVENTS, {"id": "x"}))["viewer"]["events"]["nodes"]
    return [
        (one["kind"], one["actor"] and one["actor"]["name"])
        for one in nodes
        if "TRANSFER" in one["kind"] or one["kind"] == "SOCIAL_ACCOUNT_TAKEN_OVER"
    ]


def outcome(result: Any) -> str:
    (one,) = result["connected"]
    return str(one["outcome"])


class TestTheFourHolds:
    """From the conflict to the end."""

    async def test_taken_without_control_while_claims_were_believed_it_is_granted_at_once(
        self, meta: Meta, api: Api, database: Database, settings: Settings
    ) -> None:
        # given
        mallory, ada = await verified(api, database, "mallory", "ada")
        await taken_without_proof(settings, mallory, "made-up-token")
        conflict = (await connect(ada, MINE, X))["errors"][0]
        assert (conflict["__typename"], conflict["resolutions"]) == ("HeldElsewhere", ["REQUEST_TRANSFER"])

        # when
        request = await asked(ada, MINE, X)
        result = await connect(ada, MINE, X)

        # then
        assert (request["transferStatus"], request["viewerCan"]) == ("GRANTED", ["CONNECT", "WITHDRAW"])
        assert outcome(result) == "TAKEN_OVER"
        assert (await ada.held(), await mallory.held()) == ([X], [])
        assert (await mine(ada))["transferStatus"] == "COMPLETED"
        assert await events(mallory) == [
            ("TRANSFER_REQUESTED", None),
            ("TRANSFER_GRANTED", None),
            ("TRANSFER_COMPLETED", None),
            ("SOCIAL_ACCOUNT_TAKEN_OVER", None),
        ]

    async def test_connected_honestly_while_claims_were_believed_the_holder_decides(
        self, meta: Meta, api: Api, database: Database, settings: Settings
    ) -> None:
        ben, ada = await verified(api, database, "ben", "ada")
        await taken_without_proof(settings, ben, THEIRS)

        request = await asked(ada, MINE, X)

        assert (request["transferStatus"], request["viewerCan"]) == ("HOLDER_DECIDES", ["WITHDRAW"])
        assert problems(await connect(ada, MINE, X)) == [
            ("instagramAccounts.0.instagramUserId", "HeldElsewhere")
        ]

    async def test_the_holders_access_is_dead_so_it_is_granted_after_the_notice(
        self, meta: Meta, api: Api, database: Database, settings: Settings, mailbox: Mailbox
    ) -> None:
        # given
        ben, ada = await verified(api, database, "ben", "ada")
        token = of_any(X, fb="7002", condition=f"-revoked@{meta.at(hours=1)}")
        assert outcome(await connect(ben, token, X)) == "CONNECTED"
        meta.wait(hours=2)

        # when
        request = await asked(ada, MINE, X)
        during = await connect(ada, MINE, X)
        notice = await mailbox.wait(ben.email, "Prove that you control")
        meta.wait(days=7)
        after = await mine(ada)
        settled = await settle(settings)
        again = await settle(settings)
        result = await connect(ada, MINE, X)

        # then
        assert (request["transferStatus"], request["viewerCan"]) == ("NOTICE", ["WITHDRAW"])
        assert problems(during) == [("instagramAccounts.0.instagramUserId", "HeldElsewhere")]
        assert "2030-01-08" in notice.body
        assert (after["transferStatus"], after["viewerCan"]) == ("GRANTED", ["CONNECT", "WITHDRAW"])
        assert (settled, again) == (1, 0)
        assert outcome(result) == "TAKEN_OVER"
        await mailbox.wait(ada.email, "You can connect user_")
        await mailbox.wait(ben.email, "was connected elsewhere")

    async def test_the_holders_access_works_so_it_takes_their_consent(
        self, meta: Meta, api: Api, database: Database, mailbox: Mailbox
    ) -> None:
        # given
        ben, ada = await verified(api, database, "ben", "ada")
        assert outcome(await connect(ben, THEIRS, X)) == "CONNECTED"
        request = await asked(ada, MINE, X)
        mail = await mailbox.wait(ben.email, "asks for")
        assert "> Ada\n" in mail.body
        (theirs,) = await incoming(ben)
        assert (theirs["requesterName"], theirs["requesterEmail"]) == ("Ada", ada.email)
        assert theirs["viewerCan"] == ["ACCEPT", "DECLINE"]
        assert request["requesterName"] is None

        # when
        accepted = await answer(ben, ACCEPT, theirs)
        still = await ben.held()
        result = await connect(ada, MINE, X)

        # then
        assert accepted["transferRequest"]["transferStatus"] == "GRANTED"
        assert accepted["transferRequest"]["requesterName"] is None, "only while they decide"
        assert still == [X], "until it is connected"
        assert outcome(result) == "TAKEN_OVER"
        assert (await ada.held(), await ben.held()) == ([X], [])
        assert await incoming(ben) == []
        assert (await events(ada))[-2:] == [("TRANSFER_GRANTED", None), ("TRANSFER_COMPLETED", "Ada")]

    async def test_nothing_comes_along(self, meta: Meta, api: Api, database: Database) -> None:
        # given
        ben, ada = await verified(api, database, "ben", "ada")
        held = (await connect(ben, THEIRS, X))["connected"][0]["socialAccount"]
        await ben.mutate(RENAME, socialAccountId=held["id"], nickname="Mine")
        await asked(ada, MINE, X)
        await answer(ben, ACCEPT, (await incoming(ben))[0])

        # when
        taken = (await connect(ada, MINE, X))["connected"][0]["socialAccount"]

        # then
        assert taken["id"] != held["id"]
        assert taken["nickname"] is None
        assert (await ada.execute(operations.NODE, {"id": held["id"]}))["node"] is None


async def test_a_workspace_is_asked_through_its_admins(
    meta: Meta, api: Api, database: Database, mailbox: Mailbox
) -> None:
    # given
    ben, cleo, ada = await verified(api, database, "ben", "cleo", "ada")
    workspace = await ben.create_workspace()
    await ben.bring_in(cleo, workspace)
    await connect(ben, THEIRS, X, workspaceId=workspace)

    # when
    request = await asked(ada, MINE, X)
    of_admin = (await ben.execute(OF_WORKSPACE, {"id": workspace}))["node"]["incomingTransferRequests"]
    of_creator = (await cleo.execute(OF_WORKSPACE, {"id": workspace}))["node"]["incomingTransferRequests"]

    # then
    (theirs,) = of_admin["nodes"]
    assert (theirs["id"], theirs["requesterName"]) == (request["id"], "Ada")
    assert of_creator["nodes"] == []
    assert (await cleo.execute(NODE, {"id": request["id"]}))["node"] is None
    assert problems(await answer(cleo, ACCEPT, request)) == [("transferRequestId", "NOT_FOUND")]
    assert (await answer(ben, DECLINE, request))["transferRequest"]["transferStatus"] == "DECLINED"
    await mailbox.wait(ada.email, "was declined")
    await mailbox.wait(ben.email, '"Ada" asks for')


async def test_a_creator_of_the_holding_workspace_may_ask_for_what_they_do_not_see(
    meta: Meta, api: Api, database: Database
) -> None:
    # given
    ben, cleo = await verified(api, database, "ben", "cleo")
    workspace = await ben.create_workspace()
    await ben.bring_in(cleo, workspace)
    await connect(ben, THEIRS, X, workspaceId=workspace)

    # when
    conflict = (await connect(cleo, MINE, X))["errors"][0]
    request = await asked(cleo, MINE, X)
    await answer(ben, ACCEPT, request)
    result = await connect(cleo, MINE, X)

    # then
    assert conflict["resolutions"] == ["REQUEST_ACCESS", "REQUEST_TRANSFER"]
    assert outcome(result) == "TAKEN_OVER"
    assert (await cleo.held(), await ben.held(workspace)) == ([X], [])


class TestAsking:
    """Who may ask for what."""

    async def test_what_is_free_is_not_there_to_ask_for(
        self, meta: Meta, api: Api, database: Database
    ) -> None:
        (ada,) = await verified(api, database, "ada")

        assert problems(await ask(ada, MINE, X)) == [("instagramAccounts.0.instagramUserId", "NOT_FOUND")]
        assert meta.calls

    async def test_what_the_viewer_may_move_is_a_conflict(
        self, meta: Meta, api: Api, database: Database
    ) -> None:
        (ada,) = await verified(api, database, "ada")
        workspace = await ada.create_workspace()
        await connect(ada, MINE, X, workspaceId=workspace)

        in_workspace = await ask(ada, MINE, X)
        await connect(ada, MINE, X, allowMove=True)
        in_personal = await ask(ada, MINE, X)

        assert problems(in_workspace) == [("instagramAccounts.0.instagramUserId", "HeldByWorkspace")]
        assert problems(in_personal) == [("instagramAccounts.0.instagramUserId", "HeldByPersonal")]
        assert meta.calls

    async def test_an_unverified_address_may_not_ask(self, meta: Meta, api: Api) -> None:
        ada = await api.register("ada")

        assert problems(await ask(ada, MINE, X)) == [("", "NOT_ALLOWED")]
        assert meta.calls == []

    async def test_who_only_creates_content_may_not_ask(
        self, meta: Meta, api: Api, database: Database
    ) -> None:
        ada, ben = await verified(api, database, "ada", "ben")
        of_cat = "17841400000000003"
        await connect(ben, of_any(of_cat, fb="7002"), of_cat)

        conflict = (await connect(ada, "TEST-cat", of_cat))["errors"][0]
        result = await ask(ada, "TEST-cat", of_cat)

        assert conflict["resolutions"] == []
        assert problems(result) == [("instagramAccounts.0.accessToken", "ROLE_TOO_WEAK")]
        assert meta.calls

    async def test_without_control_nobody_asks_and_nothing_is_told(
        self, meta: Meta, api: Api, database: Database
    ) -> None:
        ben, eve = await verified(api, database, "ben", "eve")
        free = await ask(eve, "TEST-eve", X)
        await connect(ben, THEIRS, X)

        held = await ask(eve, "TEST-eve", X)

        assert held == free
        assert problems(held) == [("instagramAccounts.0.accessToken", "WRONG_ACCOUNT")]
        assert meta.calls

    @pytest.mark.parametrize(
        ("accounts", "expected"),
        [([], ("instagramAccounts", "TOO_SHORT")), (["1", "2"], ("instagramAccounts", "TOO_LONG"))],
    )
    async def test_exactly_one_account_is_asked_for(
        self, meta: Meta, api: Api, database: Database, accounts: list[str], expected: tuple[str, str]
    ) -> None:
        (ada,) = await verified(api, database, "ada")

        result = await ada.mutate(
            ASK,
            facebookAccount=login(MINE),
            instagramAccounts=[instagram(one, MINE) for one in accounts],
        )

        assert problems(result) == [expected]
        assert meta.calls == []

    async def test_asking_again_gives_the_same_request(
        self, meta: Meta, api: Api, database: Database
    ) -> None:
        ben, ada = await verified(api, database, "ben", "ada")
        await connect(ben, THEIRS, X)

        first, again = await asked(ada, MINE, X), await asked(ada, MINE, X)
        conflict = (await connect(ada, MINE, X))["errors"][0]

        assert first == again
        assert conflict["pendingTransferRequest"] == {"id": first["id"], "transferStatus": "HOLDER_DECIDES"}

    async def test_of_twenty_users_of_one_login_one_asks(
        self, meta: Meta, api: Api, database: Database
    ) -> None:
        ben, *crowd = await verified(api, database, "ben", *[f"user{number}" for number in range(20)])
        await connect(ben, THEIRS, X)
        await asked(crowd[0], MINE, X)

        for person in crowd[1:]:
            result = await ask(person, MINE, X)
            assert problems(result) == [("instagramAccounts.0.instagramUserId", "DUPLICATE")]

        assert len(await incoming(ben)) == 1

    async def test_where_nobody_is_asked_there_are_no_transfers(self, api: Api, database: Database) -> None:
        (ada,) = await verified(api, database, "ada")

        assert problems(await ask(ada, MINE, X)) == [("", "NOT_ALLOWED")]


async def test_a_declined_request_is_repeated_after_30_days(meta: Meta, api: Api, database: Database) -> None:
    ben, ada = await verified(api, database, "ben", "ada")
    await connect(ben, THEIRS, X)
    await answer(ben, DECLINE, await asked(ada, MINE, X))

    meta.wait(days=29)
    early = await ask(ada, MINE, X)
    meta.wait(days=1)
    late = await ask(ada, MINE, X)

    assert problems(early) == [("instagramAccounts.0.instagramUserId", "NOT_ALLOWED")]
    assert late["transferRequest"]["transferStatus"] == "HOLDER_DECIDES"


async def test_the_asker_withdraws_and_nobody_else(
    meta: Meta, api: Api, database: Database, mailbox: Mailbox
) -> None:
    ben, ada, eve = await verified(api, database, "ben", "ada", "eve")
    await connect(ben, THEIRS, X)
    request = await asked(ada, MINE, X)

    assert problems(await answer(eve, WITHDRAW, request)) == [("transferRequestId", "NOT_FOUND")]
    assert problems(await answer(ben, WITHDRAW, request)) == [("transferRequestId", "NOT_ALLOWED")]
    assert problems(await answer(ada, ACCEPT, request)) == [("transferRequestId", "NOT_ALLOWED")]
    assert (await answer(ada, WITHDRAW, request))["transferRequest"]["transferStatus"] == "WITHDRAWN"
    assert problems(await answer(ben, ACCEPT, request)) == [("transferRequestId", "OTHER")]
    await mailbox.wait(ben.email, "was withdrawn")


async def test_the_request_follows_the_account_when_it_moves_and_closes_when_it_is_free(
    meta: Meta, api: Api, database: Database, settings: Settings, mailbox: Mailbox
) -> None:
    # given
    ben, ada = await verified(api, database, "ben", "ada")
    workspace = await ben.create_workspace()
    held = (await connect(ben, THEIRS, X))["connected"][0]["socialAccount"]["id"]
    request = await asked(ada, MINE, X)

    # when
    await ben.mutate(MOVE, socialAccountIds=[held], workspaceId=workspace)
    moved = (await ben.execute(OF_WORKSPACE, {"id": workspace}))["node"]["incomingTransferRequests"]["nodes"]
    await ben.mutate(operations.DISCONNECT, socialAccountIds=[held])
    closed = await mine(ada)
    settled = await settle(settings)

    # then
    assert [one["id"] for one in moved] == [request["id"]]
    assert (closed["transferStatus"], closed["decidesAt"], closed["viewerCan"]) == ("CLOSED", None, [])
    assert settled == 1
    await mailbox.wait(ada.email, "Connect user_")
    assert outcome(await connect(ada, MINE, X)) == "CONNECTED"


async def test_transfers_that_are_paused_stop(
    meta: Meta, api: Api, database: Database, settings: Settings
) -> None:
    # given: a request that was granted
    ben, ada = await verified(api, database, "ben", "ada")
    await connect(ben, THEIRS, X)
    await answer(ben, ACCEPT, await asked(ada, MINE, X))
    paused = settings.model_copy(update={"transfers_paused": True})
    async with (
        in_process(application.create_app(paused)) as transport,
        httpx.AsyncClient(transport=transport, base_url="http://testserver") as http,
    ):
        ada.api = Api(http, api.canaries)

        # when
        conflict = (await connect(ada, MINE, X))["errors"][0]
        again = await ask(ada, MINE, X)

    # then
    assert (conflict["__typename"], conflict["resolutions"]) == ("HeldElsewhere", [])
    assert problems(again) == [("", "NOT_ALLOWED")]
    assert await ben.held() == [X]
