"""Documents parsed, measured and validated once, and kept within bounds."""

import re
import sys
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from graphql import (
    DocumentNode,
    ExecutionResult,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLSchema,
    NoSchemaIntrospectionCustomRule,
    OperationDefinitionNode,
    OperationType,
    TokenKind,
    parse,
    specified_rules,
    validate,
)
from graphql.execution.collect_fields import FragmentDetails
from graphql.validation import ASTValidationRule, ValuesOfCorrectTypeRule

from .coercion import RedactedValuesOfCorrectTypeRule
from .errors import (
    OPERATION_RESOLUTION_FAILURE,
    PARSE_FAILED,
    TOO_COMPLEX,
    VALIDATION_FAILED,
    FormattedError,
    located,
    refusal,
)
from .limits import Limits
from .measure import SATURATED, Measure, exceeded, find_excess, fragments_of, operations_of
from .persisted import hash_of

_PARSING_STOPPED = ("Parsing aborted.", "nested too deeply.")
_QUOTED_TEXT = re.compile(r"(?:(?<=String)|(?<=Float)|(?<=Int)) '.*'|: '\\.*'", re.DOTALL)
"""Where graphql-core's syntax errors repeat text that might be a secret."""

_RULES: tuple[type[ASTValidationRule], ...] = tuple(
    RedactedValuesOfCorrectTypeRule if rule is ValuesOfCorrectTypeRule else rule for rule in specified_rules
)
_RULES_WITHOUT_INTROSPECTION = (*_RULES, NoSchemaIntrospectionCustomRule)

_DOCUMENT = 8_000
_TOKEN = 600
"""Bytes that a document takes, and a token with its node, besides their texts: measured, and rounded up."""

Refusal = list[FormattedError]
"""Why a request is not run: the errors of an answer without `data`."""


Result = ExecutionResult | Refusal
"""What running an operation gave, or why its variables do not fit."""

Run = Callable[["Operation", Mapping[str, object], object], Result | Awaitable[Result]]
"""Runs its operation with the variables as they came and the context. It awaits only if it must.

It is given the operation, and does not keep it: each would keep the other in memory.
"""


@dataclass(slots=True, eq=False)
class Operation:
    """One operation of a validated document, ready to run again and again."""

    name: str | None
    kind: OperationType
    node: OperationDefinitionNode
    document: DocumentNode
    fragments: dict[str, FragmentDefinitionNode]
    fragment_details: dict[str, FragmentDetails]
    cost: int
    size_variables: frozenset[str]
    run: Run = field(init=False)
    """How a query or mutation is run."""


@dataclass(slots=True, eq=False)
class Document:
    """A validated document: its operations in the order written, and what it takes in memory."""

    operations: tuple[Operation, ...]
    size: int
    """Bytes, with the code that its operations were compiled into."""

    digest: str | None = None
    """The hash that callers may name it by, once somebody sent both."""

    def select(self, name: str | None) -> Operation | Refusal:
        """Return the operation to run: the named one, or the only one. The spec's GetOperation."""
        if name is None:
            if len(self.operations) == 1:
                return self.operations[0]
            message = "The document has several operations: operationName must name the one to run"
            return [refusal(message, OPERATION_RESOLUTION_FAILURE)]
        for operation in self.operations:
            if operation.name == name:
                return operation
        message = "The document has no operation of the given operationName"
        return [refusal(message, OPERATION_RESOLUTION_FAILURE)]


