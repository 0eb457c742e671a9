import pytest

from tests.web.sample import Sample


@pytest.fixture(params=[0, 2], ids=["compiled", "interpreted"])
def sample(request: pytest.FixtureRequest) -> Sample:
    return Sample(compile_after=request.param)
