import pytest

from tests.web.sample import Sample


@pytest.fixture
def sample() -> Sample:
    return Sample()
