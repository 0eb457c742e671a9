"""Input coercion as code: from JSON, or a literal, straight to what a Strawberry resolver takes.

graphql-core first coerces variables to dictionaries, then Strawberry walks them and makes input objects.
Here both walks are one generated function for each input type. It accepts no more than graphql-core and
Strawberry do; what it does not accept (it raises, whatever comes to hand) is given to them, and they find the
words for what is wrong with it.
"""

from collections.abc import Callable
from dataclasses import MISSING as NO_DEFAULT
from enum import Enum
from math import isfinite
from typing import Any, Final

from graphql import (
    GraphQLArgument,
    GraphQLBoolean,
    GraphQLFloat,
    GraphQLID,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInt,
    GraphQLList,
    GraphQLNonNull,
    GraphQLString,
    ListValueNode,
    NullValueNode,
    ObjectValueNode,
    ValueNode,
    VariableNode,
)
from graphql.pyutils import Undefined
from graphql.type.scalars import GRAPHQL_MAX_INT, GRAPHQL_MIN_INT
from graphql.utilities.coerce_input_value import coerce_default_value, coerce_input_literal
from strawberry.relay.types import GlobalID
from strawberry.schema import Schema
from strawberry.schema.schema_converter import CustomGraphQLEnumType
from strawberry.types.base import (
    StrawberryList,
    StrawberryMaybe,
    StrawberryObjectDefinition,
    StrawberryOptional,
)
from strawberry.types.field import StrawberryField
from strawberry.types.lazy_type import LazyType

from graphql_api.execution.compiled.coverage import NotCoveredError
from graphql_api.execution.compiled.source import Source, constant

MISSING: Final = object()
"""What a variable holds that was not given and has no default."""

DEEPEST_VALUE = 12  # graphql-core's limit is its own to judge
DEEPEST_LITERAL = 12
LARGEST_LITERAL = 200  # nodes; more would make more code than it saves time

_CONSTANT_LEAVES = (GraphQLString, GraphQLID, GraphQLInt, GraphQLFloat, GraphQLBoolean)

_CHECKS: Final[dict[object, str]] = {
    GraphQLString: "if type({x}) is not str: raise Invalid",
    GraphQLBoolean: "if {x} is not True and {x} is not False: raise Invalid",
    GraphQLID: "if type({x}) is not str: {x} = coerce_id({x})",
    GraphQLInt: "if type({x}) is not int or not MIN_INT <= {x} <= MAX_INT: {x} = coerce_int({x})",
    GraphQLFloat: "if type({x}) is not float or not isfinite({x}): {x} = coerce_float({x})",
}


class InvalidError(Exception):
    """Generated code does not accept this value; graphql-core may, or may say why not."""


NAMESPACE: Final[dict[str, Any]] = {
    "Invalid": InvalidError,
    "MISSING": MISSING,
    "MIN_INT": GRAPHQL_MIN_INT,
    "MAX_INT": GRAPHQL_MAX_INT,
    "coerce_id": GraphQLID.coerce_input_value,
    "coerce_int": GraphQLInt.coerce_input_value,
    "coerce_float": GraphQLFloat.coerce_input_value,
    "isfinite": isfinite,
    "Undefined": Undefined,
}


