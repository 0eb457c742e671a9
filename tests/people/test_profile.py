"""What a user changes of themself: the name, and the e-mail address by a code that is mailed to the new one."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests import operations
from tests.api import Api, Person, paths
from tests.canaries import PASSWORD
from tests.database import Database, key_of
from tests.mails import Mailbox
from tests.people.mail_operations import CHANGE_EMAIL, EMAIL_VERIFIED, REQUEST_RESET, RESET, VERIFY
from tests.people.operations import DELETE_USER, UPDATE_PROFILE

CONFIRM, CHANGED, TAKEN = (
    "Confirm your new e-mail address",
    "Your e-mail address was changed",
    "You are registered already",
)
NEW = "ada.new@example.com"
NEW_PASSWORD = "CANARY-new-password-78"
USER = "{ viewer { user { name email } } }"


async def user(person: Person) -> dict[str, Any]:
    found: dict[str, Any] = (await person.execute(USER))["viewer"]["user"]
    return found


async def ask(person: Person, mailbox: Mailbox, email: str = NEW, count: int = 1) -> str:
    """Ask for another address; the code that is mailed there."""
    result = await person.mutate(CHANGE_EMAIL, currentPassword=PASSWORD, newEmail=email)
    assert result == {"__typename": "ChangeEmailAddressSuccess", "email": email}
    return (await mailbox.wait(email, CONFIRM, count)).code


async def log_in(api: Api, email: str) -> str:
    value = {"email": email, "password": PASSWORD, "label": "test", "scopes": []}
    return str((await api.mutate(operations.LOG_IN, value))["__typename"])


async def last_event(database: Database, person: Person) -> dict[str, Any]:
    (event,) = await database.rows(
        f"SELECT * FROM events WHERE user_id = {database.literal(key_of(person.id))} ORDER BY seq DESC LIMIT 1"
    )
    return event


async def test_a_user_has_the_name_that_they_choose(api: Api, database: Database) -> None:
    # given
    ada = await api.register("ada")

    # when
    result = await ada.mutate(UPDATE_PROFILE, name="  Countess of Lovelace ")

    # then
    name = "Countess of Lovelace"
    assert result["user"] == {"id": ada.id, "name": name, "email": ada.email}
    assert await user(ada) == {"name": name, "email": ada.email}
    event = await last_event(database, ada)
    assert (event["kind"], event["subject_name"]) == ("PROFILE_UPDATED", name)
    assert json.loads(event["details"]) == {"from": "Ada", "to": name}


async def test_the_same_name_again_is_no_event(api: Api, database: Database) -> None:
    ada = await api.register("ada")
    before = await database.everything()

    result = await ada.mutate(UPDATE_PROFILE, name="Ada")

    assert result["__typename"] == "UpdateProfileSuccess"
    assert await database.everything() == before


async def test_the_address_changes_when_the_code_comes_back(
    api: Api, mailbox: Mailbox, database: Database
) -> None:
    # given
    ada = await api.register("ada")
    code = await ask(ada, mailbox)
    assert (await user(ada))["email"] == ada.email
    assert await log_in(api, NEW) == "CreateApiTokenFailure"

    # when
    result = await ada.mutate(VERIFY, code=code)

    # then
    assert result == {"__typename": "VerifyEmailSuccess", "user": {"id": ada.id, "email": NEW}}
    assert (await ada.execute(EMAIL_VERIFIED))["viewer"]["emailVerified"]
    assert [await log_in(api, one) for one in (NEW, ada.email)] == [
        "CreateApiTokenSuccess",
        "CreateApiTokenFailure",
    ]
    assert NEW in (await mailbox.wait(ada.email, CHANGED)).body
    (event,) = await database.rows("SELECT * FROM events WHERE kind = 'EMAIL_ADDRESS_CHANGED'")
    assert (event["subject_name"], json.loads(event["details"])) == ("Ada", {"from": ada.email, "to": NEW})
    # and the old address is anybody's
    assert (await api.register("eve", email=ada.email)).id != ada.id


async def test_only_the_user_who_asked_uses_the_code(api: Api, mailbox: Mailbox, database: Database) -> None:
    # given
    ada, eve = await api.register("ada"), await api.register("eve")
    code = await ask(ada, mailbox)
    before = await database.everything()

    # when
    by_eve = await eve.mutate(VERIFY, code=code)
    by_nobody = (await api.post(VERIFY, {"input": {"code": code}})).json()
    unknown = await eve.mutate(VERIFY, code="sce_" + "A" * 49)

    # then
    assert by_eve == unknown
    assert paths(by_eve["errors"]) == [("code", "NOT_FOUND")]
    assert [one["extensions"]["code"] for one in by_nobody["errors"]] == ["UNAUTHENTICATED"]
    assert await database.everything() == before
    # and the code is still good
    assert (await ada.mutate(VERIFY, code=code))["__typename"] == "VerifyEmailSuccess"


async def test_a_code_for_a_new_address_is_good_once_and_the_newest_only(api: Api, mailbox: Mailbox) -> None:
    ada = await api.register("ada")
    first = await ask(ada, mailbox)
    second = await ask(ada, mailbox, count=2)

    assert paths((await ada.mutate(VERIFY, code=first))["errors"]) == [("code", "NOT_FOUND")]
    assert (await ada.mutate(VERIFY, code=second))["__typename"] == "VerifyEmailSuccess"
    assert paths((await ada.mutate(VERIFY, code=second))["errors"]) == [("code", "NOT_FOUND")]


async def test_an_expired_code_changes_nothing(api: Api, mailbox: Mailbox, database: Database) -> None:
    ada = await api.register("ada")
    code = await ask(ada, mailbox)
    past = database.literal(datetime.now(UTC) - timedelta(seconds=1))
    await database.rows(f"UPDATE email_codes SET expires_at = {past}")

    assert paths((await ada.mutate(VERIFY, code=code))["errors"]) == [("code", "NOT_FOUND")]
    assert (await user(ada))["email"] == ada.email


async def test_a_taken_address_is_answered_alike_and_its_user_is_told(
    api: Api, mailbox: Mailbox, database: Database
) -> None:
    # given
    ada, eve = await api.register("ada"), await api.register("eve")
    before = await database.everything()

    # when
    result = await ada.mutate(CHANGE_EMAIL, currentPassword=PASSWORD, newEmail=eve.email.upper())

    # then
    free = await ada.mutate(CHANGE_EMAIL, currentPassword=PASSWORD, newEmail=NEW)
    assert {**result, "email": NEW} == free
    mail = await mailbox.wait(eve.email, TAKEN)
    assert ada.email not in mail.body
    assert "sce_" not in mail.body
    assert mailbox.mails(about=CONFIRM, to=eve.email) == []
    assert await database.everything() == before


async def test_an_address_that_was_taken_meanwhile_stays_its_users(
    api: Api, mailbox: Mailbox, database: Database
) -> None:
    # given
    ada = await api.register("ada")
    code = await ask(ada, mailbox)
    await api.register("eve", email=NEW)
    before = await database.everything()

    # when
    result = await ada.mutate(VERIFY, code=code)

    # then
    assert paths(result["errors"]) == [("code", "DUPLICATE")]
    assert await database.everything() == before
    assert mailbox.mails(about=CHANGED) == []


async def test_of_two_users_with_codes_for_one_address_one_gets_it(api: Api, mailbox: Mailbox) -> None:
    for number in range(3):
        # given
        email = f"wanted.{number}@example.com"
        ada, eve = await api.register("ada"), await api.register("eve")
        codes = [await ask(person, mailbox, email, count) for count, person in enumerate((ada, eve), 1)]

        # when
        results = await asyncio.gather(
            *(person.mutate(VERIFY, code=code) for person, code in zip((ada, eve), codes, strict=True))
        )

        # then
        assert sorted(one["__typename"] for one in results) == ["VerifyEmailFailure", "VerifyEmailSuccess"]
        assert sorted([(await user(ada))["email"], (await user(eve))["email"]]).count(email) == 1


async def test_what_cannot_be_the_new_address_mails_nothing(
    api: Api, mailbox: Mailbox, database: Database
) -> None:
    # given
    ada = await api.register("ada")
    before = await database.everything()

    for password, email, problem in (
        (PASSWORD, "", ("newEmail", "REQUIRED")),
        (PASSWORD, "nonsense", ("newEmail", "INVALID_FORMAT")),
        (PASSWORD, "a" * 65 + "@example.com", ("newEmail", "TOO_LONG")),
        (PASSWORD, ada.email.upper(), ("newEmail", "DUPLICATE")),
        ("CANARY-wrong-one", NEW, ("currentPassword", "CredentialsRejected")),
    ):
        # when
        result = await ada.mutate(CHANGE_EMAIL, currentPassword=password, newEmail=email)

        # then
        assert paths(result["errors"]) == [problem]
    assert await database.everything() == before
    assert await database.rows("SELECT * FROM mails WHERE kind <> 'VERIFY_EMAIL'") == []
    assert mailbox.mails(about=CONFIRM) == []


async def test_codes_that_the_old_address_got_end_with_it(api: Api, mailbox: Mailbox) -> None:
    # given
    ada = await api.register("ada")
    verifies = (await mailbox.wait(ada.email, "Verify your e-mail address")).code
    await api.mutate(REQUEST_RESET, {"email": ada.email})
    resets = (await mailbox.wait(ada.email, "Choose a new password")).code
    await ada.mutate(VERIFY, code=await ask(ada, mailbox))
    # and back again, so that it is not the address that ends them
    await ada.mutate(VERIFY, code=await ask(ada, mailbox, ada.email))

    # when
    results = [
        await api.mutate(RESET, {"code": resets, "newPassword": NEW_PASSWORD}),
        await api.mutate(VERIFY, {"code": verifies}),
    ]

    # then
    assert [paths(one["errors"]) for one in results] == [[("code", "NOT_FOUND")]] * 2


async def test_a_new_password_ends_a_change_of_address_that_is_under_way(api: Api, mailbox: Mailbox) -> None:
    ada = await api.register("ada")
    code = await ask(ada, mailbox)
    await ada.mutate(operations.CHANGE_PASSWORD, currentPassword=PASSWORD, newPassword=NEW_PASSWORD)

    assert paths((await ada.mutate(VERIFY, code=code))["errors"]) == [("code", "NOT_FOUND")]


@pytest.mark.parametrize("registered", [True, False])
async def test_a_mailbox_gets_only_so_many_of_these_codes_an_hour(api: Api, registered: bool) -> None:
    email = (await api.register("eve")).email if registered else "nobody@example.com"
    people = [await api.register("ada") for _ in range(3)]

    answers = [
        (
            await api.post(
                CHANGE_EMAIL,
                {"input": {"currentPassword": PASSWORD, "newEmail": email}},
                token=people[number % 3].token,
            )
        ).json()
        for number in range(7)
    ]

    assert ["errors" in answer for answer in answers] == [False] * 5 + [True] * 2
    assert answers[-1]["errors"][0]["extensions"]["code"] == "RATE_LIMITED"


async def test_a_user_with_a_change_under_way_can_be_deleted(api: Api, mailbox: Mailbox) -> None:
    ada = await api.register("ada")
    await ask(ada, mailbox)

    assert (await ada.mutate(DELETE_USER, currentPassword=PASSWORD))["__typename"] == "DeleteUserSuccess"


async def test_every_event_of_a_user_has_the_name_of_what_it_is_about(
    api: Api, mailbox: Mailbox, database: Database
) -> None:
    # given
    ada = await api.register("ada")
    verifies = (await mailbox.wait(ada.email, "Verify your e-mail address")).code
    laptop = {"email": ada.email, "password": PASSWORD, "label": "laptop", "scopes": []}

    # when
    await api.mutate(VERIFY, {"code": verifies})
    token = await api.mutate(operations.LOG_IN, laptop)
    await ada.mutate(operations.REVOKE, apiTokenId=token["apiToken"]["id"])
    await ada.mutate(UPDATE_PROFILE, name="Countess")
    await ada.mutate(operations.CHANGE_PASSWORD, currentPassword=PASSWORD, newPassword=NEW_PASSWORD)
    await api.mutate(REQUEST_RESET, {"email": ada.email})
    resets = (await mailbox.wait(ada.email, "Choose a new password")).code
    await api.mutate(RESET, {"code": resets, "newPassword": PASSWORD})

    # then
    rows = await database.rows("SELECT kind, subject_name FROM events ORDER BY seq")
    assert [(row["kind"], row["subject_name"]) for row in rows] == [
        ("USER_REGISTERED", "Ada"),
        ("API_TOKEN_CREATED", "Registration"),
        ("EMAIL_VERIFIED", "Ada"),
        ("API_TOKEN_CREATED", "laptop"),
        ("API_TOKEN_REVOKED", "laptop"),
        ("PROFILE_UPDATED", "Countess"),
        ("PASSWORD_CHANGED", "Countess"),
        ("PASSWORD_RESET", "Countess"),
        ("API_TOKEN_REVOKED", "Registration"),
    ]
