"""Who is mailed when an admin moves social accounts out of a Workspace: its other admins, once each."""

import json
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from graphql_api.app import build_services
from graphql_api.domain.mails import MailKind, compose
from graphql_api.domain.viewers import Viewer
from graphql_api.services.calls import mails
from graphql_api.services.calls.call import Call
from graphql_api.settings import Settings
from tests.api import Api, Person
from tests.database import Database, key_of


async def tell(settings: Settings, mover: Person, workspace: str, accounts: Sequence[str]) -> None:
    """Write the mails, as a move does in its transaction."""
    services = build_services(settings)
    async with services.database:
        call = Call(services, Viewer(key_of(mover.id), uuid4(), frozenset()), "test")

        async def work(session: AsyncSession) -> None:
            await mails.tell_admins_of_move(session, call, workspace_id=key_of(workspace), accounts=accounts)

        await call.transact(work)


async def test_the_other_admins_are_mailed_once_each_and_the_mover_is_not(
    api: Api, settings: Settings, database: Database
) -> None:
    # given
    ada, bob, cyd, eve = [await api.register(name) for name in ("ada", "bob", "cyd", "eve")]
    workspace, elsewhere = await ada.create_workspace("Agency"), await eve.create_workspace("Other")
    await ada.bring_in(bob, workspace, "ADMIN")
    await ada.bring_in(cyd, workspace)
    await eve.bring_in(bob, elsewhere, "ADMIN")

    # when
    await tell(settings, ada, workspace, ["studio.north", "Café Nord"])

    # then
    rows = await database.rows("SELECT * FROM mails WHERE kind = 'SOCIAL_ACCOUNTS_MOVED'")
    assert [(row["recipient"], parsed(row["details"])) for row in rows] == [
        (
            bob.email,
            {
                "name": "Bob",
                "workspace": "Agency",
                "actor": "Ada",
                "accounts": '"studio.north", "Café Nord"',
            },
        )
    ]


def parsed(details: Any) -> Any:
    return json.loads(details) if isinstance(details, str) else details


def letter(**details: str) -> str:
    told = {"name": "Bob", "workspace": "Agency", "actor": "Ada", "accounts": '"studio"', **details}
    return compose(MailKind.SOCIAL_ACCOUNTS_MOVED, told, None).body.reveal()


def test_the_mail_says_who_moved_what() -> None:
    assert letter().splitlines()[2:5] == [
        "Ada moved social accounts out of the Workspace Agency:",
        "",
        '> "studio"',
    ]


@pytest.mark.parametrize("field", ["actor", "workspace", "accounts"])
@pytest.mark.parametrize("link", ["http://evil.example/x", "www.evil.example", "evil.example"])
def test_a_name_is_no_link(field: str, link: str) -> None:
    assert link not in letter(**{field: f"Ada {link}"})
