"""No token, secret or proof, and no URL with one, gets into a log line, an exception or a rendering."""

import asyncio
import io
import json
import logging
import re
import traceback
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import httpx2
import pytest
import structlog

from graphql_api.adapters import logs
from graphql_api.adapters.graph import alarms, client
from graphql_api.adapters.graph.client import GraphClient
from graphql_api.domain.proofs import Trouble
from graphql_api.domain.secrets import Secret
from tests.adapters.graph.meta import (
    APP,
    APP_TOKEN,
    PAGE_TOKEN,
    TOKEN,
    Meta,
    accounts,
    client_of,
    debugged,
    error,
    items,
    page_data,
    proof,
    refuses,
    says,
    soon,
)

PROOFS = [proof(token) for token in (TOKEN, PAGE_TOKEN, APP_TOKEN)]
FOUND = re.compile(
    "|".join(["CANARY", "access_token=(?!Secret)", "graph.example", "127.0.0.1", "Bearer", *PROOFS])
)
login = Secret(TOKEN)
SECRETS = f"{TOKEN} {PAGE_TOKEN} {APP_TOKEN} https://graph.example/?access_token={TOKEN}"

ANSWERS: dict[str, Any] = {
    "words of Meta": refuses(
        190, message=SECRETS, error_user_msg=SECRETS, type=SECRETS, error_user_title=SECRETS
    ),
    "trace": refuses(190, 463, fbtrace_id=SECRETS),
    "code": says({"error": {"code": SECRETS, "error_subcode": SECRETS, "fbtrace_id": [SECRETS]}}, 400),
    "blocked": refuses(368, error_user_msg=SECRETS),
    "our fault": refuses(100, message=f"appsecret_proof {SECRETS}"),
    "permission": refuses(10, message=SECRETS),
    "limit": refuses(4, message=SECRETS),
    "server fault": refuses(2, status=500, message=SECRETS),
    "html": says(SECRETS.encode()),
    "html 502": says(SECRETS.encode(), 502),
    "redirect": says(b"", 302, location=f"https://graph.example/?access_token={TOKEN}"),
    "too large": says(SECRETS.encode() * 60_000),
    "surprise": says({"data": {TOKEN: SECRETS}, "paging": SECRETS}),
    "usage": says({}, x_app_usage=SECRETS, x_business_use_case_usage=SECRETS),
    "connect": httpx2.ConnectError(SECRETS),
    "connect time-out": httpx2.ConnectTimeout(SECRETS),
    "read time-out": httpx2.ReadTimeout(SECRETS),
    "pool time-out": httpx2.PoolTimeout(SECRETS),
    "protocol": httpx2.RemoteProtocolError(SECRETS),
    "our protocol": httpx2.LocalProtocolError(SECRETS),
    "proxy": httpx2.ProxyError(SECRETS),
    "unsupported": httpx2.UnsupportedProtocol(SECRETS),
    "decoding": httpx2.DecodingError(SECRETS),
    "os": OSError(SECRETS),
    "silence": 9.0,
}


@pytest.fixture(params=["json", "terminal"])
def written(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """Everything that is logged, at level DEBUG."""
    before, level, config = logging.getLogger().handlers[:], logging.getLogger().level, structlog.get_config()
    stream = io.StringIO()
    logs.configure(as_json=request.param == "json", level="DEBUG", stream=stream)
    for module in (client, alarms):  # a logger keeps the stream of its first line
        monkeypatch.setattr(module, "log", structlog.get_logger(module.__name__))
    yield stream
    structlog.configure(**config)
    logging.getLogger().handlers[:] = before
    logging.getLogger().setLevel(level)


async def ask_everything(graph: GraphClient, give_up_at: Callable[[], float]) -> list[Any]:
    return [
        await graph.debug(login, give_up_at=give_up_at()),
        await graph.exchange(login, give_up_at=give_up_at()),
        await graph.pages(login, most=100, give_up_at=give_up_at()),
        *(await graph.pages_by_own_tokens({"1": Secret(PAGE_TOKEN)}, give_up_at=give_up_at())).values(),
    ]


@pytest.mark.parametrize("name", ANSWERS)
@pytest.mark.parametrize("asked_again", [debugged(), refuses(190, message=SECRETS)], ids=["good", "refused"])
async def test_no_failure_tells_a_secret(
    name: str, asked_again: httpx2.Response, written: io.StringIO
) -> None:
    meta, answer = Meta(), ANSWERS[name]
    for path in ("oauth/access_token", "me/accounts", ""):
        meta.says(path, answer)
    meta.says("debug_token", answer, asked_again)
    patience = 0.05 if name == "silence" else 20
    async with client_of(meta) as graph:
        found = await ask_everything(graph, lambda: soon() - 20 + patience)
        assert not FOUND.search(f"{graph} {graph!r}")
    troubles = [one for one in found if isinstance(one, Trouble)]
    assert troubles
    # What Meta says to the person is shown to the person; it goes into no log.
    assert not FOUND.search(repr([replace(one, words=None) for one in troubles]))
    assert "graph." in written.getvalue().replace("graph.example", "")
    assert not FOUND.search(written.getvalue())


async def test_good_answers_tell_no_secret_either(written: io.StringIO) -> None:
    meta = Meta()
    meta.says("debug_token", debugged())
    meta.says("oauth/access_token", says({"access_token": "CANARY-long", "expires_in": 5}))
    meta.says("me/accounts", accounts(page_data()))
    meta.says("", items((200, page_data("1")), (400, error(190, 463))))
    async with client_of(meta) as graph:
        found = await ask_everything(graph, soon)
    assert not FOUND.search(repr(found))
    assert not FOUND.search(written.getvalue())


async def raised(call: Callable[[], Any]) -> BaseException:
    try:
        await call()
    except BaseException as error:  # noqa: BLE001 - whatever it is, it is looked at
        return error
    raise AssertionError("nothing was raised")


async def test_what_is_raised_tells_no_secret() -> None:
    meta = Meta()
    graph = GraphClient(APP, base_url="https://graph.example", source="sandbox", transport=meta)
    not_running = await raised(lambda: graph.debug(login, give_up_at=soon()))
    meta.says("me/accounts", 9.0)

    async def cancelled() -> None:
        async with client_of(meta) as running, asyncio.timeout(0.01):
            await running.pages(login, most=1, give_up_at=soon())

    meta.says("debug_token", RuntimeError("a bug"))

    async def broken() -> None:
        async with client_of(meta) as running:
            await running.debug(login, give_up_at=soon())

    for one in (not_running, await raised(cancelled), await raised(broken)):
        text = "".join(traceback.format_exception(one))
        assert "graph/client.py" in text
        assert not FOUND.search(f"{one} {one!r} {text}")


Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Any]


