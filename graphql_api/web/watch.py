"""Who is connected: how many in all and from one network, and which clients keep the server waiting."""

import asyncio
import math
import resource
import socket
import sys
import time
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from ipaddress import ip_address

import structlog

from graphql_api.domain.networks import network_of

from .options import Options

log = structlog.get_logger(__name__)

DESCRIPTORS_KEPT = 128
"""Of the files that the process may have open: for the database, mails, Meta and the log."""

REFUSED_AT_ONCE = 100
"""Connections beyond the limits that are open for as long as a refusal takes; more are cut off unheard."""

MAX_UNREAD = 33_554_432
"""Bytes of answers that clients of all connections together may leave unread for longer than a look."""

UNSENT = 65_536
"""Bytes of an answer that the system takes before it can send them. It would take megabytes by itself."""

REFUSAL_SECONDS = 2.0
DRAINING_SECONDS = 2.0
TOLD_EVERY = 60.0


class Watched:
    """A connection that is looked at again and again, and is cut off when its client does not read."""

    transport: asyncio.Transport
    unread = 0
    unread_since = math.inf

    def look(self, now: float, write_timeout: float) -> None:
        """Cut it off if its client has had bytes to read for too long."""
        self.unread = self.transport.get_write_buffer_size()
        if not self.unread:
            self.unread_since = math.inf
        elif self.unread_since == math.inf:
            self.unread_since = now
        elif now > self.unread_since + write_timeout:
            log.info("connection.cut_off", reason="unread", bytes=self.unread)
            self.transport.abort()

    def drain(self) -> None:
        """The process is about to end."""


class Watch:
    """The connections of a process, each of which is under a deadline at every moment.

    A look at all of them every second costs less than clocks that are set and stopped at every request.
    """

    def __init__(self, options: Options) -> None:
        self.options = options
        self.draining = False
        self._most = min(options.max_connections, _descriptors() - DESCRIPTORS_KEPT)
        self._every = min(1.0, options.head_timeout / 4, options.write_timeout / 4)
        self._admitted: dict[Watched, str | None] = {}
        self._refused: dict[Watched, float] = {}
        self._of_network: Counter[str | None] = Counter()
        self._told = -math.inf

    def enter(self, one: Watched, address: str | None) -> bool:
        """Count a connection; False if it gets a refusal, or is cut off, because there are too many."""
        _keep_little(one.transport)
        if not self._admitted and not self._refused:
            asyncio.get_running_loop().call_later(self._every, self._look)
        network = None if address is None or self._is_trusted(address) else network_of(address)
        of_network = self._of_network[network]
        if len(self._admitted) < self._most and (
            network is None or of_network < self.options.max_connections_per_address
        ):
            self._admitted[one] = network
            self._of_network[network] = of_network + 1
            return True
        self._tell(network)
        self._refused[one] = time.monotonic()
        if len(self._refused) > REFUSED_AT_ONCE:
            one.transport.abort()
        return False

    def hand_over(self, one: Watched, successor: Watched) -> None:
        """Another protocol goes on with the connection."""
        self._admitted[successor] = self._admitted.pop(one)

    def leave(self, one: Watched) -> None:
        """Count a connection no more."""
        if self._refused.pop(one, None) is None and one in self._admitted:
            network = self._admitted.pop(one)
            self._of_network[network] -= 1
            if not self._of_network[network]:
                del self._of_network[network]

    def drain(self) -> None:
        """The process is about to end: nobody gets much time to read any more."""
        self.draining = True
        for one in list(self._admitted):
            one.drain()

    def _look(self) -> None:
        now = time.monotonic()
        timeout = self.options.write_timeout
        if self.draining:
            timeout = min(timeout, DRAINING_SECONDS)
        for one in list(self._admitted):
            one.look(now, timeout)
        for one, since in list(self._refused.items()):
            if now > since + REFUSAL_SECONDS:
                one.transport.abort()
        _free_memory(one for one in self._admitted if one.unread_since < now)
        if self._admitted or self._refused:
            asyncio.get_running_loop().call_later(self._every, self._look)

    def _tell(self, network: str | None) -> None:
        """Say once in a while that there are too many: a line for each would be an attack by itself."""
        now = time.monotonic()
        if now > self._told + TOLD_EVERY:
            self._told = now
            log.warning(
                "server.too_many_connections",
                connections=len(self._admitted),
                most=self._most,
                network=network,
                of_network=self._of_network[network],
            )

    def _is_trusted(self, address: str) -> bool:
        """Whether it is a proxy, behind which there are many clients."""
        trusted = self.options.trusted_proxies
        return bool(trusted) and any(ip_address(address) in network for network in trusted)


def _keep_little(transport: asyncio.Transport) -> None:
    """Keep few bytes of answers here, and have the system keep few more than it can send on."""
    transport.set_write_buffer_limits(high=UNSENT // 4)
    connection = transport.get_extra_info("socket")
    option = getattr(socket, "TCP_NOTSENT_LOWAT", None)
    if option is not None and connection is not None and connection.family != socket.AF_UNIX:
        connection.setsockopt(socket.IPPROTO_TCP, option, UNSENT)


def _free_memory(slow: Iterable[Watched]) -> None:
    """Cut off those who leave the most unread, until the others' answers fit."""
    by_size = sorted(slow, key=lambda one: one.unread)
    unread = sum(one.unread for one in by_size)
    while unread > MAX_UNREAD:
        largest = by_size.pop()
        unread -= largest.unread
        log.info("connection.cut_off", reason="memory", bytes=largest.unread)
        largest.transport.abort()


def _descriptors() -> int:
    """How many files the process may have open, after it took as many as the machine lets it have."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):  # some machines name a limit that they do not grant
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return sys.maxsize if soft == resource.RLIM_INFINITY else soft
