"""The table of actions and roles: one in the domain, and the same one in the documentation."""

import re
from pathlib import Path
from uuid import UUID

import pytest

from graphql_api.domain.holders import Role
from graphql_api.domain.memberships import keeps_an_admin, may_go_with_its_member
from graphql_api.domain.permissions import ROLES, Action

PAGE = Path(__file__).parent.parent.parent / "docs" / "permissions.md"
ADA, EVE = UUID(int=1), UUID(int=2)


def test_the_page_shows_the_same_table() -> None:
    rows = re.findall(r"^\| (.+?) \| (\w+) \| (\w+) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    head, *shown = rows
    assert head[1:] == tuple(Role)
    assert shown == [
        (action, *("yes" if role in ROLES[action] else "no" for role in Role)) for action in Action
    ]


@pytest.mark.parametrize("action", Action)
def test_an_admin_may_do_everything(action: Action) -> None:
    assert Role.ADMIN in ROLES[action]


def test_the_last_admin_stays() -> None:
    assert keeps_an_admin([ADA, EVE], without=ADA)
    assert keeps_an_admin([ADA], without=EVE)
    assert not keeps_an_admin([ADA], without=ADA)


def test_a_workspace_goes_only_with_its_only_member() -> None:
    assert may_go_with_its_member([ADA], member=ADA)
    assert not may_go_with_its_member([ADA, EVE], member=ADA)
