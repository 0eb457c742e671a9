"""Calls of Meta's Graph API, over one pool of kept-alive connections.

Every call answers with values of the domain, or with a Trouble: nothing that Meta says raises an exception.
Tokens go in the Authorization header, or in the query or body where Meta takes them nowhere else. So no URL,
body or exception of the HTTP library is ever logged. `give_up_at` is a time of `time.monotonic()`.

The HTTP library's transport is used without its client: no call needs redirects, cookies or the client's log.
"""

import asyncio
import hmac
import ipaddress
import random
import re
import time
import urllib.request
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import httpx2
import orjson
import structlog

from graphql_api.adapters.graph import answers
from graphql_api.adapters.graph.alarms import Alarms
from graphql_api.adapters.graph.problems import (
    LIMIT_LASTS,
    OTHER_APP,
    UNKNOWN_TOKEN,
    UNVERIFIABLE,
    Question,
    Refusal,
    app_verdict,
    missing_scopes,
    refusal_of,
    verdict,
)
from graphql_api.adapters.graph.signed import SignedRequest, read_signed
from graphql_api.adapters.graph.usage import (
    APP_USAGE,
    BUSY,
    PAGE_USAGE,
    Gate,
    Gates,
    PageLimits,
)
from graphql_api.domain.proofs import (
    LISTS_PAGES,
    READS_INSTAGRAM,
    READS_PAGES,
    AccessTokenProblem,
    LongLived,
    PageFacts,
    Pages,
    TokenFacts,
    Trouble,
)
from graphql_api.domain.secrets import Secret

log = structlog.get_logger(__name__)

CONNECT_WITHIN = 3.0  # seconds
READ_WITHIN = 5.0
RETRIES = 2
FIRST_DELAY = 0.1  # seconds, at most, before the first retry; twice as long before the next
CONNECTIONS = 100
KEPT_ALIVE = 30.0  # seconds
LARGEST = 4 * 1024 * 1024  # bytes of an answer: a hundred Pages have some 100 KiB
PAGE_SIZE = 100  # Pages a request
BATCH_SIZE = 50  # Meta's limit
_EMPTY_PAGES = 5  # requests beyond those that full pages need: Meta filters after it has cut
_SERVER_FAULTS, _REFUSED, _OK = 500, 400, 200

_PAGE_FIELDS = "id,name,picture{url},instagram_business_account{id,username,profile_picture_url}"
_LOGIN_FIELDS = _PAGE_FIELDS.replace("name,", "name,tasks,access_token,", 1)
_ACCOUNTS = f"/me/accounts?fields={quote(_LOGIN_FIELDS)}&limit={PAGE_SIZE}"
_SCOPES = (LISTS_PAGES, READS_PAGES, READS_INSTAGRAM)
_TIMEOUTS = {"timeout": {"connect": CONNECT_WITHIN, "read": READ_WITHIN, "write": READ_WITHIN, "pool": None}}
_HEADERS = (
    (b"accept", b"application/json"),
    (b"accept-encoding", b"identity"),  # what is bounded is what is parsed
    (b"user-agent", b"onehold"),
)
_VERSION = re.compile(r"v[0-9]{1,3}\.[0-9]{1,2}")
_SENDABLE = re.compile(r"[!-~]+")


@dataclass(frozen=True, slots=True)
class App:
    """Our app at Meta; `version` is that of the Graph API, such as `v27.0`."""

    app_id: str
    app_secret: Secret
    version: str


@dataclass(frozen=True, slots=True)
class _Call:
    """One call. `name` is for the log; `target` and what follows hold secrets."""

    name: str
    gate: Gate
    target: str = field(repr=False)
    headers: list[tuple[bytes, bytes]] = field(repr=False)
    form: bytes | None = field(default=None, repr=False)
    begins: bool = False


@dataclass(frozen=True, slots=True)
class _Answer:
    """JSON that is no error of Meta's."""

    json: Any = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Lost:
    """No answer, or not Meta's. `passes`: trying again at once may help."""

    reason: str
    passes: bool = False
    status: int | None = None


