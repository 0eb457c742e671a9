"""A small stand-in for Meta: it answers as it is told, and keeps what it was asked."""

import asyncio
import hmac
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs

import httpx2

from graphql_api.adapters.graph.client import App, GraphClient
from graphql_api.domain.secrets import Secret

SECRET = "CANARY-app-secret"
APP = App("4242", Secret(SECRET), "v27.0")
BASE = "https://graph.example"
APP_TOKEN = f"4242|{SECRET}"
TOKEN = "CANARY-login-token"
PAGE_TOKEN = "CANARY-page-token"
SOON = 20.0

Reply = httpx2.Response | Exception | float  # a float: silence for so many seconds


class Meta(httpx2.AsyncBaseTransport):
    """Answers each path with its replies in turn, the last one again and again."""

    def __init__(self) -> None:
        self.replies: dict[str, list[Reply | Callable[[httpx2.Request], Reply]]] = {}
        self.asked: list[httpx2.Request] = []

    def says(self, path: str, *replies: Reply | Callable[[httpx2.Request], Reply]) -> None:
        """Set the replies to a path such as `debug_token`; "" is a batch."""
        self.replies[path] = list(replies)

    def calls(self, path: str) -> list[httpx2.Request]:
        """The requests of a path."""
        return [one for one in self.asked if one.url.path == f"/v27.0/{path}"]

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self.asked.append(request)
        replies = self.replies[request.url.path.removeprefix("/v27.0/")]
        reply = replies.pop(0) if len(replies) > 1 else replies[0]
        if callable(reply):
            reply = reply(request)
        if isinstance(reply, Exception):
            raise reply
        if isinstance(reply, float):
            await asyncio.sleep(reply)
            return says({})
        return httpx2.Response(reply.status_code, headers=reply.headers, content=reply.content)


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@asynccontextmanager
async def client_of(
    meta: httpx2.AsyncBaseTransport,
    *,
    clock: Callable[[], float] = time.monotonic,
    each_token_apart: bool = False,
) -> AsyncIterator[GraphClient]:
    client = GraphClient(
        APP, base_url=BASE, source="sandbox", transport=meta, each_token_apart=each_token_apart, clock=clock
    )
    async with client.running():
        yield client


def soon() -> float:
    return time.monotonic() + SOON


def says(answer: Any, status: int = 200, **headers: str) -> httpx2.Response:
    """An answer of Meta's; in a header's name, `_` is written for `-`."""
    return httpx2.Response(
        status,
        content=answer if isinstance(answer, bytes) else json.dumps(answer).encode(),
        headers={name.replace("_", "-"): value for name, value in headers.items()},
    )


def refuses(code: int, subcode: int | None = None, *, status: int = 400, **more: Any) -> httpx2.Response:
    error = {
        "message": f"(#{code}) {TOKEN}",
        "type": "OAuthException",
        "code": code,
        "fbtrace_id": "AbC_trace-1",
        **more,
    }
    if subcode is not None:
        error["error_subcode"] = subcode
    return says({"error": error}, status)


def token_data(**changed: Any) -> dict[str, Any]:
    """What debug_token says of a good token; None removes a field."""
    data = {
        "app_id": "4242",
        "type": "USER",
        "application": "Onehold",
        "is_valid": True,
        "issued_at": 1790000000,
        "expires_at": 1890000000,
        "data_access_expires_at": 1880000000,
        "scopes": ["pages_show_list", "pages_read_engagement", "instagram_basic"],
        "granular_scopes": [
            {"scope": "pages_show_list", "target_ids": ["2001"]},
            {"scope": "instagram_basic"},
        ],
        "user_id": "777",
        **changed,
    }
    return {name: value for name, value in data.items() if value is not None}


def debugged(**changed: Any) -> httpx2.Response:
    return says({"data": token_data(**changed)})


def page_data(page_id: str = "2001", **changed: Any) -> dict[str, Any]:
    data = {
        "id": page_id,
        "name": "Ann's Page",
        "tasks": ["MANAGE", "CREATE_CONTENT"],
        "access_token": PAGE_TOKEN,
        "picture": {"data": {"url": "https://pictures.example/p.jpg"}},
        "instagram_business_account": {
            "id": "17841400000000001",
            "username": "ann",
            "profile_picture_url": "https://pictures.example/i.jpg",
        },
        **changed,
    }
    return {name: value for name, value in data.items() if value is not None}


def accounts(*pages: dict[str, Any], after: str | None = None) -> httpx2.Response:
    paging: dict[str, Any] = {"cursors": {"before": "b", "after": after or "a"}}
    if after is not None:
        paging["next"] = f"https://graph.example/next?access_token={TOKEN}"
    return says({"data": list(pages), "paging": paging})


def items(*parts: Any) -> httpx2.Response:
    """An answer to a batch, made of (status, JSON) or of anything else as it is."""
    return says(
        [{"code": one[0], "body": json.dumps(one[1])} if isinstance(one, tuple) else one for one in parts]
    )


def error(code: int, subcode: int | None = None, **more: Any) -> dict[str, Any]:
    return dict(json.loads(refuses(code, subcode, **more).content))


def proof(token: str) -> str:
    return hmac.new(SECRET.encode(), token.encode(), "sha256").hexdigest()


def parameters(request: httpx2.Request) -> dict[str, str]:
    """The query and the form of a request."""
    both = {**parse_qs(request.url.query.decode()), **parse_qs(request.content.decode())}
    return {name: values[0] for name, values in both.items()}
