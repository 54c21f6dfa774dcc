"""Moonshine tiny-en through onnxruntime: sounds in, words out, several at once. No threads."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime

from offhook.speech.clip import Sound

RATE = 16_000
_START, _END = 1, 2
_SPECIAL = 3
_TOKENS_PER_SECOND = 6.5
_SHORTEST = int(0.3 * RATE)
_LAYERS, _HEADS, _HEAD = 6, 8, 36
_STRIDE = 384
"""Samples per encoder state. The decoder takes its mask in samples and thins it out by this itself."""

Floats = npt.NDArray[np.float32]


@dataclass(slots=True)
class _Row:
    """One utterance being decoded: where it came from, its tokens so far and how sure the model was."""

    index: int
    most: int
    tokens: list[int] = field(default_factory=list)
    certainty: float = 0.0


@dataclass(frozen=True, slots=True)
class Words:
    """What one sound says; `confidence` is the geometric mean of the token probabilities."""

    text: str
    confidence: float


class MoonshineModel:
    """The two graphs and the tokenizer, loaded from `folder`. Threads may share it.

    `threads` are onnxruntime's own for one inference. Raises OSError when a file is missing.
    """

    def __init__(self, folder: Path, threads: int = 1) -> None:
        options = onnxruntime.SessionOptions()
        options.enable_cpu_mem_arena = False  # an arena keeps its largest batch for ever
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._pieces = _pieces((folder / "tokenizer.bin").read_bytes())
        self._encoder = _session(folder / "encoder_model.ort", options)
        self._decoder = _session(folder / "decoder_model_merged.ort", options)
        names = [f"{layer}.{side}.{part}" for layer in range(_LAYERS) for side in ("decoder", "encoder")
                 for part in ("key", "value")]  # fmt: skip
        self._all = names
        self._own = [name for name in names if ".decoder." in name]

    def words(self, sounds: Sequence[Sound], wanted: Callable[[int], bool]) -> Iterator[tuple[int, Words]]:
        """Yield (index, words) of each sound as soon as it is finished, in any order.

        Sounds are float32 at 16 kHz, at most some 15 s long. One whose `wanted(index)` turns
        false is given up and not yielded. Encoding is one by one, since padding would change
        the encoder's normalization; decoding is one batch with the padding masked, so that
        the company matters little: the graph is quantized, which rounds by the whole batch.
        """
        rows, hidden = [], []
        for index, sound in enumerate(sounds):
            if wanted(index):
                hidden.append(self._encode(sound))
                rows.append(_Row(index, int(len(sound) / RATE * _TOKENS_PER_SECOND) + 4))
        if rows:
            yield from self._decode(rows, hidden, wanted)

    def _encode(self, sound: Sound) -> Floats:
        if len(sound) < _SHORTEST:
            sound = np.concatenate([sound, np.zeros(_SHORTEST - len(sound), np.float32)])
        feeds = {"input_values": sound[None], "attention_mask": np.ones((1, len(sound)), np.int64)}
        states: Floats = self._encoder.run(None, feeds)[0][0]
        return states

    def _decode(
        self, rows: list[_Row], hidden: list[Floats], wanted: Callable[[int], bool]
    ) -> Iterator[tuple[int, Words]]:
        states, mask = _padded(hidden)
        past = {name: np.zeros((len(rows), _HEADS, 0, _HEAD), np.float32) for name in self._all}
        tokens = np.full((len(rows), 1), _START, np.int64)
        first = True
        while rows:
            logits = self._step(tokens, states, mask, past, first)
            first = False
            tokens = logits.argmax(-1)[:, None]
            certainty = _log_probability(logits, tokens)
            kept = []
            for place, row in enumerate(rows):
                token = int(tokens[place, 0])
                row.certainty += float(certainty[place])
                if not wanted(row.index):
                    continue
                if token == _END or len(row.tokens) >= row.most or _loops(row.tokens):
                    yield row.index, self._words(row)
                else:
                    row.tokens.append(token)
                    kept.append(place)
            if len(kept) < len(rows):
                rows = [rows[place] for place in kept]
                tokens, states, mask = tokens[kept], states[kept], mask[kept]
                past = {name: value[kept] for name, value in past.items()}

    def _step(
        self,
        tokens: npt.NDArray[np.int64],
        states: Floats,
        mask: npt.NDArray[np.int64],
        past: dict[str, Floats],
        first: bool,
    ) -> Floats:
        """Logits [B, vocabulary] of the next tokens; `past` is brought up to date.

        The encoder's keys and values are computed in the first step only and then kept.
        """
        feeds: dict[str, Any] = {f"past_key_values.{name}": value for name, value in past.items()}
        feeds["input_ids"] = tokens
        feeds["encoder_hidden_states"] = states
        feeds["encoder_attention_mask"] = mask
        feeds["use_cache_branch"] = np.array([not first])
        names = self._all if first else self._own
        logits, *values = self._decoder.run(["logits", *(f"present.{name}" for name in names)], feeds)
        past.update(zip(names, values, strict=True))
        last: Floats = logits[:, -1]
        return last

    def _words(self, row: _Row) -> Words:
        tokens = _unlooped(row.tokens)
        said = b"".join(self._pieces[token] for token in tokens if token >= _SPECIAL)
        text = said.decode("utf-8", "replace").replace("▁", " ").strip()
        return Words(text, float(np.exp(row.certainty / (len(row.tokens) + 1))))


def _session(path: Path, options: onnxruntime.SessionOptions) -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def _padded(hidden: list[Floats]) -> tuple[Floats, npt.NDArray[np.int64]]:
    longest = max(len(states) for states in hidden)
    batch = np.zeros((len(hidden), longest, hidden[0].shape[1]), np.float32)
    mask = np.zeros((len(hidden), longest * _STRIDE), np.int64)
    for row, states in enumerate(hidden):
        batch[row, : len(states)] = states
        mask[row, : len(states) * _STRIDE] = 1
    return batch, mask


def _log_probability(logits: Floats, tokens: npt.NDArray[np.int64]) -> Floats:
    top = np.take_along_axis(logits, tokens, axis=1)
    result: Floats = -np.log(np.exp(logits - top).sum(axis=1))
    return result


def _repeats(tokens: Sequence[int], size: int) -> int:
    """How often the last `size` tokens stand at the end, one after the other."""
    unit, count = tokens[-size:], 1
    while (count + 1) * size <= len(tokens) and tokens[-(count + 1) * size : -count * size] == unit:
        count += 1
    return count


def _loops(tokens: Sequence[int]) -> bool:
    """Whether the model says the same over and over: four times or more, twelve tokens or more.

    Less is left alone, since people do say "no no no no" and phone numbers like 555 5555.
    """
    return any((count := _repeats(tokens, size)) >= 4 and count * size >= 12 for size in range(1, 9))


def _unlooped(tokens: list[int]) -> list[int]:
    if not _loops(tokens):
        return tokens
    for size in range(1, 9):
        count = _repeats(tokens, size)
        if count >= 4 and count * size >= 12:
            return tokens[: len(tokens) - (count - 1) * size]
    return tokens


def _pieces(packed: bytes) -> list[bytes]:
    """The vocabulary: byte strings, each behind its length (one byte, or two from 128 on)."""
    pieces, at = [], 0
    while at < len(packed):
        length = packed[at]
        at += 1
        if length >= 128:
            length = packed[at] * 128 + length - 128
            at += 1
        pieces.append(packed[at : at + length])
        at += length
    return pieces
