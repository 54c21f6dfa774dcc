"""libopus itself, for streams with losses: conceals what is lost, and finds it again in the packet after it.

FFmpeg's wrapper (audio/opus.py) has neither, and decodes to 48 kHz only (to 16 kHz: 40 µs a packet, this 12).
The library is the one that PyAV brings, or the system's. No container, no jitter, no files of sound.
"""

from __future__ import annotations

import ctypes
import ctypes.util
from functools import lru_cache
from pathlib import Path
from typing import Any

import av
import numpy as np

from offhook.audio.g711 import Samples
from offhook.foundation.errors import WireError

MOST_MS = 120
_LONGEST_PACKET = 1275 * 6 + 7
_VOIP = 2048
_SET_BITRATE, _SET_COMPLEXITY, _SET_FEC, _SET_LOSS = 4002, 4010, 4012, 4014
_BIT_RATE, _COMPLEXITY = 28_000, 1
"""A few bits more make up for the search that is left out, which would cost twice the time."""


@lru_cache(maxsize=1)
def _library() -> ctypes.CDLL | None:
    for path in _places():
        try:
            return _described(ctypes.CDLL(path))
        except (OSError, AttributeError):
            continue
    return None


def _places() -> list[str]:
    package = Path(av.__file__).parent
    folders = (package.with_name("av.libs"), package / ".dylibs")  # wheels of Linux and Windows, of macOS
    bundled = [str(path) for folder in folders for path in sorted(folder.glob("*opus*"))]
    found = ctypes.util.find_library("opus")
    return [*bundled, *([found] if found else [])]


def _described(library: ctypes.CDLL) -> ctypes.CDLL:
    pointer, number = ctypes.c_void_p, ctypes.c_int
    library.opus_decoder_create.argtypes = [ctypes.c_int32, number, ctypes.POINTER(number)]
    library.opus_decoder_create.restype = pointer
    library.opus_decode.argtypes = [pointer, ctypes.c_char_p, ctypes.c_int32, pointer, number, number]
    library.opus_decoder_destroy.argtypes = [pointer]
    library.opus_encoder_create.argtypes = [ctypes.c_int32, number, number, ctypes.POINTER(number)]
    library.opus_encoder_create.restype = pointer
    library.opus_encode.argtypes = [pointer, pointer, number, pointer, ctypes.c_int32]
    library.opus_encoder_destroy.argtypes = [pointer]
    library.opus_encoder_ctl.argtypes = [pointer, number]  # and one more, which is variadic
    return library


def available() -> bool:
    """Whether there is a libopus to load."""
    return _library() is not None


class LossyDecoder:
    """One mono stream at `rate` (8, 12, 16, 24 or 48 kHz). Raises WireError where there is no libopus."""

    def __init__(self, rate: int = 16_000) -> None:
        library = _library()
        if library is None:
            raise WireError("there is no libopus on this machine")
        self._library = library
        self._room = np.empty(rate * MOST_MS // 1000, np.int16)
        self._place = self._room.ctypes.data
        self._most = len(self._room)
        error = ctypes.c_int()
        self._state: Any = library.opus_decoder_create(rate, 1, ctypes.byref(error))
        if not self._state:
            raise WireError(f"Opus does not decode to {rate} Hz")
        self.rate = rate

    def __del__(self) -> None:
        state, self._state = getattr(self, "_state", None), None
        if state:
            self._library.opus_decoder_destroy(state)

    def decode(self, packet: bytes) -> Samples:
        """A packet's samples (2.5–120 ms). Raises WireError; the next packet may be good."""
        if not 0 < len(packet) <= _LONGEST_PACKET:
            raise WireError(f"an Opus packet of {len(packet)} bytes")
        return self._decode(packet, self._most, 0)

    def conceal(self, count: int) -> Samples:
        """`count` samples (a multiple of 2.5 ms, at most 120) in place of what is lost."""
        return self._decode(None, min(count, self._most), 0)

    def recover(self, after: bytes, count: int) -> Samples:
        """The `count` samples before the packet `after`, from what it carries of them, else concealed."""
        return self._decode(after, min(count, self._most), 1)

    def _decode(self, packet: bytes | None, count: int, recovered: int) -> Samples:
        size = len(packet) if packet is not None else 0
        got: int = self._library.opus_decode(self._state, packet, size, self._place, count, recovered)
        if got < 0:
            raise WireError("a malformed Opus packet")
        return self._room[:got].copy()


class LossyEncoder:
    """One mono stream, 20 ms a packet, that can carry each packet's predecessor along (`expect_loss`)."""

    def __init__(self, rate: int = 16_000) -> None:
        library = _library()
        if library is None:
            raise WireError("there is no libopus on this machine")
        self._library = library
        self._room = ctypes.create_string_buffer(1500)
        error = ctypes.c_int()
        self._state: Any = library.opus_encoder_create(rate, 1, _VOIP, ctypes.byref(error))
        if not self._state:
            raise WireError(f"Opus does not do {rate} Hz")
        self.rate = rate
        self.frame_size = rate // 50
        for request, value in ((_SET_BITRATE, _BIT_RATE), (_SET_COMPLEXITY, _COMPLEXITY), (_SET_FEC, 1)):
            self._set(request, value)

    def __del__(self) -> None:
        state, self._state = getattr(self, "_state", None), None
        if state:
            self._library.opus_encoder_destroy(state)

    def expect_loss(self, percent: int) -> None:
        """So much of what is sent does not arrive."""
        self._set(_SET_LOSS, min(max(percent, 0), 100))

    def encode(self, frame: bytes) -> bytes:
        """One packet of exactly `frame_size` PCM16 samples."""
        if len(frame) != 2 * self.frame_size:
            raise ValueError(f"an Opus frame is {2 * self.frame_size} bytes, not {len(frame)}")
        size = self._library.opus_encode(self._state, frame, self.frame_size, self._room, len(self._room))
        if size < 0:
            raise WireError("Opus does not encode this")
        return ctypes.string_at(self._room, size)

    def _set(self, request: int, value: int) -> None:
        self._library.opus_encoder_ctl(self._state, request, ctypes.c_int32(value))
