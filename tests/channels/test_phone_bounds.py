"""What the phone channel does not let in: late starts, malformed messages, strangers, floods."""

from __future__ import annotations

import asyncio
import contextlib
import json
from dataclasses import replace
from typing import Any

import pytest
from tests.channels.phone_calls import ULAW, admit, calling, closing, masked, peer, say
from websockets.exceptions import ConnectionClosed

from offhook.audio.frame import WIDEBAND
from offhook.channels.phone import PhoneSocket
from offhook.foundation.errors import LimitError, NotFoundError, RefusedError
from offhook.foundation.events import EndReason
from offhook.protocols.twilio_peer import PeerMark, PeerMedia


@pytest.mark.parametrize("first", [None, b'{"event":"connected"}'])
async def test_a_start_must_come_in_time(server: Any, first: bytes | None) -> None:
    async with server.client() as client:
        if first:
            await say(client, first)
        assert await closing(client) == (1008, "no start message in time")
    assert server.reception.calls == []


@pytest.mark.parametrize(
    ("messages", "code"),
    [
        (['{"event":'] * 3, 1007),
        (["[]", "null", "7"], 1007),
        (["[" * 60_000] * 3, 1007),
        ([b"\x00"] * 3, 1003),
        (["{", b"\x00", '{"event":"media","streamSid":"MZ2","media":{"payload":""}}'], 1008),
        ([peer().start().decode()] * 3, 1008),
    ],
)
async def test_the_third_malformed_message_closes(server: Any, messages: list[Any], code: int) -> None:
    async with calling(server) as (client, twilio):
        call = server.reception.call
        for message in messages[:2]:
            await client.send(message)
        await say(client, twilio.media(ULAW))
        assert await call.wait("audio") == [ULAW]
        await client.send(messages[2])
        found, reason = await closing(client)
        assert found == code
        assert reason
        assert await call.end() is EndReason.PROTOCOL_ERROR


async def test_audio_before_the_start_is_refused(server: Any) -> None:
    async with server.client() as client:
        await say(client, *[peer().media(ULAW)] * 3)
        assert (await closing(client))[0] == 1008
    assert server.reception.calls == []


async def test_a_message_may_have_64_kib_and_not_a_byte_more(server: Any) -> None:
    async with calling(server) as (client, twilio):
        await client.send('{"event":"novelty"}'.ljust(65_536))
        await say(client, twilio.media(ULAW))
        await server.reception.call.wait("audio")
        await client.send('{"event":"novelty"}'.ljust(65_537))
        assert (await closing(client))[0] == 1009
        assert await server.reception.call.end() is EndReason.PROTOCOL_ERROR


async def test_fragments_are_put_together_up_to_the_bound(server: Any) -> None:
    async with calling(server) as (client, twilio):
        raw = twilio.media(ULAW).decode()
        await client.send(raw[i : i + 7] for i in range(0, len(raw), 7))
        assert await server.reception.call.wait("audio") == [ULAW]
        await client.send("x" * 30_000 for _ in range(3))
        assert (await closing(client))[0] == 1009


async def test_fragments_of_nothing_are_counted_too(server: Any) -> None:
    async with calling(server) as (client, _):
        with contextlib.suppress(ConnectionClosed):
            await client.send("" for _ in range(1100))
        assert (await closing(client))[0] == 1009


@pytest.mark.parametrize(
    "frames",
    [
        masked(0xC1, b"{}"),  # a reserved bit
        masked(0x80, b"{}"),  # a continuation of nothing
        masked(0x01, b"{") + masked(0x81, b"}"),  # a message within a message
        masked(0x83, b""),  # an unknown opcode
        b"\x81\x02{}",  # not masked
    ],
    ids=["reserved", "continuation", "interleaved", "opcode", "unmasked"],
)
async def test_what_is_no_websocket_is_closed_with_1002(server: Any, frames: bytes) -> None:
    async with calling(server) as (client, _):
        client.transport.write(frames)
        assert (await closing(client))[0] == 1002
        assert await server.reception.call.end() is EndReason.PROTOCOL_ERROR


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (LimitError("no capacity now"), 1013),
        (NotFoundError("no such agent"), 1008),
        (RefusedError("not you"), 1008),
    ],
)
async def test_a_refused_arrival_says_why(server: Any, error: Any, code: int) -> None:
    server.reception.error = error
    async with server.client() as client:
        await say(client, peer().connected(), peer().start())
        assert await closing(client) == (code, error.reason)
    assert server.reception.calls == []


async def test_a_bad_token_constructs_nothing(server: Any) -> None:
    async with server.client() as client:
        await say(client, peer(parameters={"token": "bad"}).start())
        assert await closing(client) == (1008, "the token is not valid")
    assert server.reception.calls == []


