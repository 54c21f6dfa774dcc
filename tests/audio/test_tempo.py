"""Tempo: faster or slower at the same pitch, whatever the pieces; untouched at 1."""

from __future__ import annotations

import numpy as np
import pytest

from offhook.audio.tempo import Tempo
from offhook.foundation.errors import WireError


def tone(rate: int, seconds: float = 2.0, hertz: float = 440) -> np.ndarray:
    return (np.sin(2 * np.pi * hertz * np.arange(int(rate * seconds)) / rate) * 8_000).astype(np.int16)


def run(samples: np.ndarray, rate: int, speed: float, piece_ms: int) -> np.ndarray:
    tempo, step = Tempo(rate, speed), rate * piece_ms // 1000
    pieces = [tempo.feed(samples[at : at + step]) for at in range(0, len(samples), step)]
    return np.concatenate([*pieces, tempo.finish()])


@pytest.mark.parametrize("rate", [8_000, 16_000, 24_000, 48_000])
@pytest.mark.parametrize("speed", [0.5, 0.8, 1.25, 2.0])
def test_the_length_changes_and_the_pitch_does_not(rate: int, speed: float) -> None:
    found = run(tone(rate), rate, speed, 20)
    assert len(found) / rate == pytest.approx(2 / speed, abs=0.04)
    spectrum = np.abs(np.fft.rfft(found * np.hanning(len(found))))
    assert spectrum.argmax() * rate / len(found) == pytest.approx(440, abs=2)
    assert np.sqrt(np.mean(found.astype(float) ** 2)) == pytest.approx(8_000 / 2**0.5, rel=0.1)


@pytest.mark.parametrize("speed", [0.7, 1.5])
def test_it_does_not_matter_how_it_is_cut(speed: float) -> None:
    whole = run(tone(16_000), 16_000, speed, 2_000)
    for piece_ms in (1, 13, 300, 1_999):
        assert np.array_equal(run(tone(16_000), 16_000, speed, piece_ms), whole)


def test_no_more_than_a_tenth_of_a_second_is_held_back() -> None:
    tempo, given, back = Tempo(16_000, 1.2), 0, 0
    for at in range(0, 32_000, 320):
        given += 320
        back += len(tempo.feed(tone(16_000)[at : at + 320]))
        assert back >= (given - 1_600) / 1.2


def test_at_one_it_is_the_same_samples() -> None:
    samples = tone(8_000)
    tempo = Tempo(8_000, 1.0)
    assert tempo.feed(samples) is samples
    assert len(tempo.finish()) == 0


def test_a_moment_is_enough() -> None:
    tempo = Tempo(8_000, 1.5)
    found = np.concatenate([tempo.feed(tone(8_000, 0.11)), tempo.finish()])
    assert 400 <= len(found) <= 700


def test_nothing_in_is_nothing_out() -> None:
    assert len(Tempo(8_000, 1.5).finish()) == 0
    assert len(Tempo(8_000, 1.5).feed(np.empty(0, np.int16))) == 0


@pytest.mark.parametrize("speed", [0.0, 0.49, 2.01, -1.0, float("nan"), float("inf")])
def test_a_speed_out_of_bounds_is_refused(speed: float) -> None:
    with pytest.raises(WireError, match=r"between 0\.5 and 2"):
        Tempo(8_000, speed)
