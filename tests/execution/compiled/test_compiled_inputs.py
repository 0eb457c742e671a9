# mypy: disable-error-code="untyped-decorator"
# ruff: noqa: A002, SLF001 - names are those of the schema; Strawberry keeps its schema in a private attribute
"""What graphql-core's own tests say of variables and arguments, as facts, on both executors."""

import uuid
from typing import Any
from unittest import mock

import strawberry
from graphql import parse
from strawberry import ID, UNSET, Info
from strawberry.relay import GlobalID

from graphql_api.execution.compiled import compile_operation
from graphql_api.execution.compiled.source import Source
from tests.execution.compiled import nasty, social
from tests.execution.compiled.both import both, compiled, each
from tests.execution.compiled.nasty import Checked, Either, Filter, Mood, Perhaps, Plain

TEXT = "text"


@strawberry.type
class Query:
    @strawberry.field
    def plain(self, value: Plain | None = UNSET) -> str:
        return repr(value)

    @strawberry.field
    def present(self, value: Plain) -> str:
        return repr(value)

    @strawberry.field
    def filter(self, value: Filter | None = None) -> str:
        return repr(value)

    @strawberry.field
    def checked(self, value: Checked) -> str | None:
        return repr(value)

    @strawberry.field
    def either(self, value: Either) -> str | None:
        return repr(value)

    @strawberry.field
    def perhaps(self, value: Perhaps) -> str | None:
        return repr(value)

    @strawberry.field
    def text(self, value: str | None = UNSET) -> str:
        return repr(value)

    @strawberry.field
    def present_text(self, value: str) -> str:
        return repr(value)

    @strawberry.field
    def default_text(self, value: str = "Hello World") -> str | None:
        return repr(value)

    @strawberry.field
    def number(self, value: int | None = None, id: ID | None = None, ratio: float | None = None) -> str:
        return repr((value, id, ratio))

    @strawberry.field(name="list")
    def list_(self, value: list[str | None] | None = UNSET) -> str:
        return repr(value)

    @strawberry.field
    def present_list(self, value: list[str | None]) -> str:
        return repr(value)

    @strawberry.field
    def list_of_present(self, value: list[str] | None = None) -> str:
        return repr(value)

    @strawberry.field
    def present_list_of_present(self, value: list[str]) -> str:
        return repr(value)

    @strawberry.field
    def mood(self, value: Mood = Mood.GOOD) -> str:
        return f"{value!r} {type(value).__name__}"

    @strawberry.field
    def tag(self, value: uuid.UUID | None = None) -> str:
        return repr(value)

    @strawberry.field
    def ids(
        self, plain: ID | None = None, one: GlobalID | None = None, many: list[GlobalID] | None = None
    ) -> str:
        return repr((plain, one, many))

    @strawberry.field
    def several(self, info: Info, one: Plain, other: Plain, words: list[str]) -> str:
        same = one is other
        words.append("mine")
        return f"{same} {words} {info.variable_values}"


schema = strawberry.Schema(Query, config=nasty.CONFIG)


async def ask(
    field: str, type_: str, variables: dict[str, Any] | None, *, is_valid: bool = True
) -> dict[str, Any]:
    text = f"query ($v: {type_}) {{ answer: {field}(value: $v) }}"
    return await both(schema, text, variables=variables, is_valid=is_valid)


PLAINS: list[Any] = [
    {"text": "a"},
    {"text": "a", "number": 1, "ratio": 2, "flags": [True, None], "colour": "RED", "from": "b"},
    {"from": None, "text": "a", "number": None, "colour": None},
    {"text": "a", "flags": True},
    {"text": None},
    {},
    {"text": 1},
    {"text": "a", "flags": None},
    {"text": "a", "ratio": None},
    {"text": "a", "number": 2**31},
    {"text": "a", "number": 1.0},
    {"text": "a", "number": 1.5},
    {"text": "a", "colour": "PURPLE"},
    {"text": "a", "colour": 5},
    {"text": "a", "colour": ["RED"]},
    {"text": "a", "private": "no"},
    {"text": "a", "from_": "no"},
    {"text": "a", "unknown": 1, "another": 2},
    "SomeString",
    ["text"],
    [{"text": "a"}],
    5,
    None,
]


@each("value", PLAINS)
@each(("field", "type_"), [("plain", "Plain"), ("plain", "Plain!"), ("present", "Plain!")])
async def test_input_objects_from_variables(field: str, type_: str, value: Any) -> None:
    await ask(field, type_, {"v": value})
    await both(
        schema,
        f"query ($v: {type_}) {{ a: {field}(value: $v) b: {field}(value: $v) }}",
        variables={"v": value},
    )


