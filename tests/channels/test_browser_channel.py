"""The browser channel on real sockets: a whole call, coming back, Opus, refusals, slow and dead peers."""

from __future__ import annotations

import asyncio
import contextlib
import json
import struct
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from offhook.audio.frame import WIDEBAND
from offhook.audio.opus import OpusDecoder, OpusEncoder
from offhook.channels.base import Arrival
from offhook.channels.browser import BrowserSocket
from offhook.channels.resume import ResumeDesk
from offhook.foundation.errors import LimitError, NotFoundError, RefusedError
from offhook.foundation.events import (
    CallEnded,
    ChannelKind,
    EndReason,
    Entry,
    Floor,
    FloorChanged,
    LegKind,
    Levels,
    TranscriptFinal,
)
from offhook.protocols.browser import Start

PCM = bytes(range(64)) * 10


def admit(start: Start) -> Arrival:
    if start.token == "bad":
        raise RefusedError("the token is not valid")
    return Arrival(agent=start.agent, address="127.0.0.1")


def dumps(kind: str, **fields: Any) -> str:
    return json.dumps({"type": kind, **fields})


def frame(payload: bytes, at_ms: int = 0, codec: int = 1) -> bytes:
    return struct.pack("<BBHI", codec, 0, 0, at_ms) + payload


def entry(event: Any) -> Entry:
    return Entry("call_1", 1, 0, event)


class Door:
    """A server with its desk."""

    def __init__(self, server: Any, desk: ResumeDesk[Any]) -> None:
        self.server = server
        self.desk = desk

    @property
    def call(self) -> Any:
        return self.server.reception.call

    @contextlib.asynccontextmanager
    async def calling(self, **fields: Any) -> AsyncIterator[tuple[ClientConnection, dict[str, Any]]]:
        async with self.server.client() as client:
            await client.send(dumps("start", **fields))
            async with asyncio.timeout(2):
                yield client, json.loads(await client.recv())


@contextlib.asynccontextmanager
async def opened(serve: Any, bounds: Any, **options: Any) -> AsyncIterator[Door]:
    desk: ResumeDesk[Any] = ResumeDesk()
    listen = lambda reception, watch: BrowserSocket(reception, admit, bounds, watch, desk)  # noqa: E731
    async with serve(listen, **options) as server:
        yield Door(server, desk)
        async with asyncio.timeout(2):
            while len(desk):
                await asyncio.sleep(0.01)


@pytest.fixture
async def door(serve: Any, tight: Any) -> AsyncIterator[Door]:
    async with opened(serve, tight) as door:
        yield door


async def messages(client: ClientConnection, kind: str) -> dict[str, Any]:
    """The next text message of a kind."""
    while True:
        raw = await client.recv()
        if isinstance(raw, str) and json.loads(raw)["type"] == kind:
            return json.loads(raw)


async def closing(client: ClientConnection) -> tuple[int, list[dict[str, Any]]]:
    """The code that the server closes with, and the messages before it."""
    found = []
    async with asyncio.timeout(2):
        with contextlib.suppress(ConnectionClosed):
            while True:
                raw = await client.recv()
                if isinstance(raw, str):
                    found.append(json.loads(raw))
    return client.close_code or 0, found


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


async def test_the_first_message_must_be_a_start_in_time(door: Door) -> None:
    async with door.server.client() as client:
        assert (await closing(client))[0] == 1008
    async with door.server.client() as client:
        await client.send(frame(PCM))
        await client.send(dumps("text", text="hi"))
        await client.send(dumps("ping", id=1))
        assert (await closing(client))[0] == 1008
    assert door.server.reception.calls == []


@pytest.mark.parametrize(
    ("error", "code", "name"),
    [
        (LimitError("no capacity now"), 1013, "busy"),
        (NotFoundError("no such agent"), 1008, "not_found"),
        (RefusedError("not you"), 1008, "refused"),
    ],
)
async def test_a_refused_arrival_says_why(door: Door, error: Any, code: int, name: str) -> None:
    door.server.reception.error = error
    async with door.server.client() as client:
        await client.send(dumps("start"))
        said = {"type": "error", "code": name, "message": error.reason}
        assert await closing(client) == (code, [said])
    assert len(door.desk) == 0


async def test_a_bad_token_constructs_nothing(door: Door) -> None:
    async with door.server.client() as client:
        await client.send(dumps("start", token="bad"))
        assert (await closing(client))[0] == 1008
    assert (door.server.reception.calls, len(door.desk)) == ([], 0)


