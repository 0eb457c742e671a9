"""Who controls an account is proven before it is connected: each test token, and what is done against it."""

from typing import Any

import httpx
import pytest

from graphql_api import app as application
from graphql_api.settings import Settings
from tests import operations
from tests.accounts.proven import IDS, STUDIO, Meta, connect, instagram, login, of_any, problems
from tests.api import Api
from tests.database import Database
from tests.serving import in_process
from tests.statements import statements
from tests.workspaces.operations import SHARE
from tests.workspaces.test_teams import make_team

AT_LOGIN = "facebookAccount.accessToken"
AT_ACCOUNT = "instagramAccounts.0.accessToken"

# Each test token, and what connecting Ann's studio with it answers.
TOKENS = [
    ("TEST-ann", []),
    ("TEST-ann@1", []),
    ("TEST-ben", []),
    ("TEST-cat", [(AT_ACCOUNT, "MISSING_PERMISSION")]),  # she did not grant every Page
    ("TEST-eve", [(AT_ACCOUNT, "WRONG_ACCOUNT")]),
    ("TEST-max", [(AT_ACCOUNT, "WRONG_ACCOUNT")]),
    ("TEST-ann-expired", [(AT_LOGIN, "EXPIRED")]),
    ("TEST-ann-revoked", [(AT_LOGIN, "REVOKED")]),
    ("TEST-ann-password", [(AT_LOGIN, "REVOKED")]),
    ("TEST-ann-checkpoint", [(AT_LOGIN, "CHECKPOINT")]),
    ("TEST-ann-noscope", [(AT_LOGIN, "MISSING_PERMISSION")]),
    ("TEST-ann-norole", [(AT_ACCOUNT, "WRONG_ACCOUNT")]),
    ("TEST-ann-unlinked", [(AT_ACCOUNT, "WRONG_ACCOUNT")]),
    ("TEST-ann-otherapp", [(AT_LOGIN, "WRONG_APP")]),
    ("TEST-ann-blocked", [(AT_LOGIN, "OTHER")]),
    ("TEST-ann-down", [(AT_LOGIN, "UNVERIFIABLE")]),
    ("TEST-ann-limit", [(AT_LOGIN, "UNVERIFIABLE")]),
    ("TEST-nobody", [(AT_LOGIN, "MALFORMED")]),
    ("EAAnothing", [(AT_LOGIN, "MALFORMED")]),
]


@pytest.mark.parametrize(("token", "expected"), TOKENS, ids=[token for token, _ in TOKENS])
async def test_a_test_token_connects_or_is_refused_at_its_path_with_nothing_written(
    meta: Meta, api: Api, database: Database, token: str, expected: list[tuple[str, str]]
) -> None:
    ada = await api.register("ada")
    before = await database.everything()

    result = await connect(ada, token, STUDIO)

    if not expected:
        assert [one["outcome"] for one in result["connected"]] == ["CONNECTED"]
        return
    assert problems(result) == expected
    (error,) = result["errors"]
    assert error["retryable"] is (error["problem"] == "UNVERIFIABLE")
    assert (error["retryAfter"] is not None) is (token == "TEST-ann-limit")
    assert await database.everything() == before
    assert meta.calls


async def test_a_role_that_is_too_weak_and_an_account_that_was_not_granted_are_told_apart(
    meta: Meta, api: Api
) -> None:
    ada = await api.register("ada")
    weak, left_out = "17841400000000004", "17841400000000005"

    result = await connect(ada, "TEST-cat", weak, left_out, pages=["2003", "2004", "2005"])

    assert problems(result) == [
        ("instagramAccounts.0.accessToken", "ROLE_TOO_WEAK"),
        ("instagramAccounts.1.accessToken", "MISSING_PERMISSION"),
        ("facebookPages.1.accessToken", "ROLE_TOO_WEAK"),
        ("facebookPages.2.accessToken", "MISSING_PERMISSION"),
    ]
    assert meta.calls.count("accounts") == 1


async def test_metas_words_are_shown_where_there_are_no_better_ones(meta: Meta, api: Api) -> None:
    ada = await api.register("ada")

    (error,) = (await connect(ada, "TEST-ann-blocked", STUDIO))["errors"]

    assert error["problem"] == "OTHER"
    assert error["message"] != "Facebook does not accept this access token"
    assert meta.calls


