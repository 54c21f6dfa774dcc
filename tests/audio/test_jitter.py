import numpy as np
import pytest
from audio_signals import sine
from hypothesis import given
from hypothesis import strategies as st

from offhook.audio import g711
from offhook.audio.frame import PHONE, WIDEBAND
from offhook.audio.jitter import JitterBuffer, conceal

TONE = g711.encode_ulaw(sine(200, 8000, 1.0)).tobytes()
FRAMES = {at: TONE[at : at + 160] for at in range(0, 8000, 160)}


def run(order, buffer=None):
    buffer = buffer or JitterBuffer(PHONE)
    return b"".join(buffer.push(at, FRAMES[at]) for at in order), buffer


def test_in_order_passes_at_once():
    buffer = JitterBuffer(PHONE)
    for at in list(FRAMES)[:10]:
        assert buffer.push(at, FRAMES[at]) == FRAMES[at]
    assert buffer.flush() == b""
    assert set(buffer.counts.values()) == {0}


def test_reordered_within_60_ms_is_put_right():
    out, buffer = run([0, 320, 480, 160, 640, 960, 800, 1120])
    assert out == TONE[:1280]
    assert buffer.counts == {"late": 0, "reordered": 2, "gaps": 0, "lost_samples": 0, "jumps": 0}
    out, buffer = run([0, 480, 320, 160])
    assert out == TONE[:640]
    assert buffer.counts["reordered"] == 2


def test_duplicates_are_dropped():
    out, buffer = run([0, 160, 160, 480, 480, 320, 0, 640])
    assert out == TONE[:800]
    assert buffer.counts["late"] == 3


def test_a_gap_is_filled_once_60_ms_wait():
    buffer = JitterBuffer(PHONE)
    out = b"".join(buffer.push(at, FRAMES[at]) for at in (0, 160, 320, 480))
    assert buffer.push(800, FRAMES[800]) == b""
    assert buffer.push(960, FRAMES[960]) == b""
    out += buffer.push(1120, FRAMES[1120])
    assert len(out) == 1280
    assert out[:640] == TONE[:640]
    assert out[800:] == TONE[800:1280]
    filled = g711.decode_ulaw(out[640:800]).astype(float)
    missing = g711.decode_ulaw(TONE[640:800]).astype(float)
    assert np.corrcoef(filled, missing)[0, 1] > 0.95
    assert buffer.counts["gaps"] == 1
    assert buffer.counts["lost_samples"] == 160
    assert buffer.push(640, FRAMES[640]) == b""
    assert buffer.counts["late"] == 1


def test_flush_fills_and_gives_the_rest():
    buffer = JitterBuffer(PHONE)
    assert buffer.flush() == b""
    out = buffer.push(0, FRAMES[0]) + buffer.push(480, FRAMES[480]) + buffer.flush()
    assert len(out) == 640
    assert out[160:480] == b"\xff" * 320  # too little before it to conceal with
    assert out[480:] == FRAMES[480]


def test_a_jump_ahead_is_not_filled():
    buffer = JitterBuffer(PHONE)
    buffer.push(0, FRAMES[0])
    assert buffer.push(80_000, FRAMES[160]) == FRAMES[160]
    assert buffer.push(80_160, FRAMES[320]) == FRAMES[320]
    assert buffer.counts["jumps"] == 1


def test_a_jump_back_begins_anew():
    buffer = JitterBuffer(PHONE)
    buffer.push(80_000, FRAMES[0])
    assert buffer.push(80_320, FRAMES[320]) == b""
    out = buffer.push(0, FRAMES[480])
    assert len(out) == 480
    assert out[-160:] == FRAMES[480]
    assert buffer.push(160, FRAMES[640]) == FRAMES[640]
    assert buffer.counts["jumps"] == 1


def test_overlaps_are_cut():
    buffer = JitterBuffer(PHONE)
    out = buffer.push(0, TONE[:160]) + buffer.push(80, TONE[80:240])
    out += buffer.push(400, TONE[400:560]) + buffer.push(320, TONE[320:480]) + buffer.push(240, TONE[240:400])
    assert out == TONE[:560]


def test_a_packet_wholly_inside_another_that_waited():
    buffer = JitterBuffer(PHONE)
    out = buffer.push(0, TONE[:160]) + buffer.push(320, TONE[320:640]) + buffer.push(400, TONE[400:480])
    assert out + buffer.push(160, TONE[160:320]) == TONE[:640]


def test_wide_samples_count_as_two_bytes():
    audio = sine(300, 16000, 0.2).tobytes()
    buffer = JitterBuffer(WIDEBAND)
    out = buffer.push(0, audio[:640]) + buffer.push(640, audio[1280:1920]) + buffer.push(320, audio[640:1280])
    assert out == audio[:1920]


@given(st.permutations(range(12)), st.sets(st.integers(1, 10), max_size=4), st.data())
def test_duration_is_kept_and_kept_audio_is_in_its_place(order, lost, data):
    window = data.draw(st.integers(1, 12))
    arrival = sorted(range(12), key=lambda n: n + order[n] % window)
    buffer = JitterBuffer(PHONE)
    buffer.push(0, FRAMES[0])
    out = FRAMES[0]
    for number in arrival:
        if number not in lost and number:
            out += buffer.push(number * 160, FRAMES[number * 160])
    out += buffer.flush()
    assert len(out) == 12 * 160
    missing = [n for n in range(12) if out[n * 160 : n * 160 + 160] != FRAMES[n * 160]]
    assert buffer.counts["lost_samples"] >= len(missing) * 160
    if window == 1:
        assert set(missing) <= lost


@pytest.mark.parametrize("count", [1, 160, 2000])
def test_concealment_fades_to_silence(count):
    recent = sine(150, 8000, 0.1)
    filled = conceal(recent, count, 8000)
    assert len(filled) == count
    assert abs(int(filled[0]) - int(recent[-1])) < 2500
    assert not filled[480:].any()
    assert not conceal(recent[:50], count, 8000).any()
