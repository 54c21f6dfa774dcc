"""Speech to text by the local Moonshine model, in one batching worker for all calls. English only."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from offhook.audio.frame import AudioFormat
from offhook.foundation.errors import MissingModelError, ProviderError
from offhook.speech import models
from offhook.speech.base import Transcript
from offhook.speech.clip import Sound, levels, unpack
from offhook.speech.pool import Ticket, Workers, finished
from offhook.speech.stt.moonshine_model import RATE, MoonshineModel, Words

BATCH = 4
"""Clips per batch. 16 would gain little (36 ms each, not 38) and make all of them wait (510 ms, not 130)."""
DEADLINE = 10.0
_CUT_AFTER, _CUT_BEFORE = 8.0, 12.0
_FIRST_PARTIAL_MS, _PARTIAL_MS = 500, 400
_SETTLE_MS = 14_000
_MOST_MS = 60_000
_QUIET_DB = -50.0
_LEAST_SOUND_MS = 60
_LEAST_SPREAD_DB = 5.0
_INVENTED = re.compile(r"(?:(you)|thank you|thanks|bye|okay|oh|uh|um|hmm|mm)\W*", re.IGNORECASE)
_LEAST_CONFIDENCE = 0.35
_LEAST_CONFIDENCE_INVENTED = 0.6
_LEAST_CONFIDENCE_YOU = 0.9


@dataclass(frozen=True, slots=True)
class Clip:
    """The unsettled sound of an utterance, as the leg sent it."""

    audio: bytes
    format: AudioFormat


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
        self, format: AudioFormat, language: str, on_partial: Callable[[str], None] | None = None
    ) -> MoonshineRecognizer:
        """Must be called on the event loop. Languages other than English are refused with ProviderError."""
        if language and not language.lower().startswith("en"):
            raise ProviderError(self.name, f"understands English only, not {language!r}", retryable=False)
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
            del self._audio[: len(self._audio) - most]
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
            ticket = self._workers.submit(Clip(bytes(self._audio), self._format), self._loop)
        except ProviderError:
            return  # busy: the next one will do
        self._pending = ticket
        ticket.future.add_done_callback(lambda future: self._overheard(ticket, future))

    def _overheard(self, ticket: Ticket[Clip, Heard], future: asyncio.Future[Heard]) -> None:
        if self._pending is not ticket:
            return
        self._pending = None
        if future.cancelled() or future.exception() is not None:
            return
        text = self._settle(future.result()).text
        if text and self._on_partial is not None:
            self._on_partial(text)

    def _settle(self, heard: Heard) -> Transcript:
        """Keep the parts that will not change, let go of their sound; the words of all so far."""
        for words in heard.parts[: len(heard.ends)]:
            self._settled.append(words)
        if heard.ends:
            del self._audio[: heard.ends[-1]]
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
        ticket = self._workers.submit(Clip(bytes(self._audio), self._format), self._loop)
        self._pending = ticket
        try:
            heard = await finished(ticket, DEADLINE, "moonshine")
        finally:
            if mine := self._pending is ticket:
                self._pending = None
        if not mine:
            return Transcript("")  # a new utterance began, or this one was dropped, meanwhile
        size = len(self._audio)
        transcript = self._settle(heard)
        if size == len(ticket.item.audio):
            self._last = transcript
        return transcript

    def drop(self) -> None:
        self._give_up()
        self._audio.clear()
        self._settled.clear()
        self._unheard = 0
        self._last = None

    async def close(self) -> None:
        self.drop()


def audible(sound: Sound) -> bool:
    """Whether there is enough sound to be a word, and not as even as a hum or hiss is.

    Moonshine invents words ("You", music notes) where there are none.
    """
    loud = levels(sound, RATE)
    if int((loud > _QUIET_DB).sum()) * 10 < _LEAST_SOUND_MS:
        return False
    low, high = np.percentile(loud, (5, 95))
    return bool(high - low >= _LEAST_SPREAD_DB)


def plausible(words: Words) -> bool:
    """Whether the words are likely to have been said: sure enough, and with letters or digits in them."""
    if not any(letter.isalnum() for letter in words.text) or words.confidence < _LEAST_CONFIDENCE:
        return False
    invented = _INVENTED.fullmatch(words.text)
    if invented is None:
        return True
    return words.confidence >= (_LEAST_CONFIDENCE_YOU if invented[1] else _LEAST_CONFIDENCE_INVENTED)


def cut_points(sound: Sound) -> list[int]:
    """Where to cut a long sound: at its quietest 100 ms between 8 and 12 s after the last cut."""
    cuts, start = [], 0
    while len(sound) - start > _CUT_BEFORE * RATE:
        loudness = levels(sound[start + int(_CUT_AFTER * RATE) : start + int(_CUT_BEFORE * RATE)], RATE)
        power = np.convolve(10 ** (loudness / 10), np.ones(10), "valid")
        start += int(_CUT_AFTER * RATE) + (int(power.argmin()) + 5) * RATE // 100
        cuts.append(start)
    return cuts
