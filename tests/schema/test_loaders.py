"""What fields of one request share."""

import asyncio
from collections.abc import Collection, Mapping

from graphql_api.schema.loaders import Loader


async def test_a_field_that_is_cancelled_leaves_the_others_their_row() -> None:
    async def load(_keys: Collection[str]) -> Mapping[str, str]:
        await asyncio.sleep(0.01)
        return {"key": "found"}

    loader = Loader(load)

    async def field() -> object:
        return await loader.load("key")

    first, second = asyncio.create_task(field()), asyncio.create_task(field())
    await asyncio.sleep(0)
    first.cancel()
    assert await second == "found"
    assert first.cancelled()
