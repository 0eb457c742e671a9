"""A few thousand cases of the oracle; the command runs as many as one likes."""

import pytest

from tests.execution.compiled.oracle import NAMES, hunt, subject_of

CASES = 1500
SECONDS = 4.5  # for each schema, on a slow day


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore:coroutine")
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.anyio
async def test_compiled_operations_answer_like_graphql_core(name: str) -> None:
    async with subject_of(name) as subject:
        found, figures = await hunt(CASES, "pytest", [subject], seconds=SECONDS)
    assert not found, found[0]
    # the nasty schema has input types that ours has not
    assert figures["compared"] > (3 if name == "nasty" else 10) * figures["not covered"]
