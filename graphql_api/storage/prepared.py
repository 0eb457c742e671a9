"""Reads that are compiled once and run on the driver: SQLAlchemy's statements without its cost a request.

A statement through the ORM costs milliseconds of building, caching and mapping; the statement that it
arrives at is always the same. So a hot read is written once, with named parameters, as a select of
columns; what a driver needs to run it, and to turn a row into values, is worked out at its first use.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from uuid import UUID

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.postgresql import ARRAY, asyncpg
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler

from graphql_api.storage.columns import UtcDateTime
from graphql_api.storage.times import read_sqlite_time

Row = TypeVar("Row")

_POSTGRESQL = asyncpg.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy does not type it
_SQLITE = sqlite.dialect()


class one_of(sa.ColumnElement[bool]):  # noqa: N801 - reads as an operator
    """Whether a column has one of the values of a list parameter, however long the list."""

    type = sa.Boolean()
    inherit_cache = False
    _is_implicitly_boolean = True  # else SQLite gets a comparison with 1, which no index serves

    def __init__(self, column: Any, name: str) -> None:
        self.column = column
        self.array = sa.bindparam(name, type_=ARRAY(column.type))
        self.json = sa.bindparam(name, type_=_JsonList())


class _JsonList(sa.TypeDecorator[Sequence[Any]]):
    """A list as SQLite takes one: as JSON, with ids as they are stored there."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: Iterable[Any] | None, _dialect: sa.Dialect) -> str:
        """Write the list."""
        return orjson.dumps([item.hex if isinstance(item, UUID) else item for item in value or ()]).decode()


@compiles(one_of, "postgresql")
def _one_of_array(element: one_of, compiler: SQLCompiler, **options: Any) -> str:
    return (
        f"{compiler.process(element.column, **options)} = ANY ({compiler.process(element.array, **options)})"
    )


@compiles(one_of, "sqlite")
def _one_of_json(element: one_of, compiler: SQLCompiler, **options: Any) -> str:
    values = compiler.process(element.json, **options)
    column = compiler.process(element.column, **options)
    return f"{column} IN (SELECT value FROM json_each({values}))"  # noqa: S608 - both parts are the compiler's


@dataclass(frozen=True, slots=True)
class Form(Generic[Row]):
    """A prepared statement as one driver takes it."""

    sql: str
    _parameters: Sequence[tuple[str, Callable[[Any], Any] | None]]
    _constants: Mapping[str, Any]
    _row: Callable[..., Row] | None
    _conversions: Sequence[tuple[int, Callable[[Any], Any]]]

    def arguments(self, values: Mapping[str, Any]) -> list[Any]:
        """The values by their position in the statement."""
        constants = self._constants
        return [
            (values[name] if name in values else constants[name])
            if write is None
            else write(values[name] if name in values else constants[name])
            for name, write in self._parameters
        ]

    def read(self, rows: Iterable[Sequence[Any]]) -> list[Row]:
        """What the driver returned, as the rows that were promised."""
        read: Any = rows
        if self._conversions:
            read = list(map(list, rows))
            for index, convert in self._conversions:
                for values in read:
                    values[index] = convert(values[index])
        make = self._row
        return read if make is None else [make(*values) for values in read]


class Prepared(Generic[Row]):
    """A select with named parameters, and the type of its rows, which takes the columns in their order.

    Without one, rows stay the sequences that they come as.
    """

    def __init__(self, statement: sa.Select[*tuple[Any, ...]], row: Callable[..., Row] | None = None) -> None:
        self.statement = statement
        self.row = row
        self._forms: dict[bool, Form[Row]] = {}

    def form(self, *, is_sqlite: bool) -> Form[Row]:
        """How the statement is written for a driver."""
        form = self._forms.get(is_sqlite)
        if form is None:
            form = self._forms[is_sqlite] = _form(self, _SQLITE if is_sqlite else _POSTGRESQL)
        return form


def _form(prepared: Prepared[Row], dialect: Any) -> Form[Row]:
    compiled: Any = prepared.statement.compile(dialect=dialect)
    processors: Any = compiled._bind_processors  # noqa: SLF001 - as SQLAlchemy itself runs it
    conversions = [
        (index, convert)
        for index, column in enumerate(prepared.statement.selected_columns)
        if (convert := _conversion(column.type, dialect)) is not None
    ]
    given = {name: bind.value for bind, name in compiled.bind_names.items() if not bind.required}
    return Form(
        str(compiled),
        [(name, processors.get(name)) for name in compiled.positiontup or ()],
        given,
        prepared.row,
        conversions,
    )


def _conversion(kind: Any, dialect: Any) -> Callable[[Any], Any] | None:
    """What makes a driver's value ours, by a shorter way than SQLAlchemy's where there is one.

    None where the value is ours already.
    """
    if isinstance(kind, sa.Enum) and kind.enum_class is not None:
        members = {None: None, **{member.value: member for member in kind.enum_class}}
        return members.__getitem__
    if isinstance(kind, UtcDateTime):
        return None if dialect is _POSTGRESQL else read_sqlite_time  # `keep_times` reads PostgreSQL's
    convert: Callable[[Any], Any] | None = kind.dialect_impl(dialect).result_processor(dialect, None)
    return convert
