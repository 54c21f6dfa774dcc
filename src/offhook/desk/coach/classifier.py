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


class Classifier:
    """Multinomial logistic regression; `weights` [features, intents]. One for the process, read only."""

    def __init__(
        self, intents: list[Intent], weights: npt.NDArray[np.float32], bias: npt.NDArray[np.float32]
    ) -> None:
        self.intents = intents
        self._place = {intent: place for place, intent in enumerate(intents)}
        self._weights = weights
        self._bias = bias

    def probabilities(self, plain: str, among: Collection[Intent]) -> dict[Intent, float]:
        """How probable each intent of `among` is for a text that `words.plain` made; they sum to 1."""
        known = [intent for intent in self.intents if intent in among]
        if not plain:
            return {intent: float(intent is Intent.UNCLEAR) for intent in known}
        places, values = indices(plain)
        scores = values @ self._weights[places] + self._bias
        scores = scores[[self._place[intent] for intent in known]]
        shares = np.exp(scores - scores.max())
        shares /= shares.sum()
        return dict(zip(known, shares.tolist(), strict=True))


@lru_cache(maxsize=1)
def shipped() -> Classifier:
    """The packaged classifier (a few ms to load)."""
    with np.load(WEIGHTS, allow_pickle=False) as kept:
        scale = kept["scale"].astype(np.float32)
        weights = kept["weights"].astype(np.float32) * scale
        if len(weights) != SIZE:
            raise ValueError("the coach's weights were made for other features")
        return Classifier([Intent(name) for name in kept["intents"].tolist()], weights, kept["bias"])
