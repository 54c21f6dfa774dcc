"""What the browser channel does not let in, and pages that do not keep up or are not there any more."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from dataclasses import replace
from typing import Any

import pytest
from tests.channels.browser_calls import PCM, Door, closing, dumps, entry, frame, opened
from websockets.exceptions import ConnectionClosed

from offhook.foundation.errors import LimitError, NotFoundError, RefusedError
from offhook.foundation.events import (
    EndReason,
    Floor,
    FloorChanged,
    Levels,
)


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
    ("start", "cause"),
    [
        ({"codec": "mp3"}, "codec is neither pcm16 nor opus"),
        ({"resume": 5}, "resume is not a string"),
        ({"audio": "yes"}, "audio is not true or false"),
        ({"version": "one"}, "version is not a count"),
    ],
)
async def test_a_start_that_is_wrong_is_refused_at_once(door: Door, start: Any, cause: str) -> None:
    async with door.server.client() as client:
        await client.send(dumps("start", **start))
        said = {"type": "error", "code": "bad_start", "message": cause}
        assert await closing(client) == (1008, [said])
        assert client.close_reason == cause
    assert door.server.reception.calls == []


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


async def test_a_slow_screen_still_gets_the_end(serve: Any, tight: Any) -> None:
    bounds = replace(tight, media_silence_seconds=60.0, close_seconds=2.0)
    async with opened(serve, bounds) as door, door.calling() as (client, _):
        channel = door.call.channel
        client.transport.pause_reading()
        while not channel.outbox.paused:
            channel.play(PCM)
        channel.play(PCM)
        channel.hang_up(EndReason.AGENT_HUNG_UP)
        client.transport.resume_reading()
        code, said = await closing(client)
        assert (code, said[-1]) == (1000, {"type": "ended", "reason": "agent_hung_up"})


async def test_nobody_comes_back_to_a_call_that_is_ending(door: Door) -> None:
    async with door.calling() as (client, started):
        client.transport.pause_reading()
        door.call.channel.hang_up(EndReason.AGENT_HUNG_UP)
        async with door.server.client() as late:
            await late.send(dumps("start", resume=started["resume"]))
            assert (await closing(late))[0] == 4404
        assert await door.call.end() is EndReason.AGENT_HUNG_UP
        client.transport.abort()


async def test_without_opus_a_call_is_in_pcm(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "offhook.audio.opus", None)
    async with door.calling(codec="opus") as (client, started):
        assert started["codec"] == "pcm16"
        door.call.channel.play(PCM)
        assert await client.recv() == frame(PCM)
        for _ in range(3):
            await client.send(frame(b"\1\2\3\4", codec=2))
        assert (await closing(client))[0] == 1007
