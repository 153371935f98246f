"""Which addresses may be connected to. Checked at the socket, so that no name, redirect or second DNS answer gets by.

The table is our own: `ipaddress.is_global` calls several ways to loopback and to private networks global (NAT64
64:ff9b::/96, IPv4-compatible ::127.0.0.1, 6to4 2002:7f00:1::, multicast). It follows IANA's registries of
special-purpose addresses (RFC 6890 and its updates) and refuses every form that carries an IPv4 address within.
"""

from __future__ import annotations

import socket
from contextvars import ContextVar
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Network, ip_address
from typing import Any

_REFUSED_4 = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # carrier-grade NAT
        "127.0.0.0/8",  # loopback
        "168.63.129.16/32",  # Azure's platform services, from inside
        "169.254.0.0/16",  # link-local; the metadata services of clouds
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # IETF protocol assignments
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",  # private
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast
    )
)
_GLOBAL_6 = IPv6Network("2000::/3")  # all that IANA has ever allotted to unicast
_REFUSED_6 = tuple(
    IPv6Network(network)
    for network in (
        "2001::/23",  # IETF protocol assignments: Teredo, ORCHID
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: an IPv4 address within
        "3fff::/20",  # documentation
    )
)


@dataclass(slots=True)
class Hop:
    """One request on its way to a socket: where it goes, and what the guard said."""

    host: str
    private: bool = False  # the user wrote this host: any address will do
    refused: str = ""  # the address that the guard refused


current_hop: ContextVar[Hop] = ContextVar("current_hop")


def is_public(address: str) -> bool:
    """Whether `address`, an IP literal as the resolver gives it, is a host of the public internet."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(parsed, IPv4Address):
        return not any(parsed in network for network in _REFUSED_4)
    return parsed in _GLOBAL_6 and not any(parsed in network for network in _REFUSED_6)


def guarded_socket(info: tuple[Any, ...]) -> socket.socket:
    """The connector's socket factory: refuses an address that the current hop may not reach.

    `info` is an entry of getaddrinfo's answer. Raises OSError, as connecting to a closed port would, and notes the
    address in the hop.
    """
    family, kind, protocol, _, address = info
    hop = current_hop.get()
    if not hop.private and not is_public(address[0]):
        hop.refused = address[0]
        raise OSError(f"the address guard refuses {address[0]}")
    made = socket.socket(family=family, type=kind, proto=protocol)
    made.setblocking(False)
    return made
