"""Room calls at a real LiveKit server: people by the official SDK on one side, a whole house on the other."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

import pytest
from livekit import rtc
from people import has_tone, keys, somebody, tone
from room_house import AGENT_TONE, ALICE, BOB, WORDS, house

from offhook.channels.livekit import EgressRules, Rules
from offhook.channels.livekit_worker import Decline
from offhook.foundation.desk_events import LegJoined, LegLeft
from offhook.foundation.errors import DeniedError, LimitError, ProviderError
from offhook.foundation.events import (
    CallEnded,
    CallStarted,
    EndReason,
    LegKind,
    Notice,
    TranscriptFinal,
)
from offhook.protocols.livekit_worker import Acceptance, Job

pytestmark = [
    pytest.mark.leaks("the native library keeps threads and sockets of its own"),
    pytest.mark.timeout(90),
]


async def test_the_agent_is_sent_greets_answers_and_shows_its_state(rooms_server) -> None:
    async with house(rooms_server) as home, somebody(rooms_server, "hello", "alice") as alice:
        sent = await home.livekit.dispatch("hello", "default", '{"plan": "gold"}')
        assert sent.new
        await alice.until(lambda: has_tone(alice.heard, AGENT_TONE))
        await alice.until(lambda: "listening" in alice.states)
        await alice.speak(tone(ALICE, 600))
        await alice.until(
            lambda: any(one.sender == alice.agent.identity for one in alice.lines("lk.transcription")[1:])
        )
        lines = [(one.sender, one.text) for one in alice.lines("lk.transcription")]
        agent = alice.agent.identity
        assert lines[:3] == [
            (agent, "Hello, how can I help you?"),
            ("alice", WORDS[ALICE]),
            (agent, "We are open from nine to five."),
        ]
        for state in ("initializing", "speaking", "listening", "thinking"):
            assert state in alice.states
        (call,) = home.directory
        assert call.arrival.caller == "alice"
        assert call.arrival.variables["plan"] == "gold"
        await alice.leave()
        (ended,) = await home.until(lambda: home.events(CallEnded))
        assert ended.reason is EndReason.CALLER_HUNG_UP
        await home.until(lambda: len(home.livekit.rooms) == 0)


async def test_a_token_brings_its_agent_along(rooms_server) -> None:
    """This server has no egress service: that is told, and the call is as it would be without."""
    async with house(rooms_server, egress=EgressRules("{call_id}.ogg")) as home:
        given = home.livekit.admit("brought", "carol", "Carol", "other")
        async with somebody(rooms_server, "brought", "carol", token=given.token) as carol:
            await carol.until(lambda: has_tone(carol.heard, AGENT_TONE))
            (started,) = home.events(CallStarted)
            assert started.agent == "other"
            (told,) = await home.until(lambda: home.events(Notice))
            assert "no egress service" in told.text
            assert home.events(CallEnded) == []


async def test_what_is_written_is_answered_in_writing_too(rooms_server) -> None:
    async with house(rooms_server) as home, somebody(rooms_server, "chat", "alice") as alice:
        await home.livekit.dispatch("chat", "default", "")
        await alice.until(lambda: "listening" in alice.states)
        await alice.write("When are you open?")
        (answer,) = await alice.until(lambda: alice.lines("lk.chat"))
        assert (answer.sender, answer.text) == (alice.agent.identity, "We are open from nine to five.")


async def test_what_is_written_before_the_call_begins_is_answered(
    rooms_server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("offhook.channels.livekit_room.HEARD_S", 1.0)  # for one who does not hear the agent
    async with (
        house(rooms_server) as home,
        somebody(rooms_server, "first words", "alice", hears=False, speaks=False) as alice,
    ):
        await home.livekit.dispatch("first words", "default", "")
        await alice.until(lambda: alice.agent and alice.agent.track_publications)
        await alice.write("When are you open?")
        (answer,) = await alice.until(lambda: alice.lines("lk.chat"))
        assert answer.text == "We are open from nine to five."


async def test_two_people_are_told_apart_and_both_answered(rooms_server) -> None:
    async with (
        house(rooms_server) as home,
        somebody(rooms_server, "two", "alice") as alice,
        somebody(rooms_server, "two", "bob") as bob,
    ):
        await home.livekit.dispatch("two", "default", "")
        await bob.until(lambda: "listening" in bob.states)
        await home.until(lambda: home.events(LegJoined))
        await bob.speak(tone(BOB, 600))
        said = await home.until(
            lambda: [one for one in home.events(TranscriptFinal) if one.leg is LegKind.GUEST]
        )
        assert (said[0].text, said[0].speaker) == (WORDS[BOB], "guest-1")
        await alice.until(lambda: any(one.sender == "bob" for one in alice.lines("lk.transcription")))
        await home.until(lambda: home.replies.requests)
        assert home.replies.requests[0].messages[-1].speaker == "Bob"
        await alice.until(lambda: alice.states[-1] == "listening")
        await alice.speak(tone(ALICE, 600))
        await home.until(lambda: [one for one in home.events(TranscriptFinal) if one.leg is LegKind.CALLER])
        assert has_tone(alice.heard, AGENT_TONE)
        assert has_tone(bob.heard, AGENT_TONE)
        assert not has_tone(alice.heard, BOB), "the agent does not publish what others say"
        assert {"caller", "agent", "guest-1"} <= home.reel.legs.keys()
        await bob.leave()
        (left,) = await home.until(lambda: home.events(LegLeft))
        assert (left.seat, left.lost) == ("guest-1", False)
        assert len(home.directory) == 1, "the caller is still there"


async def test_an_agent_is_sent_though_the_server_does_not_know_us_yet(rooms_server) -> None:
    async with house(rooms_server, registered=False) as home:
        assert not home.livekit.registration.registered
        await home.livekit.dispatch("early", "default", "")
        await home.until(lambda: len(home.livekit.rooms) == 1)


async def test_sending_twice_brings_one_agent(rooms_server) -> None:
    async with house(rooms_server) as home, somebody(rooms_server, "twice", "alice") as alice:
        first = await home.livekit.dispatch("twice", "default", "")
        await alice.until(lambda: alice.agent)
        again = await home.livekit.dispatch("twice", "default", "")
        assert (first.new, again.new, again.id) == (True, False, first.id)
        assert len(home.livekit.rooms) == 1


async def test_sending_twice_at_the_same_moment_brings_one_agent(rooms_server) -> None:
    async with house(rooms_server) as home, somebody(rooms_server, "at-once", "alice") as alice:
        sent = await asyncio.gather(*(home.livekit.dispatch("at-once", "default", "") for _ in range(5)))
        assert sorted(one.new for one in sent) == [False] * 4 + [True]
        assert len({one.id for one in sent}) == 1
        await alice.until(lambda: alice.agent)
        assert len(home.livekit.rooms) == 1


async def test_a_room_that_is_promised_an_agent_gets_no_second_one(rooms_server) -> None:
    async with house(rooms_server) as home:
        rooms = home.livekit.rooms
        first, second = Job("one", "promised"), Job("two", "promised")
        assert isinstance(rooms.consider(first), Acceptance)
        assert rooms.consider(second) == Decline(for_good=True)
        assert isinstance(rooms.consider(first), Acceptance), "the same job, offered again"
        assert isinstance(rooms.consider(replace(second, resuming=True)), Acceptance)
        assert isinstance(rooms.consider(Job("three", "another")), Acceptance)


async def test_an_agent_joins_directly_where_nobody_sends_it(rooms_server) -> None:
    async with house(rooms_server, direct=True) as home:
        given = home.livekit.admit("direct", "alice", "Alice", "default")
        async with somebody(rooms_server, "direct", "alice", token=given.token) as alice:
            await alice.until(lambda: has_tone(alice.heard, AGENT_TONE))
            again = await home.livekit.dispatch("direct", "default", "")
            assert not again.new
            assert len(home.livekit.rooms) == 1


async def test_methods_of_the_agent(rooms_server) -> None:
    async with (
        house(rooms_server, seconds=6.0) as home,
        somebody(rooms_server, "methods", "alice", host=True) as alice,
        somebody(rooms_server, "methods", "bob", speaks=False) as bob,
    ):
        await home.livekit.dispatch("methods", "default", "")
        await alice.until(lambda: "speaking" in alice.states)
        state = json.loads(await alice.ask("offhook.state"))
        assert state["call_id"] == next(iter(home.directory)).id
        assert {one["identity"] for one in state["people"]} == {"alice", "bob"}
        assert json.loads(await bob.ask("offhook.interrupt", "{}")) == {}
        await alice.until(lambda: alice.states[-1] == "listening")
        await alice.ask("offhook.say", json.dumps({"text": "One moment please."}))
        await alice.until(
            lambda: any(one.text.startswith("One") for one in alice.lines("lk.transcription", final=False))
        )
        for who, method, payload in (
            (bob, "offhook.say", '{"text": "I am the agent."}'),
            (alice, "offhook.say", "{}"),
            (alice, "offhook.say", "nonsense"),
        ):
            with pytest.raises(rtc.RpcError) as refused:
                await who.ask(method, payload)
            assert refused.value.code == 1403
        with pytest.raises(rtc.RpcError):
            await alice.ask("offhook.nothing")


async def test_who_floods_the_room_is_removed_and_the_others_go_on(rooms_server) -> None:
    async with (
        house(rooms_server) as home,
        somebody(rooms_server, "flood", "alice") as alice,
        somebody(rooms_server, "flood", "mallory", speaks=False) as mallory,
    ):
        await home.livekit.dispatch("flood", "default", "")
        await alice.until(lambda: "listening" in alice.states)

        async def flood() -> None:
            while "disconnected" not in mallory.events:
                await mallory.room.local_participant.publish_data(b"x" * 500, topic="noise")

        flooding = asyncio.create_task(flood())
        await mallory.until(lambda: "disconnected" in mallory.events)
        flooding.cancel()
        await asyncio.gather(flooding, return_exceptions=True)
        await alice.speak(tone(ALICE, 600))
        await home.until(lambda: home.replies.requests)
        assert len(home.directory) == 1


async def test_nobody_comes(rooms_server) -> None:
    async with house(rooms_server, rules=Rules(wait_s=0.5)) as home:
        await home.livekit.dispatch("empty", "default", "")
        await home.until(lambda: len(home.livekit.rooms) == 1)
        await home.until(lambda: len(home.livekit.rooms) == 0)
        assert home.events(CallStarted) == []


async def test_an_agent_that_nobody_knows_goes_nowhere(rooms_server) -> None:
    async with house(rooms_server) as home, somebody(rooms_server, "unknown", "alice") as alice:
        await home.livekit._server.dispatch("unknown", "offhook", '{"agent": "nobody"}')
        await home.until(lambda: home.declined == [Decline(for_good=True)])
        assert alice.agent is None
        assert len(home.livekit.rooms) == 0


async def test_a_full_house_takes_no_job_and_takes_it_once_there_is_room(rooms_server) -> None:
    async with house(rooms_server, max_calls=1) as home, somebody(rooms_server, "full-1", "alice") as alice:
        await home.livekit.dispatch("full-1", "default", "")
        await alice.until(lambda: has_tone(alice.heard, AGENT_TONE))
        async with somebody(rooms_server, "full-2", "bob") as bob:
            await home.livekit.dispatch("full-2", "default", "")
            with pytest.raises(TimeoutError):  # once the server knows, it does not even ask
                await bob.until(lambda: bob.agent, 1.0)
            assert all(not one.for_good for one in home.declined), "another process may have room"
        assert len(home.directory) == 1
        with pytest.raises(LimitError):
            home.livekit.rooms.check_room()


async def test_a_wrong_secret_is_told(rooms_server) -> None:
    from offhook.channels.livekit_server import Keys, RoomServer

    server = RoomServer(Keys(rooms_server.url, "devkey", "another-secret-0123456789-0123456789"))
    try:
        with pytest.raises(DeniedError):
            await server.dispatch("x", "offhook", "")
    finally:
        await server.close()


@pytest.mark.parametrize("life", [-3600, 300])
async def test_expired_and_forged_tokens_open_nothing(rooms_server, life: int) -> None:
    from datetime import timedelta

    from offhook.channels.livekit_server import Keys, caller_token

    secret = keys(rooms_server).secret if life < 0 else "a-forgers-secret-0123456789-0123456789"
    forged = Keys(rooms_server.url, "devkey", secret)
    token = caller_token(forged, "closed", "eve", "Eve", timedelta(seconds=life), None)
    with pytest.raises(rtc.ConnectError):
        async with somebody(rooms_server, "closed", "eve", token=token):
            raise AssertionError("the door was open")


async def test_a_server_that_is_not_there_is_told(rooms_server) -> None:
    from offhook.channels.livekit_server import Keys, RoomServer

    server = RoomServer(Keys("ws://127.0.0.1:9", "devkey", "a-secret-0123456789-0123456789-0123"))
    try:
        with pytest.raises(ProviderError) as told:
            await server.dispatch("x", "offhook", "")
        assert "9" not in told.value.reason
    finally:
        await server.close()