@each("field", ["filter"])
@each(
    "value",
    [
        {},
        {"and": [{"moods": ["GOOD"]}, {"not": {"plain": {"text": "x"}}}]},
        {"and": {"moods": "BAD"}},
        {"and": [None]},
        {"not": None, "plain": None, "moods": None, "at": "2026-01-01T00:00:00Z", "fussy": 5},
        {"at": "yesterday"},
        {"at": 5, "fussy": "text", "moods": ["NEUTRAL"], "plain": {}},
        {"fussy": "text"},
        {"plain": {"text": "a", "flags": [1, "x"]}, "and": [{"and": [{"and": [{"plain": {}}]}]}]},
    ],
)
async def test_input_objects_that_hold_themselves(field: str, value: Any) -> None:
    await ask(field, "Filter", {"v": value})


@each("depth", [5, 11, 12, 13, 60, 99, 101, 150, 250, 2000])
async def test_deep_input_is_accepted_and_refused_alike(depth: int) -> None:
    value: dict[str, Any] = {}
    for _ in range(depth):
        value = {"not": value}
    answer = await both(
        schema,
        "query ($v: Filter) { mood a: filter(value: $v) @skip(if: true) b: text }",
        variables={"v": value},
    )
    assert ("errors" in answer) == (depth > 200)


@each(
    "text",
    [
        "query ($v: Either!) { either(value: $v) }",
        "query ($v: Perhaps!) { perhaps(value: $v) }",
        "query ($v: Checked!) { checked(value: $v) }",
        'query ($v: UUID = "00000000-0000-0000-0000-000000000002") { tag(value: $v) }',
        "query ($v: Plain = {}) { plain(value: $v) }",
    ],
)
def test_input_types_that_our_schema_does_not_have_are_left_to_graphql_core(text: str) -> None:
    document = parse(text)
    operation: Any = document.definitions[0]
    assert compile_operation(schema._schema, document, operation) is None


@each("variables", [None, {}, {"v": None}, {"v": "a"}, {"v": 1}, {"v": ["a"]}, {"v": ""}])
@each(
    ("field", "type_"),
    [
        ("text", "String"),
        ("text", "String!"),
        ("text", 'String = "default"'),
        ("text", "String = null"),
        ("presentText", "String!"),
        ("presentText", 'String = "default"'),
        ("presentText", 'String! = "default"'),
        ("defaultText", "String"),
        ("defaultText", 'String = "default"'),
        ("defaultText", "String!"),
    ],
)
async def test_absence_null_and_defaults(field: str, type_: str, variables: dict[str, Any] | None) -> None:
    await ask(field, type_, variables)


@each("value", [None, [], ["a"], ["a", None, "b"], "a", [1], [["a"]], {"a": 1}, 5, [None]])
@each(
    ("field", "type_"),
    [
        ("list", "[String]"),
        ("presentList", "[String]!"),
        ("listOfPresent", "[String!]"),
        ("presentListOfPresent", "[String!]!"),
        ("list", "[String!]!"),
        ("list", '[String] = ["x"]'),
        ("list", "[String] = null"),
    ],
)
async def test_lists_and_nulls_in_them(field: str, type_: str, value: Any) -> None:
    await ask(field, type_, {"v": value})
    await ask(field, type_, {})


@each("value", [0, 1.0, 1.5, True, "1", 2**31, -(2**31), float("nan"), float("inf"), 10**400, "", [], None])
async def test_numbers_and_ids(value: Any) -> None:
    for name, type_ in (("value", "Int"), ("id", "ID"), ("ratio", "Float")):
        await both(schema, f"query ($v: {type_}) {{ number({name}: $v) }}", variables={"v": value})


@each("value", ["GOOD", "BAD", "UGLY", 1, None, [], {}])
async def test_enums(value: Any) -> None:
    await ask("mood", "Mood", {"v": value})
    await ask("mood", "Mood!", {"v": value})
    await ask("mood", "Mood = BAD", {"v": value})
    await ask("mood", "Mood = BAD", {})


@each("value", ["00000000-0000-0000-0000-000000000001", "nonsense", 5, None])
async def test_custom_scalars(value: Any) -> None:
    await ask("tag", "UUID", {"v": value})


@each(
    "text",
    [
        '{ plain(value: { text: "a" }) }',
        '{ plain(value: { text: "a", number: null, ratio: 1, flags: true, colour: RED, from: "x" }) }',
        "{ plain(value: null) a: plain }",
        "{ plain(value: 5) }",
        "{ plain(value: {}) }",
        '{ plain(value: { text: "a", unknown: 1 }) }',
        '{ plain(value: ["a"]) }',
        '{ filter(value: { and: { not: { moods: GOOD } }, at: "2026-01-01", fussy: 5 }) }',
        "{ filter(value: { and: [{}, {}], plain: null }) }",
        '{ filter(value: { plain: { text: "x", flags: [] } }) }',
        "{ checked(value: { amount: -1 }) a: checked(value: { amount: 1 }) }",
        "{ either(value: { left: 1 }) a: either(value: { left: null }) }",
        "{ either(value: { left: 1, right: null }) }",
        '{ perhaps(value: { name: "a", note: null, inner: { text: "x" } }) a: perhaps(value: {}) }',
        "{ perhaps(value: { name: null }) }",
        '{ list(value: "a") a: list(value: ["a", null]) b: list(value: []) }',
        '{ presentListOfPresent(value: ["a", null]) }',
        "{ mood(value: BAD) a: mood(value: UGLY) b: mood(value: null) c: mood }",
        '{ text(value: null) a: text(value: "") b: text(value: 5) c: text }',
        "{ number(value: 2147483648) a: number(id: 5, ratio: 1) b: number(value: 1.0) }",
        '{ tag(value: "nonsense") a: tag(value: "00000000-0000-0000-0000-000000000001") }',
    ],
)
async def test_literals(text: str) -> None:
    await both(schema, text, is_valid=False)