class Inputs:
    """Writes the functions that read input types, and the expressions for literals and defaults."""

    def __init__(self, source: Source, schema: Schema) -> None:
        self._source = source
        self._schema = schema
        self._readers: dict[tuple[int, int], str] = {}

    def read(self, x: str, type_: Any, strawberry_type: Any, depth: str = "0") -> None:
        """Write the lines that turn the JSON value in the local `x` into what a resolver takes.

        Args:
            x: the name of the local, replaced in place.
            type_: the GraphQL type that the value must have.
            strawberry_type: the Strawberry type that it becomes.
            depth: an expression for how many input objects are around it.
        """
        if isinstance(type_, GraphQLNonNull):
            self._source.line(f"if {x} is None: raise Invalid")
            self._read_present(x, type_.of_type, present(strawberry_type), depth)
        else:
            with self._source.block(f"if {x} is not None:"):
                self._read_present(x, type_, present(strawberry_type), depth)

    def _read_present(self, x: str, type_: Any, strawberry_type: Any, depth: str) -> None:
        source = self._source
        if isinstance(type_, GraphQLList):
            if not isinstance(strawberry_type, StrawberryList):
                raise NotCoveredError("A list that is no list in Strawberry")
            items, item = source.fresh("items"), source.fresh("item")
            source.line(f"if type({x}) is not list: raise Invalid")
            source.line(f"{items} = []")
            with source.block(f"for {item} in {x}:"):
                self.read(item, type_.of_type, strawberry_type.of_type, depth)
                source.line(f"{items}.append({item})")
            source.line(f"{x} = {items}")
        elif isinstance(type_, GraphQLInputObjectType):
            source.line(f"{x} = {self._reader(type_, strawberry_type)}({x}, {depth})")
        else:
            self._read_leaf(x, type_)

    def _read_leaf(self, x: str, type_: Any) -> None:
        source = self._source
        if type_ in _CHECKS:
            source.line(_CHECKS[type_].format(x=x))
        elif isinstance(type_, CustomGraphQLEnumType):
            members = {name: type_.coerce_input_value(name) for name in type_.values}
            source.line(f"{x} = {source.bind(f'members_{type_.name}', members)}[{x}]")
        else:
            source.line(f"{x} = {source.bind(f'coerce_{type_.name}', type_.coerce_input_value)}({x})")
            source.line(f"if {x} is Undefined: raise Invalid")

    def _reader(self, type_: GraphQLInputObjectType, cls: Any) -> str:
        """Name the generated function that reads an input object, and write it if it is new."""
        key = (id(type_), id(cls))
        if key not in self._readers:
            self._readers[key] = self._source.fresh(f"read_{type_.name}")
            try:
                self._write_reader(self._readers[key], type_, cls)
            except NotCoveredError:
                self._readers.clear()  # others may call the one that is not there
                raise
        return self._readers[key]

    def _write_reader(self, name: str, type_: GraphQLInputObjectType, cls: Any) -> None:
        definition = input_definition(type_, cls)
        source = self._source
        with source.function(f"def {name}(value, depth):"):
            source.line(f"if type(value) is not dict or depth > {DEEPEST_VALUE}: raise Invalid")
            source.line("count = 0")
            arguments = []
            for field in definition.fields:
                local = source.fresh(field.python_name)
                self._read_field(local, field, type_, definition)
                arguments.append(f"{field.python_name}={local}")
            source.line("if count != len(value): raise Invalid")
            source.line(f"return {source.bind(cls.__name__, cls)}({', '.join(arguments)})")

    def _read_field(
        self, local: str, field: StrawberryField, type_: GraphQLInputObjectType, definition: Any
    ) -> None:
        source = self._source
        name, input_field = self.graphql_field(type_, field)
        strawberry_type = field.resolve_type(type_definition=definition)
        absent = self.absent(input_field, strawberry_type, field)
        if absent is None:
            source.line(f"{local} = value[{constant(name)}]")
            source.line("count += 1")
            self.read(local, input_field.type, strawberry_type, "depth + 1")
            return
        source.line(f"{local} = value.get({constant(name)}, MISSING)")
        with source.block(f"if {local} is MISSING:"):
            source.line(f"{local} = {absent}")
        with source.block("else:"):
            source.line("count += 1")
            self.read(local, input_field.type, strawberry_type, "depth + 1")

    def graphql_field(
        self, type_: GraphQLInputObjectType, field: StrawberryField
    ) -> tuple[str, GraphQLInputField]:
        """Find the field of a GraphQL input type that a Strawberry field stands for."""
        name = self._schema.config.name_converter.from_field(field)
        if name not in type_.fields:
            raise NotCoveredError("A field that only Python knows")
        return name, type_.fields[name]

    def absent(
        self, input_field: GraphQLInputField, strawberry_type: Any, field: StrawberryField
    ) -> str | None:
        """Write what a field holds that was not given; None if it has to be given."""
        default = self.default(input_field, strawberry_type)
        if default is not None:
            return default
        if isinstance(input_field.type, GraphQLNonNull):
            return None
        if field.default is not NO_DEFAULT:
            return self._source.bind(f"default_{field.python_name}", field.default)
        if field.default_factory is not NO_DEFAULT:
            return f"{self._source.bind(f'make_{field.python_name}', field.default_factory)}()"
        return "None"  # as Strawberry passes it where there is no default

    def default(self, declared: GraphQLArgument | GraphQLInputField, strawberry_type: Any) -> str | None:
        """Write the default that an argument or input field declares; None if there is none."""
        value = coerce_default_value(declared)
        if value is Undefined:
            return None
        made_of = present(strawberry_type)
        if isinstance(made_of, StrawberryList):
            present(made_of.of_type)
        return self.constant(value)

    def constant(self, value: Any) -> str:
        """Write a default that needs no conversion. A list is copied each time: resolvers may change it."""
        items = value if isinstance(value, list) else [value]
        if not all(item is None or isinstance(item, str | int | float | bool | Enum) for item in items):
            raise NotCoveredError("A default that is to be made in its turn")
        default = self._source.bind("default", value)
        return f"{default}.copy()" if isinstance(value, list) else default

    def literal(self, node: ValueNode, type_: Any, strawberry_type: Any, variable: Callable[..., str]) -> str:
        """Write an expression for a literal; `variable(node, type, strawberry type)` writes variables.

        The expression neither fails nor can be seen to be evaluated, so when that happens does not matter.

        Raises:
            NotCoveredError: for what can only be made in its turn, as custom scalars are; for large literals.
        """
        return _Literal(self._source, self, variable).write(node, type_, strawberry_type, 0)


