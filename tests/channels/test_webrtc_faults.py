"""Bad WebRTC callers: offers that are none, connections that do not come up, floods: how each ends."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any

import pytest
from aiortc.rtcdtlstransport import RTCCertificate
from hypothesis import given
from hypothesis import strategies as st
from tests.channels.webrtc_calls import BOUNDS, Client, Voice, house

from offhook.channels.bounds import SocketBounds
from offhook.channels.webrtc_ice import IcePlan
from offhook.channels.webrtc_sdp import MOST_CANDIDATES, Side, read_offer, write_answer
from offhook.channels.webrtc_sessions import Answered
from offhook.channels.webrtc_transport import MOST_UNREAD
from offhook.foundation.errors import ConflictError, LimitError, NotFoundError, WireError
from offhook.foundation.events import EndReason
from offhook.protocols.base import SizeError

SDP = """v=0
o=- 1 2 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0 1
m=audio 9 UDP/TLS/RTP/SAVPF 111 110
c=IN IP4 0.0.0.0
a=mid:0
a=sendrecv
a=rtcp-mux
a=ice-ufrag:abcd
a=ice-pwd:abcdefghijklmnopqrstuv
a=fingerprint:sha-256 AA:BB
a=setup:actpass
a=rtpmap:111 opus/48000/2
a=rtpmap:110 telephone-event/48000
a=candidate:1 1 udp 2130706431 192.0.2.9 5000 typ host
m=application 9 UDP/DTLS/SCTP webrtc-datachannel
c=IN IP4 0.0.0.0
a=mid:1
a=ice-ufrag:abcd
a=ice-pwd:abcdefghijklmnopqrstuv
a=fingerprint:sha-256 AA:BB
a=setup:actpass
a=sctp-port:5000
"""


def test_an_offer_as_values() -> None:
    offer = read_offer(SDP)
    assert (offer.audio, offer.data, offer.opus, offer.digits, offer.digits_rate) == (0, 1, 111, 110, 48_000)
    assert (offer.direction, offer.setup, offer.lite) == ("sendrecv", "active", False)
    assert offer.candidates == ("1 1 udp 2130706431 192.0.2.9 5000 typ host",)
    assert (offer.sends, offer.hears) == (True, True)
    many = SDP + "a=candidate:1 1 udp 1 192.0.2.9 5000 typ host\n" * 3
    many += "".join(f"a=candidate:{n} 1 udp 1 192.0.2.9 {n + 1} typ host\n" for n in range(40))
    assert len(read_offer(many).candidates) == MOST_CANDIDATES


@pytest.mark.parametrize(
    ("was", "becomes", "why"),
    [
        ("m=audio 9", "m=audio 0", "no audio"),
        ("m=audio", "m=video", "no audio"),
        ("opus/48000/2", "PCMU/8000", "no audio"),
        ("a=sendrecv", "a=inactive", "no audio"),
        ("a=rtcp-mux\n", "", "no audio"),
        ("a=ice-pwd:abcdefghijklmnopqrstuv", "a=ice-pwd:short", "ICE name"),
        ("a=ice-ufrag:abcd", "a=ice-ufrag:a b", "ICE name"),
        ("a=fingerprint:sha-256 AA:BB", "a=fingerprint:md5 AA", "fingerprint"),
        ("a=fingerprint:sha-256 AA:BB\n", "", "fingerprint"),
        ("a=setup:actpass\n", "", "fingerprint"),
        ("a=mid:0", "a=mid:\x00\x01", "token"),
        ("a=setup:actpass", "a=setup:whatever", "no SDP"),
        ("m=audio 9 UDP/TLS/RTP/SAVPF 111 110", "m=audio nine", "no SDP"),
        ("a=rtpmap:111 opus/48000/2", "a=rtpmap:x", "no SDP"),
        ("c=IN IP4 0.0.0.0", "c=IN", "no SDP"),
    ],
)
def test_offers_that_are_refused(was: str, becomes: str, why: str) -> None:
    assert was in SDP
    with pytest.raises(WireError, match=why):
        read_offer(SDP.replace(was, becomes))


@pytest.mark.parametrize("text", ["", "v=0", "garbage", "\x00" * 100, "m=", "m=audio\na=", "é" * 50])
def test_garbage_is_no_offer(text: str) -> None:
    with pytest.raises(WireError):
        read_offer(text)


def test_too_much_is_no_offer() -> None:
    with pytest.raises(SizeError):
        read_offer(SDP + "a=x\n" * 10_000)


@given(st.data())
def test_a_spoilt_offer_is_read_or_refused(data: st.DataObject) -> None:
    lines = SDP.splitlines()
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(lines) - 1))
        junk = data.draw(st.text(max_size=20) | st.sampled_from([lines[at][: len(lines[at]) // 2], ""]))
        lines[at] = data.draw(st.sampled_from([junk, lines[at] + junk, f"{lines[at][:2]}{junk}"]))
    try:
        offer = read_offer("\n".join(lines))
    except WireError:
        return
    side = Side("name", "password", (), (("sha-256", "CC"),), 5)
    assert "\n" not in write_answer(offer, side).replace("\r\n", "")


def test_a_data_transport_of_its_own_is_declined() -> None:
    offer = read_offer(SDP.replace("a=group:BUNDLE 0 1\n", ""))
    assert offer.data == -1
    answer = write_answer(offer, Side("name", "password", (), (("sha-256", "CC"),), 5))
    assert "m=application 0 UDP/DTLS/SCTP webrtc-datachannel" in answer
    assert "a=group" not in answer.replace("a=group:BUNDLE 0\r\n", "")


async def _begun(here: Any, **options: Any) -> Client:
    client = here.client(Voice(), **options)
    client.answered = await here.desk.begin(await client.offer(), here.newcomer())
    return client


async def test_a_connection_that_is_never_made_is_no_call() -> None:
    async with house(patience_s=0.3) as here:
        await _begun(here)  # whose client takes no answer
        assert (here.desk.waiting, len(here.desk)) == (1, 1)
        async with asyncio.timeout(2):
            while here.gone == 0 or len(here.desk):
                await asyncio.sleep(0.02)
        assert here.reception.calls == []
        assert here.desk.waiting == 0


async def test_a_caller_may_give_up_before_it_is_made() -> None:
    async with house(patience_s=5) as here:
        client = await _begun(here)
        await here.desk.leave(client.answered.session)
        with pytest.raises(NotFoundError):
            await here.desk.leave(client.answered.session)
        await client.until(lambda: here.gone == 1)
        assert here.reception.calls == []


@pytest.mark.parametrize("wrong", ["password", "fingerprint"])
async def test_who_is_not_who_offered_is_no_call(wrong: str) -> None:
    """Checks with another password are not answered; DTLS with another certificate fails."""
    async with house(patience_s=1.0) as here:
        client = here.client(Voice())
        offer = await client.offer()
        if wrong == "fingerprint":
            other = RTCCertificate.generateCertificate().getFingerprints()[0].value
            offer = re.sub(r"(a=fingerprint:sha-256) .*", rf"\1 {other}", offer)
            offer = re.sub(r"a=fingerprint:sha-(384|512).*\r\n", "", offer)
        answered = await here.desk.begin(offer, here.newcomer())
        answer = answered.sdp
        if wrong == "password":
            answer = re.sub(r"a=ice-pwd:\S+", "a=ice-pwd:" + "0" * 32, answer)
        await client.take(answer)
        await client.until(lambda: here.gone == 1)
        assert here.reception.calls == []


@pytest.mark.parametrize(
    "messages",
    [
        ["no JSON"] * 3,
        [b"\x01\x00sound"] * 3,
        [json.dumps({"type": "start"})] * 3,
        ["x" * 65_537],
    ],
)
async def test_messages_that_are_wrong_end_the_call(messages: list[Any]) -> None:
    async with house() as here:
        client, call = await here.calling()
        client.connection.sctp._remote_max_message_size = 0
        for message in messages:
            client.channel.send(message)
        assert await call.end() is EndReason.PROTOCOL_ERROR
        assert (await client.message("error"))["code"] == "protocol"


async def test_two_wrong_messages_are_an_accident() -> None:
    async with house() as here:
        client, call = await here.calling()
        client.channel.send("no JSON")
        client.channel.send(json.dumps({"type": "text", "text": 5}))
        client.say("ping", id=1)
        await client.message("pong")
        assert not call.closed.done()


async def test_a_flood_of_messages_ends_the_call() -> None:
    async with house() as here:
        client, call = await here.calling()
        for n in range(400):
            client.say("ping", id=n)
        assert await call.end() is EndReason.PROTOCOL_ERROR


async def test_a_message_without_end_ends_the_call() -> None:
    async with house() as here:
        client, call = await here.calling()
        sctp = client.connection.sctp
        sctp._remote_max_message_size = 0
        client.channel.send(b"x" * (2 * MOST_UNREAD))
        assert await call.end() is EndReason.PROTOCOL_ERROR


async def test_many_channels_end_the_call() -> None:
    async with house() as here:
        client, call = await here.calling()
        for n in range(40):
            client.connection.createDataChannel(f"other {n}")
        assert await call.end() is EndReason.PROTOCOL_ERROR


async def test_another_channel_is_closed_and_the_call_goes_on() -> None:
    async with house() as here:
        client, call = await here.calling()
        other = client.connection.createDataChannel("other")
        await client.until(lambda: other.readyState == "closed")
        client.say("ping", id=1)
        await client.message("pong")
        assert not call.closed.done()


@pytest.mark.parametrize("chunk", [b"\x00\x03\x00\x05\x01\x00\x00\x00", b"\xc0\x00\x00\x06\x00\x01\x00\x00"])
async def test_broken_sctp_is_the_peers_fault(chunk: bytes, caplog: pytest.LogCaptureFixture) -> None:
    async with house() as here:
        client, call = await here.calling()
        peer = here.desk._find(client.answered.session).peer_now
        assert peer is not None
        sctp = peer._sctp
        assert sctp is not None

        async def parse(*given: Any) -> None:
            raise AssertionError("what its parser asserts")

        sctp._receive_chunk = parse  # type: ignore[method-assign]
        client.say("ping", id=1)
        assert await call.end() is EndReason.PROTOCOL_ERROR
        assert not [record for record in caplog.records if record.exc_info]


async def test_a_flood_of_sound_ends_the_call() -> None:
    bounds = SocketBounds(media_rate=10, media_burst=20, close_seconds=0.2)
    async with house(bounds=bounds) as here:
        client, call = await here.calling()
        assert await asyncio.wait_for(asyncio.shield(call.closed), 8) is EndReason.PROTOCOL_ERROR
        assert 0 < len(call.heard("audio")) < 80
        del client


async def test_packets_that_are_not_the_callers_are_nothing() -> None:
    async with house() as here:
        client, call = await here.calling()
        peer = here.desk._find(client.answered.session).peer_now
        assert peer is not None
        _, port = peer._ice.local_candidates[0].host, peer._ice.local_candidates[0].port
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(
            asyncio.DatagramProtocol, local_addr=("127.0.0.1", 0)
        )
        before = peer.received
        for junk in (
            b"\x80" * 40,
            b"\x16" * 40,
            b"\x80\xc9" + bytes(30),
            b"",
            b"\x00\x01\x00\x00" + bytes(16),
        ):
            transport.sendto(junk, ("127.0.0.1", port))
        transport.close()
        heard = len(call.heard("audio"))
        await client.until(lambda: len(call.heard("audio")) > heard + 10)
        assert peer.received - before < 40
        assert not call.closed.done()


async def test_candidates_are_bounded_and_for_the_way_that_there_is() -> None:
    async with house() as here:
        client, _ = await here.calling()
        session = client.answered.session
        line = "a=candidate:1 1 udp 1 192.0.2.9 {} typ host\n"
        assert await here.desk.trickle(session, line.format(5000)) == ("", client.answered.tag)
        with pytest.raises(ConflictError):
            await here.desk.trickle(session, line.format(5001), "another")
        for wrong in (
            "a=candidate:x\n",
            line.format(0),
            line.format(70_000),
            "a=ice-ufrag:name\n",
            "nothing",
        ):
            with pytest.raises(WireError):
                await here.desk.trickle(session, wrong)
        many = "".join(line.format(5000 + n) for n in range(30))
        for _ in range(2):
            await here.desk.trickle(session, many)
        with pytest.raises(WireError, match="too many"):
            await here.desk.trickle(session, many)


async def test_names_that_would_have_to_be_looked_up_are_not() -> None:
    async with house() as here:
        client = await _begun(here)
        peer = here.desk._find(client.answered.session).coming
        assert peer is not None
        before = len(peer._ice.remote_candidates)
        for host in ("4af7-8b2e.local", "not-an-address"):
            await here.desk.trickle(client.answered.session, f"a=candidate:1 1 udp 1 {host} 5000 typ host")
        await here.desk.trickle(
            client.answered.session, "a=candidate:1 1 tcp 1 192.0.2.9 9 typ host tcptype active"
        )
        assert len(peer._ice.remote_candidates) == before


async def test_a_stopping_house_ends_what_has_not_begun_and_what_has() -> None:
    async with house(bounds=BOUNDS, patience_s=5) as here:
        await _begun(here)
        _, call = await here.calling()
        await here.desk.close()
        assert call.closed.result() is EndReason.SERVER_STOPPED
        assert len(here.desk) == 0
        assert here.gone == 2


async def test_who_begins_anew_before_the_call_and_finds_no_port_leaves_nothing() -> None:
    async with house(plan=IcePlan(addresses=("127.0.0.1",), ports=(41_735, 41_735))) as here:
        first, second = here.client(Voice()), here.client(Voice())
        answered = await here.desk.begin(await first.offer(), here.newcomer())
        with pytest.raises(LimitError, match="no UDP port"):
            await here.desk.renew(answered.session, await second.offer())
        await second.until(lambda: here.gone == 1)
        assert len(here.desk) == 0


async def test_of_two_offers_at_the_same_moment_one_is_the_calls() -> None:
    async with house() as here:
        first, second = here.client(Voice()), here.client(Voice())
        session = (await here.desk.begin(await first.offer(), here.newcomer())).session
        offers = [await second.offer(), await here.client(Voice()).offer()]
        found = await asyncio.gather(
            *(here.desk.renew(session, offer) for offer in offers), return_exceptions=True
        )
        assert [type(each) for each in found] == [NotFoundError, Answered]
        await here.desk.leave(session)
        await second.until(lambda: here.gone == 1)
