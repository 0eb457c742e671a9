"""Registering, logging in and out, and the password."""

import unicodedata
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from graphql_api.adapters.passwords import Passwords
from graphql_api.domain.secrets import Secret
from tests import operations
from tests.api import Api, Person, facebook_account, paths
from tests.canaries import PASSWORD
from tests.database import Database
from tests.mails import Mailbox
from tests.people import mail_operations

NEW_PASSWORD = "CANARY-another-Password-9"
ONLY_REGISTERED = "Only registered user can perform this action"
TOKENS = "{ viewer { apiTokens { nodes { label scopes isCurrent } } } }"
VIEWER = "{ viewer { user { id email name } apiTokens { nodes { id label } } } }"


async def log_in(api: Api, email: str, password: str = PASSWORD, label: str = "laptop") -> Person:
    result = await api.mutate(operations.LOG_IN, {"email": email, "password": password, "label": label})
    assert result["__typename"] == "CreateApiTokenSuccess", result
    return Person(api, email, result["apiToken"]["id"], result["bearerToken"])


def assert_refused(answer: httpx.Response) -> None:
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    (error,) = answer.json()["errors"]
    assert (error["message"], error["extensions"]["code"]) == (ONLY_REGISTERED, "UNAUTHENTICATED")


async def test_who_registers_gets_a_bearer_token_that_works(api: Api) -> None:
    # when
    ada = await api.register("ada")

    # then
    viewer = (await ada.execute(VIEWER))["viewer"]
    assert viewer["user"] == {"id": ada.id, "email": ada.email, "name": "Ada"}
    assert [one["label"] for one in viewer["apiTokens"]["nodes"]] == ["Registration"]


async def test_neither_password_nor_bearer_token_is_kept_as_it_is(api: Api, database: Database) -> None:
    ada = await api.register("ada")

    kept = str(await database.everything())

    assert PASSWORD not in kept
    assert ada.token not in kept


async def test_an_address_is_taken_whatever_its_case(api: Api, database: Database) -> None:
    # given
    ada = await api.register("ada")
    before = await database.everything()

    # when
    result = await api.mutate(
        operations.REGISTER,
        {"email": f" {ada.email.upper()} ", "password": PASSWORD, "name": "Imitator"},
    )

    # then
    assert paths(result["errors"]) == [("email", "DUPLICATE")]
    assert await database.everything() == before


async def test_logging_in_gives_another_token_with_the_scopes_asked_for(api: Api) -> None:
    # given
    ada = await api.register("ada")

    # when
    result = await api.mutate(
        operations.LOG_IN,
        {
            "email": ada.email.upper(),
            "password": PASSWORD,
            "label": "CI",
            "scopes": ["READ_ACCESS_TOKENS", "READ_ACCESS_TOKENS"],
        },
    )

    # then
    assert (result["apiToken"]["label"], result["apiToken"]["scopes"]) == ("CI", ["READ_ACCESS_TOKENS"])
    assert result["bearerToken"] != ada.token
    answer = await api.execute(VIEWER, token=result["bearerToken"])
    assert answer["viewer"]["user"]["id"] == ada.id
    assert [one["label"] for one in answer["viewer"]["apiTokens"]["nodes"]] == ["CI", "Registration"]


async def test_an_unknown_address_and_a_wrong_password_are_answered_alike(
    api: Api, database: Database
) -> None:
    # given
    ada = await api.register("ada")
    before = await database.everything()

    # when
    answers = [
        await api.mutate(operations.LOG_IN, {"email": email, "password": password, "label": "x"})
        for email, password in (
            (ada.email, "CANARY-wrong"),
            ("nobody@example.com", PASSWORD),
            ("no address", PASSWORD),
            ("", ""),
            (ada.email, "x"),
            (ada.email, "x" * 5000),
            ("a\0@example.com", PASSWORD),
        )
    ]

    # then
    assert all(answer == answers[0] for answer in answers)
    (error,) = answers[0]["errors"]
    assert (error["__typename"], error["path"]) == ("CredentialsRejected", ["input"])
    assert await database.everything() == before


async def test_a_password_may_be_typed_in_another_normal_form(api: Api) -> None:
    # given
    password = "CANARY-pässwörd"
    await api.mutate(
        operations.REGISTER,
        {"email": "u@example.com", "password": unicodedata.normalize("NFC", password), "name": "U"},
    )

    # then
    assert (await log_in(api, "u@example.com", unicodedata.normalize("NFD", password))).token


