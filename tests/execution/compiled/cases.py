"""Random operations over any schema, and random variables for them."""

import json
import random
from collections.abc import Mapping
from typing import Any

from graphql import (
    DocumentNode,
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLError,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    get_named_type,
    is_composite_type,
    is_required_argument,
    is_required_input_field,
    parse,
    validate,
)
from graphql.pyutils import Undefined

SCALARS: dict[str, list[Any]] = {
    "String": ["", "text", 'ü\n"', "1"],
    "ID": ["1", "abc", 5, "VXNlcjox"],
    "Int": [0, 1, 7, -3, 2147483647],
    "Float": [1.5, 2, 0.0, -1],
    "Boolean": [True, False],
    "DateTime": ["2026-01-02T03:04:05+00:00"],
    "Date": ["2026-01-02"],
    "UUID": ["00000000-0000-0000-0000-000000000001"],
    "Decimal": ["1.50", 2],
    "JSON": [{"a": [1, {"b": None}]}, [1, 2], "x", 3],
}
WRONG: list[Any] = [None, 1, 2147483648, 1.5, True, "nope", [], {}, [None], {"unknown": 1}, [[]], 10**30]


class EnumName(str):
    """A string that a literal shows without quotes."""

    __slots__ = ()


class VariableName(str):
    """A variable within a literal."""

    __slots__ = ()


