"""Decides which operations are compiled, and keeps what was compiled within bounds.

Compiling costs about what three or four runs on graphql-core cost, and memory as long as it is kept. So the
first runs of an operation are interpreted: a stream of documents that are never sent again pays nothing.
"""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping

from graphql import GraphQLSchema

from .compiled import CompiledOperation, compile_operation
from .documents import Operation, Result, Run

RUNS_BEFORE = 2
"""How often an operation runs on graphql-core before it is compiled."""

Interpret = Callable[[Operation, Mapping[str, object], object], Awaitable[Result]]
"""Runs an operation on graphql-core."""


class Compiler:
    """Runs operations on graphql-core at first, then as compiled code if they are covered.

    `max_characters` limits the generated code that is kept. The least recently run operations make room.
    """

    def __init__(self, schema: GraphQLSchema, interpret: Interpret, *, max_characters: int) -> None:
        self.schema = schema
        self.interpret = interpret
        self.max_characters = max_characters
        self._kept: OrderedDict[_Plan, int] = OrderedDict()
        self._characters = 0

    def plan(self) -> Run:
        """Return the function that runs one operation."""
        return _Plan(self).run

    def keep(self, plan: "_Plan", characters: int) -> None:
        """Count a plan as just run, with that much code."""
        if self._kept.get(plan) == characters:
            self._kept.move_to_end(plan)
            return
        self._characters += characters - self._kept.pop(plan, 0)
        self._kept[plan] = characters
        while self._characters > self.max_characters:
            dropped, freed = self._kept.popitem(last=False)
            self._characters -= freed
            dropped.forget()


class _Plan:
    """How one operation runs: interpreted at first, compiled later."""

    def __init__(self, compiler: Compiler) -> None:
        self._compiler = compiler
        self._runs = 0
        self._is_covered = True
        self._compiled: CompiledOperation | None = None

    def forget(self) -> None:
        """Drop the code. It is compiled again if the operation runs again."""
        self._compiled = None
        self._runs = 0

    def run(
        self, operation: Operation, variables: Mapping[str, object], context: object
    ) -> Result | Awaitable[Result]:
        compiled = self._compiled or self._compile(operation)
        if compiled is not None:
            begun = compiled.begin(None, context, variables)
            self._compiler.keep(self, compiled.size)
            if begun is not None:
                return begun
        return self._compiler.interpret(operation, variables, context)

    def _compile(self, operation: Operation) -> CompiledOperation | None:
        self._runs += 1
        if self._is_covered and self._runs > RUNS_BEFORE:
            self._compiled = compile_operation(self._compiler.schema, operation.document, operation.node)
            self._is_covered = self._compiled is not None
        return self._compiled
