"""Measures a parsed document in one pass that is linear in its size, whatever its fragments do.

Each fragment is measured once and remembered, so a fragment that spreads another twice, thirty levels
deep, costs thirty steps and not 2^30. Every sum saturates. The pass needs no validated document: what
the schema does not know counts as one object, and a fragment that spreads itself counts nothing
(validation refuses both afterwards).
"""

from collections.abc import Mapping
from dataclasses import astuple, dataclass, field

from graphql import (
    ArgumentNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLNamedType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    NamedTypeNode,
    NullValueNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    VariableNode,
    get_named_type,
    get_nullable_type,
    is_composite_type,
    is_list_type,
)

from .errors import TOO_COMPLEX, FormattedError, refusal
from .limits import Limits

SATURATED = 1_000_000_000
PAGE_ARGUMENTS = ("first", "last")


@dataclass(slots=True)
class Tally:
    """What a selection set holds, fragments followed. `SATURATED` stands for any greater figure.

    The cost of the set is `fixed + paged * n`, n being the page size of the connection that it belongs
    to: a fragment on a connection's type may be spread below connections of different sizes.
    """

    fixed: int = 0
    paged: int = 0
    depth: int = 0
    selected: int = 0  # fields of the set itself
    within: int = 0  # fields of the set and of all sets beneath
    introspection: int = 0  # fields beneath __schema and __type
    credentials: int = 0  # credential-checking mutations

    def add(self, other: "Tally") -> None:
        """Count another part of the same selection set."""
        self.fixed += other.fixed
        self.paged += other.paged
        self.depth = max(self.depth, other.depth)
        self.selected += other.selected
        self.within += other.within
        self.introspection += other.introspection
        self.credentials += other.credentials

    def saturated(self) -> "Tally":
        """Return the tally with no figure above `SATURATED`."""
        return Tally(*(min(SATURATED, figure) for figure in astuple(self)))

    def cost(self, page_size: int) -> int:
        """Return the objects the set may answer with, in pages of the given size."""
        return min(SATURATED, self.fixed + self.paged * page_size)


