"""One leg's sound in one file while the call lasts, placed by media time. No threads of its own.

Byte `n * width` of the file belongs to sample `n`: what is on the disk is always in the right place,
whatever was lost. The leg's bytes are kept with the bits of the encoding's silence inverted, so that a
hole in a sparse file (which reads as zeros) is silence and a gap of an hour costs nothing.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path

from offhook.audio.frame import AudioFormat, Encoding

JITTER_MS = 40
LONGEST_SECONDS = 86_400
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW


def _inversion(format: AudioFormat) -> bytes | None:
    mask = format.silence(1)[0]
    return bytes(code ^ mask for code in range(256)) if mask else None


_INVERSIONS = {encoding: _inversion(AudioFormat(encoding, 8000)) for encoding in Encoding}


def veil(audio: bytes, encoding: Encoding) -> bytes:
    """Between a leg's bytes and the file's; its own inverse."""
    table = _INVERSIONS[encoding]
    return audio if table is None else audio.translate(table)


class Reel:
    """Raises OSError when the file cannot be made or written. `dirty`: something written is not synced."""

    def __init__(self, path: Path, format: AudioFormat) -> None:
        self._encoding = format.encoding
        self._width = format.width
        self._jitter = format.samples(JITTER_MS)
        self._longest = format.rate * LONGEST_SECONDS
        self._next = 0
        self._runs: list[tuple[int, list[bytes]]] = []
        self._lock = threading.Lock()
        self.dirty = False
        self._file = os.open(path, _NEW_FILE, 0o600)

    def place(self, at: int, audio: bytes) -> None:
        """Give audio its place, to be written by `flush`. A gap before it is silence; an overlap of up
        to 40 ms is jitter and the audio follows on; of a longer one the part already taped is cut."""
        width = self._width
        if len(audio) % width:
            audio = audio[: -(len(audio) % width)]
        late = self._next - at
        if late > self._jitter:
            audio = audio[late * width :]
        start = max(at, self._next)
        end = start + len(audio) // width
        if not audio or end > self._longest:
            return
        if self._runs and start == self._next:
            self._runs[-1][1].append(audio)
        else:
            self._runs.append((start, [audio]))
        self._next = end

    def flush(self) -> None:
        """Write what was placed."""
        runs, self._runs = self._runs, []
        for start, pieces in runs:
            data = veil(b"".join(pieces), self._encoding)
            at = start * self._width
            while data:
                written = os.pwrite(self._file, data, at)
                self.dirty = True
                data = data[written:]
                at += written

    def sync(self) -> None:
        """Bring what was written to the disk itself. Any thread."""
        with self._lock:
            if self.dirty and self._file >= 0:
                self.dirty = False
                os.fdatasync(self._file)

    def close(self) -> None:
        """Idempotent."""
        with self._lock:
            file, self._file = self._file, -1
        if file >= 0:
            os.close(file)
