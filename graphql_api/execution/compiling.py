"""Decides which operations are compiled, and keeps what was compiled within bounds.

Compiling costs about what three or four runs on graphql-core cost, and memory as long as it is kept. So the
first runs of an operation are interpreted: a stream of documents that are never sent again pays nothing.
"""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping

from graphql import ExecutionResult, GraphQLSchema

from .compiled import CompiledOperation, compile_operation
from .documents import Executed, Operation, Refusal, Run


class Compiler:
    """Runs operations as compiled code when they ran `runs_before` times; what is not covered is interpreted.

    `max_characters` bounds the generated code that is kept: the least recently run make room, and start anew.
    """

    def __init__(
        self,
        schema: GraphQLSchema,
        interpret: Callable[[Operation], Run],
        *,
        runs_before: int,
        max_characters: int,
    ) -> None:
        self.schema = schema
        self.interpret = interpret
        self.runs_before = runs_before
        self.max_characters = max_characters
        self._kept: OrderedDict[_Plan, int] = OrderedDict()
        self._characters = 0

    def plan(self, operation: Operation) -> Run:
        """Return the function that runs an operation."""
        return _Plan(self, operation, self.interpret(operation)).run

    def compile(self, operation: Operation) -> CompiledOperation | None:
        """Return an operation as code; None if it is graphql-core's."""
        return compile_operation(self.schema, operation.document, operation.node, hide_suggestions=True)

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

    def __init__(self, compiler: Compiler, operation: Operation, interpreted: Run) -> None:
        self._compiler = compiler
        self._operation = operation
        self._interpreted = interpreted
        self._runs = 0
        self._is_covered = True
        self._compiled: CompiledOperation | None = None

    def forget(self) -> None:
        """Let go of the code; it is compiled again if it is used again."""
        self._compiled = None
        self._runs = 0

    def run(
        self, variables: Mapping[str, object], context: object
    ) -> Executed | Refusal | Awaitable[Executed | Refusal]:
        compiled = self._compiled or self._compile()
        if compiled is None:
            return self._interpreted(variables, context)
        begun = compiled.begin(None, context, variables)
        self._compiler.keep(self, compiled.size)
        if begun is None:
            return self._interpreted(variables, context)
        return _told(begun) if isinstance(begun, ExecutionResult) else _finish(begun)

    def _compile(self) -> CompiledOperation | None:
        self._runs += 1
        if self._is_covered and self._runs > self._compiler.runs_before:
            self._compiled = self._compiler.compile(self._operation)
            self._is_covered = self._compiled is not None
        return self._compiled


def _told(result: ExecutionResult) -> Executed:
    return Executed(result.data, result.errors or [])


async def _finish(begun: Awaitable[ExecutionResult]) -> Executed:
    return _told(await begun)
