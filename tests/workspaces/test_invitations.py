"""Invitations: mailed, listed, previewed, replaced, revoked, expired, limited."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from graphql_api.settings import Settings
from tests import operations
from tests.api import Api, Person, paths
from tests.conftest import make_settings
from tests.database import Database
from tests.mails import Mailbox
from tests.people import mail_operations
from tests.workspaces.invitations import expire, invite, statuses, verified


async def test_the_invited_person_joins_by_the_code_in_their_mail(api: Api, mailbox: Mailbox) -> None:
    # given
    ada = await api.register("ada")
    workspace = await ada.create_workspace("Studio Zürich")

    # when
    invited = await invite(ada, workspace, "eve@example.com", "ADMIN")

    # then
    mail = await mailbox.wait("eve@example.com", '"Ada" invites you to "Studio Zürich"')
    assert "somebody invites you to a Workspace, as an admin." in mail.body
    assert "\n> Ada\n> Studio Zürich\n" in mail.body
    assert mail.code == invited["code"]


async def test_an_invitation_leads_nowhere_but_where_the_server_says(api: Api, mailbox: Mailbox) -> None:
    # given
    mallory = await api.register("http://evil.example/x", email="mallory@example.com")
    workspace = await mallory.create_workspace('Pay at www.evil.example" or mail me@evil.example')

    # when
    await invite(mallory, workspace, "eve@example.com")

    # then
    mail = await mailbox.wait("eve@example.com", "invites you")
    for text in (mail.subject, mail.body):
        assert re.findall(r"://|www\.\w|\w\.example|@\w", text) == []
    assert (
        '\n> Http: //Evil. Example/X\n> Pay at www. evil. example" or mail me@ evil. example\n' in mail.body
    )
    assert mail.subject.count('"') == 4


async def test_accepting_does_not_verify_the_address_since_the_admin_has_the_code_too(api: Api) -> None:
    ada, eve = await api.register("ada"), await api.register("eve")
    workspace = await ada.create_workspace()

    await ada.bring_in(eve, workspace)

    assert (await eve.execute(mail_operations.EMAIL_VERIFIED))["viewer"] == {"emailVerified": False}


async def test_admins_see_the_status_of_every_invitation(
    api: Api, database: Database, mailbox: Mailbox
) -> None:
    # given
    ada, eve = await api.register("ada"), await api.register("eve")
    workspace = await ada.create_workspace()
    await invite(ada, workspace, "late@example.com")
    await expire(database)
    await ada.bring_in(eve, workspace)
    revoked = await invite(ada, workspace, "revoked@example.com")
    await ada.mutate(mail_operations.REVOKE_INVITATION, invitationId=revoked["id"])
    bob = await verified(api, mailbox, "bob")
    declined = await invite(ada, workspace, bob.email)
    await bob.mutate(mail_operations.DECLINE_INVITATION, invitationId=declined["id"])
    await invite(ada, workspace, "pending@example.com")

    # when
    everything = await statuses(ada, workspace)

    # then
    assert everything == [
        ("pending@example.com", "PENDING"),
        (bob.email, "DECLINED"),
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
    assert (node["workspaceName"], node["inviterName"]) == ("Agency", "Ada")
    assert node["createdAt"] < node["acceptedAt"] < node["expiresAt"]
    assert node["revokedAt"] is None
    assert node["declinedAt"] is None


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


async def test_revoking_what_has_expired_changes_nothing(api: Api, database: Database) -> None:
    ada = await api.register("ada")
    invited = await invite(ada, await ada.create_workspace(), "eve@example.com")
    await expire(database)
    before = await database.everything()

    result = await ada.mutate(mail_operations.REVOKE_INVITATION, invitationId=invited["id"])

    assert result["invitation"]["status"] == "EXPIRED"
    assert await database.everything() == before


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


async def test_invitations_are_found_by_a_part_of_their_address(api: Api) -> None:
    # given
    ada = await api.register("ada")
    workspace = await ada.create_workspace()
    for email in ("Anna@One.example", "anna@two.example", "bob@one.example"):
        await invite(ada, workspace, email)

    # when
    async def found(search: str, status: str | None = None) -> list[str]:
        variables = {"id": workspace, "search": search, "status": status}
        data = await ada.execute(mail_operations.INVITATIONS, variables)
        return [node["email"].lower() for node in data["node"]["invitations"]["nodes"]]

    # then
    assert await found("ANNA") == ["anna@two.example", "anna@one.example"]
    assert await found("@one", "PENDING") == ["bob@one.example", "anna@one.example"]
    assert await found("@one", "REVOKED") == []
    assert await found("_") == []


async def try_invite(admin: Person, workspace: str, email: str) -> bool:
    """Invite an address; whether it went, or was one too many."""
    variables = {"input": {"workspaceId": workspace, "email": email, "role": "CREATOR"}}
    answer = (await admin.api.post(operations.INVITE, variables, token=admin.token)).json()
    if "errors" not in answer:
        assert answer["data"]["inviteToWorkspace"]["__typename"] == "InviteToWorkspaceSuccess"
        return True
    (error,) = answer["errors"]
    assert error["extensions"]["code"] == "RATE_LIMITED"
    assert 3590 <= error["extensions"]["retryAfter"] <= 3600
    return False


async def test_a_workspace_invites_one_address_only_so_often_and_blocks_no_other_workspace(api: Api) -> None:
    # given
    ada, bea = await api.register("ada"), await api.register("bea")
    agency, other, studio = (
        await ada.create_workspace(),
        await ada.create_workspace("Other"),
        await bea.create_workspace("Studio"),
    )

    # when
    sent = [await try_invite(ada, agency, "Eve@example.com") for _ in range(6)]

    # then
    assert sent == [True] * 5 + [False]
    assert await try_invite(ada, agency, "bob@example.com")
    assert await try_invite(ada, other, "eve@example.com")
    assert await try_invite(bea, studio, "eve@example.com")


class TestFewInvitations:
    """Limits low enough to reach."""

    @pytest.fixture
    def settings(self, database_url: str, tmp_path: Path) -> Settings:
        return make_settings(
            database_url,
            mail_outbox=tmp_path / "outbox",
            invitations_per_user=4,
            invitations_per_workspace=6,
        )

    async def test_an_admin_who_invites_too_many_blocks_no_other_admin(
        self, api: Api, database: Database
    ) -> None:
        # given
        ada, bea = await api.register("ada"), await api.register("bea")
        workspace, other = await ada.create_workspace(), await ada.create_workspace("Other")
        await ada.bring_in(bea, workspace, "ADMIN")

        # when
        by_ada = [await try_invite(ada, place, f"{n}@x.example") for n, place in enumerate((other,) * 4)]

        # then
        assert by_ada == [True, True, True, False]
        before = await database.everything()
        assert not await try_invite(ada, workspace, "new@x.example")
        assert await database.everything() == before
        assert await try_invite(bea, workspace, "new@x.example")

    async def test_a_workspace_that_invites_too_many_blocks_no_other_workspace(self, api: Api) -> None:
        # given
        ada, bea = await api.register("ada"), await api.register("bea")
        workspace = await ada.create_workspace()
        await ada.bring_in(bea, workspace, "ADMIN")

        # when
        by_ada = [await try_invite(ada, workspace, f"{n}@x.example") for n in range(3)]
        by_bea = [await try_invite(bea, workspace, f"{n}@y.example") for n in range(3)]

        # then
        assert by_ada + by_bea == [True] * 5 + [False]
        assert await try_invite(bea, await bea.create_workspace("Studio"), "0@y.example")

    async def test_what_is_refused_for_its_role_or_its_address_is_not_counted(self, api: Api) -> None:
        # given
        ada, eve = await api.register("ada"), await api.register("eve")
        workspace = await ada.create_workspace()
        await ada.bring_in(eve, workspace)

        # when
        for _ in range(6):
            await eve.mutate(operations.INVITE, workspaceId=workspace, email="x@x.example", role="ADMIN")
            await ada.mutate(operations.INVITE, workspaceId=workspace, email="nonsense", role="ADMIN")

        # then
        assert await try_invite(ada, workspace, "x@x.example")
