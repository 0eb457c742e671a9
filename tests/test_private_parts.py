"""What we use of dependencies without their promise: each part is named here, and its dependency is pinned exactly.

A part is private if its name begins with an underscore, or if it is imported from below the packages that the
dependency documents. An update that takes one away fails here first, by its name. It is then time to read what
the update changed in the others.
"""

import ast
import functools
import importlib
import inspect
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
CODE = sorted((ROOT / "graphql_api").rglob("*.py"))

# Distribution: the package to import, and the parts of it that are documented. Of asyncpg we use only these; it is
# pinned for how it behaves when a connection breaks or is cancelled (tests/storage/test_pool.py).
DOCUMENTED = {
    "asyncpg": ("asyncpg", {"asyncpg"}),
    "graphql-core": ("graphql", {"graphql", "graphql.execution", "graphql.utilities", "graphql.validation"}),
    "sqlalchemy": (
        "sqlalchemy",
        {
            "sqlalchemy",
            "sqlalchemy.dialects",
            "sqlalchemy.dialects.postgresql",
            "sqlalchemy.exc",
            "sqlalchemy.ext.asyncio",
            "sqlalchemy.ext.compiler",
            "sqlalchemy.sql.compiler",
        },
    ),
    "strawberry-graphql": (
        "strawberry",
        {
            "strawberry",
            "strawberry.dataloader",
            "strawberry.schema.config",
            "strawberry.tools",
            "strawberry.types.info",
            "strawberry.types.scalar",
        },
    ),
    "uvicorn": ("uvicorn", {"uvicorn"}),
}

IMPORTED = {
    "graphql.execution.collect_fields": {
        "CollectedFields",
        "FieldDetails",
        "FragmentDetails",
        "collect_fields",
        "collect_subfields",
    },
    "graphql.execution.executor": {"invalid_return_type_error"},
    "graphql.execution.get_variable_signature": {"get_variable_signature"},
    "graphql.execution.values": {"VariableValues", "get_argument_values", "get_variable_values"},
    "graphql.pyutils": {
        "AwaitableOrValue",
        "Path",
        "Undefined",
        "gather_with_cancel",
        "inspect",
        "is_awaitable",
    },
    "graphql.pyutils.undefined": {"UndefinedType"},
    "graphql.type.scalars": {"GRAPHQL_MAX_INT", "GRAPHQL_MIN_INT"},
    "graphql.utilities.coerce_input_value": {"coerce_default_value", "coerce_input_literal"},
    "strawberry.execution": {"optimized_is_awaitable"},
    "strawberry.relay.types": {"GlobalID"},
    "strawberry.schema": {"Schema"},
    "strawberry.schema.schema": {"StrawberryGraphQLCoreExecutionContext"},
    "strawberry.schema.schema_converter": {"CustomGraphQLEnumType"},
    "strawberry.types.arguments": {"StrawberryArgument"},
    "strawberry.types.base": {
        "StrawberryList",
        "StrawberryMaybe",
        "StrawberryObjectDefinition",
        "StrawberryOptional",
    },
    "strawberry.types.cast": {"TYPE_CAST_ATTRIBUTE"},
    "strawberry.types.field": {"StrawberryField"},
    "strawberry.types.fields.resolver": {"Parameter", "Signature", "StrawberryResolver"},
    "strawberry.types.lazy_type": {"LazyType"},
    "uvicorn.protocols.http.flow_control": {"FlowControl"},
    "uvicorn.protocols.http.httptools_impl": {"HttpToolsProtocol", "RequestResponseCycle"},
    "uvicorn.protocols.utils": {"ClientDisconnected"},
    "uvicorn.protocols.websockets.websockets_sansio_impl": {"WebSocketsSansIOProtocol"},
}

