"""Callers who came to a real LiveKit server by telephone, as far as a token makes one: number, keys."""

from __future__ import annotations

from datetime import timedelta

import pytest
from livekit import api
from people import has_tone, somebody
from room_house import AGENT_TONE, house
from rooms_server import KEY, SECRET

from offhook.foundation.events import DigitPressed

pytestmark = [
    pytest.mark.leaks("the native library keeps threads and sockets of its own"),
    pytest.mark.timeout(60),
]


async def test_a_caller_by_telephone_has_a_number_and_presses_keys(rooms_server) -> None:
    grants = api.VideoGrants(room_join=True, room="phone")
    told = {"sip.phoneNumber": "+15550100", "sip.trunkPhoneNumber": "+15550199", "sip.callID": "SCL_1"}
    token = api.AccessToken(KEY, SECRET).with_identity("sip_1").with_kind("sip").with_grants(grants)
    token = token.with_attributes(told).with_ttl(timedelta(minutes=5))
    async with house(rooms_server, direct=True) as home:
        home.livekit.admit("phone", "unused", "", "default")
        async with somebody(rooms_server, "phone", "sip_1", token=token.to_jwt()) as caller:
            await caller.until(lambda: has_tone(caller.heard, AGENT_TONE))
            (call,) = home.directory
            assert (call.arrival.caller, call.arrival.called) == ("+15550100", "+15550199")
            assert call.arrival.vendor_id == "SCL_1"
            for code, digit in ((1, "1"), (11, "#")):
                await caller.room.local_participant.publish_dtmf(code=code, digit=digit)
            await home.until(lambda: len(home.events(DigitPressed)) == 2)
            assert [one.digit for one in home.events(DigitPressed)] == ["1", "#"]
