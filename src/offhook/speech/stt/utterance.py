"""One utterance on its way to words: what is settled, what is not, and its sound for a replay. No sockets."""

from __future__ import annotations

from offhook.audio.frame import AudioFormat
from offhook.foundation.errors import ProviderError
from offhook.speech.base import Transcript
from offhook.speech.stt.dialect import Settled

REPLAY_MS = 12_000
"""Ten seconds that another recognizer may have failed to hear, and two to connect in."""
_MAX_PARTS = 400


class Utterance:
    """Positions are milliseconds since the utterance began.

    `settled_ms`: the words up to there are final; `heard_ms`: words up to there are known; `wanted_ms`:
    words up to there are waited for; `asked_ms`: the connection was asked for them. `error` ends it.
    """

    def __init__(self, format: AudioFormat) -> None:
        self._format = format
        self._parts: list[Settled] = []
        self._start = 0
        self.audio = bytearray()
        """The sound from `start_ms` on: not settled, and at most REPLAY_MS."""
        self.interim = ""
        self.settled_ms = self.heard_ms = self.wanted_ms = self.asked_ms = 0.0
        self.failures = 0
        self.error: ProviderError | None = None
        self.missed = False
        """Whether sound came after the error, and was not kept."""

    @property
    def start_ms(self) -> float:
        return self._format.ms(self._start)

    @property
    def pushed_ms(self) -> float:
        return self._format.ms(self._start + len(self.audio))

    @property
    def text(self) -> str:
        """The words so far."""
        words = [part.text for part in self._parts if part.text]
        if self.interim:
            words.append(self.interim)
        return " ".join(words)

    @property
    def described(self) -> bool:
        """Whether the language of every settled word is known."""
        return all(part.language for part in self._parts if part.text)

    def add(self, audio: bytes) -> None:
        self.audio += audio
        excess = len(self.audio) - self._format.size(REPLAY_MS)
        if excess > 0:
            self._forget(excess + -excess % self._format.width)

    def _forget(self, size: int) -> None:
        size = min(size, len(self.audio))
        del self.audio[:size]
        self._start += size

    def hear(self, text: str, end_ms: float) -> None:
        """Unsettled words."""
        self.interim = text
        self.heard_ms = max(self.heard_ms, min(end_ms, self.pushed_ms))

    def settle(self, part: Settled, end_ms: float) -> None:
        """Settled words; the sound up to `end_ms` is not needed any more."""
        if len(self._parts) < _MAX_PARTS and (part.text or part.language):
            self._parts.append(part)
        self.interim = ""
        self.settled_ms = max(self.settled_ms, min(end_ms, self.pushed_ms))
        self.heard_ms = max(self.heard_ms, self.settled_ms)
        done = self._format.size(self.settled_ms)
        if done > self._start:
            self._forget(done - self._start)

    def describe(self, language: str, confidence: float | None) -> None:
        """More about the words that were settled last."""
        if self._parts:
            last = self._parts[-1]
            sure = last.confidence if confidence is None else confidence
            self._parts[-1] = Settled(last.text, last.end_ms, language or last.language, sure)

    def rewind(self) -> bool:
        """Make ready for a replay of `audio`; False when sound was lost whose words are not known."""
        if self.start_ms > self.settled_ms + 1:
            if self.heard_ms + 1 < self.start_ms:
                return False
            self.settle(Settled(self.interim, self.heard_ms), self.heard_ms)
        self.interim = ""
        self.heard_ms = self.settled_ms
        self.asked_ms = self.settled_ms
        return True

    def transcript(self, language: str) -> Transcript:
        """All words; `language` serves where none was detected."""
        weights: dict[str, int] = {}
        for part in self._parts:
            if part.language:
                weights[part.language] = weights.get(part.language, 0) + len(part.text)
        detected = max(weights, key=lambda code: weights[code], default=language)
        sure = min((part.confidence for part in self._parts if part.text), default=1.0)
        return Transcript(self.text, detected, sure)