@asynccontextmanager
async def listening(handle: Handler) -> AsyncIterator[str]:
    """A server on loopback that treats each connection so; gives its URL."""
    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        await server.wait_closed()


def answering(*, connections: list[int] | None = None, body: bytes | None = None) -> Handler:
    """Answers each request on a kept-alive connection."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if connections is not None:
            connections.append(1)
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                content = debugged().content if body is None else body
                assert b"input_token=CANARY" in head
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(content) + content)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    return handle


async def dropping(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.close()


async def rubbish(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    head = await reader.readuntil(b"\r\n\r\n")
    writer.write(head)  # the request, as an answer
    writer.close()


async def cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
    await writer.drain()
    writer.close()


async def test_calls_share_kept_alive_connections(written: io.StringIO) -> None:
    connections: list[int] = []
    async with listening(answering(connections=connections)) as url:
        graph = GraphClient(APP, base_url=url, source="live:4242")
        async with graph.running():
            for _ in range(5):
                assert not isinstance(await graph.debug(login, give_up_at=soon()), Trouble)
    assert len(connections) == 1
    assert written.getvalue() == "", "the HTTP library logs nothing, not even at level DEBUG"


@pytest.mark.parametrize("handle", [dropping, rubbish, cut])
async def test_broken_connections_tell_no_secret(handle: Handler, written: io.StringIO) -> None:
    async with listening(handle) as url:
        graph = GraphClient(APP, base_url=url, source="live:4242")
        async with graph.running():
            assert isinstance(await graph.debug(login, give_up_at=soon()), Trouble)
    lines = written.getvalue()
    assert lines.count("graph.unanswered") == 3
    assert not FOUND.search(lines)


async def test_nobody_listening_tells_no_secret(written: io.StringIO) -> None:
    async with listening(dropping) as url:
        pass
    graph = GraphClient(APP, base_url=url, source="live:4242")
    async with graph.running():
        assert isinstance(await graph.debug(login, give_up_at=soon()), Trouble)
    assert written.getvalue().count("ConnectError") == 3
    assert not FOUND.search(written.getvalue())


async def test_a_stream_without_end_is_cut_off(written: io.StringIO) -> None:
    sent = 0

    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        try:
            while sent < 2**26:
                writer.write(b"10000\r\n" + b" " * 0x10000 + b"\r\n")
                await writer.drain()
                sent += 0x10000
        except ConnectionError:
            pass
        finally:
            writer.close()

    async with listening(endless) as url:
        graph = GraphClient(APP, base_url=url, source="live:4242")
        async with graph.running():
            assert isinstance(await graph.debug(login, give_up_at=soon()), Trouble)
    assert sent < 2**25
    assert "too large" in written.getvalue()


async def test_an_encoding_that_was_not_asked_for_is_no_answer(written: io.StringIO) -> None:
    async with listening(answering(body=b"\x1f\x8b\x08\x00")) as url:
        graph = GraphClient(APP, base_url=url, source="live:4242")
        async with graph.running():
            assert isinstance(await graph.debug(login, give_up_at=soon()), Trouble)
    assert json.dumps("not JSON") in written.getvalue() or "'not JSON'" in written.getvalue()
