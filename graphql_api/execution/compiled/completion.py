"""Completing values: from what a resolver gave to what the response shows.

`completer(type, plan, selects)` builds, once for each field of an operation, a function that completes one
value of the field's type. A value whose class is the expected one goes straight through; every other value is
given to graphql-core's executor, which knows all the cases and all the messages.

    completer
    ├── leaf       scalars and enums
    ├── list       items side by side, each with its own error
    ├── object     `is_type_of`, then the generated function for its selected fields
    └── abstract   `resolve_type`, then as an object of that type
"""

from collections.abc import Awaitable, Iterator
from itertools import chain
from typing import Any, Final

from graphql import (
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLID,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLResolveInfo,
    GraphQLScalarType,
    GraphQLString,
    GraphQLUnionType,
    default_type_resolver,
)
from graphql.execution.executor import invalid_return_type_error
from graphql.pyutils import Undefined, gather_with_cancel
from graphql.pyutils import inspect as describe
from strawberry.types.base import StrawberryObjectDefinition
from strawberry.types.cast import TYPE_CAST_ATTRIBUTE

from graphql_api.execution.compiled.execution import (
    Complete,
    Execution,
    FieldPlan,
    Select,
    Trail,
    to_path,
)
from graphql_api.execution.compiled.plain import PLAIN, is_awaitable

AS_THEY_ARE: Final[dict[object, type]] = {GraphQLString: str, GraphQLID: str, GraphQLBoolean: bool}
"""Scalars whose usual Python values are the JSON values already."""

MOST_CLASSES = 256  # of values seen at one abstract field

DEFINITION = "strawberry-definition"


def completer(type_: GraphQLOutputType, plan: FieldPlan, selects: dict[str, Select]) -> Complete:
    """Build the function that completes values of a type at a field.

    Args:
        type_: the field's type, or the item type of a list in it.
        plan: the field.
        selects: the generated function for the selected fields, by name of the object type.
    """
    named = type_.of_type if isinstance(type_, GraphQLNonNull) else type_
    if isinstance(named, GraphQLList):
        return _list_completer(type_, named.of_type, plan, completer(named.of_type, plan, selects))
    if isinstance(named, GraphQLObjectType):
        return _object_completer(type_, named, plan, selects[named.name])
    if isinstance(named, GraphQLInterfaceType | GraphQLUnionType):
        return _abstract_completer(type_, named, plan, selects)
    return _leaf_completer(type_, named, plan)


def as_core_completes(
    type_: GraphQLOutputType, plan: FieldPlan, value: Any, trail: Trail, ex: Execution
) -> Any:
    """Complete a value, and all that is below it, as graphql-core does."""
    info = ex.raw_info(plan, trail)
    return ex.core.complete_value(type_, plan.details, info, to_path(trail), value, None)


def check_leaf(named: GraphQLScalarType | GraphQLEnumType, value: Any, coerced: Any) -> Any:
    """Refuse a leaf that was serialized to nothing, in graphql-core's words."""
    if coerced is Undefined or coerced is None:
        message = (
            f"Expected `{describe(named)}.coerce_output_value({describe(value)})`"
            f" to return non-nullable value, returned: {describe(coerced)}"
        )
        raise TypeError(message)
    return coerced


def _is_nothing(value: Any) -> bool:
    return value is None or value is Undefined or isinstance(value, Exception)


def _leaf_completer(type_: GraphQLOutputType, named: Any, plan: FieldPlan) -> Complete:
    exact = AS_THEY_ARE.get(named)
    nullable = type_ is named
    coerce = named.coerce_output_value

    def complete_leaf(value: Any, trail: Trail, ex: Execution) -> Any:
        if type(value) is exact:
            return value
        if value is None and nullable:
            return None
        if _is_nothing(value):
            return as_core_completes(type_, plan, value, trail, ex)
        return check_leaf(named, value, coerce(value))

    return complete_leaf


def _list_completer(
    type_: GraphQLOutputType, item_type: GraphQLOutputType, plan: FieldPlan, complete_item: Complete
) -> Complete:
    nullable = not isinstance(type_, GraphQLNonNull)
    exact = AS_THEY_ARE.get(item_type.of_type if isinstance(item_type, GraphQLNonNull) else item_type)
    complete_items = _Items(item_type, plan, complete_item).complete

    def complete_list(value: Any, trail: Trail, ex: Execution) -> Any:
        if type(value) is not list and type(value) is not tuple:
            if value is None and nullable:
                return None
            return as_core_completes(type_, plan, value, trail, ex)
        if not value or (exact is not None and all_of(exact, value)):
            return list(value)
        return complete_items(value, trail, ex)

    return complete_list


