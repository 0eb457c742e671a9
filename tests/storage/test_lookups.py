"""Looking up by a key together with whoever asks in the same turn of the event loop."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from graphql_api.domain import bearer_tokens
from graphql_api.storage.database import Database
from graphql_api.storage.lookups import LARGEST, Together
from tests.api import Api

WHO = "{ viewer { user { email } } }"


class Source:
    """Squares of small numbers, read slowly."""

    def __init__(self) -> None:
        self.reads: list[Sequence[int]] = []
        self.together = Together(self.read)

    async def read(self, keys: Sequence[int]) -> Mapping[int, int]:
        self.reads.append(keys)
        await asyncio.sleep(0)
        if -1 in keys:
            raise OSError("the source is away")
        return {key: key * key for key in keys if key < 1000}


async def test_what_is_asked_side_by_side_is_read_at_once() -> None:
    source = Source()

    found = await asyncio.gather(*map(source.together.find, [3, 4, 3, 5000]))

    assert found == [9, 16, 9, None]
    assert source.reads == [[3, 4, 3, 5000]]


async def test_what_is_asked_later_is_read_anew() -> None:
    source = Source()

    assert await source.together.find(3) == 9
    assert await source.together.find(3) == 9

    assert source.reads == [[3], [3]]


async def test_a_read_has_a_largest_size() -> None:
    source = Source()

    found = await asyncio.gather(*map(source.together.find, range(LARGEST + 1)))

    assert found == [key * key for key in range(LARGEST + 1)]
    assert [len(keys) for keys in source.reads] == [LARGEST, 1]


async def test_who_goes_away_leaves_the_others_their_answer() -> None:
    source = Source()
    leaving, staying = source.together.find(3), source.together.find(4)
    await asyncio.sleep(0)

    leaving.cancel()

    assert await staying == 16
    assert leaving.cancelled()


async def test_a_read_that_fails_fails_for_all_who_asked_and_for_nobody_else() -> None:
    source = Source()

    failed = await asyncio.gather(*map(source.together.find, [3, -1]), return_exceptions=True)

    assert [type(failure) for failure in failed] == [OSError, OSError]
    assert await source.together.find(3) == 9


async def test_callers_side_by_side_are_told_apart(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    # given
    people = [await api.register(f"person{number}") for number in range(5)]
    stranger = str(bearer_tokens.mint(bearer_tokens.BEARER_TOKEN, bytes(bearer_tokens.RANDOM_BYTES)).reveal())
    sent: list[object] = []
    rows: Callable[..., Any] = Database.rows

    async def noted(self: Database, prepared: object, **values: object) -> Any:
        sent.append(prepared)
        return await rows(self, prepared, **values)

    monkeypatch.setattr(Database, "rows", noted)

    # when
    *answers, refused = await asyncio.gather(
        *(api.post(WHO, token=token) for token in [*(person.token for person in people), stranger])
    )

    # then
    emails = [answer.json()["data"]["viewer"]["user"]["email"] for answer in answers]
    assert emails == [person.email for person in people]
    assert refused.status_code == 401
    # PostgreSQL is asked for all at once; SQLite, which is no round trip away, for one after the other. On a busy
    # machine the callers begin in two or three turns of the event loop.
    assert len(sent) in {1, 2, 3, 6}
