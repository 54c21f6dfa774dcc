"""How aroused a caller sounds, against how the same caller sounded before. Pure; knows no words.

The baseline is the caller's own: a caller who is loud from the first word on is taken for one who speaks so.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from enum import StrEnum
from statistics import median

from offhook.audio.prosody import Prosody

SHORTEST_MS = 400
"""A turn with less speech says nothing."""
BASELINE_TURNS, BASELINE_MS = 2, 2_500
"""So much of the caller is heard before anything is compared."""
KEPT = 12
RATE_WORDS = 3
"""Fewer words have no speaking rate."""
_STEP = {"pitch_st": 4.0, "level_db": 6.0, "rate": 0.38}
"""How far each goes from the baseline in a voice that is clearly aroused: semitones, dB, octaves of rate."""
_WEIGHT = {"pitch_st": 0.45, "level_db": 0.3, "rate": 0.25}
TENSE, AGITATED, SUBDUED = 0.45, 0.85, -0.6
MARGIN = 0.15
"""How far the other way it must go for a state to end."""


class Arousal(StrEnum):
    UNKNOWN = "unknown"
    """Not enough was heard to compare with."""
    SUBDUED = "subdued"
    CALM = "calm"
    TENSE = "tense"
    AGITATED = "agitated"


@dataclass(frozen=True, slots=True)
class Deviation:
    """From the caller's baseline: semitones, dB, and octaves of speaking rate (1: twice as fast)."""

    pitch_st: float = 0.0
    level_db: float = 0.0
    rate: float = 0.0


@dataclass(frozen=True, slots=True)
class Heard:
    """A turn's `arousal`, the number it comes from (0: as ever, 1: clearly aroused), and the deviations."""

    arousal: Arousal
    value: float
    deviation: Deviation


class Ear:
    """One caller's voice through a call."""

    def __init__(self) -> None:
        self._pitches: deque[float] = deque(maxlen=KEPT)
        self._levels: deque[float] = deque(maxlen=KEPT)
        self._rates: deque[float] = deque(maxlen=KEPT)
        self._heard_ms = 0
        self.state = Arousal.UNKNOWN

    def hear(self, voice: Prosody, words: int) -> Heard:
        """A turn of the caller, and how many words were recognized in it."""
        if voice.speech_ms < SHORTEST_MS:
            return Heard(self.state, 0.0, Deviation())
        rate = math.log2(words / voice.speech_ms * 1000) if words >= RATE_WORDS else None
        if len(self._levels) < BASELINE_TURNS or self._heard_ms < BASELINE_MS:
            self._learn(voice, rate)
            return Heard(self.state, 0.0, Deviation())
        deviation = Deviation(
            12 * math.log2(voice.pitch_hz / median(self._pitches))
            if voice.pitch_hz and self._pitches
            else 0.0,
            voice.level_db - median(self._levels),
            rate - median(self._rates) if rate is not None and self._rates else 0.0,
        )
        value = arousal_of(deviation)
        self.state = _next(self.state, value)
        if self.state is Arousal.CALM:
            self._learn(voice, rate)
        return Heard(self.state, round(value, 2), deviation)

    def _learn(self, voice: Prosody, rate: float | None) -> None:
        self._heard_ms += voice.speech_ms
        self._levels.append(voice.level_db)
        if voice.pitch_hz:
            self._pitches.append(voice.pitch_hz)
        if rate is not None:
            self._rates.append(rate)


def arousal_of(deviation: Deviation) -> float:
    """One number of the three deviations; none of them alone makes more than 1.5 times its weight."""
    total = 0.0
    for name, weight in _WEIGHT.items():
        steps = getattr(deviation, name) / _STEP[name]
        total += weight * max(-1.5, min(1.5, steps))
    return total


def _next(state: Arousal, value: float) -> Arousal:
    """The state after a turn: reached at a threshold, left past its margin."""
    margin = MARGIN if state is Arousal.AGITATED else 0.0
    if value >= AGITATED - margin:
        return Arousal.AGITATED
    margin = MARGIN if state in (Arousal.TENSE, Arousal.AGITATED) else 0.0
    if value >= TENSE - margin:
        return Arousal.TENSE
    margin = MARGIN if state is Arousal.SUBDUED else 0.0
    return Arousal.SUBDUED if value <= SUBDUED + margin else Arousal.CALM