async def test_what_an_account_is_called_is_metas_to_say(meta: Meta, api: Api) -> None:
    ada = await api.register("ada")

    known = (await connect(ada, "TEST-ann", STUDIO, pages=["2002"]))["connected"]
    unknown = (await connect(ada, of_any("8", pages=["9"]), "8"))["connected"]

    studio, shop = [one["socialAccount"] for one in known]
    assert (studio["displayName"], studio["facebookPageId"]) == ("ann.studio", "2001")
    assert studio["profilePictureUrl"].startswith("https://pictures.example/")
    assert studio["profilePictureUrl"] != "https://pictures.example/mine.jpg"
    assert shop["displayName"] == "Ann's Shop"
    (other,) = [one["socialAccount"] for one in unknown]
    assert (other["displayName"], other["facebookPageId"]) == ("user_8", "9")
    assert other["profilePictureUrl"] == "https://pictures.example/mine.jpg"
    assert len(meta.calls) == 6, "two of them at the same time, and then the Pages; for each call"


async def test_a_refused_account_stands_beside_the_conflicts_of_the_others_in_input_order(
    meta: Meta, api: Api, database: Database
) -> None:
    # given
    ada, ben = await api.register("ada"), await api.register("ben")
    await connect(ben, of_any("2", fb="7002"), "2")
    before = await database.everything()

    # when
    token = of_any("2", "3")
    refused = await connect(ada, token, "1", "2", "3")
    partial = await connect(ada, token, "1", "2", "3", onConflict="CONNECT_OTHERS")

    # then
    expected = [
        ("instagramAccounts.0.accessToken", "WRONG_ACCOUNT"),
        ("instagramAccounts.1.instagramUserId", "HeldElsewhere"),
    ]
    assert problems(refused) == problems(partial) == expected
    assert [one["socialAccount"]["externalId"] for one in partial["connected"]] == ["3"]
    held = await database.rows("SELECT external_id FROM social_accounts WHERE hold_id IS NOT NULL")
    assert sorted(row["external_id"] for row in held) == ["2", "3"]
    assert before["social_accounts"][0]["external_id"] == "2"
    assert meta.calls


async def test_if_meta_refuses_every_account_nothing_is_written(
    meta: Meta, api: Api, database: Database
) -> None:
    ada = await api.register("ada")

    result = await connect(ada, "TEST-eve", "1", "2", onConflict="CONNECT_OTHERS")

    assert [what for _, what in problems(result)] == ["WRONG_ACCOUNT", "WRONG_ACCOUNT"]
    assert (await database.everything())["facebook_accounts"] == []
    assert meta.calls


async def test_a_facebook_account_alone_is_proven_without_asking_for_its_pages(meta: Meta, api: Api) -> None:
    ada = await api.register("ada")

    good = await connect(ada, "TEST-ann")
    refused = await connect(ada, "TEST-ann-revoked")

    assert good["facebookAccount"]["facebookUserId"] == "1001"
    assert problems(refused) == [(AT_LOGIN, "REVOKED")]
    assert "accounts" not in meta.calls


class TestRetries:
    """A keyed retry asks Meta nothing."""

    async def test_a_retry_is_answered_when_the_token_has_died_since(self, meta: Meta, api: Api) -> None:
        # given
        ada = await api.register("ada")
        token = f"TEST-ann-revoked@{meta.at(hours=1)}"
        first = await connect(ada, token, STUDIO, idempotencyKey="once")
        meta.wait(hours=2)
        meta.calls.clear()

        # when
        again = await connect(ada, token, STUDIO, idempotencyKey="once")

        # then
        assert again == first
        assert meta.calls == []
        assert problems(await connect(ada, token, STUDIO)) == [(AT_LOGIN, "REVOKED")]

    async def test_it_repeats_what_meta_refused(self, meta: Meta, api: Api) -> None:
        # given
        ada = await api.register("ada")
        asked: dict[str, Any] = {"onConflict": "CONNECT_OTHERS", "idempotencyKey": "once"}
        first = await connect(ada, of_any("2"), "1", "2", **asked)
        meta.calls.clear()

        # when
        again = await connect(ada, of_any("2"), "1", "2", **asked)

        # then
        assert problems(again) == [("instagramAccounts.0.accessToken", "WRONG_ACCOUNT")]
        assert again == first
        assert meta.calls == []

    async def test_wrong_input_and_a_wrong_place_ask_meta_nothing(self, meta: Meta, api: Api) -> None:
        ada, eve = await api.register("ada"), await api.register("eve")
        workspace = await ada.create_workspace()

        wrong = await connect(ada, "TEST-ann", "0")
        elsewhere = await connect(eve, "TEST-ann", STUDIO, workspaceId=workspace)

        assert problems(wrong) == [("instagramAccounts.0.instagramUserId", "INVALID_FORMAT")]
        assert problems(elsewhere) == [("workspaceId", "NOT_FOUND")]
        assert meta.calls == []


