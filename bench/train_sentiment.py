"""Trains the sentiment classifier from bench/sentiment_set/train_*.txt and writes its weights.

Usage: python bench/train_sentiment.py [--check]. `--check` writes nothing and prints how well the turns of
dev_*.txt are told. The held-out sets are read by bench/sentiment.py alone.
"""

from __future__ import annotations

import argparse
import itertools
import random
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from offhook.center.sentiment.features import SIZE, indices
from offhook.center.sentiment.reader import LABELS, WEIGHTS, Classifier, Label
from offhook.center.sentiment.sense import Sense
from offhook.speech.plain import plain

FOLDER = Path(__file__).with_name("sentiment_set")
SIGNS = {"-": Label.NEGATIVE, "0": Label.NEUTRAL, "+": Label.POSITIVE}
VARIANTS = 10
EPOCHS, BATCH, RATE, DECAY, SMOOTHING = 6, 128, 0.05, 1e-4, 0.06
SENSE_STEPS, SENSE_DECAY = 300, 1e-4
SEED = 11
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Line:
    label: Label
    language: str
    variants: tuple[str, ...]


@dataclass(frozen=True)
class Turn:
    """One labelled turn of a dev or held-out set."""

    label: Label
    tags: tuple[str, ...]
    text: str
    language: str


def training(language: str) -> list[Line]:
    lines, label = [], Label.NEUTRAL
    for number, raw in enumerate((FOLDER / f"train_{language}.txt").read_text("utf-8").splitlines()):
        text = raw.strip()
        if not text or text.startswith("#"):
            continue
        if text.startswith("="):
            label = Label(text[1:].strip())
            continue
        chance = random.Random(f"{language}{number}")
        lines.append(Line(label, language, tuple(variants(text, chance))))
    return lines


def labelled(name: str, language: str) -> list[Turn]:
    """The turns of `dev` or `heldout`."""
    rows = (FOLDER / f"{name}_{language}.txt").read_text("utf-8").splitlines()
    parts = [row.split("|", 2) for row in rows if row and not row.startswith("#")]
    return [
        Turn(SIGNS[sign], tuple(filter(None, tags.split(","))), text, language) for sign, tags, text in parts
    ]


def variants(template: str, chance: random.Random) -> list[str]:
    """Up to VARIANTS of a line's sentences."""
    parts = [part.split("|") for part in re.split(r"[()]", template)]
    total = 1
    for part in parts:
        total *= len(part)
    if total <= VARIANTS:
        said = ["".join(choice) for choice in itertools.product(*parts)]
    else:
        said = ["".join(chance.choice(part) for part in parts) for _ in range(VARIANTS)]
    return list(dict.fromkeys(plain(sentence) for sentence in said))


def _targets(rows: list[Line], lines: list[Line]) -> tuple[Floats, Floats]:
    count = Counter(line.label for line in lines)
    target = np.full((len(rows), len(LABELS)), SMOOTHING / len(LABELS), np.float32)
    weight = np.empty((len(rows), 1), np.float32)
    for row, line in enumerate(rows):
        target[row, LABELS.index(line.label)] += 1 - SMOOTHING
        weight[row] = 1 / (len(line.variants) * count[line.label])
    return target, weight / weight.mean()


def train(lines: list[Line], epochs: int = EPOCHS) -> tuple[Floats, Floats]:
    """Adam over small batches; every line weighs the same, and every label."""
    texts = [(line, text) for line in lines for text in line.variants]
    features = [indices(text) for _, text in texts]
    target, weight = _targets([line for line, _ in texts], lines)
    w, b = np.zeros((SIZE, len(LABELS)), np.float32), np.zeros(len(LABELS), np.float32)
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
                np.add.at(batch[row], places, values)
            wrong = (_shares(batch @ w + b) - target[chosen]) * weight[chosen] / BATCH
            for x, slope, m, v in (
                (w, batch.T @ wrong + DECAY * w, *moments[:2]),
                (b, wrong.sum(0), *moments[2:]),
            ):
                m += 0.1 * (slope - m)
                v += 0.01 * (slope**2 - v)
                x -= rate * (m / (1 - 0.9**step)) / (np.sqrt(v / (1 - 0.99**step)) + 1e-7)
    return w, b


def train_sense(lines: list[Line]) -> Floats:
    """The second model, on the meaning of the English sentences: [width + 1, labels]."""
    sense = Sense()
    english = [line for line in lines if line.language == "en"]
    rows = [(line, sense.vector(text)) for line in english for text in line.variants]
    found = np.stack([np.append(vector, 1) for _, vector in rows if vector is not None]).astype(np.float32)
    target, weight = _targets([line for line, _ in rows], english)
    w = np.zeros((found.shape[1], len(LABELS)), np.float32)
    m, v = np.zeros_like(w), np.zeros_like(w)
    for step in range(1, SENSE_STEPS + 1):
        wrong = (_shares(found @ w) - target) * weight / len(rows)
        slope = found.T @ wrong + SENSE_DECAY * w
        m += 0.1 * (slope - m)
        v += 0.01 * (slope**2 - v)
        w -= 0.1 * (m / (1 - 0.9**step)) / (np.sqrt(v / (1 - 0.99**step)) + 1e-7)
    return w


def _shares(scores: Floats) -> Floats:
    shares = np.exp(scores - scores.max(1, keepdims=True))
    return np.asarray(shares / shares.sum(1, keepdims=True), np.float32)


def write(w: Floats, b: Floats, sense: Floats) -> None:
    scale = np.float32(np.abs(w).max() / 127)
    np.savez_compressed(
        WEIGHTS,
        weights=np.round(w / scale).astype(np.int8),
        scale=scale,
        bias=b,
        sense=sense.astype(np.float16),
        labels=np.array([label.value for label in LABELS]),
    )


def figures(told: list[tuple[Turn, Label]]) -> str:
    """Accuracy, macro F1 and what was taken for what."""
    right = sum(turn.label is label for turn, label in told)
    counts = Counter((turn.label, label) for turn, label in told)
    scores = []
    for label in LABELS:
        both = counts[label, label]
        said = sum(counts[other, label] for other in LABELS)
        true = sum(counts[label, other] for other in LABELS)
        scores.append(2 * both / (said + true) if said + true else 0.0)
    f1 = " ".join(f"{label.value} {score:.3f}" for label, score in zip(LABELS, scores, strict=True))
    return f"{right}/{len(told)} = {right / len(told):.3f}, macro F1 {sum(scores) / len(scores):.3f} ({f1})"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    lines = training("en") + training("ar")
    print(f"{len(lines)} lines, {sum(len(line.variants) for line in lines)} sentences")
    w, b = train(lines)
    sense = train_sense(lines)
    model, meaning = Classifier(w, b, sense), Sense()
    for language in ("en", "ar"):
        told = []
        for turn in labelled("dev", language):
            said = plain(turn.text)
            shares = model.probabilities(said, meaning.vector(said) if language == "en" else None)
            told.append((turn, max(LABELS, key=lambda label: shares[label])))
        print(f"dev {language}: {figures(told)}")
        if check:
            for turn, label in told:
                if label is not turn.label:
                    print(f"   {turn.label.value} told {label.value}: {turn.text}")
    if not check:
        write(w, b, sense)


if __name__ == "__main__":
    main()
