"""How a field's value is got: as an attribute, by calling its resolver, or the way graphql-core does.

Strawberry wraps every field in a resolve function that converts arguments, makes an `Info` and runs field
extensions (permissions among them) and exception handlers. Where none of these interpose, generated code does
what is left: reads the attribute, or calls the function that was decorated.
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from keyword import iskeyword
from typing import Any

from graphql import (
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLSchema,
    OperationDefinitionNode,
    ValueNode,
    VariableNode,
    is_input_type,
)
from graphql.pyutils import Undefined
from graphql.utilities import type_from_ast
from graphql.utilities.coerce_input_value import coerce_input_literal
from strawberry.schema import Schema
from strawberry.types.arguments import StrawberryArgument
from strawberry.types.base import StrawberryList
from strawberry.types.field import StrawberryField
from strawberry.types.fields.resolver import StrawberryResolver

from graphql_api.execution.compiled.completion import DEFINITION
from graphql_api.execution.compiled.coverage import NotCoveredError
from graphql_api.execution.compiled.execution import FieldPlan
from graphql_api.execution.compiled.inputs import Inputs
from graphql_api.execution.compiled.source import Source, constant


@dataclass(slots=True)
class Resolve:
    """How generated code gets a field's value."""

    expression: str
    is_coroutine: bool = False
    """Whether the value is certain to be a coroutine."""
    unless: str | None = None
    """When graphql-core resolves the field after all."""


@dataclass(frozen=True, slots=True)
class _Variable:
    type: Any
    default: Any
    """The value it has when it is not given; Undefined if there is none."""

    @property
    def may_be_absent(self) -> bool:
        return self.default is Undefined and not isinstance(self.type, GraphQLNonNull)

    @property
    def may_be_null(self) -> bool:
        return not isinstance(self.type, GraphQLNonNull)


class Variables:
    """The variables of an operation, each read into a slot for every place that takes it.

    Arguments that are input objects are made anew for each place, as Strawberry does.
    """

    def __init__(
        self, source: Source, inputs: Inputs, schema: GraphQLSchema, operation: OperationDefinitionNode
    ) -> None:
        self._source = source
        self._inputs = inputs
        self._slots: list[tuple[str, Any]] = []
        self._shared: dict[str, int] = {}
        self._variables: dict[str, _Variable] = {}
        for definition in operation.variable_definitions or ():
            type_: Any = type_from_ast(schema, definition.type)
            if not is_input_type(type_):
                raise NotCoveredError("No input type")
            literal = definition.default_value
            default = Undefined if literal is None else coerce_input_literal(literal, type_)
            if literal is not None and default is Undefined:
                raise NotCoveredError("A default for graphql-core to judge")
            self._variables[definition.variable.name.value] = _Variable(type_, default)

    def __getitem__(self, name: str) -> _Variable:
        if name not in self._variables:
            raise NotCoveredError("An undefined variable")
        return self._variables[name]

    def slot(self, name: str, strawberry_type: Any) -> str:
        """Give the expression for a variable's value at a place that takes a Strawberry type."""
        shareable = self._is_shareable(name)
        if shareable and name in self._shared:
            return f"ex.slots[{self._shared[name]}]"
        self._slots.append((name, strawberry_type))
        if shareable:
            self._shared[name] = len(self._slots) - 1
        return f"ex.slots[{len(self._slots) - 1}]"

    def write_reader(self) -> None:
        """Write `read_variables(raw)`, which gives the slots, or raises where graphql-core has to look."""
        placed = {name for name, _ in self._slots}
        for name, variable in self._variables.items():
            if name not in placed:
                self._slots.append((name, strawberry_type_of(variable.type)))
        with self._source.function("def read_variables(raw):"):
            locals_ = [self._read(name, strawberry_type) for name, strawberry_type in self._slots]
            self._source.line(f"return ({''.join(f'{local}, ' for local in locals_)})")

    def _read(self, name: str, strawberry_type: Any) -> str:
        source, variable = self._source, self._variables[name]
        local = source.fresh(name)
        source.line(f"{local} = raw.get({constant(name)}, MISSING)")
        if variable.default is not Undefined:
            with source.block(f"if {local} is MISSING:"):
                source.line(f"{local} = {self._inputs.constant(variable.default)}")
            with source.block("else:"):
                self._inputs.read(local, variable.type, strawberry_type)
        elif variable.may_be_absent:
            with source.block(f"if {local} is not MISSING:"):
                self._inputs.read(local, variable.type, strawberry_type)
        else:
            source.line(f"if {local} is MISSING: raise Invalid")
            self._inputs.read(local, variable.type, strawberry_type)
        return local

    def _is_shareable(self, name: str) -> bool:
        """Tell whether all places get the same value: one that is neither made for them nor changeable."""
        type_ = self._variables[name].type
        named = type_.of_type if isinstance(type_, GraphQLNonNull) else type_
        return not isinstance(named, GraphQLList | GraphQLInputObjectType)


