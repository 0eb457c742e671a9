from collections.abc import AsyncIterator

import httpx
import pytest

from tests.web.sample import Sample


@pytest.fixture
def sample() -> Sample:
    return Sample()


@pytest.fixture
async def client(sample: Sample) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(sample.app, client=("192.0.2.7", 4711))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client
