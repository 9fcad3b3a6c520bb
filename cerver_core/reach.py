"""Where an address that a customer gives may lead: to public hosts over https, never to this machine or its networks.

Names are resolved and every address is judged; what connects must then connect to the judged address itself, since a
name can answer differently the next time.
"""

import ipaddress
import socket
from collections.abc import Sequence
from functools import partial
from urllib.parse import urlsplit

import anyio
import anyio.to_thread

from cerver_core.errors import InvalidInput

__all__ = ["Forbidding", "check_url", "is_public", "is_public_host", "public_addresses"]

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_RESOLVE_LIMIT_S = 5
_PORTS = frozenset({443})
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_LOCAL_NAT64 = ipaddress.IPv6Network("64:ff9b:1::/48")
_NEVER = tuple(
    map(ipaddress.ip_network, ("192.0.0.0/24", "192.88.99.0/24", "198.18.0.0/15", "240.0.0.0/4", "fec0::/10", "::/96"))
)
"""What Python's `is_global` lets through, or let through in some version, and nobody serves customers on."""


class Forbidding(InvalidInput):
    """The address may not be used; the message says why, and never what was found there."""

    code = "invalid_input"


def check_url(url: str, *, allows_private_networks: bool) -> None:
    """Refuse a URL by its looks: another scheme than https, a port of its own, a name or literal of this machine.

    Makes no call. Raises:
        Forbidding: it may not be used.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise Forbidding("the address is not a URL") from None
    if allows_private_networks and parts.scheme in {"http", "https"} and host:
        return
    if parts.scheme != "https" or not host or parts.username is not None or parts.password is not None:
        raise Forbidding("the address must begin with https:// and hold no user or password")
    if port not in {None, *_PORTS}:
        raise Forbidding("the address must be on port 443")
    if not is_public_host(host):
        raise _refusal(host)


def is_public_host(host: str) -> bool:
    """Tell whether a host is not, by its looks, this machine or in a private network; asks no name server."""
    bare = host.rstrip(".").lower()
    if bare == "localhost" or bare.endswith((".localhost", ".local", ".internal")):
        return False
    try:
        return is_public(ipaddress.ip_address(bare.partition("%")[0]))
    except ValueError:
        return not _is_numeric(bare)


async def public_addresses(host: str, port: int, *, allows_private_networks: bool) -> Sequence[str]:
    """Resolve a name to the addresses that may be connected to: all of them, or none.

    Raises:
        Forbidding: one of its addresses is not public.
        OSError: the name does not resolve.
    """
    look = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
    with anyio.move_on_after(_RESOLVE_LIMIT_S):
        found = await anyio.to_thread.run_sync(look, abandon_on_cancel=True)
        addresses = tuple(dict.fromkeys(str(one[4][0]).partition("%")[0] for one in found))
        if not allows_private_networks and not all(is_public(ipaddress.ip_address(one)) for one in addresses):
            raise _refusal(host)
        return addresses
    raise TimeoutError(f"the name {host[:200]} was not resolved within {_RESOLVE_LIMIT_S} s")


def is_public(address: Address) -> bool:
    """Tell whether an address is one of the public Internet, also where an IPv4 address is hidden in an IPv6 one."""
    if isinstance(address, ipaddress.IPv6Address):
        hidden = _hidden(address)
        if hidden:
            return all(map(is_public, hidden))
        if address in _LOCAL_NAT64:
            return False
    is_never = any(address.version == network.version and address in network for network in _NEVER)
    return address.is_global and not address.is_multicast and not is_never


def _hidden(address: ipaddress.IPv6Address) -> Sequence[ipaddress.IPv4Address]:
    if address.ipv4_mapped is not None:
        return (address.ipv4_mapped,)
    if address.sixtofour is not None:
        return (address.sixtofour,)
    if address.teredo is not None:
        return address.teredo
    if address in _NAT64:
        return (ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF),)
    return ()


def _is_numeric(host: str) -> bool:
    """Tell whether a host is a number that the resolver would read as an address: 2130706433, 0x7f.1, 0177.0.0.1."""
    return host.rpartition(".")[2].startswith("0x") or not host.rpartition(".")[2].strip("0123456789")


def _refusal(host: str) -> Forbidding:
    return Forbidding(f"the address {host[:200]!r} leads to this machine or a private network; give a public one")
