# mypy: disable-error-code="no-any-return, untyped-decorator"
# ruff: noqa: PIE796, PLR0917, RUF012 - nasty on purpose
"""A schema made to be nasty: everything that Strawberry allows and nobody should combine."""

import dataclasses
import datetime as dt
import decimal
import enum
import uuid
from typing import Annotated, Any, Generic, TypeVar

import strawberry
from strawberry import ID, UNSET, Info
from strawberry.extensions.field_extension import FieldExtension
from strawberry.permission import BasePermission
from strawberry.relay import GlobalID
from strawberry.scalars import JSON
from strawberry.schema.config import StrawberryConfig

from tests.execution.compiled.social import world
from tests.execution.compiled.world import Later

T = TypeVar("T")


@strawberry.enum
class Mood(enum.IntFlag):
    GOOD = 1
    BAD = 2


@strawberry.enum(name="Colour")
class Color(enum.Enum):
    RED = ("r", 1)
    GREEN = "g"
    ALSO_GREEN = "g"
    class_ = "c"


class Fussy:
    """A scalar that does not take everything, and gives back stranger things."""


def _serialize_fussily(value: Any) -> Any:
    if value == "none":
        return None
    if value == "later":
        return Later("came later", 1)
    if not isinstance(value, str):
        raise TypeError(f"Fussy about {type(value).__name__}")
    return {"fussy": value}


def _parse(value: Any) -> Any:
    if value == "text":
        raise ValueError("Fussy about text")
    return (value, "parsed")


CONFIG = StrawberryConfig(
    relay_max_results=10,
    scalar_map={Fussy: strawberry.scalar(name="Fussy", serialize=_serialize_fussily, parse_value=_parse)},
)


class OnlySome(BasePermission):
    message = "not for you"
    error_extensions = {"code": "FORBIDDEN"}

    def has_permission(self, source: Any, info: Info, **kwargs: Any) -> bool:
        return bool(
            world(info).draw("permission", getattr(source, "seed", ""), repr(sorted(kwargs))).random() < 0.5
        )


class OnlySomeLater(OnlySome):
    async def has_permission(self, source: Any, info: Info, **kwargs: Any) -> bool:  # type: ignore[override]
        return super().has_permission(source, info, **kwargs)


class Shout(FieldExtension):
    def resolve(self, next_: Any, source: Any, info: Info, **kwargs: Any) -> Any:
        value = next_(source, info, **kwargs)
        return value.upper() if isinstance(value, str) else value


@strawberry.interface
class Thing:
    thing_id: ID = strawberry.field(name="id")


@strawberry.interface
class LivingThing(Thing):
    mood: Mood | None

    @strawberry.field
    def loudly(self, info: Info) -> str | None:
        return world(info).resolve(self, "Cat.loudly")


@strawberry.interface
class Chosen:
    title: str | None

    @classmethod
    def resolve_type(cls, value: Any, info: Any, abstract: Any) -> Any:
        chance = info.context["world"].draw("chosen", getattr(value, "seed", repr(type(value))))
        answers: list[Any] = ["Cat", "Dog", "Dog", "Stone", "Nothing", "Query", None, 5, Later("Dog", 1)]
        return chance.choice(answers)


@strawberry.type
class Cat(LivingThing):
    class_: str = strawberry.field(name="class")
    lives: int
    weight: float | None
    colour: Color
    asleep: bool
    kittens: list["Cat"]
    nested: list[list[int | None] | None] | None
    strict: list[list[int]]
    fussy: Fussy | None
    sure: Fussy


@strawberry.type
class Dog(LivingThing, Chosen):
    born: dt.date | None
    tag: uuid.UUID
    price: decimal.Decimal
    anything: JSON | None
    tags: list[str] | None
    must: list[str]
    friends: list["Animal | None"]

    @strawberry.field(permission_classes=[OnlySome])
    def secret(self, info: Info) -> str:
        return str(world(info).resolve(self, "Dog.secret"))

    @strawberry.field(permission_classes=[OnlySomeLater])
    def secret_later(self, info: Info) -> str | None:
        return world(info).resolve(self, "Dog.secretLater")

    @strawberry.field(extensions=[Shout()])
    def shouted(self, info: Info, word: str = "bark") -> str:
        return word

    @strawberry.field
    @staticmethod
    def still(info: Info) -> int:
        return world(info).resolve(None, "Dog.still")


@strawberry.type
class Stone(Thing):
    weight: int

    @classmethod
    def is_type_of(cls, value: Any, info: Any) -> Any:
        chance = info.context["world"].draw("stone", getattr(value, "seed", repr(type(value))))
        return chance.choice([True, True, isinstance(value, cls), False, Later(True, 1), Later(False, 1)])


@strawberry.type
class Box(Generic[T]):
    content: T
    more: list[T]


Animal = Annotated["Cat | Dog", strawberry.union("Animal")]
Anything = Annotated["Cat | Dog | Stone | Box[int]", strawberry.union("Anything")]


@strawberry.input
class Plain:
    text: str
    number: int | None = None
    ratio: float = 0.5
    flags: list[bool | None] = strawberry.field(default_factory=lambda: [True])
    colour: Color | None = Color.GREEN
    from_: str | None = strawberry.field(name="from", default=UNSET)


