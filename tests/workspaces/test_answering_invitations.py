"""Invitations of the viewer: seen, accepted by id or code, declined, each once."""

import asyncio

import pytest

from tests import operations
from tests.api import Api, paths
from tests.canaries import PASSWORD
from tests.database import Database
from tests.mails import Mailbox
from tests.people import mail_operations
from tests.people.operations import DELETE_USER
from tests.workspaces.invitations import expire, invite, mine, statuses, verified


async def test_the_invited_person_sees_their_invitations_and_where_they_lead(
    api: Api, mailbox: Mailbox, database: Database
) -> None:
    # given
    ada, bea = await api.register("ada"), await api.register("bea")
    agency, studio = await ada.create_workspace(), await bea.create_workspace("Studio")
    eve, mallory = await verified(api, mailbox, "eve"), await verified(api, mailbox, "mallory")
    first = await invite(ada, agency, eve.email)
    await ada.mutate(mail_operations.REVOKE_INVITATION, invitationId=first["id"])
    second = await invite(ada, agency, eve.email.upper(), "ADMIN")
    third = await invite(bea, studio, eve.email)

    # when
    seen = await mine(eve)

    # then
    assert [one["id"] for one in seen] == [third["id"], second["id"], first["id"]]
    assert [one["status"] for one in seen] == ["PENDING", "PENDING", "REVOKED"]
    assert [(one["workspaceName"], one["inviterName"], one["role"]) for one in seen[:2]] == [
        ("Studio", "Bea", "CREATOR"),
        ("Agency", "Ada", "ADMIN"),
    ]
    assert [one["workspace"] for one in seen] == [None] * 3
    assert [one["invitedBy"] for one in seen] == [None] * 3
    assert [one["id"] for one in await mine(eve, "REVOKED")] == [first["id"]]
    assert await mine(mallory) == []
    page = await eve.execute(mail_operations.MY_INVITATIONS, {"status": "PENDING", "first": 1, "after": None})
    assert page["viewer"]["invitations"]["totalCount"] == 2
    assert page["viewer"]["invitations"]["pageInfo"]["hasNextPage"]


async def test_an_invitation_whose_inviter_is_deleted_names_nobody(api: Api, mailbox: Mailbox) -> None:
    # given
    ada, bea, eve = await api.register("ada"), await api.register("bea"), await verified(api, mailbox, "eve")
    workspace = await ada.create_workspace()
    await ada.bring_in(bea, workspace, "ADMIN")
    invited = await invite(bea, workspace, eve.email)

    # when
    await bea.mutate(DELETE_USER, currentPassword=PASSWORD)

    # then
    (seen,) = await mine(eve)
    assert (seen["workspaceName"], seen["inviterName"]) == ("Agency", None)
    preview = await api.execute(mail_operations.PREVIEW, {"code": invited["code"]})
    assert preview["invitationPreview"]["inviterName"] is None


async def test_an_invitation_is_accepted_by_its_id(api: Api, mailbox: Mailbox) -> None:
    # given
    ada, eve = await api.register("ada"), await verified(api, mailbox, "eve")
    workspace = await ada.create_workspace()
    invited = await invite(ada, workspace, eve.email, "ADMIN")

    # when
    result = await eve.mutate(operations.ACCEPT, invitationId=invited["id"], code=None)

    # then
    assert result["workspace"] == {"id": workspace, "name": "Agency", "viewerRole": "ADMIN"}
    (seen,) = await mine(eve)
    assert (seen["status"], seen["workspace"]) == ("ACCEPTED", {"id": workspace})
    again = await eve.mutate(operations.ACCEPT, invitationId=invited["id"])
    assert paths(again["errors"]) == [("invitationId", "NOT_ALLOWED")]


async def test_accepting_takes_the_code_or_the_id_and_not_both(
    api: Api, mailbox: Mailbox, database: Database
) -> None:
    # given
    ada, eve = await api.register("ada"), await verified(api, mailbox, "eve")
    invited = await invite(ada, await ada.create_workspace(), eve.email)
    before = await database.everything()

    # when
    neither = [
        await eve.mutate(operations.ACCEPT, **given) for given in ({}, {"code": None, "invitationId": None})
    ]
    both = await eve.mutate(operations.ACCEPT, code=invited["code"], invitationId=invited["id"])

    # then
    for result, code in ((neither[0], "REQUIRED"), (neither[1], "REQUIRED"), (both, "INVALID_FORMAT")):
        assert [(error["path"], error["code"]) for error in result["errors"]] == [(["input"], code)]
    assert await database.everything() == before


ANSWERS = (operations.ACCEPT, mail_operations.DECLINE_INVITATION)


