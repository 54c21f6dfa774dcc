"""Makes what WebRTC callers need from settings: sessions, the plan of addresses, servers and logins."""

from __future__ import annotations

import hmac
import time
from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import structlog

from offhook.channels.base import Reception
from offhook.channels.bounds import SocketBounds
from offhook.channels.watch import Watch
from offhook.settings import Settings
from offhook.settings.webrtc import WebRtc, server_parts
from offhook.web.origin import is_loopback
from offhook.web.site import Parts
from offhook.workers.share import Share

if TYPE_CHECKING:
    from offhook.channels.webrtc import WebRtcDesk
    from offhook.channels.webrtc_ice import IcePlan

LOGIN_S = 3_600
_log = structlog.get_logger(__name__)


def has_webrtc() -> bool:
    """Whether the package is installed; it is not imported."""
    return find_spec("aiortc") is not None


def with_webrtc(
    parts: Parts,
    settings: Settings,
    share: Share,
    reception: Reception,
    bounds: SocketBounds,
    watch: Watch,
) -> tuple[Parts, WebRtcDesk | None]:
    """The parts with WebRTC callers; as they were where it is switched off, or its package is missing."""
    wanted = settings.webrtc
    if not wanted.enabled:
        return parts, None
    if not has_webrtc():
        _log.info("calls by WebRTC are not offered: they need pip install 'offhook[webrtc]'")
        return parts, None
    from offhook.channels.webrtc import WebRtcDesk

    desk = WebRtcDesk(
        reception,
        make_plan(settings),
        bounds,
        watch,
        share.new_call_id,
        share.resume_prefix,
        wanted.connect_seconds,
    )
    servers = partial(client_servers, wanted)
    return replace(parts, webrtc=share.webrtc(desk), rtc_servers=servers), desk


def make_plan(settings: Settings) -> IcePlan:
    """Where callers find us, and which servers we ask."""
    from offhook.channels.webrtc_ice import IcePlan, IceServer

    wanted = settings.webrtc
    stun = turn = None
    for url in wanted.ice_servers:
        scheme, host, port, transport = server_parts(url)
        if scheme == "stun":
            stun = stun or IceServer(host, port)
        else:
            turn = turn or IceServer(host, port, transport, scheme == "turns", login(wanted))
    return IcePlan(
        addresses=tuple(wanted.addresses),
        loopback=is_loopback(settings.host),
        ports=wanted.port_range,
        announced=wanted.announced_address,
        stun=stun,
        turn=turn,
        relay_only=wanted.relay_only,
    )


def login(wanted: WebRtc, wall: Callable[[], float] = time.time) -> Callable[[], tuple[str, str]]:
    """Names and passwords for the TURN server: those that are set, or such that are good for an hour."""
    secret = wanted.turn_secret.get_secret_value().encode() if wanted.turn_secret is not None else b""
    password = wanted.turn_password.get_secret_value() if wanted.turn_password is not None else ""

    def now() -> tuple[str, str]:
        if not secret:
            return wanted.turn_username, password
        name = f"{int(wall()) + LOGIN_S}:{wanted.turn_username or 'offhook'}"
        return name, b64encode(hmac.digest(secret, name.encode(), "sha1")).decode()

    return now


def client_servers(wanted: WebRtc) -> list[dict[str, Any]]:
    """The servers as a browser's RTCPeerConnection takes them."""
    servers: list[dict[str, Any]] = []
    logged_in = login(wanted)
    for url in wanted.ice_servers:
        if url.startswith("stun"):
            servers.append({"urls": url})
        else:
            name, password = logged_in()
            servers.append({"urls": url, "username": name, "credential": password})
    return servers
