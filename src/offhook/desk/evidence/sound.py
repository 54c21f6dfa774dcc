"""The sound of a call as members of a package: as it was kept, and each side as WAV. Writes nothing."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, Protocol

import numpy as np

from offhook.audio.frame import AudioFormat, Encoding
from offhook.audio.g711 import Samples
from offhook.audio.wav import wav_header
from offhook.desk.evidence.package import Member
from offhook.foundation.errors import NotFoundError, StorageError

RATE = 16_000
_MONO = AudioFormat(Encoding.PCM16, RATE)
_STEREO_BLOCK = 4
MOST_SAMPLES = 600_000_000
"""Of all WAVs together: what fits into a ZIP beside the recording itself; eleven hours of call."""


class Stereo(Protocol):
    """A WAV (PCM16, stereo, 16 kHz) that is decoded as it is read."""

    def chunks(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]: ...

    def close(self) -> None: ...


class Recordings(Protocol):
    """Sealed recordings by call id. All block, and raise NotFoundError and StorageError."""

    def open_ogg(self, call_id: str) -> BinaryIO: ...

    def wav(self, call_id: str) -> Stereo: ...

    def peaks(self, call_id: str) -> dict[str, Any]: ...


def sound_members(
    recordings: Recordings | None, call_id: str, answering: str
) -> tuple[list[Member], str, list[str]]:
    """Members, what to say of the sound ("included", or why there is none), and notes. `answering` names the
    file of those who are on the right side. Blocks: in a thread."""
    if recordings is None:
        return [], "nothing is recorded in this house", []
    try:
        with recordings.open_ogg(call_id) as file:
            size = os.fstat(file.fileno()).st_size
    except NotFoundError:
        return [], "there is no recording of this call", []
    except StorageError as error:
        return [], error.reason, []
    ogg = Member("audio/recording.ogg", size, lambda: _file(recordings, call_id))
    try:
        samples = int(recordings.peaks(call_id)["samples"])
        stereo = recordings.wav(call_id)
        opening = stereo.chunks(0, 4_096)
        for _ in opening:
            pass
    except StorageError as error:
        return [ogg], "included", [f"only as it was kept: {error.reason}"]
    if samples * 3 > MOST_SAMPLES:
        return [ogg], "included", ["only as it was kept: it is too long for WAVs"]
    sides: tuple[tuple[str, Callable[[Samples], Samples]], ...] = (
        ("caller", lambda both: both[:, 0]),
        (answering, lambda both: both[:, 1]),
        ("mixed", _mixed),
    )
    return [ogg, *(_side(recordings, call_id, name, samples, of) for name, of in sides)], "included", []


def _mixed(both: Samples) -> Samples:
    total: Samples = both.sum(axis=1, dtype=np.int32).clip(-32768, 32767).astype(np.int16)
    return total


def _file(recordings: Recordings, call_id: str) -> Iterator[bytes]:
    with recordings.open_ogg(call_id) as file:
        while chunk := file.read(65_536):
            yield chunk


def _side(
    recordings: Recordings, call_id: str, name: str, samples: int, of: Callable[[Samples], Samples]
) -> Member:
    header = wav_header(_MONO, samples * 2)

    def chunks() -> Iterator[bytes]:
        yield header
        stereo = recordings.wav(call_id)
        skip = len(wav_header(_MONO, samples * _STEREO_BLOCK, channels=2))
        left = b""
        for chunk in stereo.chunks(skip):
            data = left + chunk
            whole = len(data) // _STEREO_BLOCK * _STEREO_BLOCK
            left = data[whole:]
            if whole:
                both = np.frombuffer(data[:whole], "<i2").reshape(-1, 2)
                yield of(both).astype("<i2", copy=False).tobytes()

    return Member(f"audio/{name}.wav", len(header) + samples * 2, chunks)
