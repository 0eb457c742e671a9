"""Which operations are compiled and when, what is kept of them, and that callers cannot tell."""

from dataclasses import replace
from typing import Any

import pytest

from graphql_api.execution import compiling
from graphql_api.execution.compiled import CompiledOperation, compile_operation
from graphql_api.execution.limits import Limits
from tests.execution.requests import run
from tests.web.sample import Sample


class Compilations(list[CompiledOperation | None]):
    """What was compiled, in order."""


@pytest.fixture
def compilations(monkeypatch: pytest.MonkeyPatch) -> Compilations:
    seen = Compilations()

    def compile_and_note(*arguments: Any, **options: Any) -> CompiledOperation | None:
        seen.append(compile_operation(*arguments, **options))
        return seen[-1]

    monkeypatch.setattr("graphql_api.execution.compiling.compile_operation", compile_and_note)
    return seen


async def test_an_operation_is_compiled_when_it_runs_for_the_third_time(compilations: Compilations) -> None:
    sample = Sample()
    for runs, compiled in [(1, 0), (2, 0), (3, 1), (4, 1)]:
        assert (await run(sample, "{hello}")).data == {"hello": "Hello world"}
        assert len(compilations) == compiled, f"after {runs} runs"


async def test_documents_sent_once_are_never_compiled(compilations: Compilations) -> None:
    sample = Sample()
    for number in range(20):
        await run(sample, f"{{a{number}:hello}}")
    assert not compilations


async def test_what_cannot_be_compiled_is_tried_once(compilations: Compilations) -> None:
    sample = Sample()
    for _ in range(5):
        outcome = await run(sample, "{__schema{queryType{name}}}")
        assert outcome.data == {"__schema": {"queryType": {"name": "Query"}}}
    assert compilations == [None]


async def test_the_code_is_kept_and_dropped_with_its_document(
    compilations: Compilations, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compiling, "RUNS_BEFORE", 0)
    alone = Sample()
    await run(alone, "{a:hello}")
    (first,) = compilations
    document = alone.engine.documents.get("{a:hello}")
    assert first is not None
    assert document is not None
    assert document.size > first.size > 0
    sample = Sample(limits=replace(Limits(), max_cached_bytes=document.size * 2 + 10))
    compilations.clear()
    for query in ("{a:hello}", "{b:hello}", "{a:hello}", "{c:hello}"):
        await run(sample, query)
    assert len(compilations) == 3
    await run(sample, "{a:hello}")
    assert len(compilations) == 3, "used lately, so still kept"
    await run(sample, "{b:hello}")
    assert len(compilations) == 4, "unused for longest, so it made room"


@pytest.mark.parametrize(
    ("query", "variables"),
    [
        ("{hello forbidden busy}", {}),
        ("query($n:String){hello(name:$n)}", {"n": "Ada"}),
        ("query($n:String){hello(name:$n)}", {"n": None}),
        ("query($n:String){hello(name:$n)}", {}),
        ("query($n:String){hello(name:$n)}", {"n": 5}),
        ("query($n:String!){hello(name:$n)}", {}),
        ("query($i:Boolean!){hello @include(if:$i) forbidden @skip(if:$i)}", {"i": True}),
        ("query($i:Boolean!){hello @include(if:$i) forbidden @skip(if:$i)}", {"i": False}),
        ("query($i:Boolean!){hello @include(if:$i)}", {"i": "yes"}),
        (
            "mutation($i:Credentials!){connect(input:$i)}",
            {"i": {"accessToken": "a", "luckyNumbers": [1, "x"]}},
        ),
        ("mutation($i:Credentials!){connect(input:$i)}", {"i": {"accessToken": "a"}}),
    ],
)
async def test_callers_cannot_tell(compilations: Compilations, query: str, variables: dict[str, Any]) -> None:
    sample = Sample()
    outcomes = [await run(sample, query, variables=variables) for _ in range(4)]
    assert len(compilations) == 1
    assert compilations[0] is not None
    assert len({outcome.encode() for outcome in outcomes}) == 1