async def test_a_revoked_token_is_refused_on_the_next_request(api: Api) -> None:
    # given
    ada = await api.register("ada")
    other = await log_in(api, ada.email)

    # when
    result = await ada.mutate(operations.REVOKE, apiTokenId=other.id)

    # then
    assert result["apiToken"]["id"] == other.id
    assert result["apiToken"]["revokedAt"]
    assert_refused(await api.post(VIEWER, token=other.token))
    listed = (await ada.execute(VIEWER))["viewer"]["apiTokens"]["nodes"]
    assert [one["label"] for one in listed] == ["Registration"]


async def test_revoking_twice_is_no_error_and_the_present_token_may_end_itself(api: Api) -> None:
    # given
    ada = await api.register("ada")
    other = await log_in(api, ada.email)

    # when
    first = await ada.mutate(operations.REVOKE, apiTokenId=other.id)
    second = await ada.mutate(operations.REVOKE, apiTokenId=other.id)
    own = (await ada.execute(VIEWER))["viewer"]["apiTokens"]["nodes"][0]["id"]
    last = await ada.mutate(operations.REVOKE, apiTokenId=own)

    # then
    assert first == second
    assert last["__typename"] == "RevokeApiTokenSuccess"
    assert_refused(await api.post(VIEWER, token=ada.token))


async def test_another_persons_token_is_not_found(api: Api, database: Database) -> None:
    # given
    ada, eve = await api.register("ada"), await api.register("eve")
    token = (await ada.execute(VIEWER))["viewer"]["apiTokens"]["nodes"][0]["id"]
    before = await database.everything()

    # when
    answers = [await eve.mutate(operations.REVOKE, apiTokenId=one) for one in (token, "nonsense", eve.id)]

    # then
    assert all(paths(one["errors"]) == [("apiTokenId", "NOT_FOUND")] for one in answers)
    assert await database.everything() == before


async def test_an_expired_token_is_refused(api: Api, database: Database) -> None:
    # given
    ada = await api.register("ada")
    past = datetime.now(UTC) - timedelta(seconds=1)

    # when
    await database.rows(f"UPDATE api_tokens SET expires_at = {database.literal(past)}")

    # then
    assert_refused(await api.post(VIEWER, token=ada.token))


@pytest.mark.parametrize(
    "authorization", ["Bearer", "Bearer nonsense", "Basic YTpi", "sca_", "Bearer sca_" + "0" * 49]
)
async def test_what_is_no_bearer_token_is_refused(api: Api, authorization: str) -> None:
    assert_refused(await api.post(VIEWER, headers={"Authorization": authorization}))


async def test_changing_the_password_ends_the_other_tokens(api: Api) -> None:
    # given
    ada = await api.register("ada")
    thief = await log_in(api, ada.email)

    # when
    result = await ada.mutate(operations.CHANGE_PASSWORD, currentPassword=PASSWORD, newPassword=NEW_PASSWORD)

    # then
    assert result["user"]["id"] == ada.id
    assert_refused(await api.post(VIEWER, token=thief.token))
    assert (await ada.execute(VIEWER))["viewer"]["user"]["id"] == ada.id
    assert (await log_in(api, ada.email, NEW_PASSWORD)).token
    old = await api.mutate(operations.LOG_IN, {"email": ada.email, "password": PASSWORD, "label": "x"})
    assert old["__typename"] == "CreateApiTokenFailure"


async def test_a_wrong_current_password_changes_nothing(api: Api, database: Database) -> None:
    # given
    ada = await api.register("ada")
    before = await database.everything()

    # when
    result = await ada.mutate(
        operations.CHANGE_PASSWORD, currentPassword="CANARY-wrong", newPassword=NEW_PASSWORD
    )

    # then
    (error,) = result["errors"]
    assert (error["__typename"], error["path"]) == ("CredentialsRejected", ["input", "currentPassword"])
    assert await database.everything() == before


@pytest.mark.parametrize("chosen", ["qwertyuiop", "QwertyUIOP", "{email}", "{local part}"])
async def test_a_password_that_is_easy_to_guess_is_refused_wherever_it_is_chosen(
    api: Api, database: Database, mailbox: Mailbox, chosen: str
) -> None:
    # given
    ada = await api.register("ada.lovelace")
    new = chosen.format_map({"email": ada.email, "local part": ada.email.partition("@")[0].upper()})
    await api.mutate(mail_operations.REQUEST_RESET, {"email": ada.email})
    code = (await mailbox.wait(ada.email, "Choose a new password")).code
    before = await database.everything()

    # when
    results = [
        await ada.mutate(operations.CHANGE_PASSWORD, currentPassword=PASSWORD, newPassword=new),
        await api.mutate(mail_operations.RESET, {"code": code, "newPassword": new}),
    ]

    # then
    assert [paths(one["errors"]) for one in results] == [[("newPassword", "NOT_ALLOWED")]] * 2
    assert await database.everything() == before


