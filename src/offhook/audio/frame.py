"""The words for raw sound: encodings, formats, and the arithmetic between bytes, samples and milliseconds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Encoding(StrEnum):
    """Sample encodings. PCM16 is signed, little-endian. One channel everywhere inside Offhook."""

    PCM16 = "pcm16"
    ULAW = "ulaw"
    ALAW = "alaw"


_SILENCE = {Encoding.PCM16: b"\x00\x00", Encoding.ULAW: b"\xff", Encoding.ALAW: b"\xd5"}


@dataclass(frozen=True, slots=True)
class AudioFormat:
    """Encoding and sample rate (Hz) of a mono stream."""

    encoding: Encoding
    rate: int

    @property
    def width(self) -> int:
        """Bytes per sample."""
        return 2 if self.encoding is Encoding.PCM16 else 1

    def samples(self, ms: float) -> int:
        """Whole samples in `ms` milliseconds."""
        return int(self.rate * ms / 1000)

    def size(self, ms: float) -> int:
        """Bytes in `ms` milliseconds, always whole samples."""
        return self.samples(ms) * self.width

    def ms(self, size: int) -> float:
        """Milliseconds in `size` bytes."""
        return size * 1000 / (self.rate * self.width)

    def silence(self, samples: int) -> bytes:
        """`samples` samples of digital silence (0xFF in µ-law, 0xD5 in A-law)."""
        return _SILENCE[self.encoding] * samples


PHONE = AudioFormat(Encoding.ULAW, 8_000)
WIDEBAND = AudioFormat(Encoding.PCM16, 16_000)
