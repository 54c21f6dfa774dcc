"""The briefing voice in one seat's own ear: line after line, the next one made while one is heard.

There is no way from here to any other ear: it speaks where the coach does (see call.ear).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from offhook.audio.frame import AudioFormat
from offhook.desk.ear import EarSeat, EarWishes
from offhook.desk.narration import Narration, Wanted

START_MS = 400
_FRAME_MS = 20


class Voices(Protocol):
    """Who speaks (desk.narration)."""

    def begin(self, wanted: Wanted) -> Narration: ...

    def leave(self, narration: Narration) -> None: ...


class EarVoice:
    """`said` is told of each line that was heard to its end."""

    def __init__(
        self, seat: EarSeat, voices: Voices, wishes: EarWishes, language: str, said: Callable[[str], None]
    ) -> None:
        self._seat = seat
        self._voices = voices
        self._wishes = wishes
        self._language = language
        self._said = said
        self._made: list[tuple[str, Narration]] = []
        self._sent = 0
        self._feeding = False
        self._serial = 0
        self._done: Callable[[bool], None] = lambda whole: None

    @property
    def speaking(self) -> bool:
        return bool(self._made)

    def say(self, lines: Sequence[str], done: Callable[[bool], None] = lambda whole: None) -> None:
        """In place of what is being said. `done(True)` once all was heard, False where a voice failed."""
        self.stop()
        self._done = done
        ear = self._seat.ear
        ear.volume, ear.duck = self._wishes.volume, self._wishes.duck
        serial = self._serial
        for line in lines:
            narration = self._voices.begin(self._wanted(line))
            self._made.append((line, narration))
            if not narration.done:
                narration.watch(lambda: self._more(serial))
        self._feed()

    def stop(self) -> None:
        """Silence, now; `done` is not told."""
        self._serial += 1
        made, self._made = self._made, []
        self._sent, self._feeding = 0, False
        for _, narration in made:
            self._voices.leave(narration)
        if made:
            self._seat.ear.stop()

    def _wanted(self, line: str) -> Wanted:
        wishes = self._wishes
        return Wanted(line, self._language, wishes.provider, wishes.voice, wishes.speed, self._seat.format)

    def _more(self, serial: int) -> None:
        if serial == self._serial:
            self._feed()

    def _feed(self) -> None:
        """Give the ear what there is of the line that sounds, one piece at a time."""
        if self._feeding or not self._made:
            return
        line, narration = self._made[0]
        format: AudioFormat = self._seat.format
        left = len(narration.audio) - self._sent
        if left and (narration.done or left >= format.size(START_MS)):
            if not narration.done:
                left -= left % format.size(_FRAME_MS)
            piece = bytes(narration.audio[self._sent : self._sent + left])
            self._sent += left
            self._feeding = True
            serial = self._serial
            self._seat.ear.play(piece, lambda whole: self._heard(serial, whole))
        elif narration.done and not left:
            self._next(line, narration)

    def _next(self, line: str, narration: Narration) -> None:
        self._made.pop(0)
        self._sent = 0
        failed = bool(narration.error)
        self._voices.leave(narration)
        if failed:
            self.stop()
            self._done(False)
            return
        self._said(line)
        if self._made:
            self._feed()
        else:
            self._done(True)

    def _heard(self, serial: int, whole: bool) -> None:
        if serial != self._serial:
            return
        self._feeding = False
        if whole:
            self._feed()
        else:
            self.stop()
