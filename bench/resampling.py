"""What streaming resamplers do to sound: delay, THD+N and aliasing of Offhook's, soxr's and audioop's.

Part of `bench/audio.py`, which prints it.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import soxr

from offhook.audio.resample import Resampler, resample_clip, transition_hz

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    try:
        import audioop
    except ImportError:
        audioop = None  # type: ignore[assignment]

PAIRS = [(8000, 16000), (16000, 8000), (24000, 8000), (48000, 8000), (48000, 16000)]
Row = dict[str, Any]


def tone(rate: int, seconds: float, hz: float = 997.0, level: float = 0.89) -> np.ndarray:
    return np.rint(np.sin(2 * np.pi * hz * np.arange(int(rate * seconds)) / rate) * 32767 * level).astype(
        "<i2"
    )


def noise(rate: int, seconds: float) -> np.ndarray:
    return np.random.default_rng(1).normal(0, 4000, int(rate * seconds)).astype("<i2")


def ratecv(source: int, target: int) -> Callable[[bytes], bytes]:
    state = None

    def convert(audio: bytes) -> bytes:
        nonlocal state
        out, state = audioop.ratecv(audio, 2, 1, source, target, state)
        return out

    return convert


Stream = Callable[[np.ndarray], np.ndarray]


def by_offhook(source: int, target: int) -> Stream:
    return Resampler(source, target).process


def by_soxr(source: int, target: int) -> Stream:
    return soxr.ResampleStream(source, target, 1, dtype="int16", quality="HQ").resample_chunk


def by_audioop(source: int, target: int) -> Stream:
    convert = ratecv(source, target)
    return lambda chunk: np.frombuffer(convert(chunk.tobytes()), "<i2")


def streamed(stream: Stream, samples: np.ndarray, size: int) -> np.ndarray:
    """All output of the samples, fed in chunks of `size`."""
    return np.concatenate([stream(samples[at : at + size]) for at in range(0, len(samples), size)])


def thd_n(heard: np.ndarray, rate: int, hz: float = 997.0) -> float:
    values = heard[rate // 5 : -rate // 5].astype(float)
    angle = 2 * np.pi * hz * np.arange(len(values)) / rate
    basis = np.stack((np.sin(angle), np.cos(angle), np.ones_like(angle)), 1)
    fit = basis @ np.linalg.lstsq(basis, values, rcond=None)[0]
    return float(10 * np.log10(np.sum((values - fit) ** 2) / np.sum(fit**2)))


def delays(make: Callable[[int, int], Stream], source: int, target: int) -> tuple[float, float, float]:
    """Delay in ms by impulse and by cross-correlation, and how long output trails input (ms, worst)."""
    click = np.zeros(source, np.int16)
    click[source // 5] = 30000
    heard = streamed(make(source, target), click, source // 50).astype(float)
    weight = heard**2
    impulse = float(np.sum(np.arange(len(heard)) * weight) / max(1.0, np.sum(weight))) / target - 0.2
    sound = resample_clip(noise(min(source, target), 2.0), min(source, target), source)
    want = resample_clip(sound, source, target).astype(float)
    heard = streamed(make(source, target), sound, source // 50).astype(float)
    span = np.arange(-4, target // 8)
    here = want[target // 2 : target]
    scores = [float(np.dot(here, heard[target // 2 + k : target + k])) for k in span]
    top = int(np.argmax(scores))
    a, b, c = scores[max(0, top - 1)], scores[top], scores[min(len(scores) - 1, top + 1)]
    lag = span[top] + (0.5 * (a - c) / (a - 2 * b + c) if a != b else 0.0)
    stream, given, worst = make(source, target), 0, 0.0
    for number in range(50):
        given += len(stream(sound[number * source // 50 : (number + 1) * source // 50]))
        worst = max(worst, (number + 1) / 50 - given / target)
    return impulse * 1000, lag / target * 1000, worst * 1000


def alias_db(make: Callable[[int, int], Stream], source: int, target: int) -> float | None:
    """The strongest that a tone beyond the transition band still comes through when going down."""
    if source < target:
        return None
    stop, levels = target / 2 + transition_hz(source, target) / 2, []
    for hz in np.linspace(stop + 20, source / 2 - 100, 8):
        heard = streamed(make(source, target), tone(source, 0.5, float(hz)), source // 50)[target // 5 : -800]
        levels.append(20 * np.log10(max(0.5, float(np.std(heard))) / (32767 * 0.89 / np.sqrt(2))))
    return float(max(levels))


def resamplers() -> list[Row]:
    rows: list[Row] = []
    makers = [("Offhook", by_offhook), ("soxr stream HQ", by_soxr)] + (
        [("audioop.ratecv", by_audioop)] * bool(audioop)
    )
    for source, target in PAIRS:
        for name, make in makers:
            impulse, lag, held = delays(make, source, target)
            heard = streamed(make(source, target), tone(source, 2.0), source // 50)
            rows.append({
                "rates": f"{source} → {target}", "by": name, "impulse_ms": impulse, "correlation_ms": lag,
                "withheld_ms": held, "thd_n_db": thd_n(heard, target),
                "alias_db": alias_db(make, source, target),
            })  # fmt: skip
    return rows
