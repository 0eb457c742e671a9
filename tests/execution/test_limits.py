"""What a document may ask for: counted right, and in a time linear in its size."""

import gc
import sys
import tracemalloc
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import pytest
from graphql import parse

from graphql_api.execution.documents import Document, Documents, Operation
from graphql_api.execution.engine import OperationRequest
from graphql_api.execution.limits import Limits
from graphql_api.execution.measure import SATURATED, Measure, fragments_of, operations_of
from tests.execution.requests import run
from tests.web.sample import Sample


def documents(limits: Limits | None = None) -> Documents:
    return Sample(limits=limits or Limits()).engine.documents


def refusal_of(source: str, limits: Limits | None = None) -> str:
    read = documents(limits).read(source)
    assert not isinstance(read, Document)
    assert len(read) == 1
    assert read[0]["extensions"]["code"] == "OPERATION_TOO_COMPLEX"
    message = read[0]["message"]
    assert isinstance(message, str)
    return message


def cost_of(source: str, limits: Limits | None = None, **variables: object) -> int:
    reader = documents(limits)
    read = reader.read(source)
    assert isinstance(read, Document), read
    operation = read.operations[0]
    return reader.cost(operation, variables) if variables else operation.cost


def bomb(levels: int, step: str) -> str:
    """Return a document in which each fragment spreads the next one twice."""
    fragments = [f"fragment F{n} on Friend {{{step.replace('NEXT', f'...F{n + 1}')}}}" for n in range(levels)]
    return " ".join(["{friend(id:1){...F0}}", *fragments, f"fragment F{levels} on Friend{{id}}"])


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("{hello" + " " * 50_000 + "}", "Characters: 50007, at most 50000 allowed"),
        (
            "{" + "hello " * 1000 + "}",
            "Syntax Error: Document contains more than 1000 tokens. Parsing aborted.",
        ),
        ("#\n" * 101 + "{hello}", "Syntax Error: Document contains more than 100 comments. Parsing aborted."),
        (" ".join(f"query Q{n}{{hello}}" for n in range(11)), "Operations: 11, at most 10 allowed"),
        ("{" + " ".join(f"a{n}:hello" for n in range(31)) + "}", "Aliases: 31, at most 30 allowed"),
        ("{hello " + "@skip(if:true)" * 51 + "}", "Directives: 51, at most 50 allowed"),
        ("{" + "hello " * 52 + "}", "Repeated selections: 51, at most 50 allowed"),
        ("{friend(id:1){" + "...on Friend{id}" * 52 + "}}", "Repeated selections: 51, at most 50 allowed"),
        (
            "{friend(id:1){" + "friends{edges{node{" * 4 + "id" + "}}}" * 4 + "}}",
            "Depth: 14, at most 12 allowed",
        ),
        ("{" + "hello " * 21 + "}", "Root fields: 21, at most 20 allowed"),
        ("{...A ...A ...A} fragment A on Query{" + "hello " * 7 + "}", "Root fields: 21, at most 20 allowed"),
        (
            "{nodes(ids:[" + "1 " * 100 + "]){friends(first:100){edges{node{id}}}}}",
            "Cost: 20200, at most 5000 allowed",
        ),
    ],
)
def test_a_limit_is_named_with_its_figures(source: str, message: str) -> None:
    assert refusal_of(source) == message


def test_checking_credentials_twice_is_refused_however_it_is_hidden() -> None:
    log_in = 'logIn(email:"a",password:"b")'
    message = "Mutations that check credentials: 2, at most 1 allowed"
    assert refusal_of(f"mutation{{a:{log_in} b:{log_in}}}") == message
    assert refusal_of(f"mutation{{...A b:{log_in}}} fragment A on Mutation{{{log_in}}}") == message
    assert refusal_of(f"mutation A{{{log_in}}} mutation B{{{log_in}}}") == message
    assert (
        refusal_of(
            f"mutation{{...A ...B}} fragment A on Mutation{{a:{log_in}}} fragment B on Mutation{{...A}}"
        )
        == message
    )
    assert isinstance(documents().read(f"mutation{{{log_in}}}"), Document)


@pytest.mark.parametrize(
    ("source", "cost"),
    [
        ("{hello}", 0),
        ("{friend(id:1){id name}}", 1),
        ("{friend(id:1){friends(first:3){edges{node{id}}}}}", 1 + 1 + 3 * 2),
        ("{friend(id:1){friends{edges{node{id}}}}}", 1 + 1 + 20 * 2),
        ("{friend(id:1){friends(first:2147483647){edges{node{id}}}}}", 1 + 1 + 100 * 2),
        ("{friend(id:1){friends(first:-5){edges{node{id}}}}}", 1 + 1),
        ("{friend(id:1){groups{id}}}", 1 + 10),
        ("{nodes(ids:[1,2,3]){groups{id}}}", 3 * (1 + 10)),
        (
            "{friend(id:1){friends(first:2){edges{node{friends(first:3){edges{node{id}}}}}}}}",
            1 + 1 + 2 * (2 + 1 + 3 * 2),
        ),
        (
            (
                "{friend(id:1){a:friends(first:2){...E} b:friends(first:4){...E}}}"
                "fragment E on FriendConnection{edges{node{id}}}"
            ),
            1 + 2 + 6 * 2,
        ),
        ("{__schema{types{name}}}", 1),
    ],
)
def test_lists_multiply(source: str, cost: int) -> None:
    assert cost_of(source) == cost


