"""The column types that SQLite and PostgreSQL must agree on."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Dialect
from sqlalchemy.dialects import postgresql

from graphql_api.domain.secrets import Sealed


class UtcDateTime(sa.TypeDecorator[datetime]):
    """A point in time, always in UTC. SQLite would hand back naive values."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    @property
    def python_type(self) -> type[datetime]:
        """Said again: a decorator does not take it over from what it decorates."""
        return datetime

    def process_bind_param(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        """Refuse naive times: nobody can know what they mean."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time needs its zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        """Give SQLite's naive values the zone in which they were written."""
        return value.replace(tzinfo=UTC) if value is not None and value.tzinfo is None else value


class SealedText(sa.TypeDecorator[Sealed]):
    """An encrypted envelope. A plain string is refused, so that no secret is stored by mistake."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: Sealed | None, _dialect: Dialect) -> str | None:
        """Take only what the sealing adapter made."""
        if value is not None and not isinstance(value, Sealed):
            raise TypeError("this column takes sealed values only")
        return value

    def process_result_value(self, value: str | None, _dialect: Dialect) -> Sealed | None:
        """Mark what comes back, so that it is not shown by mistake either."""
        return None if value is None else Sealed(value)


def sort_text(length: int) -> Any:
    """Text that lists are ordered by: byte order on both databases, so that a keyset page is stable."""
    return sa.String(length).with_variant(postgresql.VARCHAR(length, collation="C"), "postgresql")


def enum_text(enum: type[StrEnum], name: str) -> sa.Enum:
    """An enum as readable text with a named CHECK, which a migration can replace."""
    return sa.Enum(
        enum,
        name=name,
        native_enum=False,
        create_constraint=True,
        values_callable=lambda members: [member.value for member in members],
        length=40,
    )