class Generator:
    """Writes one random operation over a schema."""

    def __init__(
        self, schema: GraphQLSchema, chance: random.Random, scalars: Mapping[str, list[Any]]
    ) -> None:
        self.schema = schema
        self.scalars = {**SCALARS, **scalars}
        self.chance = chance
        self.variables: dict[str, Any] = {}
        self.defaults: dict[str, str] = {}
        self.fragments: list[str] = []
        self.aliases = 0
        self.left = chance.choice((4, 10, 25))
        """How many more selections the document may have."""

    def operation(self) -> str:
        kinds = [("query", self.schema.query_type)] * 4 + [("mutation", self.schema.mutation_type)]
        kind, root = self.chance.choice([pair for pair in kinds if pair[1] is not None])
        assert root is not None
        selections = self.selections(root, 5)
        declared = ", ".join(
            f"${name}: {type_}{self.defaults.get(name, '')}" for name, type_ in self.variables.items()
        )
        head = f"{kind} Op({declared})" if declared else f"{kind} Op"
        return "\n".join([f"{head} {selections}", *self.fragments])

    def selections(self, type_: Any, depth: int) -> str:
        written: list[str] = []
        used: dict[str, str] = {}
        for _ in range(self.chance.choice((1, 2, 3, 3, 4, 6))):
            if self.left <= 0 and written:
                break
            self.left -= 1
            written.append(self.selection(type_, depth, used))
        return "{ " + " ".join(written) + " }"

    def selection(self, type_: Any, depth: int, used: dict[str, str]) -> str:
        draw = self.chance.random() if self.left > 0 else 0.5
        if draw < 0.08 or isinstance(type_, GraphQLUnionType):
            if draw < 0.03 or (isinstance(type_, GraphQLUnionType) and draw > 0.85):
                return f"{self.alias() if self.chance.random() < 0.3 else ''}__typename{self.directives()}"
            return self.fragment(type_, depth)
        if draw < 0.25:
            return self.fragment(type_, depth)
        fields = {
            name: field
            for name, field in type_.fields.items()
            if (depth > 0 and self.left > 0) or not is_composite_type(get_named_type(field.type))
        }
        if not fields:
            return f"__typename{self.directives()}"
        return self.field(*self.chance.choice(sorted(fields.items())), depth, used)

    def field(self, name: str, field: Any, depth: int, used: dict[str, str]) -> str:
        arguments = self.arguments(field)
        alias = ""
        if used.setdefault(name, arguments) != arguments or self.chance.random() < 0.2:
            alias = self.alias()
        named = get_named_type(field.type)
        below = f" {self.selections(named, depth - 1)}" if is_composite_type(named) else ""
        return f"{alias}{name}{arguments}{self.directives()}{below}"

    def alias(self) -> str:
        self.aliases += 1
        return f"a{self.aliases}: "

    def fragment(self, type_: Any, depth: int) -> str:
        condition = self.condition(type_)
        if self.chance.random() < 0.3:
            name = f"F{len(self.fragments)}"
            self.fragments.append("")
            index = len(self.fragments) - 1
            self.fragments[index] = f"fragment {name} on {condition.name} {self.selections(condition, depth)}"
            again = f" ...{name}" if self.chance.random() < 0.1 else ""
            return f"...{name}{self.directives()}{again}"
        on = f" on {condition.name}" if condition is not type_ or self.chance.random() < 0.5 else ""
        return f"...{on}{self.directives()} {self.selections(condition, depth)}"

    def condition(self, type_: Any) -> Any:
        """Choose a type that a fragment here may be on."""
        if isinstance(type_, GraphQLObjectType):
            candidates = [type_, type_, *type_.interfaces]
        else:
            candidates = [type_, *self.schema.get_possible_types(type_)] * 2
            for possible in self.schema.get_possible_types(type_):
                candidates.extend(possible.interfaces)
        return self.chance.choice(candidates)

    def directives(self) -> str:
        if self.chance.random() > 0.06:
            return ""
        name = self.chance.choice(("skip", "include"))
        draw = self.chance.random()
        if draw < 0.4:
            return f" @{name}(if: {self.chance.choice(('true', 'false'))})"
        variable = self.chance.choice(("on", "off"))
        if variable not in self.variables:
            self.variables[variable] = GraphQLNonNull(GraphQLBoolean)
            if self.chance.random() < 0.3:
                self.variables[variable] = GraphQLBoolean
                self.defaults[variable] = f" = {self.chance.choice(('true', 'false'))}"
        return f" @{name}(if: ${variable})"

    def arguments(self, field: Any) -> str:
        written = []
        for name, argument in field.args.items():
            if not is_required_argument(argument) and self.chance.random() < 0.4:
                continue
            written.append(f"{name}: {self.argument(argument)}")
        return f"({', '.join(written)})" if written else ""

    def argument(self, argument: Any) -> str:
        if self.chance.random() < 0.5:
            return f"${self.variable(argument.type, argument.default_value is not Undefined)}"
        return literal(self.value(argument.type, 0.0, nested=True))

    def variable(self, type_: Any, has_default: bool) -> str:
        same = [name for name, known in self.variables.items() if known == type_]
        if same and self.chance.random() < 0.3:
            return self.chance.choice(same)
        name = f"v{len(self.variables)}"
        if isinstance(type_, GraphQLNonNull) and has_default and self.chance.random() < 0.5:
            type_ = type_.of_type
        elif not isinstance(type_, GraphQLNonNull) and self.chance.random() < 0.2:
            type_ = GraphQLNonNull(type_)
        elif isinstance(type_, GraphQLNonNull) and self.chance.random() < 0.15:
            type_ = type_.of_type
            self.defaults[name] = f" = {literal(self.value(GraphQLNonNull(type_), 0.0))}"
        elif not isinstance(type_, GraphQLNonNull) and self.chance.random() < 0.15:
            self.defaults[name] = f" = {literal(self.value(type_, 0.0))}"
        self.variables[name] = type_
        return name

    def value(self, type_: Any, trouble: float, *, nested: bool = False, depth: int = 0) -> Any:
        """Make up an input value, as JSON; wrong in places with a probability."""
        chance = self.chance
        if chance.random() < trouble:
            return chance.choice(WRONG)
        if nested and depth and chance.random() < 0.15:
            return VariableName(self.variable(type_, has_default=False))
        if isinstance(type_, GraphQLNonNull):
            return self.present(type_.of_type, trouble, nested, depth)
        return None if chance.random() < 0.1 else self.present(type_, trouble, nested, depth)

    def present(self, type_: Any, trouble: float, nested: bool, depth: int) -> Any:
        chance = self.chance
        if isinstance(type_, GraphQLList):
            if chance.random() < 0.1:
                return self.present_item(type_.of_type, trouble, nested, depth)
            count = chance.choice((0, 1, 2, 3))
            return [self.value(type_.of_type, trouble, nested=nested, depth=depth + 1) for _ in range(count)]
        if isinstance(type_, GraphQLInputObjectType):
            return self.object(type_, trouble, nested, depth)
        if isinstance(type_, GraphQLEnumType):
            return EnumName(chance.choice(list(type_.values)))
        return chance.choice(self.scalars.get(type_.name, ["scalar"]))

    def present_item(self, type_: Any, trouble: float, nested: bool, depth: int) -> Any:
        """Stand in for a list of one."""
        named = type_.of_type if isinstance(type_, GraphQLNonNull) else type_
        return self.present(named, trouble, nested, depth)

    def object(
        self, type_: GraphQLInputObjectType, trouble: float, nested: bool, depth: int
    ) -> dict[str, Any]:
        one_of = type_.is_one_of or getattr(type_.extensions["strawberry-definition"], "is_one_of", False)
        names = list(type_.fields)
        if one_of:
            name = self.chance.choice(names)
            if self.chance.random() < 4 * trouble:
                wrong: list[Any] = [{}, {name: None}, dict.fromkeys(names), {name: None, names[-1]: 1}]
                return dict(self.chance.choice(wrong))
            return {name: self.present(named_of(type_.fields[name].type), trouble, False, depth + 1)}
        made = {}
        if self.chance.random() < 0.2:
            self.chance.shuffle(names)
        for name in names:
            field = type_.fields[name]
            left_out = self.chance.random() < (0.4 if depth < 3 else 0.95)
            if left_out and not is_required_input_field(field):
                continue
            if self.chance.random() < trouble:
                continue
            made[name] = self.value(field.type, trouble, nested=nested, depth=depth + 1)
        if self.chance.random() < trouble:
            made["unknown"] = 1
        return made

    def raw_variables(self) -> dict[str, Any]:
        """Make up values for the variables; some left out, some wrong."""
        trouble = self.chance.choice((0.0, 0.0, 0.0, 0.03, 0.2))
        raw = {}
        for name, type_ in self.variables.items():
            required = isinstance(type_, GraphQLNonNull)
            if self.chance.random() < (trouble if required else 0.25):
                continue
            raw[name] = self.value(type_, trouble)
        read: dict[str, Any] = json.loads(json.dumps(raw))
        return read


def named_of(type_: Any) -> Any:
    return type_.of_type if isinstance(type_, GraphQLNonNull) else type_


def literal(value: Any) -> str:
    """Write JSON as a GraphQL literal."""
    if isinstance(value, VariableName):
        return f"${value}"
    if isinstance(value, EnumName):
        return str(value)
    if isinstance(value, list):
        return f"[{', '.join(map(literal, value))}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {literal(item)}" for name, item in value.items()) + "}"
    return json.dumps(value, ensure_ascii=False)


def valid_operation(
    schema: GraphQLSchema, chance: random.Random, scalars: Mapping[str, list[Any]]
) -> tuple[Generator, str, DocumentNode]:
    """Write operations until one is valid."""
    while True:
        generator = Generator(schema, chance, scalars)
        text = generator.operation()
        try:
            document = parse(text)
        except GraphQLError:  # pragma: no cover - the generator writes what can be parsed
            raise AssertionError(text) from None
        if not validate(schema, document):
            return generator, text, document
