"""The `fields` parameter of the Graph API: `id,name,picture{url}`, and what it leaves of an object."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from .refusals import Refusal, invalid_parameter

# A field's arguments, as in picture.type(large), are taken and change nothing.
_PART = re.compile(r"\s*(?:([a-z_]+)((?:\.[a-z_]+\([^(){}]*\))*)|([{},]))\s*", re.ASCII)
_DEEPEST = 4

Fields = Mapping[str, "Fields | None"]  # by name; None for a field without braces


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Why a `fields` parameter cannot be read."""

    position: int

    def refusal(self) -> Refusal:
        """Return it as Meta says it."""
        return Refusal(2500, f"Syntax error at character {self.position}: fields")


@lru_cache(maxsize=256)
def parse_fields(text: str) -> "Fields | Unreadable":
    """Return the fields by name, each with the fields in its braces."""
    open_ones: list[dict[str, Any]] = [{}]
    name: str | None = None  # the field just read
    position = 0
    closed = False  # a brace was closed just now
    while position < len(text):
        part = _PART.match(text, position)
        if part is None:
            return Unreadable(position)
        word, mark = part[1], part[3]
        if word and name is None and not closed:
            name = word
            open_ones[-1].setdefault(name, None)
        elif mark == "," and (name or closed):
            name, closed = None, False
        elif mark == "{" and name and len(open_ones) < _DEEPEST:
            inner: dict[str, Any] = {}
            open_ones[-1][name] = inner
            open_ones.append(inner)
            name = None
        elif mark == "}" and (name or closed) and len(open_ones) > 1:
            open_ones.pop()
            name, closed = None, True
        else:
            return Unreadable(position)
        position = part.end()
    return open_ones[0] if len(open_ones) == 1 and (name or closed) else Unreadable(len(text))


def pick(node: Mapping[str, Any], fields: Fields, kind: str) -> dict[str, Any] | Refusal:
    """Return these fields of an object of a kind, such as Page, and always its id.

    A value of None stands for a field that the kind has and this object lacks: it is left out.
    """
    picked: dict[str, Any] = {}
    for name, inner in fields.items():
        if name not in node:
            return invalid_parameter(f"Tried accessing nonexisting field ({name}) on node type ({kind})")
        value = node[name]
        if isinstance(value, Mapping):
            value = _pick_within(value, inner, name)
            if isinstance(value, Refusal):
                return value
        if value is not None:
            picked[name] = value
    if "id" in node:
        picked.setdefault("id", node["id"])
    return picked


def _pick_within(value: Mapping[str, Any], fields: Fields | None, kind: str) -> Mapping[str, Any] | Refusal:
    """Return these fields of an object inside another one; without braces, its id or all it has."""
    if "data" in value:
        chosen = _pick_within(value["data"], fields, kind)
        return chosen if isinstance(chosen, Refusal) else {"data": chosen}
    if fields is None:
        return {"id": value["id"]} if "id" in value else value
    return pick(value, fields, kind)
