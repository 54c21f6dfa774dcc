"""Clips: bytes to float and back, rates, levels."""

from __future__ import annotations

import numpy as np
import pytest

from offhook.audio.frame import PHONE, WIDEBAND, AudioFormat, Encoding
from offhook.speech.clip import levels, pack, resampled, unpack


def sine(hz: float, rate: int, seconds: float = 0.5, peak: float = 0.5) -> np.ndarray:
    return (peak * np.sin(2 * np.pi * hz * np.arange(int(rate * seconds)) / rate)).astype(np.float32)


@pytest.mark.parametrize(
    "format", [PHONE, WIDEBAND, AudioFormat(Encoding.ALAW, 8000), AudioFormat(Encoding.PCM16, 48000)]
)
def test_a_clip_survives_the_way_there_and_back(format: AudioFormat) -> None:
    sound = sine(440, 24_000)
    audio = pack(sound, 24_000, format)
    assert len(audio) == format.size(500)
    back = unpack(audio, format, 24_000)
    error = back[2400:-2400] - sound[2400:-2400]
    assert 20 * np.log10(np.std(error) / np.std(sound)) < -30


def test_half_a_sample_at_the_end_is_dropped_and_overload_is_clipped() -> None:
    assert len(unpack(b"\x00\x00\x01", WIDEBAND, 16_000)) == 1
    loud = np.array([2.0, -2.0], np.float32)
    assert pack(loud, 16_000, WIDEBAND) == np.array([32767, -32767], "<i2").tobytes()


def test_nothing_stays_nothing() -> None:
    assert len(unpack(b"", PHONE, 16_000)) == 0
    assert pack(np.zeros(0, np.float32), 24_000, PHONE) == b""
    assert len(resampled(np.zeros(0, np.float32), 8000, 16_000)) == 0


def test_levels_are_dbfs_rms_per_frame() -> None:
    sound = np.concatenate([sine(1000, 16_000, 0.02, 1.0), np.zeros(160 + 7, np.float32)])
    assert levels(sound, 16_000) == pytest.approx([-3.01, -3.01, -120], abs=0.02)
