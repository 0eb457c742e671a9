"""The fast reading of JSON agrees with a slow one that says every rule in full."""

import json
from time import thread_time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from graphql_api.web.body import MAX_NUMBER_LENGTH, MalformedJson, read_json

MAX_DEPTH = 6
MAX_VALUES = 40


class Refused(Exception):
    pass


def read_slowly(data: bytes) -> object:  # noqa: C901 - every rule in full, in one place
    """Read JSON by Python's own parser, and apply each rule one after the other."""

    def unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
        if len({name for name, _ in pairs}) != len(pairs):
            raise Refused
        return dict(pairs)

    def number(digits: str) -> float:
        if len(digits) > MAX_NUMBER_LENGTH or float(digits) in {float("inf"), float("-inf")}:
            raise Refused
        return float(digits)

    def integer(digits: str) -> int:
        number(digits)
        return int(digits)

    def refuse(_: str) -> None:
        raise Refused

    def check(value: object, depth: int) -> int:
        if not isinstance(value, (dict, list)):
            if isinstance(value, str):
                value.encode()
            return 0
        if depth > MAX_DEPTH:
            raise Refused
        items = [*value, *value.values()] if isinstance(value, dict) else value
        return len(value) + sum(check(item, depth + 1) for item in items)

    try:
        value = json.loads(
            data.decode(),
            object_pairs_hook=unique,
            parse_int=integer,
            parse_float=number,
            parse_constant=refuse,
        )
        if check(value, 1) > MAX_VALUES:
            raise Refused
    except (ValueError, RecursionError):
        raise Refused from None
    return value


def agree(data: bytes) -> None:
    try:
        expected = read_slowly(data)
    except Refused:
        with pytest.raises(MalformedJson):
            read_json(data, max_depth=MAX_DEPTH, max_values=MAX_VALUES)
    else:
        assert read_json(data, max_depth=MAX_DEPTH, max_values=MAX_VALUES) == expected


scalars = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=3), inner), max_leaves=25
)


@given(values, st.booleans(), st.booleans())
@settings(max_examples=100)
def test_whatever_clients_write_is_read_alike(value: object, spaced: bool, ascii_only: bool) -> None:
    text = json.dumps(value, separators=None if spaced else (",", ":"), ensure_ascii=ascii_only)
    agree(text.encode("utf-8", "surrogatepass"))


FRAGMENTS = [
    *'{}[],:" \\',
    "1",
    "-",
    "0",
    ".",
    "e9",
    "1e400",
    '"a"',
    '"b"',
    "null",
    "true",
    "NaN",
    "Infinity",
]
FRAGMENTS += [
    '"a":1',
    '"a":{"a":2}',
    "\\ud800",
    "\\udc00",
    "\\u0000",
    "\xe9",
    "9" * 63,
    "9" * 65,
    "\ufeff",
    "\x00",
]


@given(st.lists(st.sampled_from(FRAGMENTS), max_size=14).map("".join))
@settings(max_examples=400)
@example('{"a":1,"a":1}')
@example('{"a":{"b":1,"b":2}}')
@example('{"a":1,"\\u0061":2}')
@example('{"a":[[[[[[[[]]]]]]]],"a":1}')
@example('["\\ud800"]')
@example('["\\ud83d\\ude00"]')
@example("[" * 7 + "]" * 7)
@example("[1e400]")
@example("[NaN]")
@example("[-0]")
@example("[1.0e2]")
@example("[" + "0," * 41 + "0]")
@example("\ufeff{}")
def test_whatever_else_comes_is_judged_alike(text: str) -> None:
    agree(text.encode())


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff",
        b'"\xc3',
        b'{"a":"\xed\xa0\x80"}',
        b"[" * 100_000,
        b"[" * 100_000 + b"]" * 100_000,
        b"9" * 5000,
    ],
    ids=["empty", "no UTF-8", "cut", "surrogate", "open", "deep", "digits"],
)
def test_hostile_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(MalformedJson):
        read_json(data, max_depth=MAX_DEPTH, max_values=MAX_VALUES)


def test_hostile_bytes_are_read_in_linear_time() -> None:
    size = 500_000
    for data in (b'"' + b'\\"' * size, b'"\\' * size, b'"' * size, b"[]," * size, b"\\" * size):
        started = thread_time()
        with pytest.raises(MalformedJson):
            read_json(data, max_depth=MAX_DEPTH, max_values=MAX_VALUES)
        assert thread_time() - started < 0.5


@pytest.mark.parametrize(
    ("data", "values", "depth"),
    [
        (b"[" + b"0," * 99 + b"0]", 100, 1),
        (b"[" + b"[]," * 99 + b"{}]", 100, 2),
        (b"[[0]," + b"0," * 97 + b"0]", 100, 2),
        (b'{"a":{"b":[0,"[[{,"]}}', 4, 3),
        (b"[" * 30 + b"]" * 30, 29, 30),
    ],
    ids=["flat", "empty containers", "one inside", "objects", "deep"],
)
def test_the_bounds_are_exact(data: bytes, values: int, depth: int) -> None:
    assert read_json(data, max_depth=depth, max_values=values) == json.loads(data)
    with pytest.raises(MalformedJson):
        read_json(data, max_depth=depth - 1, max_values=values)
    with pytest.raises(MalformedJson):
        read_json(data, max_depth=depth, max_values=values - 1)


def test_a_large_text_is_read_for_what_it_says() -> None:
    value = {"a": ['","' * 30_000, "\\" * 30_001, "[" * 30_000]}
    assert read_json(json.dumps(value).encode(), max_depth=MAX_DEPTH, max_values=MAX_VALUES) == value


@given(st.binary(max_size=40))
def test_any_bytes_are_judged_alike(data: bytes) -> None:
    agree(data)
