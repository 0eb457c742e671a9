"""Puts GraphiQL into the wheel: builds `graphiql/` with npm where there is one."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class BuildGraphiQL(BuildHookInterface[Any]):
    """Runs what `make graphiql` runs; without npm the wheel is built all the same, and says so."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - hatchling's form
        """Build the bundle, but not for an editable install, which only links to the clone."""
        if version == "editable":
            return
        npm = shutil.which("npm")
        if npm is None:
            self.app.display_warning("npm is not installed: this wheel is built without GraphiQL")
            return
        for arguments in (["ci", "--ignore-scripts"], ["run", "build"]):
            subprocess.run([npm, *arguments], cwd=Path(self.root, "graphiql"), check=True)  # noqa: S603 - fixed words
