# ruff: noqa: SLF001, T201 - Strawberry keeps its schema in a private attribute; a command prints
"""graphql-core is the oracle: random operations run on it and on the compiled code, and must answer alike.

    python -m tests.execution.compiled.oracle --cases 100000 --seed 1 --write docs/compiled.md

Alike means the same JSON text: data, nulls, the order of keys and of errors, their messages, paths, locations
and extensions. It also means the same resolver calls with the same arguments in the same order, the same
batches, the same original errors, and a result without awaiting exactly where graphql-core has one.

Three schemas take part: one of the usual shapes and one made to be nasty, over a made-up world full of trouble,
and our own, over its services and a filled database that fails now and then.
"""

import argparse
import asyncio
import json
import logging
import random
import re
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from graphql import (
    DocumentNode,
    ExecutionResult,
    FieldNode,
    GraphQLSchema,
    OperationDefinitionNode,
    Visitor,
    visit,
)

from graphql_api.execution.compiled import CompiledOperation, compile_operation
from tests.execution.compiled import nasty, social
from tests.execution.compiled.both import on_core
from tests.execution.compiled.cases import valid_operation
from tests.execution.compiled.ours import our_subject
from tests.execution.compiled.subject import Subject
from tests.execution.compiled.world import World

RUNS_OF_AN_OPERATION = 6


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


MADE_UP = {
    "social": Subject("social", social.schema._schema, in_world),
    "nasty": Subject("nasty", nasty.schema._schema, in_world),
}
NAMES = (*MADE_UP, "ours")


@asynccontextmanager
async def subject_of(name: str) -> AsyncIterator[Subject]:
    """Give a subject by name; our own schema comes with a database for the time being."""
    if name in MADE_UP:
        yield MADE_UP[name]
        return
    with tempfile.TemporaryDirectory() as directory:
        async with our_subject(Path(directory)) as subject:
            yield subject


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
        generator, text, document = valid_operation(subject.schema, chance, subject.scalars)
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
    except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - what is raised is compared as well
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

    def on_either(root: Any, context: Any) -> Any:
        begun = compiled.begin(root, context, case.variables)
        return theirs_of(root, context) if begun is None else begun

    def theirs_of(root: Any, context: Any) -> Any:
        return on_core(case.subject.schema, case.document, root, context, case.variables)

    ours = await outcome(case, on_either)
    theirs = await outcome(case, theirs_of)
    return {
        name: (ours.get(name), theirs.get(name))
        for name in {*ours, *theirs}
        if ours.get(name) != theirs.get(name)
    }


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


async def hunt_through(options: argparse.Namespace) -> int:
    """Hunt on each subject in turn; tells how many differences there were."""
    names = [name for name in NAMES if options.subject in (None, name)]
    rows: list[str] = []
    differing = 0
    for name in names:
        begun = time.monotonic()
        async with subject_of(name) as subject:
            found, figures = await hunt(
                options.cases // len(names), options.seed, [subject], most=options.most
            )
        for text in found:
            print(text, end="\n\n")
        differing += len(found)
        row = (name, figures["compared"], figures["not covered"], len(found), round(time.monotonic() - begun))
        rows.append(f"| {' | '.join(map(str, row))} |")
        print(rows[-1], flush=True)
    if options.write is not None:
        options.write.write_text(page(options, rows), encoding="utf-8")
    return differing


def page(options: argparse.Namespace, rows: list[str]) -> str:
    """Write the figures as a page of the documentation."""
    table = [
        "| schema | compared | not covered | differences | seconds |",
        "| --- | --- | --- | --- | --- |",
        *rows,
    ]
    return PAGE.format(
        table="\n".join(table), day=datetime.now(UTC).date(), seed=options.seed, cases=options.cases
    )


PAGE = """# Compiled operations against graphql-core

Written by `make oracle`. {cases} random operations with seed {seed}, on {day}, each run by graphql-core and as
[compiled code](decisions/0008-compiled-operations.md). Both must give the same JSON text (data, nulls, the order of
keys and errors, messages, paths, locations, extensions), call the same resolvers with the same arguments in the same
order, load the same batches, wrap the same exceptions, and await only where the other does.

{table}

`social` has the usual shapes: unions of results, interfaces, input objects, connections, batch loaders. `nasty` has
what a schema may have and ours does not. Both are run over a made-up world full of trouble: missing attributes, nulls,
values of the wrong class, exceptions raised and returned, awaitables where values are expected. `ours` is this
server's schema with its resolvers and services over a filled SQLite database that fails now and then. What is not
covered (input types and defaults that this server's schema does not have) runs on graphql-core.
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, default=100_000, help="of all schemas together")
    parser.add_argument("--seed", default="1")
    parser.add_argument("--subject", choices=NAMES)
    parser.add_argument("--most", type=int, default=3, help="stop after this many differences on a schema")
    parser.add_argument("--write", type=Path, help="the page to write the figures to")
    # what the made-up resolvers leave unawaited, on purpose
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    warnings.simplefilter("ignore", RuntimeWarning)
    return 1 if asyncio.run(hunt_through(parser.parse_args())) else 0


if __name__ == "__main__":
    sys.exit(main())
