"""What whoever is asked to take a call is told of it, as a card and as lines to be spoken. Pure: a template.

The lines are in English, or in Arabic where the call is. Nothing is guessed: what is not known is not told.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from offhook.desk.coach.intents import COMMON
from offhook.desk.warm.briefing_words import WORDS
from offhook.foundation.desk_events import CoachingCard, EntityFound, RiskSeen, SentimentFound
from offhook.foundation.events import Entry, LegKind, ToolCalled, TranscriptFinal

TURNS, PROMISES, ENTITIES = 4, 4, 6
MAX_LINE = 300
_SENTENCE = re.compile(r"[^.!?؟]+[.!?؟]*")
_PROMISE = re.compile(
    r"\b(i|we)('ll| will|'m going to|'re going to| am going to| are going to| have (booked|noted|arranged))\b"
    r"|\byou('ll| will) (get|receive|have|be)\b|\bi promise\b|(^|\s)(سوف|س(أ|ن|ت|ي)\w{2,}|أعدك|نعدك)",
    re.IGNORECASE,
)
_NO_PROMISE = re.compile(r"\b(ask|connect|transfer|put you through|colleague)\b|زميل|أحول", re.IGNORECASE)
_KEPT = ("take_message", "book")


@dataclass(frozen=True, slots=True)
class Briefing:
    """`caller` is a name or a number, empty where neither is known; `said` are the caller's last turns, the
    oldest first; `promises` what the agent said it would do, or kept; `mood` is empty where nothing tells."""

    language: str = "en"
    caller: str = ""
    agent: str = ""
    seconds: int = 0
    calls_before: int = 0
    reason: str = ""
    intent: str = ""
    said: tuple[str, ...] = ()
    promises: tuple[str, ...] = ()
    entities: tuple[tuple[str, str], ...] = ()
    mood: str = ""
    sentiment: float | None = None
    summary: str = ""
    source: str = field(default="local", compare=False)

    def card(self) -> dict[str, Any]:
        """As JSON: docs/desk.md names its fields."""
        fields = asdict(self)
        fields["entities"] = [{"type": type, "value": value} for type, value in self.entities]
        return fields

    def lines(self) -> list[str]:
        """What is spoken, in this order."""
        said = ("who", "why", "said", "promised", "mood", "entities")
        return [line for line in (*(self.answer(name) for name in said), self._words["choose"]) if line]

    def answer(self, about: str) -> str:
        """One of the lines: who, why, said, promised, mood, entities; empty for nothing to tell of it."""
        words = self._words
        match about:
            case "who":
                who = self.caller or words["somebody"]
                line = words["who"].format(caller=who, length=self._length())
                return (
                    f"{line} {words['again'].format(count=self.calls_before)}" if self.calls_before else line
                )
            case "why":
                if self.summary:
                    return self.summary
                wish = self.reason or self.intent.replace("_", " ")
                return words["why"].format(wish=_closed(wish)) if wish else ""
            case "said":
                return words["said"].format(text=_closed(self.said[-1])) if self.said else ""
            case "promised":
                return (
                    words["promised"].format(text=" ".join(map(_closed, self.promises)))
                    if self.promises
                    else ""
                )
            case "mood":
                return words.get(f"mood {self.mood}", "")
            case "entities":
                told = ", ".join(f"{type.replace('_', ' ')} {value}" for type, value in self.entities)
                return words["entities"].format(text=told) if told else ""
        return ""

    def word(self, name: str) -> str:
        """A fixed line of the briefing voice."""
        return self._words[name]

    def _length(self) -> str:
        minutes = round(self.seconds / 60)
        return self._words["moments"] if minutes < 1 else self._words["minutes"].format(count=minutes)

    @property
    def _words(self) -> Mapping[str, str]:
        return WORDS["ar" if self.language.lower().startswith("ar") else "en"]


def brief(
    entries: Iterable[Entry],
    *,
    language: str,
    caller: str,
    agent: str,
    seconds: int,
    reason: str,
    before: int,
) -> Briefing:
    """By what is on the call's timeline so far."""
    said: list[str] = []
    promises: list[str] = []
    entities: dict[str, tuple[str, str]] = {}
    intent = name = mood = ""
    sentiment: float | None = None
    for entry in entries:
        match entry.event:
            case TranscriptFinal(leg=LegKind.CALLER, text=text):
                said.append(text[:MAX_LINE])
            case TranscriptFinal(leg=leg, text=text) if leg is not LegKind.GUEST:
                promises += _promised(text)
            case ToolCalled(name=tool, failed=False, arguments=arguments) if tool in _KEPT:
                promises.append(_kept(tool, arguments))
            case EntityFound(id=id, type=type, value=value):
                entities[id] = (type, value)
                name = value if type == "name" else name
            case CoachingCard(intent=found) | RiskSeen(intent=found) if found not in COMMON:
                intent = found or intent
            case SentimentFound() as felt:
                sentiment, mood = felt.score, str(felt.emotion)
    return Briefing(
        language=language,
        caller=name or caller,
        agent=agent,
        seconds=seconds,
        calls_before=before,
        reason=reason,
        intent=intent,
        said=tuple(said[-TURNS:]),
        promises=tuple(dict.fromkeys(promises))[-PROMISES:],
        entities=tuple(dict.fromkeys(entities.values()))[-ENTITIES:],
        mood=mood,
        sentiment=sentiment,
    )


def _promised(text: str) -> list[str]:
    """Sentences that say what will be done, but for those about asking somebody else."""
    sentences = (each.strip() for each in _SENTENCE.findall(text))
    return [each[:MAX_LINE] for each in sentences if _PROMISE.search(each) and not _NO_PROMISE.search(each)]


def _kept(tool: str, arguments: Mapping[str, Any]) -> str:
    told = ", ".join(str(value) for value in arguments.values() if value)
    return f"{'Booking' if tool == 'book' else 'Message'}: {told}"[:MAX_LINE]


def _closed(text: str) -> str:
    """With a stop at its end."""
    text = text.strip()
    return text if not text or text[-1] in ".!?؟" else f"{text}."
