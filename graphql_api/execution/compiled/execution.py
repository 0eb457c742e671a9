"""One run of a compiled operation, and what generated code calls when a value is not the usual one.

Generated code knows the usual: a value that is there, of the class its type expects. For the rest (errors,
nulls, awaitables, unusual classes) it calls a function of this module, which does what graphql-core does, in
the same order, with graphql-core's own `Executor` for everything that is rare. That executor is made when it
is first needed, and its `collected_errors` are the errors of the run.

A trail is where in the response we are: `(trail of the parent, key, name of the parent's type)`, the contents
of graphql-core's `Path` as a plain tuple, because most trails are never looked at.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from graphql import (
    ExecutionResult,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLField,
    GraphQLObjectType,
    GraphQLResolveInfo,
    GraphQLSchema,
    OperationDefinitionNode,
    default_field_resolver,
    default_type_resolver,
)
from graphql.execution import Executor
from graphql.execution.collect_fields import FieldDetails, FragmentDetails
from graphql.execution.values import VariableValues, get_argument_values, get_variable_values
from graphql.pyutils import Path, gather_with_cancel
from strawberry.schema import Schema
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext
from strawberry.types.field import StrawberryField

from graphql_api.execution.compiled.plain import PLAIN, is_awaitable

Trail: TypeAlias = tuple[Any, str | int, str | None] | None
Results: TypeAlias = dict[str, Any]
Step: TypeAlias = Callable[[Any, Trail, "Execution", Results, list[str]], None]
Select: TypeAlias = Callable[[Any, Trail, "Execution"], Any]
"""A generated function: gives the selected fields of the object at the trail, or a coroutine of them."""
Complete: TypeAlias = Callable[[Any, Trail, "Execution"], Any]
"""Completes the value at the trail, which is not awaitable; gives a coroutine if it must, raises errors."""


@dataclass(frozen=True, slots=True)
class Document:
    """What every run of one operation shares."""

    schema: GraphQLSchema
    strawberry_schema: Schema
    operation: OperationDefinitionNode
    fragments: dict[str, FragmentDetails]
    fragment_definitions: dict[str, FragmentDefinitionNode]
    conditions: tuple[str, ...]
    """The variables that `@skip` and `@include` ask for: one variant is compiled for each of their values."""


@dataclass(slots=True, eq=False)
class FieldPlan:
    """One response key of one selection set: the field behind it, and how its values are completed."""

    key: str
    parent: GraphQLObjectType
    definition: GraphQLField
    details: list[FieldDetails]
    strawberry_field: StrawberryField | None
    complete: Complete = field(init=False)


class Execution:
    """The state of one run."""

    __slots__ = (
        "_core",
        "_variable_values",
        "context_value",
        "document",
        "inputs",
        "root_value",
        "slots",
    )

    def __init__(
        self, document: Document, root_value: Any, context_value: Any, inputs: Mapping[str, Any]
    ) -> None:
        self.document = document
        self.root_value = root_value
        self.context_value = context_value
        self.inputs = inputs
        self.slots: tuple[Any, ...] = ()
        self._variable_values: VariableValues | None = None
        self._core: Executor[Any] | None = None

    @property
    def variable_values(self) -> VariableValues:
        """The variables as graphql-core coerces them; generated code has read the same ones before."""
        if self._variable_values is None:
            document = self.document
            definitions = document.operation.variable_definitions or ()
            values = get_variable_values(document.schema, definitions, dict(self.inputs))
            if isinstance(values, list):  # never: generated code accepts less than graphql-core does
                raise values[0]
            self._variable_values = values
        return self._variable_values

    @property
    def core(self) -> Executor[Any]:
        """graphql-core's executor for this run, which takes over where generated code leaves off."""
        if self._core is None:
            document = self.document
            self._core = StrawberryGraphQLCoreExecutionContext(
                document.schema,
                document.fragment_definitions,
                document.fragments,
                self.root_value,
                self.context_value,
                document.operation,
                self.variable_values,
                default_field_resolver,
                default_type_resolver,
                default_field_resolver,
                hide_suggestions=True,
            )
        return self._core

    def raw_info(self, plan: FieldPlan, trail: Trail) -> GraphQLResolveInfo[Any]:
        """Build the info of graphql-core for a field, also from within one of its lists."""
        while trail is not None and isinstance(trail[1], int):
            trail = trail[0]
        nodes = [details.node for details in plan.details]
        return self.core.build_resolve_info(plan.definition, nodes, plan.parent, to_path(trail))

    def result(self, data: Results | None) -> ExecutionResult:
        """Answer with the data and the errors so far."""
        errors = None if self._core is None else self._core.collected_errors.errors
        return ExecutionResult(data, errors or None)

    def refuse(self, error: GraphQLError) -> ExecutionResult:
        """Answer without data: a null went all the way up."""
        self.core.collected_errors.add(error, None)
        return self.result(None)

    async def result_later(self, data: Awaitable[Results]) -> ExecutionResult:
        """Answer once the data is there."""
        try:
            results = await data
        except GraphQLError as error:
            return self.refuse(error)
        return self.result(results)


