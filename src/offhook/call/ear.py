"""The coach's voice in one operator's ear: a clip at a time, heard by nobody else. Chooses no words.

There is no way from here to any other ear, and none to a tape: the seat's own blend alone reads it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from offhook.audio.convert import to_samples
from offhook.audio.frame import AudioFormat
from offhook.audio.g711 import Samples
from offhook.audio.level import SILENCE_DB, rms_db
from offhook.audio.mix import Gain, mix
from offhook.call.elastic import FRAME_MS

DUCK = 0.25
FADE_MS = 10


class Ear:
    """`volume` is the gain of the coach's voice, `duck` that of all others while it sounds."""

    def __init__(self, format: AudioFormat) -> None:
        self._format = format
        self._count = format.samples(FRAME_MS)
        self._clip: Samples | None = None
        self._at = 0
        self._on_done: Callable[[bool], None] | None = None
        self._fade = format.samples(FADE_MS)
        self._tail: Samples | None = None
        self._gain = Gain(format.rate)
        self._heard: list[Samples] = []
        self.open = False
        """Whether this ear hears the coach now; the bridge sets it, by the table of modes."""
        self.volume = 1.0
        self.duck = DUCK

    @property
    def sounding(self) -> bool:
        return self._clip is not None

    def play(self, audio: bytes, on_done: Callable[[bool], None]) -> None:
        """Whole samples in the seat's format, in place of what sounded. `on_done(True)` once they were
        heard, False when they were stopped; at once where the ear does not hear the coach now."""
        self.stop()
        if not self.open:
            on_done(False)
            return
        self._clip = to_samples(audio, self._format.encoding)
        self._at = 0
        self._on_done = on_done

    def stop(self) -> None:
        """Silence, now."""
        if (clip := self._clip) is not None:
            self._tail = self._faded(clip[self._at : self._at + self._fade])
            self._end(False)

    def frame(self) -> Samples | None:
        """The next 20 ms, at the seat's rate."""
        clip = self._clip
        tail, self._tail = self._tail, None
        if clip is None:
            return tail
        piece = clip[self._at : self._at + self._count]
        self._at += self._count
        if len(piece) < self._count:
            piece = np.pad(piece, (0, self._count - len(piece)))
        self._gain.set(self.volume)
        sound = self._gain.apply(piece)
        self._heard.append(sound)
        if self._at >= len(clip):
            self._end(True)
        return sound if tail is None else mix([sound, tail])

    def _faded(self, left: Samples) -> Samples | None:
        """A clip that is stopped dies away within a few milliseconds."""
        if not len(left):
            return None
        soft = np.zeros(self._count, np.int16)
        gain = self._gain.apply(left)
        soft[: len(left)] = gain * np.linspace(1.0, 0.0, len(left), dtype=np.float32)
        return soft

    def level(self) -> float:
        """Loudness since it was last asked for, in dBFS."""
        heard, self._heard = self._heard, []
        return round(rms_db(np.concatenate(heard).tobytes()), 1) if heard else SILENCE_DB

    def _end(self, heard: bool) -> None:
        on_done, self._on_done, self._clip = self._on_done, None, None
        if on_done is not None:
            on_done(heard)