@dataclass(slots=True)
class Documents:
    """Reads documents, and keeps the valid ones: the least recently used make room.

    What belongs to a document goes with it: its nodes, its compiled code, and the hash that names it.
    """

    schema: GraphQLSchema
    limits: Limits
    show_suggestions: bool
    introspection: bool
    credential_fields: frozenset[str]
    _kept: OrderedDict[str, Document] = field(default_factory=OrderedDict)
    _named: dict[str, str] = field(default_factory=dict)
    _size: int = 0

    def get(self, source: str) -> Document | None:
        """Return a document read before, if it is still kept."""
        document = self._kept.get(source)
        if document is not None:
            self._kept.move_to_end(source)
        return document

    def keep(self, source: str, document: Document) -> None:
        """Keep a document, letting go of those unused for longest."""
        self._kept[source] = document
        self._make_room(document.size)

    def name(self, source: str) -> None:
        """Let callers name a document by its hash, as long as it is kept."""
        document = self._kept.get(source)
        if document is not None and document.digest is None:
            document.digest = hash_of(source)
            self._named[document.digest] = source

    def find(self, digest: str) -> str | None:
        """Return the text of the document of this hash."""
        return self._named.get(digest)

    def grow(self, source: str, size: int) -> None:
        """Count bytes that the code of a document takes, if the document is still kept."""
        document = self._kept.get(source)
        if document is not None:
            document.size += size
            self._make_room(size)

    def _make_room(self, size: int) -> None:
        self._size += size
        while self._size > self.limits.max_cached_bytes:
            _source, dropped = self._kept.popitem(last=False)
            self._size -= dropped.size
            if dropped.digest is not None:
                del self._named[dropped.digest]

    def read(self, source: str) -> Document | Refusal:
        """Parse, measure and validate a document, in this order: each step bounds the work of the next."""
        parsed = self._parse(source)
        if not isinstance(parsed, DocumentNode):
            return parsed
        size = _let_go_of_tokens(source, parsed)
        fragments = fragments_of(parsed)
        details = {name: FragmentDetails(fragment) for name, fragment in fragments.items()}
        measure = Measure(self.schema, self.limits, self.credential_fields, fragments)
        operations: list[Operation] = []
        tallies = []
        try:
            for node in operations_of(parsed):
                measure.size_variables = set()
                tally = measure.operation(node)
                tallies.append(tally)
                name = node.name.value if node.name else None
                cost = tally.cost(self.limits.assumed_list_size)
                sizes = frozenset(measure.size_variables)
                operations.append(
                    Operation(name, node.operation, node, parsed, fragments, details, cost, sizes)
                )
        except RecursionError:
            return [exceeded("Depth", SATURATED, self.limits.max_depth)]
        excess = find_excess(measure, tallies)
        if excess:
            return [excess]
        for operation in operations:
            if operation.cost > self.limits.max_cost and not operation.size_variables:
                return [exceeded("Cost", operation.cost, self.limits.max_cost)]
        errors = self._validate(parsed)
        return errors or Document(tuple(operations), size)

    def cost(self, operation: Operation, variables: Mapping[str, object]) -> int:
        """Return the cost of an operation with its pages as long as the variables say."""
        measure = Measure(self.schema, self.limits, self.credential_fields, operation.fragments, variables)
        return measure.operation(operation.node).cost(self.limits.assumed_list_size)

    def _parse(self, source: str) -> DocumentNode | Refusal:
        limits = self.limits
        if len(source) > limits.max_source_length:
            return [exceeded("Characters", len(source), limits.max_source_length)]
        try:
            return parse(source, max_lexical_tokens=limits.max_tokens, max_comments=limits.max_comments)
        except GraphQLError as error:
            code = TOO_COMPLEX if error.message.endswith(_PARSING_STOPPED) else PARSE_FAILED
            return [located(error, _QUOTED_TEXT.sub("", error.message), code)]

    def _validate(self, document: DocumentNode) -> Refusal:
        errors = validate(
            self.schema,
            document,
            _RULES if self.introspection else _RULES_WITHOUT_INTROSPECTION,
            max_errors=self.limits.max_validation_errors,
            hide_suggestions=not self.show_suggestions,
        )
        return [located(error, error.message, VALIDATION_FAILED) for error in errors]


def _let_go_of_tokens(source: str, document: DocumentNode) -> int:
    """Take the tokens of a document apart, and return how many bytes it takes then.

    They are linked in both directions, so that Python would find only much later that a document is used no
    more. Only nodes keep the tokens at their ends, for the places of errors; nothing keeps comments.
    """
    size = _DOCUMENT + sys.getsizeof(source)
    token = document.loc.start_token if document.loc else None
    while token is not None:
        if token.kind is not TokenKind.COMMENT:
            size += _TOKEN + sys.getsizeof(token.value)
        following = token.next
        token.prev = token.next = None
        token = following
    return size