# Members that we call, override or read, of a class of each dependency. Its source says what an instance gets.
MEMBERS = {
    "graphql.execution:Executor": {
        "build_resolve_info",
        "collected_errors",
        "complete_value",
        "ensure_valid_runtime_type",
        "execute_operation",
        "handle_field_error",
        "is_awaitable",
        "settle_in_background",
    },
    "sqlalchemy.sql.compiler:SQLCompiler": {"_bind_processors", "bind_names", "positiontup"},
    "strawberry:Info": {"_field", "_raw_info"},
    "strawberry:Schema": {"_schema", "execution_context_class"},
    "strawberry.types.field:StrawberryField": {
        "base_resolver",
        "default_resolver",
        "extensions",
        "is_basic_field",
        "is_subscription",
        "python_name",
        "resolve_type",
    },
    "strawberry.types.fields.resolver:StrawberryResolver": {"wrapped_func"},
    "uvicorn.protocols.http.flow_control:FlowControl": {"pause_reading", "resume_reading"},
    "uvicorn.protocols.http.httptools_impl:HttpToolsProtocol": {
        "_start_asgi_task",
        "_unset_keepalive_if_required",
        "client",
        "connection_lost",
        "connection_made",
        "cycle",
        "data_received",
        "flow",
        "handle_websocket_upgrade",
        "on_body",
        "on_headers_complete",
        "on_message_begin",
        "on_message_complete",
        "on_response_complete",
        "pipeline",
        "scope",
        "send_400_response",
        "timeout_keep_alive_task",
        "transport",
    },
    "uvicorn.protocols.http.httptools_impl:RequestResponseCycle": {
        "disconnected",
        "keep_alive",
        "message_event",
        "response_complete",
    },
    "uvicorn.protocols.websockets.websockets_sansio_impl:WebSocketsSansIOProtocol": {
        "close_sent",
        "close_timeout",
        "conn",
        "connection_lost",
        "data_received",
        "handle_cont",
        "handle_ping",
        "handle_pong",
        "handshake_complete",
        "handshake_initiated",
        "logger",
        "loop",
        "queue",
        "read_paused",
        "receive",
        "resume_writing",
        "send",
        "send_receive_event_to_app",
        "shutdown",
        "stop_keepalive",
        "transport",
        "writable",
    },
    "uvicorn:Server": {"force_exit", "server_state", "shutdown"},
}

# What generated code recognizes by its name in the source of a module.
NAMED = {
    "strawberry.schema.schema_converter": {
        "_async_resolver",
        "_get_basic_result",
        "_resolver",
        "field_exception_handlers",
        "strawberry-definition",
    },
    "strawberry.types.base": {"__strawberry_definition__"},
    "strawberry.types.union": {"get_type_resolver"},
}


@functools.cache
def sources(cls: type) -> str:
    """The source of a class and of what it inherits from, as far as it is Python."""
    return "".join(inspect.getsource(one) for one in cls.__mro__ if one.__module__ != "builtins")


def imported() -> dict[str, set[str]]:
    """Every import from a module that is not documented."""
    found: dict[str, set[str]] = {}
    for path in CODE:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module:
                for package, documented in DOCUMENTED.values():
                    if node.module.split(".")[0] == package and node.module not in documented:
                        found.setdefault(node.module, set()).update(name.name for name in node.names)
    return found


def test_every_private_import_is_named_here() -> None:
    assert imported() == IMPORTED


def test_every_underscore_that_the_linter_lets_pass_is_named_here() -> None:
    """The linter refuses a name with an underscore of somebody else's, unless a comment lets it pass."""
    found = set()
    for path in CODE:
        for line in path.read_text(encoding="utf-8").splitlines():
            if "noqa: SLF001" in line:
                found |= set(re.findall(r"\.(_[a-z]\w*)", line.partition("#")[0]))
    assert found == {"_bind_processors", "_raw_info", "_schema"}
    assert found <= set().union(*MEMBERS.values())


@pytest.mark.parametrize(
    ("module", "name"), [(module, name) for module in IMPORTED for name in sorted(IMPORTED[module])]
)
def test_an_imported_part_is_there(module: str, name: str) -> None:
    assert hasattr(importlib.import_module(module), name)


@pytest.mark.parametrize(
    ("owner", "name"), [(owner, name) for owner in MEMBERS for name in sorted(MEMBERS[owner])]
)
def test_a_member_is_there(owner: str, name: str) -> None:
    module, _, kind = owner.partition(":")
    cls: Any = getattr(importlib.import_module(module), kind)
    assert hasattr(cls, name) or re.search(rf"\bself\.{name}\b|^    {name}:", sources(cls), re.MULTILINE)


@pytest.mark.parametrize(
    ("module", "name"), [(module, name) for module in NAMED for name in sorted(NAMED[module])]
)
def test_a_name_that_generated_code_looks_for_is_there(module: str, name: str) -> None:
    source = inspect.getsource(importlib.import_module(module))
    assert re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", source)


@pytest.mark.parametrize("distribution", DOCUMENTED)
def test_what_has_a_private_part_that_we_use_is_pinned_exactly(distribution: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    pins = {re.split(r"[\[=<>~;]", line)[0]: line.partition("==")[2] for line in project["dependencies"]}
    locked = re.findall(
        rf"^{distribution}==(\S+)", (ROOT / "requirements.txt").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert [pins[distribution]] == locked
