"""What is tried against transfers, and what happens at the same time."""

import asyncio
from collections import Counter
from typing import Any

import pytest

from graphql_api.settings import Settings
from tests import operations
from tests.accounts.meta_operations import RECHECK, RECONNECT
from tests.accounts.moving_operations import MOVE
from tests.accounts.proven import Meta, connect, login, of_any, problems
from tests.accounts.test_transfers import MINE, THEIRS, X, outcome, settle, verified
from tests.accounts.transfer_operations import ACCEPT, DECLINE, WITHDRAW, answer, asked, incoming, mine
from tests.api import Api, Person
from tests.canaries import PASSWORD
from tests.database import Database
from tests.mails import Mailbox
from tests.people.operations import DELETE_USER, UPDATE_PROFILE

ELSEWHERE = [("instagramAccounts.0.instagramUserId", "HeldElsewhere")]


def theirs_until(meta: Meta, **after: float) -> str:
    """The holder's login, which is revoked after some time."""
    return of_any(X, fb="7002", condition=f"-revoked@{meta.at(**after)}")


async def held(person: Person, token: str) -> str:
    """Connect X; its id."""
    return str((await connect(person, token, X))["connected"][0]["socialAccount"]["id"])


async def test_the_askers_own_login_is_no_proof_of_the_holder(
    meta: Meta, api: Api, database: Database
) -> None:
    mallory, ada = await verified(api, database, "mallory", "ada")
    await held(mallory, MINE)  # a login of Ada's, which somebody else got hold of

    request = await asked(ada, MINE, X)

    assert request["transferStatus"] == "NOTICE"


async def test_a_role_that_is_taken_away_and_given_back_makes_a_notice_and_ends_it(
    meta: Meta, api: Api, database: Database, settings: Settings
) -> None:
    # given
    ben, ada = await verified(api, database, "ben", "ada")
    account = await held(ben, theirs_until(meta, hours=1))
    assert (await asked(ada, MINE, X))["transferStatus"] == "HOLDER_DECIDES"

    # when
    meta.wait(hours=2)
    await ben.mutate(RECHECK, socialAccountIds=[account])
    taken = await mine(ada)
    settled = [await settle(settings)]
    meta.wait(days=3)
    await ben.mutate(RECONNECT, facebookAccount=login(THEIRS), socialAccountIds=[account])
    given = await mine(ada)
    settled.append(await settle(settings))
    meta.wait(days=29)

    # then
    assert (taken["transferStatus"], given["transferStatus"]) == ("NOTICE", "HOLDER_DECIDES")
    assert settled == [1, 1]
    assert (await mine(ada))["transferStatus"] == "HOLDER_DECIDES", "the 30 days began anew"


async def test_a_holder_who_proves_control_after_a_notice_takes_the_grant_back(
    meta: Meta, api: Api, database: Database, mailbox: Mailbox
) -> None:
    # given
    ben, ada = await verified(api, database, "ben", "ada")
    account = await held(ben, theirs_until(meta, hours=1))
    meta.wait(hours=2)
    await asked(ada, MINE, X)
    meta.wait(days=8)
    assert (await mine(ada))["transferStatus"] == "GRANTED"

    # when
    await ben.mutate(RECONNECT, facebookAccount=login(THEIRS), socialAccountIds=[account])
    result = await connect(ada, MINE, X)

    # then
    assert problems(result) == ELSEWHERE
    assert (await mine(ada))["transferStatus"] == "HOLDER_DECIDES"
    assert await ben.held() == [X]


async def test_meta_is_asked_about_the_holder_again_before_a_grant_without_consent_is_used(
    meta: Meta, api: Api, database: Database, mailbox: Mailbox
) -> None:
    """The holder's access came back without anybody's noticing."""
    # given
    ben, ada = await verified(api, database, "ben", "ada")
    await held(ben, THEIRS)
    await asked(ada, MINE, X)
    await database.rows("UPDATE transfer_requests SET status = 'GRANTED'")  # as if a notice had ended

    # when
    result = await connect(ada, MINE, X)

    # then
    assert problems(result) == ELSEWHERE
    assert (await mine(ada))["transferStatus"] == "HOLDER_DECIDES"
    assert await ben.held() == [X]
    await mailbox.wait(ada.email, "decides")


