"""The browser channel on real sockets: a whole call, marks and clears, Opus, coming back."""

from __future__ import annotations

import struct
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from tests.channels.browser_calls import PCM, Door, closing, dumps, entry, frame, messages, opened

from offhook.audio.frame import WIDEBAND
from offhook.audio.opus import OpusDecoder, OpusEncoder
from offhook.channels.base import Arrival
from offhook.foundation.events import (
    CallEnded,
    ChannelKind,
    EndReason,
    Floor,
    FloorChanged,
    LegKind,
    Levels,
    TranscriptFinal,
)


async def test_a_whole_call(door: Door) -> None:
    async with door.calling(agent="sales", token="t") as (client, started):
        call = door.call
        assert call.arrival == Arrival(agent="sales", address="127.0.0.1")
        assert (call.channel.kind, call.channel.format, call.channel.peer) == (
            ChannelKind.BROWSER,
            WIDEBAND,
            "",
        )
        secret = started.pop("resume")
        assert len(secret) >= 43
        assert started == {
            "type": "started",
            "call_id": "call_1",
            "codec": "pcm16",
            "agent": "sales",
            "resumed": False,
            "epoch": 0,
        }
        await client.send(frame(PCM, 40))
        await client.send(dumps("text", text=" hello "))
        await client.send(dumps("dtmf", digit="#"))
        await call.wait("digit")
        assert call.told == [("audio", PCM, 40), ("text", "hello"), ("digit", "#")]

        call.channel.play(PCM * 4)
        call.channel.mark("m")
        assert await client.recv() == frame(PCM * 3)
        assert await client.recv() == frame(PCM, 60)
        await client.send(dumps("mark", name=(await messages(client, "mark"))["name"]))
        assert await call.wait("mark") == ["m"]

        await client.send(dumps("ping", id=7))
        assert await messages(client, "pong") == {"type": "pong", "id": 7}
        await client.send(dumps("mute", muted=True))
        await client.send(dumps("stats", round_trip_ms=12, jitter_ms=3, underruns=1))
        await client.send(dumps("end"))
        code, last = await closing(client)
        assert (code, last) == (1000, [{"type": "ended", "reason": "caller_hung_up"}])
        assert await call.end() is EndReason.CALLER_HUNG_UP
        assert call.channel.muted
        assert call.channel.stats.round_trip_ms == 12
    assert len(door.desk) == 0


async def test_what_is_shown_comes_in_order_and_the_end_once(door: Door) -> None:
    async with door.calling() as (client, _):
        channel = door.call.channel
        channel.tell(entry(FloorChanged(Floor.LISTENING)))
        channel.tell(entry(TranscriptFinal(LegKind.CALLER, 1, "hi", 0, 500)))
        channel.tell(entry(TranscriptFinal(LegKind.COACH, 1, "offer a discount", 0, 500)))
        channel.tell(entry(Levels(-20.04, -90.0)))
        channel.tell(entry(CallEnded(EndReason.AGENT_HUNG_UP)))
        channel.hang_up(EndReason.AGENT_HUNG_UP)
        channel.tell(entry(FloorChanged(Floor.SPEAKING)))
        code, shown = await closing(client)
        assert code == 1000
        assert [message["type"] for message in shown] == ["state", "transcript", "levels", "ended"]
        assert shown[1]["text"] == "hi"
        assert shown[2] == {"type": "levels", "caller": -20.0, "agent": -90.0}
        assert await door.call.end() is EndReason.AGENT_HUNG_UP


async def test_what_is_played_while_a_call_arrives_follows_started(door: Door) -> None:
    door.server.reception.first = lambda channel: (channel.play(PCM), channel.mark("greeting"))
    async with door.calling() as (client, started):
        assert started["type"] == "started"
        assert await client.recv() == frame(PCM)
        assert (await messages(client, "mark"))["name"].endswith("greeting")


async def test_a_call_that_ends_while_it_arrives(door: Door) -> None:
    door.server.reception.first = lambda channel: channel.hang_up(EndReason.AGENT_HUNG_UP)
    async with door.server.client() as client:
        await client.send(dumps("start"))
        assert await closing(client) == (1000, [{"type": "ended", "reason": "agent_hung_up"}])
        assert await door.call.end() is EndReason.AGENT_HUNG_UP


async def test_a_clear_begins_an_epoch_and_old_marks_are_not_heard(door: Door) -> None:
    async with door.calling() as (client, _):
        channel = door.call.channel
        channel.play(PCM)
        channel.mark("cut")
        channel.clear()
        channel.play(PCM)
        channel.mark("heard")
        cut = await messages(client, "mark")
        assert await messages(client, "clear") == {"type": "clear", "epoch": 1}
        assert await client.recv() == struct.pack("<BBHI", 1, 0, 1, 0) + PCM
        heard = await messages(client, "mark")
        await client.send(dumps("mark", name=cut["name"]))
        await client.send(dumps("mark", name=heard["name"]))
        assert await door.call.wait("mark") == ["heard"]


