"""Speech to text by a local Whisper model, in worker threads; partials while these are idle."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from offhook.audio.frame import AudioFormat
from offhook.foundation.errors import MissingModelError, ProviderError, UnfitError
from offhook.speech.base import Transcript
from offhook.speech.clip import unpack
from offhook.speech.pool import Ticket, Workers, finished
from offhook.speech.stt.credible import audible
from offhook.speech.stt.hosted import wanted_languages
from offhook.speech.stt.whisper_model import RATE, Sentence, WhisperModel, Words

_FIRST_PARTIAL_MS, _PARTIAL_MS = 1_000, 1_000
_SETTLE_MS = 20_000
"""From here on all but the last sentence is settled: Whisper hears 30 s at a time."""
_MOST_MS = 60_000


@dataclass(frozen=True, slots=True)
class Clip:
    """The unsettled sound of an utterance, from `start` bytes after its beginning, and its languages."""

    audio: bytes
    format: AudioFormat
    languages: tuple[str, ...]
    start: int = 0


class WhisperStt:
    """The provider. `threads` are CTranslate2's in each of `workers` threads of ours.

    One language is listened for, or, with several (or none) in `languages`, each utterance's is detected.
    Raises ProviderError: MissingExtraError without faster-whisper, MissingModelError without weights.
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
        hotwords: Sequence[str] = (),
        deadline: float = 10.0,
    ) -> None:
        if weights is None:
            raise MissingModelError(self.name, "set whisper.weights to a folder of CTranslate2 weights")
        self._model = WhisperModel(
            weights,
            device=device,
            compute_type=compute_type,
            threads=threads,
            workers=workers,
            beam=beam,
            hotwords=", ".join(hotwords),
        )
        self._languages = tuple(languages)
        self.languages = tuple(sorted(self._model.languages))
        self._deadline = deadline
        self.workers: Workers[Clip, Words] = Workers(self.name, self._transcribe, threads=workers)

    def open(
        self,
        format: AudioFormat,
        language: str,
        on_partial: Callable[[str], None] | None = None,
        languages: Sequence[str] = (),
    ) -> WhisperRecognizer:
        """Must be called on the event loop. Raises UnfitError for languages that the weights lack."""
        wanted = wanted_languages(languages or self._languages, language)
        for code in wanted:
            if code not in self._model.languages:
                raise UnfitError(self.name, f"has weights that do not know {code!r}")
        clip = Clip(b"", format, wanted)
        return WhisperRecognizer(self.workers, clip, on_partial, asyncio.get_running_loop(), self._deadline)

    async def close(self) -> None:
        await self.workers.close()

    def _transcribe(self, tickets: Sequence[Ticket[Clip, Words]]) -> None:
        """Worker thread: one clip after the other."""
        for ticket in tickets:
            clip = ticket.item
            sound = unpack(clip.audio, clip.format, RATE)
            if audible(sound):
                ticket.resolve(self._model.words(sound, clip.languages, partial(_wanted, ticket)))
            else:
                ticket.resolve(Words())


def _wanted(ticket: Ticket[Clip, Words]) -> bool:
    return not ticket.gone


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
