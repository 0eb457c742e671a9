"""The custom scalars: as few as can be, each with its specification."""

from datetime import UTC, datetime
from functools import lru_cache

import orjson
import strawberry
from strawberry.types.scalar import ScalarDefinition


@lru_cache(4096)
def _write(moment: datetime) -> str:
    if moment.tzinfo is not UTC:
        moment = moment.astimezone(UTC)
    # Eight times as fast as isoformat(): "2026-11-23T09:30:00.123456Z", or without a fraction where that is 0.
    text = orjson.dumps(moment, option=orjson.OPT_UTC_Z)
    return text[1:24].decode() + "Z" if moment.microsecond else text[1:20].decode() + ".000Z"


def _read(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a DateTime names its time zone")
    return moment


DATE_TIME: ScalarDefinition = strawberry.scalar(
    name="DateTime",
    description="A point in time in UTC, as RFC 3339 writes it: `2026-11-23T09:30:00.000Z`.",
    specified_by_url="https://scalars.graphql.org/andimarek/date-time",
    serialize=_write,
    parse_value=_read,
)
