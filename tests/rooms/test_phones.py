"""Callers who came to a real LiveKit server by telephone, as far as a token makes one: number, keys."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from livekit import api
from people import has_tone, somebody
from room_house import AGENT_TONE, house
from rooms_server import KEY, SECRET

from offhook.channels.livekit_server import NAMED, SINCE
from offhook.foundation.errors import LimitError
from offhook.foundation.events import DigitPressed

pytestmark = [
    pytest.mark.leaks("the native library keeps threads and sockets of its own"),
    pytest.mark.timeout(60),
]


def by_telephone(room: str) -> str:
    """What lets a caller by telephone into a room."""
    grants = api.VideoGrants(room_join=True, room=room)
    told = {"sip.phoneNumber": "+15550100", "sip.trunkPhoneNumber": "+15550199", "sip.callID": "SCL_1"}
    token = api.AccessToken(KEY, SECRET).with_identity("sip_1").with_kind("sip").with_grants(grants)
    return token.with_attributes(told).with_ttl(timedelta(minutes=5)).to_jwt()


async def test_a_caller_by_telephone_has_a_number_and_presses_keys(rooms_server) -> None:
    async with house(rooms_server, direct=True) as home:
        home.livekit.admit("phone", "unused", "", "default")
        async with somebody(rooms_server, "phone", "sip_1", token=by_telephone("phone")) as caller:
            await caller.until(lambda: has_tone(caller.heard, AGENT_TONE))
            (call,) = home.directory
            assert (call.arrival.caller, call.arrival.called) == ("+15550100", "+15550199")
            assert call.arrival.vendor_id == "SCL_1"
            for code, digit in ((1, "1"), (11, "#")):
                await caller.room.local_participant.publish_dtmf(code=code, digit=digit)
            await home.until(lambda: len(home.events(DigitPressed)) == 2)
            assert [one.digit for one in home.events(DigitPressed)] == ["1", "#"]


async def test_a_caller_by_telephone_who_is_refused_is_not_left_in_silence(rooms_server) -> None:
    def full(channel: Any, arrival: Any) -> Any:
        raise LimitError("no capacity for another call now")

    async with house(rooms_server, direct=True) as home:
        home.directory.arrive = full  # type: ignore[method-assign]
        home.livekit.admit("full", "unused", "", "default")
        async with somebody(rooms_server, "full", "sip_1", token=by_telephone("full")) as caller:
            await caller.until(lambda: "disconnected" in caller.events)


async def test_who_came_by_telephone_stays_with_the_agent_that_was_sent_first(rooms_server) -> None:
    grants = api.VideoGrants(room_join=True, room="two", agent=True)
    first = api.AccessToken(KEY, SECRET).with_identity("agent-first").with_kind("agent").with_grants(grants)
    first = first.with_attributes({NAMED: "offhook", SINCE: "0"})
    async with house(rooms_server, direct=True) as home:
        home.livekit.admit("two", "unused", "", "default")
        async with somebody(rooms_server, "two", "sip_1", token=by_telephone("two")) as caller:
            await caller.until(lambda: has_tone(caller.heard, AGENT_TONE))
            ours = caller.agent.identity
            async with somebody(rooms_server, "two", "agent-first", token=first.to_jwt(), speaks=False):
                await home.until(lambda: len(home.livekit.rooms) == 0)
                await caller.until(lambda: ours not in caller.room.remote_participants)
                assert "disconnected" not in caller.events
