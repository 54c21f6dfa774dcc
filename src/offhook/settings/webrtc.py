"""What can be set for calls by WebRTC without a server beside Offhook. Values only."""

from __future__ import annotations

import re
from ipaddress import ip_address

from pydantic import Field, SecretStr, field_validator, model_validator

from offhook.settings.vendors import Section

_SERVER = re.compile(
    r"(stun|turn|turns):(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(?::(\d{1,5}))?(?:\?transport=(udp|tcp))?"
)
_MOST_SERVERS = 4


class WebRtc(Section):
    """Callers by WebRTC. No server is asked for anything unless it is named here."""

    enabled: bool = True
    """Whether it is offered; it needs the extra `webrtc`."""
    ice_servers: list[str] = Field(default_factory=list)
    """STUN and TURN servers, for callers and for us: `stun:HOST:PORT`, `turn:HOST:PORT?transport=udp`."""
    turn_username: str = ""
    turn_password: SecretStr | None = None
    """A name and a password that the TURN server knows; callers are given them."""
    turn_secret: SecretStr | None = None
    """A secret shared with the TURN server (coturn's `static-auth-secret`): callers get names and passwords
    that are good for an hour."""
    addresses: list[str] = Field(default_factory=list)
    """Addresses of this machine that callers may use; all of them, where none is set."""
    announced_address: str = ""
    """What callers are told in place of our own IPv4 (or IPv6) address, behind a NAT that keeps ports."""
    ports: str = ""
    """UDP ports, first to last: `40000-40999`. A call takes one per address; any port, where none is set."""
    relay_only: bool = False
    """Whether callers may reach us by the TURN server only."""
    connect_seconds: float = Field(default=15.0, ge=2, le=60)
    """How long a connection may take to be made."""

    @field_validator("ice_servers")
    @classmethod
    def _servers(cls, value: list[str]) -> list[str]:
        for item in value:
            found = _SERVER.fullmatch(item)
            if found is None or (found[3] and not 0 < int(found[3]) < 65_536):
                raise ValueError("addresses like stun:stun.example.com:3478 or turn:turn.example.com:3478")
        if len(value) > _MOST_SERVERS:
            raise ValueError(f"at most {_MOST_SERVERS} servers")
        return value

    @field_validator("addresses")
    @classmethod
    def _addresses(cls, value: list[str]) -> list[str]:
        return [_address(item) for item in value]

    @field_validator("announced_address")
    @classmethod
    def _announced(cls, value: str) -> str:
        return _address(value) if value else ""

    @field_validator("ports")
    @classmethod
    def _ports(cls, value: str) -> str:
        first, _, last = value.partition("-")
        if value and not (
            first.isdecimal() and last.isdecimal() and 1024 <= int(first) <= int(last) <= 65_535
        ):
            raise ValueError("first and last UDP port, from 1024 to 65535, like 40000-40999")
        return value

    @model_validator(mode="after")
    def _check_relay(self) -> WebRtc:
        if self.relay_only and not any(server.startswith("turn") for server in self.ice_servers):
            raise ValueError("relay_only needs a TURN server in ice_servers")
        return self

    @property
    def port_range(self) -> tuple[int, int] | None:
        first, _, last = self.ports.partition("-")
        return (int(first), int(last)) if self.ports else None


def server_parts(value: str) -> tuple[str, str, int, str]:
    """Scheme, host, port and transport of one of `ice_servers`."""
    found = _SERVER.fullmatch(value)
    assert found is not None
    scheme, host, port, transport = found.groups()
    usual = 5349 if scheme == "turns" else 3478
    return scheme, host.strip("[]"), int(port or usual), transport or ("tcp" if scheme == "turns" else "udp")


def _address(value: str) -> str:
    try:
        return str(ip_address(value.strip()))
    except ValueError:
        raise ValueError("IP addresses of this machine, like 203.0.113.7") from None
