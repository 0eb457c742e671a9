"""Turns what came over the wire into an `OperationRequest`: a JSON object, or a query string."""

from collections.abc import Mapping
from urllib.parse import parse_qsl

from graphql_api.execution.engine import OperationRequest

from .body import MalformedJson, read_json
from .options import Options

MAX_PARAMETERS = 20
KINDS: Mapping[str, type] = {
    "query": str,
    "operationName": str,
    "variables": dict,
    "extensions": dict,
    "documentId": str,
}


class MalformedRequest(Exception):
    """The parameters of a request are missing or of the wrong kind."""


def from_json(value: object) -> OperationRequest:
    """Return the request of a JSON object. Members that GraphQL over HTTP does not define are ignored."""
    if not isinstance(value, dict):
        if isinstance(value, list):
            raise MalformedRequest("One operation a request: batches are not supported")
        raise MalformedRequest("The request must be a JSON object")
    for name, parameter in value.items():
        kind = KINDS.get(name)
        if kind is not None and parameter is not None and not isinstance(parameter, kind):
            raise MalformedRequest(f"{name} must be {'a string' if kind is str else 'an object'}")
    query = value.get("query")
    document_id = value.get("documentId")
    extensions = value.get("extensions") or {}
    if query is None and document_id is None and "persistedQuery" not in extensions:
        raise MalformedRequest("The request must have a query or a documentId")
    return OperationRequest(
        query, value.get("operationName") or None, value.get("variables") or {}, extensions, document_id
    )


def from_query_string(query_string: bytes, options: Options) -> OperationRequest:
    """Return the request of a GET; `variables` and `extensions` are JSON within it."""
    try:
        pairs = parse_qsl(
            query_string.decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=MAX_PARAMETERS,
        )
    except ValueError:
        raise MalformedRequest("The query string is not readable") from None
    parameters: dict[str, object] = {}
    for name, text in pairs:
        if name not in KINDS:
            continue
        if name in parameters:
            raise MalformedRequest(f"{name} appears twice")
        if name in {"variables", "extensions"}:
            parameters[name] = _json_within(name, text, options) if text else None
        else:
            parameters[name] = text
    return from_json(parameters)


def _json_within(name: str, text: str, options: Options) -> object:
    try:
        return read_json(text.encode(), max_depth=options.max_json_depth, max_values=options.max_json_values)
    except (MalformedJson, UnicodeEncodeError):
        raise MalformedRequest(f"{name} is not valid JSON") from None
