"""From a request to what the caller is told, without HTTP."""

import asyncio
from typing import NoReturn

import pytest

from graphql_api.execution.documents import Operation
from graphql_api.execution.engine import OperationRequest, Outcome
from graphql_api.execution.limits import Limits
from graphql_api.execution.persisted import (
    MalformedManifest,
    PersistedDocuments,
    hash_of,
    read_manifest,
)
from tests.execution.requests import run, subscribe
from tests.web.sample import CANARY, Sample


def told(outcome: Outcome) -> list[tuple[str, str]]:
    return [(error["extensions"]["code"], error["message"]) for error in outcome.errors]


async def test_one_failing_field_leaves_the_others(sample: Sample) -> None:
    outcome = await run(sample, "{hello forbidden busy}")
    assert outcome.data == {"hello": "Hello world", "forbidden": None, "busy": None}
    assert told(outcome) == [
        ("FORBIDDEN", "Not for you"),
        ("TEMPORARILY_UNAVAILABLE", "The service is busy; please try again"),
    ]
    assert outcome.errors[0]["path"] == ["forbidden"]


async def test_what_nobody_planned_is_masked_and_reported(sample: Sample) -> None:
    outcome = await run(sample, "query Mine{broken}")
    assert told(outcome) == [("INTERNAL_SERVER_ERROR", "Internal server error")]
    (report,) = sample.reports
    assert outcome.errors[0]["extensions"]["errorId"] == report.error_id
    assert (report.operation_name, report.path) == ("Mine", ("broken",))
    assert isinstance(report.exception, RuntimeError)
    assert CANARY.encode() not in outcome.encode()


INPUT = "mutation($i:Credentials!){connect(input:$i)}"


@pytest.mark.parametrize(
    ("value", "messages"),
    [
        ({"accessToken": 5}, ["$i.accessToken has no usable value. Expected a value of type 'String!'."]),
        (
            {"accessToken": "a", "luckyNumbers": [1, CANARY], "mood": CANARY},
            [
                "$i.luckyNumbers[1] has no usable value. Expected a value of type 'Int!'.",
                "$i.mood has no usable value. Expected a value of type 'Mood!'.",
            ],
        ),
        (
            {"mood": CANARY},
            [
                (
                    "$i has no usable value. Expected value of type 'Credentials' to include required"
                    " field 'accessToken'."
                ),
                "$i.mood has no usable value. Expected a value of type 'Mood!'.",
            ],
        ),
        (
            {"accessToken": "a", "zzz": CANARY},
            [
                (
                    "$i has no usable value. Expected value of type 'Credentials' not to include unknown"
                    " field 'zzz'."
                )
            ],
        ),
        (
            {"accessToken": None},
            ["$i.accessToken has no usable value. Expected value of non-null type 'String!' not to be null."],
        ),
        (CANARY, ["$i has no usable value. Expected value of type 'Credentials' to be an object."]),
        (None, ["$i has no usable value. Expected value of non-null type 'Credentials!' not to be null."]),
    ],
)
async def test_a_wrong_variable_is_told_by_path_and_type_never_by_value(
    sample: Sample, value: object, messages: list[str]
) -> None:
    outcome = await run(sample, INPUT, variables={"i": value})
    assert told(outcome) == [("BAD_USER_INPUT", message) for message in messages]
    assert not outcome.executed
    assert CANARY.encode() not in outcome.encode()


async def test_a_missing_variable_is_told(sample: Sample) -> None:
    message = "$i has no usable value. Expected a value of non-null type 'Credentials!' to be provided."
    assert told(await run(sample, INPUT)) == [("BAD_USER_INPUT", message)]


async def test_mistakes_are_told_up_to_a_number() -> None:
    sample = Sample(limits=Limits(max_coercion_errors=3))
    value = {"accessToken": "a", "luckyNumbers": ["x"] * 5000}
    assert len((await run(sample, INPUT, variables={"i": value})).errors) == 3


@pytest.mark.parametrize(
    "document",
    [
        f'{{number(value:"{CANARY}")}}',
        f"mutation{{connect(input:{{accessToken:{CANARY}}})}}",
        f'mutation{{connect(input:{{accessToken:"a",mood:{CANARY}}})}}',
        f'mutation{{connect(input:{{accessToken:"a",luckyNumbers:["{CANARY}"]}})}}',
        f'mutation{{connect(input:"{CANARY}")}}',
        f'{{hello "{CANARY}"}}',
        f'{{hello """{CANARY}"""}}',
        f'{{hello(name:"{CANARY}}}',
        f'{{hello(name:"\\q{CANARY}")}}',
    ],
)
async def test_a_literal_is_never_echoed(sample: Sample, document: str) -> None:
    outcome = await run(sample, document)
    assert not outcome.executed
    assert CANARY.encode() not in outcome.encode()


