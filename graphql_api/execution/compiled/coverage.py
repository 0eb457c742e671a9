"""What the compiler covers; everything else runs on graphql-core."""

from collections.abc import Iterator

from graphql import (
    BooleanValueNode,
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLIncludeDirective,
    GraphQLSchema,
    GraphQLSkipDirective,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    VariableNode,
    assert_valid_schema,
)
from graphql.execution.collect_fields import FragmentDetails
from strawberry.schema import Schema
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext
from strawberry.types.info import Info

from graphql_api.execution.compiled.execution import Document

MOST_CONDITIONS = 8
MOST_FUNCTIONS = 200
MOST_FIELDS = 600  # a fragment on an interface is written for each type: short documents may make much code
DEEPEST = 60  # generated code and graphql-core meet the recursion limit at different depths


class NotCoveredError(Exception):
    """The operation, or this part of it, is graphql-core's to execute."""


def survey(schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode) -> Document:
    """Look through an operation and the fragments of its document.

    Raises:
        NotCoveredError: where something in it is not covered.
    """
    strawberry_schema = _strawberry_schema_of(schema)
    if operation.operation is OperationType.SUBSCRIPTION or operation.directives:
        raise NotCoveredError("Subscriptions and directives on operations are graphql-core's")
    definitions = [node for node in document.definitions if isinstance(node, FragmentDefinitionNode)]
    conditions: dict[str, None] = {}
    for selection_set in [operation.selection_set, *(definition.selection_set for definition in definitions)]:
        for directive in _directives(selection_set):
            conditions.update(dict.fromkeys(_condition(directive)))
    if any(definition.variable_definitions or definition.directives for definition in definitions):
        raise NotCoveredError("Fragments with variables or directives are graphql-core's")
    if len(conditions) > MOST_CONDITIONS:
        raise NotCoveredError("Too many variables in @skip and @include")
    fragments = {definition.name.value: definition for definition in definitions}
    details = {name: FragmentDetails(definition, None) for name, definition in fragments.items()}
    return Document(schema, strawberry_schema, operation, details, fragments, tuple(conditions))


def _strawberry_schema_of(schema: GraphQLSchema) -> Schema:
    strawberry_schema = getattr(schema, "_strawberry_schema", None)
    if not isinstance(strawberry_schema, Schema):
        raise NotCoveredError("Not the schema of a Strawberry schema")
    if strawberry_schema.execution_context_class is not StrawberryGraphQLCoreExecutionContext:
        raise NotCoveredError("Its executor is not Strawberry's own")
    if strawberry_schema.config.info_class is not Info:
        raise NotCoveredError("Its Info is not Strawberry's own")
    if schema.get_directive("defer") or schema.get_directive("stream"):
        raise NotCoveredError("Incremental delivery is graphql-core's")
    assert_valid_schema(schema)
    return strawberry_schema


def _directives(selection_set: SelectionSetNode) -> Iterator[DirectiveNode]:
    """Walk all directives below a selection set, without recursion: documents may be deep."""
    waiting = [selection_set]
    while waiting:
        for selection in waiting.pop().selections:
            yield from selection.directives or ()
            if isinstance(selection, FragmentSpreadNode):
                if getattr(selection, "arguments", None):
                    raise NotCoveredError("Fragment arguments are graphql-core's")
                continue
            if isinstance(selection, FieldNode | InlineFragmentNode) and selection.selection_set:
                waiting.append(selection.selection_set)


def _condition(directive: DirectiveNode) -> tuple[str, ...]:
    """Name the variable a `@skip` or `@include` asks for, if it asks for one."""
    if directive.name.value not in (GraphQLSkipDirective.name, GraphQLIncludeDirective.name):
        raise NotCoveredError("Only @skip and @include are covered")
    arguments = directive.arguments or ()
    value = arguments[0].value if len(arguments) == 1 else None
    if isinstance(value, VariableNode):
        return (value.name.value,)
    if isinstance(value, BooleanValueNode):
        return ()
    raise NotCoveredError("Not a condition")