def to_path(trail: Trail) -> Path:
    """Turn a trail into graphql-core's linked path."""
    steps = []
    while trail is not None:
        steps.append(trail)
        trail = trail[0]
    path: Path | None = None
    for step in reversed(steps):
        path = Path(path, step[1], step[2])
    if path is None:  # pragma: no cover - every trail that reaches an error or an info has a field in it
        raise ValueError("There is no path to the root")
    return path


def fail(ex: Execution, plan: FieldPlan, parent_trail: Trail, error: Exception) -> None:
    """Answer a field's error with null, or raise it, located, where the field may not be null."""
    trail = (parent_trail, plan.key, plan.parent.name)
    ex.core.handle_field_error(error, plan.definition.type, plan.details, to_path(trail))


def irregular(ex: Execution, plan: FieldPlan, parent_trail: Trail, value: Any, pending: list[str]) -> Any:
    """Complete a resolved value of a class that generated code did not expect."""
    trail = (parent_trail, plan.key, plan.parent.name)
    if is_awaitable(value):
        pending.append(plan.key)
        return complete_awaitable(ex, plan, trail, value)
    completed = plan.complete(value, trail, ex)
    if completed is not None and is_awaitable(completed):
        return later(ex, plan, parent_trail, completed, pending)
    return completed


def later(
    ex: Execution, plan: FieldPlan, parent_trail: Trail, completed: Awaitable[Any], pending: list[str]
) -> Awaitable[Any]:
    """Note that a field's completion must be awaited: something below it is asynchronous."""
    pending.append(plan.key)
    return _await_completed(ex, plan, parent_trail, completed)


async def _await_completed(
    ex: Execution, plan: FieldPlan, parent_trail: Trail, completed: Awaitable[Any]
) -> Any:
    try:
        return await completed
    except Exception as error:  # noqa: BLE001 - whatever a resolver raises becomes the field's error
        fail(ex, plan, parent_trail, error)
        return None


async def complete_awaitable(ex: Execution, plan: FieldPlan, trail: Trail, value: Awaitable[Any]) -> Any:
    """Await what a resolver gave, then complete it."""
    try:
        completed = plan.complete(await value, trail, ex)
        if type(completed) not in PLAIN and is_awaitable(completed):
            completed = await completed
    except Exception as error:  # noqa: BLE001 - whatever a resolver raises becomes the field's error
        ex.core.handle_field_error(error, plan.definition.type, plan.details, to_path(trail))
        return None
    return completed


def as_core(ex: Execution, plan: FieldPlan, parent_trail: Trail, source: Any) -> Any:
    """Resolve a field as graphql-core does: its own argument coercion, then the schema's resolve function."""
    info = ex.raw_info(plan, (parent_trail, plan.key, plan.parent.name))
    definition, node = plan.definition, plan.details[0].node
    arguments = {}
    if definition.args or node.arguments:
        arguments = get_argument_values(definition, node, ex.variable_values, None, hide_suggestions=True)
    return (definition.resolve or default_field_resolver)(source, info, **arguments)


async def gather_fields(results: Results, pending: list[str]) -> Results:
    """Await the fields of one object side by side."""
    if len(pending) == 1:
        key = pending[0]
        results[key] = await results[key]
    else:
        results.update(
            zip(pending, await gather_with_cancel(*(results[key] for key in pending)), strict=True)
        )
    return results


def abandon(ex: Execution, results: Results, pending: list[str]) -> None:
    """Let the asynchronous fields of an object that has just failed settle in the background."""
    if pending:
        ex.core.settle_in_background([results[key] for key in pending])


def serially(source: Any, ex: Execution, steps: tuple[Step, ...]) -> Results | Awaitable[Results]:
    """Run the root fields of a mutation one after the other; synchronous ones without a coroutine."""
    results: Results = {}
    for position, step in enumerate(steps, start=1):
        pending: list[str] = []
        step(source, None, ex, results, pending)
        if pending:
            return _go_on_serially(source, ex, steps[position:], results, pending)
    return results


async def _go_on_serially(
    source: Any, ex: Execution, steps: tuple[Step, ...], results: Results, pending: list[str]
) -> Results:
    await gather_fields(results, pending)
    for step in steps:
        pending = []
        step(source, None, ex, results, pending)
        if pending:
            await gather_fields(results, pending)
    return results