class TestSquatting:
    """A stranger without control takes nothing and learns nothing."""

    @pytest.mark.parametrize(
        "others", [{}, {"onConflict": "CONNECT_OTHERS"}, {"idempotencyKey": "k"}], ids=str
    )
    async def test_held_and_free_look_alike_in_the_answer_and_in_the_statements(
        self, meta: Meta, api: Api, others: dict[str, Any]
    ) -> None:
        # given
        ada, mallory = await api.register("ada"), await api.register("mallory")
        await connect(ada, of_any("1"), "1")
        await connect(mallory, "TEST-eve", "9")  # begins to count what Meta is asked for her
        looked = []

        # when
        for external_id in ("1", "2"):
            with statements() as sent:
                result = await connect(mallory, "TEST-eve", external_id, **others)
            looked.append((str(result).replace(f"user_{external_id}", "it"), sent))

        # then
        assert looked[0] == looked[1]
        assert "WRONG_ACCOUNT" in looked[0][0]
        assert meta.calls

    async def test_thousands_of_ids_take_nothing(self, meta: Meta, api: Api, database: Database) -> None:
        mallory = await api.register("mallory")

        for start in range(1, 1001, 100):
            ids = [str(number) for number in range(start, start + 100)]
            result = await connect(mallory, "TEST-eve", *ids, onConflict="CONNECT_OTHERS")
            assert {what for _, what in problems(result)} == {"WRONG_ACCOUNT"}

        assert await database.rows("SELECT id FROM social_accounts") == []
        assert meta.calls.count("accounts") == 10


class TestAttacks:
    """What somebody may try who does not control the account."""

    async def test_a_pages_token_is_no_login(self, meta: Meta, api: Api) -> None:
        mallory = await api.register("mallory")
        copied = "TEST-page-2001-of-TEST-ann"

        result = await connect(mallory, copied, STUDIO, facebook_user_id=IDS["ann"])

        assert problems(result) == [(AT_LOGIN, "WRONG_LOGIN")]
        assert "accounts" not in meta.calls

    async def test_the_pages_own_token_of_the_same_login_may_act_for_the_account(
        self, meta: Meta, api: Api
    ) -> None:
        ada = await api.register("ada")

        result = await connect(ada, "TEST-ann", STUDIO, tokens={STUDIO: "TEST-page-2001-of-TEST-ann"})

        assert [one["outcome"] for one in result["connected"]] == ["CONNECTED"]
        assert meta.calls.count("debug_token") == 2

    @pytest.mark.parametrize(
        ("token", "problem"),
        [
            ("TEST-page-2001-of-TEST-ben", "WRONG_LOGIN"),
            ("TEST-page-2002-of-TEST-ann", "WRONG_LOGIN"),
            ("TEST-ben", "WRONG_LOGIN"),
            ("TEST-ann-otherapp", "WRONG_APP"),
            ("TEST-ann-revoked", "REVOKED"),
            ("nonsense", "MALFORMED"),
        ],
    )
    async def test_another_token_for_the_account_is_refused_there(
        self, meta: Meta, api: Api, token: str, problem: str
    ) -> None:
        ada = await api.register("ada")

        result = await connect(ada, "TEST-ann", STUDIO, tokens={STUDIO: token})

        assert problems(result) == [(AT_ACCOUNT, problem)]
        assert meta.calls

    async def test_another_facebook_users_id_is_refused(self, meta: Meta, api: Api) -> None:
        mallory = await api.register("mallory")

        result = await connect(mallory, "TEST-eve", STUDIO, facebook_user_id=IDS["ann"])

        assert problems(result) == [(AT_LOGIN, "WRONG_LOGIN")]
        assert meta.calls

    @pytest.mark.parametrize("call", ["debug_token", "access_token", "accounts"])
    @pytest.mark.parametrize("fault", ["fail", "garble", "hang"])
    async def test_an_unclear_answer_connects_nothing_whichever_call_gets_it(
        self, meta: Meta, api: Api, database: Database, call: str, fault: str
    ) -> None:
        # given: a login that has to be exchanged, because it ends soon
        ada = await api.register("ada")

        def spoil(path: str) -> None:
            setattr(meta.weather, fault, 1.0 if path == call else 0.0)

        meta.before = spoil

        # when
        result = await connect(ada, f"TEST-ann-expired@{meta.at(hours=2)}", STUDIO)

        # then
        assert problems(result) == [(AT_LOGIN, "UNVERIFIABLE")]
        assert result["errors"][0]["retryable"] is True
        assert await database.rows("SELECT id FROM facebook_accounts") == []

    async def test_a_role_that_is_taken_away_between_two_calls_takes_the_account_along(
        self, meta: Meta, api: Api
    ) -> None:
        # given: the role ends while Meta is asked
        ada = await api.register("ada")
        token = f"TEST-ann-norole@{meta.at(minutes=1)}"

        def end_it(path: str) -> None:
            if path == "accounts":
                meta.wait(minutes=2)

        meta.before = end_it

        # when
        result = await connect(ada, token, STUDIO)

        # then
        assert problems(result) == [(AT_ACCOUNT, "WRONG_ACCOUNT")]


