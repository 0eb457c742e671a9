"""Who is mailed about a request for access: the admins when it is asked, the requester when it is answered."""

import json
from typing import Any

from tests.accounts import access_request_operations as asking
from tests.api import Api, Person
from tests.database import Database, make_team

X = "17841405902213202"


async def mails(database: Database) -> list[tuple[str, str, dict[str, str]]]:
    """What was written to be sent: the kind, to whom, and what fills its words."""
    rows = await database.rows("SELECT kind, recipient, details FROM mails WHERE kind LIKE 'ACCESS%'")
    return sorted(
        (
            (
                row["kind"],
                row["recipient"],
                json.loads(row["details"]) if isinstance(row["details"], str) else row["details"],
            )
            for row in rows
        ),
        key=str,
    )


async def scene(api: Api) -> tuple[Person, Person, Person, str]:
    """Two admins and a creator of a Workspace that holds X."""
    ada, bob, eve = [await api.register(name) for name in ("ada", "bob", "eve")]
    workspace = await ada.create_workspace("Agency")
    await ada.bring_in(bob, workspace, "ADMIN")
    await ada.bring_in(eve, workspace)
    await ada.connect(X, workspace=workspace)
    return ada, bob, eve, workspace


async def ask(person: Person, workspace: str, **more: Any) -> str:
    asked = await person.mutate(
        asking.REQUEST_ACCESS, workspaceId=workspace, socialAccount=asking.key(X, "jane.doe"), **more
    )
    return str(asked["accessRequest"]["id"])


async def test_all_admins_are_mailed_once_however_often_it_is_asked(api: Api, database: Database) -> None:
    # given
    ada, bob, eve, workspace = await scene(api)

    # when
    await ask(eve, workspace, message="May I?")
    await ask(eve, workspace, message="Please!")

    # then
    told = {"workspace": "Agency", "display_name": "jane.doe", "requester": "Eve", "message": "May I?"}
    assert await mails(database) == sorted(
        [
            ("ACCESS_REQUESTED", ada.email, {"name": "Ada", **told}),
            ("ACCESS_REQUESTED", bob.email, {"name": "Bob", **told}),
        ],
        key=str,
    )


async def test_who_asked_is_mailed_each_answer_and_a_refusal_mails_nobody(
    api: Api, database: Database
) -> None:
    # given
    ada, bob, eve, workspace = await scene(api)
    team = await make_team(database, workspace, "Film")

    # when
    declined = await ask(eve, workspace)
    await ada.mutate(asking.DECLINE, accessRequestId=declined, reason="Later.")
    await bob.mutate(asking.GRANT, accessRequestId=declined, teamIds=[team])
    await bob.mutate(asking.GRANT, accessRequestId=await ask(eve, workspace), teamIds=[team])

    # then
    told = {"name": "Eve", "workspace": "Agency", "display_name": "jane.doe"}
    assert [mail for mail in await mails(database) if mail[1] == eve.email] == [
        ("ACCESS_REQUEST_DECLINED", eve.email, {**told, "reason": "Later."}),
        ("ACCESS_REQUEST_GRANTED", eve.email, {**told, "reason": ""}),
    ]
