"""Selection sets as code: one function for each object type and each set of fields selected on it.

A generated function reads

    def select_3(source, path, ex):
        out = {}
        pending = []
        try:
            # username: String!
            try:
                value = source.username
                if type(value) is not str:
                    value = irregular(ex, username_9, path, value, pending)
            except Exception as error:
                value = fail(ex, username_9, path, error)
            out['username'] = value
            ...
        except Exception:
            abandon(ex, out, pending)
            raise
        return gather_fields(out, pending) if pending else out

The fields of a selection set, their order, and what is merged with what come from graphql-core's own
`collect_fields`; `@skip` and `@include` are decided there, since each variant knows their variables.
"""

from collections import deque
from typing import Any

from graphql import (
    GraphQLBoolean,
    GraphQLField,
    GraphQLID,
    GraphQLInt,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLString,
    GraphQLUnionType,
    OperationType,
    get_named_type,
    is_composite_type,
)
from graphql.execution.collect_fields import CollectedFields, FieldDetails, collect_fields, collect_subfields
from graphql.execution.values import VariableValues
from strawberry.schema.schema_converter import CustomGraphQLEnumType

from graphql_api.execution.compiled.completion import check_leaf, completer
from graphql_api.execution.compiled.coverage import DEEPEST, MOST_FIELDS, MOST_FUNCTIONS, NotCoveredError
from graphql_api.execution.compiled.execution import (
    Document,
    FieldPlan,
    abandon,
    as_core,
    complete_awaitable,
    fail,
    gather_fields,
    irregular,
    later,
    serially,
)
from graphql_api.execution.compiled.info import LazyInfo
from graphql_api.execution.compiled.plain import PLAIN, is_awaitable
from graphql_api.execution.compiled.resolvers import Resolve, Resolvers, as_core_of, strawberry_field_of
from graphql_api.execution.compiled.source import Source, constant

NAMESPACE: dict[str, Any] = {
    "PLAIN": PLAIN,
    "abandon": abandon,
    "as_core": as_core,
    "check_leaf": check_leaf,
    "complete_awaitable": complete_awaitable,
    "fail": fail,
    "gather_fields": gather_fields,
    "is_awaitable": is_awaitable,
    "irregular": irregular,
    "later": later,
    "make_info": LazyInfo,
    "serially": serially,
}

_UNUSUAL = {
    GraphQLString: "type(value) is not str",
    GraphQLID: "type(value) is not str",
    GraphQLBoolean: "value is not True and value is not False",
    GraphQLInt: "(type(value) is not int or not -2147483648 <= value <= 2147483647)",
}
"""When the value of a scalar is not the JSON value already."""


