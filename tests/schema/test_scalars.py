"""How the custom scalars are written."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from graphql_api.schema.scalars import DATE_TIME

EAST = timezone(timedelta(hours=5, minutes=30))


@pytest.mark.parametrize(
    ("moment", "written"),
    [
        (datetime(2026, 11, 23, 9, 30, 0, 123456, UTC), "2026-11-23T09:30:00.123Z"),
        (datetime(2026, 11, 23, 9, 30, 0, 999999, UTC), "2026-11-23T09:30:00.999Z"),
        (datetime(2026, 11, 23, 9, 30, 0, 1, UTC), "2026-11-23T09:30:00.000Z"),
        (datetime(2026, 11, 23, 9, 30, 0, 0, UTC), "2026-11-23T09:30:00.000Z"),
        (datetime(1, 2, 3, 4, 5, 6, 7000, UTC), "0001-02-03T04:05:06.007Z"),
        (datetime(2026, 11, 23, 4, 0, 0, 0, EAST), "2026-11-22T22:30:00.000Z"),
    ],
)
def test_a_date_time_is_utc_with_milliseconds(moment: datetime, written: str) -> None:
    serialize = DATE_TIME.serialize
    assert serialize is not None
    assert serialize(moment) == written
