"""Who is asking, judged by address, Host and Origin: this machine, one of our pages? No state, no I/O.

Nothing here believes a forwarding header: what a proxy claims about a peer can be claimed by anyone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import urlsplit

_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}
_FORWARDED = (
    "forwarded",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-real-ip",
    "via",
    "cf-connecting-ip",
    "true-client-ip",
)


def address(text: str) -> IPv4Address | IPv6Address | None:
    """An IP address, with IPv4 inside IPv6 unwrapped; None when `text` is none."""
    try:
        found = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
        return found.ipv4_mapped
    return found


def authority(text: str) -> tuple[str, int | None] | None:
    """Host name (lower case, no brackets) and port of `host[:port]`; None when malformed."""
    if not text or any(mark in text for mark in "/\\@?# \t,"):
        return None
    try:
        parts = urlsplit("//" + text)
        name, port = parts.hostname, parts.port
    except ValueError:
        return None
    return (name.rstrip("."), port) if name else None


def is_loopback(name: str) -> bool:
    """Whether a host name or address means this machine."""
    if name == "localhost" or name.endswith(".localhost"):
        return True
    found = address(name)
    return found is not None and found.is_loopback


def is_local(peer: str, headers: Mapping[str, str]) -> bool:
    """Whether a request comes from a program on this machine, meant for this machine.

    The address must be loopback; Host must name this machine (a page that was rebound to
    127.0.0.1 by DNS still says its own name); and no proxy or tunnel may have passed it on.
    """
    host = authority(headers.get("host", ""))
    return (
        is_loopback(peer)
        and host is not None
        and is_loopback(host[0])
        and not any(name in headers for name in _FORWARDED)
    )


class Origins:
    """The hosts and page origins that this server answers to.

    `public_url` is the server's own address as the world sees it (or empty); `allowed` are
    origins of other pages that may place calls, such as "https://www.example.com".
    """

    def __init__(self, public_url: str = "", allowed: Iterable[str] = ()) -> None:
        origins = [origin.rstrip("/") for origin in (public_url, *allowed) if origin]
        self._origins = frozenset(filter(None, map(_origin, origins)))
        self._hosts = frozenset(name for _, name, _ in self._origins)

    def knows_host(self, host: str) -> bool:
        """Whether a Host header names this server: an address, this machine, or a configured name."""
        found = authority(host)
        return found is not None and (
            is_loopback(found[0]) or address(found[0]) is not None or found[0] in self._hosts
        )

    def allows(self, origin: str | None, host: str) -> bool:
        """Whether a page of `origin` may connect. Programs send no Origin, or any: it guards browsers."""
        if origin is None:
            return True
        found = _origin(origin)
        return found is not None and (
            found in self._origins or (same_host(origin, host) and self.knows_host(host))
        )


def same_host(origin: str, host: str) -> bool:
    """Whether an Origin header and a Host header name the same host and port (a proxy may have ended TLS)."""
    page, here = _origin(origin), authority(host)
    if page is None or here is None:
        return False
    scheme, name, port = page
    return name == here[0] and port == (here[1] or _PORTS[scheme])


def _origin(text: str) -> tuple[str, str, int] | None:
    try:
        parts = urlsplit(text)
        name, port = parts.hostname, parts.port
    except ValueError:
        return None
    if (
        parts.scheme not in _PORTS
        or not name
        or parts.path
        or parts.query
        or parts.fragment
        or parts.username
    ):
        return None
    return parts.scheme, name.rstrip("."), port or _PORTS[parts.scheme]
