"""Sounds that the audio tests share: tones, and an analysis of what a conversion did to one."""

from __future__ import annotations

import io

import av
import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.int16]


def sine(hz: float, rate: int, seconds: float = 1.0, level: float = 0.5) -> Samples:
    time = np.arange(int(rate * seconds)) / rate
    return np.rint(np.sin(2 * np.pi * hz * time) * 32767 * level).astype(np.int16)


def thd_n_db(samples: Samples, hz: float, rate: int) -> float:
    """Everything but the tone, in dB under the tone (least-squares fit of sine, cosine and offset)."""
    values = samples.astype(np.float64)
    angle = 2 * np.pi * hz * np.arange(len(values)) / rate
    basis = np.stack((np.sin(angle), np.cos(angle), np.ones_like(angle)), axis=1)
    fit = basis @ np.linalg.lstsq(basis, values, rcond=None)[0]
    return float(10 * np.log10(np.sum((values - fit) ** 2) / np.sum(fit**2)))


def speech_like(rate: int, seconds: float, seed: int = 1) -> Samples:
    """A voiced buzz with syllables: harmonics of a wandering pitch under a 4 Hz envelope."""
    noise = np.random.default_rng(seed)
    time = np.arange(int(rate * seconds)) / rate
    pitch = 120 + 20 * np.sin(2 * np.pi * 0.7 * time) + noise.normal(0, 1)
    phase = 2 * np.pi * np.cumsum(pitch) / rate
    buzz = sum(np.sin(k * phase) / k for k in range(1, 16))
    envelope = 0.3 + 0.7 * np.abs(np.sin(2 * np.pi * 2 * time))
    return np.rint(buzz * envelope * 6000).astype(np.int16)


def encoded(container: str, codec: str, rate: int, samples: Samples, **options: str) -> bytes:
    """A clip of samples [n] or [n, 2] in a container, by PyAV's own muxers."""
    layout = "mono" if samples.ndim == 1 else "stereo"
    out = io.BytesIO()
    with av.open(out, "w", format=container, options=options) as file:
        stream = file.add_stream(codec, rate=rate)
        stream.layout = layout
        context = stream.codec_context
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout=layout)
        frame.sample_rate = rate
        fit = av.AudioResampler(context.format, layout, rate, context.frame_size or None)
        for piece in fit.resample(frame) + fit.resample(None):
            file.mux(stream.encode(piece))
        file.mux(stream.encode(None))
    return out.getvalue()
