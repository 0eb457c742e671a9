"""The custom scalars: as few as can be, each with its specification."""

from datetime import UTC, datetime

import strawberry
from strawberry.types.scalar import ScalarDefinition


def _write(moment: datetime) -> str:
    if moment.tzinfo is not UTC:
        moment = moment.astimezone(UTC)
    return moment.isoformat(timespec="milliseconds")[:-6] + "Z"  # less the +00:00


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
