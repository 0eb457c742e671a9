"""The figures and lists the front door is built from."""

from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network
from typing import Annotated

from pydantic import Field

GRAPHQL_PATH = "/graphql"
"""Where the GraphQL endpoint answers, over HTTP and WebSocket."""


@dataclass(frozen=True, slots=True)
class Options:
    """How the front door behaves; times are in seconds. docs/limits.md explains each limit.

    A figure with a range is a setting.
    """

    allowed_origins: tuple[str, ...] = ()
    """Web origins that may read answers and open sockets from a browser, besides our own; `*` is any."""

    trusted_proxies: tuple[IPv4Network | IPv6Network, ...] = ()
    """Networks whose X-Forwarded-For is believed."""

    max_head_bytes: Annotated[int, Field(ge=4_096, le=1_048_576)] = 65_536
    """Bytes of a request's head, and of what is around its body."""

    head_timeout: Annotated[float, Field(gt=0, le=600)] = 10.0
    """How long a head may take to arrive, from the connection or the head's first byte."""

    max_connections: Annotated[int, Field(ge=10, le=1_000_000)] = 10_000
    """Connections that are open in one process."""

    max_connections_per_address: Annotated[int, Field(ge=1, le=1_000_000)] = 1_000
    """Connections of one address, of IPv6 of one /64; those of trusted proxies are not counted."""

    write_timeout: Annotated[float, Field(gt=0, le=600)] = 15.0
    """How long a client may leave unread what it was sent."""

    max_body_bytes: Annotated[int, Field(ge=1_000, le=100_000_000)] = 1_048_576
    """Bytes of a request's body."""

    body_timeout: Annotated[float, Field(gt=0, le=600)] = 10.0
    """How long a body may take to arrive."""

    max_json_depth: Annotated[int, Field(ge=4, le=200)] = 32
    """Arrays and objects within one another in a body or message."""

    max_json_values: Annotated[int, Field(ge=100, le=1_000_000)] = 10_000
    """Values in a body or message."""

    max_message_bytes: Annotated[int, Field(ge=1_000, le=16_777_216)] = 65_536
    """Bytes of a message on a socket."""

    init_timeout: Annotated[float, Field(gt=0, le=60)] = 5.0
    """How long a socket may take to send connection_init."""

    max_operations_per_socket: Annotated[int, Field(ge=1, le=1_000)] = 20
    """Operations running on one socket."""

    max_streams_per_user: Annotated[int, Field(ge=1, le=10_000)] = 20
    """Sockets and event streams of one user, or of one address where there is no user."""

    heartbeat: Annotated[float, Field(gt=0, le=600)] = 12.0
    """Pause after which a silent event stream sends a comment, so that proxies keep it open."""

    access_log: bool = True
    """Whether every HTTP request leaves a line in the log."""
