"""Verifying an address, and choosing a new password, by codes that are mailed."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from tests import operations
from tests.api import Api, Person, paths
from tests.canaries import PASSWORD
from tests.database import Database
from tests.mails import Mailbox
from tests.people import mail_operations

NEW_PASSWORD = "CANARY-new-password-77"
VERIFY_SUBJECT, RESET_SUBJECT = "Verify your e-mail address", "Choose a new password"


async def is_verified(person: Person) -> bool:
    return bool((await person.execute(mail_operations.EMAIL_VERIFIED))["viewer"]["emailVerified"])


async def ask_for_reset(api: Api, mailbox: Mailbox, email: str) -> str:
    """Ask for a reset code, with the address in capitals; the code that comes."""
    await api.mutate(mail_operations.REQUEST_RESET, {"email": email.upper()})
    return (await mailbox.wait(email, RESET_SUBJECT)).code


async def log_in(api: Api, email: str, password: str) -> str:
    value = {"email": email, "password": password, "label": "test", "scopes": []}
    return str((await api.mutate(operations.LOG_IN, value))["__typename"])


async def events(database: Database) -> list[str]:
    return [row["kind"] for row in await database.rows("SELECT kind FROM events ORDER BY seq")]


async def test_who_registers_verifies_their_address_by_the_mail(
    api: Api, mailbox: Mailbox, database: Database
) -> None:
    # given
    ada = await api.register("ada")
    assert not await is_verified(ada)
    mail = await mailbox.wait(ada.email, VERIFY_SUBJECT)
    assert "Hello Ada," in mail.body

    # when
    result = await api.mutate(mail_operations.VERIFY, {"code": mail.code})

    # then
    assert result == {"__typename": "VerifyEmailSuccess", "user": {"id": ada.id, "email": ada.email}}
    assert await is_verified(ada)
    assert (await events(database))[-1] == "EMAIL_VERIFIED"


async def test_a_code_is_good_once_and_an_unknown_one_is_answered_alike(
    api: Api, mailbox: Mailbox, database: Database
) -> None:
    # given
    ada = await api.register("ada")
    code = (await mailbox.wait(ada.email, VERIFY_SUBJECT)).code
    await api.mutate(mail_operations.VERIFY, {"code": code})
    before = await database.everything()

    # when
    again = await api.mutate(mail_operations.VERIFY, {"code": code})
    unknown = await api.mutate(mail_operations.VERIFY, {"code": "scv_nonsense"})

    # then
    assert again == unknown
    assert paths(again["errors"]) == [("code", "NOT_FOUND")]
    assert await database.everything() == before


async def test_a_new_code_ends_the_older_one(api: Api, mailbox: Mailbox) -> None:
    # given
    ada = await api.register("ada")
    first = (await mailbox.wait(ada.email, VERIFY_SUBJECT)).code

    # when
    result = await ada.mutate(mail_operations.SEND_VERIFICATION, email=ada.email.upper())
    second = (await mailbox.wait(ada.email, VERIFY_SUBJECT, 2)).code

    # then
    assert result == {"__typename": "SendVerificationEmailSuccess", "email": ada.email}
    refused = await api.mutate(mail_operations.VERIFY, {"code": first})
    assert paths(refused["errors"]) == [("code", "NOT_FOUND")]
    await api.mutate(mail_operations.VERIFY, {"code": second})
    assert await is_verified(ada)


async def test_a_code_for_one_thing_is_not_good_for_another(api: Api, mailbox: Mailbox) -> None:
    ada = await api.register("ada")
    verifies = (await mailbox.wait(ada.email, VERIFY_SUBJECT)).code
    resets = await ask_for_reset(api, mailbox, ada.email)

    wrong = await api.mutate(mail_operations.RESET, {"code": verifies, "newPassword": NEW_PASSWORD})
    wrong_too = await api.mutate(mail_operations.VERIFY, {"code": resets})

    assert paths(wrong["errors"]) == paths(wrong_too["errors"]) == [("code", "NOT_FOUND")]
    assert not await is_verified(ada)


@pytest.mark.parametrize("purpose", ["VERIFY_EMAIL", "RESET_PASSWORD"])
async def test_an_expired_code_is_not_found(
    api: Api, mailbox: Mailbox, database: Database, purpose: str
) -> None:
    # given
    ada = await api.register("ada")
    verifies = (await mailbox.wait(ada.email, VERIFY_SUBJECT)).code
    resets = await ask_for_reset(api, mailbox, ada.email)
    past = database.literal(datetime.now(UTC) - timedelta(seconds=1))
    await database.rows(f"UPDATE email_codes SET expires_at = {past}")

    # when
    if purpose == "VERIFY_EMAIL":
        result = await api.mutate(mail_operations.VERIFY, {"code": verifies})
    else:
        result = await api.mutate(mail_operations.RESET, {"code": resets, "newPassword": NEW_PASSWORD})

    # then
    assert paths(result["errors"]) == [("code", "NOT_FOUND")]
    assert await log_in(api, ada.email, PASSWORD) == "CreateApiTokenSuccess"


@pytest.mark.parametrize(
    ("email", "problem"),
    [("somebody.else@example.com", "NOT_FOUND"), ("nonsense", "INVALID_FORMAT"), ("", "REQUIRED")],
)
async def test_a_verification_goes_to_ones_own_address_only(
    api: Api, mailbox: Mailbox, email: str, problem: str
) -> None:
    ada = await api.register("ada")

    result = await ada.mutate(mail_operations.SEND_VERIFICATION, email=email)

    assert paths(result["errors"]) == [("email", problem)]
    assert [mail.to for mail in mailbox.mails(to=email)] == []


async def test_an_address_is_not_verified_twice(api: Api, mailbox: Mailbox) -> None:
    ada = await api.register("ada")
    await api.mutate(mail_operations.VERIFY, {"code": (await mailbox.wait(ada.email, VERIFY_SUBJECT)).code})

    result = await ada.mutate(mail_operations.SEND_VERIFICATION, email=ada.email)

    assert paths(result["errors"]) == [("email", "DUPLICATE")]


async def test_who_forgot_their_password_chooses_a_new_one_by_the_mail(
    api: Api, mailbox: Mailbox, database: Database
) -> None:
    # given
    ada = await api.register("ada")
    code = await ask_for_reset(api, mailbox, ada.email)

    # when
    result = await api.mutate(mail_operations.RESET, {"code": code, "newPassword": NEW_PASSWORD})

    # then
    assert result == {"__typename": "ResetPasswordSuccess", "user": {"id": ada.id}}
    assert await log_in(api, ada.email, PASSWORD) == "CreateApiTokenFailure"
    assert await log_in(api, ada.email, NEW_PASSWORD) == "CreateApiTokenSuccess"
    assert (await api.post(mail_operations.EMAIL_VERIFIED, token=ada.token)).status_code == 401
    kinds = await events(database)
    assert kinds[-4:] == ["PASSWORD_RESET", "API_TOKEN_REVOKED", "EMAIL_VERIFIED", "API_TOKEN_CREATED"]

    # when
    again = await api.mutate(mail_operations.RESET, {"code": code, "newPassword": PASSWORD})

    # then
    assert paths(again["errors"]) == [("code", "NOT_FOUND")]


async def test_a_new_password_ends_the_wait_for_the_old_one(api: Api, mailbox: Mailbox) -> None:
    ada = await api.register("ada")
    for _ in range(5):
        await log_in(api, ada.email, "not this one")
    code = await ask_for_reset(api, mailbox, ada.email)

    await api.mutate(mail_operations.RESET, {"code": code, "newPassword": NEW_PASSWORD})

    assert await log_in(api, ada.email, NEW_PASSWORD) == "CreateApiTokenSuccess"


async def test_a_password_that_cannot_be_one_does_not_use_the_code_up(api: Api, mailbox: Mailbox) -> None:
    ada = await api.register("ada")
    code = await ask_for_reset(api, mailbox, ada.email)

    refused = await api.mutate(mail_operations.RESET, {"code": code, "newPassword": "short"})

    assert paths(refused["errors"]) == [("newPassword", "TOO_SHORT")]
    accepted = await api.mutate(mail_operations.RESET, {"code": code, "newPassword": NEW_PASSWORD})
    assert accepted["__typename"] == "ResetPasswordSuccess"


async def test_of_two_who_use_a_code_at_once_one_succeeds(api: Api, mailbox: Mailbox) -> None:
    ada = await api.register("ada")
    code = await ask_for_reset(api, mailbox, ada.email)

    results = await asyncio.gather(
        *(api.mutate(mail_operations.RESET, {"code": code, "newPassword": NEW_PASSWORD}) for _ in range(4))
    )

    assert sorted(result["__typename"] for result in results) == [
        "ResetPasswordFailure",
        "ResetPasswordFailure",
        "ResetPasswordFailure",
        "ResetPasswordSuccess",
    ]


async def test_changing_the_password_ends_a_reset_that_is_under_way(api: Api, mailbox: Mailbox) -> None:
    ada = await api.register("ada")
    code = await ask_for_reset(api, mailbox, ada.email)
    await ada.mutate(operations.CHANGE_PASSWORD, currentPassword=PASSWORD, newPassword=NEW_PASSWORD)

    result = await api.mutate(mail_operations.RESET, {"code": code, "newPassword": PASSWORD})

    assert paths(result["errors"]) == [("code", "NOT_FOUND")]


async def test_asking_for_a_reset_does_not_tell_who_is_registered(
    api: Api, mailbox: Mailbox, database: Database
) -> None:
    # given
    ada = await api.register("ada")
    await mailbox.wait(ada.email, VERIFY_SUBJECT)

    # when
    known = await api.mutate(mail_operations.REQUEST_RESET, {"email": ada.email})
    unknown = await api.mutate(mail_operations.REQUEST_RESET, {"email": "nobody@example.com"})

    # then
    assert known == {"__typename": "RequestPasswordResetSuccess", "email": ada.email}
    assert unknown == {"__typename": "RequestPasswordResetSuccess", "email": "nobody@example.com"}
    await mailbox.wait(ada.email, RESET_SUBJECT)
    for _ in range(100):  # nobody's row is gone once the mailer has looked
        rows = await database.rows("SELECT id FROM mails WHERE recipient = 'nobody@example.com'")
        if not rows:
            break
        await asyncio.sleep(0.02)
    assert rows == []
    assert mailbox.mails("nobody@example.com") == []


async def test_the_code_goes_to_the_address_that_was_registered(api: Api, mailbox: Mailbox) -> None:
    # Compared as equal, these may be two people's mailboxes: a fullwidth letter stands for its own.
    ada = await api.register("ada")
    lookalike = "\uff41" + ada.email[1:]

    result = await api.mutate(mail_operations.REQUEST_RESET, {"email": lookalike})

    assert result["__typename"] == "RequestPasswordResetSuccess"
    await mailbox.wait(ada.email, RESET_SUBJECT)
    assert {mail.to for mail in mailbox.mails()} == {ada.email}


@pytest.mark.parametrize("registered", [True, False])
async def test_a_mailbox_gets_only_so_many_codes_an_hour(api: Api, registered: bool) -> None:
    email = (await api.register("ada")).email if registered else "nobody@example.com"

    answers = [
        (await api.post(mail_operations.REQUEST_RESET, {"input": {"email": email}})).json() for _ in range(7)
    ]

    assert ["errors" in answer for answer in answers] == [False] * 5 + [True] * 2
    assert answers[-1]["errors"][0]["extensions"]["code"] == "RATE_LIMITED"
    assert 3500 < answers[-1]["errors"][0]["extensions"]["retryAfter"] <= 3600


async def test_another_verification_is_limited_too(api: Api) -> None:
    ada = await api.register("ada")

    answers = [
        (
            await api.post(
                mail_operations.SEND_VERIFICATION, {"input": {"email": ada.email}}, token=ada.token
            )
        ).json()
        for _ in range(6)
    ]

    assert ["errors" in answer for answer in answers] == [False] * 5 + [True]


async def test_the_owner_of_a_taken_address_is_told_and_not_too_often(api: Api, mailbox: Mailbox) -> None:
    # given
    ada = await api.register("ada")
    value = {"email": ada.email.upper(), "password": PASSWORD, "name": "Mallory"}

    # when
    results = [await api.mutate(operations.REGISTER, value) for _ in range(7)]

    # then
    assert all(paths(result["errors"]) == [("email", "DUPLICATE")] for result in results)
    mail = await mailbox.wait(ada.email, "You are registered already", 5)
    assert "Mallory" not in mail.body


async def test_codes_are_kept_as_digests_and_mailed_ones_are_erased(
    api: Api, mailbox: Mailbox, database: Database
) -> None:
    ada = await api.register("ada")
    code = (await mailbox.wait(ada.email, VERIFY_SUBJECT)).code
    for _ in range(100):
        rows = await database.rows("SELECT * FROM mails WHERE sent_at IS NOT NULL")
        if rows:
            break
        await asyncio.sleep(0.02)

    (row,) = rows
    assert row["secret"] is None
    assert code not in str(await database.rows("SELECT * FROM email_codes")) + str(rows)
