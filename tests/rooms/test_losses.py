"""What becomes of room calls when connections are lost: the server's, the caller's, our own."""

from __future__ import annotations

import asyncio

import pytest
from livekit import rtc
from people import has_tone, somebody, tone
from room_house import AGENT_TONE, ALICE, WORDS, house
from rooms_server import RoomsServer

from offhook.channels.livekit import Rules
from offhook.foundation.events import CallEnded, CallStarted, EndReason, LegKind, TranscriptFinal

STATE = "lk.agent.state"
pytestmark = [
    pytest.mark.leaks("the native library keeps threads and sockets of its own"),
    pytest.mark.timeout(120),
]


async def killed_and_started(server: RoomsServer, seconds: float) -> None:
    server.kill()
    await asyncio.sleep(seconds)
    await asyncio.to_thread(server.start)


async def test_a_server_that_is_killed_and_started_again_in_mid_call(own_server) -> None:
    async with (
        house(own_server, rules=Rules(rejoin_s=30)) as home,
        somebody(own_server, "killed", "alice") as alice,
    ):
        await home.livekit.dispatch("killed", "default", "")
        await alice.until(lambda: "listening" in alice.states)
        await killed_and_started(own_server, 0.5)
        await alice.until(lambda: "reconnected" in alice.events, 40)
        await home.until(lambda: home.livekit.registration.registered and home.livekit.registration.losses)
        await alice.until(
            lambda: alice.agent is not None and alice.agent.attributes.get(STATE) == "listening"
        )
        before = len(alice.heard)
        await alice.speak(tone(ALICE, 600))
        said = await home.until(
            lambda: [one for one in home.events(TranscriptFinal) if one.leg is LegKind.CALLER]
        )
        assert said[0].text == WORDS[ALICE]
        await alice.until(lambda: has_tone(alice.heard[before:], AGENT_TONE))
        assert len(home.events(CallStarted)) == 1, "it is the same call"
        async with somebody(own_server, "after", "bob") as bob:
            await home.livekit.dispatch("after", "default", "")
            await bob.until(lambda: has_tone(bob.heard, AGENT_TONE))


async def test_a_server_that_stays_away_ends_the_call_and_the_caller_may_come_again(own_server) -> None:
    async with house(own_server, rules=Rules(rejoin_s=1.0)) as home:
        async with somebody(own_server, "gone", "alice") as alice:
            await home.livekit.dispatch("gone", "default", "")
            await alice.until(lambda: "listening" in alice.states)
            own_server.kill()
            (ended,) = await home.until(lambda: home.events(CallEnded))
            assert ended.reason is EndReason.PEER_LOST
            await home.until(lambda: len(home.livekit.rooms) == 0)
        await asyncio.to_thread(own_server.start)
        await home.until(lambda: home.livekit.registration.registered)
        given = home.livekit.admit("gone", "alice", "Alice", "default")
        async with somebody(own_server, "gone", "alice", token=given.token) as alice:
            await alice.until(lambda: has_tone(alice.heard, AGENT_TONE))
        assert len(home.events(CallStarted)) == 2


async def test_callers_who_change_networks_stay_on_their_calls(rooms_server) -> None:
    """One keeps their connection's other half, one has to build all of it anew."""
    scenarios = ("SIMULATE_SIGNAL_RECONNECT", "SIMULATE_FULL_RECONNECT")

    async def change(scenario: str) -> None:
        async with somebody(rooms_server, scenario, "alice") as alice:
            await home.livekit.dispatch(scenario, "default", "")
            await alice.until(lambda: "listening" in alice.states)
            await alice.room.simulate_scenario(getattr(rtc.SimulateScenarioKind, scenario))
            await alice.until(lambda: "reconnected" in alice.events, 20)
            before = len(alice.heard)
            await alice.speak(tone(ALICE, 600))
            await alice.until(lambda: has_tone(alice.heard[before:], AGENT_TONE))

    async with house(rooms_server) as home:
        await asyncio.gather(*map(change, scenarios))
        assert len(home.events(CallStarted)) == 2
        assert {one.reason for one in home.events(CallEnded)} <= {EndReason.CALLER_HUNG_UP}, "they left"


async def test_a_caller_who_crashes_is_waited_for_and_comes_back(rooms_server) -> None:
    """Another connection of the same identity takes the place of the first one, as after a crash."""
    async with (
        house(rooms_server, rules=Rules(rejoin_s=10)) as home,
        somebody(rooms_server, "crash", "alice") as alice,
    ):
        await home.livekit.dispatch("crash", "default", "")
        await alice.until(lambda: "listening" in alice.states)
        async with somebody(rooms_server, "crash", "alice") as again:
            await alice.until(lambda: "disconnected" in alice.events)
            await again.until(lambda: again.agent)
            await again.speak(tone(ALICE, 600))
            await home.until(lambda: home.replies.requests)
            assert len(home.events(CallStarted)) == 1
            assert home.events(CallEnded) == []


async def test_a_room_that_is_deleted_ends_the_call(rooms_server) -> None:
    from livekit import api

    async with house(rooms_server) as home, somebody(rooms_server, "deleted", "alice") as alice:
        await home.livekit.dispatch("deleted", "default", "")
        await alice.until(lambda: "listening" in alice.states)
        services = home.livekit._server._services()
        await services.room.delete_room(api.DeleteRoomRequest(room="deleted"))
        (ended,) = await home.until(lambda: home.events(CallEnded))
        assert ended.reason is EndReason.CALLER_HUNG_UP
        await home.until(lambda: len(home.livekit.rooms) == 0)


async def test_a_house_that_drains_takes_no_jobs_and_keeps_its_calls(rooms_server) -> None:
    async with house(rooms_server) as home, somebody(rooms_server, "drain", "alice") as alice:
        await home.livekit.dispatch("drain", "default", "")
        await alice.until(lambda: "listening" in alice.states)
        home.directory.draining = True
        async with somebody(rooms_server, "drained", "bob") as bob:
            await home.livekit.dispatch("drained", "default", "")
            await home.until(lambda: home.declined)
            assert bob.agent is None
        await alice.speak(tone(ALICE, 600))
        await home.until(lambda: home.replies.requests)
        assert len(home.directory) == 1
