"""What a speech-to-speech engine says, on its way to the caller: utterances through playback. No turns.

An utterance is the vendor's `item`. Those that follow each other without a silence are one reply: one line of
the transcript.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from offhook.audio.frame import AudioFormat
from offhook.call.playback import CHAR_MS, Playback
from offhook.call.said import Said
from offhook.call.timeline import Timeline
from offhook.engines.base import Clause
from offhook.engines.chunking import Clauses
from offhook.foundation.events import LegKind, ReplyText, TranscriptFinal

AHEAD_MS = 180_000
"""More than so much waiting to be heard is given up: nobody listens to a reply of three minutes."""
_MAX_DROPPED = 128
_MAX_CHARS = 20_000


@dataclass(frozen=True, slots=True)
class Heard:
    """Of an utterance that was cut short so much was heard."""

    item: str
    ms: int
    text: str


@dataclass(slots=True)
class _Utterance:
    said: Said
    whole: bool = False


class Utterances:
    """`turn` is the number that the reply's transcript gets; set it before the first sound. `told` is that of
    the last one that is on the timeline."""

    def __init__(self, playback: Playback, format: AudioFormat, timeline: Timeline) -> None:
        self._playback = playback
        self._format = format
        self._timeline = timeline
        self._ahead = format.size(AHEAD_MS)
        self._current: dict[str, _Utterance] = {}
        self._words: dict[str, str] = {}
        self._clauses: dict[str, Clauses] = {}
        self._dropped: deque[str] = deque(maxlen=_MAX_DROPPED)
        self._item = ""
        self.turn = 0
        self.told = -1

    @property
    def active(self) -> bool:
        """Whether a reply is under way that the caller has not heard to its end."""
        return self._playback.active

    def expected(self, item: str) -> bool:
        """Whether this utterance still counts."""
        return item not in self._dropped

    def sound(self, item: str, audio: bytes) -> bool:
        """More of an utterance; whether it was taken (it was not interrupted, and there is room)."""
        playback = self._playback
        if item in self._dropped:
            return False
        if playback.queued > self._ahead:
            self._drop(item)
            self.spoken(item)
            return False
        dry = playback.queued == 0
        if not playback.active:
            self._current.clear()
            playback.open()
        utterance = self._current.get(item)
        if utterance is None:
            playback.reopen()
            said = playback.add(Clause(self._words.pop(item, ""), audio))
            self._current[item] = _Utterance(said)
            self._item = item
        else:
            playback.add(Clause("", audio, more=True))
        if dry:
            playback.tick(self._timeline.now_ms())
        return True

    def play(self, lines: Sequence[Clause]) -> None:
        """Say what was spoken beforehand, as a reply of its own."""
        self._forget()
        self._playback.open()
        for clause in lines:
            self._playback.add(clause)
            self._timeline.emit(ReplyText(self.turn, clause.text))
        self._playback.close()

    def tones(self, audio: bytes) -> None:
        """Keys that are pressed on the line, after what is being said."""
        self._playback.reopen() if self._playback.active else self._playback.open()
        self._playback.add(Clause("", audio))
        self._playback.close()

    def text(self, item: str, text: str) -> None:
        """More words of an utterance."""
        if item in self._dropped or not text:
            return
        utterance = self._current.get(item)
        if utterance is None:
            self._words[item] = (self._words.get(item, "") + text)[-_MAX_CHARS:]
            if len(self._words) > _MAX_DROPPED:
                del self._words[next(iter(self._words))]
        elif len(utterance.said.text) < _MAX_CHARS:
            utterance.said.text += text
        for clause in self._clauses.setdefault(item, Clauses()).feed(text):
            self._timeline.emit(ReplyText(self.turn, clause))

    def read(self, words: str) -> None:
        """Words that were read and not heard."""
        now_ms = int(self._timeline.now_ms())
        self.told = self.turn
        self._timeline.emit(TranscriptFinal(LegKind.AGENT, self.turn, words, now_ms, now_ms))

    def spoken(self, item: str) -> str:
        """The utterance is complete: nothing more of it will come. The words of one that had no sound."""
        clauses = self._clauses.pop(item, None)
        if clauses is not None and (rest := clauses.finish()) and self.expected(item):
            self._timeline.emit(ReplyText(self.turn, rest))
        utterance = self._current.get(item)
        if utterance is not None:
            utterance.whole = True
            if item == self._item:
                self._playback.close()
        return self._words.pop(item, "").strip()

    def cut(self, interrupted: bool = True, confirmed: bool = False) -> tuple[str, list[Heard]]:
        """Give up the reply: the words heard of it, and how much of each utterance that was not heard to its
        end. `confirmed`: only what the channel confirmed counts."""
        if not self._playback.active:
            return "", []
        heard, unheard = self._playback.cut(self._timeline.now_ms(), confirmed)
        short = [found for item, said in self._current.items() if (found := self._short(item, said))]
        for found in short:
            self._drop(found.item)
        self._forget()
        self._final(heard, interrupted=interrupted and bool(short), unheard=unheard.strip())
        return heard, short

    def finish(self) -> str:
        """The reply was heard to its end; its words."""
        text = self._playback.heard_all()
        self._forget()
        self._final(text)
        return text

    def so_far(self) -> str:
        """The words of the reply under way, as far as they are known."""
        return " ".join(filter(None, (utterance.said.text.strip() for utterance in self._current.values())))

    def _short(self, item: str, utterance: _Utterance) -> Heard | None:
        said = utterance.said
        size = sum(piece.size for piece in said.pieces)
        if utterance.whole and said.heard >= size:
            return None
        words, _ = said.words(CHAR_MS * self._format.size(1000) / 1000)
        return Heard(item, int(self._format.ms(said.heard)), words)

    def refuse(self, item: str) -> None:
        """Nothing of this utterance is wanted, nor of what follows of it."""
        if self.expected(item):
            self._drop(item)

    def _drop(self, item: str) -> None:
        self._dropped.append(item)
        self._words.pop(item, None)

    def _forget(self) -> None:
        self._current.clear()
        self._item = ""

    def _final(self, text: str, interrupted: bool = False, unheard: str = "") -> None:
        if not text and not unheard:
            return
        self.told = self.turn
        now_ms = int(min(self._timeline.now_ms(), self._playback.left_ms))
        started_ms = min(self._playback.started_ms, now_ms)
        self._timeline.emit(
            TranscriptFinal(
                LegKind.AGENT, self.turn, text, started_ms, now_ms, interrupted=interrupted, unheard=unheard
            )
        )
