# ruff: noqa: SLF001, T201 - Strawberry keeps its schema in a private attribute; a command prints
"""graphql-core is the oracle: random operations run on it and on the compiled code, and must answer alike.

    python -m tests.execution.compiled.oracle --cases 100000 --seed 1

Alike means the same JSON text: data, nulls, the order of keys and of errors, their messages, paths, locations
and extensions. It also means the same resolver calls with the same arguments in the same order, the same
batches, the same original errors, and a result without awaiting exactly where graphql-core has one.

Another schema takes part as a `Subject`.
"""

import argparse
import asyncio
import json
import random
import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    ExecutionResult,
    FieldNode,
    GraphQLSchema,
    OperationDefinitionNode,
    Visitor,
    execute,
    visit,
)
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from graphql_api.execution.compiled import CompiledOperation, compile_operation
from tests.execution.compiled import nasty, social
from tests.execution.compiled.cases import valid_operation
from tests.execution.compiled.world import World

RUNS_OF_AN_OPERATION = 6


@dataclass(frozen=True)
class Subject:
    """A schema under test, and how to make the root value, context and log of a run from a seed."""

    name: str
    schema: GraphQLSchema
    make_run: Callable[[GraphQLSchema, DocumentNode, str, float], tuple[Any, Any, list[str]]]


@dataclass(frozen=True)
class Case:
    """One operation, its variables, and the seed of the world it runs in."""

    subject: Subject
    text: str
    document: DocumentNode
    compiled: CompiledOperation | None
    variables: dict[str, Any]
    seed: str
    trouble: float


def in_world(
    schema: GraphQLSchema, document: DocumentNode, seed: str, trouble: float
) -> tuple[Any, Any, list[str]]:
    world = World(schema, seed, mentioned(document), trouble)
    assert schema.query_type is not None
    root = world.object(schema.query_type, "root", 3)
    return root, {"world": world}, world.log


SUBJECTS = [
    Subject("social", social.schema._schema, in_world),
    Subject("nasty", nasty.schema._schema, in_world),
]


def mentioned(document: DocumentNode) -> frozenset[str]:
    names: set[str] = set()

    class Names(Visitor):
        def enter_field(self, node: FieldNode, *_: Any) -> None:
            names.add(node.name.value)

    visit(document, Names())
    return frozenset(names)


def cases(subject: Subject, seed: str) -> Iterator[Case]:
    """Make up cases without end; a few for each operation."""
    chance = random.Random(f"{subject.name} {seed}")
    while True:
        generator, text, document = valid_operation(subject.schema, chance)
        operation = document.definitions[0]
        assert isinstance(operation, OperationDefinitionNode)
        compiled = compile_operation(subject.schema, document, operation)
        for _ in range(RUNS_OF_AN_OPERATION):
            trouble = chance.choice((0.0, 0.02, 0.1, 0.3))
            yield Case(
                subject, text, document, compiled, generator.raw_variables(), str(chance.random()), trouble
            )


async def outcome(case: Case, run: Callable[[Any, Any], Any]) -> dict[str, Any]:
    """Run one side, and tell all that can be seen of it."""
    root, context, log = case.subject.make_run(case.subject.schema, case.document, case.seed, case.trouble)
    seen: dict[str, Any] = {}
    before = asyncio.all_tasks()
    try:
        result = run(root, context)
        seen["awaited"] = not isinstance(result, ExecutionResult)
        if seen["awaited"]:
            result = await result
        seen["json"] = json.dumps(result.formatted, default=repr)
        seen["originals"] = [repr(error.original_error) for error in result.errors or ()]
        seen["nodes"] = [
            [node.loc and node.loc.start for node in error.nodes or ()] for error in result.errors or ()
        ]
    except Exception as error:  # noqa: BLE001 - what is raised is compared as well
        seen["raised"] = repr(error)
    seen["log"] = list(log)
    # what was abandoned in the background ends before the next case begins
    await asyncio.gather(*(asyncio.all_tasks() - before), return_exceptions=True)
    seen["log of all that was begun"] = list(log)
    return {name: without_addresses(value) for name, value in seen.items()}


def without_addresses(value: Any) -> Any:
    """Blank out where in memory something stood."""
    if isinstance(value, str):
        return re.sub(r"0x[0-9a-f]+", "0x", value)
    return [without_addresses(item) for item in value] if isinstance(value, list) else value


async def differences(case: Case) -> dict[str, tuple[Any, Any]]:
    """Compare both sides; empty where they are alike. Cases that are not covered are alike."""
    if case.compiled is None:
        return {}
    compiled = case.compiled
    ours = await outcome(case, lambda root, context: compiled.execute(root, context, case.variables))
    theirs = await outcome(case, lambda root, context: on_core(case, root, context))
    return {
        name: (ours.get(name), theirs.get(name))
        for name in {*ours, *theirs}
        if ours.get(name) != theirs.get(name)
    }


def on_core(case: Case, root: Any, context: Any) -> Any:
    return execute(
        case.subject.schema,
        case.document,
        root,
        context,
        case.variables,
        executor_class=StrawberryGraphQLCoreExecutionContext,
    )


def report(case: Case, found: dict[str, tuple[Any, Any]]) -> str:
    lines = [
        f"{case.subject.name}, seed {case.seed}, trouble {case.trouble}",
        case.text,
        f"variables: {json.dumps(case.variables)}",
    ]
    for name, (ours, theirs) in sorted(found.items()):
        lines += [f"{name}:", f"  compiled     {ours}", f"  graphql-core {theirs}"]
    return "\n".join(lines)


async def hunt(
    count: int, seed: str, subjects: list[Subject], *, most: int = 1, seconds: float = float("inf")
) -> tuple[list[str], Counter[str]]:
    """Run that many cases, or as many as there is time for.

    Gives the reports of the first cases that differ, and how many were compared and were not covered.
    """
    streams = [cases(subject, seed) for subject in subjects]
    found: list[str] = []
    figures: Counter[str] = Counter()
    begun = time.monotonic()
    for number in range(count):
        if time.monotonic() - begun > seconds:
            break
        case = next(streams[number // RUNS_OF_AN_OPERATION % len(streams)])
        figures["not covered" if case.compiled is None else "compared"] += 1
        differing = await differences(case)
        if differing:
            found.append(report(case, differing))
            if len(found) >= most:
                break
        if sys.stderr.isatty() and number % 500 == 0:
            rate = (number + 1) / (time.monotonic() - begun)
            print(f"\r{number:>7} of {count}, {rate:.0f} a second", end="", file=sys.stderr)
    return found, figures


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--seed", default="1")
    parser.add_argument("--subject", choices=[subject.name for subject in SUBJECTS])
    parser.add_argument("--most", type=int, default=3, help="stop after this many differences")
    options = parser.parse_args()
    subjects = [subject for subject in SUBJECTS if options.subject in (None, subject.name)]
    begun = time.monotonic()
    found, figures = asyncio.run(hunt(options.cases, options.seed, subjects, most=options.most))
    for text in found:
        print(text, end="\n\n")
    print(f"{len(found)} differences; {dict(figures)}; {time.monotonic() - begun:.0f} s")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
