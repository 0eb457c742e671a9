"""Every limit has a heading in docs/limits.md, and the default that it says."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from graphql_api.execution.limits import Limits
from graphql_api.services.calls import pages
from graphql_api.web.options import Options

TEXT = Path("docs/limits.md").read_text()
NOT_LIMITS = {"path", "allowed_origins", "trusted_proxies", "access_log"}
FIELDS = [*fields(Limits), *fields(Options)]
DEFAULTS = {field.name: field.default for field in FIELDS if field.name not in NOT_LIMITS}


@pytest.mark.parametrize("name", DEFAULTS)
def test_a_limit_is_documented_with_its_default(name: str) -> None:
    section = re.search(rf"^### `{name}`: ([0-9.,]+)", TEXT, re.MULTILINE)
    assert section is not None
    assert float(section.group(1).replace(",", "")) == DEFAULTS[name]


def test_no_limit_is_documented_that_is_gone() -> None:
    assert set(re.findall(r"^### `(\w+)`", TEXT, re.MULTILINE)) == set(DEFAULTS)


def test_a_page_counts_as_long_as_it_is() -> None:
    assert (Limits().max_page_size, Limits().default_page_size) == (pages.MAX_SIZE, pages.DEFAULT_SIZE)
