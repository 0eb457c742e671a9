"""What graphql-core's own tests say of lists, nulls, leaves and abstract types, on both executors."""

import asyncio
import datetime as dt
import enum
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from decimal import Decimal
from types import SimpleNamespace
from typing import Annotated, Any

import pytest
import strawberry
from graphql.pyutils import Undefined
from strawberry.schema.config import StrawberryConfig

from tests.execution.compiled.both import both, each, messages
from tests.execution.compiled.world import Later, Message, Odd, Secretive

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore:coroutine")


@strawberry.enum
class Size(enum.Enum):
    SMALL = 1
    LARGE = "large"


class Nothing:
    """A scalar that is always serialized to nothing."""


CONFIG = StrawberryConfig(
    scalar_map={Nothing: strawberry.scalar(name="Nothing", serialize=lambda _: None, parse_value=str)}
)


@strawberry.type
class Item:
    number: int

    @strawberry.field
    async def promised(self) -> int:
        await asyncio.sleep(0)
        return self.number


@strawberry.type
class Values:
    list_: list[int | None] | None = strawberry.field(name="list")
    list_of_present: list[int] | None
    present_list: list[int | None]
    present_list_of_present: list[int]
    nested: list[list[str] | None] | None
    words: list[str] | None
    items: list[Item | None] | None
    present_items: list[Item] | None
    text: str | None
    number: int | None
    ratio: float | None
    flag: bool | None
    id: strawberry.ID | None
    size: Size | None
    at: dt.datetime | None
    nothing: Nothing | None
    beside: str | None


LISTS = ["list", "listOfPresent", "presentList", "presentListOfPresent"]


@strawberry.type
class Holding:
    values: Values | None


schema = strawberry.Schema(Holding, config=CONFIG)


async def ask(field: str, make: Callable[[], Any]) -> dict[str, Any]:
    """Complete a value as one field, beside another."""
    name = {"list": "list_"}.get(field) or "".join(f"_{c.lower()}" if c.isupper() else c for c in field)
    named = "{ number promised }" if field.lower().endswith("items") else ""

    def root() -> Any:
        return SimpleNamespace(values=SimpleNamespace(**{name: make(), "beside": "there"}))

    return await both(schema, f"{{ values {{ value: {field} {named} beside }} }}", root=root)


def value_of(answer: dict[str, Any]) -> Any:
    return answer["data"]["values"] and answer["data"]["values"]["value"]


async def rejected(message: str) -> Any:
    raise RuntimeError(message)


async def resolved(value: Any) -> Any:
    return value


class Numbers:
    """An iterable of its own kind."""

    def __iter__(self) -> Iterator[int]:
        return iter((1, 2))


class Failing:
    """An iterator that fails at its second item, and has more."""

    def __init__(self) -> None:
        self.items = iter([1, None, 3])

    def __iter__(self) -> "Failing":
        return self

    def __next__(self) -> int:
        item = next(self.items)
        if item is None:
            raise RuntimeError("bad")
        return item


def counted() -> Iterator[int]:
    yield from (1, 2)


async def counted_later(*items: Any) -> AsyncIterator[Any]:
    for item in items:
        if isinstance(item, Exception):
            raise item
        yield item


@each(
    "make",
    [
        lambda: [1, 2],
        lambda: (1, 2),
        lambda: deque([1, 2]),
        lambda: {1, 2},
        lambda: frozenset([1, 2]),
        lambda: range(1, 3),
        counted,
        Numbers,
        {1: "a", 2: "b"}.keys,
        lambda: counted_later(1, 2),
        lambda: resolved([1, 2]),
        lambda: [resolved(1), 2],
        lambda: [resolved(1), resolved(2)],
        lambda: Later([1, Later(2, 3)], 1),
    ],
)
async def test_whatever_can_be_iterated_is_a_list(make: Callable[[], Any]) -> None:
    assert value_of(await ask("list", make)) == [1, 2]


@each("make", [lambda: {"a": 1}, lambda: "text", lambda: b"bytes", lambda: 5, Odd, lambda: Item(number=1)])
async def test_what_cannot_be_iterated_is_no_list(make: Callable[[], Any]) -> None:
    answer = await ask("words", make)
    assert messages(answer) == [
        ("Expected Iterable, but did not find one for field 'Values.words'.", ["values", "value"])
    ]


