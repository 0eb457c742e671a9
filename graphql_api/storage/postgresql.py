"""PostgreSQL: where a URL leads, and connections to the server that takes writes now."""

import re
import time
from collections.abc import Callable
from ipaddress import IPv6Address
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

import asyncpg
import sqlalchemy as sa
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from graphql_api.storage.faults import NoConnection, UnsupportedDatabase, drop_broken_connections, reason

CONNECTING = 5.0  # seconds that connecting may take
CONNECTING_TO_ONE_OF_SEVERAL = 1.5  # the others are to have their turn before a caller gives up
ANSWERING = 15.0  # seconds without an answer, of which PostgreSQL itself would end a statement after 10
LEAVING = 1.0  # seconds between two times that all connections are given up
LAST_PORT = 65_535

_SESSION = {
    "application_name": "graphql_api",
    "statement_timeout": "10s",
    # Twice at most, for a turn at the row and for the row itself: within 3 seconds there is an answer.
    "lock_timeout": "1s",
    "idle_in_transaction_session_timeout": "15s",
}
_HOST = r"(?:\[[0-9A-Fa-f:.]+\]|[^\[\]:@/?#,]*)(?::\d{1,5})?"
# An @ after the hosts ends a password whose / or ? was not encoded: its beginning would pass for a host.
_URL = re.compile(
    rf"postgres(?:ql)?://(?:[^/?#\[\]]*@)?(?P<hosts>{_HOST}(?:,{_HOST})*)(?:/[^@?#]*)?(?:\?[^@#]*)?"
)
_BAD_ENCODING = re.compile(r"%(?![0-9A-Fa-f]{2})")
# Options of libpq that asyncpg does not know: it would send them as settings of the session.
_ONLY_LIBPQ = frozenset(
    [
        "channel_binding",
        "connect_timeout",
        "fallback_application_name",
        "gssencmode",
        "keepalives",
        "keepalives_count",
        "keepalives_idle",
        "keepalives_interval",
        "sslcompression",
        "sslsni",
        "tcp_user_timeout",
    ]
)
_CHOICES = {
    "sslmode": ("disable", "allow", "prefer", "require", "verify-ca", "verify-full"),
    "target_session_attrs": ("any", "primary", "standby", "prefer-standby", "read-write", "read-only"),
}
_FORM = (
    "write it as postgresql://USER:PASSWORD@HOST:PORT/NAME, and percent-encode special characters in "
    "the password: / is %2F, ? is %3F, # is %23, [ is %5B, ] is %5D, % is %25"
)


class PostgreSQL:
    """The server that a URL leads to: of several, the one that takes writes now.

    Raises:
        UnsupportedDatabase: the URL cannot be read.
    """

    def __init__(self, url: str, *, answering: float | None = ANSWERING) -> None:
        self._ways = _ways(url)  # the one that led somewhere last comes first
        self._when_left: list[Callable[[], None]] = []
        self._answering = answering  # seconds; None: for ever
        self.left_at = 0.0  # connections that were opened before lead to a server that takes no writes
        self.away_since: float | None = None

    async def connect(self) -> asyncpg.Connection:
        """Connect to the first server that can be reached and takes writes.

        Raises:
            NoConnection: there is none now; the message names the kind of the last error.
        """
        problem: Exception | None = None
        for way in list(self._ways):
            try:
                connection = await asyncpg.connect(**way, command_timeout=self._answering)
            except (
                OSError,
                asyncpg.PostgresError,
                asyncpg.InterfaceError,
                asyncpg.InternalClientError,
            ) as error:
                problem = error
                continue
            self._ways.remove(way)
            self._ways.insert(0, way)
            self.away_since = None
            return connection
        if self.away_since is None:
            self.away_since = time.monotonic()
        assert problem is not None  # noqa: S101 - there is a way
        raise NoConnection(reason(problem)) from None  # its text may name users and hosts

    def when_left(self, act: Callable[[], None]) -> None:
        """Have this done when connections that were opened so far are given up."""
        self._when_left.append(act)

    def leave(self) -> None:
        """Give up all connections that were opened so far: their server takes no writes any more.

        Once a second at most: while no other server takes writes, to connect again and again is of no use.
        """
        now = time.monotonic()
        if now - self.left_at > LEAVING:
            self.left_at = now
            for act in self._when_left:
                act()