async def test_an_explicit_null_for_an_argument_is_the_callers_mistake(sample: Sample) -> None:
    outcome = await run(sample, "query($n:String){hello(name:$n)}", variables={"n": None})
    assert told(outcome) == [("BAD_USER_INPUT", "An argument of this field has no usable value")]
    assert not sample.reports


async def test_suggestions_can_be_off() -> None:
    for show, expected in ((True, True), (False, False)):
        sample = Sample(show_suggestions=show)
        for document in ("{helo}", "{hello(nme:1)}", "{friend(id:1){...on Frend{id}}}"):
            assert ("mean" in (await run(sample, document)).errors[0]["message"]) is expected
        outcome = await run(Sample(show_suggestions=False), INPUT, variables={"i": {"accessTokn": "a"}})
        assert b"mean" not in outcome.encode()


async def test_introspection_can_be_off() -> None:
    sample = Sample(introspection=False)
    assert told(await run(sample, "{__schema{types{name}}}"))[0][0] == "GRAPHQL_VALIDATION_FAILED"
    assert (await run(sample, "{__typename}")).data == {"__typename": "Query"}


@pytest.mark.parametrize(
    ("document", "name", "code"),
    [
        ("query A{hello} query B{hello}", None, "OPERATION_RESOLUTION_FAILURE"),
        ("query A{hello} query B{hello}", "C", "OPERATION_RESOLUTION_FAILURE"),
        ("{hello}", "C", "OPERATION_RESOLUTION_FAILURE"),
        ("fragment A on Query{hello}", None, "GRAPHQL_VALIDATION_FAILED"),
        ("type A{b:Int}", None, "GRAPHQL_VALIDATION_FAILED"),
        ("", None, "GRAPHQL_PARSE_FAILED"),
    ],
)
async def test_an_operation_must_be_clear(sample: Sample, document: str, name: str | None, code: str) -> None:
    assert told(await run(sample, document, operation_name=name))[0][0] == code


async def test_a_document_is_read_once(sample: Sample) -> None:
    first = sample.engine.prepare(OperationRequest("{hello}"))
    assert sample.engine.prepare(OperationRequest("{hello}")) is first


async def test_a_cost_over_the_limit_depends_on_the_variables() -> None:
    sample = Sample(limits=Limits(max_cost=100))
    document = "query($n:Int!){friend(id:1){friends(first:$n){edges{node{id}}}}}"
    assert (await run(sample, document, variables={"n": 10})).executed
    outcome = await run(sample, document, variables={"n": 90})
    assert told(outcome) == [("OPERATION_TOO_COMPLEX", "Cost: 182, at most 100 allowed")]


@pytest.mark.parametrize("error", [RuntimeError(CANARY), TimeoutError()], ids=["failure", "timeout"])
async def test_what_an_execution_raises_is_masked_and_no_deadline(sample: Sample, error: Exception) -> None:
    operation = sample.engine.prepare(OperationRequest("{hello}"))
    assert isinstance(operation, Operation)

    async def fail(_operation: object, _variables: object, _context: object) -> NoReturn:
        raise error

    operation.run = fail
    assert told(await run(sample, "{hello}")) == [("INTERNAL_SERVER_ERROR", "Internal server error")]
    assert [report.exception for report in sample.reports] == [error]


async def test_the_deadline_ends_an_operation() -> None:
    sample = Sample(limits=Limits(execution_timeout=0.02))
    assert told(await run(sample, "{slow}")) == [("EXECUTION_TIMEOUT", "The operation took too long")]


class TestSubscriptions:
    async def test_each_event_is_an_outcome(self, sample: Sample) -> None:
        stream = subscribe(sample, "subscription{count(to:2)}")
        assert [outcome.data async for outcome in stream] == [{"count": 1}, {"count": 2}]

    async def test_a_fault_ends_the_stream_and_is_told(self, sample: Sample) -> None:
        stream = subscribe(sample, "subscription{expelled}")
        *_, last = [outcome async for outcome in stream]
        assert told(last) == [("FORBIDDEN", "You are no longer a member")]
        assert not last.executed

    async def test_another_failure_ends_the_stream_and_is_masked(self, sample: Sample) -> None:
        stream = subscribe(sample, "subscription{failing}")
        *_, last = [outcome async for outcome in stream]
        assert told(last) == [("INTERNAL_SERVER_ERROR", "Internal server error")]
        assert CANARY in str(sample.reports[0].exception)

    async def test_leaving_a_stream_ends_its_source(self, sample: Sample) -> None:
        stream = subscribe(sample, "subscription{count(to:1000, pause:0.01)}")
        await anext(stream)
        assert sample.running == 1
        await stream.aclose()
        await asyncio.sleep(0)
        assert sample.running == 0

    async def test_a_subscription_whose_variables_do_not_fit_is_refused(self, sample: Sample) -> None:
        stream = subscribe(sample, "subscription($n:Int!){count(to:$n)}", n="many")
        (outcome,) = [outcome async for outcome in stream]
        assert not outcome.executed
        assert [code for code, _message in told(outcome)] == ["BAD_USER_INPUT"]