@each(
    "variables",
    [{}, {"t": "x", "n": 1, "c": "RED", "f": [True]}, {"t": "x", "n": None, "c": None}, {"t": "x", "n": "x"}],
)
@each(
    "text",
    [
        "query ($t: String!, $n: Int) { present(value: { text: $t, number: $n }) }",
        "query ($t: String!, $n: Int = 3) { present(value: { text: $t, number: $n }) }",
        "query ($t: String!, $n: Int!) { present(value: { text: $t, number: $n }) }",
        "query ($t: String!) { filter(value: { and: [{ plain: { text: $t } }] }) }",
        "query ($t: String!, $c: Colour) { present(value: { text: $t, colour: $c }) }",
        "query ($t: String!, $f: [Boolean]) { present(value: { text: $t, flags: $f }) }",
        "query ($t: String!, $f: [Boolean]!) { present(value: { text: $t, flags: $f }) }",
        "query ($t: String) { list(value: [$t]) }",
        "query ($t: String!) { presentListOfPresent(value: [$t, $t]) list(value: [$t]) }",
        "query ($n: Int) { either(value: { left: $n }) }",
        "query ($t: String) { perhaps(value: { name: $t, note: $t }) }",
    ],
)
async def test_variables_within_literals(text: str, variables: dict[str, Any]) -> None:
    await both(schema, text, variables=variables, is_valid=False)


async def test_each_argument_gets_objects_and_lists_of_its_own() -> None:
    text = """query ($p: Plain!, $w: [String!]!) {
        a: several(one: $p, other: $p, words: $w) b: several(one: $p, other: $p, words: $w) }"""
    answer = await both(schema, text, variables={"p": {"text": "a"}, "w": ["x"]})
    assert answer["data"]["a"].startswith("False ['x', 'mine']")
    assert answer["data"]["b"].startswith("False ['x', 'mine']")


@each("value", ["UXVlcnk6MQ==", "no global id", 5, None])
@each(
    "arguments",
    ["plain: $v, one: $v", "one: $v, plain: $v", "one: $v", "many: [$v]", "plain: $v, many: [$v, $v]"],
)
async def test_one_variable_may_be_an_id_here_and_a_global_id_there(arguments: str, value: Any) -> None:
    await both(schema, f"query ($v: ID!) {{ ids({arguments}) }}", variables={"v": value})
    await both(schema, f"query ($v: ID) {{ ids({arguments}) }}", variables={"v": value}, is_valid=False)
    await both(schema, f'query ($v: ID = "x") {{ ids({arguments}) }}', is_valid=False)


async def test_many_errors_are_reported_up_to_the_limit() -> None:
    value = [{"text": number} for number in range(60)]
    answer = await both(
        schema, "query ($v: [Filter]) { filter(value: { and: $v }) }", variables={"v": value}, is_valid=False
    )
    assert len(answer["errors"]) == 51


async def test_a_variable_that_only_fallen_back_fields_use_is_checked_before_any_field_runs() -> None:
    text = "query ($v: String!) { dog: chosen { ... on Dog { shouted(word: $v) } } infoOf }"
    answer = await both(nasty.schema, text, variables={"v": 5}, context=dict)
    assert answer["data"] is None


def source_of(schema: strawberry.Schema, text: str) -> str:
    """Give the code that an operation is compiled into."""
    sources: list[str] = []

    def run(source: Source, title: str) -> dict[str, Any]:
        sources.append(str(source))
        return original(source, title)

    original = Source.run
    with mock.patch.object(Source, "run", run):
        compiled(schema, text)
    return "".join(sources)


def test_the_central_mutation_is_read_by_generated_code() -> None:
    text = """mutation ($input: ConnectSocialAccountsInput!) {
        connectSocialAccounts(input: $input) { __typename } }"""
    source = source_of(social.schema, text)
    assert "def read_ConnectSocialAccountsInput" in source
    assert "as_core" not in source


def test_nothing_a_client_wrote_stands_in_the_source() -> None:
    source = source_of(schema, '{ listOfPresent(value: ["1; import os #"]) }')
    assert "import" not in source
