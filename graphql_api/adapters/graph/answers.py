"""What Meta says, as values of the domain.

Each function returns None if the answer has another shape than Meta promises. Nothing here raises, whatever
the JSON. An odd name or picture does not spoil an answer: it becomes None, so the caller's own value stays.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import orjson

from graphql_api.adapters.graph.problems import (
    OTHER_APP,
    UNKNOWN_TOKEN,
    UNVERIFIABLE,
    Refusal,
    invalid_token,
    refusal_of,
    verdict,
)
from graphql_api.domain import inputs
from graphql_api.domain.inputs import MAX_ACCESS_TOKEN, Problems
from graphql_api.domain.proofs import (
    InstagramFacts,
    LongLived,
    PageFacts,
    TokenFacts,
    TokenKind,
    Trouble,
)
from graphql_api.domain.secrets import Secret

_META_ID = re.compile(r"[1-9][0-9]{0,19}")
_NO_TOKEN = Secret("")
_OK = 200

Value = TypeVar("Value")


class _Surprise(Exception):
    """An answer of another shape than Meta promises."""


def read_json(body: bytes | str) -> Any:
    """Parse an answer; None if it is not JSON."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return None


def read_token(answer: Any, *, now: datetime) -> tuple[TokenFacts | Trouble, Refusal | None] | None:
    """Read what debug_token says, with the refusal that it holds if the token is invalid."""
    try:
        return _token(_object(_object(answer).get("data")), now)
    except _Surprise:
        return None


def read_long_lived(answer: Any, *, now: datetime) -> LongLived | None:
    """Read an exchanged token; `now` is when it was asked for."""
    try:
        given = _object(answer)
        seconds = given.get("expires_in")
        ends_at = None if seconds is None else now + timedelta(seconds=_whole(seconds))
        return LongLived(_access_token(given.get("access_token")), ends_at)
    except (_Surprise, OverflowError):
        return None


def read_pages(answer: Any) -> tuple[list[PageFacts], str | None] | None:
    """Read Pages of a login, and the cursor after them if Meta has more."""
    try:
        given = _object(answer)
        pages = [_page(_object(one)) for one in _list(given.get("data"))]
        paging = _object(given.get("paging") or {})
        if paging.get("next") is None:
            return pages, None
        return pages, _text(_object(paging.get("cursors")).get("after"))
    except _Surprise:
        return None


def read_page(answer: Any, *, page_id: str, access_token: Secret) -> PageFacts | None:
    """Read the Page with this id, which was asked for with its own token."""
    try:
        given = _object(answer)
        return _facts(given, access_token, frozenset()) if given.get("id") == page_id else None
    except _Surprise:
        return None


def _token(data: dict[str, Any], now: datetime) -> tuple[TokenFacts | Trouble, Refusal | None]:
    valid = data.get("is_valid")
    if not isinstance(valid, bool):
        raise _Surprise
    refusal = None if valid else refusal_of(_OK, data.get("error"))
    if refusal is not None and data.get("app_id") is None:
        return _unknown_token(refusal), refusal
    ends_at, data_access_ends_at = _time(data.get("expires_at")), _time(data.get("data_access_expires_at"))
    trouble = (
        None if refusal is None else invalid_token(refusal, ends=(ends_at, data_access_ends_at), now=now)
    )
    kind = data.get("type")
    facts = TokenFacts(
        app_id=_text(data.get("app_id")),
        kind=TokenKind(kind) if kind in ("USER", "PAGE") else TokenKind.OTHER,
        user_id=_optional(_id, data.get("user_id")),
        page_id=_optional(_id, data.get("profile_id")),
        ends_at=ends_at,
        data_access_ends_at=data_access_ends_at,
        scopes=frozenset(map(_text, _list(data.get("scopes") or []))),
        targets=_targets(_list(data.get("granular_scopes") or [])),
        trouble=trouble,
    )
    return facts, refusal


def _unknown_token(refusal: Refusal) -> Trouble:
    """Why debug_token does not even name the app of a token."""
    if refusal.of_other_app:
        return OTHER_APP
    if refusal.code is None:
        return UNVERIFIABLE
    found = verdict(refusal, of_page=False)
    if isinstance(found, Trouble):
        return found
    return UNKNOWN_TOKEN if refusal.invalid_token else UNVERIFIABLE


def _targets(scopes: list[Any]) -> dict[str, frozenset[str]]:
    """By scope, the ids that it was granted for; a scope without ids was granted for all."""
    targets: dict[str, frozenset[str]] = {}
    for one in map(_object, scopes):
        scope, ids = _text(one.get("scope")), one.get("target_ids")
        if ids is not None:
            targets[scope] = targets.get(scope, frozenset()) | frozenset(map(_text, _list(ids)))
    return targets


def _page(given: dict[str, Any]) -> PageFacts:
    """A Page of a login. One without a token of its own is of no use to us, so it has no tasks."""
    token = given.get("access_token")
    if token is None:
        return _facts(given, _NO_TOKEN, frozenset())
    return _facts(given, _access_token(token), frozenset(map(_text, _list(given.get("tasks") or []))))


def _facts(given: dict[str, Any], access_token: Secret, tasks: frozenset[str]) -> PageFacts:
    return PageFacts(
        page_id=_id(given.get("id")),
        name=_acceptable(inputs.check_page_name, given.get("name")),
        profile_picture_url=_picture(given.get("picture")),
        tasks=tasks,
        access_token=access_token,
        instagram=_optional(_instagram, given.get("instagram_business_account")),
    )


def _instagram(value: Any) -> InstagramFacts:
    given = _object(value)
    return InstagramFacts(
        instagram_user_id=_id(given.get("id")),
        username=_acceptable(inputs.check_username, given.get("username")),
        profile_picture_url=_url(given.get("profile_picture_url")),
    )


def _picture(value: Any) -> str | None:
    data = value.get("data") if isinstance(value, dict) else None
    return _url(data.get("url")) if isinstance(data, dict) else None


def _url(value: Any) -> str | None:
    if not isinstance(value, str) or not value:
        return None
    problems = Problems()
    inputs.check_picture_url(problems, (), value)
    return None if problems else value


def _acceptable(check: Callable[[Problems, tuple[str, ...], str], str], value: Any) -> str | None:
    """A name in its normal form, if it keeps our own rules."""
    if not isinstance(value, str):
        return None
    problems = Problems()
    name = check(problems, (), value)
    return None if problems else name


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _Surprise
    return value


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise _Surprise
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise _Surprise
    return value


def _id(value: Any) -> str:
    if not isinstance(value, str) or not _META_ID.fullmatch(value):
        raise _Surprise
    return value


def _whole(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise _Surprise
    return value


def _time(value: Any) -> datetime | None:
    """Seconds since 1970; 0 means never, and so does an absent value."""
    if value is None or not _whole(value):
        return None
    try:
        return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):
        raise _Surprise from None


def _access_token(value: Any) -> Secret:
    """A token that we could hand back to Meta."""
    text = _text(value)
    if len(text) > MAX_ACCESS_TOKEN or not (text.isascii() and text.isprintable()):
        raise _Surprise
    return Secret(text)


def _optional(read: Callable[[Any], Value], value: Any) -> Value | None:
    return None if value is None else read(value)
