"""Speech to text by the local Moonshine model, in one batching worker for all calls. English only."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from offhook.audio.frame import AudioFormat
from offhook.foundation.errors import MissingModelError, ProviderError, UnfitError
from offhook.speech import models
from offhook.speech.base import Transcript
from offhook.speech.clip import Sound, unpack
from offhook.speech.pool import Ticket, Workers, finished
from offhook.speech.stt.credible import audible, cut_points, plausible
from offhook.speech.stt.moonshine_model import RATE, MoonshineModel, Words

BATCH = 4
"""Clips per batch. 16 would gain little (36 ms each, not 38) and make all of them wait (510 ms, not 130)."""
DEADLINE = 10.0
_FIRST_PARTIAL_MS, _PARTIAL_MS = 500, 400
_SETTLE_MS = 14_000
_MOST_MS = 60_000


@dataclass(frozen=True, slots=True)
class Clip:
    """The unsettled sound of an utterance, as the leg sent it, from `start` bytes after its beginning."""

    audio: bytes
    format: AudioFormat
    start: int = 0

    @property
    def end(self) -> int:
        return self.start + len(self.audio)


@dataclass(frozen=True, slots=True)
class Heard:
    """Words of a clip, part by part; parts but the last end at `ends` bytes and will not change."""

    parts: tuple[Words, ...] = ()
    ends: tuple[int, ...] = ()


class MoonshineStt:
    """The provider. `threads` are onnxruntime's in each of `workers` threads.

    Raises MissingModelError when the weights are not installed.
    """

    name = "moonshine"

    def __init__(self, folder: Path | None = None, threads: int = 1, workers: int = 1) -> None:
        try:
            self._model = MoonshineModel(folder or models.folder("moonshine-tiny-en"), threads)
        except OSError as error:
            raise MissingModelError(self.name, f"cannot read {error.filename}") from error
        self.workers: Workers[Clip, Heard] = Workers(
            self.name, self._transcribe, threads=workers, batch=BATCH
        )

    def open(
        self,
        format: AudioFormat,
        language: str,
        on_partial: Callable[[str], None] | None = None,
        languages: Sequence[str] = (),
    ) -> MoonshineRecognizer:
        """Must be called on the event loop. Languages other than English are refused with UnfitError."""
        for wanted in (language, *languages):
            if wanted and not wanted.lower().startswith("en"):
                raise UnfitError(self.name, f"understands English only, not {wanted!r}")
        return MoonshineRecognizer(self.workers, format, on_partial, asyncio.get_running_loop())

    async def close(self) -> None:
        await self.workers.close()

    def _transcribe(self, tickets: Sequence[Ticket[Clip, Heard]]) -> None:
        """Worker thread: cut all clips into parts, decode the parts as one batch, resolve clip by clip."""
        sounds: list[Sound] = []
        owner: list[int] = []
        missing: list[int] = []
        parts: list[dict[int, Words]] = []
        ends: list[tuple[int, ...]] = []
        for number, ticket in enumerate(tickets):
            clip = ticket.item
            sound = unpack(clip.audio, clip.format, RATE)
            cuts = cut_points(sound) if audible(sound) else []
            pieces = np.split(sound, cuts) if audible(sound) else []
            ends.append(tuple(cut * clip.format.rate // RATE * clip.format.width for cut in cuts))
            parts.append({})
            missing.append(len(pieces))
            owner.extend([number] * len(pieces))
            sounds.extend(pieces)
            if not pieces:
                ticket.resolve(Heard())
        for index, words in self._model.words(sounds, lambda index: not tickets[owner[index]].gone):
            number = owner[index]
            parts[number][index] = words if plausible(words) else Words("", words.confidence)
            missing[number] -= 1
            if not missing[number]:
                said = tuple(parts[number][place] for place in sorted(parts[number]))
                tickets[number].resolve(Heard(said, ends[number]))


class MoonshineRecognizer:
    """One leg's utterances. All methods belong to the event loop's thread."""

    def __init__(
        self,
        workers: Workers[Clip, Heard],
        format: AudioFormat,
        on_partial: Callable[[str], None] | None,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self._workers = workers
        self._format = format
        self._on_partial = on_partial
        self._loop = loop
        self._audio = bytearray()
        self._start = 0
        self._settled: list[Words] = []
        self._unheard = 0
        self._pending: Ticket[Clip, Heard] | None = None
        self._last: Transcript | None = None

    def begin(self) -> None:
        self.drop()

    def push(self, audio: bytes) -> None:
        self._audio += audio
        self._last = None
        self._unheard += len(audio)
        most = self._format.size(_MOST_MS)
        if len(self._audio) > most:
            self._let_go(len(self._audio) - most)
        if self._pending is None and self._due():
            self._listen()

    def _due(self) -> bool:
        size = len(self._audio)
        if size >= self._format.size(_SETTLE_MS):
            return self._unheard >= self._format.size(_PARTIAL_MS)
        return (
            self._on_partial is not None
            and size >= self._format.size(_FIRST_PARTIAL_MS)
            and self._unheard >= self._format.size(_PARTIAL_MS)
            and self._workers.idle
        )

    def _listen(self) -> None:
        self._unheard = 0
        try:
            ticket = self._submit()
        except ProviderError:
            return  # busy: the next one will do
        ticket.future.add_done_callback(lambda future: self._overheard(ticket, future))

    def _submit(self) -> Ticket[Clip, Heard]:
        clip = Clip(bytes(self._audio), self._format, self._start)
        self._pending = self._workers.submit(clip, self._loop)
        return self._pending

    def _overheard(self, ticket: Ticket[Clip, Heard], future: asyncio.Future[Heard]) -> None:
        if self._pending is not ticket:
            return
        self._pending = None
        if future.cancelled() or future.exception() is not None:
            return
        text = self._settle(ticket.item, future.result()).text
        if text and self._on_partial is not None:
            self._on_partial(text)

    def _let_go(self, size: int) -> None:
        """Forget the first `size` bytes of what is held."""
        del self._audio[:size]
        self._start += size

    def _settle(self, clip: Clip, heard: Heard) -> Transcript:
        """Keep the parts that will not change, let go of their sound; the words of all so far."""
        for words in heard.parts[: len(heard.ends)]:
            self._settled.append(words)
        if heard.ends:
            self._let_go(max(0, clip.start + heard.ends[-1] - self._start))
        said = [words for words in (*self._settled, *heard.parts[len(heard.ends) :]) if words.text]
        text = " ".join(words.text for words in said)
        return Transcript(text, "en", min((words.confidence for words in said), default=1.0))

    def _give_up(self) -> None:
        pending, self._pending = self._pending, None
        if pending is not None:
            pending.future.cancel()

    async def finish(self) -> Transcript:
        if self._last is not None:
            return self._last
        self._give_up()
        self._unheard = 0
        ticket = self._submit()
        mine = False
        try:
            heard = await finished(ticket, DEADLINE, "moonshine")
            mine = self._pending is ticket
        except asyncio.CancelledError:
            if self._pending is ticket or (task := asyncio.current_task()) is None or task.cancelling():
                raise
            return Transcript("")  # not this task was cancelled: the utterance was dropped meanwhile
        finally:
            if self._pending is ticket:
                self._pending = None
        if not mine:
            return Transcript("")
        end = self._start + len(self._audio)
        transcript = self._settle(ticket.item, heard)
        if end == ticket.item.end:
            self._last = transcript
        return transcript

    def drop(self) -> None:
        self._give_up()
        self._audio.clear()
        self._start = 0
        self._settled.clear()
        self._unheard = 0
        self._last = None

    async def close(self) -> None:
        self.drop()
