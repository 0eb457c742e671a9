"""Invitations: mailed, listed, previewed, replaced, revoked, expired."""

from datetime import UTC, datetime, timedelta

import pytest

from tests import operations
from tests.api import Api, Person, paths
from tests.database import Database
from tests.mails import Mailbox
from tests.people import mail_operations


async def invite(admin: Person, workspace: str, email: str, role: str = "CREATOR") -> dict[str, str]:
    """Invite an address; the invitation's id and code."""
    result = await admin.mutate(operations.INVITE, workspaceId=workspace, email=email, role=role)
    return {"id": result["invitation"]["id"], "code": result["code"]}


async def statuses(person: Person, workspace: str, status: str | None = None) -> list[tuple[str, str]]:
    """Each invitation's address and status, as this person sees the list."""
    data = await person.execute(mail_operations.INVITATIONS, {"id": workspace, "status": status})
    found = data["node"]["invitations"]
    assert found["totalCount"] == len(found["nodes"])
    return [(node["email"], node["status"]) for node in found["nodes"]]


async def expire(database: Database) -> None:
    past = database.literal(datetime.now(UTC) - timedelta(seconds=1))
    await database.rows(f"UPDATE invitations SET expires_at = {past}")


async def test_the_invited_person_joins_by_the_code_in_their_mail(api: Api, mailbox: Mailbox) -> None:
    # given
    ada = await api.register("ada")
    workspace = await ada.create_workspace("Studio Zürich")

    # when
    invited = await invite(ada, workspace, "eve@example.com", "ADMIN")

    # then
    mail = await mailbox.wait("eve@example.com", "Ada invites you to Studio Zürich")
    assert "invites you to the Workspace Studio Zürich, as an admin." in mail.body
    assert mail.code == invited["code"]


async def test_accepting_does_not_verify_the_address_since_the_admin_has_the_code_too(api: Api) -> None:
    ada, eve = await api.register("ada"), await api.register("eve")
    workspace = await ada.create_workspace()

    await ada.bring_in(eve, workspace)

    assert (await eve.execute(mail_operations.EMAIL_VERIFIED))["viewer"] == {"emailVerified": False}


async def test_admins_see_where_every_invitation_stands(api: Api, database: Database) -> None:
    # given
    ada, eve = await api.register("ada"), await api.register("eve")
    workspace = await ada.create_workspace()
    await invite(ada, workspace, "late@example.com")
    await expire(database)
    await ada.bring_in(eve, workspace)
    revoked = await invite(ada, workspace, "revoked@example.com")
    await ada.mutate(mail_operations.REVOKE_INVITATION, invitationId=revoked["id"])
    await invite(ada, workspace, "pending@example.com")

    # when
    everything = await statuses(ada, workspace)

    # then
    assert everything == [
        ("pending@example.com", "PENDING"),
        ("revoked@example.com", "REVOKED"),
        (eve.email, "ACCEPTED"),
        ("late@example.com", "EXPIRED"),
    ]
    for email, status in everything:
        assert await statuses(ada, workspace, status) == [(email, status)]
    assert await statuses(ada, workspace, "OTHER") == []


async def test_an_invitation_says_who_made_it_and_when(api: Api) -> None:
    ada, eve = await api.register("ada"), await api.register("eve")
    workspace = await ada.create_workspace()
    await ada.bring_in(eve, workspace)

    data = await ada.execute(mail_operations.INVITATIONS, {"id": workspace})

    (node,) = data["node"]["invitations"]["nodes"]
    assert node["invitedBy"] == {"id": ada.id}
    assert node["workspace"] == {"id": workspace}
    assert node["createdAt"] < node["acceptedAt"] < node["expiresAt"]
    assert node["revokedAt"] is None


async def test_creators_see_no_invitations_and_strangers_no_workspace(api: Api) -> None:
    ada, eve, mallory = [await api.register(name) for name in ("ada", "eve", "mallory")]
    workspace = await ada.create_workspace()
    await ada.bring_in(eve, workspace)
    await invite(ada, workspace, "pending@example.com")

    assert await statuses(eve, workspace) == []
    data = await mallory.execute(mail_operations.INVITATIONS, {"id": workspace})
    assert data["node"] is None