@dataclass(slots=True)
class Measure:
    """Measures the operations of one document; without `variables`, pages are as long as they may be."""

    schema: GraphQLSchema
    limits: Limits
    credential_fields: frozenset[str]
    fragments: Mapping[str, FragmentDefinitionNode]
    variables: Mapping[str, object] | None = None
    size_variables: set[str] = field(default_factory=set)
    aliases: int = 0
    directives: int = 0
    repeated: int = 0
    _tallies: dict[str, Tally] = field(default_factory=dict)

    def operation(self, operation: OperationDefinitionNode) -> Tally:
        """Measure one operation."""
        self.directives += len(operation.directives or ())
        root = self.schema.get_root_type(operation.operation)
        return self._selections(operation.selection_set, root).saturated()

    def _selections(self, selection_set: SelectionSetNode, parent: GraphQLNamedType | None) -> Tally:
        total = Tally()
        keys: set[str] = set()
        for selection in selection_set.selections:
            self.directives += len(selection.directives or ())
            if isinstance(selection, FieldNode):
                key = (selection.alias or selection.name).value
                self.aliases += selection.alias is not None
                total.add(self._field(selection, parent))
            else:
                key = "..."
                total.add(self._part(selection, parent))
            self.repeated += key in keys
            keys.add(key)
        return total

    def _part(self, selection: SelectionNode, parent: GraphQLNamedType | None) -> Tally:
        if isinstance(selection, InlineFragmentNode):
            return self._selections(selection.selection_set, self._type(selection.type_condition) or parent)
        return self._fragment(selection.name.value) if isinstance(selection, FragmentSpreadNode) else Tally()

    def _fragment(self, name: str) -> Tally:
        known = self._tallies.get(name)
        if known is not None:
            return known
        self._tallies[name] = Tally()  # what a fragment that spreads itself finds
        fragment = self.fragments.get(name)
        if fragment is not None:
            self.directives += len(fragment.directives or ())
            self._tallies[name] = self._selections(
                fragment.selection_set, self._type(fragment.type_condition)
            )
        return self._tallies[name]

    def _field(self, node: FieldNode, parent: GraphQLNamedType | None) -> Tally:
        name = node.name.value
        definition = self.schema.get_field(parent, name) if is_composite_type(parent) else None
        named = get_named_type(definition.type) if definition else None
        beneath = self._selections(node.selection_set, named) if node.selection_set else Tally()
        tally = Tally(depth=1 + beneath.depth, selected=1, within=1 + beneath.within)
        if name in {"__schema", "__type"}:
            tally.fixed, tally.depth, tally.introspection = 1, 1, beneath.within
            return tally
        tally.introspection = beneath.introspection
        if parent is not None and parent is self.schema.mutation_type:
            tally.credentials = int(name in self.credential_fields)
        if node.selection_set is None:
            return tally

        size = self._size(node, definition)
        if definition is None or not is_list_type(get_nullable_type(definition.type)):
            tally.fixed = min(
                SATURATED, 1 + beneath.cost(self.limits.assumed_list_size if size is None else size)
            )
            return tally
        each = 1 + beneath.cost(self.limits.assumed_list_size)
        if size is None:
            tally.paged = min(SATURATED, each)
        else:
            tally.fixed = min(SATURATED, each * size)
        return tally

    def _size(self, node: FieldNode, definition: GraphQLField | None) -> int | None:
        """Return how many items the arguments of a field ask for, None if they do not say."""
        if definition is None:
            return None
        given = {argument.name.value: argument for argument in node.arguments or ()}
        paging = [name for name in PAGE_ARGUMENTS if name in definition.args]
        if paging:
            sizes = [self._asked(given[name]) for name in paging if name in given]
            return max((size for size in sizes if size is not None), default=self.limits.default_page_size)
        for name, argument in definition.args.items():
            if (
                name.lower().endswith("ids")
                and is_list_type(get_nullable_type(argument.type))
                and name in given
            ):
                return self._asked(given[name])
        return None

    def _asked(self, argument: ArgumentNode) -> int | None:
        """Return the size that an argument gives as a number or as a list's length, at most a page."""
        value = argument.value
        most = self.limits.max_page_size
        if isinstance(value, IntValueNode):
            digits = value.value
            return most if len(digits) > len(str(most)) else max(0, min(most, int(digits)))
        if isinstance(value, ListValueNode):
            return min(most, len(value.values))
        if isinstance(value, NullValueNode):
            return None
        if not isinstance(value, VariableNode):
            return 1
        name = value.name.value
        self.size_variables.add(name)
        if self.variables is None or name not in self.variables:
            return most
        known = self.variables[name]
        if isinstance(known, list):
            return min(most, len(known))
        return max(0, min(most, known)) if isinstance(known, int) else None

    def _type(self, node: NamedTypeNode | None) -> GraphQLNamedType | None:
        return self.schema.get_type(node.name.value) if node else None


def fragments_of(document: DocumentNode) -> dict[str, FragmentDefinitionNode]:
    """Return a document's fragments by name."""
    return {
        definition.name.value: definition
        for definition in document.definitions
        if isinstance(definition, FragmentDefinitionNode)
    }


def operations_of(document: DocumentNode) -> list[OperationDefinitionNode]:
    """Return a document's operations in the order written."""
    return [
        definition for definition in document.definitions if isinstance(definition, OperationDefinitionNode)
    ]


def exceeded(what: str, count: int, limit: int) -> FormattedError:
    """Return the refusal of a document that is over one limit; names the figures."""
    shown = f"more than {limit}" if count >= SATURATED else str(count)
    return refusal(f"{what}: {shown}, at most {limit} allowed", TOO_COMPLEX, limit=limit)


def find_excess(measure: Measure, tallies: list[Tally]) -> FormattedError | None:
    """Say which limit, other than on the cost, a measured document is over, if any."""
    limits = measure.limits

    def most(figure: str) -> int:
        return max((getattr(tally, figure) for tally in tallies), default=0)

    credentials = min(SATURATED, sum(tally.credentials for tally in tallies))
    counts = (
        ("Operations", len(tallies), limits.max_operations),
        ("Aliases", measure.aliases, limits.max_aliases),
        ("Directives", measure.directives, limits.max_directives),
        ("Repeated selections", measure.repeated, limits.max_repeated_selections),
        ("Depth", most("depth"), limits.max_depth),
        ("Root fields", most("selected"), limits.max_root_fields),
        ("Introspection fields", most("introspection"), limits.max_introspection_fields),
        ("Mutations that check credentials", credentials, limits.max_credential_fields),
    )
    for what, count, limit in counts:
        if count > limit:
            return exceeded(what, count, limit)
    return None