@each("field", LISTS)
@each(
    "make",
    [
        lambda: [1, 2],
        lambda: [1, None, 2],
        lambda: None,
        list,
        lambda: [1, ValueError("bad"), 2],
        lambda: ValueError("bad"),
        lambda: resolved(None),
        lambda: resolved([1, None]),
        lambda: rejected("bad"),
        lambda: [resolved(1), resolved(None), resolved(2)],
        lambda: [resolved(1), rejected("bad"), resolved(2)],
        lambda: [resolved(1), rejected("first"), rejected("second"), None],
        lambda: [rejected("first bad"), None, rejected("third bad")],
        lambda: [1, "two", 3.0, True, 2.5],
        lambda: counted_later(1, None, 2),
        lambda: counted_later(1, RuntimeError("late"), 2),
        Failing,
        lambda: Undefined,
        lambda: [Undefined],
    ],
)
async def test_nulls_and_errors_in_lists_go_up_as_far_as_the_types_say(
    field: str, make: Callable[[], Any]
) -> None:
    await ask(field, make)


async def test_lists_in_lists() -> None:
    assert value_of(await ask("nested", lambda: [["a"], None, ("b", "c"), []])) == [
        ["a"],
        None,
        ["b", "c"],
        [],
    ]
    answer = await ask("nested", lambda: [["a", None], ["b"], 5])
    assert [path for _, path in messages(answer)] == [["values", "value", 0, 1], ["values", "value", 2]]


@each("field", ["items", "presentItems"])
@each(
    "make",
    [
        lambda: [Item(number=1), Item(number=2)],
        lambda: [Item(number=1), Item(number="x")],  # type: ignore[arg-type]
        lambda: [Item(number=1), None],
        lambda: [Item(number=1), SimpleNamespace(number=2, promised=2)],
        lambda: [SimpleNamespace(), Item(number=2)],
        lambda: [Later(Item(number=1), 2), Item(number=2)],
        lambda: [Item(number=None), Item(number=2), Later(None, 1)],  # type: ignore[arg-type]
    ],
)
async def test_lists_of_objects_with_asynchronous_fields(field: str, make: Callable[[], Any]) -> None:
    await ask(field, make)


SCALARS: dict[str, list[Any]] = {
    "text": ["a", "", 1, 1.5, True, b"x", [1], {}, Odd(), Size.SMALL, float("nan"), object()],
    "number": [
        0,
        True,
        1.0,
        1.5,
        "12",
        "",
        "x",
        2**31 - 1,
        2**31,
        -(2**31),
        -(2**31) - 1,
        Decimal(3),
        Decimal("1.5"),
        None,
        [],
        float("inf"),
    ],
    "ratio": [0.5, 1, True, "2.5", "x", "", float("nan"), float("inf"), 10**400, Decimal("1.5"), []],
    "flag": [True, False, 1, 0, 0.0, float("nan"), "true", [], Decimal(0)],
    "id": ["a", 1, 1.0, 1.5, True, Odd(), [1], b"x", Decimal(2)],
    "size": [Size.SMALL, Size.LARGE, 1, "large", "LARGE", 2, [1], None, Odd()],
    "at": [dt.datetime(2026, 1, 1), dt.date(2026, 1, 1), "text", 5, Odd()],  # noqa: DTZ001
    "nothing": ["something", None],
}


@each(("field", "value"), [(field, value) for field, values in SCALARS.items() for value in values])
async def test_leaves_are_serialized_alike_and_refused_in_the_same_words(field: str, value: Any) -> None:
    await ask(field, lambda: value)
    await ask(field, lambda: Later(value, 1))


@each("error", [ValueError("x"), Message("own words"), KeyError("k"), AssertionError()])
async def test_errors_may_be_returned_raised_or_awaited(error: Exception) -> None:
    await ask("text", lambda: error)
    await ask("text", lambda: Later(error, 1))
    await ask("items", lambda: [error])


async def test_a_row_that_answers_attributes_by_itself_is_asked_as_always() -> None:
    answer = await both(
        schema, "{ values { text number } }", root=lambda: Secretive(values=Secretive(number=1))
    )
    assert answer["data"] == {"values": {"text": "secret text", "number": 1}}


async def test_a_missing_attribute_is_the_fields_error() -> None:
    answer = await both(schema, "{ values { text } }", root=lambda: SimpleNamespace(values=object()))
    assert messages(answer) == [("'object' object has no attribute 'text'", ["values", "text"])]


# --- abstract types ----------------------------------------------------------------------------------


