"""A caller's sound by RTP without a network: order, losses, holes, keys; pacing, marks, silence."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from offhook.audio import libopus
from offhook.audio.frame import WIDEBAND
from offhook.audio.libopus import LossyDecoder, LossyEncoder
from offhook.channels import rtp_codec
from offhook.channels.pacer import Pacer
from offhook.channels.rtp_ear import RtpEar
from offhook.channels.rtp_mouth import MOST_FRAMES, RtpMouth
from offhook.protocols.rtp import RtpPacket, read_rtp

FRAME = WIDEBAND.size(20)


def tone(frames: int, hertz: float = 440.0) -> bytes:
    time = np.arange(frames * 320) / WIDEBAND.rate
    return (np.sin(2 * np.pi * hertz * time) * 8000).astype(np.int16).tobytes()


class Ear:
    """An ear with what it heard."""

    def __init__(self) -> None:
        self.heard: list[tuple[int, bytes]] = []
        self.digits: list[str] = []
        self.ear = RtpEar(
            96, 101, 0.0, lambda audio, at_ms: self.heard.append((at_ms, audio)), self.digits.append
        )
        encoder = LossyEncoder()
        encoder.expect_loss(25)
        sound = tone(60)
        self.packets = [
            RtpPacket(96, 65_500 + n & 0xFFFF, n * 960, 7, encoder.encode(sound[n * FRAME : (n + 1) * FRAME]))
            for n in range(60)
        ]

    def take(self, *numbers: int, now: float | None = None) -> None:
        for number in numbers:
            self.ear.take(self.packets[number], number * 0.02 if now is None else now)

    @property
    def ms(self) -> list[int]:
        return [at for at, _ in self.heard]

    @property
    def samples(self) -> np.ndarray:
        return np.frombuffer(b"".join(audio for _, audio in self.heard), np.int16)


def test_packets_that_overtake_each_other_are_heard_in_order() -> None:
    one, other = Ear(), Ear()
    one.take(*range(10))
    other.take(0, 2, 1, 3, 5, 6, 4, 7, 9, 8)
    assert other.samples.tobytes() == one.samples.tobytes()
    assert other.ms == one.ms == [n * 20 for n in range(10)]


def test_what_is_lost_is_filled_and_nothing_moves() -> None:
    whole, holed = Ear(), Ear()
    whole.take(*range(30))
    holed.take(*(n for n in range(30) if n not in (10, 20, 21, 22)))
    assert len(holed.samples) == len(whole.samples) == 30 * 320
    assert holed.ear.recovered == 2 * 320
    assert holed.ear.concealed == 2 * 320
    for at in (10, 20, 21, 22):
        piece = holed.samples[at * 320 : (at + 1) * 320]
        assert np.abs(piece).max() > 2000, f"frame {at} is a gap"
    assert [at for at in holed.ms if at % 20] == []


@pytest.mark.parametrize("share", [0.05, 0.25])
def test_a_lossy_way_is_heard_whole(share: float) -> None:
    generator = np.random.default_rng(7)
    ear = Ear()
    ear.take(0, *(n for n in range(1, 59) if generator.random() > share), 59)
    ear.ear.flush(2.0)
    assert len(ear.samples) == 60 * 320
    quiet = [np.abs(ear.samples[n * 320 : (n + 1) * 320]).max() < 1000 for n in range(1, 60)]
    assert sum(quiet) <= 2


def test_a_long_loss_is_a_hole_in_time() -> None:
    ear = Ear()
    ear.take(*range(10), *range(40, 45))
    assert ear.ms[:10] == [n * 20 for n in range(10)]
    assert ear.ms[10] == 40 * 20
    assert len(ear.samples) == 15 * 320


def test_a_pause_of_the_sender_is_one_too() -> None:
    ear = Ear()
    ear.take(0)
    ear.ear.take(RtpPacket(96, 65_501, 50 * 960, 7, ear.packets[1].payload), 1.0)
    assert ear.ms == [0, 1000]


def test_a_clock_that_jumps_back_joins() -> None:
    ear = Ear()
    ear.take(0, 1)
    ear.ear.take(RtpPacket(96, 65_502, 100, 7, ear.packets[2].payload), 0.04)
    ear.ear.take(RtpPacket(96, 65_503, 1060 + 30 * 48_000, 7, ear.packets[3].payload), 0.06)
    assert ear.ms == [0, 20, 40, 60]


def test_another_stream_begins_where_time_is() -> None:
    ear = Ear()
    ear.take(0, 1)
    ear.ear.take(RtpPacket(96, 5, 123_456, 8, ear.packets[0].payload), 3.0)
    ear.ear.take(RtpPacket(96, 6, 124_416, 8, ear.packets[1].payload), 3.02)
    assert ear.ms == [0, 20, 3000, 3020]


def test_a_key_between_words_is_no_loss() -> None:
    ear = Ear()
    ear.take(*range(10))
    for number in range(10, 18):  # the key's packets are counted with the sound's (RFC 4733)
        key = RtpPacket(101, ear.packets[number].sequence, 10 * 960, 7, b"\x05\x8a\x01\xe0")
        ear.ear.take(key, number * 0.02)
    ear.take(18)
    assert ear.ms[-1] == 360
    assert (ear.ear.concealed, ear.ear.recovered, ear.digits) == (0, 0, ["5"])
    found = ear.ear.count.block(1.0)
    assert found is not None
    assert (found.lost, found.jitter) == (0, 0)


def test_another_ear_begins_where_the_one_before_it_ended() -> None:
    first, heard = Ear(), []
    first.take(*range(10), now=0.1)  # all at once: what was heard is ahead of the clock
    second = RtpEar(96, 101, 0.0, lambda audio, at_ms: heard.append(at_ms), print, first.ear.ends)
    second.take(first.packets[20], 0.15)
    assert heard == [first.ms[-1] + 20]


def test_what_cannot_be_decoded_is_concealed() -> None:
    ear = Ear()
    ear.take(0, 1)
    ear.ear.take(RtpPacket(96, 65_502, 2 * 960, 7, b"\xff" * 9), 0.04)
    ear.ear.take(RtpPacket(96, 65_503, 3 * 960, 7, b""), 0.06)
    ear.take(4)
    assert ear.ear.malformed == 1
    assert ear.ms == [0, 20, 40, 80]


def test_a_key_is_pressed_once() -> None:
    ear = Ear()
    for sequence, (timestamp, payload) in enumerate(
        [
            (0, b"\x05\x0a\x00\xa0"),
            (0, b"\x05\x8a\x01\xe0"),
            (0, b"\x05\x8a\x01\xe0"),
            (9, b"\x0b\x8a\x00\xa0"),
        ]
    ):
        ear.ear.take(RtpPacket(101, sequence, timestamp, 7, payload), 0.0)
    ear.ear.take(RtpPacket(101, 9, 10, 7, b"\x05"), 0.0)
    ear.ear.take(RtpPacket(55, 9, 10, 7, b"\x05"), 0.0)
    assert ear.digits == ["5", "#"]
    assert ear.ear.malformed == 1


def test_without_libopus_the_other_codec_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(libopus, "available", lambda: False)
    assert isinstance(rtp_codec.decoder(), rtp_codec.PlainDecoder)
    ear = Ear()
    ear.take(*(n for n in range(30) if n != 20))
    assert len(ear.samples) == 30 * 320
    assert np.abs(ear.samples[20 * 320 : 21 * 320]).max() > 1000
    encoder = rtp_codec.encoder()
    encoder.expect_loss(50)
    assert 10 < len(encoder.encode(tone(1))) < 300


class Mouth:
    """A mouth with what left it."""

    def __init__(self) -> None:
        self.sent: list[tuple[float, RtpPacket]] = []
        self.marks: list[tuple[float, str]] = []
        self.now = 100.0
        self.mouth = RtpMouth(96, 7, lambda name: self.marks.append((self.now, name)))
        self.marked: list[bool] = []
        self.mouth.send = self.take

    def take(self, raw: bytes) -> None:
        self.sent.append((self.now, read_rtp(raw)))
        self.marked.append(bool(raw[1] & 0x80))

    def run(self, seconds: float) -> None:
        for _ in range(round(seconds / 0.01)):
            self.now += 0.01
            self.mouth.pump(self.now)

    @property
    def loud(self) -> list[float]:
        """When packets with sound in them left."""
        return [at for at, packet in self.sent if len(packet.payload) > 20]


def test_packets_leave_every_20_ms_and_timestamps_follow() -> None:
    mouth = Mouth()
    mouth.run(0.1)
    mouth.mouth.play(tone(40), mouth.now)
    mouth.run(1.1)
    assert len(mouth.sent) in (60, 61)
    packets = [packet for _, packet in mouth.sent]
    for one, next_ in pairwise(packets):
        assert (next_.sequence - one.sequence) & 0xFFFF == 1
        assert (next_.timestamp - one.timestamp) & 0xFFFFFFFF == 960


def test_in_long_silence_a_packet_leaves_at_times() -> None:
    mouth = Mouth()
    mouth.run(3.0)
    quiet = [packet for at, packet in mouth.sent if at > 100.5]
    assert 5 <= len(quiet) <= 7
    assert {len(packet.payload) for packet in quiet} == {1}
    for one, next_ in pairwise(quiet):
        assert (next_.sequence - one.sequence) & 0xFFFF == 1
        assert (next_.timestamp - one.timestamp) & 0xFFFFFFFF == 20 * 960
    assert len(LossyDecoder().decode(quiet[0].payload)) in (0, 320, 960)
    mouth.mouth.play(tone(2), mouth.now)
    assert mouth.loud[0] == mouth.now
    assert mouth.marked[-1]
    mouth.mouth.play(tone(2), mouth.now + 0.04)
    assert not mouth.marked[-1]


def test_sound_leaves_at_once_and_not_in_a_burst() -> None:
    mouth = Mouth()
    mouth.run(0.5)
    mouth.mouth.play(tone(8), mouth.now)
    assert mouth.mouth.queued <= 7
    mouth.run(0.5)
    assert mouth.loud[0] == pytest.approx(100.5)
    assert mouth.loud[7] - mouth.loud[0] == pytest.approx(0.14, abs=0.021)


def test_half_a_frame_waits_for_its_rest_and_not_for_ever() -> None:
    mouth = Mouth()
    mouth.run(0.1)
    mouth.mouth.play(tone(1)[:320], mouth.now)
    assert mouth.loud == []
    mouth.run(0.05)
    assert len(mouth.loud) == 1


def test_a_mark_waits_until_it_is_heard() -> None:
    mouth = Mouth()
    mouth.run(0.1)
    mouth.mouth.delay_s = 0.05
    mouth.mouth.play(tone(10)[:-100], mouth.now)
    mouth.mouth.mark("end", mouth.now)
    mouth.run(1.0)
    assert mouth.marks[0][1] == "end"
    assert mouth.marks[0][0] - 100.1 == pytest.approx(0.2 + 0.06 + 0.05, abs=0.035)


def test_a_clear_drops_sound_and_marks() -> None:
    mouth = Mouth()
    mouth.run(0.1)
    mouth.mouth.play(tone(20), mouth.now)
    mouth.mouth.mark("never", mouth.now)
    mouth.mouth.clear()
    mouth.run(0.5)
    assert len(mouth.loud) <= 4  # one that left, and the codec's way into silence
    assert mouth.marks == []


def test_silence_is_left_out_where_sound_waits() -> None:
    mouth = Mouth()
    mouth.run(0.1)
    mouth.mouth.play(tone(3) + bytes(4 * FRAME) + tone(3, 700), mouth.now)
    assert mouth.mouth.queued <= 6


def test_the_oldest_goes_where_too_much_waits() -> None:
    mouth = Mouth()
    mouth.run(0.1)
    mouth.mouth.play(tone(20), mouth.now)
    mouth.mouth.mark("gone", mouth.now)
    mouth.mouth.play(tone(2 * MOST_FRAMES), mouth.now)
    assert mouth.mouth.queued <= MOST_FRAMES
    mouth.run(0.1)
    assert [name for _, name in mouth.marks] == ["gone"]


def test_after_a_stall_nothing_is_caught_up_with() -> None:
    mouth = Mouth()
    mouth.run(0.1)
    before = mouth.sent[-1][1]
    mouth.now += 5.0
    mouth.run(0.02)
    after = mouth.sent[-1][1]
    assert len(mouth.sent) < 12
    assert (after.timestamp - before.timestamp) & 0xFFFFFFFF > 4.5 * 48_000
    assert mouth.mouth.late > 200


def test_nothing_leaves_while_there_is_no_way() -> None:
    mouth = Mouth()
    mouth.mouth.send = None
    mouth.mouth.play(tone(2), mouth.now)
    mouth.run(0.1)
    assert mouth.sent == []


async def test_one_faulty_caller_does_not_stop_the_pacer(caplog: pytest.LogCaptureFixture) -> None:
    import asyncio

    pacer = Pacer()
    ticks: list[float] = []
    done = asyncio.Event()

    class Good:
        def pump(self, now: float) -> None:
            ticks.append(now)
            if len(ticks) >= 3:
                done.set()

    class Bad:
        def pump(self, now: float) -> None:
            raise ValueError

    good, bad = Good(), Bad()
    pacer.add(good)
    pacer.add(bad)
    await asyncio.wait_for(done.wait(), 2)
    pacer.remove(bad)
    assert len(pacer) == 1
    pacer.remove(good)
    pacer.remove(good)
    assert len(pacer) == 0
    assert "could not be sent" in caplog.text


def test_sound_that_comes_unevenly_is_waited_for() -> None:
    mouth = Mouth()
    mouth.run(0.1)
    came = np.cumsum([0.02, 0.05, 0.0, 0.0, 0.04, 0.0, 0.02, 0.02]) + mouth.now
    said = tone(8)
    for number, at in enumerate(came):
        while mouth.now < at - 0.005:
            mouth.run(0.01)
        mouth.mouth.play(said[number * FRAME : (number + 1) * FRAME], mouth.now)
    mouth.run(0.02)
    first = next(n for n, (_, packet) in enumerate(mouth.sent) if len(packet.payload) > 20)
    assert all(len(packet.payload) > 20 for _, packet in mouth.sent[first : first + 8])
    assert mouth.mouth.queued == 0


def test_what_stands_before_the_door_is_let_out() -> None:
    mouth = Mouth()
    mouth.run(0.1)
    mouth.mouth.play(tone(9), mouth.now)
    queued = []
    for _ in range(250):
        mouth.run(0.02)
        mouth.mouth.play(tone(1), mouth.now)
        queued.append(mouth.mouth.queued)
    assert queued[10] >= 6
    assert queued[-1] <= 3
