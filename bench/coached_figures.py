"""What came of the turns of bench/coached_calls.py, and the tables of it. Plays nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from coach import SHIPPED, Reader
from offhook.desk.coach.risk import Risk
from offhook.desk.coach.sense import Sense


@dataclass
class Played:
    """What came of one turn. Times in ms; None: never."""

    call: str
    text: str
    heard: str = ""
    intents: Sequence[str] = ()
    levels: Sequence[str] = ()
    card_ms: float | None = None
    words_ms: float | None = None
    pieces: int = 0
    voice_ms: float | None = None
    likeness: float = 0.0
    intent: str = ""
    level: str = ""
    suggestions: int = 0
    asked: bool = False
    card: dict[str, Any] = field(default_factory=dict)
    events: list[tuple[int, str]] = field(default_factory=list)
    """What the timeline told meanwhile: ms since the end of the turn, and what."""


def share(values: Sequence[float], part: float) -> float:
    return float(np.percentile(values, 100 * part)) if values else float("nan")


def marks(played: Sequence[Played], text: str) -> tuple[float, float]:
    """How often the coach tells intent and level of what was `heard`, or of the true `text`."""
    risks: dict[str, Risk] = {}
    reader, right, level = Reader(SHIPPED["fraud"], Sense()), 0, 0
    for each in played:
        reading = reader.read(getattr(each, text), risks.get(each.call, Risk()))
        risks[each.call] = reading.risk
        right += reading.intent.value in each.intents
        level += reading.risk.level.value in each.levels
    return 100 * right / len(played), 100 * level / len(played)


def report(language: str, played: Sequence[Played]) -> None:
    times = {
        "last sample → words final": [p.words_ms for p in played if p.words_ms is not None],
        "last sample → card at the operator": [p.card_ms for p in played if p.card_ms is not None],
        "last sample → coach's voice": [p.voice_ms for p in played if p.voice_ms is not None],
        "words final → card": [
            p.card_ms - p.words_ms for p in played if p.card_ms is not None and p.words_ms is not None
        ],
        "card → coach's voice": [
            p.voice_ms - p.card_ms for p in played if p.voice_ms is not None and p.card_ms is not None
        ],
    }
    print(f"\n{language}: {len(played)} turns of {len({p.call for p in played})} calls")
    print("| ms | turns | p50 | p95 | most |\n| --- | ---: | ---: | ---: | ---: |")
    for name, values in times.items():
        print(f"| {name} | {len(values)} | {share(values, 0.5):.0f} | {share(values, 0.95):.0f} |", end="")
        print(f" {max(values, default=0):.0f} |")
    voices = [p for p in played if p.voice_ms is not None and p.likeness]
    print(f"voice is the card's own sound (likeness ≥ 0.8): {sum(p.likeness >= 0.8 for p in voices)}"
          f" of {len(voices)}; no card of itself: {sum(p.card_ms is None for p in played)};"
          f" turns cut in two: {sum(p.pieces > 1 for p in played)}")  # fmt: skip
    n = len(played)
    intent = 100 * sum(p.intent in p.intents for p in played) / n
    level = 100 * sum(p.level in p.levels for p in played) / n
    print(f"cards: intent {intent:.0f} %, warning level {level:.0f} %, suggestions on"
          f" {100 * sum(p.suggestions > 0 for p in played) / n:.0f} %")  # fmt: skip
    for name, text in (("as recognized", "heard"), ("as written", "text")):
        intent, level = marks(played, text)
        print(f"the coach's reading {name}: intent {intent:.0f} %, level {level:.0f} %")
