"""The parts of the bridge one by one: the elastic buffer, sources, ears, hold audio, the caller's mix."""

from __future__ import annotations

import random
import tracemalloc

import numpy as np
import pytest
from tests.call.human_stage import Tone

from offhook.audio.convert import to_samples
from offhook.audio.frame import PHONE, WIDEBAND, AudioFormat, Encoding
from offhook.call.blend import Blend
from offhook.call.caller_mix import CallerMix
from offhook.call.ear import Ear
from offhook.call.elastic import Elastic
from offhook.call.hold_audio import PERIOD_S, HoldAudio, hold_pattern
from offhook.call.modes import Part
from offhook.call.playback import GRACE_MS, Playback
from offhook.call.sources import Source
from offhook.engines.base import Clause
from offhook.foundation.events import LegKind


def drain(buffer: Elastic, frames: int = 50) -> list[np.ndarray]:
    return [frame for _ in range(frames) if (frame := buffer.pull()) is not None]


def test_a_buffer_waits_a_little_and_gives_all_in_order():
    buffer = Elastic(WIDEBAND, 40)
    sent = np.arange(1, 3201, dtype=np.int16)
    buffer.push(sent[:320].tobytes())
    assert buffer.pull() is None  # 20 ms are no cushion
    buffer.push(sent[320:].tobytes())
    got = np.concatenate(drain(buffer))
    assert np.array_equal(got[80:3200], sent[80:])  # but for its soft beginning
    assert got[0] == 0
    assert not got[3280:].any()  # the end dies away
    assert buffer.dry == 1


def test_a_little_that_nothing_follows_is_given_all_the_same():
    buffer = Elastic(WIDEBAND, 40)
    buffer.push(b"\x01\x00" * 100)
    frames = [buffer.pull() for _ in range(12)]
    assert any(frame is not None and frame.any() for frame in frames)


@pytest.mark.parametrize("seed", range(20))
def test_whatever_the_network_does_nothing_is_lost_that_fits(seed):
    """Pieces of any size at any time, within the cushion: every sample comes once and in order."""
    chance = random.Random(seed)
    buffer = Elastic(WIDEBAND, 60)
    sent = np.arange(1, 32_001).astype(np.int16)
    at = given = 0
    got: list[np.ndarray] = []
    for tick in range(110):
        due = min(len(sent), (tick + 1) * 320)
        if chance.random() < 0.75 or due - given > 640:
            buffer.push(sent[at:due].tobytes())
            given = at = due
        if (frame := buffer.pull()) is not None:
            got.append(frame)
    got += drain(buffer)
    heard = np.concatenate(got)
    assert buffer.dropped == 0
    values = heard[np.abs(heard) > 0]
    whole = np.isin(sent[200:], values).mean()
    assert whole > 0.97  # all but the soft edges, where it ran dry


def test_a_burst_after_a_stall_is_bounded():
    buffer = Elastic(PHONE, 40, 500)
    buffer.push(b"\x80" * 8 * 600)
    assert len(buffer) == 8 * 40
    assert buffer.dropped == 8 * 560


def test_a_fast_sender_is_caught_up_with_in_a_quiet_frame():
    buffer = Elastic(WIDEBAND, 40)
    buffer.push(bytes(640 * 6))
    for _ in range(400):
        buffer.push(bytes(640))
        assert buffer.pull() is not None
    assert len(buffer) <= 640 * 4
    loud = Elastic(WIDEBAND, 40)
    loud.push(b"\x00\x20" * 320 * 6)
    for _ in range(400):
        loud.push(b"\x00\x20" * 320)
        loud.pull()
    assert len(loud) >= 640 * 5  # words are not left out


def test_it_runs_dry_without_a_click():
    buffer = Elastic(WIDEBAND, 20)
    buffer.push((np.full(960, 12_000, np.int16)).tobytes())
    heard = np.concatenate(drain(buffer, 8))
    assert int(np.abs(np.diff(heard.astype(int))).max()) < 12_000 / 30
    buffer.push(bytes(640))
    buffer.clear()
    assert buffer.pull() is None


def test_a_source_is_converted_once_for_all_ears():
    source = Source(Part.CALLER, LegKind.CALLER, PHONE, 20)
    source.push(Tone(500, PHONE).take(200))
    source.advance()
    assert source.sounds
    assert source.at(16_000) is source.at(16_000)
    assert len(source.at(16_000)) == 320
    assert len(source.at(48_000)) == 960
    assert len(source.at(8000)) == 160
    assert source.level() > -25
    assert source.level() == -90
    for _ in range(12):
        source.advance()
    assert source.at(16_000) is None
    assert not source.sounds
    source.push(bytes(100))
    source.clear()


def test_a_source_whose_level_nobody_asks_keeps_no_sound():
    """Of a caller on hold, and of guests, no level is ever asked; they may be there for an hour."""
    source = Source(Part.CALLER, LegKind.CALLER, PHONE, 20)
    frame = Tone(500, PHONE).take(20)
    tracemalloc.start()
    try:
        for _ in range(100):
            source.push(frame)
            source.advance()
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(1_000):
            source.push(frame)
            source.advance()
        grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert grown < 20_000
    assert source.level() > -25


def test_a_blend_lets_go_of_a_source_softly():
    source = Source(Part.CALLER, LegKind.CALLER, WIDEBAND, 20)
    source.push((np.full(320 * 20, 8000, np.int16)).tobytes())
    blend = Blend(16_000)
    heard = []
    for gain in (0.0, 0.0, 1.0, 1.0, 0.25, 0.0, 0.0, 0.0):
        source.advance()
        frame = blend.frame([(source, gain)])
        heard.append(np.zeros(320, np.int16) if frame is None else frame)
    steps = np.abs(np.diff(np.concatenate(heard).astype(int)))
    assert steps.max() <= 8000 / 160 + 2
    assert not blend.hears(source)
    blend.one(source, 1.0)
    blend.forget(source)
    assert not blend.hears(source)
    quiet = Source(Part.AGENT, LegKind.AGENT, WIDEBAND)
    assert blend.frame([(quiet, 1.0)]) is None


