"""WebRTC's settings: what is refused, the plan of addresses, logins for TURN, what the doctor says."""

from __future__ import annotations

import hmac
import socket
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from offhook.cli.checks import Mark
from offhook.cli.webrtc_checks import check_webrtc
from offhook.providers import webrtc
from offhook.providers.webrtc import client_servers, login, make_plan
from offhook.settings import Limits, Settings, load, secret_values
from offhook.settings.webrtc import WebRtc, server_parts


def settings(**wanted: Any) -> Settings:
    return Settings(webrtc=WebRtc(**wanted), host=wanted.pop("host", "127.0.0.1"))


@pytest.mark.parametrize(
    "wrong",
    [
        {"ice_servers": ["stun.example.com"]},
        {"ice_servers": ["stun:stun.example.com:0"]},
        {"ice_servers": ["stun:stun.example.com:70000"]},
        {"ice_servers": ["turn:host?transport=sctp"]},
        {"ice_servers": ["stun:host"] * 5},
        {"addresses": ["nowhere"]},
        {"announced_address": "calls.example.com"},
        {"ports": "40000"},
        {"ports": "41000-40000"},
        {"ports": "80-90"},
        {"ports": "40000-70000"},
        {"relay_only": True},
        {"relay_only": True, "ice_servers": ["stun:host"]},
        {"connect_seconds": 1},
    ],
)
def test_wrong_settings(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        WebRtc(**wrong)


def test_settings_come_from_the_environment_and_secrets_are_known(tmp_path: Path) -> None:
    found = load(
        cwd=tmp_path,
        environ={
            "OFFHOOK_WEBRTC__ICE_SERVERS": "stun:a.example,turn:b.example:3479?transport=tcp",
            "OFFHOOK_WEBRTC__TURN_SECRET": "between us",
            "OFFHOOK_WEBRTC__PORTS": "40000-40999",
        },
    )
    assert found.webrtc.ice_servers == ["stun:a.example", "turn:b.example:3479?transport=tcp"]
    assert found.webrtc.port_range == (40_000, 40_999)
    assert "between us" in secret_values(found)


def test_servers_in_parts() -> None:
    assert server_parts("stun:a.example") == ("stun", "a.example", 3478, "udp")
    assert server_parts("turn:[2001:db8::1]:99") == ("turn", "2001:db8::1", 99, "udp")
    assert server_parts("turns:b.example") == ("turns", "b.example", 5349, "tcp")


def test_without_settings_no_server_is_asked() -> None:
    plan = make_plan(Settings())
    assert (plan.stun, plan.turn, plan.ports, plan.loopback) == (None, None, None, True)
    assert "127.0.0.1" in plan.found()
    assert client_servers(WebRtc()) == []
    assert not make_plan(Settings(host="0.0.0.0")).loopback


def test_the_plan_is_what_was_set() -> None:
    wanted = settings(
        ice_servers=["stun:a.example", "stun:c.example", "turns:b.example:99"],
        addresses=["127.0.0.1"],
        announced_address="203.0.113.7",
        ports="40000-40009",
        turn_username="me",
        turn_password=SecretStr("mine"),
        relay_only=True,
    )
    plan = make_plan(wanted)
    assert plan.stun is not None
    assert plan.turn is not None
    assert (plan.stun.host, plan.turn.host, plan.turn.port) == ("a.example", "b.example", 99)
    assert (plan.turn.tls, plan.turn.transport, plan.turn.login()) == (True, "tcp", ("me", "mine"))
    assert (plan.found(), plan.ports, plan.relay_only) == (["127.0.0.1"], (40_000, 40_009), True)
    assert client_servers(wanted.webrtc)[2] == {
        "urls": "turns:b.example:99",
        "username": "me",
        "credential": "mine",
    }


def test_logins_for_an_hour() -> None:
    wanted = WebRtc(ice_servers=["turn:b.example"], turn_secret=SecretStr("between us"))
    name, password = login(wanted, lambda: 1_000.0)()
    assert name == "4600:offhook"
    assert b64decode(password) == hmac.digest(b"between us", name.encode(), "sha1")
    assert client_servers(wanted)[0]["username"].endswith(":offhook")


def findings(wanted: Settings) -> list[tuple[Mark, str]]:
    return [(check.mark, check.finding) for check in check_webrtc(wanted)]


def test_the_doctor(monkeypatch: pytest.MonkeyPatch) -> None:
    ((mark, said),) = findings(settings(addresses=["127.0.0.1"]))
    assert (mark, said) == (Mark.GOOD, "UDP on 127.0.0.1")
    assert findings(settings(enabled=False))[0][0] is Mark.GOOD
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        wrong = settings(addresses=["127.0.0.1"], ports=f"{port}-{port}")
        assert findings(wrong)[0][0] is Mark.WRONG
    few = Settings(webrtc=WebRtc(addresses=["127.0.0.1"], ports="40000-40003"), limits=Limits(max_calls=3))
    assert findings(few)[1] == (Mark.NOTE, "4 UDP ports for limits.max_calls = 3")
    unknown = settings(addresses=["127.0.0.1"], ice_servers=["stun:nohost.invalid", "stun:127.0.0.1"])
    assert [mark for mark, _ in findings(unknown)] == [Mark.GOOD, Mark.WRONG, Mark.GOOD]
    public = Settings(webrtc=WebRtc(), public_url="https://calls.example.com")
    assert findings(public)[-1][0] is Mark.NOTE
    monkeypatch.setattr("offhook.cli.webrtc_checks.has_webrtc", lambda: False)
    assert findings(Settings())[0][0] is Mark.NOTE


def test_without_the_package_callers_come_by_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webrtc, "has_webrtc", lambda: False)
    nothing: Any = object()
    assert webrtc.with_webrtc(nothing, Settings(), nothing, nothing, nothing, nothing) == (nothing, None)
    off = settings(enabled=False)
    assert webrtc.with_webrtc(nothing, off, nothing, nothing, nothing, nothing) == (nothing, None)
