"""Speech-like sound for the fakes: a voiced buzz with syllables, in every encoding that vendors send."""

from __future__ import annotations

import io
from functools import lru_cache

import av
import numpy as np
import numpy.typing as npt
import soxr

from offhook.audio import g711
from offhook.audio.wav import write_wav

Samples = npt.NDArray[np.int16]
RATE = 48_000


@lru_cache(maxsize=16)
def spoken(seconds: float) -> Samples:
    """48 kHz, about -20 dBFS. Nothing above 3.2 kHz, so that 8 kHz can hold all of it."""
    noise = np.random.default_rng(7)
    time = np.arange(int(seconds * RATE)) / RATE
    pitch = 130 + 25 * np.sin(2 * np.pi * 0.7 * time) + 6 * np.sin(2 * np.pi * 5.1 * time)
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    buzz = np.zeros_like(time)
    for part in range(1, 21):
        near = sum(np.exp(-((part * 140 - formant) ** 2) / 2 / 180**2) for formant in (500, 1500, 2500))
        buzz += (0.15 + near) / part**0.5 * np.sin(part * phase + noise.uniform(0, 6.28))
    syllables = 0.5 - 0.5 * np.cos(2 * np.pi * 4 * time)
    sound = buzz * (0.1 + 0.9 * syllables)
    edge = np.minimum(1, np.minimum(time, time[::-1]) / 0.01)
    sound *= edge * 0.1 / np.sqrt(np.mean(sound**2))
    return np.rint(sound * 32767).astype(np.int16)


@lru_cache(maxsize=64)
def at_rate(seconds: float, rate: int) -> Samples:
    samples: Samples = soxr.resample(spoken(seconds), RATE, rate, quality="VHQ")
    return samples


@lru_cache(maxsize=64)
def encoded(name: str, seconds: float) -> bytes:
    """By ElevenLabs' names of formats: pcm_24000, ulaw_8000, mp3_44100_128, opus_48000_64; and wav_24000."""
    kind, rate, *kilobits = name.split("_")
    samples = at_rate(seconds, int(rate))
    match kind:
        case "pcm":
            return samples.astype("<i2").tobytes()
        case "ulaw":
            return g711.encode_ulaw(samples).tobytes()
        case "alaw":
            return g711.encode_alaw(samples).tobytes()
        case "wav":
            return write_wav(samples, int(rate))
        case "mp3":
            return muxed("mp3", "libmp3lame", samples, int(rate), int(kilobits[0]))
        case "opus":
            return muxed("ogg", "libopus", samples, int(rate), int(kilobits[0]))
    raise ValueError(name)


def muxed(container: str, codec: str, samples: Samples, rate: int, kilobits: int) -> bytes:
    """A file as vendors stream it: without seeking back, so without a table of contents."""
    out = io.BytesIO()
    options = {"write_xing": "0", "id3v2_version": "0"} if container == "mp3" else {}
    with av.open(out, "w", format=container, options=options) as file:
        stream = file.add_stream(codec, rate=rate)
        stream.layout = "mono"
        stream.bit_rate = kilobits * 1000
        context = stream.codec_context
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = rate
        fit = av.AudioResampler(context.format, "mono", rate, context.frame_size or None)
        for piece in fit.resample(frame) + fit.resample(None):
            file.mux(stream.encode(piece))
        file.mux(stream.encode(None))
    return out.getvalue()


def seconds_for(text: str) -> float:
    """How long the fakes take for a text, at most ten seconds."""
    return min(10.0, round(0.4 + 0.06 * len(text), 1))
