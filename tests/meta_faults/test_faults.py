"""The short form of the campaign, so that it does not rot."""

from graphql_api.adapters.sealing import new_key
from tests.canaries import Canaries
from tests.meta_faults.faults import campaign, phases


async def test_every_answer_is_typed_whatever_meta_does(postgresql_url: str, canaries: Canaries) -> None:
    database = {"DATABASE_URL": postgresql_url, "SEALING_KEYS": new_key("k1")}

    noted = await campaign(
        canaries.directory / "faults", database, canaries, phases(1, 2, 2), tell=lambda _: None
    )

    assert [problem for one in noted for problem in one.problems()] == []
    assert all(one.looks for one in noted)
