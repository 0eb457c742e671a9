"""Compiling an operation, and running what was compiled.

An operation is compiled into one variant for each value of the variables that `@skip` and `@include` ask for,
when that value is first met. What no variant covers runs on graphql-core.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from graphql import DocumentNode, ExecutionResult, GraphQLError, GraphQLSchema, OperationDefinitionNode
from graphql.execution.values import VariableValues

from graphql_api.execution.compiled import inputs, selections
from graphql_api.execution.compiled.coverage import NotCoveredError, survey
from graphql_api.execution.compiled.execution import Document, Execution, Select
from graphql_api.execution.compiled.inputs import Inputs
from graphql_api.execution.compiled.resolvers import Resolvers, Variables
from graphql_api.execution.compiled.selections import Selections
from graphql_api.execution.compiled.source import Source

MOST_VARIANTS = 8


def compile_operation(
    schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode
) -> "CompiledOperation | None":
    """Compile one operation of a parsed and validated document.

    Args:
        schema: the graphql-core schema of a Strawberry schema.
        document: the document; its fragments are used.
        operation: one of its operations.

    Returns:
        None where the operation is not covered: subscriptions, introspection beyond `__typename`, directives
        other than `@skip` and `@include`, incremental delivery, input types that our schema does not have,
        and what is too deep or too large.
    """
    try:
        return CompiledOperation(survey(schema, document, operation))
    except NotCoveredError:
        return None


_VARIANT = 2_000
_CHARACTER = 6
"""Bytes that the code of a variant takes, and each character of it: measured, and rounded up."""

_LONGEST_NAME = 60
"""Characters of an operation's name in a traceback."""


class CompiledOperation:
    """An operation as Python code, for any number of runs, also at the same time."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self.size = 0
        """Bytes that the generated code takes, of all variants so far."""
        self._defaults = _condition_defaults(document)
        self._variants: dict[tuple[bool, ...], _Variant | None] = {}
        first = self._compile((True,) * len(document.conditions))  # finds out now what is not covered
        self._only = None if document.conditions else first

    def begin(
        self, root_value: Any, context_value: Any, raw: Mapping[str, Any]
    ) -> ExecutionResult | Awaitable[ExecutionResult] | None:
        """Run the operation: the result that graphql-core's `execute` gives for the same arguments.

        None, before any resolver ran, where graphql-core must run it. That is so where the variables are not
        as declared: graphql-core has the words for it.

        Args:
            root_value: what the root fields are resolved on.
            context_value: what resolvers find in `info.context`.
            raw: the variables as they came, from JSON.
        """
        variant = self._only or self._variant(raw)
        if variant is None:
            return None
        ex = Execution(self._document, root_value, context_value, raw)
        try:
            ex.slots = variant.read(raw)
        except Exception:  # noqa: BLE001 - whatever trips the reader, graphql-core finds it again
            return None
        try:
            data = variant.select(root_value, None, ex)
        except GraphQLError as error:
            return ex.refuse(error)
        return ex.result(data) if type(data) is dict else ex.result_later(data)

    def _variant(self, raw: Mapping[str, Any]) -> "_Variant | None":
        """Choose the variant for these variables; None where graphql-core must decide."""
        values = tuple(
            raw.get(name, default)
            for name, default in zip(self._document.conditions, self._defaults, strict=True)
        )
        if not all(value is True or value is False for value in values):
            return None
        if values not in self._variants:
            try:
                return self._compile(values)
            except NotCoveredError:
                self._variants[values] = None
        return self._variants[values]

    def _compile(self, values: tuple[bool, ...]) -> "_Variant | None":
        if len(self._variants) >= MOST_VARIANTS:
            return None
        variant = self._variants[values] = _Variant(self._document, values)
        self.size += variant.size
        return variant


class _Variant:
    """An operation with its conditions decided, as code."""

    def __init__(self, document: Document, values: tuple[bool, ...]) -> None:
        root_type = document.schema.get_root_type(document.operation.operation)
        if root_type is None:
            raise NotCoveredError("The schema has no such operations")
        source = Source({**selections.NAMESPACE, **inputs.NAMESPACE})
        input_types = Inputs(source, document.strawberry_schema)
        variables = Variables(source, input_types, document.schema, document.operation)
        resolvers = Resolvers(source, input_types, variables, document.strawberry_schema)
        conditions = VariableValues({}, dict(zip(document.conditions, values, strict=True)))
        functions = Selections(source, document, conditions, resolvers)
        root = functions.write(root_type)
        variables.write_reader()
        name = document.operation.name.value if document.operation.name else "operation"
        namespace = source.run(name[:_LONGEST_NAME])
        functions.link()
        self.size = _VARIANT + _CHARACTER * len(str(source))
        self.select: Select = namespace[root]
        self.read: Callable[[Mapping[str, Any]], tuple[Any, ...]] = namespace["read_variables"]


def _condition_defaults(document: Document) -> list[Any]:
    """Give the default of each condition's variable; None, which decides nothing, where it has none."""
    definitions = document.operation.variable_definitions or ()
    literals = {node.variable.name.value: node.default_value for node in definitions}
    return [getattr(literals.get(name), "value", None) for name in document.conditions]
