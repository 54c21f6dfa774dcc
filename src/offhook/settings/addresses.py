"""Addresses in settings: what they must look like. No network."""

from __future__ import annotations

from ipaddress import ip_network
from urllib.parse import urlsplit


def http_address(value: str) -> str:
    """An http(s) address without query; a trailing slash is cut. Raises ValueError."""
    try:
        parts = urlsplit(value)
        is_address = (
            parts.scheme in ("http", "https") and parts.hostname and parts.port != 0 and not parts.query
        )
    except ValueError:  # a port over 65535, or what is no IPv6 address
        is_address = False
    if value and not is_address:
        raise ValueError("an https:// or http:// address, like https://calls.example.com")
    return value.rstrip("/")


def network(value: str) -> str:
    """An IP address or network as its network in CIDR form. Raises ValueError."""
    try:
        return str(ip_network(value.strip(), strict=False))
    except ValueError:
        raise ValueError("addresses or networks like 10.0.0.0/8, parted by commas") from None