class _Items:
    """Completes the items of a list, each with its own error."""

    def __init__(self, type_: GraphQLOutputType, plan: FieldPlan, complete_item: Complete) -> None:
        self._type = type_
        self._plan = plan
        self._complete_item = complete_item

    def complete(self, values: list[Any] | tuple[Any, ...], trail: Trail, ex: Execution) -> Any:
        """Complete all items; a coroutine where one of them has to be awaited."""
        complete_item = self._complete_item
        completed: list[Any] = []
        pending: list[int] = []
        done: Any
        items = iter(values)
        try:
            for index, item in enumerate(items):
                item_trail = (trail, index, None)
                try:
                    if type(item) not in PLAIN and is_awaitable(item):
                        done = self._await_item(item, item_trail, ex)
                        pending.append(index)
                    else:
                        done = complete_item(item, item_trail, ex)
                        if type(done) not in PLAIN and done is not None and is_awaitable(done):
                            done = self._await_completed(done, item_trail, ex)
                            pending.append(index)
                except Exception as error:  # noqa: BLE001 - whatever was raised becomes the item's error
                    done = self._fail(error, item_trail, ex)
                completed.append(done)
        except Exception:
            _abandon_items(ex, [completed[index] for index in pending], items)
            raise
        return _gather_items(completed, pending) if pending else completed

    def _fail(self, error: Exception, trail: Trail, ex: Execution) -> object:
        return ex.core.handle_field_error(error, self._type, self._plan.details, to_path(trail))  # type: ignore[func-returns-value]

    async def _await_completed(self, done: Awaitable[Any], trail: Trail, ex: Execution) -> Any:
        try:
            return await done
        except Exception as error:  # noqa: BLE001 - whatever was raised becomes the item's error
            return self._fail(error, trail, ex)

    async def _await_item(self, item: Awaitable[Any], trail: Trail, ex: Execution) -> Any:
        try:
            completed = self._complete_item(await item, trail, ex)
            if type(completed) not in PLAIN and is_awaitable(completed):
                completed = await completed
        except Exception as error:  # noqa: BLE001 - whatever was raised becomes the item's error
            return self._fail(error, trail, ex)
        return completed


def all_of(exact: type, items: list[Any] | tuple[Any, ...]) -> bool:
    """Tell whether every item has exactly this class."""
    for item in items:  # noqa: SIM110 - a generator costs twice the loop
        if type(item) is not exact:
            return False
    return True


async def _gather_items(completed: list[Any], pending: list[int]) -> list[Any]:
    if len(pending) == 1:
        completed[pending[0]] = await completed[pending[0]]
    else:
        done = await gather_with_cancel(*(completed[index] for index in pending))
        for index, item in zip(pending, done, strict=True):
            completed[index] = item
    return completed


def _abandon_items(ex: Execution, begun: list[Awaitable[Any]], rest: Iterator[Any]) -> None:
    """Let what is asynchronous in a list that has just failed settle in the background."""
    awaitables = list(chain(begun, (item for item in rest if is_awaitable(item))))
    if awaitables:
        ex.core.settle_in_background(awaitables)


def _object_completer(
    type_: GraphQLOutputType, named: GraphQLObjectType, plan: FieldPlan, select: Select
) -> Complete:
    nullable = type_ is named
    enter = _entrance(named, plan, select)
    own = own_class(named)

    def complete_object(value: Any, trail: Trail, ex: Execution) -> Any:
        if type(value) is own and getattr(value, TYPE_CAST_ATTRIBUTE, None) is None:
            return select(value, trail, ex)
        if type(value) not in PLAIN:
            if value is None and nullable:
                return None
            if _is_nothing(value):
                return as_core_completes(type_, plan, value, trail, ex)
        return enter(value, trail, ex)

    return complete_object


