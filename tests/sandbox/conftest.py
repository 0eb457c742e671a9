"""A caller with a sandbox of its own."""

import pytest

from tests.sandbox.caller import Caller


@pytest.fixture
def meta() -> Caller:
    return Caller()
