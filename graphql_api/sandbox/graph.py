"""The calls of the Graph API that the sandbox answers.

GET  /{version}/debug_token          what a token is
GET  /{version}/oauth/access_token   a long-lived token for a short-lived one
GET  /{version}/me                   who a token is of
GET  /{version}/me/accounts          the Pages of a user
GET  /{version}/{page id}            a Page
POST /{version}/                     up to 50 of these GET calls in one
"""

import asyncio
import base64
import binascii
import hmac
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode

import orjson

from . import refusals
from .fields import Unreadable, parse_fields, pick
from .people import Instagram, Page
from .refusals import Refusal, invalid_parameter, unsupported
from .tokens import Condition, Login, PageToken, Token, parse
from .validity import description_of, ends_of, may_read, why_refused
from .weather import Fault, Weather

LARGEST_PAGE = 100  # Pages in one answer of me/accounts
DEFAULT_PAGE = 25
LARGEST_BATCH = 50
SLOW_SECONDS = 3

_LOW_USAGE = {"call_count": 2, "total_cputime": 1, "total_time": 1}
_HIGH_USAGE = {"call_count": 96, "total_cputime": 40, "total_time": 55}
_REGAIN_MINUTES = 5
_HTML = (
    b"<!DOCTYPE html><html><head><title>Error</title></head><body>Sorry, something went wrong.</body></html>"
)

_VERSION = re.compile(r"/?v[0-9]+\.[0-9]+/", re.ASCII)  # a call in a batch may begin with it

_ME_FIELDS = "id,name"
_PAGE_FIELDS = "id,name"
_ACCOUNTS_FIELDS = "access_token,name,id,tasks"


