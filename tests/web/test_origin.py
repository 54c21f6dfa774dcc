"""Addresses, Hosts and Origins: what counts as this machine, and which pages may call."""

from __future__ import annotations

import pytest

from offhook.web.origin import Origins, address, authority, is_local, is_loopback, same_host


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("localhost:8080", ("localhost", 8080)),
        ("EXAMPLE.com", ("example.com", None)),
        ("example.com.", ("example.com", None)),
        ("[::1]:80", ("::1", 80)),
        ("", None),
        ("a b", None),
        ("user@host", None),
        ("host/path", None),
        ("host:99999", None),
        ("host:x", None),
        ("[::1", None),
        (":80", None),
    ],
)
def test_authority(text: str, found: object) -> None:
    assert authority(text) == found


@pytest.mark.parametrize(
    "name", ["localhost", "x.localhost", "127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"]
)
def test_this_machine(name: str) -> None:
    assert is_loopback(name)


@pytest.mark.parametrize(
    "name", ["", "example.com", "10.0.0.1", "127.0.0.1.evil.com", "localhost.evil.com", "::2"]
)
def test_other_machines(name: str) -> None:
    assert not is_loopback(name)


def test_address_ignores_a_zone() -> None:
    assert str(address("fe80::1%eth0")) == "fe80::1"


def test_local_means_address_host_and_no_proxy() -> None:
    here = {"host": "127.0.0.1:8080"}
    assert is_local("127.0.0.1", here)
    assert is_local("::1", {"host": "localhost"})
    assert not is_local("10.0.0.9", here)
    assert not is_local("", here)
    assert not is_local("127.0.0.1", {})
    # A page rebound by DNS, and a public name passed on by a proxy on this machine.
    assert not is_local("127.0.0.1", {"host": "evil.example:8080"})
    for name in ("x-forwarded-for", "forwarded", "via", "x-real-ip", "cf-connecting-ip"):
        assert not is_local("127.0.0.1", {**here, name: "127.0.0.1"})


ORIGINS = Origins("https://calls.example.com", ["https://www.example.com", "http://dev.example:3000"])


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        (None, "anything"),
        ("http://127.0.0.1:8080", "127.0.0.1:8080"),
        ("http://localhost:8080", "localhost:8080"),
        ("http://192.168.1.5:8080", "192.168.1.5:8080"),
        ("https://calls.example.com", "calls.example.com"),
        ("https://calls.example.com", "127.0.0.1:8080"),  # behind a proxy that does not pass Host
        ("https://www.example.com", "calls.example.com"),
        ("http://dev.example:3000", "127.0.0.1:8080"),
        ("https://calls.example.com:443", "calls.example.com"),
    ],
)
def test_origins_that_may_call(origin: str | None, host: str) -> None:
    assert ORIGINS.allows(origin, host)


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("null", "127.0.0.1:8080"),
        ("", "127.0.0.1:8080"),
        ("https://evil.example", "127.0.0.1:8080"),
        ("http://evil.example:8080", "evil.example:8080"),  # DNS rebinding
        ("http://127.0.0.1:9999", "127.0.0.1:8080"),
        ("http://dev.example", "127.0.0.1:8080"),
        ("http://www.example.com", "127.0.0.1"),
        ("https://www.example.com.evil.example", "calls.example.com"),
        ("https://www.example.com/path", "127.0.0.1"),
        ("https://u@www.example.com", "127.0.0.1"),
        ("file://", "127.0.0.1"),
        ("http://[::1", "127.0.0.1"),
    ],
)
def test_origins_that_may_not(origin: str, host: str) -> None:
    assert not ORIGINS.allows(origin, host)


def test_known_hosts() -> None:
    assert ORIGINS.knows_host("calls.example.com:443")
    assert ORIGINS.knows_host("[::1]:80")
    assert not ORIGINS.knows_host("other.example")
    assert not ORIGINS.knows_host("")


def test_same_host_compares_ports() -> None:
    assert same_host("https://a.example", "a.example:443")
    assert not same_host("https://a.example", "a.example:8443")
    assert not same_host("https://a.example", "")
