"""Kinds of IP addresses: the special ranges of IANA's two special-purpose address registries.

Python's own `is_global` is not used: its answers change between patch releases, and it has no words for people.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

IPAddress = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_SPECIAL = {
    "a loopback address": ("127.0.0.0/8", "::1/128"),
    "a private address": (
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "fc00::/7",
        "fec0::/10",
        "64:ff9b:1::/48",  # NAT64 of a network's own, which leads into that network
    ),
    "a link-local address": ("169.254.0.0/16", "fe80::/10"),  # clouds keep credentials at 169.254.169.254
    "a carrier-grade NAT address": ("100.64.0.0/10",),
    "an unspecified address": ("0.0.0.0/8", "::/128"),
    "a multicast address": ("224.0.0.0/4", "ff00::/8"),
    "a cloud provider's internal address": ("168.63.129.16/32",),  # Azure's, public in form only
    "a reserved address": (
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "240.0.0.0/4",
        "2001::/23",
        "2001:db8::/32",
        "3fff::/20",
    ),
}
_KINDS = tuple((ip_network(text), kind) for kind, texts in _SPECIAL.items() for text in texts)
_GLOBAL_UNICAST = IPv6Network("2000::/3")
"""All that IANA has given out for use between networks."""

_MAPPED = IPv6Network("::ffff:0:0/96")
_NAT64 = IPv6Network("64:ff9b::/96")
_6TO4 = IPv6Network("2002::/16")

_LOCAL_NAMES = frozenset({"localhost", "localhost.localdomain", "ip6-localhost", "ip6-loopback"})
LOOPBACK: tuple[IPAddress, ...] = (IPv4Address("127.0.0.1"), IPv6Address("::1"))


def kind_of(address: IPAddress) -> str | None:
    """The special kind of an address, such as "a private address"; None for one of the public internet."""
    inner = embedded(address)
    if inner is not None:
        return kind_of(inner)
    for network, kind in _KINDS:
        if address in network:
            return kind
    if isinstance(address, IPv6Address) and address not in _GLOBAL_UNICAST:
        return "a reserved address"
    return None


def embedded(address: IPAddress) -> IPv4Address | None:
    """The IPv4 address that an IPv6 one stands for: mapped (RFC 4291), NAT64 (RFC 6052) or 6to4 (RFC 3056)."""
    if isinstance(address, IPv4Address):
        return None
    if address in _MAPPED or address in _NAT64:
        return IPv4Address(address.packed[12:])
    return IPv4Address(address.packed[2:6]) if address in _6TO4 else None


def forms(address: IPAddress) -> Iterator[IPAddress]:
    """The address, and the IPv4 address that it stands for."""
    yield address
    inner = embedded(address)
    if inner is not None:
        yield inner


def literal(host: str) -> IPAddress | None:
    """The address that a URL's host is, None for a name.

    Connecting understands more than dotted quads: 127.1, 0x7f.0.0.1 and 2130706433 are all 127.0.0.1.
    """
    text = host.removesuffix(".")
    try:
        return ip_address(text)
    except ValueError:
        pass
    try:
        return IPv4Address(socket.inet_aton(text))
    except OSError:
        return None


def is_localhost(host: str) -> bool:
    """Whether a name means the own machine everywhere (RFC 6761)."""
    name = host.removesuffix(".").lower()
    return name in _LOCAL_NAMES or name.endswith(".localhost")
