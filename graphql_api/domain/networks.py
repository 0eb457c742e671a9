"""The networks that callers come from."""

from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

_CUSTOMER = 64
"""Bits of an IPv6 address that stand for one customer, who has all the others."""


def parse_address(text: str) -> IPv4Address | IPv6Address | None:
    """Return the address that a text is, IPv4 also where it is written as IPv6; None if it is none."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


@lru_cache(10_000)
def network_of(text: str | None) -> str:
    """Return the network by which an address is counted: itself, or its /64 where it is of IPv6.

    Whoever has no address, or none of IP, is counted together with the like.
    """
    address = parse_address(text or "")
    if address is None:
        return text or ""
    if address.version != 6:  # noqa: PLR2004 - the version of IP
        return str(address)
    return str(ip_network((int(address), _CUSTOMER), strict=False))