class TestCreators:
    """A creator reconnects what they see and control; nothing else."""

    async def given(self, api: Api) -> tuple[Any, Any, str]:
        ada, cleo = await api.register("ada"), await api.register("cleo")
        workspace = await ada.create_workspace()
        await ada.bring_in(cleo, workspace)
        await connect(ada, of_any("1", "2"), "1", "2", workspaceId=workspace)
        team = await make_team(ada, workspace, "Team", cleo)
        held = (await ada.execute(operations.WORKSPACE, {"id": workspace}))["node"]["socialAccounts"]["nodes"]
        (one,) = [node["id"] for node in held if node["externalId"] == "1"]
        await ada.mutate(SHARE, socialAccountIds=[one], teamIds=[team])
        return ada, cleo, workspace

    async def test_what_they_see_and_control_is_reconnected(
        self, meta: Meta, api: Api, database: Database
    ) -> None:
        _, cleo, workspace = await self.given(api)

        result = await connect(cleo, of_any("1", fb="7009"), "1", workspaceId=workspace)

        assert [one["outcome"] for one in result["connected"]] == ["RECONNECTED"]
        assert result["connected"][0]["socialAccount"]["connectedBy"]["id"] == cleo.id
        assert meta.calls

    async def test_any_other_account_in_the_call_is_not_allowed_at_its_id(
        self, meta: Meta, api: Api, database: Database
    ) -> None:
        _, cleo, workspace = await self.given(api)
        before = await database.rows("SELECT * FROM social_accounts ORDER BY external_id")

        token = of_any("1", "2", "3", fb="7009")
        result = await connect(cleo, token, "1", "2", "3", "4", workspaceId=workspace)

        assert problems(result) == [
            ("instagramAccounts.1.instagramUserId", "NOT_ALLOWED"),
            ("instagramAccounts.2.instagramUserId", "NOT_ALLOWED"),
            ("instagramAccounts.3.accessToken", "WRONG_ACCOUNT"),
        ]
        assert await database.rows("SELECT * FROM social_accounts ORDER BY external_id") == before
        assert meta.calls

    async def test_without_control_they_are_refused_as_anybody(
        self, meta: Meta, api: Api, database: Database
    ) -> None:
        _, cleo, workspace = await self.given(api)

        result = await connect(cleo, "TEST-eve", "1", workspaceId=workspace)

        assert problems(result) == [(AT_ACCOUNT, "WRONG_ACCOUNT")]
        assert meta.calls

    async def test_where_nobody_is_asked_they_may_not_connect(self, api: Api, database: Database) -> None:
        _, cleo, workspace = await self.given(api)

        result = await connect(cleo, of_any("1"), "1", workspaceId=workspace)

        assert problems(result) == [("workspaceId", "NOT_ALLOWED")]


async def test_readyz_says_that_claims_are_believed(api: Api) -> None:
    assert (await api.http.get("/readyz")).json() == {"status": "ready", "claims": "believed"}


async def test_readyz_says_nothing_of_it_where_meta_is_asked(meta: Meta, api: Api) -> None:
    assert (await api.http.get("/readyz")).json() == {"status": "ready"}
    assert meta.calls == []


async def test_meta_is_asked_for_a_user_as_often_as_an_hour_has(
    meta: Meta, api: Api, settings: Settings
) -> None:
    # given
    few = settings.model_copy(update={"verifications_per_user": 2})
    async with (
        in_process(application.create_app(few)) as transport,
        httpx.AsyncClient(transport=transport, base_url="http://testserver") as http,
    ):
        strict = Api(http, api.canaries)
        ada, ben = await strict.register("ada"), await strict.register("ben")
        for _ in range(2):
            await connect(ada, "TEST-ann", STUDIO)

        # when
        asked = {"facebookAccount": login("TEST-ann"), "instagramAccounts": [instagram("1", "TEST-ann")]}
        answers = [
            (await strict.post(operations.CONNECT, {"input": asked}, token=person.token)).json()
            for person in (ada, ben)
        ]
        other = await connect(ben, "TEST-ben", STUDIO)

        # then: neither the user nor the login
        for answer in answers:
            (error,) = answer["errors"]
            assert error["extensions"]["code"] == "RATE_LIMITED"
            assert error["extensions"]["retryAfter"] > 3000
        assert problems(other) == [("instagramAccounts.0.instagramUserId", "HeldElsewhere")]
    assert meta.calls
