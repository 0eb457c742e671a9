"""The figures and lists the front door is built from."""

from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network


@dataclass(frozen=True, slots=True)
class Options:
    """How the front door behaves; times are in seconds. docs/limits.md explains each limit."""

    path: str = "/graphql"
    """Where the GraphQL endpoint answers, over HTTP and WebSocket."""

    allowed_origins: tuple[str, ...] = ()
    """Web origins that may read answers and open sockets from a browser, besides our own; `*` is any."""

    trusted_proxies: tuple[IPv4Network | IPv6Network, ...] = ()
    """Networks whose X-Forwarded-For is believed."""

    max_body_bytes: int = 1_048_576
    """Bytes of a request's body."""

    body_timeout: float = 10.0
    """How long a body may take to arrive."""

    max_json_depth: int = 32
    """Arrays and objects within one another in a body or message."""

    max_json_values: int = 10_000
    """Values in a body or message."""

    max_message_bytes: int = 65_536
    """Bytes of a message on a socket."""

    init_timeout: float = 5.0
    """How long a socket may take to send connection_init."""

    max_operations_per_socket: int = 20
    """Operations running on one socket."""

    max_streams_per_user: int = 20
    """Sockets and event streams of one user, or of one address where there is no user."""

    heartbeat: float = 12.0
    """Pause after which a silent event stream sends a comment, so that proxies keep it open."""

    access_log: bool = True
    """Whether every HTTP request leaves a line in the log."""

    log_exception_messages: bool = False
    """Whether the messages of unplanned exceptions are logged; they may hold values that callers sent."""
