"""Checks what changed, in under a minute: style, types, imports, and the tests of the rooms touched, on SQLite.

`make quick`. What changed is what differs from `main`, committed or not. `make check` is the whole.
"""

import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

import click
import pytest

ROOT = Path(__file__).parent.parent
SECONDS = 45  # from the start: the test that is under way then ends, and none begins after it

_NOUNS = ("people", "workspaces", "accounts", "history")

# The tests of each room; the first line that a path begins with counts.
ROOMS: dict[str, tuple[str, ...]] = {
    **{
        f"graphql_api/{layer}/{noun}/": (f"tests/{noun}",)
        for noun in _NOUNS
        for layer in ("services", "schema")
    },
    "graphql_api/services/upkeep/": ("tests/upkeep",),
    "graphql_api/services/calls/": ("tests/schema", "tests/live_events/test_live_events.py"),
    "graphql_api/schema/": ("tests/test_contract.py", "tests/schema"),
    "graphql_api/execution/": ("tests/execution",),
    "graphql_api/web/": ("tests/web",),
    "graphql_api/storage/": ("tests/storage",),
    "graphql_api/adapters/": ("tests/adapters",),
    "graphql_api/sandbox/": ("tests/sandbox",),
    "graphql_api/domain/": ("tests/domain",),
    "graphql_api/": ("tests/test_settings.py", "tests/test_mail_settings.py", "tests/upkeep"),
    "docs/": ("tests/test_docs.py", "tests/test_worked_operations.py"),
    "README.md": ("tests/test_docs.py", "tests/test_readme_examples.py"),
    "schema.graphql": ("tests/test_contract.py",),
    "pyproject.toml": ("tests/test_packaging.py", "tests/test_private_parts.py"),
    "requirements": ("tests/test_private_parts.py",),
    "Makefile": ("tests/test_docs.py", "tests/test_ci.py"),
    ".": ("tests/test_ci.py",),
}
CHECKS = (("ruff", "check", "."), ("ruff", "format", "--check", "."), ("mypy",), ("lint-imports",))


def room_tests(path: str) -> tuple[str, ...]:
    """The tests that a changed file concerns, without those that it concerns only through other rooms."""
    if path.startswith("tests/"):
        folder = Path(path).parent
        if Path(path).name.startswith("test_"):
            return (path,)
        return (str(folder),) if folder != Path("tests") and list((ROOT / folder).glob("test_*.py")) else ()
    if path.endswith(".md"):
        path = path if path == "README.md" else "docs/"
    return next((tests for start, tests in ROOMS.items() if path.startswith(start)), ())


def selected(changed: Iterable[str]) -> list[str]:
    """What to run for these files: changed tests first, nothing twice."""
    changed = sorted(changed, key=lambda path: not path.startswith("tests/"))
    found = [test for path in changed for test in room_tests(path) if (ROOT / test).exists()]
    return [
        test
        for position, test in enumerate(found)
        if test not in found[:position] and not any(test.startswith(f"{other}/") for other in found)
    ]


def changed_files() -> set[str]:
    """What differs from `main`: in commits, in the work tree, or because it is new."""
    base = _git("merge-base", "HEAD", "main") or ["HEAD"]
    return {*_git("diff", "--name-only", base[0]), *_git("ls-files", "--others", "--exclude-standard")}


def _git(*arguments: str) -> list[str]:
    return subprocess.run(
        ["git", *arguments], cwd=ROOT, check=False, capture_output=True, text=True
    ).stdout.split("\n")[:-1]


class Deadline:
    """A plugin that begins no test after a while."""

    def __init__(self, seconds: float) -> None:
        self.end = time.monotonic() + seconds
        self.passed = False

    def pytest_runtest_logfinish(self) -> None:
        self.passed = time.monotonic() > self.end

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> None:
        if self.passed:
            item.session.shouldstop = f"{SECONDS} seconds are over; make test runs the rest"


def main() -> int:
    """Run the checks beside the tests; 0 if nothing failed."""
    tools = Path(sys.executable).parent
    deadline = Deadline(SECONDS)
    checks = [(one, _start(str(tools / one[0]), *one[1:])) for one in CHECKS]
    tests = selected(changed_files())
    click.echo(f"Tests: {' '.join(tests) or 'no room was touched'}")
    failed = False
    if tests:
        code = pytest.main(["-q", "--maxfail=5", "-k", "not postgresql", *tests], plugins=[deadline])
        fine = {pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED}
        failed = code not in fine and not (deadline.passed and code == pytest.ExitCode.INTERRUPTED)
    for words, check in checks:
        output, _ = check.communicate()
        if check.returncode:
            failed = True
            click.echo(f"\n{' '.join(words)} failed:\n{output}")
    return int(failed)


def _start(*command: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


if __name__ == "__main__":
    sys.exit(main())