async def test_without_a_verified_address_an_invitation_is_answered_with_its_code_only(
    api: Api, database: Database
) -> None:
    # given
    ada, eve = await api.register("ada"), await api.register("eve")
    invited = await invite(ada, await ada.create_workspace(), eve.email)
    before = await database.everything()

    # when
    seen = await mine(eve)
    answers = [
        await eve.mutate(answer, invitationId=one)
        for answer in ANSWERS
        for one in (invited["id"], "nonsense")
    ]

    # then
    assert seen == []
    assert [paths(answer["errors"]) for answer in answers] == [[("invitationId", "NOT_ALLOWED")]] * 4
    assert answers[0] == answers[1]
    assert await database.everything() == before
    accepted = await eve.mutate(operations.ACCEPT, code=invited["code"])
    assert accepted["__typename"] == "AcceptInvitationSuccess"


async def test_nobody_else_answers_an_invitation(api: Api, mailbox: Mailbox, database: Database) -> None:
    # given
    ada, mallory = await verified(api, mailbox, "ada"), await verified(api, mailbox, "mallory")
    workspace = await ada.create_workspace()
    invited = await invite(ada, workspace, "eve@example.com")
    before = await database.everything()

    # when
    answers = [
        await person.mutate(answer, invitationId=one)
        for answer in ANSWERS
        for person in (ada, mallory)
        for one in (invited["id"], "nonsense", workspace)
    ]

    # then
    assert [paths(answer["errors"]) for answer in answers] == [[("invitationId", "NOT_FOUND")]] * 12
    assert await database.everything() == before


async def test_an_invitation_is_declined_once_and_can_be_made_again(
    api: Api, mailbox: Mailbox, database: Database
) -> None:
    # given
    ada, eve = await api.register("ada"), await verified(api, mailbox, "eve")
    workspace = await ada.create_workspace()
    invited = await invite(ada, workspace, eve.email)

    # when
    first = await eve.mutate(mail_operations.DECLINE_INVITATION, invitationId=invited["id"])
    again = await eve.mutate(mail_operations.DECLINE_INVITATION, invitationId=invited["id"])

    # then
    assert first == again
    declined = first["invitation"]
    assert (declined["status"], declined["workspaceName"], declined["workspace"]) == (
        "DECLINED",
        "Agency",
        None,
    )
    events = await database.rows(
        "SELECT subject_name, workspace_id FROM events WHERE kind = 'INVITATION_DECLINED'"
    )
    assert [(event["subject_name"], event["workspace_id"] is None) for event in events] == [
        (eve.email, False)
    ]

    # when
    by_code = await eve.mutate(operations.ACCEPT, code=invited["code"])
    by_id = await eve.mutate(operations.ACCEPT, invitationId=invited["id"])
    revoked = await ada.mutate(mail_operations.REVOKE_INVITATION, invitationId=invited["id"])
    preview = await api.execute(mail_operations.PREVIEW, {"code": invited["code"]})

    # then
    assert paths(by_code["errors"]) == [("code", "NOT_FOUND")]
    assert paths(by_id["errors"]) == [("invitationId", "NOT_ALLOWED")]
    assert paths(revoked["errors"]) == [("invitationId", "NOT_ALLOWED")]
    assert preview == {"invitationPreview": None}

    # when
    second = await invite(ada, workspace, eve.email)

    # then
    assert [status for _, status in await statuses(ada, workspace)] == ["PENDING", "DECLINED"]
    joined = await eve.mutate(operations.ACCEPT, invitationId=second["id"])
    assert joined["workspace"]["id"] == workspace


@pytest.mark.parametrize("how", ["accepted", "revoked", "expired"])
async def test_only_a_pending_invitation_can_be_declined(
    api: Api, mailbox: Mailbox, database: Database, how: str
) -> None:
    # given
    ada, eve = await api.register("ada"), await verified(api, mailbox, "eve")
    invited = await invite(ada, await ada.create_workspace(), eve.email)
    match how:
        case "accepted":
            await eve.mutate(operations.ACCEPT, code=invited["code"])
        case "revoked":
            await ada.mutate(mail_operations.REVOKE_INVITATION, invitationId=invited["id"])
        case _:
            await expire(database)
    before = await database.everything()

    # when
    answers = [await eve.mutate(answer, invitationId=invited["id"]) for answer in ANSWERS]

    # then
    assert [paths(answer["errors"]) for answer in answers] == [[("invitationId", "NOT_ALLOWED")]] * 2
    assert await database.everything() == before


@pytest.mark.parametrize("answer", ANSWERS, ids=["accept", "decline"])
async def test_of_revoking_and_answering_at_the_same_moment_one_happens(
    api: Api, mailbox: Mailbox, answer: str
) -> None:
    ada, eve = await api.register("ada"), await verified(api, mailbox, "eve")
    for _ in range(8):
        invited = await invite(ada, await ada.create_workspace(), eve.email)

        answers = await asyncio.gather(
            ada.mutate(mail_operations.REVOKE_INVITATION, invitationId=invited["id"]),
            eve.mutate(answer, invitationId=invited["id"]),
        )

        assert sorted(one["__typename"].endswith("Success") for one in answers) == [False, True]
