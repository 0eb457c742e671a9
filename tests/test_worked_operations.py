"""The pages of worked operations, `docs/operations*.md`, do what they say: each is run from top to bottom.

A page is prose, and between it steps. A step is two or three blocks, one right after another:

    <!-- as: nora -->            who sends it, if it is somebody else than before; all of them are registered before
    ```graphql                   the operation
    ```json                      its variables
    ```json                      the answer; without one, any answer without errors will do

`{{name}}` in variables is a value that is known. In an answer it is one that becomes known there (or, when
it is known already, the one that must stand there); a text that ends with an ellipsis begins like this.
Known from the start are `{{password}}` and of everybody who sends something `{{nora.id}}` and `{{nora.email}}`.
`{{nora.verification}}`, `{{nora.reset}}` and `{{nora.change}}` are the codes that she was mailed, the last one
to `{{nora.newEmail}}`. Whoever is "nobody" sends no
bearer token. A subscription is validated, and not run.
"""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from graphql import build_schema, parse, validate

from graphql_api.schema import schema_text
from graphql_api.settings import MetaMode, Settings
from tests.api import Api
from tests.canaries import PASSWORD
from tests.conftest import make_settings
from tests.mails import Mailbox

ROOT = Path(__file__).parent.parent
PAGES = sorted(ROOT.glob("docs/operations*.md"))
_BLOCK = re.compile(r"<!-- as: (\w+) -->|^```(graphql|json)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_MAILED = {
    "verification": "Verify your e-mail address",
    "reset": "Choose a new password",
    "change": "Confirm your new e-mail address",
}
_PLACEHOLDER = re.compile(r"\{\{([\w.]+)\}\}")


@dataclass(slots=True)
class Step:
    """One operation of a page, by whom, and what the page shows of it."""

    by: str
    operation: str
    variables: str
    answer: Any = None


def steps_of(text: str) -> list[Step]:
    """The steps of a page, in its order."""
    steps: list[Step] = []
    by, end, blocks = "", 0, 0
    for found in _BLOCK.finditer(text):
        person, language, content = found.groups()
        follows = not text[end : found.start()].strip()
        end = found.end()
        if person:
            by = person
        elif language == "graphql":
            steps.append(Step(by, content, ""))
            blocks = 1
        elif follows and blocks == 1:
            steps[-1].variables, blocks = content, 2
        elif follows and blocks == 2:
            steps[-1].answer, blocks = json.loads(content), 3
        else:
            blocks = 0
    return steps


async def read_mails(step: Step, known: dict[str, str], mailbox: Mailbox) -> None:
    """Make known the codes that a step is sent with, once their mails are there."""
    for name in _PLACEHOLDER.findall(step.variables):
        person, _, what = name.partition(".")
        if what in _MAILED and name not in known:
            to = known[f"{person}.{'newEmail' if what == 'change' else 'email'}"]
            known[name] = (await mailbox.wait(to, _MAILED[what])).code


def filled(value: Any, known: dict[str, str]) -> Any:
    """The value with what is known in the place of placeholders."""
    if isinstance(value, dict):
        return {name: filled(one, known) for name, one in value.items()}
    if isinstance(value, list):
        return [filled(one, known) for one in value]
    if isinstance(value, str):
        return _PLACEHOLDER.sub(lambda found: known[found[1]], value)
    return value


def compared(shown: Any, real: Any, known: dict[str, str]) -> Any:
    """The real answer as the page would show it; what stands where a new placeholder does becomes known."""
    if isinstance(shown, dict) and isinstance(real, dict):
        return {name: compared(shown.get(name), value, known) for name, value in real.items()}
    if isinstance(shown, list) and isinstance(real, list) and len(shown) == len(real):
        return [compared(*pair, known) for pair in zip(shown, real, strict=True)]
    if isinstance(shown, str) and isinstance(real, str):
        placeholder = _PLACEHOLDER.fullmatch(shown)
        if placeholder and known.setdefault(placeholder[1], real) == real:
            return shown
        if shown.endswith("…") and real.startswith(shown[:-1]):
            return shown
        return shown if _PLACEHOLDER.search(shown) and real == filled(shown, known) else real
    return real


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    """As `make run` has it: the pages use test tokens."""
    return make_settings(database_url, meta_mode=MetaMode.SANDBOX, mail_outbox=tmp_path / "outbox")


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
async def test_a_page_of_operations_answers_what_it_shows(api: Api, mailbox: Mailbox, page: Path) -> None:
    steps = steps_of(page.read_text(encoding="utf-8"))
    names = dict.fromkeys(step.by for step in steps if step.by != "nobody")
    people = {name: await api.register(name) for name in names}
    known = {"password": PASSWORD}
    for name, person in people.items():
        known |= {f"{name}.id": person.id, f"{name}.email": person.email}
    assert steps, "a page of operations has operations"
    for step in steps:
        if step.operation.lstrip().startswith("subscription"):
            assert validate(build_schema(schema_text()), parse(step.operation)) == []
            continue
        await read_mails(step, known, mailbox)
        variables = filled(json.loads(step.variables or "{}"), known)
        token = people[step.by].token if step.by in people else None
        response = await api.post(step.operation, variables, token=token)
        if step.answer is None:
            assert "errors" not in response.json(), response.text
        else:
            assert compared(step.answer, response.json(), known) == step.answer


def test_a_step_is_made_of_blocks_that_follow_each_other() -> None:
    page = (
        '# Page\n<!-- as: nora -->\n```graphql\nquery A { a }\n```\n\n```json\n{}\n```\n```json\n{"data": 1}\n```\n'
        'words\n```json\n{"no": "variables"}\n```\n```graphql\nquery B { b }\n```\n'
    )
    assert steps_of(page) == [
        Step("nora", "query A { a }\n", "{}\n", {"data": 1}),
        Step("nora", "query B { b }\n", ""),
    ]


def test_an_answer_that_differs_is_noticed_and_placeholders_become_known() -> None:
    known = {"id": "1"}
    shown = {"id": "{{id}}", "new": "{{new}}", "long": "begins…"}
    assert compared(shown, {"id": "1", "new": "2", "long": "begins and ends"}, known) == shown
    assert known == {"id": "1", "new": "2"}
    assert compared(shown, {"id": "3", "new": "2", "long": "begins"}, known) != shown
