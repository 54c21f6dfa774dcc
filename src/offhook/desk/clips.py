"""Prepared clips: recordings and spoken lines that a human may play to a caller, decoded once and kept.

Plays nothing; says nothing of who may.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from offhook.audio.decode import ClipDecoder, ClipKind
from offhook.audio.frame import AudioFormat, Encoding
from offhook.audio.g711 import Samples
from offhook.audio.resample import resample_clip
from offhook.audio.wav import read_wav, to_mono, write_wav
from offhook.foundation.errors import LimitError, NotFoundError, StorageError, WireError

MAX_SECONDS = 60
MAX_FILE = 12 << 20
"""A minute of 48 kHz stereo WAV, and a little."""
MAX_CLIPS = 200
HIGHEST_RATE = 24_000
"""Speech has little above 12 kHz, and a phone nothing above 4."""
CACHE_BYTES = 32 << 20
_SLICE = 65_536
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,47}\Z")


@dataclass(frozen=True, slots=True)
class ClipNote:
    """What is known of a clip. `text`: what was spoken, or its maker's note; `by`: a person's id."""

    name: str
    seconds: float
    rate: int
    text: str
    by: str
    made_at: str


@dataclass(frozen=True, slots=True)
class Clip:
    """A clip to be played: PCM16 at its own rate."""

    note: ClipNote
    audio: bytes
    format: AudioFormat


class ClipShelf:
    """Clips in a folder, which workers of one house share. All methods but `get` of a clip that was used
    before block shortly: call them in a thread. All raise StorageError."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: OrderedDict[str, tuple[int, Clip]] = OrderedDict()

    def add(self, name: str, data: bytes, by: str, text: str = "") -> ClipNote:
        """Keep a WAV, MP3 or Ogg/Opus file; one of that name is replaced. Raises WireError, LimitError."""
        check_name(name)
        return self.keep(name, *decoded(data), by, text)

    def keep(self, name: str, samples: Samples, rate: int, by: str, text: str = "") -> ClipNote:
        """Keep sound that is decoded already. Raises WireError, LimitError."""
        check_name(name)
        check_length(samples, rate)
        if rate > HIGHEST_RATE:
            samples, rate = resample_clip(samples, rate, HIGHEST_RATE), HIGHEST_RATE
        made = datetime.now(UTC).isoformat(timespec="seconds")
        note = ClipNote(name, round(len(samples) / rate, 3), rate, text[:500], by, made)
        path = self._folder / f"{name}.wav"
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not path.exists() and sum(1 for _ in self._folder.glob("*.wav")) >= MAX_CLIPS:
                raise LimitError(f"there are {MAX_CLIPS} clips already; delete one", retryable=False)
            _write(path.with_suffix(".json"), json.dumps(asdict(note)).encode())
            _write(path, write_wav(samples, rate))
        except OSError:
            raise StorageError("the clip could not be written") from None
        return note

    def get(self, name: str) -> Clip:
        """A clip by its name. Raises NotFoundError."""
        if not _NAME.match(name):
            raise NotFoundError("there is no such clip")
        path = self._folder / f"{name}.wav"
        try:
            stamp = path.stat().st_mtime_ns
            if (known := self._known.get(name)) is not None and known[0] == stamp:
                self._known.move_to_end(name)
                return known[1]
            clip = _read(path, name)
        except FileNotFoundError:
            self._known.pop(name, None)
            raise NotFoundError("there is no such clip") from None
        except (OSError, WireError):
            raise StorageError("the clip could not be read") from None
        self._known[name] = (stamp, clip)
        size = sum(len(kept.audio) for _, kept in self._known.values())
        while size > CACHE_BYTES and len(self._known) > 1:
            size -= len(self._known.popitem(last=False)[1][1].audio)
        return clip

    def notes(self) -> list[ClipNote]:
        """All clips, by name; one whose note is damaged is listed by what its sound says."""
        return sorted(self._notes(), key=lambda note: note.name)

    def _notes(self) -> Iterator[ClipNote]:
        try:
            paths = [path for path in self._folder.glob("*.wav") if _NAME.match(path.stem)]
        except OSError:
            raise StorageError("the clips could not be listed") from None
        for path in paths[:MAX_CLIPS]:
            note = _note(path)
            if note is None:
                with suppress(NotFoundError, StorageError):
                    note = self.get(path.stem).note
            if note is not None:
                yield note

    def delete(self, name: str) -> None:
        """Raises NotFoundError."""
        if not _NAME.match(name):
            raise NotFoundError("there is no such clip")
        self._known.pop(name, None)
        try:
            (self._folder / f"{name}.wav").unlink()
            (self._folder / f"{name}.json").unlink(missing_ok=True)
        except FileNotFoundError:
            raise NotFoundError("there is no such clip") from None
        except OSError:
            raise StorageError("the clip could not be deleted") from None


def check_name(name: str) -> None:
    """Raises WireError for what cannot be a clip's name."""
    if not _NAME.match(name):
        raise WireError("a clip's name has 1 to 48 of a-z, 0-9, - and _, and begins with a letter or a digit")


def check_length(samples: Samples, rate: int) -> None:
    """Raises WireError for silence without end, and for none at all."""
    if not len(samples):
        raise WireError("there is no sound in the clip")
    if len(samples) > MAX_SECONDS * rate:
        raise WireError(f"a clip has at most {MAX_SECONDS} seconds")


def kind_of(data: bytes) -> ClipKind:
    """What a file is, by its first bytes. Raises WireError."""
    if data[:4] == b"RIFF":
        return ClipKind.WAV
    if data[:4] == b"OggS":
        return ClipKind.OGG_OPUS
    if data[:3] == b"ID3" or (len(data) > 1 and data[0] == 0xFF and data[1] & 0xE0 == 0xE0):
        return ClipKind.MP3
    raise WireError("the file is no WAV, MP3 or Ogg/Opus")


def decoded(data: bytes) -> tuple[Samples, int]:
    """A whole file as mono int16 and its rate, never more than MAX_SECONDS of it. Raises WireError."""
    if len(data) > MAX_FILE:
        raise WireError(f"a clip's file has at most {MAX_FILE >> 20} MiB")
    decoder = ClipDecoder(kind_of(data))
    pieces: list[Samples] = []
    count = 0
    for at in range(0, len(data), _SLICE):
        pieces.append(decoder.feed(data[at : at + _SLICE]))
        count += len(pieces[-1])
        if decoder.rate and count > MAX_SECONDS * decoder.rate:
            raise WireError(f"a clip has at most {MAX_SECONDS} seconds")
    pieces.append(decoder.finish())
    samples = np.concatenate(pieces)
    if not decoder.rate:
        raise WireError("there is no sound in the clip")
    check_length(samples, decoder.rate)
    return samples, decoder.rate


def _write(path: Path, data: bytes) -> None:
    """Whole or not at all: a reader never sees half a file."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".clip-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.replace(name, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(name)
        raise


def _read(path: Path, name: str) -> Clip:
    samples, rate = read_wav(path.read_bytes())
    audio = to_mono(samples).astype("<i2", copy=False).tobytes()
    note = _note(path) or ClipNote(name, round(len(samples) / rate, 3), rate, "", "", "")
    return Clip(note, audio, AudioFormat(Encoding.PCM16, rate))


def _note(path: Path) -> ClipNote | None:
    """What was noted of a clip; None where that is missing or damaged."""
    try:
        said: Any = json.loads(path.with_suffix(".json").read_bytes())
        return ClipNote(**{**said, "name": path.stem})
    except (OSError, ValueError, TypeError):
        return None