async def test_nobody_registers_with_a_password_that_is_easy_to_guess(api: Api, database: Database) -> None:
    for password in ("qwertyuiop", "Ada.Lovelace@example.com", "ada.lovelace"):
        value = {"email": "ada.lovelace@example.com", "password": password, "name": "Ada"}
        result = await api.mutate(operations.REGISTER, value)
        assert paths(result["errors"]) == [("password", "NOT_ALLOWED")], password
    assert not any((await database.everything()).values())


async def test_a_password_by_older_rules_still_logs_in_and_is_changed(api: Api, database: Database) -> None:
    # given
    ada = await api.register("ada")
    short = "CANARY1"
    hashed = await Passwords(time_cost=1, memory_kib=8).hash(Secret(short))
    await database.rows(f"UPDATE users SET password_hash = {database.literal(hashed)}")

    # then
    assert (await log_in(api, ada.email, short)).token
    changed = await ada.mutate(operations.CHANGE_PASSWORD, currentPassword=short, newPassword=NEW_PASSWORD)
    assert changed["__typename"] == "ChangePasswordSuccess"


async def test_who_registers_may_give_the_first_token_scopes(api: Api) -> None:
    result = await api.mutate(
        operations.REGISTER,
        {"email": "a@example.com", "password": PASSWORD, "name": "A", "scopes": ["READ_ACCESS_TOKENS"]},
    )

    assert result["apiToken"]["scopes"] == ["READ_ACCESS_TOKENS"]
    tokens = await api.execute(TOKENS, token=result["bearerToken"])
    assert tokens["viewer"]["apiTokens"]["nodes"][0]["scopes"] == ["READ_ACCESS_TOKENS"]


async def test_a_token_knows_whether_it_is_the_one_of_the_request(api: Api) -> None:
    ada = await api.register("ada")
    other = await log_in(api, ada.email, label="phone")

    for token, current in ((ada.token, "Registration"), (other.token, "phone")):
        nodes = (await api.execute(TOKENS, token=token))["viewer"]["apiTokens"]["nodes"]
        assert [one["label"] for one in nodes if one["isCurrent"]] == [current]
    query = operations.LOG_IN.replace("apiToken { id", "apiToken { isCurrent id")
    new = await ada.mutate(query, email=ada.email, password=PASSWORD, label="new", scopes=[])
    assert new["apiToken"]["isCurrent"] is False


async def test_an_anonymous_viewer_is_null_and_no_error(api: Api) -> None:
    assert (await api.execute(VIEWER)) == {"viewer": None}


@pytest.mark.parametrize("facebook_user_id", ["1", "wrong"])
async def test_an_anonymous_connect_is_told_who_may(
    api: Api, database: Database, facebook_user_id: str
) -> None:
    # when
    answer = await api.post(
        operations.CONNECT, {"input": {"facebookAccount": facebook_account(api.canaries, facebook_user_id)}}
    )

    # then
    (error,) = answer.json()["errors"]
    assert (error["message"], error["extensions"]["code"]) == (ONLY_REGISTERED, "UNAUTHENTICATED")
    assert not any((await database.everything()).values())


@pytest.mark.parametrize(
    ("operation", "values"),
    [
        (operations.CREATE_WORKSPACE, {"name": "x"}),
        (operations.CREATE_WORKSPACE, {"name": ""}),
        (operations.INVITE, {"workspaceId": "x", "email": "x", "role": "ADMIN"}),
        (operations.ACCEPT, {"code": "x"}),
        (operations.DISCONNECT, {"socialAccountIds": ["x"]}),
        (operations.DISCONNECT, {"socialAccountIds": ["x"] * 101}),
        (operations.DISCONNECT_FACEBOOK, {"facebookAccountId": "x"}),
        (operations.REVOKE, {"apiTokenId": "x"}),
        (mail_operations.SEND_VERIFICATION, {"email": "x"}),
        (mail_operations.REVOKE_INVITATION, {"invitationId": "x"}),
        (operations.CHANGE_PASSWORD, {"currentPassword": PASSWORD, "newPassword": NEW_PASSWORD}),
        (operations.CHANGE_PASSWORD, {"currentPassword": "", "newPassword": ""}),
    ],
)
async def test_every_other_mutation_asks_for_a_registered_user_first(
    api: Api, operation: str, values: dict[str, object]
) -> None:
    answer = await api.post(operation, {"input": values})

    (error,) = answer.json()["errors"]
    assert (error["message"], error["extensions"]["code"]) == (ONLY_REGISTERED, "UNAUTHENTICATED")
