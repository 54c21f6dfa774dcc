"""One browser connection's audio in its codec: PCM16 as it is, or Opus packets of 20 ms. No sockets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from offhook.audio.frame import WIDEBAND
from offhook.foundation.errors import OffhookError, WireError
from offhook.protocols.browser import Audio, Codec

if TYPE_CHECKING:
    from offhook.audio.opus import OpusDecoder, OpusEncoder

_PACKET = WIDEBAND.size(20)
_PIECE = WIDEBAND.size(60)


class DownVoice:
    """Packs audio for the browser. Opus needs whole packets: the rest of one waits for more, or `flush`."""

    def __init__(self, codec: Codec) -> None:
        self._encoder = _encoder() if codec is Codec.OPUS else None
        self.codec = Codec.PCM16 if self._encoder is None else Codec.OPUS
        self._rest = b""

    def pack(self, audio: bytes) -> Iterator[tuple[bytes, int]]:
        """Payloads and their samples, for audio of any length."""
        if self._encoder is None:
            for start in range(0, len(audio), _PIECE):
                piece = audio[start : start + _PIECE]
                yield piece, len(piece) // 2
            return
        audio = self._rest + audio if self._rest else audio
        whole = len(audio) - len(audio) % _PACKET
        self._rest = audio[whole:]
        for start in range(0, whole, _PACKET):
            samples = np.frombuffer(audio, np.int16, _PACKET // 2, start)
            packet = self._encoder.encode(samples)
            if packet:
                yield packet, _PACKET // 2

    def flush(self) -> Iterator[tuple[bytes, int]]:
        """The rest of a packet, filled up with silence."""
        if self._rest:
            yield from self.pack(bytes(_PACKET - len(self._rest)))

    def drop(self) -> None:
        self._rest = b""


class UpVoice:
    """Unpacks audio from the browser; each frame says its own codec."""

    def __init__(self) -> None:
        self._decoder: OpusDecoder | None = None

    def unpack(self, frame: Audio) -> bytes:
        """Samples in WIDEBAND. Raises WireError for a packet that is none."""
        if frame.codec is Codec.PCM16:
            return frame.payload
        if self._decoder is None:
            self._decoder = _decoder()
        try:
            return self._decoder.decode(frame.payload).tobytes()
        except ValueError:
            raise WireError("an Opus packet cannot be decoded") from None


def _encoder() -> OpusEncoder | None:
    """An encoder, or None where this machine has none: the call is then in PCM."""
    try:
        from offhook.audio.opus import OpusEncoder

        return OpusEncoder(WIDEBAND.rate)
    except (ImportError, OffhookError):
        return None


def _decoder() -> OpusDecoder:
    try:
        from offhook.audio.opus import OpusDecoder
    except ImportError:
        raise WireError("Opus is not offered here") from None
    return OpusDecoder(WIDEBAND.rate)
