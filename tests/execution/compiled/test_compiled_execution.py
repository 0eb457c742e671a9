# ruff: noqa: SLF001 - Strawberry keeps its schema in a private attribute
"""What graphql-core's own tests say of executing operations, as facts, on both executors."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
import strawberry
from graphql import GraphQLError, build_schema, parse
from strawberry import Info

from graphql_api.execution.compiled import compile_operation
from tests.execution.compiled.both import both, compiled, messages

# graphql-core too drops coroutines that it never started, where a sibling's error ends their parent
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore:coroutine")


@strawberry.type
class Deep:
    a: str | None
    b: str | None
    c: list[str | None] | None
    deeper: "list[Deep | None] | None"

    @strawberry.field
    async def promised(self) -> "Deep | None":
        await asyncio.sleep(0)
        return self


@strawberry.type
class Tree:
    nullable: "Tree | None"
    present: "Tree"
    throws: str
    name: str

    @strawberry.field
    def failing(self) -> "Tree":
        raise RuntimeError("Catch me if you can")

    @strawberry.field
    async def slow(self, ticks: int = 1) -> str:
        for _ in range(ticks):
            await asyncio.sleep(0)
        return f"after {ticks}"

    @strawberry.field
    async def slow_error(self, ticks: int = 1) -> str | None:
        for _ in range(ticks):
            await asyncio.sleep(0)
        raise RuntimeError("Oops")

    @strawberry.field
    async def slow_null(self, ticks: int = 1) -> str:
        for _ in range(ticks):
            await asyncio.sleep(0)
        return None  # type: ignore[return-value]

    @strawberry.field
    def null(self) -> str:
        return None  # type: ignore[return-value]

    @strawberry.field
    async def promised(self) -> "Tree | None":
        return self

    @strawberry.field
    async def surely_promised(self) -> "Tree":
        return self


@strawberry.type
class Query:
    deep: Deep | None
    tree: Tree | None
    sure: Tree
    a: str | None
    b: str | None

    @strawberry.field
    def described(self, info: Info, argument: int | None = None) -> str:
        raw = info._raw_info
        return (
            f"{info.field_name} {raw.return_type} {raw.parent_type} {raw.path.as_list()}"
            f" {raw.operation.operation.value}"
            f" {raw.root_value is self} {info.context['word']} {info.variable_values} {len(raw.field_nodes)}"
            f" {sorted(raw.fragments)} {raw.schema is schema._schema} {info.schema is schema}"
            f" {info.return_type}"
        )

    @strawberry.field
    def arguments(self, number: int | None = strawberry.UNSET, word: str = "none") -> str:
        return f"{number!r} {word!r}"

    @strawberry.field
    def failing_with(self, kind: str) -> str | None:
        errors: dict[str, Any] = {
            "plain": ValueError("plain"),
            "silent": Exception(),
            "graphql": GraphQLError("refused", extensions={"code": "REFUSED"}),
            "elsewhere": GraphQLError("elsewhere", path=["over", "there"]),
        }
        if kind == "returned":
            return ValueError("returned")  # type: ignore[return-value]
        raise errors[kind]


schema = strawberry.Schema(Query)


def tree() -> Tree:
    made = Tree(nullable=None, present=None, throws="no", name="root")  # type: ignore[arg-type]
    made.nullable = made.present = made
    return made


def root() -> Query:
    deep = Deep(a="Apple", b="Banana", c=["Cherry", None], deeper=None)
    deep.deeper = [deep, None, deep]
    return Query(deep=deep, tree=tree(), sure=tree(), a="A", b="B")


async def test_all_kinds_of_fields_are_executed_in_the_order_they_are_asked_for() -> None:
    answer = await both(
        schema,
        """query Example { b x: b ...More deep { b a c promised { a ...Deeper } } }
        fragment More on Query { a deep { c } }
        fragment Deeper on Deep { deeper { a b } }""",
        root=root,
    )
    assert list(answer["data"]) == ["b", "x", "a", "deep"]
    assert list(answer["data"]["deep"]) == ["c", "b", "a", "promised"]
    assert answer["data"]["deep"]["promised"]["deeper"] == [
        {"a": "Apple", "b": "Banana"},
        None,
        {"a": "Apple", "b": "Banana"},
    ]
    assert answer["awaited"]


async def test_parallel_fragments_are_merged() -> None:
    answer = await both(
        schema,
        """{ a ...One ...Two }
        fragment One on Query { b deep { b deeper: deeper { b } } }
        fragment Two on Query { a deep { a deeper: deeper { a } } }""",
        root=root,
    )
    assert answer["data"]["deep"]["deeper"][0] == {"b": "Banana", "a": "Apple"}


async def test_resolvers_learn_where_they_are() -> None:
    text = """query Named($n: Int = 3) { again: described(argument: $n) ...F ...F }
        fragment F on Query { again: described(argument: $n) }"""
    answer = await both(schema, text, root=root, context=lambda: {"word": "context"})
    assert answer["data"]["again"].startswith(
        "described String! Query ['again'] query True context {'n': 3} 2 ['F'] True True"
    )


async def test_arguments_reach_resolvers_and_those_left_out_do_not() -> None:
    text = """query ($n: Int) {
        a: arguments b: arguments(number: null, word: "x")
        c: arguments(number: $n) d: arguments(number: 7) }"""
    answer = await both(schema, text, root=root)
    assert answer["data"] == {"a": "UNSET 'none'", "b": "None 'x'", "c": "UNSET 'none'", "d": "7 'none'"}


@pytest.mark.parametrize("kind", ["plain", "silent", "graphql", "elsewhere", "returned"])
async def test_whatever_a_resolver_raises_or_returns_as_an_error_becomes_the_fields_error(kind: str) -> None:
    answer = await both(
        schema, "query ($k: String!) { a failingWith(kind: $k) }", root=root, variables={"k": kind}
    )
    assert answer["data"] == {"a": "A", "failingWith": None}
    assert len(answer["errors"]) == 1


async def test_original_errors_and_their_nodes_are_kept() -> None:
    text = '{ failingWith(kind: "plain") }'
    result: Any = compiled(schema, text).begin(root(), {}, {})
    (error,) = result.errors
    assert isinstance(error.original_error, ValueError)
    assert error.nodes[0].name.value == "failingWith"
    assert error.extensions == {}


async def test_a_path_leads_through_aliases_to_a_field_that_may_not_be_null() -> None:
    text = "{ tree { aliased: nullable { present { another: present { failing { name } } } } } }"
    answer = await both(schema, text, root=root)
    assert answer["data"] == {"tree": {"aliased": None}}
    assert messages(answer) == [
        ("Catch me if you can", ["tree", "aliased", "present", "another", "failing"]),
    ]


async def test_a_null_that_goes_all_the_way_up_leaves_no_data() -> None:
    answer = await both(schema, "{ a sure { name null } b }", root=root)
    assert answer["data"] is None
    assert messages(answer) == [("Cannot return null for non-nullable field Tree.null.", ["sure", "null"])]
    assert not answer["awaited"]


async def test_a_synchronous_error_does_not_wait_for_asynchronous_siblings() -> None:
    answer = await both(schema, "{ sure { slow null } }", root=root)
    assert answer["data"] is None
    assert not answer["awaited"]


async def test_an_error_that_may_stay_comes_before_one_that_bubbles_later() -> None:
    answer = await both(schema, "{ sure { slowError slowNull } }", root=root)
    assert [path for _, path in messages(answer)] == [["sure", "slowError"], ["sure", "slowNull"]]
    assert answer["data"] is None


@pytest.mark.parametrize(
    "text",
    [
        "{ sure { surelyPromised { null } promised { null } } }",
        "{ sure { surelyPromised { null } promised { slowNull } } }",
        "{ tree { surelyPromised { null } promised { null } } }",
        "{ tree { surelyPromised { null } promised { promised { promised { slowNull } } } } }",
        "{ tree { a: slowNull(ticks: 3) b: slowError(ticks: 2) c: slowError(ticks: 5) d: slow } }",
        """{ tree {
            promised { a: slowError(ticks: 4) null } b: slowError(ticks: 2)
            surelyPromised { slowNull(ticks: 3) }
        } }""",
    ],
)
async def test_several_errors_for_one_position_are_the_same_ones_in_the_same_order(text: str) -> None:
    answer = await both(schema, text, root=root)
    assert answer["errors"]


async def test_keys_keep_their_order_whatever_ends_first() -> None:
    answer = await both(
        schema, "{ tree { a: slow(ticks: 5) name b: slow(ticks: 1) c: slow(ticks: 3) } }", root=root
    )
    assert list(answer["data"]["tree"]) == ["a", "name", "b", "c"]


async def test_synchronous_fields_are_answered_without_awaiting() -> None:
    result: Any = compiled(schema, "{ a tree { name nullable { name } } }").begin(root(), None, {})
    assert result.data == {"a": "A", "tree": {"name": "root", "nullable": {"name": "root"}}}


async def test_fields_run_side_by_side() -> None:
    arrived = asyncio.Event()

    @strawberry.type
    class Pair:
        @strawberry.field
        async def first(self) -> bool:
            await asyncio.wait_for(arrived.wait(), 1)
            return True

        @strawberry.field
        async def second(self) -> bool:
            arrived.set()
            return True

    answer = await both(strawberry.Schema(Pair), "{ first second }")
    assert answer["data"] == {"first": True, "second": True}


async def test_what_fails_ends_its_slower_siblings() -> None:
    ended: list[str] = []

    @strawberry.type
    class Pair:
        @strawberry.field
        async def failing(self) -> bool:
            raise RuntimeError("Oops")

        @strawberry.field
        async def waiting(self) -> bool | None:
            try:
                await asyncio.sleep(10)
            except asyncio.CancelledError:
                ended.append("cancelled")
                raise
            return True

    answer = await both(strawberry.Schema(Pair), "{ waiting failing }")
    assert messages(answer) == [("Oops", ["failing"])]
    assert ended == ["cancelled", "cancelled"]


# --- mutations ---------------------------------------------------------------------------------------


@strawberry.type
class Holder:
    number: int

    @strawberry.field
    async def promised(self) -> int:
        await asyncio.sleep(0)
        return self.number


@strawberry.type
class Mutation:
    @strawberry.mutation
    def now(self, info: Info, to: int) -> Holder:
        info.context["holder"].number = to
        return info.context["holder"]  # type: ignore[no-any-return]

    @strawberry.mutation
    async def later(self, info: Info, to: int, ticks: int = 2) -> Holder | None:
        for _ in range(ticks):
            await asyncio.sleep(0)
        info.context["holder"].number = to
        return info.context["holder"]  # type: ignore[no-any-return]

    @strawberry.mutation
    def fail_now(self) -> Holder | None:
        raise RuntimeError("Cannot now")

    @strawberry.mutation
    async def fail_later(self) -> Holder | None:
        await asyncio.sleep(0)
        raise RuntimeError("Cannot later")

    @strawberry.mutation
    async def surely_fail_later(self) -> Holder:
        await asyncio.sleep(0)
        raise RuntimeError("Cannot at all")


mutable = strawberry.Schema(query=Query, mutation=Mutation)


def holder() -> dict[str, Any]:
    return {"holder": Holder(number=6)}


async def test_mutations_run_one_after_the_other() -> None:
    text = """mutation { first: now(to: 1) { number } second: later(to: 2) { number promised }
        third: now(to: 3) { number }
        fourth: later(to: 4, ticks: 5) { number } fifth: now(to: 5) { promised } }"""
    answer = await both(mutable, text, context=holder)
    assert answer["data"] == {
        "first": {"number": 1},
        "second": {"number": 2, "promised": 2},
        "third": {"number": 3},
        "fourth": {"number": 4},
        "fifth": {"promised": 5},
    }


async def test_a_failed_mutation_does_not_stop_the_next() -> None:
    text = """mutation { a: now(to: 1) { number } b: failNow { number }
        c: later(to: 3) { number } d: failLater { number }
        e: now(to: 5) { number } f: failLater { number } }"""
    answer = await both(mutable, text, context=holder)
    assert answer["data"] == {
        "a": {"number": 1},
        "b": None,
        "c": {"number": 3},
        "d": None,
        "e": {"number": 5},
        "f": None,
    }
    assert [path for _, path in messages(answer)] == [["b"], ["d"], ["f"]]


async def test_a_mutation_that_may_not_be_null_stops_the_rest() -> None:
    contexts: list[dict[str, Any]] = []

    def context() -> dict[str, Any]:
        contexts.append(holder())
        return contexts[-1]

    answer = await both(
        mutable,
        "mutation { a: later(to: 1) { number } surelyFailLater { number } b: now(to: 3) { number } }",
        context=context,
    )
    assert answer["data"] is None
    assert [context["holder"].number for context in contexts] == [1, 1]


async def test_synchronous_mutations_are_answered_without_awaiting() -> None:
    answer = await both(
        mutable,
        "mutation { a: now(to: 1) { number } ...F } fragment F on Mutation { b: now(to: 2) { number } }",
        context=holder,
    )
    assert not answer["awaited"]


# --- conditions --------------------------------------------------------------------------------------


@pytest.mark.parametrize("skip", [True, False])
@pytest.mark.parametrize("include", [True, False])
@pytest.mark.parametrize(
    "text",
    [
        "{ a b @skip(if: $s) @include(if: $i) }",
        "{ a ...F @skip(if: $s) @include(if: $i) } fragment F on Query { b deep { b } }",
        "{ a ... on Query @skip(if: $s) @include(if: $i) { b } }",
        "{ a ... @skip(if: $s) @include(if: $i) { b } }",
        "{ b @include(if: $i) a b @skip(if: $s) }",
        "{ deep { a @skip(if: $s) } ...F @include(if: $i) } fragment F on Query { deep { b } a }",
        "{ __typename @skip(if: $s) deep @include(if: $i) { __typename } }",
    ],
)
async def test_skip_and_include_decide_what_is_there_and_where(text: str, skip: bool, include: bool) -> None:
    asked = f"query ($s: Boolean!, $i: Boolean!) {text}"
    if "$i" not in text:
        asked = asked.replace(", $i: Boolean!", "")
    by_variable = await both(schema, asked, root=root, variables={"s": skip, "i": include})
    as_written = text.replace("$s", str(skip).lower()).replace("$i", str(include).lower())
    by_literal = await both(schema, as_written, root=root)
    assert by_variable == by_literal


@pytest.mark.parametrize("variables", [{}, {"s": True}, {"s": None}, {"s": "yes"}, {"s": 1}])
async def test_conditions_with_defaults_nulls_and_nonsense(variables: dict[str, Any]) -> None:
    await both(
        schema,
        "query ($s: Boolean = false) { a b @skip(if: $s) deep { a @skip(if: $s) } }",
        root=root,
        variables=variables,
    )


# --- what is not covered -----------------------------------------------------------------------------


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def ticks(self) -> Any:
        yield 1


@pytest.mark.parametrize(
    "text",
    [
        "{ __schema { queryType { name } } }",
        '{ __type(name: "Query") { name } }',
        "query @unknown { a }",
        "{ a @unknown }",
        "{ unknown }",
        "{ ...Missing @defer }",
        "{ ... @defer { a } }",
        "mutation { a }",
        "query ($k: Deep) { a }",
        "query ($k: [Int!] = [null]) { a }",
        "{ tree " + "{ present " * 80 + "{ name }" + " }" * 80 + " }",
        "{ tree { ...Round } } fragment Round on Tree { name present { ...Round } }",
    ],
)
def test_what_is_not_covered_is_left_to_graphql_core(text: str) -> None:
    document = parse(text)
    operation: Any = document.definitions[0]
    assert compile_operation(schema._schema, document, operation) is None


async def test_documents_nobody_validated_are_answered_alike() -> None:
    await both(schema, "{ deep a { b } }", root=root, is_valid=False)
    await both(schema, "{ a ...Missing }", root=root, is_valid=False)
    await both(schema, "{ failingWith }", root=root, is_valid=False)
    await both(schema, "{ failingWith(kind: null) }", root=root, is_valid=False)
    await both(schema, "{ failingWith(kind: 5) }", root=root, is_valid=False)
    await both(schema, "query ($k: String) { failingWith(kind: $k) }", root=root, is_valid=False)
    await both(
        schema,
        "query ($k: String) { failingWith(kind: $k) }",
        root=root,
        is_valid=False,
        variables={"k": None},
    )
    await both(schema, "{ arguments(number: $nothing) }", root=root, is_valid=False)


def test_another_schema_than_strawberrys_is_left_to_graphql_core() -> None:
    document = parse("{ a }")
    operation: Any = document.definitions[0]
    assert compile_operation(build_schema("type Query { a: Int }"), document, operation) is None


def test_one_compiled_operation_serves_many_runs_at_the_same_time() -> None:
    operation = compiled(schema, "{ tree { slow(ticks: 2) slowError } }")

    async def run() -> list[Any]:
        runs: list[Any] = [operation.begin(root(), None, {}) for _ in range(5)]
        return await asyncio.gather(*runs)

    results = asyncio.run(run())
    assert all(result.data == {"tree": {"slow": "after 2", "slowError": None}} for result in results)
    assert [len(result.errors) for result in results] == [1] * 5


def test_rows_of_any_class_may_stand_behind_a_type() -> None:
    row = SimpleNamespace(a="row", b=None, c=("x",), deeper=[SimpleNamespace(a="below")])
    result: Any = compiled(schema, "{ deep { a b c deeper { a } } }").begin(
        SimpleNamespace(deep=row), None, {}
    )
    assert result.data == {"deep": {"a": "row", "b": None, "c": ["x"], "deeper": [{"a": "below"}]}}
