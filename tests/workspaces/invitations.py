"""Inviting, and what the invited and the admins see of it, for the tests of invitations."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tests import operations
from tests.api import Api, Person
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


async def verified(api: Api, mailbox: Mailbox, name: str) -> Person:
    """Somebody new, who has verified their address."""
    person = await api.register(name)
    code = (await mailbox.wait(person.email, "Verify")).code
    await person.mutate(mail_operations.VERIFY, code=code)
    return person


async def mine(person: Person, status: str | None = None) -> list[dict[str, Any]]:
    """The invitations that this person sees as theirs."""
    data = await person.execute(mail_operations.MY_INVITATIONS, {"status": status})
    found = data["viewer"]["invitations"]
    assert found["totalCount"] == len(found["nodes"])
    return list(found["nodes"])


async def expire(database: Database) -> None:
    past = database.literal(datetime.now(UTC) - timedelta(seconds=1))
    await database.rows(f"UPDATE invitations SET expires_at = {past}")
