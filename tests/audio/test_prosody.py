"""Pitch, level and length of turns: known tones, noise, silence, and speech that was changed."""

from __future__ import annotations

import numpy as np
import pytest

from offhook.audio.prosody import SILENCE, measure


def voice(hz: float, seconds: float = 1.0, rate: int = 8000, peak: float = 8000) -> np.ndarray:
    """A buzz with harmonics, like a vowel."""
    at = np.arange(int(rate * seconds)) / rate
    wave = sum(np.sin(2 * np.pi * hz * k * at) / k for k in range(1, 8) if hz * k < rate / 2)
    return (wave / np.abs(wave).max() * peak).astype(np.int16)


@pytest.mark.parametrize("hz", [80, 110, 155, 220, 311, 400])
@pytest.mark.parametrize("rate", [8000, 16000, 24000, 48000])
def test_the_pitch_of_a_voice(hz: float, rate: int) -> None:
    found = measure(voice(hz, rate=rate), rate)
    assert found.pitch_hz == pytest.approx(hz, rel=0.02)
    assert found.range_st < 0.3
    assert 900 <= found.speech_ms <= 1000


def test_a_pitch_that_moves_has_a_range() -> None:
    found = measure(np.concatenate([voice(120), voice(240)]), 8000)
    assert found.range_st == pytest.approx(12, abs=0.7)


def test_louder_is_louder_by_as_many_decibels() -> None:
    low, high = measure(voice(150, peak=4000), 8000), measure(voice(150, peak=8000), 8000)
    assert high.level_db - low.level_db == pytest.approx(6.0, abs=0.2)
    assert high.pitch_hz == pytest.approx(low.pitch_hz, abs=0.5)


def test_noise_has_a_level_and_no_pitch() -> None:
    noise = (np.random.default_rng(1).normal(size=16_000) * 2_000).astype(np.int16)
    found = measure(noise, 8000)
    assert found.pitch_hz == 0
    assert found.range_st == 0
    assert found.level_db == pytest.approx(-24.3, abs=0.5)


def test_pauses_are_no_speech() -> None:
    gap = np.zeros(8000, np.int16)
    found = measure(np.concatenate([voice(150, 0.5), gap, voice(150, 0.5)]), 8000)
    assert 900 <= found.speech_ms <= 1200


@pytest.mark.parametrize("samples", [0, 10, 399, 8000])
def test_silence_and_too_little(samples: int) -> None:
    assert measure(np.zeros(samples, np.int16), 8000) == SILENCE


def test_the_loudest_and_a_constant_do_no_harm() -> None:
    assert measure(np.full(8000, 32767, np.int16), 8000).pitch_hz == 0
    assert measure(np.full(8000, -32768, np.int16), 8000).level_db == pytest.approx(0, abs=0.1)
