"""The phone channel on real sockets: a whole call, hang-ups, silence, and peers that go."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import struct
from dataclasses import replace
from typing import Any

import pytest
from tests.channels.phone_calls import ULAW, admit, calling, closing, masked, peer, say
from websockets.exceptions import ConnectionClosed

from offhook.audio.frame import PHONE
from offhook.channels.base import Arrival
from offhook.channels.phone import PhoneSocket
from offhook.foundation.events import ChannelKind, EndReason
from offhook.protocols.twilio_peer import PeerClear, PeerMark, PeerMedia


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

    def get_extra_info(self, name: str) -> None:
        """Nothing is known of the connection."""

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
