"""Reads how a caller's words sound: negative, neutral or positive, how much. Keeps nothing between turns."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from offhook.center.sentiment.features import SIZE, indices
from offhook.center.sentiment.sense import Sense
from offhook.speech.plain import language_of, plain

WEIGHTS = Path(__file__).with_name("weights.npz")
MEANING = 0.6
"""How much the meaning counts beside the words, where there is one."""
_COURTESY = frozenset(
    plain(
        "thanks thank you ok okay bye goodbye hello hi yes no yeah yep nope please "
        "شكرا شكرًا لك طيب تمام اوكي نعم لا ايوه مع السلامة الو"
    ).split()
)
"""Words that are said out of habit: a turn of nothing else says nothing of how somebody feels."""


class Label(StrEnum):
    NEGATIVE = "negative"
    NEUTRAL = "neutral"
    POSITIVE = "positive"


LABELS = tuple(Label)


@dataclass(frozen=True, slots=True)
class WordsRead:
    """What the words say: `score` -1 (ill) to 1 (well), the likeliest `label`, how sure, `language`."""

    score: float
    label: Label
    confidence: float
    language: str


class Classifier:
    """Multinomial logistic regression; `weights` [features, labels]. One for the process, read only. `sense`
    [its width + 1, labels] is a second one, on vectors of meaning; the last row is its bias."""

    def __init__(
        self,
        weights: npt.NDArray[np.float32],
        bias: npt.NDArray[np.float32],
        sense: npt.NDArray[np.float32],
    ) -> None:
        self._weights = weights
        self._bias = bias
        self._sense = sense

    def probabilities(self, said: str, meaning: npt.NDArray[np.float32] | None = None) -> dict[Label, float]:
        """How probable each label is for a text that `plain` made, and of this meaning; they sum to 1."""
        places, values = indices(said)
        logs = _log_shares(values @ self._weights[places] + self._bias)
        if meaning is not None:
            felt = _log_shares(meaning @ self._sense[:-1] + self._sense[-1])
            logs = _log_shares((1 - MEANING) * logs + MEANING * felt)
        return dict(zip(LABELS, np.exp(logs).tolist(), strict=True))


class TextReader:
    """Reads turns; shared by all calls. Takes 0.2 to 4 ms: not for the event loop."""

    def __init__(self, sense: Sense | None = None) -> None:
        self._sense = sense
        self._classifier = shipped()

    def read(self, text: str, language: str = "") -> WordsRead:
        """`language` is the call's, for turns without letters."""
        said = plain(text)
        tongue = language_of(text, language or "en")
        if all(word in _COURTESY or word.isdigit() for word in said.split()):
            return WordsRead(0.0, Label.NEUTRAL, 1.0, tongue)
        meaning = self._sense.vector(said) if self._sense is not None and tongue == "en" else None
        shares = self._classifier.probabilities(said, meaning)
        label = max(LABELS, key=lambda each: shares[each])
        score = shares[Label.POSITIVE] - shares[Label.NEGATIVE]
        return WordsRead(round(score, 3), label, round(shares[label], 3), tongue)


@lru_cache(maxsize=1)
def shipped() -> Classifier:
    """The packaged classifier (a few ms to load)."""
    with np.load(WEIGHTS, allow_pickle=False) as kept:
        weights = kept["weights"].astype(np.float32) * kept["scale"]
        if len(weights) != SIZE or kept["labels"].tolist() != list(LABELS):
            raise ValueError("the weights were made for other features or labels")
        return Classifier(weights, kept["bias"], kept["sense"].astype(np.float32))


def _log_shares(scores: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    scores = scores - scores.max()
    return np.asarray(scores - np.log(np.exp(scores).sum()), np.float32)
