"""Where tools may connect to: names are resolved once, inner addresses refused, the address found is used.

So a name cannot be public when it is judged and inner when it is connected to, and no redirect leads inside.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket

import httpx

from offhook.foundation.errors import RefusedError

RESOLVE_S = 3.0
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


def is_public(address: str) -> bool:
    """Whether an IP address is one of the open internet: not of this machine, its network or its cloud."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if inner is None and ip in _NAT64:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
    return ip.is_global and not ip.is_multicast


async def resolve(host: str, port: int, allow_private: bool) -> str:
    """The address to connect to. RefusedError for an inner one, ConnectionError for an unknown name."""
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(RESOLVE_S):
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError, TimeoutError):
        raise ConnectionError("its name is not known") from None
    addresses = [str(entry[4][0]) for entry in found]
    if not addresses:
        raise ConnectionError("its name is not known")
    if not allow_private and not all(map(is_public, addresses)):
        raise RefusedError("its address is not a public one")
    return addresses[0]


class PinnedTransport(httpx.AsyncBaseTransport):
    """An httpx transport that connects to the address that was judged. Certificates are those of the name."""

    def __init__(self, allow_private: bool, limits: httpx.Limits) -> None:
        self._allow_private = allow_private
        self._inner = httpx.AsyncHTTPTransport(limits=limits, trust_env=False)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url
        port = url.port or (443 if url.scheme == "https" else 80)
        address = await resolve(url.host, port, self._allow_private)
        request.extensions = {**request.extensions, "sni_hostname": url.host}
        request.url = url.copy_with(host=address)
        return await self._inner.handle_async_request(request)

    async def aclose(self) -> None:
        await self._inner.aclose()
