"""A WebRTC caller (aiortc's own) on a call: sound both ways, data, marks, clears, ends, ways that change."""

from __future__ import annotations

import asyncio
import re

import numpy as np
import pytest
from aioice import stun
from tests.channels.webrtc_calls import House, Voice, house, spectrum

from offhook.audio.frame import WIDEBAND
from offhook.channels.base import Arrival
from offhook.channels.webrtc_ice import IcePlan, IceServer
from offhook.channels.webrtc_sessions import Newcomer
from offhook.foundation.errors import LimitError, NotFoundError, RefusedError
from offhook.foundation.events import (
    ChannelKind,
    EndReason,
    Entry,
    Floor,
    FloorChanged,
    LegKind,
    Levels,
    TranscriptFinal,
)


def tone(hertz: float, seconds: float) -> bytes:
    time = np.arange(int(WIDEBAND.rate * seconds)) / WIDEBAND.rate
    return (np.sin(2 * np.pi * hertz * time) * 8000).astype(np.int16).tobytes()


async def test_the_caller_is_heard_in_wideband_on_one_timeline() -> None:
    async with house() as here:
        client, call = await here.calling(Voice(440))
        assert (call.channel.kind, call.channel.format, call.channel.peer) == (
            ChannelKind.WEBRTC,
            WIDEBAND,
            "",
        )
        assert call.channel.call_id == client.answered.call_id == "call_1"
        await client.until(lambda: len(call.heard("audio")) >= 40)
        pieces = [(rest[0], rest[1]) for what, *rest in call.told if what == "audio"]
        sound = np.frombuffer(b"".join(piece for piece, _ in pieces), np.int16)
        assert spectrum(sound[-8000:], WIDEBAND.rate) == pytest.approx(440, abs=4)
        ends = [at + len(piece) // 32 for piece, at in pieces]
        assert [at for _, at in pieces[1:]] == ends[:-1]


async def test_what_is_played_is_heard_and_silence_between() -> None:
    async with house() as here:
        client, call = await here.calling()
        call.channel.play(tone(660, 0.5))
        await client.until(lambda: np.abs(client.sound()).max(initial=0) > 4000)
        await client.until(lambda: len(client.sound()) > 0.75 * 48_000)
        sound = client.sound()
        loud = np.flatnonzero(np.abs(sound) > 2000)
        assert (loud[-1] - loud[0]) / 48_000 == pytest.approx(0.5, abs=0.03)
        middle = sound[loud[0] + 4_800 : loud[0] + 19_200]
        assert spectrum(middle, 48_000) == pytest.approx(660, abs=4)
        assert np.abs(sound[-2_400:]).max() < 300


async def test_a_mark_comes_back_once_it_was_played_and_never_after_a_clear() -> None:
    async with house() as here:
        client, call = await here.calling()
        loop = asyncio.get_running_loop()
        began = loop.time()
        call.channel.play(tone(660, 0.5))
        call.channel.mark("heard")
        call.channel.mark("too")
        await client.until(lambda: call.heard("mark") == ["heard", "too"])
        assert 0.3 <= loop.time() - began < 1.5  # a process that stood still catches up by 0.2 s
        call.channel.play(tone(660, 2.0))
        call.channel.mark("cleared")
        call.channel.clear()
        silent = len(client.heard)
        call.channel.mark("after")
        await client.until(lambda: "after" in call.heard("mark"))
        assert call.heard("mark") == ["heard", "too", "after"]
        await client.until(lambda: len(client.heard) > silent + 18)
        assert np.abs(np.concatenate(client.heard[silent + 12 :])).max() < 300


async def test_the_screen_is_the_call_sockets() -> None:
    async with house() as here:
        client, call = await here.calling()
        started = client.messages[0]
        assert started["call_id"] == "call_1"
        assert started["resume"] == client.answered.session
        assert (started["resumed"], started["codec"], started["agent"]) == (False, "opus", "default")
        for event in (
            FloorChanged(Floor.LISTENING),
            Levels(-20.0, -30.0),
            TranscriptFinal(LegKind.CALLER, 1, "Hello?", 0, 500),
            TranscriptFinal(LegKind.OPERATOR, 1, "Not for them.", 0, 500),
        ):
            call.channel.tell(Entry("call_1", 1, 0, event))
        said = await client.message("transcript")
        assert (said["speaker"], said["text"], said["final"]) == ("caller", "Hello?", True)
        assert [each["type"] for each in client.messages] == ["started", "state", "transcript"]


async def test_chat_digits_and_pings_come_by_the_data_channel() -> None:
    async with house() as here:
        client, call = await here.calling()
        client.say("text", text="I would rather type.")
        client.say("dtmf", digit="5")
        client.say("mute", muted=True)
        client.say("ping", id=7)
        assert (await client.message("pong"))["id"] == 7
        assert call.heard("text") == ["I would rather type."]
        assert call.heard("digit") == ["5"]
        assert call.channel.muted


@pytest.mark.parametrize("way", ["message", "request", "close"])
async def test_the_caller_hangs_up(way: str) -> None:
    async with house() as here:
        client, call = await here.calling()
        if way == "message":
            client.say("end")
        elif way == "request":
            await here.desk.leave(client.answered.session)
        else:
            await client.connection.close()
        assert await call.end() is EndReason.CALLER_HUNG_UP
        with pytest.raises(NotFoundError):
            await here.desk.leave(client.answered.session)
        await client.until(lambda: here.gone == 1)


async def test_the_house_hangs_up_after_the_last_word() -> None:
    async with house() as here:
        client, call = await here.calling()
        call.channel.play(tone(660, 0.1))
        call.channel.hang_up(EndReason.AGENT_HUNG_UP)
        call.channel.hang_up(EndReason.FAILED)
        assert (await client.message("ended"))["reason"] == "agent_hung_up"
        assert await call.end() is EndReason.AGENT_HUNG_UP
        await client.until(lambda: client.connection.connectionState == "closed")
        assert np.abs(client.sound()).max(initial=0) > 4000


async def test_a_client_without_data_is_a_call_all_the_same() -> None:
    async with house() as here:
        client, call = await here.calling(data=False)
        for n in range(300):  # nothing is held for a screen that is not there
            call.channel.tell(Entry("call_1", n + 1, 0, FloorChanged(Floor.LISTENING)))
        await client.until(lambda: len(call.heard("audio")) > 10)
        assert not call.closed.done()


async def test_a_client_that_only_listens_is_not_lost() -> None:
    async with house() as here:
        client = here.client(None)
        answered = await here.desk.begin(await client.offer(), here.newcomer())
        assert "a=sendonly" in answered.sdp
        await client.take(answered.sdp)
        await client.message("started")
        call = here.reception.call
        call.channel.play(tone(660, 0.3))
        await client.until(lambda: np.abs(client.sound()).max(initial=0) > 4000)
        assert call.heard("audio") == []


async def test_a_caller_who_falls_silent_is_lost_and_comes_back() -> None:
    async with house() as here:
        client, call = await here.calling()
        session = here.desk._find(client.answered.session)
        peer = session.peer_now
        assert peer is not None
        media, peer._ice.media = peer._ice.media, lambda data: None
        peer._ice._alive = lambda: None
        await call.wait("lost")
        session.play(tone(660, 0.2))  # to nobody
        session.mark("never")
        peer._ice.media = media
        await call.wait("resumed")
        await client.until(lambda: call.told[-1][0] == "audio")
        assert call.heard("mark") == []


async def test_a_caller_who_stays_away_is_let_go_in_time() -> None:
    async with house() as here:
        client, call = await here.calling()
        began = asyncio.get_running_loop().time()
        peer = here.desk._find(client.answered.session).peer_now
        assert peer is not None
        peer._ice.media = lambda data: None
        peer._ice._alive = lambda: None
        assert await call.end() is EndReason.PEER_LOST
        assert call.heard("lost") == [None]
        assert asyncio.get_running_loop().time() - began < 0.4 + 0.4 + 0.5


def with_name(sdp: str, name: str, password: str) -> str:
    """Another ICE name in an offer."""
    sdp = re.sub(r"a=ice-ufrag:.*", f"a=ice-ufrag:{name}", sdp.replace("\r", ""))
    return re.sub(r"a=ice-pwd:.*", f"a=ice-pwd:{password}", sdp).replace("\n", "\r\n")


async def restarted(here: House, client, call) -> None:
    """The call goes on by the new way, and no other."""
    before = len(call.heard("audio"))
    await client.until(lambda: len(call.heard("audio")) > before + 20)
    assert call.heard("lost") == call.heard("resumed") == []


async def test_ice_restart_by_an_offer() -> None:
    async with house() as here:
        client, call = await here.calling()
        other = await client.other_way()
        offer = with_name(client.connection.localDescription.sdp, other.local_username, other.local_password)
        answered = await here.desk.renew(client.answered.session, offer)
        assert answered.call_id == "call_1"
        assert answered.tag != client.answered.tag
        await client.go(other, answered.sdp)
        await restarted(here, client, call)


async def test_ice_restart_by_a_fragment() -> None:
    async with house() as here:
        client, call = await here.calling()
        other = await client.other_way()
        text = f"a=ice-ufrag:{other.local_username}\r\na=ice-pwd:{other.local_password}\r\n"
        ours, tag = await here.desk.trickle(client.answered.session, text, client.answered.tag)
        assert tag != client.answered.tag
        await client.go(other, ours)
        await restarted(here, client, call)


async def test_an_ice_restart_before_there_is_a_way_makes_the_call() -> None:
    async with house() as here:
        client = here.client(Voice())
        offer = await client.offer()
        first = await here.desk.begin(with_name(offer, "nobody", "n" * 22), here.newcomer())
        answered = await here.desk.renew(first.session, offer)
        await client.take(answered.sdp)
        assert (await client.message("started"))["call_id"] == first.call_id
        await client.until(lambda: len(here.reception.call.heard("audio")) > 20)


async def test_a_restart_that_comes_to_nothing_leaves_the_way_as_it_was() -> None:
    async with house(patience_s=0.3) as here:
        client, call = await here.calling()
        for _ in range(3):
            offer = with_name(client.connection.localDescription.sdp, "nobody", "n" * 22)
            await here.desk.renew(client.answered.session, offer)
        await asyncio.sleep(0.4)
        await restarted(here, client, call)


async def test_a_client_that_begins_anew_takes_its_call_along() -> None:
    async with house() as here:
        first, call = await here.calling(Voice(440))
        second = here.client(Voice(880))
        answered = await here.desk.renew(first.answered.session, await second.offer())
        assert answered.session == first.answered.session
        await second.take(answered.sdp)
        started = await second.message("started")
        assert (started["resumed"], started["call_id"]) == (True, "call_1")
        assert call.heard("lost") == call.heard("resumed") == [None]
        before = len(call.heard("audio"))
        await second.until(lambda: len(call.heard("audio")) > before + 40)
        sound = np.frombuffer(b"".join(call.heard("audio")[-25:]), np.int16)
        assert spectrum(sound, WIDEBAND.rate) == pytest.approx(880, abs=6)
        times = [rest[1] for what, *rest in call.told if what == "audio"]
        assert times == sorted(times)
        await second.until(lambda: first.connection.connectionState == "closed")
        assert len(here.reception.calls) == 1


async def test_the_same_offer_again_is_answered_with_the_same_way() -> None:
    async with house() as here:
        client, call = await here.calling()
        again = await here.desk.renew(client.answered.session, client.connection.localDescription.sdp)
        assert again.tag == client.answered.tag
        await restarted(here, client, call)


async def test_the_reception_may_refuse_when_the_connection_stands() -> None:
    async with house() as here:
        here.reception.error = LimitError("no capacity")
        client = here.client(Voice())
        answered = await here.desk.begin(await client.offer(), here.newcomer())
        await client.take(answered.sdp)
        told = await client.message("error")
        assert (told["code"], told["message"]) == ("busy", "no capacity")
        await client.until(lambda: here.gone == 1)
        assert [each["type"] for each in client.messages] == ["error", "ended"]
        assert here.reception.calls == []


async def test_a_call_token_may_be_used_up_by_then() -> None:
    def admit() -> Arrival:
        raise RefusedError("the call token is used or expired")

    gone: list[None] = []
    async with house() as here:
        client = here.client(Voice())
        newcomer = Newcomer("default", admit, lambda: gone.append(None))
        await client.take((await here.desk.begin(await client.offer(), newcomer)).sdp)
        await client.until(lambda: gone)
        assert here.reception.calls == []


async def test_ports_are_of_the_range_and_when_none_is_left_that_is_said() -> None:
    async with house(plan=IcePlan(addresses=("127.0.0.1",), ports=(41_731, 41_732))) as here:
        client, _ = await here.calling()
        assert re.search(r"127\.0\.0\.1 4173[12] typ host", client.answered.sdp)
        await here.calling()
        third = here.client(Voice())
        with pytest.raises(LimitError, match="no UDP port"):
            await here.desk.begin(await third.offer(), here.newcomer())
        await third.until(lambda: here.gone == 1)


async def test_behind_a_nat_its_address_is_told() -> None:
    async with house(plan=IcePlan(addresses=("127.0.0.1",), announced="203.0.113.7")) as here:
        client = here.client(Voice())
        answered = await here.desk.begin(await client.offer(), here.newcomer())
        assert re.search(r"203\.0\.113\.7 \d+ typ host", answered.sdp)
        assert "127.0.0.1" not in answered.sdp


async def test_no_server_is_asked_unless_one_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    async def ask(*given: object) -> None:
        asked.append(str(given))
        raise OSError

    monkeypatch.setattr("offhook.channels.webrtc_ice.server_reflexive_candidate", ask)
    monkeypatch.setattr("offhook.channels.webrtc_ice.relayed_candidate", ask)
    async with house(plan=IcePlan(loopback=True)) as here:
        client, _ = await here.calling()
        assert asked == []
        assert "srflx" not in client.answered.sdp


async def test_a_stun_server_that_is_set_is_asked_and_one_that_is_silent_holds_up_nobody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Stun(asyncio.DatagramProtocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self.transport = transport

        def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
            asked = stun.parse_message(data)
            answer = stun.Message(asked.message_method, stun.Class.RESPONSE, asked.transaction_id)
            answer.attributes["XOR-MAPPED-ADDRESS"] = ("203.0.113.9", addr[1])
            self.transport.sendto(bytes(answer), addr)

    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(Stun, ("127.0.0.1", 0))
    port = transport.get_extra_info("sockname")[1]
    async with house(plan=IcePlan(addresses=("127.0.0.1",), stun=IceServer("127.0.0.1", port))) as here:
        client, _ = await here.calling()
        assert re.search(r"203\.0\.113\.9 \d+ typ srflx raddr 127\.0\.0\.1", client.answered.sdp)
    transport.close()
    monkeypatch.setattr("offhook.channels.webrtc_ice.SERVER_S", 0.1)
    async with house(plan=IcePlan(addresses=("127.0.0.1",), stun=IceServer("127.0.0.1", port))) as here:
        client, _ = await here.calling()
        assert "srflx" not in client.answered.sdp


@pytest.mark.parametrize("offerer", ["active", "passive"])
async def test_either_side_may_greet_first(offerer: str) -> None:
    async with house() as here:
        client = here.client(Voice())
        offer = (await client.offer()).replace("a=setup:actpass", f"a=setup:{offerer}")
        answered = await here.desk.begin(offer, here.newcomer())
        ours = {"active": "passive", "passive": "active"}[offerer]
        assert f"a=setup:{ours}" in answered.sdp
        await client.take(answered.sdp)
        await client.message("started")


async def test_a_video_is_declined_and_the_call_goes_on() -> None:
    async with house() as here:
        client = here.client(Voice())
        client.connection.addTransceiver("video")
        answered = await here.desk.begin(await client.offer(), here.newcomer())
        assert re.search(r"m=video 0 .*(?:\r\n.*)*a=inactive", answered.sdp)
        assert re.search(r"a=group:BUNDLE (\d) (\d)\r", answered.sdp)


async def test_unknown_sessions() -> None:
    async with house() as here:
        with pytest.raises(NotFoundError):
            await here.desk.leave("0.nothing")
        with pytest.raises(NotFoundError):
            await here.desk.trickle("", "a=end-of-candidates")
        offer = await here.client(Voice()).offer()
        with pytest.raises(NotFoundError):
            await here.desk.renew("0.nothing", offer)