class Resolvers:
    """Chooses, for each field, how its value is got, and writes the expression for it."""

    def __init__(self, source: Source, inputs: Inputs, variables: Variables, schema: Schema) -> None:
        self._source = source
        self._inputs = inputs
        self._variables = variables
        self._schema = schema

    def resolve(self, plan: FieldPlan, name: str) -> Resolve:
        """Write how a field is resolved; `name` is what its plan is called in the source."""
        field_ = plan.strawberry_field
        if field_ is not None and is_plain_attribute(plan):
            return Resolve(f"source.{field_.python_name}")
        as_core = Resolve(as_core_of(name))
        if field_ is None or not calls_resolver_only(plan, field_):
            return as_core
        try:
            return self._call(plan, field_, name)
        except NotCoveredError:
            return as_core

    def _call(self, plan: FieldPlan, field_: StrawberryField, name: str) -> Resolve:
        resolver = field_.base_resolver
        assert resolver is not None  # noqa: S101 - `calls_resolver_only` has seen it
        function = resolver.wrapped_func
        arguments = ["source"] if resolver.self_parameter else []
        for parameter in (resolver.parent_parameter, resolver.root_parameter):
            arguments += [] if parameter is None else [f"{parameter.name}=source"]
        if resolver.info_parameter is not None:
            arguments.append(f"{resolver.info_parameter.name}=make_info(ex, {name}, path)")
        nulls: list[str] = []
        for argument in field_.arguments:
            arguments.extend(self._argument(plan, argument, nulls))
        called = self._source.bind(f"resolve_{field_.python_name}", function)
        expression = f"{called}({', '.join(dict.fromkeys(arguments))})"
        return Resolve(expression, is_coroutine=field_.is_async, unless=" or ".join(nulls) or None)

    def _argument(self, plan: FieldPlan, argument: StrawberryArgument, nulls: list[str]) -> list[str]:
        """Write one argument as a keyword; `nulls` gets the condition under which it may not be passed."""
        inputs = self._inputs
        graphql_name = self._schema.config.name_converter.from_argument(argument)
        declared = plan.definition.args[graphql_name]
        python_name, strawberry_type = argument.python_name, argument.type
        default = inputs.default(declared, strawberry_type)
        nodes = plan.details[0].node.arguments or ()
        node = next((node.value for node in nodes if node.name.value == graphql_name), None)
        if node is None:
            if default is None and isinstance(declared.type, GraphQLNonNull):
                raise NotCoveredError("A required argument is missing")
            return [] if default is None else [f"{python_name}={default}"]
        if not isinstance(node, VariableNode):
            return [f"{python_name}={inputs.literal(node, declared.type, strawberry_type, self._nested)}"]

        variable = self._variables[node.name.value]
        slot = self._variables.slot(node.name.value, strawberry_type)
        if isinstance(declared.type, GraphQLNonNull) and variable.may_be_null:
            nulls.append(f"{slot} is None")
        if not variable.may_be_absent:
            return [f"{python_name}={slot}"]
        if default is None:
            raise NotCoveredError("An argument that is passed only if its variable is there")
        return [f"{python_name}={default} if {slot} is MISSING else {slot}"]

    def _nested(self, node: ValueNode, type_: Any, strawberry_type: Any) -> str:
        """Write a variable within a literal, where neither absence nor null need a rule of their own."""
        assert isinstance(node, VariableNode)  # noqa: S101 - what the literal found
        variable = self._variables[node.name.value]
        if variable.may_be_absent or (isinstance(type_, GraphQLNonNull) and variable.may_be_null):
            raise NotCoveredError("A variable that may be absent within a literal")
        return self._variables.slot(node.name.value, strawberry_type)


def as_core_of(name: str) -> str:
    """Write the call that resolves a field as graphql-core does; `name` is that of its plan."""
    return f"as_core(ex, {name}, path, source)"


def is_plain_attribute(plan: FieldPlan) -> bool:
    """Tell whether a field is `getattr(source, its python name)` and nothing else."""
    field_ = plan.strawberry_field
    return (
        field_ is not None
        and _strawberry_resolve(plan) == "_get_basic_result"
        and type(field_) is StrawberryField
        and field_.is_basic_field
        and field_.default_resolver is getattr
        and field_.python_name.isidentifier()
        and not iskeyword(field_.python_name)
    )


def calls_resolver_only(plan: FieldPlan, field_: StrawberryField) -> bool:
    """Tell whether a field calls the function that was decorated, with nothing before or after it."""
    kind = _strawberry_resolve(plan)
    resolver = field_.base_resolver
    if kind not in ("_resolver", "_async_resolver") or type(field_) is not StrawberryField:
        return False
    if field_.extensions or field_.is_subscription or type(resolver) is not StrawberryResolver:
        return False
    if _closed_over(plan.definition.resolve, "field_exception_handlers") != ():
        return False
    if any(argument.python_name == "info" for argument in field_.arguments):
        return False  # Strawberry takes it for the Info
    function = resolver.wrapped_func
    return callable(function) and (kind == "_resolver" or inspect.iscoroutinefunction(function))


def strawberry_field_of(definition: Any) -> StrawberryField | None:
    """Find the Strawberry field that a GraphQL field was made from."""
    field_ = definition.extensions.get(DEFINITION)
    return field_ if isinstance(field_, StrawberryField) else None


def strawberry_type_of(type_: Any) -> Any:
    """Make a Strawberry type for a variable that no compiled field takes, but that must be valid anyway."""
    if isinstance(type_, GraphQLNonNull):
        return strawberry_type_of(type_.of_type)
    if isinstance(type_, GraphQLList):
        return StrawberryList(strawberry_type_of(type_.of_type))
    if isinstance(type_, GraphQLInputObjectType):
        return getattr(type_.extensions.get(DEFINITION), "origin", None)
    return None


def _strawberry_resolve(plan: FieldPlan) -> str | None:
    """Name the resolve function that Strawberry gave the field, unless another has been put in its place."""
    resolve = plan.definition.resolve
    if getattr(resolve, "__module__", None) != "strawberry.schema.schema_converter":
        return None
    return getattr(resolve, "__name__", None)


def _closed_over(function: Callable[..., Any] | None, name: str) -> Any:
    code = getattr(function, "__code__", None)
    if code is None or name not in code.co_freevars:
        return None
    cells = getattr(function, "__closure__", None) or ()
    return cells[code.co_freevars.index(name)].cell_contents