@pytest.mark.parametrize(
    "format",
    [
        {"encoding": "audio/g729"},
        {"sampleRate": -8000},
        {"sampleRate": 11_025},
        {"channels": 2},
        {"encoding": 7},
        "ulaw",
    ],
)
async def test_a_start_in_a_format_that_is_not_offered_closes_at_once(server: Any, format: Any) -> None:
    body = json.loads(peer().start())
    body["start"]["mediaFormat"] = format
    async with server.client() as client:
        await client.send(json.dumps(body))
        code, reason = await closing(client)
    assert (code, server.reception.calls) == (1003, [])
    assert reason not in ("", "no start message in time")


@pytest.mark.parametrize(
    ("encoding", "rate", "code"),
    [("audio/x-l16", 16_000, 0), ("audio/x-l16", 24_000, 1003)],
)
async def test_other_formats_are_heard_or_refused(server: Any, encoding: str, rate: int, code: int) -> None:
    async with server.client() as client:
        twilio = peer(encoding=encoding, rate=rate)
        await say(client, twilio.connected(), twilio.start())
        if code:
            assert await closing(client) == (code, "pcm16 at 24000 Hz is not offered")
        elif rate == 16_000:
            await say(client, twilio.media(bytes(640)))
            async with asyncio.timeout(1):
                while not server.reception.calls:
                    await asyncio.sleep(0.002)
            await server.reception.call.wait("audio")
            assert server.reception.call.channel.format == WIDEBAND
            server.reception.call.channel.play(bytes(1280))
            assert twilio.receive(await client.recv()) == PeerMedia(bytes(1280))
        else:
            assert (await closing(client))[0] == 1008  # one bad start; no good one in time


async def test_a_crowd_after_a_stall_is_thinned_and_a_flood_closed(server: Any) -> None:
    async with calling(server) as (client, twilio):
        call = server.reception.call
        await say(client, *[twilio.media(ULAW) for _ in range(250)], twilio.dtmf("9"))
        await call.wait("digit")
        assert 100 <= len(call.heard("audio")) <= 130
        with contextlib.suppress(ConnectionClosed):
            await say(client, *[twilio.media(ULAW) for _ in range(400)])
        assert await closing(client) == (1008, "too many messages")
        assert await call.end() is EndReason.PROTOCOL_ERROR


async def test_long_messages_count_by_their_audio(server: Any) -> None:
    async with calling(server) as (client, twilio):
        call = server.reception.call
        await say(client, *[twilio.media(bytes(8_000)) for _ in range(10)], twilio.dtmf("9"))
        await call.wait("digit")
        assert [len(audio) for audio in call.heard("audio")] == [8_000, 8_000]
        assert [at for kind, *rest in call.told if kind == "audio" for at in rest[1:]] == [0, 1000]


async def test_digits_are_limited_to_20_a_second(server: Any) -> None:
    async with calling(server) as (client, twilio):
        call = server.reception.call
        await say(client, *[twilio.dtmf("1") for _ in range(45)], twilio.media(ULAW))
        await call.wait("audio")
        assert 20 <= len(call.heard("digit")) <= 23
        with contextlib.suppress(ConnectionClosed):
            await say(client, *[twilio.dtmf("1") for _ in range(400)])
        assert (await closing(client))[0] == 1008


async def test_marks_that_we_asked_for_are_not_limited(server: Any) -> None:
    async with calling(server) as (client, twilio):
        call = server.reception.call
        for number in range(300):
            call.channel.mark(str(number))
        for _ in range(300):
            mark = twilio.receive(await client.recv())
            assert isinstance(mark, PeerMark)
            await say(client, twilio.mark(mark.name))
        assert await call.wait("mark", 300) == [str(number) for number in range(300)]


async def test_pings_of_a_peer_that_does_not_read_are_not_hoarded(serve: Any, tight: Any) -> None:
    bounds = replace(tight, first_message_seconds=60.0)
    sockets: list[PhoneSocket] = []

    def listen(reception: Any, watch: Any) -> PhoneSocket:
        sockets.append(PhoneSocket(reception, admit, bounds, watch))
        return sockets[-1]

    async with serve(listen, auto_pong=False) as server, server.client() as client:
        client.transport.pause_reading()
        flood = masked(0x89, bytes(125)) * 500
        for _ in range(100):
            client.transport.write(flood)
            await asyncio.sleep(0)
        async with asyncio.timeout(2):
            while sockets[0].received < 50_000:
                await asyncio.sleep(0.01)
        assert sockets[0].queued() < 17_000
        client.transport.abort()
