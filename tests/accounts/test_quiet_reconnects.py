"""Reconnecting in a loop does not fill the history."""

from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta

import pytest

from tests.api import Api
from tests.database import Database

ROUNDS = 3


async def told(database: Database) -> Counter[str]:
    """How often each kind of event was told; every history is without a gap."""
    rows = await database.rows("SELECT user_id, workspace_id, seq, kind FROM events ORDER BY seq")
    histories: defaultdict[tuple[object, object], list[object]] = defaultdict(list)
    for row in rows:
        histories[row["user_id"], row["workspace_id"]].append(row["seq"])
    assert all(seqs == list(range(1, len(seqs) + 1)) for seqs in histories.values())
    heads = await database.rows("SELECT event_seq FROM users UNION ALL SELECT event_seq FROM workspaces")
    assert sum(head["event_seq"] for head in heads) == len(rows)
    return Counter(row["kind"] for row in rows)


@pytest.mark.parametrize("into", ["Personal", "a Workspace"])
async def test_a_user_is_told_once_an_hour_that_they_reconnected_an_account(
    api: Api, database: Database, into: str
) -> None:
    # given
    ada = await api.register("ada")
    place = None if into == "Personal" else await ada.create_workspace()
    await ada.connect("1", "2", workspace=place)
    for _ in range(ROUNDS):
        await ada.connect("1", "2", workspace=place)

    # then
    first = await told(database)
    assert first["SOCIAL_ACCOUNT_CONNECTED"] == 2
    assert first["SOCIAL_ACCOUNT_RECONNECTED"] == 2
    assert first["FACEBOOK_ACCOUNT_CONNECTED"] == 1
    assert first["FACEBOOK_ACCOUNT_RECONNECTED"] == 1

    # when: a new account among those that are known is told, in its place
    await ada.connect("1", "3", "2", workspace=place)
    assert await told(database) - first == {"SOCIAL_ACCOUNT_CONNECTED": 1}

    # when: the hour is over
    before = await told(database)
    moment = database.literal(datetime.now(UTC) - timedelta(minutes=61))
    await database.rows(f"UPDATE events SET created_at = {moment} WHERE kind LIKE '%RECONNECTED'")
    for _ in range(ROUNDS):
        await ada.connect("1", workspace=place)
    assert await told(database) - before == {
        "SOCIAL_ACCOUNT_RECONNECTED": 1,
        "FACEBOOK_ACCOUNT_RECONNECTED": 1,
    }


async def test_what_somebody_else_reconnects_is_told(api: Api, database: Database) -> None:
    ada, bob = await api.register("ada"), await api.register("bob")
    workspace = await ada.create_workspace()
    await ada.bring_in(bob, workspace, role="ADMIN")
    for person in (ada, ada, ada, bob, ada, bob):
        await person.connect("1", workspace=workspace)
    assert (await told(database))["SOCIAL_ACCOUNT_RECONNECTED"] == 2
