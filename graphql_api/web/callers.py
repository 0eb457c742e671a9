"""Who is calling: the address behind proxies, and the context opened for a caller."""

from collections.abc import Awaitable, Callable, Mapping
from ipaddress import IPv4Network, IPv6Network
from typing import Protocol

from starlette.types import Scope

from graphql_api.domain.networks import parse_address
from graphql_api.schema.context import Caller

Network = IPv4Network | IPv6Network
MAX_HOPS = 20


class CallerContext(Protocol):
    """What the front door asks of the context that resolvers get."""

    @property
    def viewer_id(self) -> str | None:
        """By whom streams are counted; None for an anonymous caller."""

    async def credentials_ended(self) -> None:
        """Return once the bearer token stopped being valid; never, for an anonymous caller."""


OpenContext = Callable[[Caller], Awaitable[CallerContext]]
"""Finds out who calls; raises a Fault for a caller who cannot be served."""


def caller_of(scope: Scope, headers: Mapping[bytes, bytes], trusted: tuple[Network, ...]) -> Caller:
    """Return who sent a request."""
    authorization = headers.get(b"authorization")
    return Caller(
        None if authorization is None else authorization.decode("latin-1"),
        client_address(scope, headers, trusted),
        scope["state"]["request_id"],
    )


def client_address(scope: Scope, headers: Mapping[bytes, bytes], trusted: tuple[Network, ...]) -> str | None:
    """Return the caller's address: the last one in X-Forwarded-For that no trusted proxy has.

    Only what a trusted proxy appended is believed, so the entries are read from the right.
    """
    peer = scope.get("client")
    if peer is None:
        return None
    address = str(peer[0])
    forwarded = headers.get(b"x-forwarded-for")
    if not trusted or forwarded is None:
        return address
    for entry in reversed(forwarded.decode("latin-1").split(",")[-MAX_HOPS:]):
        known = parse_address(address)
        if known is None or not any(known in network for network in trusted):
            break
        before = parse_address(entry.strip())
        if before is None:
            break
        address = str(before)
    return address
