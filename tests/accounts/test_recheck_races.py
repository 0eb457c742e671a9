"""Re-checks beside everything else that people do to the same accounts."""

import asyncio
import itertools
import time
from collections import Counter

from graphql_api.services.calls.call import Services
from graphql_api.services.upkeep import rechecks, warnings
from graphql_api.settings import Settings
from tests import operations
from tests.accounts.moving_operations import MOVE
from tests.accounts.proven import Meta, connect, of_any
from tests.accounts.test_rechecks import by_server
from tests.api import Api, Person
from tests.database import Database

FOR = 3.0  # seconds
IDS = [str(number) for number in range(1, 9)]


async def claim(meta: Meta, person: Person, fb: str, place: str, until: float) -> Counter[str]:
    """Connect, move and disconnect accounts with a login that works and fails in turn."""
    done: Counter[str] = Counter()
    for number in itertools.count():
        if time.monotonic() > until:
            break
        own = [one for one in IDS if (int(one) * 7 + number + int(fb)) % 3]
        token = of_any(*own, fb=fb)
        into = (None, place)[number % 2]
        result = await connect(
            person, token, *own, workspaceId=into, onConflict="CONNECT_OTHERS", allowMove=True
        )
        done[result["__typename"]] += 1
        for one in result.get("connected", [])[:2]:
            hold = one["socialAccount"]["id"]
            if number % 3:
                await person.mutate(MOVE, socialAccountIds=[hold], workspaceId=place)
            else:
                await person.mutate(operations.DISCONNECT, socialAccountIds=[hold])
        await connect(person, of_any(fb=fb, condition=("", f"-revoked@{meta.at(minutes=-1)}")[number % 2]))
    return done


async def check(services: Services, until: float) -> int:
    """Check everything again and again, as if hours passed."""
    accounts = 0
    while time.monotonic() < until:
        tally = await rechecks.recheck(services, lambda _done, _due: None, everything=True)
        assert tally is not None
        accounts += tally.accounts
        await warnings.warn(services)
        await asyncio.sleep(0.01)
    return accounts


async def test_re_checks_hold_nobody_up_and_lose_nothing(
    meta: Meta, api: Api, settings: Settings, database: Database
) -> None:
    # given: two admins of one Workspace
    ada, bob = await api.register("ada"), await api.register("bob")
    place = await ada.create_workspace()
    await ada.bring_in(bob, place, "ADMIN")
    until = time.monotonic() + FOR

    # when
    (hers, his), checked = await asyncio.gather(
        asyncio.gather(claim(meta, ada, "7001", place, until), claim(meta, bob, "7002", place, until)),
        asyncio.gather(*(by_server(settings, lambda services: check(services, until)) for _ in range(2))),
    )

    # then
    assert (hers + his)["ConnectSocialAccountsSuccess"] > 0
    assert sum(checked) > 0
    for owner, table in (("user_id", "users"), ("workspace_id", "workspaces")):
        rows = await database.rows(
            f"SELECT count(*) AS events, max(seq) AS last, (SELECT event_seq FROM {table} WHERE id = {owner}) AS told"
            f" FROM events WHERE {owner} IS NOT NULL GROUP BY {owner}"
        )
        assert [row for row in rows if not row["events"] == row["last"] == row["told"]] == []
    held = await database.rows("SELECT count(*) AS held FROM social_accounts WHERE hold_id IS NOT NULL")
    counted = await database.rows(
        "SELECT (SELECT sum(held_count) FROM users) + (SELECT sum(held_count) FROM workspaces) AS held"
    )
    assert held == counted
    unwatched = "SELECT external_id FROM social_accounts WHERE hold_id IS NOT NULL AND next_check_at IS NULL"
    assert await database.rows(unwatched) == []
    if database.url.startswith("postgresql"):
        stats = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
        assert await database.rows(stats) == [{"deadlocks": 0}]
