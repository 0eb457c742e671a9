"""Says what is wrong with a value without repeating the value, which might be a secret."""

import re
from collections.abc import Mapping, Sequence

from graphql import (
    SKIP,
    GraphQLError,
    GraphQLInputType,
    GraphQLSchema,
    OperationDefinitionNode,
    ValueNode,
    VisitorAction,
    get_nullable_type,
    is_input_object_type,
    is_list_type,
)
from graphql.execution.get_variable_signature import get_variable_signature
from graphql.execution.values import VariableValues, get_variable_values
from graphql.pyutils import Undefined
from graphql.utilities import validate_input_literal, validate_input_value
from graphql.validation import ValuesOfCorrectTypeRule

from .errors import BAD_USER_INPUT, FormattedError, located, refusal

Path = Sequence[str | int]

_WITHOUT_VALUE = re.compile(
    r"Expected (?:a )?value of (?:non-null )?type '[^']{1,200}'"
    r" (?:to be provided|not to be None|to be an object"
    r"|to include required field '[^']{1,200}'|not to include unknown field '[^']{1,200}')"
    r"|Within OneOf Input Object type '[^']{1,200}', exactly one field must be specified"
)


class TooManyMistakes(Exception):
    """Enough mistakes were found."""


def coerce_variables(
    schema: GraphQLSchema,
    operation: OperationDefinitionNode,
    variables: Mapping[str, object],
    *,
    max_errors: int,
) -> VariableValues | list[FormattedError]:
    """Return the variables as declared, or the path of each mistake and the type expected there."""
    coerced = get_variable_values(
        schema, operation.variable_definitions or (), dict(variables), max_errors=1, hide_suggestions=True
    )
    if isinstance(coerced, VariableValues):
        return coerced
    mistakes: list[FormattedError] = []
    for definition in operation.variable_definitions or ():
        signature = get_variable_signature(schema, definition)
        if isinstance(signature, GraphQLError):
            mistakes.append(located(signature, signature.message, BAD_USER_INPUT))
            continue
        value = variables.get(signature.name, Undefined)
        if value is Undefined and definition.default_value:
            continue

        def on_error(
            error: GraphQLError,
            path: Path,
            name: str = signature.name,
            type_: GraphQLInputType = signature.type,
        ) -> None:
            if len(mistakes) >= max_errors:
                raise TooManyMistakes
            place = "$" + name + "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path)
            message = f"{place} has no usable value. {without_value(error.message, type_, path)}"
            mistakes.append(refusal(message, BAD_USER_INPUT, path=[f"${name}", *map(str, path)]))

        try:
            validate_input_value(value, signature.type, on_error, hide_suggestions=True)
        except TooManyMistakes:
            break
        except RecursionError:
            mistakes.append(refusal(f"${signature.name} is nested too deeply", BAD_USER_INPUT))
    return mistakes or [refusal("The variables do not fit the operation", BAD_USER_INPUT)]


def without_value(message: str, type_: GraphQLInputType, path: Path) -> str:
    """Return what graphql-core says of a value, cut before the value, and in GraphQL's words."""
    structural = _WITHOUT_VALUE.match(message)
    if structural:
        return re.sub(r"None$", "null", structural.group()) + "."
    return f"Expected a value of type '{_type_at(type_, path)}'."


def _type_at(type_: GraphQLInputType, path: Path) -> GraphQLInputType:
    """Return the type that a path within a value of the given type leads to."""
    for key in path:
        inner = get_nullable_type(type_)
        if is_list_type(inner) and isinstance(key, int):
            type_ = inner.of_type
        elif is_input_object_type(inner) and key in inner.fields:
            type_ = inner.fields[str(key)].type
    return type_


class RedactedValuesOfCorrectTypeRule(ValuesOfCorrectTypeRule):
    """GraphQL's rule on literals, its messages cut before the literal."""

    def is_valid_value_node(self, node: ValueNode, input_type: GraphQLInputType | None) -> VisitorAction:
        """Report each part of a literal that does not fit the type at its place."""
        if input_type:

            def on_error(error: GraphQLError, path: Path) -> None:
                message = without_value(error.message, input_type, path)
                self.report_error(GraphQLError(message, error.nodes))

            validate_input_literal(node, input_type, on_error, None, None, True)
        return SKIP
