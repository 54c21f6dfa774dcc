"""Decodes provider audio (MP3, Ogg/Opus, WAV, raw) in memory, as it arrives in chunks cut anywhere."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

import numpy as np
from av.audio.codeccontext import AudioCodecContext

from offhook.audio import opus
from offhook.audio.convert import to_samples
from offhook.audio.frame import Encoding
from offhook.audio.g711 import Samples
from offhook.audio.mp3 import Mp3Decoder
from offhook.audio.ogg import OggPacket, OggReader
from offhook.audio.wav import WavHeader, decode_block, parse_header, to_mono
from offhook.foundation.errors import WireError

_NONE: Samples = np.empty(0, np.int16)


class ClipKind(StrEnum):
    """What a provider sends. The last three are headerless; their rate is given."""

    MP3 = "mp3"
    OGG_OPUS = "ogg_opus"
    WAV = "wav"
    PCM16 = "pcm16"
    ULAW = "ulaw"
    ALAW = "alaw"


class _Decoder(Protocol):
    rate: int

    def feed(self, data: bytes) -> list[Samples]: ...

    def finish(self) -> list[Samples]: ...


class ClipDecoder:
    """One clip, or several of a kind end to end. Gives mono int16 at `rate`, which is 0 until known.

    `rate` is needed for raw kinds and ignored for others. Raises WireError for bytes that are not
    of the kind.
    """

    def __init__(self, kind: ClipKind, rate: int = 0) -> None:
        self._decoder = _open(kind, rate)

    @property
    def rate(self) -> int:
        return self._decoder.rate

    def feed(self, data: bytes) -> Samples:
        """The samples that this chunk completes; independent of how the clip is cut."""
        return _joined(self._decoder.feed(data))

    def finish(self) -> Samples:
        """What was held back. A clip cut short gives what it has; one without any audio is a WireError."""
        return _joined(self._decoder.finish())


def decode_clip(kind: ClipKind, data: bytes, rate: int = 0) -> tuple[Samples, int]:
    """A whole clip: mono int16 and its rate. Raises WireError."""
    decoder = ClipDecoder(kind, rate)
    samples = np.concatenate((decoder.feed(data), decoder.finish()))
    return samples, decoder.rate


def _joined(pieces: list[Samples]) -> Samples:
    if not pieces:
        return _NONE
    return pieces[0] if len(pieces) == 1 else np.concatenate(pieces)


def _open(kind: ClipKind, rate: int) -> _Decoder:
    match kind:
        case ClipKind.MP3:
            return Mp3Decoder()
        case ClipKind.OGG_OPUS:
            return _OggOpus()
        case ClipKind.WAV:
            return _Wav()
    if not 4_000 <= rate <= 192_000:
        raise WireError(f"raw audio needs its rate, not {rate} Hz")
    return _Raw(Encoding(kind.value), rate)


class _Raw:
    def __init__(self, encoding: Encoding, rate: int) -> None:
        self.rate = rate
        self._encoding = encoding
        self._half = b""

    def feed(self, data: bytes) -> list[Samples]:
        if self._encoding is Encoding.PCM16:
            data = self._half + data
            whole = len(data) & ~1
            self._half, data = data[whole:], data[:whole]
        return [to_samples(data, self._encoding)]

    def finish(self) -> list[Samples]:
        return []


class _Wav:
    def __init__(self) -> None:
        self.rate = 0
        self._header: WavHeader | None = None
        self._buffer = b""
        self._left: int | None = None

    def feed(self, data: bytes) -> list[Samples]:
        self._buffer += data
        if self._header is None:
            self._header = parse_header(self._buffer)
            if self._header is None:
                return []
            self.rate = self._header.rate
            self._left = self._header.size
            self._buffer = self._buffer[self._header.offset :]
        whole = len(self._buffer) if self._left is None else min(len(self._buffer), self._left)
        whole -= whole % self._header.block
        block, self._buffer = self._buffer[:whole], self._buffer[whole:]
        if self._left is not None:
            self._left -= whole
            if self._left < self._header.block:
                self._buffer = b""
        return [to_mono(decode_block(self._header, block))]

    def finish(self) -> list[Samples]:
        if self._header is None:
            raise WireError("the WAV ends within its header")
        return []


class _OggOpus:
    def __init__(self) -> None:
        self.rate = opus.OPUS_RATE
        self._reader = OggReader()
        self._decoder: AudioCodecContext | None = None
        self._pre_skip = 0
        self._given = 0

    def feed(self, data: bytes) -> list[Samples]:
        return [piece for packet in self._reader.feed(data) if len(piece := self._decode(packet))]

    def finish(self) -> list[Samples]:
        if self._decoder is None:
            raise WireError("no Opus audio in the clip")
        return []

    def _decode(self, packet: OggPacket) -> Samples:
        if packet.first:
            self._begin(packet.data)
            return _NONE
        if self._decoder is None:
            raise WireError("not Ogg/Opus: the stream does not begin with its head")
        if packet.data.startswith(b"OpusTags") or not packet.data:
            return _NONE
        samples = to_mono(opus.decode_packet(self._decoder, packet.data))
        if packet.last:
            # The last page's position cuts the padding of the last packet (RFC 7845, 4.4).
            samples = samples[: max(0, packet.granule - self._pre_skip - self._given)]
        self._given += len(samples)
        return samples

    def _begin(self, head: bytes) -> None:
        if not head.startswith(b"OpusHead") or len(head) < 19 or head[18] != 0 or head[9] not in (1, 2):
            raise WireError("not Ogg/Opus in one or two channels")
        self._decoder = opus.open_decoder(head)
        self._pre_skip = int.from_bytes(head[10:12], "little")
        self._given = 0
