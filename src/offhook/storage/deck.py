"""The one thread that writes all tapes to the disk, and one that makes the disk keep them.

Six times a second everything waiting is written, so that a killed process loses no more than that;
once a second it is synced by the second thread, so that a slow sync never delays a write.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import structlog

from offhook.audio.frame import AudioFormat
from offhook.storage.disk import can_sync_all, sync_file_system
from offhook.storage.manifest import Manifest, reel_path, sync_directory, sync_manifest
from offhook.storage.reel import Reel
from offhook.storage.tape import CallTape

log = structlog.get_logger(__name__)

WRITE_SECONDS = 0.16
SYNC_SECONDS = 1.0
FEW_FILES = 16
"""Up to so many are synced one by one, so that a small house never waits for other programs' data."""


class _Spool:
    """A tape's directory and reels while it runs."""

    def __init__(self, tape: CallTape, directory: Path) -> None:
        self.tape = tape
        self.directory = directory
        self.reels: dict[str, Reel] = {}
        self.formats: dict[str, AudioFormat] = {}
        """The legs that the manifest on the disk names."""

    def write(self) -> None:
        """Write what the tape holds. Raises OSError."""
        frames = self.tape.take()
        if self.tape.discarded or not frames:
            return
        formats = self.tape.formats
        if self.formats is not formats:
            self.directory.mkdir(mode=0o700, exist_ok=True)
            Manifest(self.tape.call_id, self.tape.started_at, formats).write(self.directory)
            self.formats = formats
        for leg, format in formats.items():
            pieces = [(at, audio) for kind, at, audio in frames if kind == leg]
            if not pieces:
                continue
            reel = self.reels.get(leg)
            if reel is None:
                reel = Reel(reel_path(self.directory, leg), format)
                self.reels = {**self.reels, leg: reel}
            for at, audio in pieces:
                reel.place(at, audio)
            reel.flush()

    def close(self) -> None:
        for reel in self.reels.values():
            reel.close()


class Deck:
    """`add` from any thread. `on_done` gets each tape once it is closed and all written; `on_trouble`
    a call id and one sentence, once per tape. Both are called on the writing thread."""

    def __init__(
        self, root: Path, on_done: Callable[[CallTape], None], on_trouble: Callable[[str, str], None]
    ) -> None:
        self._root = root
        self._on_done = on_done
        self._on_trouble = on_trouble
        self._spools: dict[str, _Spool] = {}
        self._wake = threading.Event()
        self._stopped = threading.Event()
        self._threads = [
            threading.Thread(target=self._write_all, name="tape-writer", daemon=True),
            threading.Thread(target=self._sync_all, name="tape-sync", daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def wake(self) -> None:
        """Write now; used when a tape closes."""
        self._wake.set()

    def add(self, tape: CallTape) -> None:
        self._spools[tape.call_id] = _Spool(tape, self._root / tape.call_id)

    def close(self) -> None:
        """Close every tape, write the rest, stop. Blocks for as long as the writes take."""
        for spool in list(self._spools.values()):
            spool.tape.closed = True
        self._stopped.set()
        self._wake.set()
        for thread in self._threads:
            thread.join()

    def _write_all(self) -> None:
        while True:
            last = self._stopped.is_set()
            began = time.monotonic()
            for spool in list(self._spools.values()):
                self._write(spool)
            if last and not self._spools:
                return
            self._wake.wait(max(0.01, WRITE_SECONDS - (time.monotonic() - began)))
            self._wake.clear()

    def _write(self, spool: _Spool) -> None:
        tape = spool.tape
        done = tape.closed
        slow = tape.lost
        try:
            if not tape.off:
                spool.write()
        except Exception as error:  # of one tape; the thread writes all others, too
            cause = error.strerror if isinstance(error, OSError) else type(error).__name__
            tape.off = f"The recording stopped: {cause or 'the disk failed'}."
            tape.take()
            self._tell(tape, tape.off)
        if slow and not tape.told_slow:
            tape.told_slow = True
            self._tell(tape, "The disk is too slow: parts of the recording are silent.")
        if done:
            del self._spools[tape.call_id]
            self._finish(spool)

    def _finish(self, spool: _Spool) -> None:
        """Close a tape's files and hand it on; a disk that fails at that moment stops no other tape."""
        try:
            spool.close()
        except OSError as error:
            spool.tape.off = spool.tape.off or f"The recording stopped: {error.strerror}."
            self._tell(spool.tape, spool.tape.off)
        try:
            self._on_done(spool.tape)
        except Exception as error:
            log.error("a tape was not handed on", call_id=spool.tape.call_id, error=type(error).__name__)

    def _tell(self, tape: CallTape, reason: str) -> None:
        log.error("recording in trouble", call_id=tape.call_id, reason=reason)
        try:
            self._on_trouble(tape.call_id, reason)
        except Exception as error:
            log.error("nobody could be told", call_id=tape.call_id, error=type(error).__name__)

    def _sync_all(self) -> None:
        """Sync what was written, once a second. A disk that fails here fails writes, too."""
        named: dict[str, int] = {}
        while not self._stopped.wait(SYNC_SECONDS):
            spools = dict(self._spools)
            written = {call_id: len(spool.formats) for call_id, spool in spools.items()}
            fresh = [spools[call_id] for call_id, legs in written.items() if legs != named.get(call_id, 0)]
            dirty = [reel for spool in spools.values() for reel in spool.reels.values() if reel.dirty]
            try:
                self._sync(fresh, dirty)
            except OSError as error:
                log.error("tapes cannot be synced", error=error.strerror)
            named = written

    def _sync(self, fresh: Sequence[_Spool], dirty: Sequence[Reel]) -> None:
        """A growing file costs its file system a commit at each sync: many are synced all at once."""
        if can_sync_all and len(dirty) + len(fresh) > FEW_FILES:
            for reel in dirty:
                reel.dirty = False
            sync_file_system(self._root)
            return
        for spool in fresh:
            sync_manifest(spool.directory)
        if fresh:
            sync_directory(self._root)
        for reel in dirty:
            reel.sync()
