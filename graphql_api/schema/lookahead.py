"""Looking ahead: what an operation asks of the items of a page, before the page is read."""

import weakref
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLResolveInfo,
    InlineFragmentNode,
    SelectionSetNode,
)

from graphql_api.schema.context import Context, Info

Fragments = Mapping[str, FragmentDefinitionNode]

_known: dict[tuple[int, ...], tuple["weakref.ref[FieldNode]", "Asked"]] = {}
"""By the ids of the nodes of a connection. An entry goes with its nodes: so no id in it is used again."""


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """The fields that an operation selects on something, with the fields that it selects on what they give.

    There is one for each place of an operation, so that what follows from it need not be found again.
    """

    fields: Mapping[str, frozenset[str]]

    def __contains__(self, field: str) -> bool:
        return field in self.fields


def asked_of_nodes(info: Info) -> Asked:
    """What the operation selects on the items of this connection.

    Whatever fragment they stand in, and also those that `@skip` leaves out: at worst something is fetched
    for nothing. An operation is looked at once, as long as its document is kept.
    """
    # What compiled operations hand out knows this at once; the rest of it is made for who needs more.
    nodes: Sequence[FieldNode] = getattr(info, "field_nodes", None) or _raw(info).field_nodes
    key = tuple(map(id, nodes))
    known = _known.get(key)
    if known is not None:
        return known[1]
    raw = _raw(info)
    found: dict[str, frozenset[str]] = {}
    for connection in raw.field_nodes:
        for field in _fields(connection.selection_set, raw.fragments):
            for items in _nodes(field, raw.fragments):
                for item in _fields(items.selection_set, raw.fragments):
                    below = {one.name.value for one in _fields(item.selection_set, raw.fragments)}
                    found[item.name.value] = found.get(item.name.value, frozenset()) | below
    asked = Asked(found)
    _known[key] = (weakref.ref(nodes[0], lambda _gone: _known.pop(key, None)), asked)
    return asked


def _raw(info: Info) -> GraphQLResolveInfo[Context]:
    return info._raw_info  # noqa: SLF001 - Strawberry's own view of it costs more than what is saved


def _nodes(field: FieldNode, fragments: Fragments) -> Iterator[FieldNode]:
    if field.name.value == "nodes":
        yield field
    elif field.name.value == "edges":
        yield from (edge for edge in _fields(field.selection_set, fragments) if edge.name.value == "node")


def _fields(selections: SelectionSetNode | None, fragments: Fragments) -> Iterator[FieldNode]:
    for selection in selections.selections if selections else ():
        if isinstance(selection, FieldNode):
            yield selection
        elif isinstance(selection, FragmentSpreadNode):
            yield from _fields(fragments[selection.name.value].selection_set, fragments)
        elif isinstance(selection, InlineFragmentNode):
            yield from _fields(selection.selection_set, fragments)
