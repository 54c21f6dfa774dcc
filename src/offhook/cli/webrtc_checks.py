"""What `offhook doctor` looks at for calls by WebRTC: the package, the addresses, a UDP port, the servers."""

from __future__ import annotations

import socket
from collections.abc import Iterator

from offhook.cli.checks import Check, Mark
from offhook.providers.webrtc import has_webrtc, make_plan
from offhook.settings import Settings
from offhook.settings.webrtc import server_parts
from offhook.web.origin import is_loopback

_NAME = "webrtc"
_FEW_PORTS = 2
"""Ports per call and address that should be there: a call that goes another way has two for a moment."""


def check_webrtc(settings: Settings) -> Iterator[Check]:
    """Calls by WebRTC."""
    wanted = settings.webrtc
    if not wanted.enabled:
        yield Check(_NAME, Mark.GOOD, "switched off; callers come by WebSocket")
        return
    if not has_webrtc():
        advice = "pip install 'offhook[webrtc]', or set webrtc.enabled = false"
        yield Check(_NAME, Mark.NOTE, "not installed; callers come by WebSocket", advice)
        return
    plan = make_plan(settings)
    addresses = plan.found()
    bound = [address for address in addresses if _can_bind(address, wanted.port_range)]
    if not bound and not wanted.relay_only:
        advice = "correct webrtc.addresses and webrtc.ports"
        yield Check(_NAME, Mark.WRONG, f"no UDP port of {', '.join(addresses)} can be used", advice)
        return
    yield Check(_NAME, Mark.GOOD, f"UDP on {', '.join(bound)}" if bound else "by the TURN server only")
    if wanted.port_range is not None:
        yield from _check_ports(settings, wanted.port_range)
    for url in wanted.ice_servers:
        yield _check_server(url)
    if settings.public_url and not (wanted.addresses or wanted.announced_address or wanted.ice_servers):
        finding = "public_url is set: callers from outside may not find our UDP ports"
        yield Check(_NAME, Mark.NOTE, finding, "set webrtc.announced_address and ports (docs/webrtc.md)")
    elif not is_loopback(settings.host) and wanted.port_range is None and wanted.ice_servers == []:
        finding = "any UDP port may be used: a firewall has to let them through"
        yield Check(_NAME, Mark.NOTE, finding, "set webrtc.ports, and open them (docs/webrtc.md)")


def _check_ports(settings: Settings, ports: tuple[int, int]) -> Iterator[Check]:
    count = ports[1] - ports[0] + 1
    if count < _FEW_PORTS * settings.limits.max_calls:
        finding = f"{count} UDP ports for limits.max_calls = {settings.limits.max_calls}"
        yield Check(_NAME, Mark.NOTE, finding, "give webrtc.ports two for each call")


def _check_server(url: str) -> Check:
    _, host, port, _ = server_parts(url)
    try:
        socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)
    except OSError:
        return Check(_NAME, Mark.WRONG, f"{url}: there is no such host", "correct webrtc.ice_servers")
    return Check(_NAME, Mark.GOOD, f"{url} is known")


def _can_bind(address: str, ports: tuple[int, int] | None) -> bool:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    for port in range(ports[0], ports[1] + 1) if ports is not None else (0,):
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            try:
                probe.bind((address, port))
            except OSError:
                continue
            return True
    return False