class _Literal:
    """One literal on its way to an expression."""

    def __init__(self, source: Source, inputs: Inputs, variable: Callable[..., str]) -> None:
        self._source = source
        self._inputs = inputs
        self._variable = variable
        self._size = 0

    def write(self, node: ValueNode, type_: Any, strawberry_type: Any, depth: int) -> str:
        self._size += 1
        if self._size > LARGEST_LITERAL or depth > DEEPEST_LITERAL:
            raise NotCoveredError("Too large a literal")
        if isinstance(node, VariableNode):
            return self._variable(node, type_, strawberry_type)
        made_of = present(strawberry_type)
        if isinstance(node, NullValueNode):
            if isinstance(type_, GraphQLNonNull):
                raise NotCoveredError("Null where there must be a value")
            return "None"
        named = type_.of_type if isinstance(type_, GraphQLNonNull) else type_
        return self._write_present(node, named, made_of, depth)

    def _write_present(self, node: ValueNode, type_: Any, strawberry_type: Any, depth: int) -> str:
        if isinstance(type_, GraphQLList):
            if not isinstance(strawberry_type, StrawberryList):
                raise NotCoveredError("A list that is no list in Strawberry")
            nodes = node.values if isinstance(node, ListValueNode) else (node,)
            items = [self.write(item, type_.of_type, strawberry_type.of_type, depth + 1) for item in nodes]
            return f"[{', '.join(items)}]"
        if isinstance(type_, GraphQLInputObjectType):
            return self._write_object(node, type_, strawberry_type, depth)
        if type_ not in _CONSTANT_LEAVES and not isinstance(type_, CustomGraphQLEnumType):
            raise NotCoveredError("A literal of a custom scalar")
        value = coerce_input_literal(node, type_)
        if value is Undefined:
            raise NotCoveredError("An invalid literal")
        return self._source.bind("literal", value)

    def _write_object(self, node: ValueNode, type_: GraphQLInputObjectType, cls: Any, depth: int) -> str:
        definition = input_definition(type_, cls)
        if not isinstance(node, ObjectValueNode):
            raise NotCoveredError("No literal of an input object")
        given = {field.name.value: field.value for field in node.fields}
        arguments = []
        for field in definition.fields:
            name, input_field = self._inputs.graphql_field(type_, field)
            strawberry_type = field.resolve_type(type_definition=definition)
            value = given.pop(name, None)
            if value is None:
                expression = self._inputs.absent(input_field, strawberry_type, field)
            else:
                expression = self.write(value, input_field.type, strawberry_type, depth + 1)
            if expression is None:
                raise NotCoveredError("A required field is missing")
            arguments.append(f"{field.python_name}={expression}")
        if given:
            raise NotCoveredError("Unknown fields")
        return f"{self._source.bind(cls.__name__, cls)}({', '.join(arguments)})"


def input_definition(type_: GraphQLInputObjectType, cls: Any) -> StrawberryObjectDefinition:
    """Give Strawberry's definition of an input class, if nothing but its fields decides its values.

    Raises:
        NotCoveredError: for `@oneOf`, and where making an instance can be seen or can fail.
    """
    definition = getattr(cls, "__strawberry_definition__", None)
    if not isinstance(definition, StrawberryObjectDefinition) or definition.from_input is not None:
        raise NotCoveredError("An input object that builds itself")
    if type_.is_one_of or definition.is_one_of or not constructs_plainly(cls):
        raise NotCoveredError("An input object that makes checks of its own")
    checks = getattr(type_.out_type, "__module__", None)
    if (
        type_.out_type is not GraphQLInputObjectType.out_type
        and checks != "strawberry.schema.schema_converter"
    ):
        raise NotCoveredError("An input object with an output type of its own")
    return definition


def present(strawberry_type: Any) -> Any:
    """Unwrap what a type says about absence, and lazy references.

    Raises:
        NotCoveredError: for the types that this schema does not use in input: `Maybe` and Relay's `GlobalID`.
    """
    while isinstance(strawberry_type, StrawberryOptional | LazyType):
        if isinstance(strawberry_type, StrawberryMaybe):
            raise NotCoveredError("A type that tells null from absence")
        if isinstance(strawberry_type, LazyType):
            strawberry_type = strawberry_type.resolve_type()
        else:
            strawberry_type = strawberry_type.of_type
    if strawberry_type is GlobalID:
        raise NotCoveredError("A type that Strawberry converts")
    return strawberry_type


def constructs_plainly(cls: type) -> bool:
    """Tell whether making an instance can neither be seen nor fail, so may happen before its turn.

    True of the constructor that the dataclass decorator writes, with nothing around it.
    """
    code = getattr(getattr(cls, "__init__"), "__code__", None)  # noqa: B009 - mypy knows only instances' __init__
    untouched = all(getattr(cls, name) is getattr(object, name) for name in ("__new__", "__setattr__"))
    written_by_dataclass = code is not None and code.co_filename == "<string>"
    return written_by_dataclass and untouched and not hasattr(cls, "__post_init__")
