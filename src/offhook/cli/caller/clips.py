"""Reads a sound file of any kind and rate into phone audio. Whole files only; not for live audio."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import av
import av.audio.resampler
import numpy as np

from offhook.audio import g711
from offhook.audio.frame import PHONE
from offhook.audio.g711 import Samples
from offhook.audio.gaps import speech_spans
from offhook.audio.resample import resample_clip
from offhook.foundation.errors import OffhookError

_RAW = {".ulaw", ".ul", ".mulaw", ".pcmu"}
_LONGEST_SECONDS = 3600


class ClipError(OffhookError):
    """A file cannot be played."""


@dataclass(frozen=True, slots=True)
class Clip:
    """µ-law at 8 kHz, and the samples between which something is audible."""

    name: str
    audio: bytes
    onset: int
    offset: int


def read_clip(path: Path) -> Clip:
    """Raw µ-law by its suffix (.ulaw, .ul, .pcmu), all else by what the file is. Raises ClipError."""
    if not path.is_file():
        raise ClipError(f"{path}: there is no such file")
    audio = path.read_bytes() if path.suffix.lower() in _RAW else _decode(path)
    spans = speech_spans(g711.decode_ulaw(audio), PHONE.rate)
    if not spans:
        raise ClipError(f"{path}: nothing in it is loud enough to be heard")
    return Clip(path.name, audio, PHONE.samples(spans[0].start_ms), PHONE.samples(spans[-1].end_ms))


def _decode(path: Path) -> bytes:
    try:
        with av.open(str(path)) as container:
            stream = next((s for s in container.streams if s.type == "audio"), None)
            if stream is None:
                raise ClipError(f"{path}: holds no audio")
            resampler = av.audio.resampler.AudioResampler(format="s16", layout="mono")
            frames = [f for frame in container.decode(audio=0) for f in resampler.resample(frame)]
            rate = frames[0].sample_rate if frames else PHONE.rate
            pieces = [frame.to_ndarray().reshape(-1).astype(np.int16) for frame in frames]
    except (av.FFmpegError, ValueError) as error:
        raise ClipError(f"{path}: is no sound file that can be read ({type(error).__name__})") from error
    samples: Samples = np.concatenate(pieces) if pieces else np.zeros(0, np.int16)
    if len(samples) > _LONGEST_SECONDS * rate:
        raise ClipError(f"{path}: is longer than an hour")
    if rate != PHONE.rate and len(samples):
        samples = resample_clip(samples, rate, PHONE.rate)
    return g711.encode_ulaw(samples).tobytes()
