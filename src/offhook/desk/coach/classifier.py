"""Which intents a turn may have, by the linear model that bench/train_coach.py trains. No rules."""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from offhook.desk.coach.features import SIZE, indices
from offhook.desk.coach.intents import Intent

WEIGHTS = Path(__file__).with_name("weights.npz")
MEANING = 0.5
"""How much the meaning counts beside the words, where there is one."""


class Classifier:
    """Multinomial logistic regression; `weights` [features, intents]. One for the process, read only.
    `sense` [its width + 1, intents] is a second one, on vectors of meaning; the last row is its bias."""

    def __init__(
        self,
        intents: list[Intent],
        weights: npt.NDArray[np.float32],
        bias: npt.NDArray[np.float32],
        sense: npt.NDArray[np.float32] | None = None,
    ) -> None:
        self._sense = sense
        self.intents = intents
        self._place = {intent: place for place, intent in enumerate(intents)}
        self._weights = weights
        self._bias = bias

    def probabilities(
        self, plain: str, among: Collection[Intent], meaning: npt.NDArray[np.float32] | None = None
    ) -> dict[Intent, float]:
        """How probable each intent of `among` is for a text that `words.plain` made, and of this meaning;
        they sum to 1."""
        known = [intent for intent in self.intents if intent in among]
        if not plain:
            return {intent: float(intent is Intent.UNCLEAR) for intent in known}
        places, values = indices(plain)
        scores = values @ self._weights[places] + self._bias
        chosen = [self._place[intent] for intent in known]
        logs = _log_shares(scores[chosen])
        if meaning is not None and self._sense is not None:
            felt = _log_shares((meaning @ self._sense[:-1] + self._sense[-1])[chosen])
            logs = _log_shares((1 - MEANING) * logs + MEANING * felt)
        shares = np.exp(logs)
        return dict(zip(known, shares.tolist(), strict=True))


@lru_cache(maxsize=1)
def shipped() -> Classifier:
    """The packaged classifier (a few ms to load)."""
    with np.load(WEIGHTS, allow_pickle=False) as kept:
        scale = kept["scale"].astype(np.float32)
        weights = kept["weights"].astype(np.float32) * scale
        if len(weights) != SIZE:
            raise ValueError("the coach's weights were made for other features")
        intents = [Intent(name) for name in kept["intents"].tolist()]
        return Classifier(intents, weights, kept["bias"], kept["sense"].astype(np.float32))


def _log_shares(scores: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    scores = scores - scores.max()
    return np.asarray(scores - np.log(np.exp(scores).sum()), np.float32)
