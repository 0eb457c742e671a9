"""The documentation is whole: what users meet has a heading, and every link leads somewhere."""

import ast
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from graphql import GraphQLInterfaceType, build_schema, parse, validate

from graphql_api.cli import cli
from graphql_api.schema import schema_text
from graphql_api.settings import Settings

ROOT = Path(__file__).parent.parent
PAGES = sorted(
    path for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")] if not path.name.startswith(".")
)
FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def headings(path: Path) -> list[str]:
    """The headings of a page, without the marks of code."""
    found = re.findall(r"^#{1,6} (.+)$", FENCE.sub("", text_of(path)), re.MULTILINE)
    return [heading.replace("`", "") for heading in found]


def anchors(path: Path) -> set[str]:
    """The names by which a page's headings are linked to."""
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings(path)}


def commands() -> list[str]:
    """Every command of the command line, with its group before it."""

    def walk(members: Mapping[str, Any], before: str) -> list[str]:
        found = []
        for name, command in members.items():
            inner = getattr(command, "commands", None)
            found += walk(inner, f"{before}{name} ") if inner else [f"{before}{name}"]
        return found

    return walk(cli.commands, "")


def make_targets() -> list[str]:
    """The make targets that `make help` lists."""
    return re.findall(r"^([a-z-]+):.*## ", text_of(ROOT / "Makefile"), re.MULTILINE)


def error_types() -> list[str]:
    schema = build_schema(schema_text())
    field_error = schema.type_map["FieldError"]
    assert isinstance(field_error, GraphQLInterfaceType)
    return sorted(item.name for item in schema.get_possible_types(field_error))


def codes() -> list[str]:
    """Every `extensions.code`: read from where the code writes one."""
    found: set[str] = set()
    for path in sorted((ROOT / "graphql_api").rglob("*.py")):
        room = path.relative_to(ROOT / "graphql_api").parts[0]
        for node in ast.walk(ast.parse(text_of(path))):
            match node:
                case ast.Assign(targets=[ast.Name()], value=ast.Constant(value=str(value))) if (
                    room == "execution" or path.name in {"faults.py", "responses.py"}
                ):
                    found.add(value)
                case ast.Call(func=ast.Name(id="refusal" | "HttpRefusal" | "located"), args=arguments):
                    found |= {str(item.value) for item in arguments if isinstance(item, ast.Constant)}
                case _:
                    pass
    return sorted(
        value for value in found if re.fullmatch(r"[A-Z]+(_[A-Z]+)+|FORBIDDEN|UNAUTHENTICATED", value)
    )


@pytest.mark.parametrize("name", Settings.model_fields)
def test_a_setting_has_a_heading(name: str) -> None:
    assert name.upper() in headings(ROOT / "docs/settings.md")


def test_no_setting_is_documented_that_is_gone() -> None:
    documented = set(headings(ROOT / "docs/settings.md")) - {"Settings"}
    assert documented == {name.upper() for name in Settings.model_fields}


@pytest.mark.parametrize("command", commands())
def test_a_command_has_a_heading(command: str) -> None:
    assert f"python -m graphql_api {command}" in headings(ROOT / "docs/commands.md")


@pytest.mark.parametrize("target", make_targets())
def test_a_make_target_has_a_heading(target: str) -> None:
    assert f"make {target}" in headings(ROOT / "docs/commands.md")


@pytest.mark.parametrize("name", error_types())
def test_an_error_type_has_a_heading(name: str) -> None:
    assert name in headings(ROOT / "docs/errors.md")


@pytest.mark.parametrize("code", codes())
def test_a_code_has_a_heading(code: str) -> None:
    assert code in headings(ROOT / "docs/errors.md")


def test_no_code_is_documented_that_is_gone() -> None:
    documented = {heading for heading in headings(ROOT / "docs/errors.md") if heading.isupper()}
    assert documented == set(codes())


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    broken = []
    for link in re.findall(r"\]\(([^)\s]+)\)", FENCE.sub("", text_of(page))):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert broken == []


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_page_names_a_place_on_a_machine(page: Path) -> None:
    assert (
        re.findall(r"(?<![\w.:])/(?:home|root|work|tmp|Users|mnt|opt)/\S*|[A-Z]:\\\S+", text_of(page)) == []
    )


@pytest.mark.parametrize("page", ["clients.md", "asking-for-access.md", "checking.md", "nicknames.md"])
def test_the_sample_operations_are_valid(page: str) -> None:
    blocks = re.findall(r"^```graphql\n(.*?)^```$", text_of(ROOT / "docs" / page), re.MULTILINE | re.DOTALL)
    assert validate(build_schema(schema_text()), parse("\n".join(blocks))) == []


@pytest.mark.parametrize("page", sorted(ROOT.glob("docs/*.md")), ids=lambda path: path.name)
def test_every_page_is_reached_from_the_index(page: Path) -> None:
    if page.name != "index.md":
        assert f"({page.name})" in text_of(ROOT / "docs/index.md")


@pytest.mark.parametrize("page", sorted(ROOT.glob("docs/decisions/*.md")), ids=lambda path: path.name)
def test_a_decision_is_half_a_page_in_three_parts(page: Path) -> None:
    assert headings(page)[1:] == ["Context", "Decision", "Consequences"]
    assert len(text_of(page).splitlines()) <= 30
    assert f"(decisions/{page.name})" in text_of(ROOT / "docs/index.md")


def named_in_the_architecture() -> list[str]:
    """The functions that the page about the architecture names, each after its file."""
    text = text_of(ROOT / "docs" / "architecture.md")
    return sorted(set(re.findall(r"`([\w/]+\.py:[\w.]+)`", text)))


@pytest.mark.parametrize("named", named_in_the_architecture())
def test_what_the_architecture_names_is_there(named: str) -> None:
    file, _, name = named.partition(":")
    tree = ast.parse(text_of(ROOT / "graphql_api" / file))
    for part in name.split("."):
        found = [
            node
            for node in tree.body
            if getattr(node, "name", None) == part
            or (isinstance(node, ast.Assign | ast.AnnAssign) and part in ast.unparse(node).partition("=")[0])
        ]
        assert found, f"there is no {name} in {file}"
        tree = ast.Module(getattr(found[0], "body", []), [])


def test_the_architecture_follows_a_connect_and_a_page_function_by_function() -> None:
    assert len(named_in_the_architecture()) >= 30
