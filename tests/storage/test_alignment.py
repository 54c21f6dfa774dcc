"""What sounded at a media time is in the sealed file at that time: both legs, right level, no drift."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from offhook.audio.convert import to_bytes
from offhook.audio.frame import PHONE, WIDEBAND, AudioFormat, Encoding
from offhook.foundation.events import LegKind
from offhook.storage.manifest import Manifest, reel_path
from offhook.storage.peaks import Outline
from offhook.storage.playback import Wav
from offhook.storage.reel import Reel
from offhook.storage.seal import seal

Tone = Callable[..., np.ndarray[Any, np.dtype[np.int16]]]
LEVEL = 8000
BURST = 0.2
HIGH = AudioFormat(Encoding.PCM16, 24_000)
ALAW = AudioFormat(Encoding.ALAW, 8_000)


def tape(directory: Path, legs: dict[LegKind, tuple[AudioFormat, list[float]]], tone: Tone) -> Path:
    """Seal a call whose legs have a 440 Hz burst at each of the given seconds; the sealed file."""
    manifest = Manifest("x", datetime.now(UTC), {leg: format for leg, (format, _) in legs.items()})
    for leg, (format, times) in legs.items():
        reel = Reel(reel_path(directory, leg), format)
        sound = to_bytes(tone(440, format.rate, BURST, LEVEL), format.encoding)
        for at in times:
            reel.place(round(at * format.rate), sound)
            reel.flush()
        reel.close()
    sealed = seal(directory, manifest, Outline().add)
    assert sealed is not None
    return sealed


def bursts(samples: Any, rate: int) -> list[tuple[float, float]]:
    """Start (seconds) and level of each 440 Hz burst, by its best fit to the tone: no thresholds at edges."""
    step = rate // 100
    loud = np.abs(samples[: len(samples) // step * step].reshape(-1, step)).max(axis=1) > LEVEL / 4
    firsts = np.flatnonzero(loud & ~np.concatenate(([False], loud[:-1])))
    angle = 2 * np.pi * 440 * np.arange(int(rate * BURST)) / rate
    found = []
    for first in firsts:
        begin = max(0, (int(first) - 3) * step)
        window = samples[begin : begin + 8 * step + len(angle)].astype(float)
        match = np.hypot(
            np.correlate(window, np.sin(angle), "valid"), np.correlate(window, np.cos(angle), "valid")
        )
        at = int(match.argmax())
        found.append(((begin + at) / rate, match[at] * 2 / len(angle)))
    return found


def by_ffmpeg(path: Path) -> Any:
    """The sealed file as any player has it: 48 kHz, pre-skip taken off by the decoder."""
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        return np.concatenate([frame.to_ndarray() for frame in container.decode(stream)], axis=1).T * 32768


def check(found: list[tuple[float, float]], expected: list[float]) -> None:
    assert len(found) == len(expected)
    for (at, level), true in zip(found, expected, strict=True):
        assert abs(at - true) < 0.005
        assert 20 * abs(np.log10(level / LEVEL)) < 0.5


@pytest.mark.parametrize("formats", [(PHONE, PHONE), (WIDEBAND, HIGH), (ALAW, WIDEBAND)], ids=str)
def test_bursts_are_where_they_sounded(
    tmp_path: Path, tone: Tone, formats: tuple[AudioFormat, AudioFormat]
) -> None:
    times = {LegKind.CALLER: [0.0, 1.5, 3.25], LegKind.AGENT: [0.74, 2.3]}
    legs = {leg: (format, times[leg]) for (leg, format) in zip(times, formats, strict=True)}
    sealed = tape(tmp_path, legs, tone)
    samples = by_ffmpeg(sealed)
    wav = np.frombuffer(b"".join(Wav(sealed.open("rb"), 55_200).chunks(44)), "<i2").reshape(-1, 2)
    assert len(samples) == 3.45 * 48_000
    for side, expected in enumerate(times.values()):
        check(bursts(samples[:, side], 48_000), expected)
        check(bursts(wav[:, side], 16_000), expected)


def test_no_drift_in_ten_minutes(tmp_path: Path, tone: Tone) -> None:
    legs = {
        LegKind.CALLER: (PHONE, [30.0 * turn for turn in range(20)]),
        LegKind.AGENT: (HIGH, [30.0 * turn + 10 for turn in range(20)]),
    }
    sealed = tape(tmp_path, legs, tone)
    count = round((580 + BURST) * 16_000)
    samples = np.frombuffer(b"".join(Wav(sealed.open("rb"), count).chunks(44)), "<i2").reshape(-1, 2)
    for side, (_, expected) in enumerate(legs.values()):
        found = bursts(samples[:, side], 16_000)
        check(found, expected)
        errors = [at - true for (at, _), true in zip(found, expected, strict=True)]
        assert max(errors) - min(errors) < 0.001
        print("error ms:", [round(error * 1000, 2) for error in errors])