def test_a_variable_counts_what_it_says_once_known() -> None:
    source = (
        "query($n:Int!){friend(id:1){friends(first:$n){edges{node{friends(first:$n){edges{node{id}}}}}}}}"
    )
    limits = Limits(max_cost=100_000)
    assert cost_of(source, limits) == 1 + 1 + 100 * (2 + 1 + 100 * 2)
    assert cost_of(source, limits, n=2) == 1 + 1 + 2 * (2 + 1 + 2 * 2)
    assert cost_of(source, limits, n=10**9) == cost_of(source, limits)
    assert cost_of(source, limits, n="x") == cost_of(source, limits, n=20)


@pytest.mark.parametrize(
    "step",
    ["NEXT NEXT", "a:friends{edges{node{NEXT}}} b:friends{edges{node{NEXT}}}", "...on Friend{NEXT} NEXT"],
)
def test_a_fragment_bomb_is_measured_in_linear_time(step: str) -> None:
    engine = Sample().engine
    steps = []
    for levels in (20, 90):
        document = parse(bomb(levels, step))
        measure = Measure(engine.schema, Limits(), frozenset(), fragments_of(document))
        with calls_counted() as calls:
            tally = measure.operation(operations_of(document)[0])
        steps.append(len(calls))
    assert tally.within == SATURATED
    assert 20 < steps[1] < 6 * steps[0]  # two to the power of ninety would not end


@contextmanager
def calls_counted() -> Iterator[list[str]]:
    """The Python functions that are called meanwhile: a measure that a busy machine does not change."""
    calls: list[str] = []

    def note(frame: FrameType, event: str, _argument: object) -> None:
        if event == "call":
            calls.append(frame.f_code.co_name)

    sys.setprofile(note)
    try:
        yield calls
    finally:
        sys.setprofile(None)


def test_fragments_that_spread_one_another_are_left_to_validation() -> None:
    read = documents().read("{friend(id:1){...A}} fragment A on Friend{...B} fragment B on Friend{...A}")
    assert not isinstance(read, Document)
    assert read[0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"


def test_a_chain_of_fragments_too_long_to_follow_is_too_deep() -> None:
    limits = Limits(max_tokens=100_000, max_repeated_selections=10_000, max_source_length=10**6)
    assert (
        refusal_of(bomb(2000, "friends{edges{node{NEXT}}}"), limits)
        == "Depth: more than 12, at most 12 allowed"
    )


def test_introspection_is_bounded_apart() -> None:
    fields = "fields{name type{name fields{name}} args{name type{name ofType{name}}}}"
    many = "{__schema{" + " ".join(f"a{n}:types{{{fields}}}" for n in range(28)) + "}}"
    assert (
        refusal_of(many, Limits(max_introspection_fields=100))
        == "Introspection fields: 364, at most 100 allowed"
    )


def test_documents_are_kept_as_long_as_their_bytes_fit() -> None:
    sample = Sample(limits=Limits(max_cached_bytes=100))
    for n in range(10):
        sample.engine.documents.keep(str(n), Document((), 40))
    assert [n for n in range(10) if sample.engine.documents.get(str(n))] == [8, 9]


def test_a_document_that_is_kept_no_more_is_gone_at_once() -> None:
    """It would be garbage that Python finds only after a long time, since it was kept for long."""
    sample = Sample(limits=Limits(max_cached_bytes=20_000))
    operation = sample.engine.prepare(OperationRequest("{hello} # comment"))
    assert isinstance(operation, Operation)
    gc.collect()  # what validated it
    gc.disable()
    try:
        node = weakref.ref(operation.document)
        del operation
        assert node() is not None
        sample.engine.documents.keep("another", Document((), 20_000))
        assert node() is None
    finally:
        gc.enable()


SHAPES: dict[str, Callable[[int], str]] = {
    "tokens": lambda n: (
        "{" + " ".join(f"a{n}_{one}:__typename" for one in range(20)) + " __typename" * 49 + "}"
    ),
    "a long string": lambda n: f'{{hello(name:"{"x" * 49_000}{n}")}}',
    "a long block string": lambda n: f'{{hello(name:"""{"x " * 24_000}{n}""")}}',
    "a wide string": lambda n: f'{{hello(name:"{"x" * 49_000}😀{n}")}}',
    "a long name": lambda n: f"query {'q' * 49_000}{n}{{hello}}",
    "a long comment": lambda n: f"{{hello}}#{n}{'x' * 49_000}",
    "many comments": lambda n: "{hello}" + f"#{n}{'x' * 470}😀\n" * 99,
    "spaces": lambda n: f"{{hello a{n}:hello}}" + " " * 49_000,
    "operations": lambda n: " ".join(
        f"query q{n}_{one}($a:Int=1,$b:Int=2){{number(value:$a) b:number(value:$b)}}" for one in range(9)
    ),
}


@pytest.mark.parametrize("shape", SHAPES)
async def test_kept_documents_take_no_more_memory_than_they_may(shape: str) -> None:
    limits = Limits(max_cached_bytes=1_000_000, max_root_fields=100)
    sample = Sample(limits=limits, introspection=True)
    await run(sample, "{hello}")
    gc.collect()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for n in range(60):
            query, name = SHAPES[shape](n), f"q{n}_0" if shape == "operations" else None
            for _ in range(3):  # the third time as compiled code
                assert (await run(sample, query, operation_name=name)).executed
        gc.collect()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < limits.max_cached_bytes + 150_000  # what Python itself keeps of the last ones
