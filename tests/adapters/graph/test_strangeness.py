"""Whatever JSON comes: the Graph client answers with values, and raises nothing."""

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphql_api.adapters.graph import answers
from graphql_api.adapters.graph.problems import Question, app_verdict, refusal_of, verdict
from graphql_api.domain.proofs import LongLived, PageFacts, TokenFacts, Trouble
from graphql_api.domain.secrets import Secret
from tests.adapters.graph.meta import error, page_data, token_data

NOW = datetime(2026, 11, 26, tzinfo=UTC)
NAMES = sorted(
    {*token_data(), *page_data(), *error(1)["error"], "data", "paging", "cursors", "after", "next", "error"}
    | {
        "expires_in",
        "is_transient",
        "error_user_msg",
        "error_subcode",
        "scope",
        "target_ids",
        "url",
        "username",
    }
)
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=10)
    | st.sampled_from(["1", "17841400000000001", "USER", "PAGE", "0", "https://a.example/x"])
)
anything = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=6),
    max_leaves=30,
)


def spoiled(good: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """A good object of which one field or more is something else."""
    return st.dictionaries(st.sampled_from(sorted(good)), anything, max_size=3).map(
        lambda bad: {**good, **bad}
    )


def read_all(answer: Any) -> None:
    """Read the answer as everything that it could be."""
    assert answers.read_json(orjson.dumps(answer)) == answer
    token = answers.read_token(answer, now=NOW)
    assert token is None or isinstance(token[0], TokenFacts | Trouble)
    assert isinstance(answers.read_long_lived(answer, now=NOW), LongLived | None)
    listed = answers.read_pages(answer)
    if listed is not None:
        pages, after = listed
        assert all(isinstance(page, PageFacts) for page in pages)
        assert after is None or after
    assert isinstance(answers.read_page(answer, page_id="1", access_token=Secret("x")), PageFacts | None)
    for status in (200, 400, 500):
        refusal = refusal_of(status, answer)
        assert isinstance(verdict(refusal, of_page=True), Trouble | Question)
        assert isinstance(app_verdict(refusal), Trouble | Question)


@given(anything)
def test_random_json_never_raises(answer: Any) -> None:
    read_all(answer)


@given(spoiled(token_data()))
def test_a_spoiled_token_never_raises(data: dict[str, Any]) -> None:
    read_all({"data": data})


@given(spoiled(page_data()), anything)
def test_a_spoiled_page_never_raises(page: dict[str, Any], paging: Any) -> None:
    read_all({"data": [page], "paging": paging})
    read_all(page)


@given(spoiled({**error(190, 463)["error"], "error_user_msg": "x", "is_transient": False}))
def test_a_spoiled_error_never_raises(spoiled_error: dict[str, Any]) -> None:
    read_all(spoiled_error)


@given(st.binary(max_size=50))
def test_random_bytes_never_raise(body: bytes) -> None:
    answers.read_json(body)


WRONG: list[tuple[str, Any]] = [
    ("app_id", 4242), ("app_id", ""), ("is_valid", None), ("is_valid", "true"), ("is_valid", 1),
    ("user_id", 777), ("user_id", "07"), ("profile_id", "x"), ("expires_at", "0"), ("expires_at", -1),
    ("expires_at", 1.5), ("expires_at", True), ("expires_at", 10**18), ("data_access_expires_at", []),
    ("scopes", "pages_show_list"), ("scopes", [1]), ("scopes", {"a": 1}), ("granular_scopes", [1]),
    ("granular_scopes", [{"scope": 1}]), ("granular_scopes", [{"scope": "a", "target_ids": "1"}]),
    ("granular_scopes", [{"scope": "a", "target_ids": [1]}]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value"), WRONG, ids=str)
def test_a_wrong_type_anywhere_makes_facts_of_a_token_unreadable(name: str, value: Any) -> None:
    assert answers.read_token({"data": token_data()}, now=NOW) is not None
    assert answers.read_token({"data": {**token_data(), name: value}}, now=NOW) is None


@pytest.mark.parametrize("value", ["5", -1, 1.5, True, 10**20, [], 10**12])
def test_a_wrong_lifetime_makes_an_exchanged_token_unreadable(value: Any) -> None:
    assert answers.read_long_lived({"access_token": "x", "expires_in": value}, now=NOW) is None


@pytest.mark.parametrize(
    "paging", [{"next": "x"}, {"next": "x", "cursors": []}, {"next": "x", "cursors": {"after": 7}}, 7, [1]]
)
def test_a_next_page_without_a_cursor_is_unreadable(paging: Any) -> None:
    assert answers.read_pages({"data": [], "paging": paging}) is None
    assert answers.read_pages({"data": []}) == ([], None)