def hashed(query: str, digest: str | None = None) -> dict[str, object]:
    return {"persistedQuery": {"version": 1, "sha256Hash": digest or hash_of(query)}}


class TestPersistedDocuments:
    async def test_a_hash_is_enough_once_its_query_was_sent(self, sample: Sample) -> None:
        extensions = hashed("{hello}")
        assert told(await run(sample, None, extensions=extensions)) == [
            ("PERSISTED_QUERY_NOT_FOUND", "PersistedQueryNotFound")
        ]
        assert (await run(sample, "{hello}", extensions=extensions)).executed
        assert (await run(sample, None, extensions=extensions)).data == {"hello": "Hello world"}

    async def test_a_hash_of_something_else_is_refused(self, sample: Sample) -> None:
        outcome = await run(sample, "{hello}", extensions=hashed("{hello}", hash_of("{me}")))
        assert told(outcome)[0][0] == "BAD_USER_INPUT"
        assert not (await run(sample, None, extensions=hashed("{me}"))).executed

    @pytest.mark.parametrize("digest", ["", "x", "é", "0" * 64])
    async def test_a_strange_hash_is_refused(self, sample: Sample, digest: str) -> None:
        extensions = {"persistedQuery": {"version": 1, "sha256Hash": digest}}
        assert not (await run(sample, "{hello}", extensions=extensions)).executed

    @pytest.mark.parametrize("extension", [None, 5, {}, {"version": 2, "sha256Hash": "x"}, {"version": 1}])
    async def test_a_strange_extension_is_refused(self, sample: Sample, extension: object) -> None:
        outcome = await run(sample, None, extensions={"persistedQuery": extension})
        assert told(outcome)[0][0] == "BAD_USER_INPUT"

    async def test_only_valid_documents_are_kept(self, sample: Sample) -> None:
        await run(sample, "{nope}", extensions=hashed("{nope}"))
        assert told(await run(sample, None, extensions=hashed("{nope}")))[0][0] == "PERSISTED_QUERY_NOT_FOUND"

    async def test_few_are_kept(self) -> None:
        sample = Sample(limits=Limits(max_cached_bytes=100_000))
        long = "{hello}#" + "x" * 30_000
        for query in ("{me}", "{hello}", long):
            await run(sample, query, extensions=hashed(query))
        assert (await run(sample, None, extensions=hashed(long))).executed
        await run(sample, long.replace("x", "y"))
        found = [(await run(sample, None, extensions=hashed(q))).executed for q in ("{me}", "{hello}", long)]
        assert found == [False, True, True]

    async def test_a_trusted_document_is_run_by_its_id(self) -> None:
        sample = Sample(persisted=PersistedDocuments(trusted={"greet": "{hello}"}))
        assert (await run(sample, None, document_id="greet")).data == {"hello": "Hello world"}
        assert told(await run(sample, None, document_id="nope"))[0][0] == "UNKNOWN_DOCUMENT_ID"
        assert told(await run(sample, "{me}", document_id="greet"))[0][0] == "BAD_USER_INPUT"

    async def test_nothing_else_can_be_all_that_is_run(self) -> None:
        sample = Sample(persisted=PersistedDocuments(trusted={"greet": "{hello}"}, only_trusted=True))
        assert (await run(sample, None, document_id="greet")).executed
        assert told(await run(sample, "{hello}"))[0][0] == "DOCUMENT_ID_REQUIRED"
        assert not (await run(sample, "{hello}", extensions=hashed("{hello}"))).executed

    def test_both_forms_of_manifest_are_read(self) -> None:
        apollo = (
            '{"format":"apollo-persisted-query-manifest","version":1,"operations":[{"id":"a","body":"{b}"}]}'
        )
        assert read_manifest(apollo) == read_manifest('{"a":"{b}"}') == {"a": "{b}"}

    @pytest.mark.parametrize(
        "text", ["", "[]", "5", '{"a":5}', '{"format":"apollo-persisted-query-manifest"}']
    )
    def test_anything_else_is_no_manifest(self, text: str) -> None:
        with pytest.raises(MalformedManifest):
            read_manifest(text)
