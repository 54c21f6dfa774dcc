"""Speech to text by a local Whisper model (faster-whisper, CTranslate2 weights) in worker threads."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import exp
from pathlib import Path
from typing import Any

from offhook.audio.frame import AudioFormat
from offhook.foundation.errors import MissingExtraError, MissingModelError, ProviderError
from offhook.speech.base import Transcript
from offhook.speech.clip import unpack
from offhook.speech.pool import Ticket, Workers, finished
from offhook.speech.stt.credible import audible
from offhook.speech.stt.dialect import wanted_languages

RATE = 16_000
_FIRST_PARTIAL_MS, _PARTIAL_MS = 1_000, 1_000
_SETTLE_MS = 20_000
"""From here on all but the last sentence is settled: Whisper hears 30 s at a time."""
_MOST_MS = 60_000
_NO_SPEECH, _NO_SPEECH_LOGPROB = 0.6, -1.0
"""Whisper's own rule for words that nobody said."""
_LEAST_SURE = 0.35
_SURE_LANGUAGE = 0.4


@dataclass(frozen=True, slots=True)
class Clip:
    """The unsettled sound of an utterance, from `start` bytes after its beginning, and its languages."""

    audio: bytes
    format: AudioFormat
    languages: tuple[str, ...]
    start: int = 0

    @property
    def end(self) -> int:
        return self.start + len(self.audio)


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


class WhisperStt:
    """The provider. `weights` is a folder of CTranslate2 weights; nothing is ever downloaded.

    One language is listened for, or, with several (or none) in `languages`, each utterance's is detected.
    Raises MissingExtraError without faster-whisper, MissingModelError without weights.
    """

    name = "whisper"

    def __init__(
        self,
        weights: Path | None,
        *,
        device: str = "cpu",
        compute_type: str = "int8",
        threads: int = 2,
        workers: int = 1,
        beam: int = 1,
        languages: Sequence[str] = (),
        deadline: float = 10.0,
    ) -> None:
        if weights is None:
            raise MissingModelError(
                self.name, "set [speech.whisper] weights to a folder of CTranslate2 weights"
            )
        self._model = load(self.name, weights, device, compute_type, threads, workers)
        self._known: frozenset[str] = frozenset(self._model.supported_languages)
        self._beam = beam
        self._languages = tuple(languages)
        self._deadline = deadline
        self.workers: Workers[Clip, Words] = Workers(self.name, self._transcribe, threads=workers)

    def open(
        self,
        format: AudioFormat,
        language: str,
        on_partial: Callable[[str], None] | None = None,
        languages: Sequence[str] = (),
    ) -> WhisperRecognizer:
        """Must be called on the event loop. Refuses languages that the weights lack with ProviderError."""
        wanted = wanted_languages(languages or self._languages, language)
        for code in wanted:
            if code not in self._known:
                raise ProviderError(self.name, f"these weights do not know {code!r}", retryable=False)
        clip = Clip(b"", format, wanted)
        return WhisperRecognizer(self.workers, clip, on_partial, asyncio.get_running_loop(), self._deadline)

    async def close(self) -> None:
        await self.workers.close()

    def _transcribe(self, tickets: Sequence[Ticket[Clip, Words]]) -> None:
        """Worker thread: one clip after the other; given up between its sentences when nobody waits."""
        for ticket in tickets:
            clip = ticket.item
            sound = unpack(clip.audio, clip.format, RATE)
            if not audible(sound):
                ticket.resolve(Words())
                continue
            language = self._language(sound, clip.languages)
            segments, _ = self._model.transcribe(
                sound,
                language=language,
                beam_size=self._beam,
                temperature=0.0,
                condition_on_previous_text=False,
                word_timestamps=False,
                vad_filter=False,
            )
            sentences = []
            for segment in segments:
                if ticket.gone:
                    break
                if sentence := believed(segment):
                    sentences.append(sentence)
            ticket.resolve(Words(tuple(sentences), language))

    def _language(self, sound: Any, wanted: tuple[str, ...]) -> str:
        """The likeliest of the wanted languages; the first of them when Whisper is not sure at all."""
        if len(wanted) == 1:
            return wanted[0]
        if len(self._known) == 1:
            return str(next(iter(self._known)))
        best, _, all_languages = self._model.detect_language(sound)
        if not wanted:
            return str(best)
        likely = {code: p for code, p in all_languages if code in wanted}
        code = max(likely, key=lambda code: likely[code], default=wanted[0])
        total = sum(likely.values())
        return code if total > 0 and likely[code] / total >= _SURE_LANGUAGE else wanted[0]


