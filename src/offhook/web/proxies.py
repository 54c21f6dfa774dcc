"""Whose words about a client's address are believed: the proxies that the settings name. No I/O.

A proxy appends to X-Forwarded-For the address that it was called from. Read from its end, the list is true
as long as the speakers are trusted; the first address that is no trusted proxy's is the client.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network, ip_network

from offhook.web.origin import address

_LONGEST_CHAIN = 20


class Proxies:
    """Networks of trusted proxies, like "127.0.0.1" or "10.0.0.0/8". Raises ValueError for others."""

    def __init__(self, networks: Iterable[str] = ()) -> None:
        self._networks: tuple[IPv4Network | IPv6Network, ...] = tuple(map(network, networks))

    def __bool__(self) -> bool:
        return bool(self._networks)

    def client(self, peer: str, headers: Iterable[tuple[bytes, bytes]]) -> str:
        """The address of who asks: `peer`, or whom the trusted proxies at `peer` speak for."""
        if not self._trusts(peer):
            return peer
        said = b",".join(value for name, value in headers if name == b"x-forwarded-for").decode("latin-1")
        chain = [part.strip() for part in said.split(",") if part.strip()][-_LONGEST_CHAIN:]
        found = peer
        for part in reversed(chain):
            if address(part) is None:
                return found
            found = part
            if not self._trusts(part):
                return found
        return found

    def _trusts(self, peer: str) -> bool:
        found = address(peer)
        return found is not None and any(
            found.version == known.version and found in known for known in self._networks
        )


def network(text: str) -> IPv4Network | IPv6Network:
    """An address or network in CIDR form. Raises ValueError."""
    return ip_network(text.strip(), strict=False)
