"""Callers who came by LiveKit's telephony are put through by it (SIP REFER); others are not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

api = pytest.importorskip("livekit.api")
from offhook.channels.livekit_channel import LiveKitChannel  # noqa: E402
from offhook.channels.livekit_server import Keys, RoomServer  # noqa: E402
from offhook.foundation.errors import ProviderError, RefusedError  # noqa: E402


def channel() -> LiveKitChannel:
    return LiveKitChannel("+15550100", None, None, lambda reason: None)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("to", "referred"),
    [
        ("+1 (555) 01-42", "tel:+15550142"),
        ("sip:desk@example.com:5060", "sip:desk@example.com:5060"),
    ],
)
async def test_numbers_and_addresses(to: str, referred: str) -> None:
    one = channel()
    one.refers = True
    one.refer(to)
    assert one.referred == referred


@pytest.mark.parametrize("to", ["", "sales", "sip:desk", "tel:+1555", "+1555;x"])
async def test_what_is_none(to: str) -> None:
    one = channel()
    one.refers = True
    with pytest.raises(RefusedError):
        one.refer(to)
    assert one.referred == ""


async def test_who_came_by_a_browser_stays() -> None:
    with pytest.raises(RefusedError):
        channel().refer("+15550142")


@dataclass
class Telephony:
    status: Any
    asked: Any = None

    async def transfer_sip_participant(self, wish: Any, *, timeout: float | None = None) -> Any:
        self.asked = wish
        return api.TransferSIPParticipantResponse(status=self.status)


@dataclass
class Services:
    sip: Telephony


async def test_the_server_is_asked_as_its_sdk_says(monkeypatch: pytest.MonkeyPatch) -> None:
    server = RoomServer(Keys("ws://127.0.0.1:9", "devkey", "a-secret-0123456789-0123456789-0123"))
    sip = Telephony(api.SIPTransferStatus.STS_TRANSFER_SUCCESSFUL)
    monkeypatch.setattr(server, "_services", lambda: Services(sip))
    await server.refer("room", "sip_1", "tel:+15550142")
    asked = sip.asked
    assert (asked.room_name, asked.participant_identity, asked.transfer_to) == (
        "room",
        "sip_1",
        "tel:+15550142",
    )
    assert asked.ringing_timeout.seconds == 20
    sip.status = api.SIPTransferStatus.STS_TRANSFER_FAILED
    with pytest.raises(ProviderError):
        await server.refer("room", "sip_1", "tel:+15550142")