def postgresql_engine(server: PostgreSQL, *, pool_size: int, patience: float = 10.0) -> AsyncEngine:
    """An engine whose connections are those of a server."""
    engine = create_async_engine(
        "postgresql+asyncpg://",
        async_creator=server.connect,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=patience,
        hide_parameters=True,
    )
    drop_broken_connections(engine)

    @sa.event.listens_for(engine.sync_engine, "connect")
    def note_time(_connection: Any, record: Any) -> None:
        record.info["opened"] = time.monotonic()

    @sa.event.listens_for(engine.sync_engine, "checkout")
    def drop_left(_connection: Any, record: Any, _proxy: object) -> None:
        if record.info["opened"] <= server.left_at:
            raise DisconnectionError  # SQLAlchemy opens another one in its place

    return engine


def check_postgresql_url(url: str) -> None:
    """Can this be read as the URL of a PostgreSQL server?

    Raises:
        UnsupportedDatabase: it cannot.
    """
    _ways(url)


def _ways(url: str) -> list[dict[str, Any]]:
    """What the driver is told to connect, one for each host."""
    found = _URL.fullmatch(url)
    if found is None or _BAD_ENCODING.search(url) or any(one.isspace() or one < " " for one in url):
        raise UnsupportedDatabase(_FORM)
    try:
        parts = urlsplit(url)
        options = _options(parts.query)
        credentials, _, hosts = parts.netloc.rpartition("@")
        user, _, password = credentials.partition(":")
        named = {
            "user": unquote(user, errors="strict"),
            "password": unquote(password, errors="strict"),
            "database": unquote(parts.path.removeprefix("/"), errors="strict"),
        }
        addresses = _addresses(hosts, options)
    except ValueError:  # its message would hold a part of the URL
        raise UnsupportedDatabase(_FORM) from None
    for name, choices in _CHOICES.items():
        if options.get(name, choices[0]) not in choices:
            raise UnsupportedDatabase(f"its option {name} is one of {', '.join(choices)}")
    several = len(addresses) > 1
    if several:
        # A server that only reads is of no use; without this, the first one that answers would do.
        options.setdefault("target_session_attrs", "read-write")
    fixed = {
        **{name: value for name, value in named.items() if value},
        "dsn": f"postgresql://?{urlencode(options)}",
        "server_settings": _SESSION,
        "timeout": CONNECTING_TO_ONE_OF_SEVERAL if several else CONNECTING,
    }
    return [{**fixed, **address} for address in addresses]


def _options(query: str) -> dict[str, str]:
    """The options that the driver knows.

    Raises:
        ValueError: the query is none.
    """
    options = dict(parse_qsl(query, strict_parsing=True, errors="strict")) if query else {}
    if "" in options:
        raise ValueError("an option has no name")
    return {name: value for name, value in options.items() if name not in _ONLY_LIBPQ}


def _addresses(hosts: str, options: dict[str, str]) -> list[dict[str, Any]]:
    """The host and the port of each server; without a host, the driver looks where PostgreSQL usually is.

    Raises:
        ValueError: one of them is none.
    """
    listed = options.pop("host", "") if not hosts else ""
    ports = [_port(one) for one in options.pop("port", "").split(",") if one]
    if not hosts and not listed:
        return [{"port": ports[0]} if ports else {}]
    found = [(one, None) for one in listed.split(",")] if listed else list(map(_address, hosts.split(",")))
    if len(ports) == 1:
        ports *= len(found)
    if ports and len(ports) != len(found):
        raise ValueError("there are other numbers of hosts and ports")
    return [
        {"host": host, "port": port or (ports[number] if ports else 5432)}
        for number, (host, port) in enumerate(found)
    ]


def _address(text: str) -> tuple[str, int | None]:
    """A host as it is written before a URL's path, with its port if it has one."""
    if text.startswith("["):
        host, _, port = text[1:].partition("]")
        host, port = str(IPv6Address(host)), port.removeprefix(":")
    else:
        host, _, port = text.partition(":")
        host = unquote(host, errors="strict")
    return host or "localhost", _port(port) if port else None


def _port(text: str) -> int:
    port = int(text)
    if not 1 <= port <= LAST_PORT:
        raise ValueError("a port is a number up to 65535")
    return port
