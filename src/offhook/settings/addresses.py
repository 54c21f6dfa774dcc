"""Addresses in settings: what they must look like. No network."""

from __future__ import annotations

from urllib.parse import urlsplit


def http_address(value: str) -> str:
    """An http(s) address without query; a trailing slash is cut. Raises ValueError."""
    parts = urlsplit(value)
    if value and (parts.scheme not in ("http", "https") or not parts.hostname or parts.query):
        raise ValueError("an https:// or http:// address, like https://calls.example.com")
    return value.rstrip("/")