@dataclass(frozen=True, slots=True)
class Call:
    """One call: its path has no version; `base` is the address up to and with the version."""

    method: str
    path: str
    parameters: Mapping[str, str]
    bearer: str = ""
    base: str = ""

    @property
    def access_token(self) -> str:
        """The token that the call is made with; empty if there is none."""
        return self.bearer or self.parameters.get("access_token", "")

    def subject(self) -> Token | None:
        """Return the test token that the call carries, in whatever place."""
        for text in (
            self.parameters.get("input_token", ""),
            self.parameters.get("fb_exchange_token", ""),
            self.access_token,
        ):
            token = parse(text) if text else None
            if token is not None:
                return token
        return None


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as HTTP has it; headers without those about its length."""

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...]


def query_of(text: str) -> dict[str, str]:
    """Return the parameters of a query or a form; of two with one name, the last one."""
    return dict(parse_qsl(text, keep_blank_values=True, errors="replace"))


class Graph:
    """The Graph API for one app. `clock` gives Unix seconds."""

    def __init__(
        self, *, app_id: str, app_secret: str, weather: Weather, clock: Callable[[], float] = time.time
    ) -> None:
        self._app_id = app_id
        self._app_secret = app_secret
        self._app_token = f"{app_id}|{app_secret}"
        self._weather = weather
        self._clock = clock

    async def answer(self, call: Call) -> Answer | None:
        """Return the answer to a call; None if there is to be none."""
        token = call.subject()
        condition = token.login.condition_at(self._clock()) if token else None
        if condition is Condition.SLOW:
            await asyncio.sleep(SLOW_SECONDS)
        if condition is Condition.DOWN:
            return faulty(self._weather.any_fault())
        if condition is Condition.LIMIT:
            return _answered(refusals.LIMITED, token, is_limited=True)
        return _answered(await self._result(call), token)

    async def _result(self, call: Call) -> Any:
        match call.method, call.path.strip("/").split("/"):
            case "GET", ["debug_token"]:
                return self._debug_token(call)
            case "GET", ["oauth", "access_token"]:
                return self._exchange(call)
            case "GET", ["me", "accounts"]:
                return self._accounts(call)
            case "GET", [node] if node:
                return self._node(call, node)
            case "POST", [""]:
                return await self._batch(call)
            case method, [node]:
                return unsupported(method, node)
            case _:
                return refusals.unknown_path(call.path)

    def _debug_token(self, call: Call) -> dict[str, Any] | Refusal:
        refusal = self._why_not_the_app(call)
        if refusal is not None:
            return refusal
        text = call.parameters.get("input_token", "")
        if not text:
            return invalid_parameter("The parameter input_token is required")
        token = parse(text)
        if token is None:
            error = {"code": refusals.MALFORMED.code, "message": refusals.MALFORMED.message}
            return {"data": {"error": error, "is_valid": False, "scopes": []}}
        return {"data": description_of(token, self._app_id, self._clock())}

    def _exchange(self, call: Call) -> dict[str, Any] | Refusal:
        parameters = call.parameters
        if parameters.get("grant_type") != "fb_exchange_token":
            return invalid_parameter("The sandbox takes the grant_type fb_exchange_token only")
        if parameters.get("client_id") != self._app_id:
            return refusals.UNKNOWN_APP
        if not _same(parameters.get("client_secret", ""), self._app_secret):
            return refusals.WRONG_CLIENT_SECRET
        text = parameters.get("fb_exchange_token", "")
        token, now = parse(text), self._clock()
        refusal = refusals.MALFORMED if token is None else why_refused(token, now)
        if token is None or refusal is not None:
            return refusal or refusals.MALFORMED
        answer = {"access_token": text, "token_type": "bearer"}
        if isinstance(token, PageToken):  # has no end
            return answer
        return {**answer, "expires_in": seconds_left(token, now)}

    def _node(self, call: Call, node: str) -> dict[str, Any] | Refusal:
        token = self._authenticated(call)
        if isinstance(token, Refusal):
            return token
        now, login = self._clock(), token.login
        if isinstance(token, PageToken) and node == "me":
            node = token.page_id
        if node == "me":
            fields = call.parameters.get("fields", _ME_FIELDS)
            return _picked({"id": login.person.facebook_id, "name": login.person.name}, fields, "User")
        page = login.person.pages.get(node)
        lost = login.condition_at(now) is Condition.NOROLE and login.person.is_first(node)
        if page is None or lost or (isinstance(token, PageToken) and node != token.page_id):
            return unsupported("GET", node)
        if not may_read(login, node, now):
            return refusals.NOT_PERMITTED
        return _picked(_seen(page, login, now), call.parameters.get("fields", _PAGE_FIELDS), "Page")

    def _accounts(self, call: Call) -> dict[str, Any] | Refusal:
        token = self._authenticated(call)
        if isinstance(token, Refusal):
            return token
        if isinstance(token, PageToken):
            return invalid_parameter("Tried accessing nonexisting field (accounts) on node type (Page)")
        limit = call.parameters.get("limit", str(DEFAULT_PAGE))
        if not (limit.isascii() and limit.isdigit() and 0 < len(limit) < 10 and int(limit)):  # noqa: PLR2004 (as Meta: a number of 32 bits)
            return invalid_parameter("Param limit must be a number greater than 0")
        pages = _pages_of(token, self._clock())
        start = _start(pages, call.parameters.get("after", ""))
        if start is None:
            return invalid_parameter("Invalid cursors values")
        shown = pages[start : start + min(int(limit), LARGEST_PAGE)]
        data = []
        for page in shown:
            seen = _seen(page, token, self._clock())
            seen |= {"tasks": page.tasks, "access_token": str(token.token_of(page))}
            item = _picked(seen, call.parameters.get("fields", _ACCOUNTS_FIELDS), "Page")
            if isinstance(item, Refusal):
                return item
            data.append(item)
        if not data:
            return {"data": []}
        paging: dict[str, Any] = {"cursors": {"before": _cursor(shown[0]), "after": _cursor(shown[-1])}}
        if start + len(shown) < len(pages):
            query = dict(call.parameters) | {
                "access_token": call.access_token, "limit": limit, "after": _cursor(shown[-1])
            }  # fmt: skip
            paging["next"] = f"{call.base}/me/accounts?{urlencode(query)}"
        return {"data": data, "paging": paging}

    async def _batch(self, call: Call) -> list[dict[str, Any] | None] | Refusal:
        refusal = self._why_not_the_app(call)
        if refusal is not None:
            return refusal
        try:
            items = orjson.loads(call.parameters.get("batch", ""))
        except orjson.JSONDecodeError:
            return refusals.BATCH_NO_LIST
        if not isinstance(items, list):
            return refusals.BATCH_NO_LIST
        if len(items) > LARGEST_BATCH:
            return refusals.BATCH_TOO_LONG
        with_headers = call.parameters.get("include_headers", "true") != "false"
        answers = await asyncio.gather(*(self._answer_item(item, call) for item in items))
        return [_item(answer, with_headers=with_headers) for answer in answers]

    async def _answer_item(self, item: object, batch: Call) -> Answer | None:
        match item:
            case {"method": "GET", "relative_url": str(url)}:
                path, _, query = url.partition("?")
                parameters = query_of(query)
                bearer = "" if "access_token" in parameters else batch.bearer
                return await self.answer(Call("GET", _without_version(path), parameters, bearer, batch.base))
            case _:
                return _answered(
                    invalid_parameter("The sandbox takes GET calls with a relative_url only"), None
                )

    def _authenticated(self, call: Call) -> Token | Refusal:
        """Return the token that the call is made with, or why the call is refused."""
        text = call.access_token
        if not text:
            return refusals.NO_TOKEN
        token = parse(text)
        if token is None:
            return refusals.MALFORMED
        return self._why_wrong_proof(call, text) or why_refused(token, self._clock()) or token

    def _why_not_the_app(self, call: Call) -> Refusal | None:
        """Return why this is not a call of the app itself."""
        text = call.access_token
        if not text:
            return refusals.NO_TOKEN
        app_id, bar, _ = text.partition("|")
        if not bar:
            return refusals.NOT_FOR_THE_APP if parse(text) else refusals.MALFORMED
        if app_id != self._app_id:
            return refusals.UNKNOWN_APP
        if not _same(text, self._app_token):
            return refusals.WRONG_SIGNATURE
        return self._why_wrong_proof(call, text)

    def _why_wrong_proof(self, call: Call, token: str) -> Refusal | None:
        proof = call.parameters.get("appsecret_proof")
        if proof is None:
            return refusals.NO_PROOF
        expected = hmac.digest(self._app_secret.encode(), token.encode(), "sha256").hex()
        return None if _same(proof, expected) else refusals.WRONG_PROOF


def seconds_left(login: Login, now: float) -> int:
    """Return how long a login's token still lasts."""
    return max(0, ends_of(login, now).expires_at - int(now))


