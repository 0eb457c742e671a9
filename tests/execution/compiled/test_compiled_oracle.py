"""A few thousand cases of the oracle; the command runs as many as one likes."""

import pytest

from tests.execution.compiled.oracle import SUBJECTS, Subject, hunt

CASES = 900


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore:coroutine")
@pytest.mark.parametrize("subject", SUBJECTS, ids=lambda subject: subject.name)
@pytest.mark.anyio
async def test_compiled_operations_answer_like_graphql_core(subject: Subject) -> None:
    found, figures = await hunt(CASES, "pytest", [subject])
    assert not found, found[0]
    assert figures["compared"] > CASES * 0.9