async def test_invitations_are_paged(api: Api) -> None:
    ada = await api.register("ada")
    workspace = await ada.create_workspace()
    for number in range(5):
        await invite(ada, workspace, f"person.{number}@example.com")

    seen, after = [], None
    while True:
        page = (
            await ada.execute(mail_operations.INVITATIONS, {"id": workspace, "first": 2, "after": after})
        )["node"]["invitations"]
        seen += [node["email"] for node in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break

    assert seen == [f"person.{number}@example.com" for number in (4, 3, 2, 1, 0)]


async def test_whoever_has_the_code_sees_what_it_leads_to(api: Api) -> None:
    # given
    ada, mallory = await api.register("ada"), await api.register("mallory")
    workspace = await ada.create_workspace()
    code = (await invite(ada, workspace, "eve@example.com", "ADMIN"))["code"]

    # when
    seen = [
        (await api.execute(mail_operations.PREVIEW, {"code": code}, token=token))["invitationPreview"]
        for token in (None, mallory.token)
    ]

    # then
    assert seen[0] == seen[1]
    assert seen[0].pop("expiresAt") > datetime.now(UTC).isoformat()
    assert seen[0] == {
        "workspaceName": "Agency",
        "inviterName": "Ada",
        "email": "eve@example.com",
        "role": "ADMIN",
    }


@pytest.mark.parametrize("how", ["unknown", "accepted", "revoked", "expired"])
async def test_a_code_that_cannot_be_accepted_shows_nothing(api: Api, database: Database, how: str) -> None:
    # given
    ada, eve = await api.register("ada"), await api.register("eve")
    workspace = await ada.create_workspace()
    invited = await invite(ada, workspace, eve.email)
    code = invited["code"]
    match how:
        case "unknown":
            code = "sci_nonsense"
        case "accepted":
            await eve.mutate(operations.ACCEPT, code=code)
        case "revoked":
            await ada.mutate(mail_operations.REVOKE_INVITATION, invitationId=invited["id"])
        case _:
            await expire(database)
    before = await database.everything()

    # when
    preview = await api.execute(mail_operations.PREVIEW, {"code": code})
    accepted = await eve.mutate(operations.ACCEPT, code=code)

    # then
    assert preview == {"invitationPreview": None}
    assert paths(accepted["errors"]) == [("code", "NOT_FOUND")]
    assert await database.everything() == before


async def test_a_new_invitation_replaces_the_pending_one_of_the_same_address(
    api: Api, mailbox: Mailbox, database: Database
) -> None:
    # given
    ada, eve = await api.register("ada"), await api.register("eve")
    workspace, other = await ada.create_workspace(), await ada.create_workspace("Other")
    elsewhere = await invite(ada, other, eve.email)
    first = await invite(ada, workspace, eve.email, "CREATOR")

    # when
    second = await invite(ada, workspace, eve.email.upper(), "ADMIN")

    # then
    assert sorted(status for _, status in await statuses(ada, workspace)) == ["PENDING", "REVOKED"]
    refused = await eve.mutate(operations.ACCEPT, code=first["code"])
    assert paths(refused["errors"]) == [("code", "NOT_FOUND")]
    joined = await eve.mutate(operations.ACCEPT, code=second["code"])
    assert joined["workspace"]["viewerRole"] == "ADMIN"
    assert (await eve.mutate(operations.ACCEPT, code=elsewhere["code"]))["workspace"]["id"] == other
    rows = await database.rows(
        "SELECT kind FROM events WHERE workspace_id IS NOT NULL ORDER BY created_at, seq"
    )
    assert [row["kind"] for row in rows].count("INVITATION_REVOKED") == 1


async def test_revoking_twice_is_no_error_and_one_event(api: Api, database: Database) -> None:
    ada = await api.register("ada")
    workspace = await ada.create_workspace()
    invited = await invite(ada, workspace, "eve@example.com")

    first = await ada.mutate(mail_operations.REVOKE_INVITATION, invitationId=invited["id"])
    again = await ada.mutate(mail_operations.REVOKE_INVITATION, invitationId=invited["id"])

    assert first == again
    assert first["invitation"]["status"] == "REVOKED"
    rows = await database.rows("SELECT kind FROM events WHERE kind = 'INVITATION_REVOKED'")
    assert len(rows) == 1


async def test_what_was_accepted_is_not_revoked(api: Api, database: Database) -> None:
    ada, eve = await api.register("ada"), await api.register("eve")
    workspace = await ada.create_workspace()
    invited = await invite(ada, workspace, eve.email)
    await eve.mutate(operations.ACCEPT, code=invited["code"])
    before = await database.everything()

    result = await ada.mutate(mail_operations.REVOKE_INVITATION, invitationId=invited["id"])

    assert paths(result["errors"]) == [("invitationId", "NOT_ALLOWED")]
    assert await database.everything() == before


async def test_an_invitation_that_is_not_ones_to_revoke_is_as_one_that_is_not_there(
    api: Api, database: Database
) -> None:
    # given
    ada, eve, mallory = [await api.register(name) for name in ("ada", "eve", "mallory")]
    workspace = await ada.create_workspace()
    await ada.bring_in(eve, workspace)
    await mallory.create_workspace()
    invited = await invite(ada, workspace, "new@example.com")
    before = await database.everything()

    # when
    answers = [
        await person.mutate(mail_operations.REVOKE_INVITATION, invitationId=invitation)
        for person in (eve, mallory)
        for invitation in (invited["id"], "nonsense")
    ]

    # then
    assert [paths(answer["errors"]) for answer in answers] == [[("invitationId", "NOT_FOUND")]] * 4
    assert all(answer == answers[0] for answer in answers)
    assert await database.everything() == before


async def test_one_mailbox_is_invited_only_so_often(api: Api) -> None:
    ada, bea = await api.register("ada"), await api.register("bea")
    value = {"email": "eve@example.com", "role": "CREATOR"}
    places = [(ada, await ada.create_workspace()), (bea, await bea.create_workspace())]

    answers = []
    for _ in range(3):
        for person, workspace in places:
            variables = {"input": {**value, "workspaceId": workspace}}
            answers.append((await api.post(operations.INVITE, variables, token=person.token)).json())

    assert ["errors" in answer for answer in answers] == [False] * 5 + [True]
    assert answers[-1]["errors"][0]["extensions"]["code"] == "RATE_LIMITED"
