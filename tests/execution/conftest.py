import pytest

from graphql_api.execution import compiling
from tests.web.sample import Sample


@pytest.fixture(params=[0, 2], ids=["compiled", "interpreted"])
def sample(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Sample:
    monkeypatch.setattr(compiling, "RUNS_BEFORE", request.param)
    return Sample()
