"""The phone channel on real sockets: a whole call, every refusal, floods, silence, and peers that go."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import struct
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from offhook.audio.frame import PHONE, WIDEBAND
from offhook.channels.base import Arrival
from offhook.channels.phone import PhoneSocket
from offhook.foundation.errors import LimitError, NotFoundError, RefusedError
from offhook.foundation.events import ChannelKind, EndReason
from offhook.protocols.twilio import Started
from offhook.protocols.twilio_peer import PeerClear, PeerMark, PeerMedia, TwilioPeer

ULAW = bytes(range(160))


def admit(started: Started) -> Arrival:
    if started.parameters.get("token") == "bad":
        raise RefusedError("the token is not valid")
    return Arrival(agent=started.parameters.get("agent", ""), caller="+15550100", vendor_id=started.call_sid)


def peer(**options: Any) -> TwilioPeer:
    return TwilioPeer("CA1", "MZ1", "AC1", **options)


@pytest.fixture
async def server(serve, tight) -> AsyncIterator[Any]:
    async with serve(lambda reception, watch: PhoneSocket(reception, admit, tight, watch)) as server:
        yield server


@contextlib.asynccontextmanager
async def calling(server: Any, **options: Any) -> AsyncIterator[tuple[ClientConnection, TwilioPeer]]:
    """A client whose call is up."""
    twilio = peer(**options)
    async with server.client() as client:
        await client.send(twilio.connected().decode())
        await client.send(twilio.start().decode())
        async with asyncio.timeout(2):
            while not server.reception.calls:
                await asyncio.sleep(0.002)
        yield client, twilio


async def say(client: ClientConnection, *messages: bytes) -> None:
    for message in messages:
        await client.send(message.decode())


async def closing(client: ClientConnection) -> tuple[int, str]:
    """The code and reason that the server closes with."""
    async with asyncio.timeout(2):
        with contextlib.suppress(ConnectionClosed):
            while True:
                await client.recv()
    return client.close_code or 0, client.close_reason or ""


async def test_a_whole_call(server: Any) -> None:
    async with calling(server, parameters={"agent": "sales"}) as (client, twilio):
        call = server.reception.call
        channel = call.channel
        assert call.arrival == Arrival(agent="sales", caller="+15550100", vendor_id="CA1")
        assert (channel.kind, channel.format, channel.peer) == (ChannelKind.PHONE, PHONE, "+15550100")
        await say(client, twilio.media(ULAW), twilio.media(ULAW), twilio.dtmf("5"))
        await call.wait("digit")
        assert call.told == [("audio", ULAW, 0), ("audio", ULAW, 20), ("digit", "5")]

        channel.play(ULAW)
        channel.mark("m")
        assert twilio.receive(await client.recv()) == PeerMedia(ULAW)
        mark = twilio.receive(await client.recv())
        assert isinstance(mark, PeerMark)
        await say(client, twilio.mark(mark.name))
        assert await call.wait("mark") == ["m"]

        await say(client, twilio.stop())
        assert await call.end() is EndReason.CALLER_HUNG_UP
        assert (await closing(client))[0] == 1000


async def test_a_mark_that_a_clear_overtook_is_not_reported(server: Any) -> None:
    async with calling(server) as (client, twilio):
        channel = server.reception.call.channel
        channel.mark("cut")
        channel.clear()
        channel.mark("heard")
        cut, clear, heard = [twilio.receive(await client.recv()) for _ in range(3)]
        assert isinstance(cut, PeerMark)
        assert clear == PeerClear()
        assert isinstance(heard, PeerMark)
        await say(client, twilio.mark(cut.name), twilio.mark(heard.name))
        assert await server.reception.call.wait("mark") == ["heard"]


async def test_hanging_up_lets_leave_what_was_sent(server: Any) -> None:
    async with calling(server) as (client, twilio):
        channel, audio = server.reception.call.channel, os.urandom(20_000)
        channel.play(audio)
        channel.hang_up(EndReason.AGENT_HUNG_UP)
        channel.hang_up(EndReason.MAX_LENGTH)
        channel.play(ULAW)
        heard = []
        with contextlib.suppress(ConnectionClosed):
            while True:
                event = twilio.receive(await client.recv())
                assert isinstance(event, PeerMedia)
                heard.append(event.payload)
        assert b"".join(heard) == audio
        assert max(map(len, heard)) == 4_000
        assert client.close_code == 1000
        assert await server.reception.call.end() is EndReason.AGENT_HUNG_UP


async def test_a_call_may_be_played_to_and_ended_while_it_arrives(server: Any) -> None:
    def first(channel: Any) -> None:
        channel.play(ULAW)
        channel.hang_up(EndReason.AGENT_HUNG_UP)

    server.reception.first = first
    async with calling(server) as (client, twilio):
        assert twilio.receive(await client.recv()) == PeerMedia(ULAW)
        assert await closing(client) == (1000, "agent_hung_up")
        assert await server.reception.call.end() is EndReason.AGENT_HUNG_UP


@pytest.mark.parametrize("first", [None, b'{"event":"connected"}'])
async def test_a_start_must_come_in_time(server: Any, first: bytes | None) -> None:
    async with server.client() as client:
        if first:
            await say(client, first)
        assert await closing(client) == (1008, "no start message in time")
    assert server.reception.calls == []


async def test_no_media_for_long_means_that_the_peer_is_lost(server: Any) -> None:
    async with calling(server) as (client, twilio):
        for _ in range(4):
            await say(client, twilio.media(ULAW))
            await asyncio.sleep(0.04)
        assert not server.reception.call.closed.done()
        assert await server.reception.call.end() is EndReason.PEER_LOST
        assert (await closing(client))[0] in (0, 1006)


async def test_other_messages_do_not_stand_in_for_media(server: Any) -> None:
    async with calling(server) as (client, twilio):
        call = server.reception.call
        with contextlib.suppress(ConnectionClosed):
            while not call.closed.done():
                await say(client, twilio.dtmf("1"))
                await asyncio.sleep(0.05)
        assert await call.end() is EndReason.PEER_LOST


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


def masked(first: int, payload: bytes) -> bytes:
    return bytes([first, 0x80 | len(payload)]) + bytes(4) + payload


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
    ("encoding", "rate", "code"),
    [("audio/x-l16", 16_000, 0), ("audio/x-l16", 24_000, 1003), ("audio/mp3", 8000, 0)],
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


@pytest.mark.parametrize(
    ("code", "reason"), [(1000, EndReason.CALLER_HUNG_UP), (4000, EndReason.CALLER_HUNG_UP)]
)
async def test_a_definite_close_ends_the_call(server: Any, code: int, reason: EndReason) -> None:
    async with calling(server) as (client, _):
        await client.close(code)
        assert client.close_code == code
        assert await server.reception.call.end() is reason


async def test_a_close_without_a_code_ends_the_call(server: Any) -> None:
    async with calling(server) as (client, _):
        client.transport.write(masked(0x88, b""))
        assert await server.reception.call.end() is EndReason.CALLER_HUNG_UP


@pytest.mark.parametrize("reset", [True, False])
async def test_a_connection_that_just_goes_is_a_lost_peer(server: Any, reset: bool) -> None:
    async with calling(server) as (client, twilio):
        client.transport.write(twilio.media(ULAW)[:20])  # within a frame
        if reset:
            sock = client.transport.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.transport.abort()
        assert await server.reception.call.end() in (EndReason.PEER_LOST, EndReason.PROTOCOL_ERROR)


async def test_a_peer_that_stops_reading_is_hung_up(serve: Any, tight: Any) -> None:
    bounds = replace(tight, media_silence_seconds=60.0)
    listen = lambda reception, watch: PhoneSocket(reception, admit, bounds, watch)  # noqa: E731
    async with serve(listen) as server, calling(server) as (client, _):
        client.transport.pause_reading()
        call = server.reception.call
        sent = 0
        while not call.closed.done():
            call.channel.play(bytes(1600))
            sent += 1
            await asyncio.sleep(0)
            assert sent < 20_000, "never noticed"
        assert await call.end() is EndReason.PEER_LOST
        client.transport.abort()


async def test_a_peer_that_reads_slowly_is_noticed_by_the_watch(serve: Any, tight: Any) -> None:
    bounds = replace(tight, media_silence_seconds=60.0)
    listen = lambda reception, watch: PhoneSocket(reception, admit, bounds, watch)  # noqa: E731
    async with serve(listen) as server, calling(server) as (client, _):
        client.transport.pause_reading()
        call = server.reception.call
        socket_out = call.channel._socket
        while socket_out.queued() < 1.5 * socket_out._inbound.stalled_bytes:
            call.channel.play(bytes(1600))
        server.watch.interval = 0.01
        assert await call.end() is EndReason.PEER_LOST
        client.transport.abort()


async def test_a_fault_of_our_own_closes_with_1011_and_tells_the_call(server: Any) -> None:
    async with calling(server) as (client, twilio):
        server.reception.call.fails = True
        await say(client, twilio.media(ULAW))
        assert (await closing(client))[0] == 1011
        assert await server.reception.call.end() is EndReason.CRASHED


async def test_a_stopping_server_says_so(server: Any) -> None:
    async with calling(server) as (client, _):
        transport = server.reception.call.channel._socket._transport
        transport.send_close(1001)
        transport.disconnect()
        assert (await closing(client))[0] == 1001
        assert await server.reception.call.end() is EndReason.SERVER_STOPPED


@pytest.mark.parametrize("auto_pong", [True, False])
async def test_pings_are_answered(serve: Any, tight: Any, auto_pong: bool) -> None:
    listen = lambda reception, watch: PhoneSocket(reception, admit, tight, watch)  # noqa: E731
    async with serve(listen, auto_pong=auto_pong) as server, server.client() as client:
        async with asyncio.timeout(1):
            await (await client.ping(b"x"))


async def test_a_peer_that_does_not_answer_a_close_is_cut_off(server: Any) -> None:
    async with calling(server) as (client, _):
        client.transport.pause_reading()
        server.reception.call.channel.hang_up(EndReason.AGENT_HUNG_UP)
        assert await server.reception.call.end() is EndReason.AGENT_HUNG_UP
        client.transport.abort()


async def test_calls_do_not_disturb_each_other(server: Any) -> None:
    async with calling(server) as (good, twilio):
        call = server.reception.call
        async with server.client() as bad:
            await bad.send("[" * 60_000)
            await bad.send(b"x")
            await bad.send("y")
            assert (await closing(bad))[0] == 1007
        await say(good, twilio.media(ULAW))
        assert await call.wait("audio") == [ULAW]


class FailingTransport:
    """A transport whose every send fails."""

    def __init__(self) -> None:
        self.disconnected = 0
        self.close_handshake = None
        self.underlying_transport = self

    def get_write_buffer_size(self) -> int:
        return 0

    def send(self, *args: Any) -> None:
        raise RuntimeError("the transport is in trouble")

    send_ping = send_close = send

    def disconnect(self, graceful: bool = True) -> None:
        self.disconnected += 1


async def test_a_send_error_alone_does_not_end_a_call(serve: Any, tight: Any) -> None:
    async with serve(lambda reception, watch: PhoneSocket(reception, admit, tight, watch)) as server:
        listener, transport = PhoneSocket(server.reception, admit, tight, server.watch), FailingTransport()
        listener.on_ws_connected(transport)  # type: ignore[arg-type]
        listener.receive_text(peer().start())
        call = server.reception.call
        call.channel.play(ULAW)
        call.channel.mark("m")
        listener.ping()
        assert listener.send_errors == 3
        listener.receive_text(peer().media(ULAW))
        assert call.told == [("audio", ULAW, 0)]
        call.channel.hang_up(EndReason.AGENT_HUNG_UP)
        assert transport.disconnected == 1
        listener.on_ws_disconnected(transport)  # type: ignore[arg-type]
        assert await call.end() is EndReason.AGENT_HUNG_UP


def test_the_stop_message_is_what_twilio_sends() -> None:
    assert json.loads(peer().stop())["stop"] == {"accountSid": "AC1", "callSid": "CA1"}
