"""Requests as a transport makes them of what came over the wire."""

from collections.abc import AsyncGenerator
from typing import Any

from graphql_api.execution.documents import Operation
from graphql_api.execution.engine import OperationRequest, Outcome
from graphql_api.schema.context import Caller
from tests.web.sample import Context, Sample


async def run(sample: Sample, query: str | None, **request: Any) -> Outcome:
    """What a query or mutation gives, or why it is not run."""
    asked = OperationRequest(query, **request)
    operation = sample.engine.prepare(asked)
    if isinstance(operation, Outcome):
        return operation
    return await sample.engine.run(operation, asked.variables, _context(sample))


def subscribe(sample: Sample, query: str, **variables: object) -> AsyncGenerator[Outcome, None]:
    """The outcomes of a subscription."""
    operation = sample.engine.prepare(OperationRequest(query))
    assert isinstance(operation, Operation)
    return sample.engine.outcomes(operation, variables, _context(sample))


def _context(sample: Sample) -> Context:
    return Context(Caller(None, None, ""), sample, None)
