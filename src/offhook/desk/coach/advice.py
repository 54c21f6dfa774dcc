"""From a reading to what the operator is told: the card's texts, by templates per language. Asks no model."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from offhook.desk.coach.intents import DEMANDS, Intent
from offhook.desk.coach.profile import Kind
from offhook.desk.coach.reading import Reading
from offhook.desk.coach.risk import POINTS, rank
from offhook.foundation.desk_events import WarningLevel

LANGUAGES = ("en", "ar")
_UNSURE = 0.45
_JOIN = {"en": "; ", "ar": "؛ "}


@dataclass(frozen=True, slots=True)
class Advice:
    """All texts of a card. `language` is that of the operator's texts; what may be said to the caller
    (`suggestions`, `recommended_response`) is in the caller's."""

    intent: str
    confidence: float
    reasoning: str
    strategy: str
    level: WarningLevel
    warning: str
    suggestions: tuple[str, ...]
    recommended_response: str
    spoken: str
    language: str
    source: str = "local"


@lru_cache(maxsize=len(LANGUAGES))
def texts(language: str) -> Mapping[str, Any]:
    """The templates of one of LANGUAGES."""
    return tomllib.loads(Path(__file__).with_name(f"advice_{language}.toml").read_text("utf-8"))


def known(language: str) -> str:
    """One of LANGUAGES: the first for what there are no texts in."""
    base = language.partition("-")[0].lower()
    return base if base in LANGUAGES else LANGUAGES[0]


def compose(reading: Reading, kind: Kind, language: str = "", repeated: int = 0) -> Advice:
    """`language` is the operator's, the caller's where empty. `repeated`: how often the same intent was
    advised on right before; another of the lines is then recommended."""
    own = known(language or reading.language)
    entry = _entry(own, reading.intent, kind)
    said = list(_entry(known(reading.language), reading.intent, kind)["say"])
    turn = repeated % len(said)
    lines = (*said[turn:], *said[:turn])
    warning = _warning(reading, own, kind)
    urgent = rank(reading.risk.level) >= 3 and (reading.new or reading.signs.flags)
    spoken = f"{texts(own)['words']['urgent']} {entry['spoken']}" if urgent else entry["spoken"]
    return Advice(
        reading.intent.value,
        reading.confidence,
        _reasoning(reading, own, kind),
        entry["strategy"],
        reading.risk.level,
        warning,
        lines[1:],
        lines[0],
        spoken,
        own,
    )


def _entry(language: str, intent: Intent, kind: Kind) -> dict[str, Any]:
    """The texts for an intent; a desk's kind may have its own."""
    shared: dict[str, Any] = texts(language)[intent.value]
    return {**shared, **shared.get(kind.value, {})}


def _does(intents: tuple[Intent, ...], language: str) -> str:
    return _JOIN[language].join(texts(language)[intent.value]["does"] for intent in intents)


def _reasoning(reading: Reading, language: str, kind: Kind) -> str:
    words = texts(language)["words"]
    parts = [words["heard"].format(does=_does((reading.intent,), language))]
    also = tuple(i for i in Intent if i in reading.signs.intents and i is not reading.intent)
    before = tuple(i for i in reading.risk.seen if i not in reading.new and i is not reading.intent)
    before = tuple(i for i in before if i not in also)
    if also:
        parts.append(words["also"].format(does=_does(also, language)))
    if before:
        parts.append(words["before"].format(does=_does(before, language)))
    if reading.signs.flags:
        parts.append(words["flags"].format(flags=_JOIN[language].join(reading.signs.flags)))
    if reading.confidence < _UNSURE:
        parts.append(words["unsure"])
    return " ".join(parts)


def _warning(reading: Reading, language: str, kind: Kind) -> str:
    """One sentence: the gravest of what was seen in this turn, or that there was something before."""
    words, level = texts(language)["words"], reading.risk.level
    if level is WarningLevel.NONE:
        return ""
    shown = sorted(reading.signs.intents & POINTS.keys(), key=lambda i: (-POINTS[i], i not in DEMANDS))
    if shown:
        return str(words[level.value]).format(does=_does(tuple(shown[:2]), language))
    if reading.signs.flags:
        return str(words["flagged"]).format(flags=_JOIN[language].join(reading.signs.flags))
    if reading.signs.mood and reading.signs.mood >= rank(level):
        return str(words[f"mood_{level.value}"])
    return str(words["still"])