def load(name: str, weights: Path, device: str, compute_type: str, threads: int, workers: int) -> Any:
    """The model. Raises ProviderError (MissingExtraError, MissingModelError)."""
    try:
        from faster_whisper import WhisperModel
    except ImportError:
        raise MissingExtraError(name, "whisper") from None
    if not (weights / "model.bin").is_file():
        raise MissingModelError(name, f"no model.bin in {weights.name!r}; it must hold CTranslate2 weights")
    if not (weights / "tokenizer.json").is_file():
        raise MissingModelError(name, f"no tokenizer.json in {weights.name!r}")  # it would be downloaded
    try:
        return WhisperModel(
            str(weights),
            device=device,
            compute_type=compute_type,
            cpu_threads=threads,
            num_workers=workers,
            local_files_only=True,
        )
    except (RuntimeError, ValueError, OSError) as error:
        reason = f"cannot load its weights on {device!r} as {compute_type!r} ({type(error).__name__})"
        raise ProviderError(name, reason, retryable=False) from error


def believed(segment: Any) -> Sentence | None:
    """A segment's words, unless Whisper itself doubts that anybody spoke, or is not sure of them at all."""
    text = str(segment.text).strip()
    if not any(letter.isalnum() for letter in text):
        return None
    if segment.no_speech_prob > _NO_SPEECH and segment.avg_logprob < _NO_SPEECH_LOGPROB:
        return None
    confidence = exp(min(0.0, segment.avg_logprob))
    return Sentence(text, float(segment.start), confidence) if confidence >= _LEAST_SURE else None


class WhisperRecognizer:
    """One leg's utterances. All methods belong to the event loop's thread."""

    def __init__(
        self,
        workers: Workers[Clip, Words],
        clip: Clip,
        on_partial: Callable[[str], None] | None,
        loop: asyncio.AbstractEventLoop,
        deadline: float,
    ) -> None:
        self._workers = workers
        self._format = clip.format
        self._languages = clip.languages
        self._on_partial = on_partial
        self._loop = loop
        self._deadline = deadline
        self._audio = bytearray()
        self._start = 0
        self._unheard = 0
        self._settled: list[Sentence] = []
        self._pending: Ticket[Clip, Words] | None = None
        self._last: tuple[int, Transcript] | None = None

    def begin(self) -> None:
        self.drop()

    def push(self, audio: bytes) -> None:
        self._audio += audio
        self._unheard += len(audio)
        excess = len(self._audio) - self._format.size(_MOST_MS)
        if excess > 0:
            self._let_go(excess + -excess % self._format.width)
        if self._pending is None and self._due():
            self._overhear()

    def _due(self) -> bool:
        if self._unheard < self._format.size(_PARTIAL_MS):
            return False
        if len(self._audio) >= self._format.size(_SETTLE_MS):
            return True
        first = self._format.size(_FIRST_PARTIAL_MS)
        return self._on_partial is not None and len(self._audio) >= first and self._workers.idle

    def _overhear(self) -> None:
        self._unheard = 0
        try:
            ticket = self._submit()
        except ProviderError:
            return  # busy: the next one will do
        ticket.future.add_done_callback(lambda future: self._overheard(ticket, future))

    def _overheard(self, ticket: Ticket[Clip, Words], future: asyncio.Future[Words]) -> None:
        if self._pending is not ticket:
            return
        self._pending = None
        if future.cancelled() or future.exception() is not None:
            return
        text = self._settle(ticket.item, future.result()).text
        if text and self._on_partial is not None:
            self._on_partial(text)

    def _submit(self) -> Ticket[Clip, Words]:
        clip = Clip(bytes(self._audio), self._format, self._languages, self._start)
        self._pending = self._workers.submit(clip, self._loop)
        return self._pending

    def _let_go(self, size: int) -> None:
        del self._audio[:size]
        self._start += size

    def _settle(self, clip: Clip, words: Words) -> Transcript:
        """All words so far; of a long clip all but the last sentence will not change any more."""
        said = (*self._settled, *words.sentences)
        if len(clip.audio) >= self._format.size(_SETTLE_MS) and len(words.sentences) > 1:
            last = clip.start + self._format.size(words.sentences[-1].start * 1000)
            if self._start < last <= self._start + len(self._audio):
                self._settled += words.sentences[:-1]
                self._let_go(last - self._start)
        text = " ".join(sentence.text for sentence in said)
        return Transcript(text, words.language, min((s.confidence for s in said), default=1.0))

    async def finish(self) -> Transcript:
        end = self._start + len(self._audio)
        if not end:
            return Transcript("")
        if self._last is not None and self._last[0] == end:
            return self._last[1]
        self._give_up()
        ticket = self._submit()
        try:
            words = await finished(ticket, self._deadline, "whisper")
        except asyncio.CancelledError:
            if self._pending is ticket or (task := asyncio.current_task()) is None or task.cancelling():
                raise
            return Transcript("")  # not this task was cancelled: the utterance was dropped meanwhile
        finally:
            current = self._pending is ticket
            if current:
                self._pending = None
        if not current:
            return Transcript("")
        self._unheard = 0
        transcript = self._settle(ticket.item, words)
        self._last = (end, transcript)
        return transcript

    def _give_up(self) -> None:
        pending, self._pending = self._pending, None
        if pending is not None:
            pending.future.cancel()

    def drop(self) -> None:
        self._give_up()
        self._audio.clear()
        self._start = self._unheard = 0
        self._settled.clear()
        self._last = None

    async def close(self) -> None:
        self.drop()
