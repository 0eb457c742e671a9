"""Python source under construction, with the objects it refers to.

Nothing a client sent stands in the source but the names of the schema, checked: keys, literals and everything
else are constants of the namespace that the source runs in.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from types import CodeType
from typing import Any

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Source:
    """Generated functions and the namespace they will run in."""

    def __init__(self, namespace: dict[str, Any]) -> None:
        self.namespace = namespace
        self._functions: list[str] = []
        self._lines: list[str] = []
        self._indent = ""
        self._names: dict[int, str] = {}
        self._count = 0

    def __str__(self) -> str:
        return "\n\n".join(self._functions) + "\n"

    @contextmanager
    def function(self, header: str) -> Iterator[None]:
        """Write a function; one may be begun while another is being written. One that fails is dropped."""
        outer = self._lines, self._indent
        self._lines, self._indent = [header], "    "
        try:
            yield
            self._functions.append("\n".join(self._lines))
        finally:
            self._lines, self._indent = outer

    def line(self, text: str = "") -> None:
        """Add one line at the present depth."""
        self._lines.append(self._indent + text if text else "")

    def lines(self, *texts: str) -> None:
        """Add lines at the present depth; their own indentation is kept."""
        for text in texts:
            self.line(text)

    @contextmanager
    def block(self, header: str) -> Iterator[None]:
        """Add a header such as `try:`, and indent what follows."""
        self.line(header)
        self._indent += "    "
        try:
            yield
        finally:
            self._indent = self._indent[:-4]

    def fresh(self, hint: str) -> str:
        """Make a name that no other is the same as; the hint keeps the source readable."""
        self._count += 1
        word = "_".join(_NAME.findall(hint)) or "value"
        return f"{word}_{self._count}"

    def bind(self, hint: str, value: Any) -> str:
        """Put an object into the namespace, once, and give its name."""
        name = self._names.get(id(value))
        if name is None:
            name = self._names[id(value)] = self.fresh(hint)
            self.namespace[name] = value
        return name

    def run(self, title: str) -> dict[str, Any]:
        """Execute the source; its functions are in the namespace afterwards."""
        code: CodeType = compile(str(self), f"<compiled {title}>", "exec")
        exec(code, self.namespace)  # noqa: S102 - our own text: see the module's docstring
        return self.namespace


def constant(value: str) -> str:
    """Write a GraphQL name as a Python literal."""
    if _NAME.fullmatch(value) is None:
        raise ValueError("Not a GraphQL name")
    return repr(value)