class Selections:
    """Writes the selection functions of one variant of an operation."""

    def __init__(
        self, source: Source, document: Document, variable_values: VariableValues, resolvers: Resolvers
    ) -> None:
        self._source = source
        self._document = document
        self._variable_values = variable_values
        self._resolvers = resolvers
        self._functions: dict[tuple[Any, ...], str] = {}
        self._waiting: deque[tuple[str, GraphQLObjectType, CollectedFields, int]] = deque()
        self._plans: list[tuple[FieldPlan, str, dict[str, str]]] = []

    def write(self, root_type: GraphQLObjectType) -> str:
        """Write the function of the root fields and all below it; give its name."""
        document = self._document
        collected = collect_fields(
            document.schema, document.fragments, self._variable_values, root_type, document.operation
        )
        root = self._source.fresh(f"select_{root_type.name}")
        one_by_one = document.operation.operation is OperationType.MUTATION
        if one_by_one and len(collected.grouped_field_set) > 1:
            self._write_serial(root, root_type, collected)
        else:
            self._write_function(root, root_type, collected, 0)
        while self._waiting:  # a queue, so that deep documents cost no recursion here
            self._write_function(*self._waiting.popleft())
        return root

    def link(self) -> None:
        """Give the plans their completers, once the functions exist."""
        namespace = self._source.namespace
        for plan, name, selects in self._plans:
            functions = {type_name: namespace[function] for type_name, function in selects.items()}
            plan.complete = completer(plan.definition.type, plan, functions)
            namespace[f"complete_{name}"] = plan.complete

    def _write_function(
        self, name: str, type_: GraphQLObjectType, collected: CollectedFields, depth: int
    ) -> None:
        source = self._source
        with source.function(f"def {name}(source, path, ex):"):
            source.lines("out = {}", "pending = []")
            with source.block("try:"):
                fields = self._fields(collected)
                for key, details in fields:
                    self._write_field(key, type_, details, depth)
                if not fields:
                    source.line("pass")
            with source.block("except Exception:"):
                source.lines("abandon(ex, out, pending)", "raise")
            source.line("return gather_fields(out, pending) if pending else out")

    def _write_serial(self, name: str, type_: GraphQLObjectType, collected: CollectedFields) -> None:
        """Write the root fields of a mutation as a function each, so that each can be awaited in its turn."""
        source, steps = self._source, []
        for key, details in self._fields(collected):
            steps.append(source.fresh(f"step_{key}"))
            with source.function(f"def {steps[-1]}(source, path, ex, out, pending):"):
                self._write_field(key, type_, details, 0)
        with source.function(f"def {name}(source, path, ex):"):
            source.line(f"return serially(source, ex, ({', '.join(steps)},))")

    def _fields(self, collected: CollectedFields) -> list[tuple[str, list[FieldDetails]]]:
        if collected.new_defer_usages:
            raise NotCoveredError("Incremental delivery is graphql-core's")
        return list(collected.grouped_field_set.items())

    def _write_field(
        self, key: str, parent: GraphQLObjectType, details: list[FieldDetails], depth: int
    ) -> None:
        source = self._source
        field_name = details[0].node.name.value
        if field_name == "__typename":
            source.line(f"out[{constant(key)}] = {constant(parent.name)}")
            return
        definition = self._document.schema.get_field(parent, field_name)
        if definition is None or field_name.startswith("__"):
            raise NotCoveredError("Introspection and unknown fields are graphql-core's")
        plan = FieldPlan(key, parent, definition, details, strawberry_field_of(definition))
        name = source.bind(key, plan)
        selects = self._selects(get_named_type(definition.type), details, depth + 1)
        self._plans.append((plan, name, selects))
        if len(self._plans) > MOST_FIELDS:
            raise NotCoveredError("Too many fields")
        self._write_resolved(plan, name, selects)

    def _selects(self, named: GraphQLNamedType, details: list[FieldDetails], depth: int) -> dict[str, str]:
        """Name the selection function for each object type that a field's values may have."""
        if not isinstance(named, GraphQLObjectType | GraphQLInterfaceType | GraphQLUnionType):
            return {}
        schema = self._document.schema
        if isinstance(named, GraphQLObjectType):
            return {named.name: self._select(named, details, depth)}
        possible = schema.get_possible_types(named)
        return {type_.name: self._select(type_, details, depth) for type_ in possible}

    def _select(self, type_: GraphQLObjectType, details: list[FieldDetails], depth: int) -> str:
        key = (type_.name, depth, *(id(detail.node) for detail in details))
        if key not in self._functions:
            if depth > DEEPEST or len(self._functions) >= MOST_FUNCTIONS:
                raise NotCoveredError("Too deep or too large")
            document = self._document
            collected = collect_subfields(
                document.schema,
                document.fragments,
                self._variable_values,
                document.operation,
                type_,
                details,
            )
            self._functions[key] = self._source.fresh(f"select_{type_.name}")
            self._waiting.append((self._functions[key], type_, collected, depth))
        return self._functions[key]

    def _write_resolved(self, plan: FieldPlan, name: str, selects: dict[str, str]) -> None:
        source = self._source
        resolve = self._resolvers.resolve(plan, name)
        source.line(f"# {plan.key}: {plan.definition.type}")
        with source.block("try:"):
            if resolve.unless is None:
                self._write_value(plan, name, selects, resolve)
            else:
                with source.block(f"if {resolve.unless}:"):
                    source.line(f"value = irregular(ex, {name}, path, {as_core_of(name)}, pending)")
                with source.block("else:"):
                    self._write_value(plan, name, selects, resolve)
        with source.block("except Exception as error:"):
            source.line(f"value = fail(ex, {name}, path, error)")
        source.line(f"out[{constant(plan.key)}] = value")

    def _write_value(self, plan: FieldPlan, name: str, selects: dict[str, str], resolve: Resolve) -> None:
        source = self._source
        if resolve.is_coroutine:
            source.line(f"value = complete_awaitable(ex, {name}, {_trail(plan)}, {resolve.expression})")
            source.line(f"pending.append({constant(plan.key)})")
            return
        source.line(f"value = {resolve.expression}")
        self._write_completion(plan, name, selects)

    def _write_completion(self, plan: FieldPlan, name: str, selects: dict[str, str]) -> None:
        """Write what becomes of a resolved value: the usual one inline, the others by way of `irregular`."""
        source = self._source
        type_, nullable = _nullable(plan.definition)
        present = " and value is not None" if nullable else ""
        irregularly = f"value = irregular(ex, {name}, path, value, pending)"
        if type_ in _UNUSUAL:
            with source.block(f"if {_UNUSUAL[type_]}{present}:"):
                source.line(irregularly)
            return
        if isinstance(type_, CustomGraphQLEnumType) and not hasattr(type_.wrapped_cls, "__await__"):
            self._write_enum(type_)
        else:
            with source.block("if type(value) in PLAIN:"):
                self._write_plain(type_, plan, name, selects)
        with source.block("elif value is not None:" if nullable else "else:"):
            source.line(irregularly)

    def _write_enum(self, type_: CustomGraphQLEnumType) -> None:
        """Write the way of an enum's own members; `_name_` is what the `name` property reads."""
        members: Any = type_.wrapped_cls
        names = {member.name: type_.coerce_output_value(member) for member in members}
        table = self._source.bind(f"names_{type_.name}", names)
        cls = self._source.bind(type_.name, type_.wrapped_cls)
        with self._source.block(f"if type(value) is {cls} and value._name_ in {table}:"):
            self._source.line(f"value = {table}[value._name_]")

    def _write_plain(self, type_: Any, plan: FieldPlan, name: str, selects: dict[str, str]) -> None:
        source = self._source
        if isinstance(type_, GraphQLList):
            source.line(f"value = complete_{name}(value, {_trail(plan)}, ex)")
            usual = "list"
        elif is_composite_type(type_):
            direct = isinstance(type_, GraphQLObjectType) and type_.is_type_of is None
            complete = selects[type_.name] if direct else f"complete_{name}"
            source.line(f"value = {complete}(value, {_trail(plan)}, ex)")
            usual = "dict"
        else:
            coerce = source.bind(f"serialize_{type_.name}", type_.coerce_output_value)
            source.lines("raw = value", f"value = {coerce}(raw)")
            with source.block("if type(value) not in PLAIN:"):
                source.line(f"value = check_leaf({source.bind(type_.name, type_)}, raw, value)")
                with source.block("if is_awaitable(value):"):
                    source.line(f"value = later(ex, {name}, path, value, pending)")
            return
        with source.block(f"if type(value) is not {usual}:"):
            source.line(f"value = later(ex, {name}, path, value, pending)")


def _trail(plan: FieldPlan) -> str:
    return f"(path, {constant(plan.key)}, {constant(plan.parent.name)})"


def _nullable(definition: GraphQLField) -> tuple[Any, bool]:
    if isinstance(definition.type, GraphQLNonNull):
        return definition.type.of_type, False
    return definition.type, True