class TestUnclear:
    """An unclear answer of Meta takes nothing away, in any state."""

    @staticmethod
    def only_holder(meta: Meta) -> None:
        """From the second look at a login on, Meta does not answer."""
        seen: list[str] = []

        def spoil(path: str) -> None:
            seen.append(path)
            meta.weather.fail = 1.0 if seen.count("accounts") >= 1 and path == "debug_token" else 0.0

        meta.before = spoil

    async def test_who_asks_is_told_that_the_holder_decides(
        self, meta: Meta, api: Api, database: Database
    ) -> None:
        ben, ada = await verified(api, database, "ben", "ada")
        await held(ben, theirs_until(meta, hours=1))
        meta.wait(hours=2)
        self.only_holder(meta)

        request = await asked(ada, MINE, X)

        assert request["transferStatus"] == "HOLDER_DECIDES"

    async def test_a_grant_without_consent_is_not_used(
        self, meta: Meta, api: Api, database: Database
    ) -> None:
        # given
        ben, ada = await verified(api, database, "ben", "ada")
        await held(ben, theirs_until(meta, hours=1))
        meta.wait(hours=2)
        await asked(ada, MINE, X)
        meta.wait(days=8)
        self.only_holder(meta)

        # when
        result = await connect(ada, MINE, X)

        # then
        assert problems(result) == [("instagramAccounts.0.accessToken", "UNVERIFIABLE")]
        assert result["errors"][0]["retryable"] is True
        assert await ben.held() == [X]
        meta.before = lambda _path: None
        meta.weather.fail = 0.0
        assert outcome(await connect(ada, MINE, X)) == "TAKEN_OVER"

    async def test_what_the_holder_granted_is_used_without_asking_about_them(
        self, meta: Meta, api: Api, database: Database
    ) -> None:
        ben, ada = await verified(api, database, "ben", "ada")
        await held(ben, THEIRS)
        await asked(ada, MINE, X)
        await answer(ben, ACCEPT, (await incoming(ben))[0])
        meta.calls.clear()

        assert outcome(await connect(ada, MINE, X)) == "TAKEN_OVER"
        assert meta.calls.count("accounts") == 1


async def test_disconnecting_and_connecting_again_does_not_restart_the_notice(
    meta: Meta, api: Api, database: Database, settings: Settings
) -> None:
    # given: the holder has nothing but a login of the asker's
    mallory, ada = await verified(api, database, "mallory", "ada")
    account = await held(mallory, MINE)
    request = await asked(ada, MINE, X)
    meta.wait(days=6)

    # when
    await mallory.mutate(operations.DISCONNECT, socialAccountIds=[account])
    await settle(settings)
    await held(mallory, MINE)
    again = await asked(ada, MINE, X)

    # then
    assert again["id"] != request["id"]
    assert (again["transferStatus"], again["decidesAt"]) == ("NOTICE", request["decidesAt"])
    meta.wait(days=1, minutes=1)
    assert outcome(await connect(ada, MINE, X)) == "TAKEN_OVER"


async def test_after_a_change_of_the_app_at_meta_the_holder_gets_a_notice(
    meta: Meta, api: Api, database: Database
) -> None:
    ben, ada = await verified(api, database, "ben", "ada")
    await held(ben, theirs_until(meta, hours=1))
    meta.wait(hours=2)
    await database.rows("UPDATE social_accounts SET proof_source = 'live:4242'")

    assert (await asked(ada, MINE, X))["transferStatus"] == "NOTICE"


async def test_an_asker_who_becomes_an_admin_of_the_holder_moves_it_instead(
    meta: Meta, api: Api, database: Database, settings: Settings
) -> None:
    ben, ada = await verified(api, database, "ben", "ada")
    workspace = await ben.create_workspace()
    await connect(ben, THEIRS, X, workspaceId=workspace)
    await asked(ada, MINE, X)

    await ben.bring_in(ada, workspace, "ADMIN")

    assert (await mine(ada))["transferStatus"] == "CLOSED"
    assert await settle(settings) == 1
    assert outcome(await connect(ada, MINE, X, allowMove=True)) == "MOVED"


async def test_an_asker_who_is_deleted_leaves_nothing_behind(
    meta: Meta, api: Api, database: Database, settings: Settings, mailbox: Mailbox
) -> None:
    ben, ada = await verified(api, database, "ben", "ada")
    await held(ben, THEIRS)
    await asked(ada, MINE, X)

    await ada.mutate(DELETE_USER, currentPassword=PASSWORD)
    await settle(settings)

    assert await incoming(ben) == []
    assert await database.rows("SELECT id FROM transfer_requests") == []
    await mailbox.wait(ben.email, "was withdrawn")


