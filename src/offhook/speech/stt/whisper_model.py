"""A Whisper model by faster-whisper (CTranslate2): sound to sentences and a language. No threads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import exp
from pathlib import Path
from typing import Any

from offhook.foundation.errors import MissingExtraError, MissingModelError, ProviderError
from offhook.speech.clip import Sound

RATE = 16_000
_NO_SPEECH, _NO_SPEECH_LOGPROB = 0.6, -1.0
"""Whisper's own rule for words that nobody said."""
_LEAST_SURE = 0.35
_SURE_LANGUAGE = 0.4


@dataclass(frozen=True, slots=True)
class Sentence:
    """A segment of speech; it begins `start` seconds into the clip."""

    text: str
    start: float
    confidence: float


@dataclass(frozen=True, slots=True)
class Words:
    """What was said in a clip, and in which language."""

    sentences: tuple[Sentence, ...] = ()
    language: str = ""


class WhisperModel:
    """`weights` is a folder of CTranslate2 weights; nothing is ever downloaded. `words` may be called from
    several threads. Raises MissingExtraError without faster-whisper, MissingModelError without weights.
    """

    def __init__(
        self,
        weights: Path,
        *,
        device: str,
        compute_type: str,
        threads: int,
        workers: int,
        beam: int,
        hotwords: str = "",
    ) -> None:
        self._model = _loaded(weights, device, compute_type, threads, workers)
        self._beam = beam
        self._hotwords = hotwords or None
        self.languages: frozenset[str] = frozenset(self._model.supported_languages)

    def words(self, sound: Sound, languages: tuple[str, ...], wanted: Callable[[], bool]) -> Words:
        """What was said in a clip of RATE Hz, in one of `languages` (none: any). Given up between two
        sentences when it is no longer `wanted`."""
        language = self._language(sound, languages)
        segments, _ = self._model.transcribe(
            sound,
            language=language,
            beam_size=self._beam,
            temperature=0.0,
            condition_on_previous_text=False,
            word_timestamps=False,
            vad_filter=False,
            hotwords=self._hotwords,
        )
        sentences = []
        for segment in segments:
            if not wanted():
                break
            if sentence := believed(segment):
                sentences.append(sentence)
        return Words(tuple(sentences), language)

    def _language(self, sound: Sound, wanted: tuple[str, ...]) -> str:
        """The likeliest of the wanted languages; the first of them when Whisper is not sure at all."""
        known = wanted if len(wanted) == 1 else tuple(self.languages)
        if len(known) == 1:
            return known[0]
        best, _, chances = self._model.detect_language(sound)
        if not wanted:
            return str(best)
        likely = {code: chance for code, chance in chances if code in wanted}
        code = max(likely, key=lambda code: likely[code], default=wanted[0])
        total = sum(likely.values())
        return code if total > 0 and likely[code] / total >= _SURE_LANGUAGE else wanted[0]


def _loaded(weights: Path, device: str, compute_type: str, threads: int, workers: int) -> Any:
    try:
        from faster_whisper import WhisperModel as Model
    except ImportError:
        raise MissingExtraError("whisper", "whisper") from None
    for file in ("model.bin", "tokenizer.json"):  # without its tokenizer, one would be downloaded
        if not (weights / file).is_file():
            how = f"no {file} in {weights.name!r}, which must hold CTranslate2 weights"
            raise MissingModelError("whisper", how)
    try:
        return Model(
            str(weights),
            device=device,
            compute_type=compute_type,
            cpu_threads=threads,
            num_workers=workers,
            local_files_only=True,
        )
    except (RuntimeError, ValueError, OSError) as error:
        reason = f"cannot load its weights on {device!r} as {compute_type!r} ({type(error).__name__})"
        raise ProviderError("whisper", reason, retryable=False) from error


def believed(segment: Any) -> Sentence | None:
    """A segment's words, unless Whisper itself doubts that anybody spoke, or is not sure of them at all."""
    text = str(segment.text).strip()
    if not any(letter.isalnum() for letter in text):
        return None
    if segment.no_speech_prob > _NO_SPEECH and segment.avg_logprob < _NO_SPEECH_LOGPROB:
        return None
    confidence = exp(min(0.0, segment.avg_logprob))
    return Sentence(text, float(segment.start), confidence) if confidence >= _LEAST_SURE else None