def _entrance(named: GraphQLObjectType, plan: FieldPlan, select: Select) -> Select:
    """Guard the selected fields of an object by its type's `is_type_of`."""
    is_type_of = named.is_type_of
    if is_type_of is None:
        return select

    def enter(value: Any, trail: Trail, ex: Execution) -> Any:
        belongs = is_type_of(value, ex.raw_info(plan, trail))
        if is_awaitable(belongs):
            return enter_later(belongs, value, trail, ex)
        if not belongs:
            raise invalid_return_type_error(named, value, plan.details)
        return select(value, trail, ex)

    async def enter_later(belongs: Any, value: Any, trail: Trail, ex: Execution) -> Any:
        if not await belongs:
            raise invalid_return_type_error(named, value, plan.details)
        completed = select(value, trail, ex)
        return await completed if is_awaitable(completed) else completed

    return enter


def _abstract_completer(
    type_: GraphQLOutputType,
    named: GraphQLInterfaceType | GraphQLUnionType,
    plan: FieldPlan,
    selects: dict[str, Select],
) -> Complete:
    nullable = type_ is named
    entrances: dict[str, Select] = {}
    known: dict[type, Select] = {}
    resolve_type = named.resolve_type or default_type_resolver

    def complete_abstract(value: Any, trail: Trail, ex: Execution) -> Any:
        select = known.get(type(value))
        if select is not None and getattr(value, TYPE_CAST_ATTRIBUTE, None) is None:
            return select(value, trail, ex)
        if value is None and nullable:
            return None
        if _is_nothing(value):
            return as_core_completes(type_, plan, value, trail, ex)
        info = ex.raw_info(plan, trail)
        runtime_type = resolve_type(value, info, named)
        if is_awaitable(runtime_type):
            return complete_later(runtime_type, info, value, trail, ex)
        return enter(runtime_type, info, value, trail, ex)

    def enter(
        runtime_type: Any, info: GraphQLResolveInfo[Any], value: Any, trail: Trail, ex: Execution
    ) -> Any:
        object_type = ex.core.ensure_valid_runtime_type(runtime_type, named, plan.details, info, value)
        name = object_type.name
        if name not in entrances:
            entrances[name] = _entrance(object_type, plan, selects[name])
        if len(known) < MOST_CLASSES and decides_by_class(named, object_type, value):
            known[type(value)] = selects[name]
        return entrances[name](value, trail, ex)

    async def complete_later(
        runtime_type: Any, info: GraphQLResolveInfo[Any], value: Any, trail: Trail, ex: Execution
    ) -> Any:
        completed = enter(await runtime_type, info, value, trail, ex)
        return await completed if is_awaitable(completed) else completed

    return complete_abstract


def own_class(named: GraphQLObjectType) -> type | None:
    """Name the class all of whose uncast instances are of this type.

    There is one where the type has no `is_type_of`, or the one that Strawberry writes.
    """
    definition = named.extensions.get(DEFINITION)
    if not isinstance(definition, StrawberryObjectDefinition) or definition.is_type_of is not None:
        return None
    is_type_of = named.is_type_of
    if is_type_of is not None and is_type_of.__module__ != "strawberry.schema.schema_converter":
        return None
    return None if issubclass(definition.origin, BaseException) else definition.origin


def decides_by_class(
    abstract: GraphQLInterfaceType | GraphQLUnionType, object_type: GraphQLObjectType, value: Any
) -> bool:
    """Tell whether all uncast values of this value's class resolve to this object type.

    They do where Strawberry's own functions decide, the class carries the type's definition, and there are no
    generics (for those Strawberry looks into the values).
    """
    definition = object_type.extensions.get(DEFINITION)
    if getattr(type(value), "__strawberry_definition__", Undefined) is not definition:
        return False
    if (
        not isinstance(definition, StrawberryObjectDefinition)
        or definition.is_graphql_generic
        or definition.concrete_of is not None
    ):
        return False
    if getattr(value, TYPE_CAST_ATTRIBUTE, None) is not None or issubclass(type(value), BaseException):
        return False
    if object_type.is_type_of is not None and own_class(object_type) is None:
        return False
    return getattr(abstract.resolve_type, "__module__", None) in STRAWBERRY_DECIDES and not (
        getattr(abstract.extensions.get(DEFINITION), "resolve_type", None)
    )


STRAWBERRY_DECIDES = {"strawberry.types.union", "strawberry.schema.schema_converter"}
