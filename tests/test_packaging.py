"""What installers and users see of the distribution: its name, its command, its licence."""

import subprocess
import sys
import tomllib
from email.parser import Parser
from pathlib import Path

import pytest

from graphql_api import __main__
from graphql_api.cli import main

ROOT = Path(__file__).parent.parent
BUILD = "from hatchling.build import prepare_metadata_for_build_wheel as prepare; import sys; print(prepare(sys.argv[1]))"


@pytest.fixture(scope="module")
def distribution(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The metadata that the build backend writes; it refuses a classifier or a licence that it does not know."""
    directory = tmp_path_factory.mktemp("metadata")
    command = [sys.executable, "-c", BUILD, str(directory)]
    built = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    return directory / built.stdout.strip()


def test_the_distribution_is_called_onehold_and_is_under_the_apache_licence(distribution: Path) -> None:
    metadata = Parser().parsestr((distribution / "METADATA").read_text(encoding="utf-8"))
    assert metadata["Name"] == "onehold"
    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata.get_all("License-File") == [
        "LICENSE",
        "NOTICE",
        "graphql_api/adapters/common_passwords.LICENSE",
    ]
    assert metadata.get_all("Classifier")
    assert metadata["Keywords"]
    assert metadata.get_all("Project-URL") is None


def test_the_licence_is_the_whole_text() -> None:
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert "Apache License" in text
    assert "END OF TERMS AND CONDITIONS" in text
    assert len(text.splitlines()) == 202


def test_the_console_command_is_onehold_and_starts_what_python_m_starts() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["scripts"] == {"onehold": f"{__main__.__name__}:{__main__.main.__name__}"}
    assert __main__.main is main
