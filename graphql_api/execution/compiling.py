"""Decides which operations are compiled.

Compiling costs about what three or four runs on graphql-core cost, and memory as long as it is kept. So the
first runs of an operation are interpreted: a stream of documents that are never sent again pays nothing.
"""

from collections.abc import Awaitable, Callable, Mapping

from graphql import GraphQLSchema

from .compiled import CompiledOperation, compile_operation
from .documents import Operation, Result

RUNS_BEFORE = 2
"""How often an operation runs on graphql-core before it is compiled."""

Interpret = Callable[[Operation, Mapping[str, object], object], Awaitable[Result]]
"""Runs an operation on graphql-core."""


class Plan:
    """How one operation runs: on graphql-core at first, later as compiled code, if that covers it.

    `grow` is told of the bytes that the code takes, whenever there is more of it.
    """

    def __init__(self, schema: GraphQLSchema, interpret: Interpret, grow: Callable[[int], None]) -> None:
        self._schema = schema
        self._interpret = interpret
        self._grow = grow
        self._runs = 0
        self._compiled: CompiledOperation | None = None
        self._size = 0

    def run(
        self, operation: Operation, variables: Mapping[str, object], context: object
    ) -> Result | Awaitable[Result]:
        """Run the operation whose plan this is."""
        compiled = self._compiled or self._compile(operation)
        if compiled is not None:
            begun = compiled.begin(None, context, variables)
            if compiled.size != self._size:
                self._grow(compiled.size - self._size)
                self._size = compiled.size
            if begun is not None:
                return begun
        return self._interpret(operation, variables, context)

    def _compile(self, operation: Operation) -> CompiledOperation | None:
        self._runs += 1
        if self._runs == RUNS_BEFORE + 1:
            self._compiled = compile_operation(self._schema, operation.document, operation.node)
        return self._compiled
