"""What runs elsewhere is what runs here: the workflow has the targets of .ci/run, the hooks have make lint's tools."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parent.parent
YAML = sorted([*ROOT.glob(".github/**/*.yml"), ROOT / ".pre-commit-config.yaml"])


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", YAML, ids=lambda path: path.name)
def test_a_configuration_can_be_read(path: Path) -> None:
    assert read(path)


def test_the_workflow_runs_the_targets_of_the_local_run() -> None:
    here = re.findall(
        r"^make ([^#\n]+?)\s*(?:#.*)?$", (ROOT / ".ci/run").read_text(encoding="utf-8"), re.MULTILINE
    )
    job = read(ROOT / ".github/workflows/ci.yml")["jobs"]["make"]
    steps = [step["run"].removeprefix("make ") for step in job["steps"] if "run" in step]
    assert [steps[0], *job["strategy"]["matrix"]["target"]] == here


def test_a_hook_runs_each_tool_of_make_lint() -> None:
    (recipe,) = re.findall(
        r"^lint:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE
    )
    tools = {
        " ".join(line.split()[:2]) if "ruff" in line else line
        for line in re.findall(r"\$\(BIN\)/(.+)", recipe)
    }
    (local,) = read(ROOT / ".pre-commit-config.yaml")["repos"]
    entries = [hook["entry"] for hook in local["hooks"]]
    assert {tool for tool in tools if any(f".venv/bin/{tool}" in entry for entry in entries)} == tools


def test_every_dependency_folder_is_watched() -> None:
    folders = {f"/{path.parent.relative_to(ROOT)}" for path in ROOT.glob("*/package.json")}
    folders |= {
        f"/{path.parent.relative_to(ROOT)}"
        for path in ROOT.glob("*/*/package.json")
        if "node_modules" not in path.parts
    }
    updates = read(ROOT / ".github/dependabot.yml")["updates"]
    assert {folder for update in updates for folder in update.get("directories", [])} == folders
