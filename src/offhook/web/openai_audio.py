"""Audio of the OpenAI-compatible API: speech encoded as it is spoken, files decoded, cut to be recognized."""

from __future__ import annotations

import io
from collections.abc import Iterator
from fractions import Fraction
from typing import Any, Final

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream

from offhook.audio.frame import AudioFormat, Encoding
from offhook.audio.g711 import Samples
from offhook.audio.resample import resample_clip
from offhook.audio.wav import read_wav, to_mono, wav_header
from offhook.foundation.errors import WireError

SPEECH: Final = AudioFormat(Encoding.PCM16, 24_000)
"""What `pcm` means: 24 kHz, as OpenAI has it."""
HEARD: Final = AudioFormat(Encoding.PCM16, 16_000)
MAX_FILE_SECONDS = 3_600
_PART_S = (8.0, 14.0)
"""A file is recognized in parts of about so long, cut where it is quietest."""

TYPES: Final = {
    "mp3": "audio/mpeg",
    "opus": "audio/ogg",
    "aac": "audio/aac",
    "flac": "audio/flac",
    "wav": "audio/wav",
    "pcm": "audio/pcm",
}
_CODECS: Final = {
    "mp3": ("mp3", "libmp3lame", "s16p", 64_000),
    "opus": ("ogg", "libopus", "s16", 32_000),
    "aac": ("adts", "aac", "fltp", 64_000),
    "flac": ("flac", "flac", "s16", 0),
}
_MAGIC: Final = (
    (0, b"OggS", "ogg"),
    (0, b"fLaC", "flac"),
    (0, b"\x1a\x45\xdf\xa3", "matroska,webm"),
    (4, b"ftyp", "mov,mp4,m4a,3gp,3g2,mj2"),
    (0, b"ID3", "mp3"),
)


class _Pipe:
    """A file that can only be written: what was written before cannot be changed any more."""

    def __init__(self) -> None:
        self._data = bytearray()

    def write(self, data: bytes) -> int:
        self._data += data
        return len(data)

    def take(self) -> bytes:
        data = bytes(self._data)
        self._data.clear()
        return data


class SpeechEncoder:
    """Speech in SPEECH's format to a file of one kind, piece by piece. `feed` and `finish` block shortly."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._begun = False
        self._written = _Pipe()
        self._stream: AudioStream | None = None
        self._container: Any = None
        self._at = 0
        if kind in _CODECS:
            format, codec, layout, rate = _CODECS[kind]
            self._container = av.open(self._written, "w", format=format)
            stream = self._container.add_stream(codec, rate=SPEECH.rate, layout="mono", format=layout)
            if rate:
                stream.bit_rate = rate
            self._stream = stream

    def feed(self, audio: bytes) -> bytes:
        """The file's bytes that this completes, which may be none."""
        if self._stream is None:
            header = wav_header(SPEECH, None) if self._kind == "wav" and not self._begun else b""
            self._begun = True
            return header + audio
        frame = AudioFrame.from_ndarray(np.frombuffer(audio, "<i2").reshape(1, -1), "s16", "mono")
        frame.sample_rate, frame.pts = SPEECH.rate, self._at
        frame.time_base = Fraction(1, SPEECH.rate)
        self._at += frame.samples
        for packet in self._stream.encode(frame):
            self._container.mux(packet)
        return self._taken()

    def finish(self) -> bytes:
        """The file's end."""
        if self._stream is None:
            return b"" if self._begun else self.feed(b"")
        for packet in self._stream.encode(None):
            self._container.mux(packet)
        self._container.close()
        return self._taken()

    def _taken(self) -> bytes:
        return self._written.take()


def decode_file(data: bytes) -> Samples:
    """A whole recording of any common kind, as mono int16 at HEARD's rate; blocks. Raises WireError."""
    if data[:4] == b"RIFF":
        samples, rate = read_wav(data)
        mono = to_mono(samples)
    else:
        mono, rate = _decode(data)
    if len(mono) > MAX_FILE_SECONDS * rate:
        raise WireError(f"the recording is longer than {MAX_FILE_SECONDS} seconds")
    return resample_clip(mono, rate, HEARD.rate)


def _decode(data: bytes) -> tuple[Samples, int]:
    kind = next((kind for at, magic, kind in _MAGIC if data[at : at + len(magic)] == magic), "")
    if not kind and len(data) > 2 and data[0] == 0xFF and data[1] & 0xE0 == 0xE0:
        kind = "aac" if data[1] & 0xF6 == 0xF0 else "mp3"
    if not kind:
        raise WireError("the file is no WAV, MP3, Ogg, FLAC, AAC, MP4 or WebM")
    pieces: list[Samples] = []
    seconds = 0.0
    try:
        with av.open(io.BytesIO(data), "r", format=kind) as container:
            stream = container.streams.audio[0]
            resampler = av.AudioResampler("s16", "mono", HEARD.rate)
            for frame in container.decode(stream):
                pieces += [
                    found.to_ndarray().reshape(-1).astype(np.int16) for found in resampler.resample(frame)
                ]
                seconds += frame.samples / max(1, frame.sample_rate)
                if seconds > MAX_FILE_SECONDS:
                    raise WireError(f"the recording is longer than {MAX_FILE_SECONDS} seconds")
    except (av.FFmpegError, IndexError, ValueError):
        raise WireError("the file cannot be decoded") from None
    if not pieces:
        raise WireError("there is no audio in the file")
    return np.concatenate(pieces), HEARD.rate


def parts(samples: Samples) -> Iterator[tuple[int, Samples]]:
    """A long recording in parts, each with its first sample: cut at the quietest 100 ms within bounds."""
    rate, at = HEARD.rate, 0
    least, most = int(_PART_S[0] * rate), int(_PART_S[1] * rate)
    while len(samples) - at > most:
        window = samples[at + least : at + most].astype(np.float32)
        frame = rate // 10
        power = np.square(window[: len(window) // frame * frame].reshape(-1, frame)).mean(axis=1)
        end = at + least + int(power.argmin()) * frame + frame // 2
        yield at, samples[at:end]
        at = end
    yield at, samples[at:]
