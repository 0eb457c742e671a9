"""Runs GraphQL requests over a Strawberry schema.

A request becomes an `Operation` (found, parsed, measured, validated, or refused), the operation runs, and
the `Outcome` is what the caller gets. A `Plan` decides how an operation runs: on graphql-core's executor, or
as compiled code if it runs again and again.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from functools import partial
from types import MappingProxyType
from typing import Any, NamedTuple, TypeGuard, cast

import orjson
import strawberry
from graphql import ExecutionResult, GraphQLError, GraphQLSchema, OperationType
from graphql.execution import (
    Executor,
    create_source_event_stream,
    default_field_resolver,
    default_type_resolver,
)
from graphql.pyutils import AwaitableOrValue
from strawberry.execution import optimized_is_awaitable

from .coercion import coerce_variables
from .compiling import Plan
from .documents import Document, Documents, Operation, Refusal, Result
from .errors import (
    BAD_USER_INPUT,
    EXECUTION_TIMEOUT,
    FormattedError,
    Reporter,
    masked,
    public_extensions,
    refusal,
    shown,
)
from .limits import Limits
from .measure import exceeded
from .persisted import DOCUMENT_REQUIRED, PersistedDocuments

TOO_SLOW = refusal("The operation took too long", EXECUTION_TIMEOUT)

_is_awaitable = cast("Callable[[Any], TypeGuard[Awaitable[Any]]]", optimized_is_awaitable)


class OperationRequest(NamedTuple):
    """What a caller asks for, whatever the transport."""

    query: str | None = None
    operation_name: str | None = None
    variables: Mapping[str, object] = MappingProxyType({})
    extensions: Mapping[str, object] = MappingProxyType({})
    document_id: str | None = None


class Outcome(NamedTuple):
    """What the caller is told; an operation that was not `executed` has an answer without `data`."""

    data: Any
    errors: list[FormattedError]
    executed: bool

    def encode(self) -> bytes:
        """Return the answer as JSON; raises TypeError if the data cannot be written so."""
        if not self.executed:
            return orjson.dumps({"errors": self.errors})
        if self.errors:
            return orjson.dumps({"errors": self.errors, "data": self.data})
        return orjson.dumps({"data": self.data})


def refused(*errors: FormattedError) -> Outcome:
    """Return the outcome of a request that was not run."""
    return Outcome(None, list(errors), executed=False)


class Engine:
    """Runs requests against one schema; safe to share by all requests of a process.

    `report_error` gets every unplanned exception; `credential_fields` are the mutations that check a password
    or mint a token.
    """

    def __init__(
        self,
        schema: strawberry.Schema,
        *,
        limits: Limits,
        report_error: Reporter,
        show_suggestions: bool,
        introspection: bool,
        credential_fields: frozenset[str],
        persisted: PersistedDocuments,
    ) -> None:
        self.schema: GraphQLSchema = schema._schema  # noqa: SLF001 - Strawberry has no public name for it
        self.executor_class = cast("type[Executor[Any]]", schema.execution_context_class)
        self.limits = limits
        self.report_error = report_error
        self.persisted = persisted
        self.documents = Documents(self.schema, limits, show_suggestions, introspection, credential_fields)

    def prepare(self, request: OperationRequest) -> Operation | Outcome:
        """Find, read and select the operation of a request, or say why it cannot be run."""
        source = self._source(request)
        if not isinstance(source, str):
            return refused(source)
        document = self.documents.get(source)
        if document is None:
            read = self.documents.read(source)
            if not isinstance(read, Document):
                return refused(*read)
            for operation in read.operations:
                grow = partial(self.documents.grow, source)
                operation.run = Plan(self.schema, self._interpret, grow).run
            self.documents.keep(source, read)
            document = read
        if request.query is not None and request.extensions and "persistedQuery" in request.extensions:
            self.documents.name(source)
        selected = document.select(request.operation_name)
        if not isinstance(selected, Operation):
            return refused(*selected)
        if selected.cost > self.limits.max_cost:
            cost = self.documents.cost(selected, request.variables)
            if cost > self.limits.max_cost:
                return refused(exceeded("Cost", cost, self.limits.max_cost))
        return selected

    async def run(self, operation: Operation, variables: Mapping[str, object], context: object) -> Outcome:
        """Run a prepared query or mutation."""
        deadline: asyncio.Timeout | None = None
        try:
            result = operation.run(operation, variables, context)
            if not isinstance(result, ExecutionResult | list):
                async with asyncio.timeout(self.limits.execution_timeout) as deadline:
                    result = await result
        except Exception as error:  # noqa: BLE001 - whatever is raised becomes an answer
            expired = deadline is not None and deadline.expired()
            return refused(TOO_SLOW if expired else self._failure(operation, error))
        return self._outcome(operation, result)

    async def outcomes(
        self, operation: Operation, variables: Mapping[str, object], context: object
    ) -> AsyncGenerator[Outcome, None]:
        """Run a prepared operation: one outcome, or one for each event of a subscription.

        The last outcome of a subscription is a refusal if it could not begin, or if its source failed.
        """
        if operation.kind is not OperationType.SUBSCRIPTION:
            yield await self.run(operation, variables, context)
            return
        executor = self._executor(operation, variables, context)
        if not isinstance(executor, Executor):
            yield refused(*executor)
            return
        source = create_source_event_stream(executor)
        if executor.is_awaitable(source):
            source = await source
        if isinstance(source, ExecutionResult):
            yield refused(*self._shown(operation, source.errors or []))
            return
        deadline = asyncio.timeout(None)
        async with aclosing(cast("AsyncGenerator[Any, None]", source)) as events:
            try:
                async for event in events:
                    deadline = asyncio.timeout(self.limits.execution_timeout)
                    async with deadline:
                        executed = await _finish(executor.build_per_event_executor(event))
                    yield self._outcome(operation, executed)
            except Exception as error:  # noqa: BLE001 - whatever a source raises becomes an answer
                yield refused(TOO_SLOW if deadline.expired() else self._failure(operation, error))

    def problem_of(self, source: str) -> FormattedError | None:
        """Return why a document could never be run, if so."""
        read = self.documents.read(source)
        return None if isinstance(read, Document) else read[0]

    async def _interpret(
        self, operation: Operation, variables: Mapping[str, object], context: object
    ) -> Result:
        """Run an operation on graphql-core's executor."""
        executor = self._executor(operation, variables, context)
        return await _finish(executor) if isinstance(executor, Executor) else executor

    def _source(self, request: OperationRequest) -> str | FormattedError:
        """Return the text of the document that a request sends or names."""
        if request.document_id is not None:
            if request.query is not None:
                return refusal("Send either query or documentId, not both", BAD_USER_INPUT)
            return self.persisted.find_trusted(request.document_id)
        if request.extensions and "persistedQuery" in request.extensions:
            extension = request.extensions["persistedQuery"]
            return self.persisted.find_automatic(extension, request.query, self.documents.find)
        if self.persisted.only_trusted:
            return refusal("Only documents named by documentId are run here", DOCUMENT_REQUIRED)
        if request.query is None:
            return refusal("The request must have a query or a documentId", BAD_USER_INPUT)
        return request.query

    def _executor(
        self, operation: Operation, variables: Mapping[str, object], context: object
    ) -> Executor[Any] | Refusal:
        coerced = coerce_variables(
            self.schema, operation.node, variables, max_errors=self.limits.max_coercion_errors
        )
        if isinstance(coerced, list):
            return coerced
        return self.executor_class(
            self.schema,
            operation.fragments,
            operation.fragment_details,
            None,
            context,
            operation.node,
            coerced,
            default_field_resolver,
            default_type_resolver,
            default_field_resolver,
            is_awaitable=_is_awaitable,
            hide_suggestions=True,
        )

    def _failure(self, operation: Operation, error: Exception) -> FormattedError:
        """Tell of an exception that ended an operation or a stream."""
        extensions = public_extensions(error)
        if extensions is None:
            return masked(self.report_error, error, operation.name)
        return {"message": str(error), "extensions": extensions}

    def _outcome(self, operation: Operation, result: Result) -> Outcome:
        if isinstance(result, ExecutionResult):
            errors = self._shown(operation, result.errors) if result.errors else []
            return Outcome(result.data, errors, executed=True)
        return refused(*result)

    def _shown(self, operation: Operation, errors: list[GraphQLError]) -> list[FormattedError]:
        return [shown(error, self.report_error, operation.name) for error in errors]


async def _finish(executor: Executor[Any]) -> ExecutionResult:
    """Execute the root selection set to its end."""
    result = cast("AwaitableOrValue[ExecutionResult]", executor.execute_operation())
    return await result if executor.is_awaitable(result) else cast("ExecutionResult", result)
