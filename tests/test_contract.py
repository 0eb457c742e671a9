"""The contract with clients: what the schema promises, checked on the schema itself."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    GraphQLUnionType,
    build_schema,
    find_breaking_changes,
    get_named_type,
    is_introspection_type,
    is_specified_scalar_type,
)

from graphql_api.schema import schema_text

T = TypeVar("T", bound=GraphQLNamedType)
ROOT = Path(__file__).parent.parent
SCHEMA = build_schema(schema_text())

# Output enums that never grow. A client may branch over them without a default.
CLOSED = {
    "WorkspaceRole",  # two roles; a third would change what every client may show
    "ApiTokenScope",  # an input as well, where OTHER would mean nothing
    "SocialPlatform",  # lists return only the platforms that the client names
}
# Ids of Meta's, which are text for everybody; all other input ids are `ID`.
META_IDS = {"facebookUserId", "instagramUserId", "facebookPageId", "externalId"}


def own_types() -> list[GraphQLNamedType]:
    return [
        item
        for item in SCHEMA.type_map.values()
        if not is_introspection_type(item)
        and not (isinstance(item, GraphQLScalarType) and is_specified_scalar_type(item))
    ]


def kind_of(kind: type[T]) -> list[T]:
    return [item for item in own_types() if isinstance(item, kind)]


def test_schema_graphql_is_what_the_code_says() -> None:
    written = (ROOT / "schema.graphql").read_text(encoding="utf-8")
    assert written == schema_text(), "run `make schema` and look at what changed"


def declared_changes() -> set[str]:
    """What docs/breaking-changes.md declares since the last release, one change a line: `- description`."""
    text = (ROOT / "docs" / "breaking-changes.md").read_text(encoding="utf-8")
    _, _, unreleased = text.partition("\n## Unreleased\n")
    unreleased, _, _ = unreleased.partition("\n## ")
    return set(re.findall(r"^- (.+)$", unreleased, re.MULTILINE))


def undeclared(old: GraphQLSchema, new: GraphQLSchema, declared: set[str]) -> list[str]:
    return [
        change.description for change in find_breaking_changes(old, new) if change.description not in declared
    ]


def last_released_schema() -> GraphQLSchema | None:
    """The schema of the last release tag, None where there is none (or no git to ask)."""

    def git(*arguments: str) -> str | None:
        try:
            done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
        except FileNotFoundError:
            return None
        return done.stdout if done.returncode == 0 else None

    tag = git("describe", "--tags", "--abbrev=0", "--match", "v[0-9]*")
    text = git("show", f"{tag.strip()}:schema.graphql") if tag else None
    return build_schema(text) if text else None


def test_breaking_changes_since_the_last_release_are_declared() -> None:
    released = last_released_schema()
    if released is None:
        pytest.skip("nothing was released yet")
    assert undeclared(released, SCHEMA, declared_changes()) == [], "declare it in docs/breaking-changes.md"


def test_a_breaking_change_is_noticed_unless_it_is_declared() -> None:
    changed = build_schema(
        schema_text().replace("input: RegisterUserInput!", "credentials: RegisterUserInput!")
    )
    found = undeclared(SCHEMA, changed, set())
    assert found
    assert undeclared(SCHEMA, changed, set(found)) == []


def described() -> Iterator[tuple[str, str | None]]:
    for item in own_types():
        yield item.name, item.description
        match item:
            case GraphQLObjectType() | GraphQLInterfaceType():
                for name, field in item.fields.items():
                    yield f"{item.name}.{name}", field.description
                    for argument_name, argument in field.args.items():
                        yield f"{item.name}.{name}({argument_name})", argument.description
            case GraphQLInputObjectType():
                for name, input_field in item.fields.items():
                    yield f"{item.name}.{name}", input_field.description
            case GraphQLEnumType():
                for name, value in item.values.items():
                    yield f"{item.name}.{name}", value.description
            case _:
                pass


def test_everything_is_described() -> None:
    assert [name for name, description in described() if not (description or "").strip()] == []


def mutations() -> dict[str, GraphQLField]:
    assert SCHEMA.mutation_type is not None
    return dict(SCHEMA.mutation_type.fields)


@pytest.mark.parametrize("name", mutations())
def test_every_mutation_has_the_same_four_parts(name: str) -> None:
    field, verb = mutations()[name], name[0].upper() + name[1:]
    assert {name: str(argument.type) for name, argument in field.args.items()} == {"input": f"{verb}Input!"}
    assert str(field.type) == f"{verb}Result!"

    result = SCHEMA.type_map[f"{verb}Result"]
    assert isinstance(result, GraphQLUnionType)
    assert {member.name for member in result.types} == {f"{verb}Success", f"{verb}Failure"}

    failure = SCHEMA.type_map[f"{verb}Failure"]
    assert isinstance(failure, GraphQLObjectType)
    assert {name: str(field.type) for name, field in failure.fields.items()} == {
        "message": "String!",
        "errors": f"[{verb}Error!]!",
    }
    assert isinstance(SCHEMA.type_map[f"{verb}Error"], GraphQLUnionType)


def error_unions() -> list[GraphQLUnionType]:
    return [union for union in kind_of(GraphQLUnionType) if union.name.endswith("Error")]


@pytest.mark.parametrize("union", error_unions(), ids=str)
def test_every_error_of_a_union_stands_on_field_error(union: GraphQLUnionType) -> None:
    for member in union.types:
        assert "FieldError" in {interface.name for interface in member.interfaces}, member.name
        assert str(member.fields["path"].type) == "[String!]!"
        assert str(member.fields["message"].type) == "String!"


def test_every_error_type_is_in_a_union() -> None:
    members = {member.name for union in error_unions() for member in union.types}
    field_error = SCHEMA.type_map["FieldError"]
    assert isinstance(field_error, GraphQLInterfaceType)
    assert {item.name for item in SCHEMA.get_possible_types(field_error)} == members


@pytest.mark.parametrize("union", kind_of(GraphQLUnionType), ids=str)
def test_a_field_name_has_one_type_in_all_members_of_a_union(union: GraphQLUnionType) -> None:
    # One query may select it on each of them: another type, or nullability, would be a validation error.
    types: dict[str, set[str]] = {}
    for member in union.types:
        for name, field in member.fields.items():
            types.setdefault(name, set()).add(str(field.type))
    assert {name: found for name, found in types.items() if len(found) > 1} == {}


def output_enums() -> set[str]:
    fields = [
        field
        for item in own_types()
        if isinstance(item, GraphQLObjectType | GraphQLInterfaceType)
        for field in item.fields.values()
    ]
    named = [get_named_type(field.type) for field in fields]
    return {item.name for item in named if isinstance(item, GraphQLEnumType)}


@pytest.mark.parametrize("name", sorted(output_enums()))
def test_an_output_enum_has_other_or_is_closed(name: str) -> None:
    enum = SCHEMA.type_map[name]
    assert isinstance(enum, GraphQLEnumType)
    assert ("OTHER" in enum.values) != (name in CLOSED)


def test_an_input_enum_has_no_other() -> None:
    only_input = [enum for enum in kind_of(GraphQLEnumType) if enum.name not in output_enums()]
    assert [enum.name for enum in only_input if "OTHER" in enum.values] == []


def test_every_custom_scalar_says_where_it_is_specified() -> None:
    assert [item.name for item in kind_of(GraphQLScalarType) if not item.specified_by_url] == []


def test_ids_in_inputs_are_ids_or_metas_text() -> None:
    for item in kind_of(GraphQLInputObjectType):
        for name, field in item.fields.items():
            if name.endswith(("Id", "Ids")):
                expected = "String" if name in META_IDS else "ID"
                assert get_named_type(field.type).name == expected, f"{item.name}.{name}"


def hiding(item: GraphQLNamedType, seen: set[str]) -> Iterator[str]:
    """Fields whose arguments may be refused, and whose refusal would take all of the answer away."""
    if item.name in seen:
        return
    seen.add(item.name)
    if isinstance(item, GraphQLUnionType | GraphQLInterfaceType):
        for possible in SCHEMA.get_possible_types(item):
            yield from hiding(possible, seen)
    elif isinstance(item, GraphQLObjectType):
        for name, field in item.fields.items():
            if isinstance(field.type, GraphQLNonNull):
                if field.args:
                    yield f"{item.name}.{name}"
                yield from hiding(get_named_type(field.type), seen)


def test_no_argument_beneath_a_success_can_hide_what_was_done() -> None:
    successes = [item for item in kind_of(GraphQLObjectType) if item.name.endswith("Success")]
    assert [found for item in successes for found in hiding(item, set())] == []
