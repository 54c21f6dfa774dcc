"""A stand-in for `faster_whisper` 1.2.1, without weights: it hears the words that are tones.

Calls are bound to the signatures of the real package, which a test compares with it.
"""

from __future__ import annotations

import inspect
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from tests.fakes.tone_words import Ear, Word, languages_of

from offhook.audio.frame import AudioFormat, Encoding

SIGNATURES = {
    "__init__": "self model_size_or_path device device_index compute_type cpu_threads num_workers "
    "download_root local_files_only files revision use_auth_token model_kwargs",
    "transcribe": "self audio language task log_progress beam_size best_of patience length_penalty "
    "repetition_penalty no_repeat_ngram_size temperature compression_ratio_threshold log_prob_threshold "
    "no_speech_threshold condition_on_previous_text prompt_reset_on_temperature initial_prompt prefix "
    "suppress_blank suppress_tokens without_timestamps max_initial_timestamp word_timestamps "
    "prepend_punctuations append_punctuations multilingual vad_filter vad_parameters max_new_tokens "
    "chunk_length clip_timestamps hallucination_silence_threshold hotwords language_detection_threshold "
    "language_detection_segments",
    "detect_language": "self audio features vad_filter vad_parameters language_detection_segments "
    "language_detection_threshold",
}
"""Names of the parameters, in their order."""
RATE = 16_000
_SENTENCE_MS = 300


class Segment:
    """What the recognizer reads of the real one."""

    def __init__(
        self, text: str, start: float, avg_logprob: float = -0.2, no_speech_prob: float = 0.0
    ) -> None:
        self.text = text
        self.start = start
        self.avg_logprob = avg_logprob
        self.no_speech_prob = no_speech_prob


class WhisperModel:
    """`invents` are segments that it adds to all it hears; `seconds` is how long a segment takes it."""

    languages = ("en", "ar", "fr")
    invents: tuple[Segment, ...] = ()
    seconds = 0.0
    chances: dict[str, float] = {}
    error: Exception | None = None
    threads: set[str] = set()
    clips: list[float] = []

    def __init__(self, *arguments: Any, **options: Any) -> None:
        _bind("__init__", arguments, options)
        if options["compute_type"] not in ("int8", "float16", "default"):
            raise ValueError(f"Invalid compute type {options['compute_type']}")
        if not (Path(arguments[0]) / "model.bin").is_file():
            raise RuntimeError("Unable to open file 'model.bin'")

    @property
    def supported_languages(self) -> list[str]:
        return list(self.languages)

    def transcribe(self, *arguments: Any, **options: Any) -> tuple[Iterator[Segment], None]:
        _bind("transcribe", arguments, options)
        type(self).threads.add(threading.current_thread().name)
        sound = arguments[0]
        type(self).clips.append(len(sound) / RATE)
        if self.error is not None:
            raise self.error
        if options["language"] not in self.languages:
            raise ValueError(f"{options['language']!r} is not a valid language code")
        return self._segments(_words(sound)), None

    def _segments(self, words: list[Word]) -> Iterator[Segment]:
        sentence: list[Word] = []
        for word in words:
            if sentence and word.start_ms - sentence[-1].end_ms >= _SENTENCE_MS:
                yield self._segment(sentence)
                sentence = []
            sentence.append(word)
        if sentence:
            yield self._segment(sentence)
        yield from self.invents

    def _segment(self, words: list[Word]) -> Segment:
        if self.seconds:
            time.sleep(self.seconds)
        return Segment(" " + " ".join(word.text for word in words), words[0].start_ms / 1000)

    def detect_language(self, *arguments: Any, **options: Any) -> tuple[str, float, list[tuple[str, float]]]:
        _bind("detect_language", arguments, options)
        found = languages_of(_words(arguments[0])) or ["en"]
        chances = self.chances or {code: 0.8 if code == found[0] else 0.1 for code in self.languages}
        best = max(chances, key=lambda code: chances[code])
        return best, chances[best], sorted(chances.items(), key=lambda entry: -entry[1])


def _bind(name: str, arguments: tuple[Any, ...], options: dict[str, Any]) -> None:
    names = SIGNATURES[name].split()[1:]
    given = {**dict(zip(names, arguments, strict=False)), **options}
    if unknown := set(given) - set(names):
        raise TypeError(f"{name}() got an unexpected keyword argument {sorted(unknown)}")


def _words(sound: np.ndarray[Any, np.dtype[np.float32]]) -> list[Word]:
    ear = Ear(AudioFormat(Encoding.PCM16, RATE))
    ear.hear((sound * 32767).astype("<i2").tobytes())
    return ear.words()


def module(model: type[WhisperModel]) -> ModuleType:
    """To be put in the place of `faster_whisper`."""
    made = ModuleType("faster_whisper")
    made.WhisperModel = model  # type: ignore[attr-defined]
    return made


def names_of(method: Any) -> str:
    return " ".join(inspect.signature(method).parameters)
