import pytest

from tests.web.sample import Sample


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def sample() -> Sample:
    return Sample()
