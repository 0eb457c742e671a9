"""`make quick` knows every room, and CONTRIBUTING.md lists them."""

import re
from pathlib import Path

import pytest

from tests.quick import ROOMS, ROOT, room_tests, selected

CODE = sorted(path.relative_to(ROOT) for path in (ROOT / "graphql_api").rglob("*.py"))


@pytest.mark.parametrize("path", CODE, ids=str)
def test_every_module_has_tests(path: Path) -> None:
    tests = room_tests(path.as_posix())
    assert tests
    assert [test for test in tests if not (ROOT / test).exists()] == []


def test_every_line_of_the_rooms_is_reached() -> None:
    files = [
        path.relative_to(ROOT).as_posix()
        for path in ROOT.rglob("*")
        if path.is_file() and ".venv" not in path.parts
    ]
    reached = {next((start for start in ROOMS if path.startswith(start)), None) for path in files}
    assert set(ROOMS) <= reached


def test_changed_tests_run_first_and_nothing_runs_twice() -> None:
    changed = [
        "graphql_api/domain/claims.py",
        "tests/domain/test_moves.py",
        "tests/web/test_logs.py",
        "docs/mail.md",
    ]
    assert selected(changed) == [
        "tests/web/test_logs.py",
        "tests/domain",
        "tests/test_docs.py",
        "tests/test_worked_operations.py",
    ]


def test_a_helper_of_tests_runs_the_tests_beside_it() -> None:
    assert room_tests("tests/accounts/scenes.py") == ("tests/accounts",)
    assert room_tests("tests/api.py") == ()


def test_contributing_lists_every_room_with_its_tests() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(graphql_api/[^|]*?)` \| [^|]+ \| ([^|]+) \| [^|]+ \|$", text, re.MULTILINE)
    listed = {room: {test.rstrip("/") for test in re.findall(r"`([^`]+)`", tests)} for room, tests in rows}
    assert listed == {room: set(tests) for room, tests in ROOMS.items() if room.startswith("graphql_api/")}
