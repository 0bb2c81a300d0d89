"""How much of an address is used, and how much is kept."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

KEPT_BITS = {4: 24, 6: 48}
VISITOR_BITS = {4: 32, 6: 64}


def parsed(address: str | None) -> IPv4Address | IPv6Address | None:
    """The address, an IPv4 one also when it came wrapped in IPv6 (``::ffff:a.b.c.d``); None if unreadable."""
    try:
        found = ip_address((address or "").strip())
    except ValueError:
        return None
    if isinstance(found, IPv6Address):
        return found.ipv4_mapped or found
    return found


def kept_network(address: str | None) -> str | None:
    """What may be kept of an address: its /24 (IPv4) or /48 (IPv6), such as ``198.18.3.0/24``; None if unreadable."""
    return _network(address, KEPT_BITS)


def visitor_key(address: str | None) -> str | None:
    """What a visitor is counted by: the whole IPv4 address, or the /64 inside which privacy addresses change.

    Goes into the keyed hash of the day and is never stored itself.
    """
    return _network(address, VISITOR_BITS)


def _network(address: str | None, bits: dict[int, int]) -> str | None:
    found = parsed(address)
    return None if found is None else str(ip_network((found, bits[found.version]), strict=False))