async def test_another_version_is_told_at_once(door: Door) -> None:
    async with door.server.client() as client:
        await client.send(dumps("start", version=2))
        code, said = await closing(client)
        assert (code, said[0]["code"]) == (1003, "unsupported")


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        (["{"] * 3, 1007),
        ([frame(PCM, codec=9)] * 3, 1003),
        ([dumps("start")] * 3, 1008),
        ([frame(b"123")] * 3, 1007),
    ],
)
async def test_the_third_malformed_message_closes_for_good(door: Door, bad: list[Any], code: int) -> None:
    async with door.calling() as (client, _):
        for message in bad:
            await client.send(message)
        assert (await closing(client))[0] == code
        assert await door.call.end() is EndReason.PROTOCOL_ERROR


async def test_one_oversized_frame_closes(door: Door) -> None:
    async with door.calling() as (client, _):
        await client.send(frame(bytes(6402)))
        assert (await closing(client))[0] == 1009


async def test_a_crowd_of_audio_is_thinned_and_a_flood_closed(door: Door) -> None:
    async with door.calling() as (client, _):
        for number in range(250):
            await client.send(frame(PCM, number * 20))
        await client.send(dumps("dtmf", digit="9"))
        await door.call.wait("digit")
        assert 100 <= len(door.call.heard("audio")) <= 130
        with contextlib.suppress(ConnectionClosed):
            for number in range(400):
                await client.send(frame(PCM, number * 20))
        assert (await closing(client))[0] == 1008


async def test_a_crowd_of_messages_is_thinned_and_a_flood_closed(door: Door) -> None:
    async with door.calling() as (client, _):
        for number in range(60):
            await client.send(dumps("text", text=str(number)))
        for _ in range(30):
            await client.send(dumps("dtmf", digit="9"))
        await door.call.wait("digit", 20)
        assert 30 <= len(door.call.heard("text")) <= 35
        assert 20 <= len(door.call.heard("digit")) <= 23
        with contextlib.suppress(ConnectionClosed):
            for _ in range(300):
                await client.send(dumps("mark", name="never issued"))
        assert (await closing(client))[0] == 1008


async def test_a_muted_page_is_pinged_and_stays(door: Door) -> None:
    async with door.calling() as (_, __):
        await asyncio.sleep(0.4)  # twice the silence that loses a peer; its library answers the pings
        assert door.call.told == []
        door.call.channel.hang_up(EndReason.AGENT_HUNG_UP)


async def test_a_page_that_answers_no_ping_is_lost(door: Door) -> None:
    async with door.calling() as (client, _):
        client.transport.pause_reading()
        await door.call.wait("lost")
        assert await door.call.end() is EndReason.PEER_LOST
        client.transport.abort()


async def test_a_slow_screen_loses_audio_and_levels_but_no_words(serve: Any, tight: Any) -> None:
    async with (
        opened(serve, replace(tight, media_silence_seconds=60.0)) as door,
        door.calling() as (client, _),
    ):
        channel = door.call.channel
        client.transport.pause_reading()
        while not channel.outbox.paused:
            channel.play(PCM)
        for number in range(300):
            channel.play(bytes([number % 250, 0]) * 320)
        channel.tell(entry(Levels(-1, -1)))
        channel.tell(entry(FloorChanged(Floor.SPEAKING)))
        assert channel.outbox.dropped > 200
        client.transport.resume_reading()
        last = b""
        while isinstance(raw := await client.recv(), bytes):
            last = raw
        assert json.loads(raw) == {"type": "state", "state": "speaking"}
        assert last[8:] == bytes([299 % 250, 0]) * 320
        assert not channel.outbox.paused
        channel.hang_up(EndReason.AGENT_HUNG_UP)


@pytest.mark.parametrize("words", [0, 300])
async def test_a_screen_that_never_reads_is_cut(serve: Any, tight: Any, words: int) -> None:
    silence = 60.0 if words else 0.1
    bounds = replace(tight, media_silence_seconds=silence, resume_seconds=0)
    async with opened(serve, bounds) as door, door.calling() as (client, _):
        channel = door.call.channel
        client.transport.pause_reading()
        while not channel.outbox.paused:
            channel.play(PCM)
        for _ in range(words):
            channel.tell(entry(FloorChanged(Floor.SPEAKING)))
        assert await door.call.end() is EndReason.PEER_LOST
        client.transport.abort()


async def test_a_fault_of_our_own_closes_with_1011(door: Door) -> None:
    async with door.calling() as (client, _):
        door.call.fails = True
        await client.send(frame(PCM))
        assert (await closing(client))[0] == 1011
        assert await door.call.end() is EndReason.CRASHED


async def test_a_fault_in_the_reception_leaves_nothing(door: Door) -> None:
    door.server.reception.error = ValueError("a fault of our own")
    async with door.server.client() as client:
        await client.send(dumps("start"))
        assert (await closing(client))[0] == 1011
    assert len(door.desk) == 0
