"""Trains the coach's classifier from bench/coach_training/*.txt and writes its weights into the package.

Usage: python bench/train_coach.py [--check]. `--check` writes nothing and prints how well lines that were
left out of the training are told (five parts, whole lines left out). Uses nothing of tests/.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import random
import re
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from offhook.desk.coach.classifier import WEIGHTS, Classifier
from offhook.desk.coach.features import SIZE, indices
from offhook.desk.coach.intents import Intent
from offhook.desk.coach.sense import Sense
from offhook.desk.coach.words import plain

FOLDER = Path(__file__).with_name("coach_training")
VARIANTS = 10
EPOCHS, BATCH, RATE, DECAY, SMOOTHING = 6, 256, 0.05, 1e-4, 0.06
SENSE_STEPS, SENSE_DECAY = 300, 1e-4
PARTS = 5
SEED = 7
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Line:
    intent: Intent
    language: str
    variants: tuple[str, ...]


def read(path: Path) -> list[Line]:
    lines, intent = [], Intent.UNCLEAR
    for number, raw in enumerate(path.read_text("utf-8").splitlines()):
        text = raw.strip()
        if not text or text.startswith("#"):
            continue
        if text.startswith("="):
            intent = Intent(text[1:].strip())
            continue
        chance = random.Random(f"{path.stem}{number}")
        lines.append(Line(intent, path.stem, tuple(variants(text, chance))))
    return lines


def variants(template: str, chance: random.Random) -> list[str]:
    """Up to VARIANTS of a line's sentences, each also as a bad connection would let it through."""
    parts = [part.split("|") for part in re.split(r"[()]", template)]
    total = 1
    for part in parts:
        total *= len(part)
    if total <= VARIANTS:
        said = ["".join(choice) for choice in itertools.product(*parts)]
    else:
        said = ["".join(chance.choice(part) for part in parts) for _ in range(VARIANTS)]
    whole = [plain(sentence) for sentence in said]
    return whole + [damaged(sentence, chance) for sentence in whole]


def damaged(sentence: str, chance: random.Random) -> str:
    """A word or a letter lost, two words run together."""
    words = sentence.split()
    if len(words) > 2 and chance.random() < 0.6:
        del words[chance.randrange(len(words))]
    place = chance.randrange(len(words))
    word = words[place]
    if len(word) > 3 and chance.random() < 0.5:
        cut = chance.randrange(len(word))
        words[place] = word[:cut] + word[cut + 1 :]
    elif place + 1 < len(words) and chance.random() < 0.3:
        words[place : place + 2] = [word + words[place + 1]]
    return " ".join(words)


def train(lines: list[Line], epochs: int = EPOCHS) -> tuple[list[Intent], Floats, Floats]:
    """Adam over small batches; every line weighs the same, and nearly so every intent."""
    intents = list(Intent)
    per_intent = Counter(line.intent for line in lines)
    texts = [(line, text) for line in lines for text in line.variants]
    features = [indices(text) for _, text in texts]
    target = np.full((len(texts), len(intents)), SMOOTHING / len(intents), np.float32)
    weight = np.empty((len(texts), 1), np.float32)
    for row, (line, _) in enumerate(texts):
        target[row, intents.index(line.intent)] += 1 - SMOOTHING
        weight[row] = 1 / (len(line.variants) * per_intent[line.intent] ** 0.7)
    weight /= weight.mean()
    w, b = np.zeros((SIZE, len(intents)), np.float32), np.zeros(len(intents), np.float32)
    moments = [np.zeros_like(x) for x in (w, w, b, b)]
    batch = np.zeros((BATCH, SIZE), np.float32)
    chance, step = np.random.default_rng(SEED), 0
    for epoch in range(epochs):
        rate = RATE * (1 - epoch / epochs)
        order = chance.permutation(len(texts))
        for start in range(0, len(order) - BATCH + 1, BATCH):
            step += 1
            chosen = order[start : start + BATCH]
            batch[:] = 0
            for row, text in enumerate(chosen):
                places, values = features[text]
                batch[row, places] = values
            scores = batch @ w + b
            shares = np.exp(scores - scores.max(1, keepdims=True))
            shares /= shares.sum(1, keepdims=True)
            wrong = (shares - target[chosen]) * weight[chosen] / BATCH
            for x, slope, m, v in (
                (w, batch.T @ wrong + DECAY * w, *moments[:2]),
                (b, wrong.sum(0), *moments[2:]),
            ):
                m += 0.1 * (slope - m)
                v += 0.01 * (slope**2 - v)
                x -= rate * (m / (1 - 0.9**step)) / (np.sqrt(v / (1 - 0.99**step)) + 1e-7)
    return intents, w, b


