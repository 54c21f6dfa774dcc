"""Where tools may connect to: inner addresses in every spelling, rebinding, redirects."""

import asyncio

import httpx
import pytest

from offhook.foundation.errors import RefusedError
from offhook.tools.outward import PinnedTransport, is_public, resolve

INNER = """
127.0.0.1 127.8.9.1 0.0.0.0 10.1.2.3 172.16.0.1 192.168.1.1 169.254.169.254 100.64.0.1 192.0.2.1 224.0.0.1
255.255.255.255 ::1 :: fe80::1 fe80::1%eth0 fc00::1 ff02::1 ::ffff:127.0.0.1 ::ffff:169.254.169.254
64:ff9b::7f00:1 64:ff9b::a00:1 2002:7f00:1:: 2001:db8::1
"""


@pytest.mark.parametrize("address", INNER.split())
def test_inner_addresses_are_not_public(address):
    assert not is_public(address)


@pytest.mark.parametrize("address", ["1.1.1.1", "93.184.216.34", "2606:4700::1111", "::ffff:1.1.1.1"])
def test_addresses_of_the_internet_are_public(address):
    assert is_public(address)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0x7f.1", "2130706433", "::1", "127.1"])
async def test_inner_hosts_are_refused_however_they_are_spelled(host):
    with pytest.raises((RefusedError, ConnectionError)):
        await resolve(host, 80, allow_private=False)


async def test_an_inner_host_may_be_allowed():
    assert await resolve("127.0.0.1", 80, allow_private=True) == "127.0.0.1"


async def test_an_unknown_name_is_a_failed_connection(named):
    named({})
    with pytest.raises(ConnectionError):
        await resolve("nowhere.example", 80, allow_private=False)


async def test_a_name_is_resolved_once_and_that_address_is_used(named, service):
    """A resolver that answers with a public address first and an inner one then gains nothing."""
    asked = named({"rebind.example": ["93.184.216.34", "127.0.0.1"]})
    transport = PinnedTransport(False, httpx.Limits())
    request = httpx.Request("GET", f"http://rebind.example:{service.port}/")
    task = asyncio.create_task(transport.handle_async_request(request))
    await asyncio.sleep(0.05)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await transport.aclose()
    assert request.url.host == "93.184.216.34"
    assert asked.count("rebind.example") == 1
    assert service.asked == []


async def test_all_of_a_names_addresses_must_be_public(monkeypatch):
    async def getaddrinfo(self, host, port, **options):
        return [(0, 0, 0, "", (address, port)) for address in ("1.1.1.1", "10.0.0.1")]

    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", getaddrinfo)
    with pytest.raises(RefusedError):
        await resolve("two.example", 443, allow_private=False)


async def test_the_name_is_kept_for_host_header_and_certificate(named, service):
    named({"shop.example": ["127.0.0.1"], "127.0.0.1": ["127.0.0.1"]})
    transport = PinnedTransport(True, httpx.Limits())
    async with httpx.AsyncClient(transport=transport) as client:
        response = await client.get(f"http://shop.example:{service.port}/a")
    assert response.json() == {"temperature": 21}
    assert service.asked[0].headers["host"] == f"shop.example:{service.port}"
    assert response.request.extensions["sni_hostname"] == "shop.example"
