"""What a resolver may know of its request."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sent a request, as far as the wire tells: nothing here has been checked."""

    authorization: str | None
    client_address: str | None
    request_id: str
