"""Whether a request comes from a page of this server, in a browser on this machine."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from starlette.types import Scope

from graphql_api.domain.networks import parse_address

_FORWARDED = frozenset({b"forwarded", b"via", b"x-forwarded-for", b"x-forwarded-host", b"x-real-ip"})


def is_own_page(scope: Scope, headers: Mapping[bytes, bytes]) -> bool:
    """Did this server's own page, opened on this machine, send the request?

    - The peer is a loopback address, and no proxy says that it forwards for somebody else.
    - The browser says that the page is of the same origin. Pages cannot set this header, and neither another
      site nor another port of this machine is the same origin.
    - The page was opened by a loopback name. A name that somebody pointed at this machine is refused.
    """
    peer = scope.get("client")
    return (
        peer is not None
        and _is_loopback(str(peer[0]))
        and _FORWARDED.isdisjoint(headers)
        and headers.get(b"sec-fetch-site") == b"same-origin"
        and _is_loopback(_host_name(headers.get(b"host", b"")))
    )


def is_loopback_host(host: str) -> bool:
    """Whether a Host header names this machine."""
    return _is_loopback(_host_name(host.encode()))


def _host_name(host: bytes) -> str:
    try:
        return urlsplit(f"//{host.decode('latin-1')}").hostname or ""
    except ValueError:
        return ""


def _is_loopback(name: str) -> bool:
    address = parse_address(name)
    return name == "localhost" or (address is not None and address.is_loopback)
