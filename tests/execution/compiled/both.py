# ruff: noqa: SLF001 - Strawberry keeps its schema in a private attribute
"""Runs one operation on graphql-core and as compiled code, and refuses any difference."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
import strawberry
from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLSchema,
    OperationDefinitionNode,
    execute,
    parse,
    validate,
)
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from graphql_api.execution.compiled import CompiledOperation, compile_operation


def on_core(
    schema: GraphQLSchema, document: DocumentNode, root: Any, context: Any, variables: dict[str, Any]
) -> Any:
    """Run an operation on graphql-core, as the engine does where compiled code leaves it to it."""
    return execute(
        schema,
        document,
        root,
        context,
        variables,
        executor_class=StrawberryGraphQLCoreExecutionContext,
        hide_suggestions=True,
    )


def compiled(schema: strawberry.Schema, text: str, *, is_valid: bool = True) -> CompiledOperation:
    document = parse(text)
    if is_valid:
        assert not validate(schema._schema, document)
    operation = next(node for node in document.definitions if isinstance(node, OperationDefinitionNode))
    made = compile_operation(schema._schema, document, operation)
    assert made is not None
    return made


async def both(
    schema: strawberry.Schema,
    text: str,
    *,
    root: Callable[[], Any] = lambda: None,
    context: Callable[[], Any] = dict,
    variables: dict[str, Any] | None = None,
    is_valid: bool = True,
) -> dict[str, Any]:
    """Give the one answer of both executors: data, errors, and `awaited`, whether anything had to be."""

    def on_either() -> Any:
        begun = compiled(schema, text, is_valid=is_valid).begin(root(), context(), variables or {})
        return theirs() if begun is None else begun

    def theirs() -> Any:
        return on_core(schema._schema, parse(text), root(), context(), variables or {})

    ours = await _answer(on_either)
    core = await _answer(theirs)
    assert json.dumps(ours, default=repr) == json.dumps(core, default=repr)
    return ours


async def _answer(run: Callable[[], Any]) -> dict[str, Any]:
    before = asyncio.all_tasks()
    result = run()
    awaited = not isinstance(result, ExecutionResult)
    if awaited:
        result = await result
    answer = {**result.formatted, "awaited": awaited}
    await asyncio.gather(*(asyncio.all_tasks() - before), return_exceptions=True)
    assert {**result.formatted, "awaited": awaited} == answer, "nothing is added once the answer is out"
    return answer


def messages(answer: dict[str, Any]) -> list[tuple[str, list[str | int]]]:
    return [(error["message"], error.get("path")) for error in answer.get("errors", ())]


def each(names: str | tuple[str, ...], values: list[Any]) -> pytest.MarkDecorator:
    """Run a test for each of some values, numbered, since few of them have names."""
    return pytest.mark.parametrize(names, values, ids=[str(number) for number in range(len(values))])
