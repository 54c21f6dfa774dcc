"""The one thread that seals tapes in the background, one call at a time, at a low priority.

A tape that cannot be sealed now (disk full, database away) keeps its reels; the next start tries again.
"""

from __future__ import annotations

import json
import os
import queue
import shutil
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import structlog

from offhook.audio.g711 import Samples
from offhook.foundation.errors import StorageError
from offhook.storage.base import RecordingState, TurnRecord
from offhook.storage.gaps import TurnGaps
from offhook.storage.manifest import read_manifest, replace, sync_directory
from offhook.storage.peaks import Outline
from offhook.storage.seal import LEGS, seal, seal_legs

log = structlog.get_logger(__name__)

WAITING = 10_000
_SETTLE_SECONDS = 5.0
_NICE = 10


class Ledger(Protocol):
    """What tapes need of the store. Called from threads; SqlStore is one."""

    def recorded(self, call_id: str, state: RecordingState, gaps: dict[int, int]) -> None: ...

    def turns_of(self, call_id: str) -> Sequence[TurnRecord]: ...

    def settle(self, timeout: float) -> bool: ...


class Stopped(Exception):
    """Sealing was given up: the recorder closes, or the call's recording was deleted."""


class Sealer:
    """`put` is immediate, from any thread."""

    def __init__(self, root: Path, ledger: Ledger) -> None:
        self._root = root
        self._ledger = ledger
        self._queue: queue.Queue[tuple[str, bool] | None] = queue.Queue(WAITING)
        self._lock = threading.Lock()
        """Held while files are named or removed, however slow the disk is: never taken by `expect`."""
        self._names = threading.Lock()
        self._known: set[str] = set()
        self._deleted: set[str] = set()
        self._deadline = float("inf")
        self._thread = threading.Thread(target=self._run, name="tape-sealer", daemon=True)
        self._thread.start()

    def expect(self, call_id: str) -> bool:
        """A tape of this call will come; False when it is known already. Immediate."""
        with self._names:
            if call_id in self._known:
                return False
            self._known.add(call_id)
            return True

    def put(self, call_id: str, troubled: bool = False) -> None:
        """Seal a tape that was expected. When too many wait it stays on the disk for the next start."""
        try:
            self._queue.put_nowait((call_id, troubled))
        except queue.Full:
            log.error("too many tapes wait to be sealed", call_id=call_id)
            self._forget(call_id)

    def delete(self, call_id: str) -> None:
        """Remove everything there is of a recording, also when it is being sealed. Blocks shortly."""
        with self._lock:
            if call_id in self._known:
                self._deleted.add(call_id)
            self._remove(call_id)

    def close(self, patience: float) -> None:
        """Seal what waits for up to `patience` seconds; the rest keeps its reels. Blocks; idempotent."""
        self._deadline = min(self._deadline, time.monotonic() + patience)
        if self._thread.is_alive():
            with suppress(queue.Full):
                self._queue.put_nowait(None)
            self._thread.join()

    def _run(self) -> None:
        with suppress(OSError, AttributeError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)
        while True:
            item = self._queue.get()
            if item is None or time.monotonic() > self._deadline:
                return
            call_id, troubled = item
            try:
                self._seal(call_id, troubled)
            except Exception as error:
                self._failed(call_id, error)
            finally:
                self._forget(call_id)

    def _failed(self, call_id: str, error: Exception) -> None:
        if isinstance(error, Stopped) or call_id in self._deleted:
            log.info("sealing given up", call_id=call_id)
            return
        reason = error.reason if isinstance(error, StorageError) else type(error).__name__
        log.error("recording could not be sealed", call_id=call_id, reason=reason)
        with suppress(Stopped):
            self._record(call_id, RecordingState.FAILED, {})

    def _seal(self, call_id: str, troubled: bool) -> None:
        directory = self._root / call_id
        silent = RecordingState.FAILED if troubled else RecordingState.NONE
        if not directory.is_dir():
            self._record(call_id, silent, {})
            return
        try:
            manifest = read_manifest(directory)
        except StorageError:
            self._set_aside(directory)
            raise
        outline, gaps = Outline(), TurnGaps()

        def watch(stereo: Samples) -> None:
            if call_id in self._deleted or time.monotonic() > self._deadline:
                raise Stopped
            outline.add(stereo)
            gaps.add(stereo)

        def heed(samples: Samples) -> None:
            if call_id in self._deleted or time.monotonic() > self._deadline:
                raise Stopped

        draft = seal(directory, manifest, watch)
        if draft is None:
            self._finish(call_id, silent, {})
        else:
            self._publish(call_id, draft, outline, seal_legs(directory, manifest, heed))
            self._finish(call_id, RecordingState.SEALED, self._measure(call_id, gaps))

    def _publish(self, call_id: str, draft: Path, outline: Outline, legs: Mapping[str, Path]) -> None:
        """Give the finished files their names, unless the recording has been deleted meanwhile."""
        data = json.dumps(outline.as_json(), separators=(",", ":")).encode()
        with self._lock:
            if call_id in self._deleted:
                raise Stopped
            peaks = peaks_path(self._root, call_id)
            replace(draft.with_name(".peaks.json"), peaks, data)
            for leg, leg_draft in legs.items():
                os.rename(leg_draft, leg_path(self._root, call_id, leg))
            os.rename(draft, ogg_path(self._root, call_id))
            sync_directory(self._root)

    def _measure(self, call_id: str, gaps: TurnGaps) -> dict[int, int]:
        self._ledger.settle(_SETTLE_SECONDS)
        try:
            return gaps.by_turn(self._ledger.turns_of(call_id))
        except StorageError as error:
            log.warning("gaps could not be measured", call_id=call_id, reason=error.reason)
            return {}

    def _finish(self, call_id: str, state: RecordingState, gaps: dict[int, int]) -> None:
        """Tell the store; the reels go once it is committed, so that a crash in between only repeats work."""
        self._record(call_id, state, gaps)
        if self._ledger.settle(_SETTLE_SECONDS):
            shutil.rmtree(self._root / call_id, ignore_errors=True)
        log.info("recording sealed", call_id=call_id, state=str(state))

    def _record(self, call_id: str, state: RecordingState, gaps: dict[int, int]) -> None:
        """Tell the store, unless it has been told that the recording is deleted."""
        with self._lock:
            if call_id in self._deleted:
                raise Stopped
            self._ledger.recorded(call_id, state, gaps)

    def _set_aside(self, directory: Path) -> None:
        """What cannot be read is kept, under a name that no start tries again."""
        with suppress(OSError):
            os.rename(directory, directory.with_name(directory.name + ".damaged"))

    def _forget(self, call_id: str) -> None:
        with self._lock:
            with self._names:
                self._known.discard(call_id)
            if call_id in self._deleted:
                self._deleted.discard(call_id)
                self._remove(call_id)

    def _remove(self, call_id: str) -> None:
        legs = (leg_path(self._root, call_id, leg) for leg in LEGS)
        for path in (ogg_path(self._root, call_id), peaks_path(self._root, call_id), *legs):
            path.unlink(missing_ok=True)
        for name in (call_id, call_id + ".damaged"):
            shutil.rmtree(self._root / name, ignore_errors=True)


def ogg_path(root: Path, call_id: str) -> Path:
    return root / f"{call_id}.ogg"


def leg_path(root: Path, call_id: str, leg: str) -> Path:
    return root / f"{call_id}.{leg}.ogg"


def peaks_path(root: Path, call_id: str) -> Path:
    return root / f"{call_id}.peaks.json"
