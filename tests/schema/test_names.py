"""A walk through the whole schema: names that every client language can write, and fields that every client can select."""

import inspect
import re
from collections.abc import Iterator
from itertools import combinations
from typing import Any, get_args, get_type_hints

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLUnionType,
    get_named_type,
    is_leaf_type,
)

from graphql_api.schema import build_schema
from graphql_api.storage import rows
from tests.test_contract import SCHEMA, own_types

# What a generated client cannot use as a name without a way around it.
RESERVED = {
    "JavaScript": """
        arguments await break case catch class const continue debugger default delete do else enum eval export extends
        false finally for function if implements import in instanceof interface let new null package private protected
        public return static super switch this throw true try typeof var void while with yield""",
    "Python": """
        False None True and as assert async await break class continue def del elif else except finally for from global
        if import in is lambda nonlocal not or pass raise return try while with yield""",
    "Kotlin": """
        as break class continue do else false for fun if in interface is null object package return super this throw
        true try typealias typeof val var when while""",
    "Swift": """
        Any Protocol Self Type as associatedtype await break case catch class continue default defer deinit do else enum
        extension fallthrough false fileprivate for func guard if import in init inout internal is let nil open operator
        precedencegroup private protocol public repeat rethrows return self static struct subscript super switch throw
        throws true try typealias var where while""",
    "Go": """
        break case chan const continue default defer else fallthrough for func go goto if import interface map package
        range return select struct switch type var""",
}
# Named by the agreement with clients, which says what kind of account is meant right beside them.
BARE_ACCOUNTS = {"AccountLimitReached", "AccessTokenProblem.WRONG_ACCOUNT"}


def names() -> Iterator[tuple[str, str]]:
    """Every name in the schema: where it is, and the name."""
    for item in own_types():
        yield item.name, item.name
        match item:
            case GraphQLObjectType() | GraphQLInterfaceType():
                for name, field in item.fields.items():
                    yield f"{item.name}.{name}", name
                    yield from ((f"{item.name}.{name}({argument})", argument) for argument in field.args)
            case GraphQLInputObjectType():
                yield from ((f"{item.name}.{name}", name) for name in item.fields)
            case GraphQLEnumType():
                yield from ((f"{item.name}.{name}", name) for name in item.values)
            case _:
                pass


@pytest.mark.parametrize("language", RESERVED)
def test_no_name_is_a_reserved_word(language: str) -> None:
    reserved = set(RESERVED[language].split())
    assert [where for where, name in names() if name in reserved] == []


def test_no_name_says_account_without_saying_which() -> None:
    found = set()
    for where, name in names():
        words = [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)]
        for before, word in zip(["", *words], words, strict=False):
            if word in {"account", "accounts"} and before not in {"social", "facebook", "instagram"}:
                found.add(where)
    assert found == BARE_ACCOUNTS


def conflicts(one: Any, other: Any, where: str, seen: set[tuple[str, str]]) -> Iterator[str]:
    """Where one selection cannot have both fields, though each is in a fragment of its own type."""
    for wrapper in (GraphQLNonNull, GraphQLList):
        if isinstance(one, wrapper) or isinstance(other, wrapper):
            if isinstance(one, wrapper) and isinstance(other, wrapper):
                yield from conflicts(one.of_type, other.of_type, where, seen)
            else:
                yield f"{where}: {one} and {other}"
            return
    if is_leaf_type(one) or is_leaf_type(other):
        if one is not other:
            yield f"{where}: {one} and {other}"
        return
    for pair in ((left, right) for left in concrete(one) for right in concrete(other)):
        yield from field_conflicts(*pair, seen)


def field_conflicts(
    left: GraphQLObjectType, right: GraphQLObjectType, seen: set[tuple[str, str]]
) -> Iterator[str]:
    key = (min(left.name, right.name), max(left.name, right.name))
    if left is right or key in seen:
        return
    seen.add(key)
    for name in left.fields.keys() & right.fields.keys():
        where = f"{left.name}.{name} and {right.name}.{name}"
        yield from conflicts(left.fields[name].type, right.fields[name].type, where, seen)


def concrete(item: Any) -> list[GraphQLObjectType]:
    if isinstance(item, GraphQLUnionType | GraphQLInterfaceType):
        return list(SCHEMA.get_possible_types(item))
    assert isinstance(item, GraphQLObjectType)
    return [item]


def test_everything_can_be_selected_on_node_in_one_operation() -> None:
    """Fragments on two types may name the same field only if what it returns has the same shape, all the way down."""
    found: list[str] = []
    seen: set[tuple[str, str]] = set()
    for pair in combinations(concrete(SCHEMA.type_map["Node"]), 2):
        found += field_conflicts(*pair, seen)
    assert found == []


@pytest.mark.parametrize("interface", ["SocialAccount", "FieldError"])
def test_a_field_name_has_one_type_in_all_implementers(interface: str) -> None:
    types: dict[str, set[str]] = {}
    for item in concrete(SCHEMA.type_map[interface]):
        for name, field in item.fields.items():
            types.setdefault(name, set()).add(str(field.type))
    assert {name: found for name, found in types.items() if len(found) > 1} == {}


# Read with the viewer's own row, which every request of theirs reads first.
OF_THE_VIEWER = {"Viewer.user", "Viewer.emailVerified", "Viewer.socialAccountCount"}


def resolvers() -> Iterator[tuple[str, str]]:
    """Fields that a function of ours answers, and the text of that function."""
    converter = build_schema().schema_converter
    for name, item in converter.type_map.items():
        definition: Any = item.definition
        for field in getattr(definition, "fields", ()):
            if getattr(field, "base_resolver", None) is not None:
                written = converter.config.name_converter.get_graphql_name(field)
                yield f"{name}.{written}", inspect.getsource(field.base_resolver.wrapped_func)


def type_of(where: str) -> Any:
    name, _, field = where.partition(".")
    item = SCHEMA.type_map[name]
    assert isinstance(item, GraphQLObjectType | GraphQLInterfaceType)
    return item.fields[field].type


def test_what_a_loader_answers_is_nullable() -> None:
    """A look-up may fail, and must not take away what the rest of the operation did."""
    loaded = {where for where, text in resolvers() if ".loaders." in text}
    assert len(loaded) > len(OF_THE_VIEWER)
    assert {where for where in loaded if isinstance(type_of(where), GraphQLNonNull)} == OF_THE_VIEWER


def shown_rows() -> Iterator[tuple[str, Any]]:
    for name, row in vars(rows).items():
        if name.endswith("Row") and hasattr(row, "_fields"):
            item = SCHEMA.type_map.get(name.removesuffix("Row"))
            for shown in [] if item is None else {item, *concrete(item)}:
                yield shown.name, row


@pytest.mark.parametrize(("name", "row"), sorted(shown_rows(), key=str))
def test_what_is_in_the_row_is_nullable_only_if_it_is_so_in_the_row(name: str, row: Any) -> None:
    item = SCHEMA.type_map[name]
    assert isinstance(item, GraphQLObjectType | GraphQLInterfaceType)
    hints = get_type_hints(row)
    compared = 0
    for column in row._fields:
        first, *others = column.split("_")
        field = item.fields.get(first + "".join(word.title() for word in others))
        if field is not None and is_leaf_type(get_named_type(field.type)):
            nullable = type(None) in get_args(hints[column])
            assert nullable is not isinstance(field.type, GraphQLNonNull), f"{name}.{column}"
            compared += 1
    assert compared
