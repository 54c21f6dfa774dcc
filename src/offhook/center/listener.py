"""What changes about a caller in mid-call: language, intent, mood, from its events. Decides nothing."""

from __future__ import annotations

from collections.abc import Callable

from offhook.foundation.desk_events import CoachingCard
from offhook.foundation.events import CallEvent, LegKind, TranscriptFinal

SURE_WORDS = 3
"""A turn of so many words tells the language; a shorter one must agree with the one before."""


class Listener:
    """One call's. `changed` is told when what is known became something else; `wanted(text, language)` is
    given the turns whose intent is to be read. Intents less sure than `confidence` do not count."""

    def __init__(
        self, changed: Callable[[], None], wanted: Callable[[str, str], None], confidence: float
    ) -> None:
        self._changed = changed
        self._wanted = wanted
        self._confidence = confidence
        self._heard = ""
        self.language = ""
        self.intent = ""
        self.sentiment: float | None = None

    def take(self, event: CallEvent) -> None:
        """An event of the call; immediate."""
        match event:
            case TranscriptFinal(leg=LegKind.CALLER, text=text, language=language) if text:
                self._speaks(text, language)
                self._wanted(text, self.language or language)
            case CoachingCard(intent=intent, confidence=confidence):
                self.meant(intent, confidence)
            case _ if event.kind == "sentiment":
                self._feels(event)

    def meant(self, intent: str, confidence: float) -> None:
        """An intent was read."""
        if intent and confidence >= self._confidence and intent != self.intent:
            self.intent = intent
            self._changed()

    def _speaks(self, text: str, language: str) -> None:
        before, self._heard = self._heard, language or self._heard
        sure = language == before or len(text.split()) >= SURE_WORDS
        if language and language != self.language and sure:
            self.language = language
            self._changed()

    def _feels(self, event: CallEvent) -> None:
        score = getattr(event, "score", None)
        if isinstance(score, int | float) and score != self.sentiment:
            self.sentiment = float(score)
            self._changed()