def tone(samples: int) -> np.ndarray:
    return (8000 * np.sin(2 * np.pi * 440 * np.arange(samples) / 16_000)).astype(np.int16)


async def test_opus_both_ways(door: Door) -> None:
    async with door.calling(codec="opus") as (client, started):
        assert started["codec"] == "opus"
        encoder, sound = OpusEncoder(16_000), tone(3200)
        for number in range(10):
            packet = encoder.encode(sound[number * 320 : number * 320 + 320])
            if packet:
                await client.send(frame(packet, number * 20, codec=2))
        heard = np.frombuffer(b"".join(await door.call.wait("audio", 9)), np.int16)
        assert 2800 <= len(heard) <= 3200
        assert np.abs(heard[1000:2500]).max() == pytest.approx(8000, rel=0.15)

        channel = door.call.channel
        channel.play(sound.tobytes()[:1000])
        channel.play(sound.tobytes()[1000:])
        channel.play(b"\1\0" * 100)
        channel.mark("flushed")
        decoder, packets = OpusDecoder(16_000), []
        while isinstance(raw := await client.recv(), bytes):
            assert struct.unpack_from("<BBHI", raw) == (2, 0, 0, len(packets) * 20)
            packets.append(decoder.decode(raw[8:]))
        assert len(packets) == 11
        assert np.abs(np.concatenate(packets)[1000:2500]).max() == pytest.approx(8000, rel=0.15)


async def test_opus_junk_is_malformed(door: Door) -> None:
    async with door.calling(codec="opus") as (client, _):
        for _ in range(3):
            await client.send(frame(b"\xff\xff\xff\xff\xff", codec=2))
        assert (await closing(client))[0] == 1007
        assert await door.call.end() is EndReason.PROTOCOL_ERROR


async def test_coming_back_to_the_same_call(door: Door) -> None:
    async with door.calling() as (client, started):
        call = door.call
        call.channel.mark("never returns")
        client.transport.abort()
        await call.wait("lost")
    call.channel.play(PCM)
    call.channel.mark("lost, too")
    call.channel.clear()
    call.channel.tell(entry(TranscriptFinal(LegKind.AGENT, 1, "meanwhile", 0, 500)))
    async with door.calling(resume=started["resume"]) as (client, again):
        assert again == {**started, "resumed": True, "epoch": 2}
        assert await call.wait("resumed") == [None]
        assert (await messages(client, "transcript"))["text"] == "meanwhile"
        call.channel.play(PCM)
        assert await client.recv() == struct.pack("<BBHI", 1, 0, 2, 0) + PCM
        await client.send(frame(PCM, 900))
        assert await call.wait("audio") == [PCM]
        await client.send(dumps("end"))
        assert await call.end() is EndReason.CALLER_HUNG_UP
    assert len(door.server.reception.calls) == 1


async def test_a_second_connection_takes_over_from_one_that_is_half_dead(door: Door) -> None:
    async with door.calling() as (old, started), door.calling(resume=started["resume"]) as (new, again):
        assert again["resumed"]
        assert (await closing(old))[0] == 1000
        call = door.call
        assert [kind for kind, *_ in call.told] == ["lost", "resumed"]
        await new.send(frame(PCM))
        assert await call.wait("audio") == [PCM]
        assert not call.closed.done()
        call.channel.hang_up(EndReason.AGENT_HUNG_UP)
        assert await call.end() is EndReason.AGENT_HUNG_UP


@pytest.mark.parametrize(("code", "reason"), [(0, EndReason.PEER_LOST), (1001, EndReason.CALLER_HUNG_UP)])
async def test_a_browser_that_does_not_come_back(door: Door, code: int, reason: EndReason) -> None:
    async with door.calling() as (client, started):
        if code:
            await client.close(code)
        else:
            client.transport.abort()
        assert await door.call.end() is reason
        assert door.call.heard("lost") == [None]
    async with door.server.client() as late:
        await late.send(dumps("start", resume=started["resume"]))
        code, said = await closing(late)
        assert code == 4404
        assert said[0]["code"] == "gone"


async def test_a_definite_close_ends_the_call_at_once(door: Door) -> None:
    async with door.calling() as (client, _):
        await client.close(1000)
        assert await door.call.end() is EndReason.CALLER_HUNG_UP
        assert door.call.heard("lost") == []


async def test_a_call_may_end_while_its_browser_is_away(door: Door) -> None:
    async with door.calling() as (client, _):
        client.transport.abort()
        await door.call.wait("lost")
        door.call.channel.hang_up(EndReason.NO_INPUT)
        door.call.channel.hang_up(EndReason.MAX_LENGTH)
        assert not door.call.closed.done()
        assert await door.call.end() is EndReason.NO_INPUT


async def test_without_a_window_nobody_comes_back(serve: Any, tight: Any) -> None:
    async with opened(serve, replace(tight, resume_seconds=0)) as door, door.calling() as (client, _):
        client.transport.abort()
        assert await door.call.end() is EndReason.PEER_LOST
        assert door.call.heard("lost") == []