def train_sense(lines: list[Line]) -> Floats:
    """The second model, on the meaning of the English sentences: [width + 1, intents]."""
    intents, sense = list(Intent), Sense()
    english = [line for line in lines if line.language == "en"]
    per_intent = Counter(line.intent for line in english)
    rows = [
        (line, sense.vector(text)) for line in english for text in line.variants[: len(line.variants) // 2]
    ]
    found = np.stack([np.append(vector, 1) for _, vector in rows if vector is not None]).astype(np.float32)
    target = np.full((len(rows), len(intents)), SMOOTHING / len(intents), np.float32)
    weight = np.empty((len(rows), 1), np.float32)
    for row, (line, _) in enumerate(rows):
        target[row, intents.index(line.intent)] += 1 - SMOOTHING
        weight[row] = 1 / (len(line.variants) * per_intent[line.intent] ** 0.7)
    weight /= weight.sum()
    w = np.zeros((found.shape[1], len(intents)), np.float32)
    m, v = np.zeros_like(w), np.zeros_like(w)
    for step in range(1, SENSE_STEPS + 1):
        scores = found @ w
        shares = np.exp(scores - scores.max(1, keepdims=True))
        shares /= shares.sum(1, keepdims=True)
        slope = found.T @ ((shares - target) * weight) + SENSE_DECAY * w
        m += 0.1 * (slope - m)
        v += 0.01 * (slope**2 - v)
        w -= RATE * (m / (1 - 0.9**step)) / (np.sqrt(v / (1 - 0.99**step)) + 1e-8)
    return w


def check(lines: list[Line]) -> None:
    order = random.Random(SEED).sample(range(len(lines)), len(lines))
    right: dict[str, list[float]] = {}
    confused: dict[tuple[str, str], float] = {}
    for part in range(PARTS):
        out = set(order[part::PARTS])
        model = Classifier(*train([line for i, line in enumerate(lines) if i not in out]))
        for place in out:
            line = lines[place]
            for text in line.variants:
                found = max(model.probabilities(text, list(Intent)).items(), key=lambda kv: kv[1])[0]
                right.setdefault(line.language, []).append(float(found is line.intent))
                if found is not line.intent:
                    key = (line.intent.value, found.value)
                    confused[key] = confused.get(key, 0) + 1 / len(line.variants)
    for language, marks in sorted(right.items()):
        print(f"{language}: {100 * np.mean(marks):.1f} % of {len(marks)} sentences of lines left out")
    for (intent, found), count in sorted(confused.items(), key=lambda kv: -kv[1])[:14]:
        print(f"  {intent} taken for {found}: {count:.1f} lines")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    files = sorted(FOLDER.glob("*.txt"))
    lines = [line for path in files for line in read(path)]
    if parser.parse_args().check:
        check(lines)
        return 0
    intents, weights, bias = train(lines)
    scale = np.abs(weights).max(0) / 127
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()
    np.savez_compressed(
        WEIGHTS,
        weights=np.round(weights / scale).astype(np.int8),
        scale=scale,
        bias=bias,
        sense=train_sense(lines).astype(np.float16),
        intents=np.array([i.value for i in intents]),
        made_from=np.array(
            f"bench/coach_training/*.txt, sha256 {digest}; Offhook's own sentences, Apache-2.0"
        ),
    )
    print(f"{len(lines)} lines, {WEIGHTS.stat().st_size / 1000:.0f} kB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
