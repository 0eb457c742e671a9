"""Puts GraphiQL into the wheel: builds `graphiql/` with npm where there is one."""

import runpy
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class BuildGraphiQL(BuildHookInterface[Any]):
    """Runs graphiql/build.py; without Node.js the wheel is built all the same, and says so."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - hatchling's form
        """Build the bundle, but not for an editable install, which only links to the clone."""
        if version == "editable":
            return
        graphiql = runpy.run_path(str(Path(self.root, "graphiql", "build.py")))
        if graphiql["is_built"]():
            return
        npm = graphiql["machine_npm"]()
        if npm is None:
            self.app.display_warning("This wheel has no GraphiQL: there is no Node.js 20.19 with npm")
        else:
            graphiql["build"](npm)