def test_an_ear_plays_a_clip_and_says_when_it_was_heard():
    done: list[bool] = []
    ear = Ear(WIDEBAND)
    ear.play(bytes(640), done.append)
    assert done == [False]  # it hears no coach now
    ear.open = True
    ear.play((np.full(500, 4000, np.int16)).tobytes(), done.append)
    assert ear.sounding
    first, second = ear.frame(), ear.frame()
    assert done == [False, True]
    assert not ear.sounding
    assert ear.frame() is None
    assert first is not None
    assert second is not None
    assert second[200] == 0
    assert ear.level() > -30
    ear.volume = 0.5
    ear.play((np.full(1600, 4000, np.int16)).tobytes(), done.append)
    frames = [ear.frame(), ear.frame()]
    assert frames[1][-1] == 2000
    ear.play((np.full(1600, -4000, np.int16)).tobytes(), done.append)  # in place of it
    assert done[-1] is False
    mixed = ear.frame()
    assert mixed is not None
    assert mixed[0] == 0
    ear.stop()
    tail = ear.frame()
    assert tail is not None
    assert tail[0] < -1800
    assert tail[-1] == 0
    ear.stop()
    assert ear.frame() is None
    ear.play(b"", done.append)
    assert ear.frame() is not None
    assert done[-1] is True


def test_the_pattern_of_hold_joins_itself_softly():
    pattern = hold_pattern(8000)
    assert len(pattern) == PERIOD_S * 8000
    jump = int(pattern[0]) - int(pattern[-1])
    assert abs(jump) < 200
    audio = HoldAudio(8000)
    assert audio.frame(on=False) is None
    frames = [audio.frame(on=True) for _ in range(250)]
    assert all(frame is not None and len(frame) == 160 for frame in frames)
    last = [audio.frame(on=False) for _ in range(4)]
    assert last[0] is not None
    assert last[-1] is None


class Line:
    kind, peer = "browser", ""

    def __init__(self, format=PHONE):
        self.format = format
        self.sent: list[tuple[str, object]] = []

    def play(self, audio):
        self.sent.append(("play", audio))

    def clear(self):
        self.sent.append(("clear", b""))

    def mark(self, name):
        self.sent.append(("mark", name))

    @property
    def sound(self):
        return b"".join(what for kind, what in self.sent if kind == "play")


def test_the_mix_passes_the_agent_on_bit_for_bit_with_marks_in_their_places():
    line, heard = Line(AudioFormat(Encoding.PCM16, 8000)), []
    playback = Playback(line, line.format, lambda at, audio: heard.append((at, audio)))
    stage = CallerMix(line, playback)
    tone = Tone(400, line.format).take(1000)
    playback.open()
    playback.add(Clause("a", tone[:8000]))
    playback.add(Clause("b", tone[8000:]))
    playback.close()
    now = 0.0
    for tick in range(70):
        playback.tick(now)
        if tick == 10:
            stage.begin(now)
            stage.begin(now)
        if tick == 30:
            stage.end()
            stage.end()
        if stage.on and stage.due(now):
            stage.send(None)
        now += 20
    sound = to_samples(line.sound, Encoding.PCM16)
    assert np.array_equal(sound[: len(tone) // 2], to_samples(tone, Encoding.PCM16))
    assert b"".join(audio for _, audio in heard) == tone
    size, places = 0, {}
    for kind, what in line.sent:
        if kind == "mark":
            places[what] = size / 16
        else:
            size += len(what)
    assert list(places) == ["m1", "m2"]
    assert 500 <= places["m1"] <= 580
    assert places["m2"] >= 1000
    assert playback.committed_ms == 0


def test_a_program_with_seconds_in_store_is_taken_back_when_the_mixing_begins():
    line, heard = Line(), []
    playback = Playback(line, PHONE, lambda at, audio: heard.append(audio), lead_ms=20_000)
    stage = CallerMix(line, playback)
    playback.open()
    playback.add(Clause("words", Tone(400, PHONE).take(5000)))
    playback.close()
    for tick in range(50):
        playback.tick(tick * 20.0)
    assert playback.playout_ms > 3000
    stage.begin(1000.0)
    assert ("clear", b"") in line.sent
    assert stage.head_ms < 1100
    before = len(line.sound)
    now = 1000.0
    while playback.active and now < 9000:
        playback.tick(now)
        if stage.due(now):
            stage.send(None)
        now += 20
    assert abs(now - 5000 - GRACE_MS) < 100  # nobody returned its marks
    assert len(line.sound) - before >= 8 * 3900
    assert sum(map(len, heard)) == 8 * 5000


def test_after_a_stall_the_mix_begins_anew():
    line = Line()
    playback = Playback(line, PHONE, lambda at, audio: None)
    stage = CallerMix(line, playback)
    stage.begin(0.0)
    assert stage.due(0.0)
    stage.send(None)
    assert stage.due(5_000.0)
    stage.send(None)
    assert 5_000 <= stage.head_ms <= 5_060
    quiet = len(line.sent)
    for _ in range(50):
        stage.send(None)
    assert len(line.sent) - quiet < 15  # silence is not sent for ever
    stage.send(np.full(160, 1000, np.int16))
    assert len(line.sound) >= 320
