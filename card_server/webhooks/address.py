"""Where a webhook may lead: never into our own network, unless the settings allow it.

A name is resolved once, every address that it has is judged, and whoever connects takes one of the
judged addresses and no name: a resolver that answers differently a moment later changes nothing.
"""

import ipaddress
import socket
from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import urlsplit

from card_server.errors import AppError, Code

MAX_URL = 500
Resolve = Callable[[str, int], list[str]]
"""The addresses of a name; the port tells a resolver nothing but what it is for."""

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_SITE_LOCAL = ipaddress.ip_network("fec0::/10")
_COMPATIBLE = ipaddress.ip_network("::/96")


class Place(NamedTuple):
    """Where a URL leads, as far as its text says."""

    scheme: str
    host: str
    port: int


class RefusedError(Exception):
    """A place that a webhook must not lead to."""


def check_url(url: str, allow_private: bool) -> Place:
    """The place that a URL names. Raises AppError(INVALID) for one that no webhook may have."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise AppError(Code.INVALID, "This is not a web address.") from error
    if not url.isascii() or not url.isprintable() or set(url) & {" ", "\\"} or not host:
        raise AppError(Code.INVALID, "This is not a web address.")
    if len(url) > MAX_URL:
        raise AppError(Code.INVALID, "A web address may have 500 characters at most.")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise AppError(Code.INVALID, "A web address without a user, a password and a # is needed.")
    place = Place(parts.scheme, host, port or (80 if parts.scheme == "http" else 443))
    if place.scheme != "https" and not (
        place.scheme == "http" and _may_be_plain(host, allow_private)
    ):
        raise AppError(Code.INVALID, "The address must begin with https://.")
    literal = _literal(host)
    if literal is not None and not allow_private and not is_public(literal):
        raise AppError(Code.INVALID, "This address is inside a private network.")
    return place


def find_addresses(place: Place, resolve: Resolve, allow_private: bool) -> list[str]:
    """The addresses that a connection to this place may be made to.

    Raises RefusedError when even one of them is none for a webhook, OSError when there are none.
    """
    found = [
        ipaddress.ip_address(text.partition("%")[0]) for text in resolve(place.host, place.port)
    ]
    if not found:
        raise OSError("no address")
    if not allow_private and not all(map(is_public, found)):
        raise RefusedError("a private network")
    if place.scheme != "https" and not all(address.is_loopback for address in found):
        raise RefusedError("another machine without TLS")
    return [str(address) for address in found]


def resolve_by_system(host: str, port: int) -> list[str]:
    """What the system's resolver answers. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def is_public(address: _Address) -> bool:
    """Whether it belongs to the public internet, whatever it is wrapped in."""
    inner = _unwrap(address)
    if inner is not None:
        return is_public(inner)
    return address.is_global and not (
        address.is_multicast
        or address.is_reserved
        or address.is_unspecified
        or address in _SITE_LOCAL
    )


def _unwrap(address: _Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address that an IPv6 address stands for (RFC 4291, 3056, 4380, 6052)."""
    if isinstance(address, ipaddress.IPv4Address):
        return None
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    if address in _NAT64 or (address in _COMPATIBLE and int(address) > 1):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return None


def _literal(host: str) -> _Address | None:
    try:
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None


def _may_be_plain(host: str, allow_private: bool) -> bool:
    literal = _literal(host)
    is_here = host == "localhost" or (literal is not None and literal.is_loopback)
    return allow_private and is_here