class GraphClient:
    """Our client of Meta's Graph API; `source` says beside each proof whom it has asked."""

    def __init__(
        self,
        app: App,
        *,
        base_url: str,
        source: str,
        transport: httpx2.AsyncBaseTransport | None = None,
        each_token_apart: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepare calls; `running` opens the connections.

        Args:
            app: who we are.
            base_url: `https://graph.facebook.com`, or another place that speaks the same.
            source: `live:APP_ID` or `sandbox`.
            transport: the way to a server in this process, which then is asked without a connection.
            each_token_apart: one access token's failures and limits hold up no other.
            clock: the clock of `give_up_at`.

        Raises:
            ValueError: the base URL or the version cannot be used. The message holds no value.
        """
        if not _VERSION.fullmatch(app.version):
            raise ValueError("the version of the Graph API is written as v27.0")
        self.source = source
        self.app_id = app.app_id
        self._base = f"{_checked(base_url)}/{app.version}"
        self._secret = app.app_secret
        self._key = app.app_secret.reveal().encode()
        self._app_token = Secret(f"{app.app_id}|{app.app_secret.reveal()}")
        self._app_headers = _headers(self._app_token)
        self._app_proof = self._proof(self._app_token)
        self._given = transport
        self._open: httpx2.AsyncBaseTransport | None = None
        # A server in this process knows nothing of time-outs.
        self._patience = float("inf") if transport is None else READ_WITHIN
        self._clock = clock
        self._gates = Gates(clock, each_apart=each_token_apart)
        self._page_limits = PageLimits(clock)
        self._alarms = Alarms(clock)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Keep the pool of connections open. Calls outside of it raise RuntimeError.

        Raises:
            ValueError: HTTPS_PROXY names a proxy that cannot be used.
        """
        async with self._given or self._pool() as transport:
            self._open = transport
            try:
                yield
            finally:
                self._open = None

    @property
    def percent(self) -> float:
        """How much of the app's calls of this hour Meta says are used; 0 if it has not said so lately."""
        return self._gates.of_app.percent

    @property
    def busy(self) -> bool:
        """Are so many of the app's calls used that what can wait should wait?"""
        return self.percent >= BUSY

    def read_signed(self, text: str) -> SignedRequest | None:
        """Read what Meta signed with our app's secret; None if it did not."""
        return read_signed(text, self._secret)

    async def debug(self, token: Secret, *, give_up_at: float) -> TokenFacts | Trouble:
        """Ask what an access token is.

        A token that Meta knows but no longer accepts has facts with a trouble. One that it does not know is
        MALFORMED.
        """
        return await self._debug(token, give_up_at, begins=True)

    async def exchange(self, token: Secret, *, give_up_at: float) -> LongLived | Trouble:
        """Exchange the access token of a login for one that lasts some 60 days."""
        if not _sendable(token):
            return UNKNOWN_TOKEN
        query = urlencode(
            {
                "grant_type": "fb_exchange_token",
                "client_id": self.app_id,
                "client_secret": self._secret.reveal(),
                "fb_exchange_token": token.reveal(),
            }
        )
        call = _Call("exchange", self._gate(token), f"/oauth/access_token?{query}", list(_HEADERS))
        now = datetime.now(UTC)
        answer = await self._ask(call, give_up_at)
        if isinstance(answer, Trouble):
            return answer
        if isinstance(answer, Refusal):
            return await self._explain(call.name, answer, token, give_up_at)
        return answers.read_long_lived(answer.json, now=now) or self._surprise(call.name)

    async def pages(self, token: Secret, *, most: int, give_up_at: float) -> Pages | Trouble:
        """List the Pages that a login has a role on: at most `most`, a hundred with each request."""
        if not _sendable(token):
            return UNKNOWN_TOKEN
        first = f"{_ACCOUNTS}&appsecret_proof={self._proof(token)}"
        headers, gate = _headers(token), self._gate(token)
        found: dict[str, PageFacts] = {}
        target = first
        for _ in range(-(-most // PAGE_SIZE) + _EMPTY_PAGES):
            call = _Call("accounts", gate, target, headers)
            answer = await self._ask(call, give_up_at)
            if isinstance(answer, Trouble):
                return answer
            if isinstance(answer, Refusal):
                return await self._explain(call.name, answer, token, give_up_at)
            read = answers.read_pages(answer.json)
            if read is None:
                return self._surprise(call.name)
            pages, after = read
            found.update((page.page_id, page) for page in pages)
            if after is None or len(found) >= most:
                break
            target = f"{first}&after={quote(after, safe='')}"
        listed = list(found.values())
        return Pages(listed[:most], has_more=after is not None or len(listed) > most)

    async def pages_by_own_tokens(
        self, tokens: Mapping[str, Secret], *, give_up_at: float
    ) -> Mapping[str, PageFacts | Trouble]:
        """Ask for Pages, by id, with their own tokens: fifty with each request.

        Their tasks are empty, since only a login has tasks. One Page's failure is not that of the others.
        """
        found: dict[str, PageFacts | Trouble] = {}
        asked: list[tuple[str, Secret]] = []
        for page_id, token in tokens.items():
            trouble = self._why_not(page_id, token)
            if trouble is None:
                asked.append((page_id, token))
            else:
                found[page_id] = trouble
        batches = [asked[start : start + BATCH_SIZE] for start in range(0, len(asked), BATCH_SIZE)]
        for answered in await asyncio.gather(*(self._batch(one, give_up_at) for one in batches)):
            found.update(answered)
        return {page_id: found[page_id] for page_id in tokens}

    async def _debug(self, token: Secret, give_up_at: float, *, begins: bool) -> TokenFacts | Trouble:
        if not token.reveal().isascii():
            return UNKNOWN_TOKEN
        target = (
            f"/debug_token?input_token={quote(token.reveal(), safe='')}&appsecret_proof={self._app_proof}"
        )
        call = _Call("debug_token", self._gate(token), target, self._app_headers, begins=begins)
        answer = await self._ask(call, give_up_at)
        if isinstance(answer, Trouble):
            return answer
        if isinstance(answer, Refusal):
            return OTHER_APP if answer.of_other_app else self._app_trouble(call.name, answer)
        read = answers.read_token(answer.json, now=datetime.now(UTC))
        if read is None:
            return self._surprise(call.name)
        facts, refusal = read
        if refusal is not None:
            _log_refusal(call.name, refusal)
        return facts

    def _why_not(self, page_id: str, token: Secret) -> Trouble | None:
        """Is there no need to ask for this Page now?"""
        if not _sendable(token):
            return UNKNOWN_TOKEN
        wait = self._page_limits.wait(page_id)
        if wait is None and self._gates.each_apart:
            wait = self._gate(token).wait(begins=False)
        return None if wait is None else _later(wait)

    async def _batch(
        self, asked: Sequence[tuple[str, Secret]], give_up_at: float
    ) -> dict[str, PageFacts | Trouble]:
        parts = [
            {
                "method": "GET",
                "relative_url": f"{quote(page_id, safe='')}?fields={quote(_PAGE_FIELDS)}"
                f"&access_token={quote(token.reveal(), safe='')}&appsecret_proof={self._proof(token)}",
            }
            for page_id, token in asked
        ]
        form = urlencode({"batch": orjson.dumps(parts), "include_headers": "false"}).encode()
        headers = [*self._app_headers, (b"content-type", b"application/x-www-form-urlencoded")]
        target = f"/?appsecret_proof={self._app_proof}"
        call = _Call("batch", self._gates.of_app, target, headers, form)
        answer = await self._ask(call, give_up_at)
        trouble: Trouble | None = None
        if isinstance(answer, Trouble):
            trouble = answer
        elif isinstance(answer, Refusal):
            trouble = self._app_trouble(call.name, answer)
        elif not isinstance(answer.json, list) or len(answer.json) != len(asked):
            trouble = self._surprise(call.name)
        if trouble is not None or not isinstance(answer, _Answer):
            return dict.fromkeys((page_id for page_id, _ in asked), trouble or UNVERIFIABLE)
        found = await asyncio.gather(
            *(
                self._item(page_id, token, item, give_up_at)
                for (page_id, token), item in zip(asked, answer.json, strict=True)
            )
        )
        return {page_id: one for (page_id, _), one in zip(asked, found, strict=True)}

    async def _item(self, page_id: str, token: Secret, item: Any, give_up_at: float) -> PageFacts | Trouble:
        """Read one answer of a batch: None if Meta had no time for it."""
        name, gate = "page", self._gate(token)
        status = item.get("code") if isinstance(item, dict) else None
        body = item.get("body") if isinstance(item, dict) else None
        if item is None or (type(status) is int and status >= _SERVER_FAULTS):
            if self._gates.each_apart:
                gate.fail()
            return UNVERIFIABLE
        if type(status) is not int or not isinstance(body, str):
            return self._surprise(name)
        if self._gates.each_apart:
            gate.succeed()
        answer = answers.read_json(body)
        if isinstance(answer, dict) and "error" in answer:
            refusal = refusal_of(status, answer["error"])
            _log_refusal(name, refusal)
            if refusal.limits_app:
                gate.block()
            elif refusal.limits:
                self._page_limits.block(page_id, LIMIT_LASTS)
            return await self._explain(name, refusal, token, give_up_at, page_id=page_id)
        return answers.read_page(answer, page_id=page_id, access_token=token) or self._surprise(name)

    async def _explain(
        self, name: str, refusal: Refusal, token: Secret, give_up_at: float, *, page_id: str | None = None
    ) -> Trouble:
        """Say what a refusal means, and ask debug_token where the refusal alone does not say it."""
        found = verdict(refusal, of_page=page_id is not None)
        if isinstance(found, Trouble):
            return found
        if found is Question.OUR_FAULT:
            return self._our_fault(name, refusal)
        facts = await self._debug(token, give_up_at, begins=False)
        if isinstance(facts, Trouble):
            return facts
        if facts.app_id != self.app_id:
            return OTHER_APP
        if facts.trouble is not None:
            return facts.trouble
        if found is Question.STILL_GOOD:
            return UNVERIFIABLE  # Meta contradicts itself
        missing = missing_scopes(facts, _SCOPES, page_id)
        if missing:
            return Trouble(AccessTokenProblem.MISSING_PERMISSION, final=True, missing=missing)
        return self._our_fault(name, refusal)

    def _app_trouble(self, name: str, refusal: Refusal) -> Trouble:
        found = app_verdict(refusal)
        return found if isinstance(found, Trouble) else self._our_fault(name, refusal)

    def _our_fault(self, name: str, refusal: Refusal) -> Trouble:
        """Ring: our app, its secret or its review is the cause, and no account is to suffer for it."""
        self._alarms.ring("graph.our_fault", call=name, code=refusal.code, subcode=refusal.subcode)
        return UNVERIFIABLE

    def _surprise(self, name: str) -> Trouble:
        """Ring: Meta's answers have another shape than we know."""
        self._alarms.ring("graph.surprising_answer", call=name)
        return UNVERIFIABLE

    async def _ask(self, call: _Call, give_up_at: float) -> _Answer | Refusal | Trouble:
        """Call, and call again what fails for a moment, until there is no time left."""
        attempt = 0
        while True:
            wait = call.gate.wait(begins=call.begins and not attempt)
            if wait is not None:
                return _later(wait)
            left = give_up_at - self._clock()
            if left <= 0:
                return UNVERIFIABLE
            found = await self._once(call, left)
            if isinstance(found, _Lost):
                log.warning("graph.unanswered", call=call.name, reason=found.reason, status=found.status)
            elif isinstance(found, Refusal):
                _log_refusal(call.name, found)
            if isinstance(found, _Answer) or not found.passes or attempt == RETRIES:
                break
            delay = random.uniform(0, FIRST_DELAY * 2**attempt)  # noqa: S311 - it spreads load, it hides nothing
            if self._clock() + delay >= give_up_at:
                break
            await asyncio.sleep(delay)
            attempt += 1
        return UNVERIFIABLE if isinstance(found, _Lost) else found

    async def _once(self, call: _Call, left: float) -> _Answer | Refusal | _Lost:
        patience = min(left, self._patience)
        try:
            async with asyncio.timeout(patience):
                status, headers, body = await self._send(call)
        except (httpx2.LocalProtocolError, httpx2.UnsupportedProtocol) as error:
            return _Lost(type(error).__name__)  # what we wanted to send is at fault, not Meta
        except (httpx2.RequestError, OSError) as error:  # the messages may hold a URL
            if patience == left and isinstance(error, TimeoutError):
                return _Lost("no time left")
            call.gate.fail()
            return _Lost(type(error).__name__, passes=True)
        app_usage, page_usage = headers.get(APP_USAGE), headers.get(PAGE_USAGE)
        if app_usage is not None:
            call.gate.read(app_usage)
        if page_usage is not None:
            self._page_limits.read(page_usage)
        return _judged(call.gate, status, body)

    async def _send(self, call: _Call) -> tuple[int, httpx2.Headers, bytes | None]:
        """Send a call; returns status, headers and body, which is None if it is too large."""
        if self._open is None:
            raise RuntimeError("the Graph client is called outside of running()")
        request = httpx2.Request(
            "GET" if call.form is None else "POST",
            self._base + call.target,
            headers=call.headers,
            content=call.form,
            extensions=_TIMEOUTS,
        )
        response = await self._open.handle_async_request(request)
        try:
            stream = response.stream
            if not isinstance(stream, httpx2.AsyncByteStream):
                raise TypeError("the transport does not stream")
            parts, size = [], 0
            async for part in stream:
                size += len(part)
                if size > LARGEST:
                    return response.status_code, response.headers, None
                parts.append(part)
        finally:
            await response.aclose()
        return response.status_code, response.headers, b"".join(parts)

    def _pool(self) -> httpx2.AsyncHTTPTransport:
        """The pool of connections. A proxy of the environment is used, as an operator behind one expects."""
        try:
            return httpx2.AsyncHTTPTransport(
                limits=httpx2.Limits(
                    max_connections=CONNECTIONS,
                    max_keepalive_connections=CONNECTIONS,
                    keepalive_expiry=KEPT_ALIVE,
                ),
                proxy=_proxy(self._base),
            )
        except (ValueError, ImportError):  # the message holds the URL, and that a password
            raise ValueError("HTTPS_PROXY names a proxy that cannot be used") from None

    def _gate(self, token: Secret) -> Gate:
        return self._gates.of(self._proof(token)) if self._gates.each_apart else self._gates.of_app

    def _proof(self, token: Secret) -> str:
        """The appsecret_proof: who calls knows the app's secret, too."""
        return hmac.digest(self._key, token.reveal().encode(errors="replace"), "sha256").hex()


def _judged(gate: Gate, status: int, body: bytes | None) -> _Answer | Refusal | _Lost:
    """Read an answer, and tell the gate whether it came from Meta."""
    if body is None:
        return _Lost("too large", status=status)
    answer = answers.read_json(body)
    refusal = refusal_of(status, answer["error"]) if isinstance(answer, dict) and "error" in answer else None
    if status >= _SERVER_FAULTS:
        gate.fail()
        return refusal or _Lost("server fault", passes=True, status=status)
    if answer is None:
        if status < _REFUSED:  # a 4xx may be for what somebody made us send
            gate.fail()
        return _Lost("not JSON", status=status)
    gate.succeed()
    if refusal is None:
        gate.unblock()
        return _Answer(answer) if status == _OK else _Lost("surprising status", status=status)
    if refusal.limits_app:
        gate.block()
    else:
        gate.unblock()
    return refusal


def _log_refusal(name: str, refusal: Refusal) -> None:
    """Keep what Meta's support asks for."""
    log.info(
        "graph.refused",
        call=name,
        status=refusal.status,
        code=refusal.code,
        subcode=refusal.subcode,
        trace=refusal.trace,
    )


def _later(wait: int) -> Trouble:
    return Trouble(AccessTokenProblem.UNVERIFIABLE, retry_after=wait)


def _headers(token: Secret) -> list[tuple[bytes, bytes]]:
    return [*_HEADERS, (b"authorization", b"Bearer " + token.reveal().encode())]


def _sendable(token: Secret) -> bool:
    """Could this be in a header? What could not be is no access token of Meta's."""
    return _SENDABLE.fullmatch(token.reveal()) is not None


def _checked(base_url: str) -> str:
    """Return the base URL without a slash at its end."""
    try:
        parts = urlsplit(base_url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ValueError("the URL of the Graph API is not a URL") from None
    if not host or parts.query or parts.fragment or "@" in parts.netloc:
        raise ValueError("the URL of the Graph API has a host, and no user, query or fragment")
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_loopback(host)):
        raise ValueError("the URL of the Graph API begins with https://, except on this machine")
    return base_url.rstrip("/")


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _proxy(url: str) -> str | None:
    """The proxy that the environment names for Meta; never one for this machine."""
    parts = urlsplit(url)
    if parts.scheme != "https" or urllib.request.proxy_bypass(parts.netloc):
        return None
    return urllib.request.getproxies().get("https")
