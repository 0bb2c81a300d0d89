"""Addresses of clients: what a limit counts by, and what may be kept of an address."""

from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network

from flask import request


def network_of(address: str | None) -> str:
    """The unit that guesses are counted by: the IPv4 address, or the /64 of an IPv6 one; ``unknown`` if unreadable."""
    try:
        parsed = ip_address(address or "")
    except ValueError:
        return "unknown"
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped:
            return str(parsed.ipv4_mapped)
        return str(ip_network((parsed, 64), strict=False))
    return str(parsed)


@lru_cache(maxsize=4096)
def truncated(address: str | None) -> str | None:
    """What may be kept of an address: /24 of IPv4, /48 of IPv6; None if unreadable."""
    try:
        parsed = ip_address(address or "")
    except ValueError:
        return None
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped:
        parsed = parsed.ipv4_mapped
    return str(ip_network((parsed, 24 if parsed.version == 4 else 48), strict=False).network_address)


def limit_key() -> str:
    """Key of the current request for rate limits. ProxyFix has already put the client's address in place."""
    return network_of(request.remote_addr)
