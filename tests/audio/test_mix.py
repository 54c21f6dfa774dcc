import numpy as np
import pytest
from audio_signals import sine
from hypothesis import given
from hypothesis import strategies as st

from offhook.audio.mix import Gain, mix

FRAMES = st.lists(st.lists(st.integers(-32768, 32767), min_size=4, max_size=4), min_size=1, max_size=5)


@given(FRAMES)
def test_the_sum_saturates(rows):
    frames = [np.array(row, np.int16) for row in rows]
    expected = np.clip(np.sum(np.array(rows), axis=0), -32768, 32767)
    assert mix(frames).tolist() == expected.tolist()
    assert mix(frames, [1.0] * len(frames)).tolist() == expected.tolist()


def test_gains():
    a, b = np.array([1000, -30000], np.int16), np.array([500, -30000], np.int16)
    assert mix([a, b], [0.5, 2.0]).tolist() == [1500, -32768]
    assert mix([a]) is a
    with pytest.raises(ValueError):
        mix([a, b], [1.0])


def test_a_settled_gain():
    tone = sine(440, 8000, 0.02)
    assert Gain(8000).apply(tone) is tone
    assert not Gain(8000, 0.0).apply(tone).any()
    assert np.abs(Gain(8000, 0.5).apply(tone) * 2 - tone).max() <= 1
    assert Gain(8000, 4.0).apply(tone).max() == 32767


@pytest.mark.parametrize("chunk", [7, 50, 160, 800])
@pytest.mark.parametrize(("start", "end"), [(0.0, 1.0), (1.0, 0.0), (1.0, 0.25), (0.5, 2.0)])
def test_a_change_makes_no_click_however_it_is_cut(start, end, chunk):
    flat = np.full(800, 10000, np.int16)
    gain = Gain(8000, start, ramp_ms=20)
    gain.set(end)
    assert not gain.settled
    out = np.concatenate([gain.apply(flat[at : at + chunk]) for at in range(0, 800, chunk)]).astype(int)
    assert np.abs(np.diff(out)).max() <= 64
    assert abs(out[0] - start * 10000) <= 64
    assert out[-1] == end * 10000
    assert gain.settled
    arrived = int(np.flatnonzero(out == end * 10000)[0])
    assert arrived == pytest.approx(160 * abs(end - start), abs=1)


def test_a_change_during_a_change():
    flat = np.full(80, 10000, np.int16)
    gain = Gain(8000, 0.0, ramp_ms=20)
    gain.set(1.0)
    up = gain.apply(flat)
    assert len(gain.apply(flat[:0])) == 0
    gain.set(0.0)
    down = gain.apply(flat)
    assert abs(int(down[0]) - int(up[-1])) <= 64
    assert down[-1] == 0