@strawberry.input
class Filter:
    all_: list["Filter"] | None = strawberry.field(name="and", default=None)
    not_: "Filter | None" = strawberry.field(name="not", default=UNSET)
    moods: list[Mood] | None = None
    at: dt.datetime | None = None
    fussy: Fussy | None = None
    plain: Plain | None = None


@strawberry.input
class Checked:
    amount: int

    def __post_init__(self) -> None:
        if self.amount < 0:
            raise ValueError("amount below zero")


@strawberry.input(one_of=True)
class Either:
    left: int | None = UNSET
    right: Plain | None = UNSET


@strawberry.input
class Perhaps:
    name: strawberry.Maybe[str]
    note: strawberry.Maybe[str | None]
    inner: strawberry.Maybe[Plain]


@dataclasses.dataclass
class Row:
    seed: str = "row"
    lives: int = 9


@strawberry.type
class Query:
    cat: Cat
    maybe_cat: Cat | None

    @strawberry.field
    def animal(self, info: Info) -> Animal:
        return world(info).resolve(self, "Query.animal")

    @strawberry.field
    async def animals(self, info: Info, colour: Color = Color.RED) -> list[Animal | None] | None:
        return await world(info).resolve_later(self, "Query.animals", colour=colour)

    @strawberry.field
    def anything(self, info: Info) -> list[Anything]:
        return world(info).resolve(self, "Query.anything")

    @strawberry.field
    def living(self, info: Info) -> LivingThing | None:
        return world(info).resolve(self, "Query.living")

    @strawberry.field
    def things(self, info: Info) -> list[Thing]:
        return world(info).resolve(self, "Query.things")

    @strawberry.field
    def chosen(self, info: Info) -> list[Chosen | None] | None:
        return world(info).resolve(self, "Query.chosen")

    @strawberry.field
    def stone(self, info: Info) -> Stone | None:
        return world(info).resolve(self, "Query.stone")

    @strawberry.field
    def boxes(self, info: Info) -> list[Box[str]]:
        return world(info).resolve(self, "Query.boxes")

    @strawberry.field
    def later(self, info: Info) -> Cat:
        return Later(world(info).resolve(self, "Query.later"), 2)  # type: ignore[return-value]

    @strawberry.field
    def take(
        self,
        info: Info,
        plain: Plain,
        plains: list[Plain] = [Plain(text="a"), Plain(text="b", number=2)],  # noqa: B006, B008
        colours: list[Color | None] | None = None,
        default: Plain | None = Plain(text="d"),  # noqa: B008 - Strawberry copies
    ) -> str | None:
        return world(info).resolve(
            self, "Query.take", plain=plain, plains=plains, colours=colours, default=default
        )

    @strawberry.field
    def filter(self, info: Info, where: Filter | None = UNSET, not_null: int = 5) -> int | None:
        return world(info).resolve(self, "Query.filter", where=where, not_null=not_null)

    @strawberry.field
    async def check(self, info: Info, checked: Checked, optional: Checked | None = None) -> int | None:
        return await world(info).resolve_later(self, "Query.check", checked=checked, optional=optional)

    @strawberry.field
    def either(self, info: Info, either: Either) -> int | None:
        return world(info).resolve(self, "Query.either", either=either)

    @strawberry.field
    def perhaps(self, info: Info, perhaps: Perhaps, bare: strawberry.Maybe[int | None] = None) -> int | None:
        return world(info).resolve(self, "Query.perhaps", perhaps=perhaps, bare=bare)

    @strawberry.field
    def scalars(
        self,
        info: Info,
        when: dt.datetime | None = None,
        fussy: Fussy | None = None,
        anything: JSON | None = None,
        tag: uuid.UUID | None = UNSET,
        price: decimal.Decimal | None = None,
        global_id: GlobalID | None = None,
        ids: list[GlobalID] | None = None,
        plain_id: ID | None = None,
        deep: list[list[int | None]] | None = None,
    ) -> str | None:
        return world(info).resolve(
            self,
            "Query.scalars",
            when=when,
            fussy=fussy,
            anything=anything,
            tag=tag,
            price=price,
            global_id=global_id,
            ids=ids,
            plain_id=plain_id,
            deep=deep,
        )

    @strawberry.field
    def info_of(self, info: Info, argument: str | None = None) -> str:
        seen = (
            info.field_name,
            info.python_name,
            info.path.as_list(),
            info.variable_values,
            info.root_value is self,
        )
        return f"{seen} {len(info.selected_fields)} {info.operation.name and info.operation.name.value}"

    @strawberry.field
    def lists(self, info: Info) -> list[list[Cat | None]] | None:
        return world(info).resolve(self, "Query.lists")


@strawberry.type
class Mutation:
    @strawberry.mutation
    def sync(self, info: Info, plain: Plain) -> Cat | None:
        return world(info).resolve(self, "Mutation.sync", plain=plain)

    @strawberry.mutation
    async def later(self, info: Info, where: Filter | None = None) -> Cat:
        return await world(info).resolve_later(self, "Mutation.later", where=where)

    @strawberry.mutation
    async def later_maybe(self, info: Info, either: Either | None = None) -> list[Dog] | None:
        return await world(info).resolve_later(self, "Mutation.laterMaybe", either=either)


schema = strawberry.Schema(
    query=Query,
    mutation=Mutation,
    types=[Cat, Dog, Stone],
    config=CONFIG,
)
