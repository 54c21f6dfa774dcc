"""The recorder: opens tapes, has them sealed, finds what a crash left, gives recordings out.

Where things lie below the directory: `<call-id>/` while a call lasts and until it is sealed, then
`<call-id>.ogg` and `<call-id>.peaks.json`, and `<call-id>.<leg>.ogg` of each leg where humans were heard.
Every name is built from a checked call id.
"""

from __future__ import annotations

import asyncio
import json
import os
import stat
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from offhook.audio.frame import AudioFormat
from offhook.foundation.clock import Clock, SystemClock
from offhook.foundation.errors import NotFoundError, StorageError
from offhook.foundation.ids import is_call_id
from offhook.storage.base import RecordingState
from offhook.storage.deck import Deck
from offhook.storage.manifest import tape_ms
from offhook.storage.playback import DamagedError, Wav
from offhook.storage.sealer import Ledger, Sealer, leg_path, ogg_path, peaks_path
from offhook.storage.tape import CallTape

_NONE = "There is no recording of this call."
_LARGEST_PEAKS = 1 << 20


class Tapes:
    """Implements Recorder. `on_trouble(call_id, reason)` is told once when a call cannot be recorded
    (disk full, read-only), on the writing thread. Close it before the store. Making one raises
    StorageError when the directory cannot be used. Several processes may keep recordings in one
    directory: `is_ours(call_id)` tells whose leftovers are whose."""

    def __init__(
        self,
        directory: Path,
        ledger: Ledger,
        on_trouble: Callable[[str, str], None],
        clock: Clock | None = None,
        is_ours: Callable[[str], bool] = lambda call_id: True,
    ) -> None:
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._root = directory.resolve(strict=True)
        except OSError as error:
            raise StorageError(f"recordings cannot be kept in {directory}: {error.strerror}") from None
        self._ledger = ledger
        self._clock = clock or SystemClock()
        self._is_ours = is_ours
        self._live: dict[str, CallTape] = {}
        self._sealer = Sealer(self._root, ledger)
        self._deck = Deck(self._root, self._done, on_trouble)

    def open(self, call_id: str, formats: dict[str, AudioFormat]) -> CallTape:
        """A tape for a call that `begin` told the store of. Immediate: files are made by the deck.
        Raises StorageError for what is no call id, or for a call that has a tape."""
        self._checked(call_id)
        if not self._sealer.expect(call_id):
            raise StorageError("this call has a tape already", retryable=False)
        tape = CallTape(call_id, dict(formats), self._clock.wall(), self._deck.wake)
        self._live[call_id] = tape
        self._ledger.recorded(call_id, RecordingState.TAPING, {})
        self._deck.add(tape)
        return tape

    def leftovers(self) -> dict[str, int]:
        """Tapes that are not sealed, by call id, and how long they are in ms. At start: what a crash left."""
        found = {}
        with os.scandir(self._root) as entries:
            for entry in entries:
                name = entry.name
                if is_call_id(name) and self._is_ours(name) and entry.is_dir(follow_symlinks=False):
                    try:
                        found[entry.name] = tape_ms(Path(entry.path))
                    except StorageError:
                        found[entry.name] = 0
        return dict(sorted(found.items()))

    def recover(self) -> Sequence[str]:
        """Have the leftovers sealed in the background, oldest first; their call ids. Once, at start."""
        ids = [call_id for call_id in self.leftovers() if self._sealer.expect(call_id)]
        for call_id in ids:
            self._sealer.put(call_id)
        return ids

    def ogg(self, call_id: str, leg: str | None = None) -> Path:
        """The sealed file (Ogg/Opus, stereo), or the one of a leg alone (mono), which there is where humans
        besides the caller were heard on the call. Raises NotFoundError."""
        self._checked(call_id)
        if leg is None:
            return self._existing(ogg_path(self._root, call_id))
        return self._existing(leg_path(self._root, call_id, leg))

    def open_ogg(self, call_id: str, leg: str | None = None) -> BinaryIO:
        """The sealed file, opened. Raises NotFoundError, and DamagedError for what is no Ogg at all."""
        file = self._opened(self.ogg(call_id, leg))
        if os.pread(file.fileno(), 4, 0) != b"OggS":
            file.close()
            raise DamagedError("The recording is damaged.")
        return file

    def peaks(self, call_id: str) -> dict[str, Any]:
        """The waveform's outline (docs/recordings.md). Blocks shortly. Raises NotFoundError, StorageError."""
        path = self._existing(peaks_path(self._root, self._checked(call_id)))
        with self._opened(path) as file:
            try:
                found = json.loads(file.read(_LARGEST_PEAKS))
            except ValueError:
                raise DamagedError("The recording's outline is damaged.") from None
        if not isinstance(found, dict) or not isinstance(found.get("samples"), int):
            raise DamagedError("The recording's outline is damaged.")
        return found

    def wav(self, call_id: str, leg: str | None = None) -> Wav:
        """The recording as WAV, decoded as it is read. Blocks shortly. Raises NotFoundError, StorageError."""
        samples = self.peaks(call_id)["samples"]
        return Wav(self.open_ogg(call_id, leg), samples, 2 if leg is None else 1)

    async def delete(self, call_id: str) -> None:
        """Keep nothing of a call's recording, also while the call lasts or is being sealed. Idempotent.
        Raises NotFoundError for what is no call id."""
        self._checked(call_id)
        tape = self._live.get(call_id)
        if tape is not None:
            tape.discard()
        await asyncio.to_thread(self._sealer.delete, call_id)
        self._ledger.recorded(call_id, RecordingState.DELETED, {})

    async def close(self, patience: float = 10.0) -> None:
        """Close all tapes, seal for up to `patience` seconds; the next start seals the rest. Idempotent."""
        await asyncio.to_thread(self._deck.close)
        await asyncio.to_thread(self._sealer.close, patience)

    def _done(self, tape: CallTape) -> None:
        self._live.pop(tape.call_id, None)
        self._sealer.put(tape.call_id, troubled=bool(tape.off))

    def _checked(self, call_id: str) -> str:
        if not is_call_id(call_id):
            raise NotFoundError(_NONE)
        return call_id

    def _existing(self, path: Path) -> Path:
        """`path` if it is a plain file below the root, and no link."""
        try:
            plain = stat.S_ISREG(path.lstat().st_mode) and path.resolve(strict=True).is_relative_to(
                self._root
            )
        except OSError:
            plain = False
        if not plain:
            raise NotFoundError(_NONE)
        return path

    def _opened(self, path: Path) -> BinaryIO:
        try:
            return os.fdopen(os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW), "rb")
        except OSError:
            raise NotFoundError(_NONE) from None
