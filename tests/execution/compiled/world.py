"""A made-up world behind a schema: every value follows from a seed, so two executors meet the same one.

Some of it is wrong on purpose: missing attributes, nulls, values of the wrong class, exceptions raised and
exceptions returned, awaitables where a value is expected, generators for lists. What resolvers were called
with is logged, in order.
"""

import asyncio
import random
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import strawberry
from graphql import (
    GraphQLEnumType,
    GraphQLError,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    get_named_type,
    is_abstract_type,
    is_leaf_type,
)
from graphql.pyutils import Undefined
from strawberry.dataloader import DataLoader

DEFINITION = "strawberry-definition"


class Later:
    """An awaitable that is no coroutine: it may go unawaited without a warning."""

    def __init__(self, value: Any, ticks: int) -> None:
        self._value = value
        self._ticks = ticks

    def __await__(self) -> Generator[Any, Any, Any]:
        for _ in range(self._ticks):
            yield
        if isinstance(self._value, BaseException):
            raise self._value
        return self._value


class Message(Exception):
    """Has a message of its own, and extensions, as some libraries' errors do."""

    def __init__(self, message: str) -> None:
        super().__init__("not this one")
        self.message = message
        self.extensions = {"code": "MESSAGE"}


class Odd:
    """An object that no scalar expects."""

    def __repr__(self) -> str:
        return "<Odd>"


class Secretive:
    """Answers some attributes by itself, as mocks and proxies do."""

    def __init__(self, **attributes: Any) -> None:
        self.__dict__.update(attributes)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return f"secret {name}"


class Moody:
    """Some of its instances say that they can be awaited, and cannot."""

    def __init__(self, *, promising: bool) -> None:
        self.promising = promising

    def __getattr__(self, name: str) -> Any:
        if name == "__await__" and self.promising:
            return iter
        raise AttributeError(name)


class Named(str):
    """A string of a class of its own."""

    __slots__ = ()


class Foreign(Enum):
    ELSEWHERE = "elsewhere"


MOODS = [Moody(promising=True), Moody(promising=False)]
LEAVES: dict[str, list[Any]] = {
    "String": ["", "a", "ünï", "null"],
    "ID": ["1", "x", 7, UUID(int=3)],
    "Int": [0, 1, -5, 2147483647, True, 3.0, "12"],
    "Float": [0.5, 1.0, 3, True, "2.5", Decimal("1.5")],
    "Boolean": [True, False, 1, 0, 0.0],
    "DateTime": [datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)],
    "Date": [date(2026, 1, 2)],
    "UUID": [UUID(int=1)],
    "Decimal": [Decimal("1.50")],
    "JSON": [{"a": [1, None]}, [1], "s", 1.5, True],
}
ODD_LEAVES: list[Any] = [
    *(2147483648, -2147483649, float("nan"), float("inf"), 1.5, "", "abc", b"bytes", [], [1], {}, {"a": 1}),
    *(
        Odd(),
        Named("named"),
        UUID(int=9),
        Foreign.ELSEWHERE,
        Undefined,
        object,
        Decimal("NaN"),
        set(),
        *MOODS,
        10**400,
    ),
]


