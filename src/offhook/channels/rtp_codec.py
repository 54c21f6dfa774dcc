"""The Opus codec of a stream with losses: libopus itself where it can be loaded, else PyAV's."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from offhook.audio import libopus
from offhook.audio.frame import WIDEBAND
from offhook.audio.g711 import Samples
from offhook.audio.jitter import conceal
from offhook.audio.opus import OpusDecoder, OpusEncoder

_HISTORY = WIDEBAND.samples(40)


class Decoder(Protocol):
    """One stream in WIDEBAND. `decode` raises WireError; the next packet may be good."""

    def decode(self, packet: bytes) -> Samples: ...

    def conceal(self, count: int) -> Samples: ...

    def recover(self, after: bytes, count: int) -> Samples: ...


class Encoder(Protocol):
    """20 ms of WIDEBAND at a time."""

    def encode(self, frame: bytes) -> bytes: ...

    def expect_loss(self, percent: int) -> None: ...


def decoder() -> Decoder:
    return libopus.LossyDecoder(WIDEBAND.rate) if libopus.available() else PlainDecoder()


def encoder() -> Encoder:
    return libopus.LossyEncoder(WIDEBAND.rate) if libopus.available() else PlainEncoder()


class PlainDecoder:
    """What is lost is a repetition of what came before it, fading out."""

    def __init__(self) -> None:
        self._decoder = OpusDecoder(WIDEBAND.rate)
        self._recent: Samples = np.zeros(0, np.int16)

    def decode(self, packet: bytes) -> Samples:
        return self._note(self._decoder.decode(packet))

    def conceal(self, count: int) -> Samples:
        return self._note(conceal(self._recent, count, WIDEBAND.rate))

    def recover(self, after: bytes, count: int) -> Samples:
        return self.conceal(count)

    def _note(self, samples: Samples) -> Samples:
        self._recent = np.concatenate([self._recent, samples])[-_HISTORY:]
        return samples


class PlainEncoder:
    """Carries nothing along for losses."""

    def __init__(self) -> None:
        self._encoder = OpusEncoder(WIDEBAND.rate)

    def encode(self, frame: bytes) -> bytes:
        return self._encoder.encode(np.frombuffer(frame, np.int16))

    def expect_loss(self, percent: int) -> None:
        """It cannot prepare for it."""
