"""What fields of one request share."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, cast
from uuid import UUID

from graphql_api.schema.loaders import Loaders
from graphql_api.services.calls.call import Call

KEY = UUID(int=1)


class SlowCall:
    """Stands for a call whose database takes its time."""

    async def read(self, _work: Callable[[Any], Awaitable[Any]]) -> Mapping[UUID, str]:
        await asyncio.sleep(0.01)
        return {KEY: "found"}


async def test_a_field_that_is_cancelled_leaves_the_others_their_row() -> None:
    loaders = Loaders(cast("Call", SlowCall()))

    async def field() -> object:
        return await loaders.teams.load(KEY)

    first, second = asyncio.create_task(field()), asyncio.create_task(field())
    await asyncio.sleep(0)
    first.cancel()
    assert await second == "found"
    assert first.cancelled()
