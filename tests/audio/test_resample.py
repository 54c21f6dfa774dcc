import numpy as np
import pytest
from audio_signals import sine, thd_n_db
from hypothesis import given, settings
from hypothesis import strategies as st

from offhook.audio import resample
from offhook.audio.resample import Resampler, prepare, resample_clip, transition_hz
from offhook.foundation.errors import WireError

LIVE = [
    (8000, 16000), (16000, 8000), (24000, 8000), (8000, 24000), (48000, 8000), (8000, 48000),
    (48000, 16000), (16000, 48000), (24000, 16000), (16000, 24000),
]  # fmt: skip
CLIP = [(44100, 8000), (22050, 8000), (44100, 16000), (22050, 16000), (16000, 44100), (24000, 48000)]
PAIRS = LIVE + CLIP


def stream(source, target, samples, sizes=(0,), flush=True):
    """Through a resampler in chunks of the sizes in turn (0: the rest)."""
    resampler = Resampler(source, target)
    pieces, at, turn = [], 0, 0
    while at < len(samples):
        size = sizes[turn % len(sizes)] or len(samples)
        pieces.append(resampler.process(samples[at : at + size]))
        at, turn = at + size, turn + 1
    if flush:
        pieces.append(resampler.flush())
    return np.concatenate(pieces)


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_delay_is_at_most_3_ms_and_as_stated(source, target):
    resampler = Resampler(source, target)
    assert 0 < resampler.delay_ms <= 3.0
    click = np.zeros(source // 10, np.int16)
    place = source // 25
    click[place] = 30000
    out = resampler.process(click).astype(float)
    centre = float(np.sum(np.arange(len(out)) * out**2) / np.sum(out**2))
    assert centre / target - place / source == pytest.approx(
        resampler.delay / target, abs=0.6 / min(source, target)
    )


@pytest.mark.parametrize(("source", "target"), PAIRS)
@pytest.mark.parametrize("hz", [300, 1004, 3100])
def test_a_tone_across_20_ms_chunks_is_clean(source, target, hz):
    out = stream(source, target, sine(hz, source, 0.6), (source // 50,), flush=False)
    settled = out[target // 100 : target // 100 + target // 2]
    assert thd_n_db(settled, hz, target) < -75
    level = np.sqrt(2 * np.mean(settled.astype(float) ** 2)) / (32767 * 0.5)
    assert abs(20 * np.log10(level)) < 0.1


@pytest.mark.parametrize(("source", "target"), [p for p in PAIRS if p[0] > p[1]])
def test_what_would_alias_is_rejected(source, target):
    stop = target / 2 + transition_hz(source, target) / 2
    for hz in np.linspace(stop + 20, source / 2 - 50, 7):
        out = stream(source, target, sine(float(hz), source, 0.3, 0.9), (source // 50,), flush=False)
        heard = out[target // 50 :].astype(float)
        assert 20 * np.log10(np.sqrt(np.mean(heard**2) + 1e-9) / (32767 * 0.9 / np.sqrt(2))) < -75


@pytest.mark.parametrize(("source", "target"), PAIRS)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_any_chunking_gives_the_same_bits(source, target, data):
    seed = data.draw(st.integers(0, 1000))
    count = data.draw(st.integers(1, 1500))
    samples = np.random.default_rng(seed).integers(-32768, 32768, count).astype(np.int16)
    sizes = data.draw(st.lists(st.integers(1, 700), min_size=1, max_size=6))
    whole = stream(source, target, samples)
    assert np.array_equal(stream(source, target, samples, sizes), whole)
    delay = Resampler(source, target).delay
    assert len(whole) == -(-count * target // source) + delay


def test_long_input_is_worked_in_pieces_with_the_same_result():
    samples = sine(440, 24000, 1.3)
    assert np.array_equal(stream(24000, 8000, samples), stream(24000, 8000, samples, (480,)))


def test_every_20_ms_in_gives_20_ms_out():
    for source, target in LIVE:
        resampler = Resampler(source, target)
        for _ in range(5):
            assert len(resampler.process(np.zeros(source // 50, np.int16))) == target // 50


def test_full_scale_saturates_and_never_wraps():
    square = np.where(np.arange(4800) // 40 % 2, 32767, -32768).astype(np.int16)
    out = stream(24000, 16000, square)
    assert out.max() == 32767
    assert out.min() == -32768
    smooth = stream(24000, 16000, square // 4)[100:-100].astype(int) * 4
    assert np.all(np.abs(np.clip(smooth, -32768, 32767) - out[100:-100]) < 20)


def test_constant_input_stays_constant():
    for source, target in PAIRS:
        out = stream(source, target, np.full(source // 5, 12345, np.int16), flush=False)
        assert set(out[target // 100 :].tolist()) == {12345}


def test_equal_rates_pass_through():
    resampler = Resampler(16000, 16000)
    samples = sine(440, 16000, 0.02)
    assert resampler.process(samples) is samples
    assert resampler.delay == 0
    assert resampler.delay_ms == 0.0
    assert len(resampler.flush()) == 0


def test_nothing_in_nothing_out():
    assert len(Resampler(8000, 16000).process(np.empty(0, np.int16))) == 0


def test_flush_and_reset_make_it_as_new():
    resampler = Resampler(24000, 8000)
    samples = sine(700, 24000, 0.05)
    first = np.concatenate((resampler.process(samples), resampler.flush()))
    second = np.concatenate((resampler.process(samples), resampler.flush()))
    resampler.process(samples[:77])
    resampler.reset()
    third = np.concatenate((resampler.process(samples), resampler.flush()))
    assert np.array_equal(first, second)
    assert np.array_equal(first, third)


@pytest.mark.parametrize("rates", [(0, 8000), (8000, 0), (3999, 8000), (8000, 192001), (47999, 8000)])
def test_unusable_rates_are_refused(rates):
    with pytest.raises(WireError, match="no conversion"):
        Resampler(*rates)


def test_clips_have_no_delay():
    tone = sine(440, 24000, 0.5)
    out = resample_clip(tone, 24000, 8000)
    assert len(out) == 4000
    assert np.abs(out[400:-400].astype(int) - sine(440, 8000, 0.5)[400:-400]).max() < 20
    assert resample_clip(tone, 24000, 24000) is tone
    assert len(resample_clip(tone[:0], 24000, 8000)) == 0
    with pytest.raises(WireError):
        resample_clip(tone, 24000, 0)


def test_filters_are_made_before_they_are_wanted():
    resample._filter.cache_clear()
    prepare((8000, 16000, 8000))
    made = resample._filter.cache_info().currsize
    assert made == 2, "each way between two rates, once"
    Resampler(8000, 16000).process(np.zeros(160, np.int16))
    assert resample._filter.cache_info().currsize == made
    with pytest.raises(WireError):
        prepare((8000, 1))