def faulty(fault: Fault) -> Answer | None:
    """Return the answer with which a call goes wrong; None if there is to be none."""
    match fault:
        case Fault.FAIL:
            return _answered(refusals.BROKEN, None)
        case Fault.GARBLE:
            return Answer(200, _HTML, (("content-type", "text/html; charset=utf-8"), *_usage(None)))
        case Fault.HANG:
            return None


def refused(refusal: Refusal) -> Answer:
    """Return a refusal that is about no token."""
    return _answered(refusal, None)


def _answered(result: Any, token: Token | None, *, is_limited: bool = False) -> Answer:
    status, value = (result.status, result.envelope()) if isinstance(result, Refusal) else (200, result)
    headers = (("content-type", "application/json; charset=UTF-8"), *_usage(token, is_limited=is_limited))
    return Answer(status, orjson.dumps(value), headers)


def _usage(token: Token | None, *, is_limited: bool = False) -> tuple[tuple[str, str], ...]:
    """Return the headers about the use of the app's limits, and of the Page's if the token is a Page's."""
    used = _HIGH_USAGE if is_limited else _LOW_USAGE
    of_the_app = ("x-app-usage", orjson.dumps(used).decode())
    if not isinstance(token, PageToken):
        return (of_the_app,)
    regained = {"type": "pages", **used, "estimated_time_to_regain_access": _REGAIN_MINUTES * is_limited}
    return (of_the_app, ("x-business-use-case-usage", orjson.dumps({token.page_id: [regained]}).decode()))


def _without_version(path: str) -> str:
    found = _VERSION.match(path)
    return path[found.end() :] if found else path


def _item(answer: Answer | None, *, with_headers: bool) -> dict[str, Any] | None:
    """Return an answer as a batch shows it; None for one that did not come in time."""
    if answer is None:
        return None
    item: dict[str, Any] = {"code": answer.status, "body": answer.body.decode()}
    if with_headers:
        item["headers"] = [{"name": name, "value": value} for name, value in answer.headers]
    return item


def _picked(node: dict[str, Any], fields: str, kind: str) -> dict[str, Any] | Refusal:
    parsed = parse_fields(fields)
    return parsed.refusal() if isinstance(parsed, Unreadable) else pick(node, parsed, kind)


def _seen(page: Page, login: Login, now: float) -> dict[str, Any]:
    """Return a Page as this login sees it."""
    unlinked = login.condition_at(now) is Condition.UNLINKED and login.person.is_first(page.id)
    return {
        "id": page.id,
        "name": page.name,
        "picture": _picture(page.picture),
        "instagram_business_account": None if unlinked else _instagram(page.instagram),
    }


def _picture(url: str | None) -> dict[str, Any] | None:
    if url is None:
        return None
    return {"data": {"height": 200, "is_silhouette": False, "url": url, "width": 200}}


def _instagram(account: Instagram | None) -> dict[str, Any] | None:
    if account is None:
        return None
    return {"id": account.id, "username": account.username, "profile_picture_url": account.picture}


def _pages_of(login: Login, now: float) -> list[Page]:
    """Return the Pages that the user has a role on."""
    pages = list(login.person.pages.values())
    return pages[1:] if login.condition_at(now) is Condition.NOROLE else pages


def _cursor(page: Page) -> str:
    return base64.urlsafe_b64encode(page.id.encode()).decode().rstrip("=")


def _start(pages: list[Page], after: str) -> int | None:
    """Return where the pages after this cursor begin; None if there is no such cursor."""
    if not after:
        return 0
    try:
        page_id = base64.b64decode(after + "=" * (-len(after) % 4), altchars=b"-_", validate=True).decode(
            "ascii"
        )
    except (binascii.Error, ValueError):
        return None
    return next((place + 1 for place, page in enumerate(pages) if page.id == page_id), None)


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode(), expected.encode())