@strawberry.interface
class Named:
    name: str | None


@strawberry.interface
class Mammal(Named):
    legs: int


@strawberry.type
class Dog(Mammal):
    barks: bool

    @strawberry.field
    async def friends(self) -> "list[Annotated[Dog | Cat | Person, strawberry.union('Friend')] | None]":
        return [self, None, Person(name="Liz")]


@strawberry.type
class Cat(Mammal):
    meows: bool


@strawberry.type
class Person(Named):
    pass


class Puppy(Dog):
    """Not decorated: an instance of it is a Dog."""


@strawberry.type
class Stranger:
    name: str = "stranger"


@strawberry.type
class Checked(Named):
    @classmethod
    def is_type_of(cls, value: Any, info: Any) -> Any:
        answer = value.answer
        if isinstance(answer, Exception):
            raise answer
        return answer


Pet = Annotated[Dog | Cat, strawberry.union("Pet")]


@strawberry.type
class Zoo:
    pet: Pet | None
    pets: list[Pet | None] | None
    named: list[Named | None] | None
    present: list[Named]
    mammal: Mammal | None
    dog: Dog | None
    checked: Checked | None


zoo = strawberry.Schema(Zoo, types=[Dog, Cat, Person, Checked])
ALL = """{ pets { ...P } named { ...N }
        mammal { __typename legs ... on Named { name } ... on Dog { barks } } }
    fragment P on Pet { __typename
        ... on Dog { name barks } ... on Cat { name meows } ... on Mammal { legs } }
    fragment N on Named { __typename name
        ... on Mammal { legs ... on Dog { barks friends { ... on Named { name } } } } }"""


def dog(name: str = "Odie") -> Dog:
    return Dog(name=name, legs=4, barks=True)


def cat() -> Cat:
    return Cat(name="Garfield", legs=4, meows=False)


@each(
    "values",
    [
        lambda: [dog(), cat()],
        lambda: [dog(), cat(), dog("again"), cat()],
        lambda: [Person(name="John"), dog()],
        lambda: [Puppy(name="small", legs=4, barks=False)],
        lambda: [Stranger(), dog()],
        lambda: [None, SimpleNamespace(name="row"), "text", 5],
        lambda: [strawberry.cast(Dog, SimpleNamespace(name="cast", legs=3, barks=True))],
        lambda: [dog(), strawberry.cast(Cat, dog("a cat now")), dog("after")],
        lambda: [Later(dog(), 1), ValueError("no pet"), Later(ValueError("none either"), 2)],
        lambda: [SimpleNamespace(_SimpleNamespace__typename="Dog", name="private", legs=1, barks=False)],
        lambda: [{"__typename": "Cat"}],
    ],
)
async def test_runtime_types_are_found_and_refused_alike(values: Callable[[], list[Any]]) -> None:
    def root() -> Any:
        return SimpleNamespace(pets=values(), named=values(), mammal=values()[0])

    await both(zoo, ALL, root=root)


@each(
    "answer",
    [
        True,
        False,
        ValueError("cannot tell"),
        Later(True, 1),
        Later(False, 1),
        Later(ValueError("cannot tell"), 1),
    ],
)
async def test_types_may_judge_values_themselves(answer: Any) -> None:
    def root() -> Any:
        row = SimpleNamespace(name="row", answer=answer)
        return SimpleNamespace(checked=row, named=[row, dog()], present=[row])

    await both(zoo, "{ checked { name } named { __typename name } }", root=root)
    await both(zoo, "{ named { name } present { __typename name } }", root=root)


async def test_an_object_of_the_wrong_class_is_refused_unless_it_is_of_the_schema() -> None:
    answer = await both(zoo, "{ dog { name } }", root=lambda: SimpleNamespace(dog=cat()))
    assert answer["data"] == {"dog": {"name": "Garfield"}}
    answer = await both(zoo, "{ dog { name } }", root=lambda: SimpleNamespace(dog=SimpleNamespace(name="x")))
    assert messages(answer)[0][0].startswith("Expected value of type 'Dog' but got:")


async def test_what_was_learned_of_a_class_does_not_hold_for_one_that_is_cast() -> None:
    def root() -> Any:
        return SimpleNamespace(pets=[dog(), strawberry.cast(Cat, dog()), dog()])

    answer = await both(zoo, "{ pets { __typename } }", root=root)
    assert [pet["__typename"] for pet in answer["data"]["pets"]] == ["Dog", "Cat", "Dog"]