async def test_a_holder_who_is_deleted_leaves_the_account_free(
    meta: Meta, api: Api, database: Database, settings: Settings, mailbox: Mailbox
) -> None:
    ben, ada = await verified(api, database, "ben", "ada")
    await held(ben, THEIRS)
    await asked(ada, MINE, X)

    await ben.mutate(DELETE_USER, currentPassword=PASSWORD)

    assert (await mine(ada))["transferStatus"] == "CLOSED"
    assert await settle(settings) == 1
    await mailbox.wait(ada.email, "Connect user_")
    assert outcome(await connect(ada, MINE, X)) == "CONNECTED"


async def test_a_name_with_a_link_in_it_is_no_link_in_the_mail(
    meta: Meta, api: Api, database: Database, mailbox: Mailbox
) -> None:
    ben, mallory = await verified(api, database, "ben", "mallory")
    await mallory.mutate(UPDATE_PROFILE, name="http://evil.example")
    await held(ben, THEIRS)

    await asked(mallory, MINE, X)

    mail = await mailbox.wait(ben.email, "asks for")
    assert "://" not in mail.body


class TestRaces:
    """One outcome, whoever is faster; and no gap in a history."""

    async def given(self, api: Api, database: Database) -> tuple[Person, Person, str]:
        """Ben holds X and has granted it to Ada."""
        ben, ada = await verified(api, database, "ben", "ada")
        account = await held(ben, THEIRS)
        await answer(ben, ACCEPT, await asked(ada, MINE, X))
        return ben, ada, account

    async def settled(self, database: Database, *people: Person) -> list[str]:
        """Who holds X now, after every history was found without gaps."""
        for person in people:
            seqs = await database.rows(
                f"SELECT seq FROM events JOIN users ON users.id = user_id WHERE email = '{person.email}' ORDER BY seq"
            )
            assert [row["seq"] for row in seqs] == list(range(1, len(seqs) + 1))
        counts = await database.rows("SELECT email, held_count FROM users")
        holders = [row["email"] for row in counts if row["held_count"]]
        assert [row["held_count"] for row in counts if row["held_count"]] == [1] * len(holders)
        return holders

    @pytest.mark.parametrize("rival", ["reconnect", "disconnect", "move", "recheck"])
    async def test_a_take_over_against_what_the_holder_does(
        self, meta: Meta, api: Api, database: Database, rival: str
    ) -> None:
        ben, ada, account = await self.given(api, database)
        workspace = await ben.create_workspace()

        async def against() -> Any:
            if rival == "reconnect":
                return await connect(ben, THEIRS, X)
            if rival == "disconnect":
                return await ben.mutate(operations.DISCONNECT, socialAccountIds=[account])
            if rival == "move":
                return await ben.mutate(MOVE, socialAccountIds=[account], workspaceId=workspace)
            return await ben.mutate(RECHECK, socialAccountIds=[account])

        taken, _ = await asyncio.gather(connect(ada, MINE, X), against())

        assert outcome(taken) in {"TAKEN_OVER", "CONNECTED"}
        assert await self.settled(database, ben, ada) == [ada.email]
        token = await database.rows("SELECT access_token IS NOT NULL AS kept FROM social_accounts")
        assert [bool(row["kept"]) for row in token] == [True]

    async def test_two_take_overs_of_the_asker_are_one(
        self, meta: Meta, api: Api, database: Database
    ) -> None:
        ben, ada, _ = await self.given(api, database)

        results = await asyncio.gather(*(connect(ada, MINE, X) for _ in range(4)))

        assert Counter(map(outcome, results)) == {"TAKEN_OVER": 1, "RECONNECTED": 3}
        assert await self.settled(database, ben, ada) == [ada.email]

    async def test_accepting_and_withdrawing_at_once_is_one_of_them(
        self, meta: Meta, api: Api, database: Database
    ) -> None:
        ben, ada = await verified(api, database, "ben", "ada")
        await held(ben, THEIRS)
        request = await asked(ada, MINE, X)

        results = await asyncio.gather(
            answer(ben, ACCEPT, request), answer(ben, DECLINE, request), answer(ada, WITHDRAW, request)
        )

        final = (await mine(ada))["transferStatus"]
        won = [one for one in results if "transferRequest" in one]
        assert final in {"GRANTED", "DECLINED", "WITHDRAWN"}
        assert won[-1]["transferRequest"]["transferStatus"] == final or len(won) == 2
        assert await self.settled(database, ben, ada) == [ben.email]
