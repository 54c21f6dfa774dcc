"""The small file beside a tape's reels that says how to read them, and where they lie. No sound."""

from __future__ import annotations

import json
import os
import re
import stat
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from offhook.audio.frame import AudioFormat, Encoding
from offhook.foundation.errors import StorageError
from offhook.foundation.events import LegKind
from offhook.storage.reel import LONGEST_SECONDS

_NAME = "tape.json"
_LARGEST = 64 * 1024
_GUEST = re.compile(r"guest-[1-9][0-9]?")


@dataclass(frozen=True, slots=True)
class Manifest:
    """`formats` of the legs; the answer was at `started_at`."""

    call_id: str
    started_at: datetime
    formats: dict[str, AudioFormat]

    def write(self, directory: Path) -> None:
        """Written whole or not at all; the caller syncs it. Raises OSError."""
        legs = {
            str(leg): {"encoding": str(format.encoding), "rate": format.rate}
            for leg, format in self.formats.items()
        }
        text = json.dumps(
            {"version": 1, "call_id": self.call_id, "started_at": self.started_at.isoformat(), "legs": legs}
        )
        replace(directory / f".{_NAME}", directory / _NAME, text.encode(), sync=False)


def sync_manifest(directory: Path) -> None:
    """Make a manifest and its directory survive a power cut. Raises OSError."""
    file = os.open(directory / _NAME, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        os.fsync(file)
    finally:
        os.close(file)
    sync_directory(directory)


def reel_path(directory: Path, leg: str) -> Path:
    return directory / f"{leg}.part"


def read_manifest(directory: Path) -> Manifest:
    """Raises StorageError when it is missing or makes no sense; the reels cannot be read then."""
    try:
        with open(directory / _NAME, "rb") as file:
            found = json.loads(file.read(_LARGEST))
        formats = {
            _leg(leg): AudioFormat(Encoding(format["encoding"]), _rate(format["rate"]))
            for leg, format in found["legs"].items()
        }
        return Manifest(str(found["call_id"]), datetime.fromisoformat(found["started_at"]), formats)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise StorageError("the tape's description is damaged", retryable=False) from None


def _leg(name: str) -> str:
    """A name that may become part of a file's."""
    if _GUEST.fullmatch(name):
        return name
    return LegKind(name)


def _rate(value: object) -> int:
    if not isinstance(value, int) or not 4_000 <= value <= 192_000:
        raise ValueError("no sample rate")
    return value


def reel_samples(path: Path, format: AudioFormat) -> int:
    """Whole samples in a reel; 0 when it is not there, or is no plain file."""
    try:
        found = os.stat(path, follow_symlinks=False)
    except OSError:
        return 0
    if not stat.S_ISREG(found.st_mode):
        return 0
    return min(found.st_size // format.width, format.rate * LONGEST_SECONDS)


def tape_ms(directory: Path) -> int:
    """How long an unsealed tape is, in ms. Raises StorageError as `read_manifest` does."""
    manifest = read_manifest(directory)
    lengths = (
        reel_samples(reel_path(directory, leg), format) * 1000 // format.rate
        for leg, format in manifest.formats.items()
    )
    return max(lengths, default=0)


def replace(draft: Path, target: Path, data: bytes, sync: bool = True) -> None:
    """Write a small file so that it is there whole, under its name, or not at all. Raises OSError."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW
    with os.fdopen(os.open(draft, flags, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        if sync:
            os.fsync(file.fileno())
    os.rename(draft, target)


def sync_directory(path: Path) -> None:
    """Make the names in a directory survive a power cut. Raises OSError."""
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