@dataclass
class World:
    """What one run meets. Two worlds of one seed are the same."""

    schema: GraphQLSchema
    seed: str
    names: frozenset[str]
    """The fields that the document mentions: nothing else needs a value."""
    trouble: float
    log: list[str] = field(default_factory=list)
    loader: "DataLoader[str, Any]" = field(init=False)

    def __post_init__(self) -> None:
        self.loader = DataLoader(load_fn=self._load)

    async def _load(self, keys: list[str]) -> list[Any]:
        self.log.append(f"load {keys}")
        await asyncio.sleep(0)
        return [self._loaded(key) for key in keys]

    def _loaded(self, key: str) -> Any:
        type_name, seed = key.split(" ", 1)
        chance = self.draw("loaded", seed)
        if chance.random() < self.trouble / 2:
            return ValueError(f"cannot load {seed}")
        return self.object(self.schema.type_map[type_name], seed, 3)

    def draw(self, *parts: str) -> random.Random:
        return random.Random(" ".join((self.seed, *parts)))

    def field_type(self, type_name: str, field_name: str) -> Any:
        type_: Any = self.schema.type_map[type_name]
        return type_.fields[field_name].type

    def resolve(self, source: Any, name: str, **arguments: Any) -> Any:
        """Be a resolver, `Type.field`: log the call, then raise, or return something."""
        seed = f"{getattr(source, 'seed', '')}/{name.split('.')[1]}{sorted(arguments.items())!r}"
        self.log.append(f"{name} {seed}")
        chance = self.draw("resolve", seed)
        if chance.random() < self.trouble:
            error = self.error(chance, seed)
            if chance.random() < 0.5:
                raise error
            return error
        return self.value(self.field_type(*name.split(".")), seed, 4)

    async def resolve_later(self, source: Any, name: str, **arguments: Any) -> Any:
        seed = f"{getattr(source, 'seed', '')}/{name}"
        for _ in range(self.draw("ticks", seed).choice((0, 0, 1, 2, 5))):
            await asyncio.sleep(0)
        return self.resolve(source, name, **arguments)

    def load(self, source: Any, type_name: str) -> Awaitable[Any]:
        """Have an object batch-loaded; few keys, so that they meet."""
        seed = getattr(source, "seed", "")
        return self.loader.load(f"{type_name} {self.draw('key', seed).randrange(4)}")

    def error(self, chance: random.Random, seed: str) -> Exception:
        return chance.choice(
            [
                ValueError(f"bad {seed[-12:]}"),
                Message(f"message {seed[-12:]}"),
                GraphQLError(f"refused {seed[-12:]}", extensions={"code": "REFUSED"}),
                GraphQLError("elsewhere", path=["some", "where"]),
                KeyError("key"),
                AssertionError(),
                RecursionError("too deep"),
                StopIteration(),
            ]
        )

    def value(self, type_: Any, seed: str, depth: int) -> Any:
        """Make up a value of a type, or something that is none."""
        chance = self.draw("value", seed)
        if chance.random() < self.trouble:
            return self.odd(type_, seed, depth, chance)
        return self.proper(type_, seed, depth, chance)

    def odd(self, type_: Any, seed: str, depth: int, chance: random.Random) -> Any:
        makers: list[Callable[[], Any]] = [
            lambda: None,
            lambda: None,
            lambda: self.error(chance, seed),
            lambda: Later(self.proper(type_, seed, depth, chance), chance.randrange(3)),
            lambda: Later(self.error(chance, seed), chance.randrange(3)),
            lambda: Later(None, 1),
            lambda: chance.choice(ODD_LEAVES),
            lambda: chance.choice([(), [None], iter([1]), range(2), "text"]),
            lambda: [self.error(chance, seed)],
            lambda: self.object(chance.choice(self.object_types()), seed, depth - 1),
        ]
        if is_leaf_type(get_named_type(type_)):
            makers += [lambda: chance.choice(ODD_LEAVES)] * 5
        return chance.choice(makers)()

    def object_types(self) -> list[GraphQLObjectType]:
        return [
            type_
            for name, type_ in sorted(self.schema.type_map.items())
            if isinstance(type_, GraphQLObjectType) and not name.startswith("__")
        ]

    def proper(self, type_: Any, seed: str, depth: int, chance: random.Random) -> Any:
        if isinstance(type_, GraphQLNonNull):
            return self.proper(type_.of_type, seed, depth, chance)
        if chance.random() < 0.1:
            return None
        if isinstance(type_, GraphQLList):
            return self.items(type_.of_type, seed, depth, chance)
        if is_leaf_type(type_):
            return self.leaf(type_, chance)
        if is_abstract_type(type_):
            possible = sorted(self.schema.get_possible_types(type_), key=lambda one: one.name)
            made = self.object(chance.choice(possible), seed, depth)
            if chance.random() < 0.1:
                return cast_to(made, chance.choice(possible))
            return made
        return self.object(type_, seed, depth, rows=chance.random() < 0.2)

    def items(self, type_: Any, seed: str, depth: int, chance: random.Random) -> Any:
        count = 0 if depth <= 0 else chance.choice((0, 1, 2, 3))
        items = [self.value(type_, f"{seed}[{index}]", depth) for index in range(count)]
        return chance.choice(
            [list, list, list, list, tuple, deque, iter, generate, generate_later if self.trouble else list]
        )(items)

    def leaf(self, type_: Any, chance: random.Random) -> Any:
        if isinstance(type_, GraphQLEnumType):
            members = list(type_.extensions[DEFINITION].wrapped_cls)
            member = chance.choice(members)
            return member if chance.random() < 0.8 else member.value
        assert isinstance(type_, GraphQLScalarType)
        return chance.choice(LEAVES.get(type_.name, ["scalar"]))

    def object(self, type_: Any, seed: str, depth: int, *, rows: bool = False) -> Any:
        """Make an instance of a Strawberry type, or a row like it, with the attributes asked for."""
        attributes: dict[str, Any] = {"seed": seed}
        chance = self.draw("object", seed)
        for graphql_name, field_ in type_.fields.items():
            definition = field_.extensions[DEFINITION]
            if graphql_name not in self.names or definition.base_resolver is not None:
                continue
            if depth > 0 and chance.random() > self.trouble / 4:
                attributes[definition.python_name] = self.value(
                    field_.type, f"{seed}.{graphql_name}", depth - 1
                )
        if rows:
            return chance.choice([SimpleNamespace, Secretive])(**attributes)
        made = object.__new__(type_.extensions[DEFINITION].origin)
        made.__dict__.update(attributes)
        return made


def cast_to(made: Any, type_: GraphQLObjectType) -> Any:
    return strawberry.cast(type_.extensions[DEFINITION].origin, made)


def generate(items: list[Any]) -> Generator[Any, None, None]:
    yield from items


async def generate_later(items: list[Any]) -> AsyncIterator[Any]:
    for item in items:
        yield item
