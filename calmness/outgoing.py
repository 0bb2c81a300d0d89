"""Calls to addresses that a person gave (web push, webhooks): only to the open Internet, checked at each use.

A name is resolved once, every answer must be a public address, and the connection goes to the very address that was
checked: a name that changes its answer in between (DNS rebinding) gains nothing. No redirect is followed. Addresses of
providers come from the operator's settings, not from persons: they do not pass here.
"""

import ipaddress
import re
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolver = Callable[[str, int], Sequence[str]]

LONGEST = 700
TIMEOUT = (3.05, 5.0)
MOST_BYTES = 1024 * 1024
_SHAPE = re.compile(r"(https?)://([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::(\d{1,5}))?(/[!-\[\]-~]*)?")
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_LOCAL_NAMES = ("localhost", ".localhost", ".local", ".internal", ".home.arpa", ".lan", ".intranet", ".onion", ".test")
_PORTS = {"https": 443, "http": 80}


class Forbidden(ValueError):
    """Not an address that the house may call for a person. ``reason`` is a short word for logs."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Target:
    """A checked address: connect to ``addresses``, speak to ``host``."""

    url: str
    scheme: str
    host: str
    port: int
    addresses: tuple[str, ...]


def resolve(host: str, port: int) -> Sequence[str]:
    """Addresses of a name, as the system finds them."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def check(url: str, *, https_only: bool = True, hosts: Sequence[str] = (), resolver: Resolver = resolve) -> Target:
    """What may be called behind an address of a person. Raises ``Forbidden``.

    ``hosts`` limits it to names and their sub-names. Ports other than the scheme's own are refused.
    """
    shape = _SHAPE.fullmatch(url)
    if shape is None or len(url) > LONGEST:
        raise Forbidden("shape")
    scheme, host = shape[1], shape[2].lower().rstrip(".")
    if urlsplit(url).hostname != host.strip("[]"):
        raise Forbidden("shape")
    if https_only and scheme != "https":
        raise Forbidden("scheme")
    port = int(shape[3] or _PORTS[scheme])
    if port != _PORTS[scheme]:
        raise Forbidden("port")
    if hosts and not any(host == known or host.endswith("." + known) for known in hosts):
        raise Forbidden("host")
    if host == "localhost" or host.endswith(_LOCAL_NAMES) or "." not in host.strip("[]").replace(":", "."):
        raise Forbidden("local-name")
    try:
        found = resolver(host.strip("[]"), port)
    except (OSError, UnicodeError) as error:
        raise Forbidden("unresolved") from error
    if not found or not all(is_public(address) for address in found):
        raise Forbidden("private")
    return Target(url, scheme, host.strip("[]"), port, tuple(found))


def is_public(text: str) -> bool:
    """Whether an address belongs to the open Internet, also when it is wrapped in an IPv6 one."""
    try:
        address: Address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    inner = _inner(address)
    if inner is not None and not is_public(str(inner)):
        return False
    return address.is_global and not (
        address.is_multicast or address.is_reserved or address.is_unspecified or address.is_loopback
    )


def post(
    url: str,
    body: bytes,
    headers: dict[str, str],
    *,
    https_only: bool = True,
    hosts: Sequence[str] = (),
    resolver: Resolver = resolve,
) -> requests.Response:
    """Post to an address of a person, to the address that was checked. Raises ``Forbidden``, ``RequestException``.

    At most a megabyte of the answer is read; a redirect is an answer like any other.
    """
    target = check(url, https_only=https_only, hosts=hosts, resolver=resolver)
    with requests.Session() as session:
        session.trust_env = False
        session.mount(f"{target.scheme}://", _Pinned(target))
        response = session.post(url, data=body, headers=headers, timeout=TIMEOUT, allow_redirects=False, stream=True)
        response._content = response.raw.read(MOST_BYTES, decode_content=True)
        return response


class _Pinned(HTTPAdapter):
    """Connects to the checked address, with the name in the TLS handshake and in the ``Host`` header."""

    def __init__(self, target: Target) -> None:
        self._target = target
        super().__init__(max_retries=0)

    def get_connection_with_tls_context(self, request: Any, verify: Any, proxies: Any = None, cert: Any = None) -> Any:
        host_params, pool_kwargs = self.build_connection_pool_key_attributes(request, verify, cert)
        host_params["host"] = self._target.addresses[0]
        options: dict[str, Any] = dict(pool_kwargs)
        if self._target.scheme == "https":
            options |= {"assert_hostname": self._target.host, "server_hostname": self._target.host}
        return self.poolmanager.connection_from_host(**host_params, pool_kwargs=options)

    def add_headers(self, request: Any, **_values: Any) -> None:
        request.headers["Host"] = self._target.host


def _inner(address: Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address inside of an IPv6 one: mapped, 6to4, Teredo, NAT64 or the old compatible form."""
    if isinstance(address, ipaddress.IPv4Address):
        return None
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    if int(address) >> 32 == 0 and int(address) > 1:
        return ipaddress.IPv4Address(int(address))
    return None
