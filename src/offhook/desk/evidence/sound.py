"""The sound of a call as members of a package: as it was kept, and each side as WAV. Writes nothing."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, BinaryIO, Protocol

import numpy as np

from offhook.audio.frame import AudioFormat, Encoding
from offhook.audio.g711 import Samples
from offhook.audio.wav import wav_header
from offhook.desk.evidence.package import Member
from offhook.foundation.errors import NotFoundError, StorageError
from offhook.foundation.events import LegKind
from offhook.storage.seal import GUESTS

RATE = 16_000
_MONO = AudioFormat(Encoding.PCM16, RATE)
_STEREO_BLOCK = 4
_LEGS = (LegKind.CALLER, *GUESTS, LegKind.AGENT, LegKind.OPERATOR, LegKind.SUPERVISOR)
MOST_SAMPLES = 600_000_000
"""Of all WAVs together: what fits into a ZIP beside the recording itself; eleven hours of call."""


class Sound(Protocol):
    """A WAV (PCM16, 16 kHz, stereo, or mono of a leg) that is decoded as it is read."""

    def chunks(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]: ...


class Recordings(Protocol):
    """Sealed recordings by call id, and of each leg where humans were heard on the call. All block, and raise
    NotFoundError and StorageError."""

    def open_ogg(self, call_id: str, leg: str | None = None) -> BinaryIO: ...

    def wav(self, call_id: str, leg: str | None = None) -> Sound: ...

    def peaks(self, call_id: str) -> dict[str, Any]: ...


def sound_members(
    recordings: Recordings | None, call_id: str, answering: str
) -> tuple[list[Member], str, list[str]]:
    """Members, what to say of the sound ("included", or why there is none), and notes. `answering` names the
    right side where no leg has a file of its own. Blocks: in a thread."""
    if recordings is None:
        return [], "nothing is recorded in this house", []
    try:
        kept = [_kept(recordings, call_id, None)]
    except NotFoundError:
        return [], "there is no recording of this call", []
    except StorageError as error:
        return [], error.reason, []
    legs = []
    for leg in _LEGS:
        with suppress(NotFoundError, StorageError):
            kept.append(_kept(recordings, call_id, leg))
            legs.append(leg)
    try:
        samples = int(recordings.peaks(call_id)["samples"])
        for _ in recordings.wav(call_id).chunks(0, 4_096):
            pass
    except StorageError as error:
        return kept, "included", [f"only as it was kept: {error.reason}"]
    if samples * (len(legs) + 3) > MOST_SAMPLES:
        return kept, "included", ["only as it was kept: it is too long for WAVs"]
    mixed = _side(recordings, call_id, "mixed", samples, _mixed)
    if legs:
        return [*kept, *(_leg(recordings, call_id, leg, samples) for leg in legs), mixed], "included", []
    left = _side(recordings, call_id, "caller", samples, lambda both: both[:, 0])
    right = _side(recordings, call_id, answering, samples, lambda both: both[:, 1])
    return [*kept, left, right, mixed], "included", []


def _kept(recordings: Recordings, call_id: str, leg: str | None) -> Member:
    """A sealed file as it is."""
    with recordings.open_ogg(call_id, leg) as file:
        size = os.fstat(file.fileno()).st_size
    name = "recording" if leg is None else str(leg)
    return Member(f"audio/{name}.ogg", size, lambda: _file(recordings, call_id, leg))


def _leg(recordings: Recordings, call_id: str, leg: str, samples: int) -> Member:
    size = len(wav_header(_MONO, samples * 2)) + samples * 2
    return Member(f"audio/{leg}.wav", size, lambda: recordings.wav(call_id, leg).chunks())


def _mixed(both: Samples) -> Samples:
    total: Samples = both.sum(axis=1, dtype=np.int32).clip(-32768, 32767).astype(np.int16)
    return total


def _file(recordings: Recordings, call_id: str, leg: str | None) -> Iterator[bytes]:
    with recordings.open_ogg(call_id, leg) as file:
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
