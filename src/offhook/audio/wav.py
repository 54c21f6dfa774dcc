"""WAV in memory: writes headers, parses them from the start of a stream, decodes blocks. No files."""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from offhook.audio import g711
from offhook.audio.frame import AudioFormat, Encoding
from offhook.audio.g711 import Samples
from offhook.foundation.errors import WireError

_PCM, _FLOAT, _ALAW, _ULAW, _EXTENSIBLE = 1, 3, 6, 7, 0xFFFE
_TAGS = {Encoding.PCM16: _PCM, Encoding.ULAW: _ULAW, Encoding.ALAW: _ALAW}
_DEPTHS = {(_PCM, 8), (_PCM, 16), (_PCM, 24), (_PCM, 32), (_FLOAT, 32), (_ALAW, 8), (_ULAW, 8)}
_UNKNOWN_SIZE = 0xFFFF_FFFF
_LONGEST_HEADER = 1 << 20


@dataclass(frozen=True, slots=True)
class WavHeader:
    """What a WAV says of itself. Samples begin at byte `offset`; `size` is None while streaming."""

    rate: int
    channels: int
    tag: int
    bits: int
    offset: int
    size: int | None

    @property
    def block(self) -> int:
        """Bytes of one sample of all channels."""
        return self.channels * self.bits // 8


def wav_header(format: AudioFormat, size: int | None, channels: int = 1) -> bytes:
    """The header for `size` bytes of interleaved samples; None for a stream of unknown length."""
    tag, width = _TAGS[format.encoding], format.width
    extra = b"" if tag == _PCM else b"\x00\x00"
    fmt = struct.pack(
        "<HHIIHH", tag, channels, format.rate, format.rate * width * channels, width * channels, width * 8
    )
    data = _UNKNOWN_SIZE if size is None else size
    whole = _UNKNOWN_SIZE if size is None else 20 + len(fmt) + len(extra) + size + size % 2
    parts = struct.pack("<4sI4s4sI", b"RIFF", whole, b"WAVE", b"fmt ", len(fmt + extra))
    return parts + fmt + extra + struct.pack("<4sI", b"data", data)


def write_wav(samples: Samples, rate: int) -> bytes:
    """A whole PCM16 WAV of samples [n] or [n, channels]."""
    body = samples.astype("<i2", copy=False).tobytes()
    channels = 1 if samples.ndim == 1 else samples.shape[1]
    return wav_header(AudioFormat(Encoding.PCM16, rate), len(body), channels) + body


def read_wav(data: bytes) -> tuple[Samples, int]:
    """Samples [n, channels] and rate of a whole WAV. A file cut short gives what it has. Raises WireError."""
    header = parse_header(data)
    if header is None:
        raise WireError("the WAV ends within its header")
    end = len(data) if header.size is None else min(len(data), header.offset + header.size)
    whole = (end - header.offset) // header.block * header.block
    return decode_block(header, data[header.offset : header.offset + whole]), header.rate


def parse_header(data: bytes) -> WavHeader | None:
    """The header at the start of `data`, or None while more bytes are needed. Raises WireError."""
    if not _begins(data):
        return None
    fmt: tuple[int, int, int, int] | None = None
    at = 12
    while len(data) >= at + 8:
        name, size = struct.unpack_from("<4sI", data, at)
        at += 8
        if name == b"data":
            if fmt is None:
                raise WireError("the WAV has no format before its samples")
            return WavHeader(*fmt, offset=at, size=None if size in (0, _UNKNOWN_SIZE) else size)
        if at + size > _LONGEST_HEADER:
            raise WireError("the WAV's header is too long")
        if len(data) < at + size:
            return None
        if name == b"fmt ":
            fmt = _parse_format(data[at : at + size])
        at += size + size % 2
    return None


def _begins(data: bytes) -> bool:
    """Whether the first 12 bytes are here. Raises WireError as soon as they cannot be a WAV's."""
    if not b"RIFF".startswith(data[:4]) or not b"WAVE".startswith(data[8:12]):
        raise WireError("not a WAV: no RIFF/WAVE at its start")
    return len(data) >= 12


def _parse_format(fmt: bytes) -> tuple[int, int, int, int]:
    """Rate, channels, tag and bits of a `fmt ` chunk."""
    if len(fmt) < 16:
        raise WireError("the WAV's format is too short")
    tag, channels, rate, _, block, bits = struct.unpack_from("<HHIIHH", fmt)
    if tag == _EXTENSIBLE and len(fmt) >= 26:
        (tag,) = struct.unpack_from("<H", fmt, 24)
    if (tag, bits) not in _DEPTHS:
        raise WireError(f"the WAV's encoding is not supported (format {tag}, {bits} bits)")
    if not 1 <= channels <= 8 or not 4_000 <= rate <= 192_000 or block != channels * bits // 8:
        raise WireError(f"the WAV's format makes no sense ({channels} channels, {rate} Hz)")
    return rate, channels, tag, bits


def decode_block(header: WavHeader, data: bytes) -> Samples:
    """Samples [n, channels] of whole blocks."""
    return _decode(header, data).reshape(-1, header.channels)


def _decode(header: WavHeader, data: bytes) -> Samples:
    match header.tag, header.bits:
        case (1, 16):
            return np.frombuffer(data, "<i2")
        case (1, 8):
            return (np.frombuffer(data, np.uint8).astype(np.int16) - 128) * np.int16(256)
        case (1, 24):
            triples = np.frombuffer(data, np.uint8).reshape(-1, 3)
            return np.ascontiguousarray(triples[:, 1:]).view("<i2").reshape(-1)
        case (1, 32):
            return np.frombuffer(data, "<i2")[1::2]
        case (6, _):
            return g711.decode_alaw(data)
        case (7, _):
            return g711.decode_ulaw(data)
    return from_float(np.frombuffer(data, "<f4"))


def from_float(values: npt.NDArray[np.float32]) -> Samples:
    """Floats in -1…1 to int16, saturating; what is not a number becomes silence."""
    scaled = np.nan_to_num(values * np.float32(32768.0), posinf=32767.0, neginf=-32768.0)
    samples: Samples = np.rint(scaled).clip(-32768, 32767).astype(np.int16)
    return samples


def to_mono(samples: Samples) -> Samples:
    """The mean of the channels of [n, channels]; [n] comes back as it is."""
    if samples.ndim == 1:
        return samples
    if samples.shape[1] == 1:
        return samples[:, 0]
    mono: Samples = (samples.sum(axis=1, dtype=np.int32) // samples.shape[1]).astype(np.int16)
    return mono
