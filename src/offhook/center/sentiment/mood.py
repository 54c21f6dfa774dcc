"""What the turns of one call come to: the call's score, where it is going, and an emotion. Pure."""

from __future__ import annotations

from collections import deque

from offhook.center.sentiment.arousal import Arousal, Heard
from offhook.center.sentiment.reader import WordsRead
from offhook.foundation.desk_events import Emotion, SentimentFound

STRONG, WEAK = 0.3, 0.2
"""A turn's score at which it says something of the caller, and below which it says nothing."""
FAST, SLOW = 0.5, 0.15
"""How much a telling turn moves the call's score, and a turn that tells nothing."""
TURNS, FEWEST = 6, 3
"""Turns that a trend is made of, and how many it takes."""
LOUDER = 0.2
"""How much an agitated voice takes from a turn that is not a pleased one."""
FELT, LEFT = 0.35, 0.2


class Mood:
    """Of one caller in one call."""

    def __init__(self) -> None:
        self.score = 0.0
        self.emotion = Emotion.CALM
        self._scores: deque[float] = deque(maxlen=TURNS)

    @property
    def trend(self) -> float:
        """The slope of the last turns' scores, per turn, -1 to 1; 0 until there are FEWEST."""
        scores, count = self._scores, len(self._scores)
        if count < FEWEST:
            return 0.0
        middle, mean = (count - 1) / 2, sum(scores) / count
        slope = sum((at - middle) * (score - mean) for at, score in enumerate(scores))
        return round(max(-1.0, min(1.0, slope / sum((at - middle) ** 2 for at in range(count)))), 3)

    def turn(self, number: int, words: WordsRead, voice: Heard | None, at_ms: int) -> SentimentFound:
        """One more turn of the caller's."""
        score = words.score
        arousal = voice.arousal if voice is not None else Arousal.UNKNOWN
        if voice is not None and arousal in (Arousal.TENSE, Arousal.AGITATED) and score < WEAK:
            score = max(-1.0, score - LOUDER * max(0.0, voice.value))
        weight = FAST if abs(score) >= STRONG else SLOW
        self.score = score if not self._scores and abs(score) >= STRONG else self._moved(score, weight)
        self._scores.append(score)
        self.emotion = self._feels(score, arousal)
        return SentimentFound(
            turn=number,
            score=round(self.score, 3),
            turn_score=round(score, 3),
            trend=self.trend,
            emotion=self.emotion,
            label=words.label.value,
            confidence=words.confidence,
            language=words.language,
            at_ms=at_ms,
            voice=_voice(voice),
        )

    def _moved(self, score: float, weight: float) -> float:
        return self.score + weight * (score - self.score)

    def _feels(self, score: float, arousal: Arousal) -> Emotion:
        """A turn that tells nothing leaves the caller as the call was; what began at FELT ends at LEFT."""
        if abs(score) < WEAK:
            score = self.score
        good = score >= (LEFT if self.emotion in (Emotion.PLEASED, Emotion.EXCITED) else FELT)
        ill = score <= -(LEFT if self.emotion in (Emotion.UNHAPPY, Emotion.AGITATED) else FELT)
        if arousal is Arousal.AGITATED:
            return Emotion.EXCITED if good else Emotion.AGITATED
        if arousal is Arousal.TENSE and not good:
            return Emotion.TENSE if not ill else Emotion.AGITATED
        if good or ill:
            return Emotion.PLEASED if good else Emotion.UNHAPPY
        return Emotion.SUBDUED if arousal is Arousal.SUBDUED else Emotion.CALM


def _voice(voice: Heard | None) -> dict[str, float]:
    if voice is None or voice.arousal is Arousal.UNKNOWN:
        return {}
    deviation = voice.deviation
    return {
        "pitch_st": round(deviation.pitch_st, 1),
        "level_db": round(deviation.level_db, 1),
        "rate": round(2**deviation.rate, 2),
    }
