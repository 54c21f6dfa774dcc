"""Which advice becomes a card: nothing twice, newer in place of older, each with its time. No brains."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from offhook.desk.coach.advice import Advice
from offhook.desk.coach.risk import rank
from offhook.desk.coach.words import likeness
from offhook.foundation.desk_events import CoachingCard
from offhook.foundation.events import CallEvent

ALIKE = 0.8
"""How many words the advice of two cards shares at least to be the same."""
LIVES_MS = (20_000, 20_000, 25_000, 35_000, 45_000)
"""How long a card is of use, by its warning level."""


class Cards:
    """The cards of one call."""

    def __init__(self, profile: str, emit: Callable[[CallEvent], None], now_ms: Callable[[], float]) -> None:
        self._profile = profile
        self._emit = emit
        self._now_ms = now_ms
        self.last: CoachingCard | None = None
        self.repeated = 0
        """How many cards in a row had the intent of the last one, before it."""
        self.made = self.dropped = 0

    def show(self, advice: Advice, turn: int, ended_ms: int, *, asked: bool = False) -> CoachingCard | None:
        """Make a card of the advice; None where the last card says the same, is still of use, and does not
        warn less. `asked`: the operator wants one, whatever there was."""
        last, now = self.last, int(self._now_ms())
        if last is not None and not asked and now < last.expires_ms and self._says_no_more(advice, last):
            self.dropped += 1
            return None
        card = CoachingCard(
            id=f"card_{secrets.token_hex(8)}",
            turn=turn,
            profile=self._profile,
            intent=advice.intent,
            confidence=advice.confidence,
            reasoning=advice.reasoning,
            strategy=advice.strategy,
            warning_level=advice.level,
            warning=advice.warning,
            suggestions=list(advice.suggestions),
            recommended_response=advice.recommended_response,
            spoken=advice.spoken,
            language=advice.language,
            priority=self._priority(advice, last, asked),
            expires_ms=now + LIVES_MS[rank(advice.level)],
            ended_ms=ended_ms,
            made_ms=now,
            supersedes=last.id if last is not None else "",
            source=advice.source,
        )
        self.repeated = self.repeated + 1 if last is not None and last.intent == card.intent else 0
        self.last = card
        self.made += 1
        self._emit(card)
        return card

    def _says_no_more(self, advice: Advice, last: CoachingCard) -> bool:
        if rank(advice.level) > rank(last.warning_level):
            return False
        if advice.intent == last.intent and advice.source == last.source == "local":
            return True  # by the same template
        return likeness(f"{advice.strategy} {advice.spoken}", f"{last.strategy} {last.spoken}") >= ALIKE

    @staticmethod
    def _priority(advice: Advice, last: CoachingCard | None, asked: bool) -> int:
        """3: a warning that has just become grave; 2: a grave one, or the operator asked; 1: a light one."""
        level = rank(advice.level)
        rose = last is None or level > rank(last.warning_level)
        if level >= 3:
            return 3 if rose else 2
        return 2 if asked else min(level, 1)
