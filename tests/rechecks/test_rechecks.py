"""The short form of the campaign, so that it does not rot."""

from graphql_api.adapters.sealing import new_key
from tests.canaries import Canaries
from tests.rechecks.campaign import campaign


async def test_no_login_is_asked_twice_and_only_leased_ones_wait_though_the_process_is_killed(
    postgresql_url: str, canaries: Canaries
) -> None:
    directory = canaries.directory / "rechecks"
    directory.mkdir()
    settings = {"DATABASE_URL": postgresql_url, "SEALING_KEYS": new_key("k1")}

    seen = await campaign(directory, settings, 60, tell=lambda _: None)

    assert [problem for problem in seen.problems() if "memory" not in problem] == []
