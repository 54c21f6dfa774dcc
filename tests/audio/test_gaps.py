import time

import numpy as np
import pytest
from audio_signals import speech_like

from offhook.audio import g711
from offhook.audio.gaps import Gap, Span, measure_turns, speech_spans, turn_gaps

RATE = 8000


def track(length_s, *spoken, rate=RATE, noise_db=-200.0, gain=1.0, seed=5):
    """A track with speech at (start ms, end ms), over noise of a level in dBFS."""
    rng = np.random.default_rng(seed)
    out = rng.normal(0, 32768 * 10 ** (noise_db / 20), int(length_s * rate))
    for start, end in spoken:
        a, b = start * rate // 1000, end * rate // 1000
        out[a:b] += speech_like(rate, (end - start) / 1000 + 0.01, seed)[: b - a] * gain
    return out.clip(-32768, 32767).astype(np.int16)


def near(spans, expected, within=10):
    assert len(spans) == len(expected), spans
    for span, (start, end) in zip(spans, expected, strict=True):
        assert abs(span.start_ms - start) <= within
        assert abs(span.end_ms - end) <= within


SPOKEN = [(500, 2100), (3000, 4200), (7003, 7900)]


@pytest.mark.parametrize("rate", [8000, 16000, 24000])
@pytest.mark.parametrize("noise_db", [-200.0, -70.0, -55.0, -45.0])
def test_spans_are_found_over_noise(rate, noise_db):
    near(speech_spans(track(10, *SPOKEN, rate=rate, noise_db=noise_db), rate), SPOKEN)


@pytest.mark.parametrize("gain", [0.05, 0.2, 1.0])
def test_quiet_and_loud_speakers_through_a_phone(gain):
    samples = track(10, *SPOKEN, gain=gain, noise_db=-75)
    near(speech_spans(g711.decode_ulaw(g711.encode_ulaw(samples)), RATE), SPOKEN)


def test_a_murmur_below_the_line_is_no_speech():
    assert speech_spans(track(10, *SPOKEN, gain=0.006), RATE) == []


def test_an_offset_is_no_speech():
    assert speech_spans(np.full(RATE * 5, 900, np.int16), RATE) == []
    near(speech_spans(track(10, *SPOKEN) + np.int16(700), RATE), SPOKEN)


def test_nothing_but_silence_noise_or_nothing():
    assert speech_spans(np.zeros(RATE, np.int16), RATE) == []
    assert speech_spans(np.zeros(0, np.int16), RATE) == []
    for level in (-80.0, -60.0, -50.0):
        assert speech_spans(track(5, noise_db=level), RATE) == []
    idle = np.where(np.random.default_rng(1).random(RATE * 5) < 0.5, 0xFF, 0x7E).astype(np.uint8)
    assert speech_spans(g711.decode_ulaw(idle), RATE) == []


def test_a_breath_and_a_click_after_the_end_are_no_speech():
    samples = track(10, *SPOKEN).astype(float)
    rng = np.random.default_rng(3)
    breath = slice(2400 * 8, 2800 * 8)
    samples[breath] += rng.normal(0, 60, 400 * 8)
    samples[5000 * 8 : 5000 * 8 + 40] += 20000
    near(speech_spans(samples.astype(np.int16), RATE), SPOKEN)


def test_a_breath_right_after_the_end_is_cut_off():
    samples = track(10, *SPOKEN).astype(float)
    rng = np.random.default_rng(3)
    samples[2100 * 8 : 2900 * 8] += rng.normal(0, 250, 800 * 8)
    found = speech_spans(samples.astype(np.int16), RATE)
    assert found[0].end_ms <= 2310


def test_a_pause_within_a_phrase_does_not_part_it():
    near(speech_spans(track(3, (500, 1000), (1100, 1800)), RATE), [(500, 1800)])


def test_gaps_of_a_conversation():
    caller = track(20, (3000, 4500), (8000, 9000), (9500, 10500), noise_db=-65)
    agent = track(20, (200, 2000), (5103, 7000), (10850, 13000), (13600, 15000), seed=9)
    turns = measure_turns(caller, agent, RATE)
    near(turns.caller, [(3000, 4500), (8000, 9000), (9500, 10500)])
    near(turns.agent, [(200, 2000), (5103, 7000), (10850, 13000), (13600, 15000)])
    assert [gap.gap_ms for gap in turns.gaps] == [pytest.approx(603, abs=10), pytest.approx(350, abs=10)]
    for gap in turns.gaps:
        assert gap.gap_ms == gap.agent_started_ms - gap.caller_ended_ms


def spans(*pairs):
    return [Span(start, end) for start, end in pairs]


def test_interruptions_and_overlaps():
    # The caller cuts in at 3000 and the agent falls silent: the answer at 5000 has a gap.
    assert turn_gaps(spans((1000, 2000), (3000, 4500)), spans((2300, 3150), (5000, 6000))) == [
        Gap(2000, 2300, 300), Gap(4500, 5000, 500),
    ]  # fmt: skip
    # "mm-hmm" within the agent's speech is not answered by its going on.
    assert turn_gaps(spans((1000, 2000), (3000, 3300)), spans((2300, 4000), (4400, 6000))) == [
        Gap(2000, 2300, 300)
    ]
    # The agent begins a little before the caller has ended: a negative gap.
    assert turn_gaps(spans((1000, 2000)), spans((1900, 3000))) == [Gap(2000, 1900, -100)]
    # The agent says something short in the middle of the caller's turn: the gap is that of the answer.
    assert turn_gaps(spans((1000, 5000)), spans((2000, 2300), (5400, 6000))) == [Gap(5000, 5400, 400)]
    assert turn_gaps([], spans((0, 1000))) == []
    assert turn_gaps(spans((0, 1000)), []) == []


def test_half_an_hour_is_measured_quickly():
    minute = track(60, (3000, 4500), (20000, 24000), noise_db=-65)
    other = track(60, (5000, 9000), (24500, 30000), seed=8)
    caller, agent = np.tile(minute, 30), np.tile(other, 30)
    began = time.process_time()
    turns = measure_turns(caller, agent, RATE)
    assert time.process_time() - began < 1.0
    assert len(turns.gaps) == 60
    assert all(abs(gap.gap_ms - 500) <= 10 for gap in turns.gaps)
