"""Which intent a sentence has: sure patterns first, then nearness to examples. No dialogue state."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from offhook.foundation.agent import Facts
from offhook.speech.llm.receptionist.intents import EXAMPLES, SERVICE_EXAMPLES, Intent
from offhook.speech.llm.receptionist.patterns import GOODBYE, GREETING, NO, OPENERS, PATTERNS, THANKS, YES
from offhook.speech.llm.receptionist.similarity import Similarity
from offhook.speech.llm.receptionist.words import tokens

_SENTENCE = re.compile(
    r"(?<=[.?!])\s+|,?\s+and\s+(?=(?:when|where|how|what|do you|are you|is there|can i)\b)", re.IGNORECASE
)
_MAX_SENTENCES = 4
_MAX_SERVICES = 12
_SHORT_ANSWER = 3
_QUESTION_BONUS = 0.05


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a sentence means; `question` is the index into `Facts.questions`; `sure` came by a pattern."""

    intent: Intent
    words: tuple[str, ...] = ()
    score: float = 1.0
    question: int = -1
    sure: bool = False


class Classifier:
    """Knows the examples of all intents and the configured questions of one agent."""

    def __init__(self, similarity: Similarity, facts: Facts) -> None:
        """Embeds the examples: up to half a second, so build it in a worker thread."""
        self._similarity = similarity
        self._names: list[tuple[Intent, int]] = []
        sentences: list[str] = []
        for intent, examples in EXAMPLES.items():
            self._names += [(intent, -1)] * len(examples)
            sentences += examples
        for index, question in enumerate(facts.questions):
            asks = [" ".join(tokens(ask)) for ask in question.ask]
            asks = [ask for ask in asks if ask]
            self._names += [(Intent.QUESTION, index)] * len(asks)
            sentences += asks
        for service in facts.services[:_MAX_SERVICES]:
            name = " ".join(tokens(service.name))
            self._names += [(intent, -1) for intent, _ in SERVICE_EXAMPLES]
            sentences += [example.format(service=name) for _, example in SERVICE_EXAMPLES]
        self._asks = {
            text: name[1] for text, name in zip(sentences, self._names, strict=True) if name[1] >= 0
        }
        self._matrix = similarity.vectors(sentences)

    def meanings(self, text: str) -> list[Meaning]:
        """One meaning for each of the first four sentences of `text`, empty ones left out."""
        parts = [part for part in _SENTENCE.split(text.strip())[:_MAX_SENTENCES] if tokens(part)]
        return [self._meaning(tokens(part)) for part in parts]

    def _meaning(self, words: list[str]) -> Meaning:
        whole = " ".join(words)
        plain = OPENERS.sub("", whole + " ").strip()
        said = tuple(words)
        if (index := self._asks.get(plain, self._asks.get(whole))) is not None:
            return Meaning(Intent.QUESTION, said, question=index, sure=True)
        if intent := _polite(whole, plain):
            return Meaning(intent, said, sure=True)
        for intent, pattern in PATTERNS:
            if pattern.search(plain or whole):
                return self._rather_question(Meaning(intent, said, sure=True), plain)
        short = _answer(plain or whole) if len(words) <= _SHORT_ANSWER else Intent.UNKNOWN
        if short is not Intent.UNKNOWN:
            return Meaning(short, said, sure=True)
        near = self._nearest(plain or whole)
        if near.intent is Intent.UNKNOWN:
            return Meaning(_answer(plain or whole), said, near.score)
        return Meaning(near.intent, said, near.score, near.question)

    def _rather_question(self, meaning: Meaning, plain: str) -> Meaning:
        """A configured question that is very near beats a pattern: the owner wrote it for this."""
        if not self._asks or not plain:
            return meaning
        near = self._nearest(plain)
        if near.intent is Intent.QUESTION and near.score >= max(0.8, self._similarity.threshold + 0.2):
            return Meaning(Intent.QUESTION, meaning.words, near.score, near.question)
        return meaning

    def _nearest(self, sentence: str) -> Meaning:
        scores = self._matrix @ self._similarity.vectors([sentence])[0]
        best: dict[tuple[Intent, int], float] = {}
        for name, score in zip(self._names, scores, strict=True):
            bonus = _QUESTION_BONUS if name[0] is Intent.QUESTION else 0.0
            best[name] = max(best.get(name, -1.0), float(score) + bonus)
        ranked = sorted(best.items(), key=lambda item: -item[1])
        (name, score), (_, second) = ranked[0], ranked[1]
        if score < self._similarity.threshold or score - second < self._similarity.margin:
            return Meaning(Intent.UNKNOWN, score=float(np.clip(score, 0, 1)))
        return Meaning(name[0], score=score, question=name[1])


def _polite(whole: str, plain: str) -> Intent | None:
    """Greetings, thanks and goodbyes that say nothing else."""
    if GOODBYE.search(whole) and len(whole.split()) <= 12:
        return Intent.GOODBYE
    rest = GREETING.sub("", whole).strip()
    if (
        GREETING.match(whole)
        and (not rest or len(rest.split()) <= 2 or "hear me" in rest)
        and not _wants(plain)
    ):
        return Intent.GREET
    if THANKS.search(whole) and len(whole.split()) <= 7 and not _wants(plain) and not NO.match(whole):
        return Intent.THANKS if not YES.match(whole) or len(whole.split()) > 2 else Intent.YES
    return None


def _wants(plain: str) -> bool:
    return bool(plain) and any(pattern.search(plain) for _, pattern in PATTERNS)


def _answer(plain: str) -> Intent:
    """Yes and no, where nothing else was understood."""
    if NO.search(plain):
        return Intent.NO
    return Intent.YES if YES.match(plain) else Intent.UNKNOWN


def most_important(meanings: Sequence[Meaning]) -> Meaning:
    """The meaning to act on: what is wanted before pleasantries."""
    if not meanings:
        return Meaning(Intent.UNKNOWN, score=0.0)
    return min(meanings, key=lambda m: _ORDER.get(m.intent, 5))


_ORDER = {
    Intent.EMERGENCY: 0,
    Intent.HUMAN: 1,
    Intent.BOOK: 2,
    Intent.MESSAGE: 2,
    Intent.CHANGE_BOOKING: 2,
    Intent.CANCEL: 2,
    Intent.REPEAT: 3,
    Intent.NO: 6,
    Intent.YES: 6,
    Intent.UNKNOWN: 7,
    Intent.GOODBYE: 8,
    Intent.THANKS: 9,
    Intent.GREET: 9,
    Intent.HOW_ARE_YOU: 8,
    Intent.WAIT: 9,
}
